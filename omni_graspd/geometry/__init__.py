# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes and distances: welding, orientation, solids, hulls, signed distances, rays; for hands and objects alike."""
