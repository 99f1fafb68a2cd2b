# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Authoring and reading USD: units, transforms, meshes, and the physics and semantics schemas by name."""
