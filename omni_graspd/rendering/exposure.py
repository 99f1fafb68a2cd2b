# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""From linear radiance to an 8-bit picture: automatic exposure, a soft shoulder for highlights, and the sRGB curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_KEY = 0.26
_LIGHT_PART, _LIGHT, _DARKEST = 0.9, 0.75, 0.45
_LUMINANCE_RANGE = (1e-3, 30.0)
_BRIGHT_FRACTION = 0.995
_SHOULDER = 0.6
_LEAST_WHITE = 1.8
_BRIGHTEST = 0.99


@dataclass(frozen=True)
class Exposure:
    """How radiance becomes brightness."""

    scale: float = 1.0
    """Factor on radiance."""
    white: float = _LEAST_WHITE
    """Scaled radiance that is shown just below white; what is brighter is clipped."""


def auto_exposure(images: Sequence[np.ndarray]) -> Exposure:
    """Choose one exposure for several pictures, as a stereo camera does for both eyes.

    The log-average luminance becomes a mid grey, or up to a stop darker where more than a tenth of the pixels would be
    lighter than 0.75: an object on a dark table keeps its colours. White is put where at most half a percent of a
    picture's pixels lie beyond, so that lamps and their reflections cost neither detail nor the brightness of the rest.

    Args:
        images: Linear radiance, each [height, width, 3].
    """
    lights, brights, logs = [], [], []
    for image in images:
        brightest = _brightest(image)
        lit = brightest > 0.0
        if not lit.any():
            continue
        light, bright = np.quantile(brightest, (_LIGHT_PART, _BRIGHT_FRACTION), method="higher")
        lights.append(light)
        brights.append(bright)
        luminance = image[lit] @ np.array([0.2126, 0.7152, 0.0722])
        # A lamp in the picture counts as something bright, not by how bright it is.
        middle = max(float(np.median(luminance)), 1e-30)
        logs.append(np.log(np.clip(luminance / middle, *_LUMINANCE_RANGE)).mean() + np.log(middle))
    if not logs:
        return Exposure()
    scale = float(_KEY / np.exp(np.mean(logs)))
    scale *= float(np.clip(_LIGHT / (scale * max(lights)), _DARKEST, 1.0))
    return Exposure(scale, max(_LEAST_WHITE, scale * float(max(brights))))


def develop(image: np.ndarray, exposure: Exposure) -> np.ndarray:
    """Turn linear radiance [height, width, 3] into sRGB with opaque alpha, uint8 [height, width, 4].

    Colours stay linear up to 0.6 of white. Brighter ones are compressed, keeping their hue, so that highlights keep
    their shape.
    """
    scaled = np.maximum(image * np.float32(exposure.scale), 0.0)
    linear = np.clip(scaled * _shoulder(_brightest(scaled), exposure.white)[..., None], 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1.0 / 2.4) - 0.055)
    rgba = np.full((*image.shape[:2], 4), 255, dtype=np.uint8)
    rgba[..., :3] = np.rint(curved * 255.0)
    return rgba


def _brightest(image: np.ndarray) -> np.ndarray:
    """Return the largest channel of each pixel; NumPy's own reduction of so short an axis is slow."""
    return np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])


def _shoulder(brightest: np.ndarray, white: float) -> np.ndarray:
    """Return the factor that bends values above the shoulder, so that ``white`` comes to just below 1.

    The bend is a logarithm that goes on from the shoulder with the same slope.
    """
    rate = _bend_rate((white - _SHOULDER) / (_BRIGHTEST - _SHOULDER)) / (_BRIGHTEST - _SHOULDER)
    bent = _SHOULDER + np.log1p(rate * np.maximum(brightest - _SHOULDER, 0.0)) / rate
    return np.where(brightest > _SHOULDER, bent / np.maximum(brightest, _SHOULDER), 1.0)


def _bend_rate(span: float) -> float:
    """Solve log(1 + rate * span) = rate for a rate above 0; span is above 1."""
    rate = 2.0 * np.log(span) + 1.0
    for _ in range(50):
        rate = float(np.log1p(rate * span))
    return rate
