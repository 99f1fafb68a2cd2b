# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps from a depth image: a small network, its training on datasets, and the tables of what it predicts."""
