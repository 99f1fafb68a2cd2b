# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects: meshes and USD files read into rigid objects, and their signed distance."""
