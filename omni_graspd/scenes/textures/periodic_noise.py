# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Random fields that go on without a seam when they are laid side by side: filtered white noise on a torus."""

from __future__ import annotations

import numpy as np


def smooth_noise(random: np.random.Generator, size: int, rows: float, columns: float | None = None) -> np.ndarray:
    """Make noise with features of one size.

    Args:
        random: Random generator.
        size: Edge of the field [pixel].
        rows: Standard deviation of the blur across the rows [pixel].
        columns: The same along the rows; as ``rows`` by default.

    Returns:
        Zero mean and unit variance, shape [size, size], float32.
    """
    down, right = _frequencies(size)
    columns = rows if columns is None else columns
    damping = np.exp(-2.0 * np.pi**2 * ((down * rows) ** 2 + (right * columns) ** 2))
    return _filtered(random, size, damping)


def fractal_noise(random: np.random.Generator, size: int, exponent: float, largest: float = 0.5) -> np.ndarray:
    """Make noise with features of all sizes, whose amplitude falls with the frequency to the power ``exponent``.

    Args:
        random: Random generator.
        size: Edge of the field [pixel].
        exponent: 1 is rough as cloud edges, 2 smooth as hills.
        largest: Wavelength of the largest features over the size of the field.

    Returns:
        Zero mean and unit variance, shape [size, size], float32.
    """
    down, right = _frequencies(size)
    frequency = np.hypot(down, right) * size
    return _filtered(random, size, np.maximum(frequency, 1.0 / largest) ** -exponent)


def slopes(height: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how a periodic height field rises along image x and against image y, each shape [size, size].

    Args:
        height: Heights, shape [size, size].
        spacing: Distance between pixels, in the unit of the heights.
    """
    rise_x = (np.roll(height, -1, axis=1) - np.roll(height, 1, axis=1)) / (2.0 * spacing)
    rise_y = (np.roll(height, 1, axis=0) - np.roll(height, -1, axis=0)) / (2.0 * spacing)
    return rise_x, rise_y


def _frequencies(size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]


def _filtered(random: np.random.Generator, size: int, damping: np.ndarray) -> np.ndarray:
    spectrum = np.fft.rfft2(random.standard_normal((size, size), dtype=np.float32)) * damping
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, s=(size, size))
    return (field / field.std()).astype(np.float32)
