# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets on disk: manifest, tables, the pipeline over all stages, resume."""

from .loader import open as open  # the name under which people look for it
