# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Lights of a scene: a dome with a studio or a sky, and a lamp or the sun that casts the shadows."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdLux

from omni_graspd.ranges import require_rising
from omni_graspd.scenes.named_choices import draw_name, require_known
from omni_graspd.scenes.textures.dome_texture import SURROUNDINGS, write_dome_texture
from omni_graspd.usd.transforms import author_pose, matrix_to_pose

_EVEN = "even"
_GROUPS = {
    "indoors": tuple(name for name, around in SURROUNDINGS.items() if around.sun_elevation is None),
    "outdoors": tuple(name for name, around in SURROUNDINGS.items() if around.sun_elevation is not None),
}
_LARGE = 0.15
"""Radius of objects beyond which lamps stand further away, as cameras do [m]."""


@dataclass(frozen=True, kw_only=True)
class LightConfig:
    """Ranges to draw lights from."""

    surroundings: tuple[str, ...] = ("indoors", "outdoors")
    """Surroundings to draw from: indoors (studio, loft), outdoors (noon, evening, overcast) or even light."""
    dome_intensity: tuple[float, float] = (600.0, 1200.0)
    """Range of the mean radiance of the surroundings [nit]."""
    key_intensity: tuple[float, float] = (15000.0, 35000.0)
    """Range of the radiance of the indoor lamp [nit]."""
    key_size: tuple[float, float] = (0.3, 0.8)
    """Range of the lamp's edge length [m]; larger lamps cast softer shadows."""
    key_distance: tuple[float, float] = (1.3, 1.8)
    """Range of the lamp's distance from the table's centre [m]."""
    key_elevation: tuple[float, float] = (40.0, 75.0)
    """Range of the lamp's elevation above the table [degree]."""
    sun_ratio: tuple[float, float] = (1.0, 2.5)
    """Range of the ratio of sunlight to light from the clear sky, on a surface facing each."""

    def __post_init__(self) -> None:
        """Check names and ranges."""
        require_known("surroundings", self.surroundings, [*_GROUPS, *SURROUNDINGS, _EVEN])
        require_rising(self, "scene.lights", 0.0, math.inf, "dome_intensity", "key_intensity", "sun_ratio")
        require_rising(self, "scene.lights", 0.001, math.inf, "key_size", "key_distance")
        require_rising(self, "scene.lights", 0.0, 90.0, "key_elevation")


def author_lights(
    stage: Usd.Stage, scene: Path, folder: Path, config: LightConfig, random: np.random.Generator, reach: float
) -> None:
    """Light a table with its surroundings, slightly tinted, and a lamp that faces its centre, or the sun.

    Args:
        stage: The scene; lights become ``/World/Lights/Dome`` and ``/World/Lights/Key``.
        scene: Where the scene will be saved; textures are relative to it.
        folder: Where textures go.
        config: Ranges.
        random: Random generator.
        reach: Radius of the object [m]; lamps stand clear of cameras that see it whole.
    """
    UsdGeom.Scope.Define(stage, "/World/Lights")
    name = draw_name(config.surroundings, _GROUPS, random)
    intensity = float(random.uniform(*config.dome_intensity))
    turn = float(random.uniform(0.0, 2.0 * np.pi))
    dome = UsdLux.DomeLight.Define(stage, "/World/Lights/Dome")
    dome.CreateIntensityAttr(intensity)
    dome.CreateColorAttr(_tint(random))
    around = SURROUNDINGS.get(name)
    if around is not None:
        texture = write_dome_texture(name, folder)
        dome.CreateTextureFileAttr(os.path.relpath(texture.absolute(), scene.absolute().parent).replace(os.sep, "/"))
        dome.CreateTextureFormatAttr(UsdLux.Tokens.latlong)
        author_pose(dome.GetPrim(), _upright(turn))
    if around is None or around.sun_elevation is None:
        _author_lamp(stage, config, random, max(1.0, reach / _LARGE))
        return
    sun = UsdLux.DistantLight.Define(stage, "/World/Lights/Key")
    sun.CreateIntensityAttr(float(np.pi * intensity * around.sun_share * random.uniform(*config.sun_ratio)))
    sun.CreateAngleAttr(around.sun_angle)
    sun.CreateColorAttr(Gf.Vec3f(*around.sun_color))
    author_pose(sun.GetPrim(), _facing_origin(turn, float(np.radians(around.sun_elevation)), 2.0))


def _author_lamp(stage: Usd.Stage, config: LightConfig, random: np.random.Generator, scale: float) -> None:
    lamp = UsdLux.RectLight.Define(stage, "/World/Lights/Key")
    lamp.CreateIntensityAttr(float(random.uniform(*config.key_intensity)))
    lamp.CreateColorAttr(_tint(random))
    edge = float(random.uniform(*config.key_size)) * scale
    lamp.CreateWidthAttr(edge)
    lamp.CreateHeightAttr(edge)
    lamp.CreateExtentAttr(UsdGeom.Boundable.ComputeExtentFromPlugins(lamp, Usd.TimeCode.Default()))
    azimuth = float(random.uniform(0.0, 2.0 * np.pi))
    elevation = float(np.radians(random.uniform(*config.key_elevation)))
    distance = float(random.uniform(*config.key_distance)) * scale
    author_pose(lamp.GetPrim(), _facing_origin(azimuth, elevation, distance))


def _tint(random: np.random.Generator) -> Gf.Vec3f:
    """Draw a colour between warm and cool white."""
    warmth = random.uniform(-0.08, 0.08)
    return Gf.Vec3f(1.0 + min(0.0, warmth), 1.0 - 0.3 * abs(warmth), 1.0 - max(0.0, warmth))


def _upright(turn: float) -> np.ndarray:
    """Return the pose, shape [7], of a dome light whose +Y is up, turned about the vertical [rad]."""
    cosine, sine = np.cos(turn), np.sin(turn)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[cosine, 0.0, sine], [sine, 0.0, -cosine], [0.0, 1.0, 0.0]])
    return matrix_to_pose(matrix)


def _facing_origin(azimuth: float, elevation: float, distance: float) -> np.ndarray:
    """Return the pose, shape [7], of a light that shines along its -Z from ``distance`` [m] toward the origin."""
    x = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    z = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    matrix[:3, 3] = z * distance
    return matrix_to_pose(matrix)
