# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From linear radiance to an 8-bit picture: automatic exposure, a soft shoulder for highlights, and the sRGB curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_KEY = 0.28
_BRIGHT_FRACTION = 0.995
_SHOULDER = 0.6
_WHITE = 1.8


def auto_exposure(images: Sequence[np.ndarray]) -> float:
    """Choose one scale for several pictures, as a stereo camera does with one exposure for both eyes.

    The log-average luminance becomes a mid grey, unless that would clip more than half a percent of a picture's pixels.

    Args:
        images: Linear radiance, each [height, width, 3].

    Returns:
        Factor that brings radiance to 0..1; 1 for black pictures.
    """
    limits, logs = [], []
    for image in images:
        brightest = _brightest(image)
        lit = brightest[brightest > 0.0]
        if not len(lit):
            continue
        limits.append(_WHITE / max(np.quantile(brightest, _BRIGHT_FRACTION, method="higher"), 1e-30))
        luminance = image[brightest > 0.0] @ np.array([0.2126, 0.7152, 0.0722])
        logs.append(np.log(np.maximum(luminance, 1e-4 * luminance.max())).mean())
    if not limits:
        return 1.0
    return float(min(_KEY / np.exp(np.mean(logs)), *limits))


def develop(image: np.ndarray, exposure: float) -> np.ndarray:
    """Turn linear radiance [height, width, 3] into sRGB with opaque alpha, uint8 [height, width, 4].

    Colours stay linear up to 0.6 of white. Brighter ones are compressed, keeping their hue, so that highlights keep
    their shape.
    """
    scaled = np.maximum(image * np.float32(exposure), 0.0)
    linear = np.clip(scaled * _shoulder(_brightest(scaled))[..., None], 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1.0 / 2.4) - 0.055)
    rgba = np.full((*image.shape[:2], 4), 255, dtype=np.uint8)
    rgba[..., :3] = np.rint(curved * 255.0)
    return rgba


def _brightest(image: np.ndarray) -> np.ndarray:
    """Return the largest channel of each pixel; NumPy's own reduction of so short an axis is slow."""
    return np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])


def _shoulder(brightest: np.ndarray) -> np.ndarray:
    """Return the factor that bends values above the shoulder toward 1."""
    room = 1.0 - _SHOULDER
    above = np.maximum(brightest - _SHOULDER, 0.0)
    bent = _SHOULDER + room * (1.0 - np.exp(-above / room))
    return np.where(above > 0.0, bent / np.maximum(brightest, _SHOULDER), 1.0)
