# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Physics tests of grasps: hold, driven hold, lift."""
