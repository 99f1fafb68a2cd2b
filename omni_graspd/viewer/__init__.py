# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pages in a browser, on viser: what :mod:`omni_graspd.inspection` knows, shown."""
