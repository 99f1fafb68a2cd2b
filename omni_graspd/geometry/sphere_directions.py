# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Directions spread evenly over the sphere."""

from __future__ import annotations

import numpy as np


def sphere_directions(count: int) -> np.ndarray:
    """Return unit vectors spread evenly over the sphere (Fibonacci lattice), shape [count, 3]."""
    index = np.arange(count) + 0.5
    azimuth = np.pi * (1.0 + np.sqrt(5.0)) * index
    height = 1.0 - 2.0 * index / count
    radius = np.sqrt(1.0 - height * height)
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), height], axis=-1)
