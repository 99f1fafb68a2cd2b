# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""UsdLux lights as Mitsuba emitters.

``intensity * 2^exposure * color`` is the radiance of dome, rectangle, disk and sphere lights (divided by the area
where ``normalize`` is set). For a distant light it is the irradiance on a surface that faces the light, whatever its
angle, so that a distant light of 3000 and a dome of 1000 are about equally bright. Only ratios matter, as exposure is
automatic. A stage without lights gets a uniform dome of radiance 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
from pxr import Usd, UsdGeom, UsdLux

from omni_graspd.errors import GraspdError
from omni_graspd.standalone.mitsuba_images import read_bitmap
from omni_graspd.usd.stage_time import first_time
from omni_graspd.usd.transforms import local_to_world

_SUN_DISTANCE = 100.0
_TURN = np.diag([1.0, -1.0, -1.0, 1.0])
_DOMES = ("DomeLight", "DomeLight_1")
_LIGHTS = (*_DOMES, "DistantLight", "RectLight", "DiskLight", "SphereLight", "CylinderLight")
_Z_UP = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def scene_emitters(mi: ModuleType, stage: Usd.Stage, bounds: np.ndarray, *, glows: bool = False) -> dict[str, Any]:
    """Convert the visible lights of a stage.

    Args:
        mi: Mitsuba with its variant set.
        stage: The stage.
        bounds: Lower and upper corner of the geometry, shape [2, 3].
        glows: Whether some surface sends out light of its own.

    Returns:
        Entries for ``mi.load_dict`` by name.

    Raises:
        GraspdError: If more than one dome has a texture, or a texture cannot be read.
    """
    emitters: dict[str, Any] = {}
    domes = []
    for prim in _visible_lights(stage):
        kind = str(prim.GetTypeName())
        if kind in _DOMES:
            domes.append(prim)
        elif kind == "DistantLight":
            emitters[f"light_{len(emitters)}"] = _distant(mi, prim, bounds)
        elif kind == "SphereLight" and _is_point(prim):
            emitters[f"light_{len(emitters)}"] = _point(mi, prim)
        else:
            emitters[f"light_{len(emitters)}"] = _area(mi, prim)
    if domes:
        emitters["dome"] = _dome(mi, domes)
    if not emitters and not glows:
        emitters["dome"] = {"type": "constant", "radiance": _rgb([1.0, 1.0, 1.0])}
    return emitters


def _visible_lights(stage: Usd.Stage) -> Iterator[Usd.Prim]:
    """Yield the lights of the kinds known here that are visible and not dark."""
    time = first_time(stage)
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()):
        if prim.GetTypeName() not in _LIGHTS or not _strength(prim).any():
            continue
        if UsdGeom.Imageable(prim).ComputeVisibility(time) != UsdGeom.Tokens.invisible:
            yield prim


def _value(prim: Usd.Prim, name: str, default: Any) -> Any:
    attribute = prim.GetAttribute(f"inputs:{name}")
    value = attribute.Get(first_time(prim.GetStage())) if attribute else None
    return default if value is None else value


def _placed(prim: Usd.Prim) -> np.ndarray:
    return local_to_world(prim, UsdGeom.XformCache(first_time(prim.GetStage())))


def _strength(prim: Usd.Prim) -> np.ndarray:
    """Return intensity * 2^exposure * colour (* colour temperature), shape [3]."""
    color = np.array(_value(prim, "color", (1.0, 1.0, 1.0)), dtype=np.float64)
    if _value(prim, "enableColorTemperature", False):
        color *= np.array(UsdLux.BlackbodyTemperatureAsRgb(_value(prim, "colorTemperature", 6500.0)))
    return color * _value(prim, "intensity", 1.0) * 2.0 ** _value(prim, "exposure", 0.0)


def _rgb(values: Any) -> dict[str, Any]:
    return {"type": "rgb", "value": [float(v) for v in values]}


def _transform(mi: ModuleType, matrix: np.ndarray) -> Any:
    return mi.ScalarTransform4f(np.ascontiguousarray(matrix, dtype=np.float64))


def _distant(mi: ModuleType, prim: Usd.Prim, bounds: np.ndarray) -> dict[str, Any]:
    T_world_light = _placed(prim)
    toward_light = T_world_light[:3, 2] / np.linalg.norm(T_world_light[:3, 2])
    half_angle = np.radians(_value(prim, "angle", 0.53)) / 2
    if half_angle <= 0.0:
        return {"type": "directional", "direction": (-toward_light).tolist(), "irradiance": _rgb(_strength(prim))}
    # A far disk that faces the scene casts the soft shadows that a sun of this angle does.
    reach = _SUN_DISTANCE * max(float(np.linalg.norm(bounds[1] - bounds[0])), 1e-3)
    center = bounds.mean(axis=0) + reach * toward_light
    T_world_disk = np.eye(4)
    T_world_disk[:3, :3] = _basis(-toward_light) * (reach * np.tan(half_angle))
    T_world_disk[:3, 3] = center
    radiance = _strength(prim) / (np.pi * np.sin(half_angle) ** 2)
    return {
        "type": "disk",
        "to_world": _transform(mi, T_world_disk),
        "emitter": {"type": "area", "radiance": _rgb(radiance)},
    }


def _basis(z: np.ndarray) -> np.ndarray:
    x = np.cross(z, np.eye(3)[np.argmin(np.abs(z))])
    x /= np.linalg.norm(x)
    return np.column_stack([x, np.cross(z, x), z])


def _is_point(prim: Usd.Prim) -> bool:
    """Tell whether a sphere light is a point, or a spot: Mitsuba has no area lights with a cone."""
    is_small = _value(prim, "treatAsPoint", False) or _value(prim, "radius", 0.5) <= 0.0
    return bool(is_small) or _value(prim, "shaping:cone:angle", 180.0) < 90.0


def _point(mi: ModuleType, prim: Usd.Prim) -> dict[str, Any]:
    """Convert a small or shaped sphere light to a point or spot of the same intensity."""
    T_world_light = _placed(prim)
    radius = _value(prim, "radius", 0.5) * float(np.linalg.norm(T_world_light[:3, :3], axis=0).mean())
    # A sphere looks like a disk from afar; divided by its surface, its area cancels.
    facing = 0.25 if radius <= 0.0 or _value(prim, "normalize", False) else np.pi * radius**2
    intensity = _rgb(_strength(prim) * facing)
    angle = float(_value(prim, "shaping:cone:angle", 180.0))
    if angle >= 90.0:
        return {"type": "point", "position": T_world_light[:3, 3].tolist(), "intensity": intensity}
    softness = min(max(float(_value(prim, "shaping:cone:softness", 0.0)), 0.0), 0.99)
    return {
        "type": "spot",
        "to_world": _transform(mi, _rigid(T_world_light) @ _TURN),
        "intensity": intensity,
        "cutoff_angle": max(angle, 0.1),
        "beam_width": max(angle, 0.1) * (1.0 - softness) * 0.999,
    }


def _area(mi: ModuleType, prim: Usd.Prim) -> dict[str, Any]:
    T_world_light = _placed(prim)
    scale = np.linalg.norm(T_world_light[:3, :3], axis=0)
    radius = _value(prim, "radius", 0.5)
    kind = str(prim.GetTypeName())
    if kind == "RectLight":
        half = np.array([_value(prim, "width", 1.0), _value(prim, "height", 1.0)]) / 2
        area = 4.0 * np.prod(half * scale[:2])
        shape = {"type": "rectangle", "to_world": _transform(mi, T_world_light @ _TURN @ np.diag([*half, 1.0, 1.0]))}
    elif kind == "DiskLight":
        area = np.pi * np.prod(radius * scale[:2])
        sized = np.diag([radius, radius, 1.0, 1.0])
        shape = {"type": "disk", "to_world": _transform(mi, T_world_light @ _TURN @ sized)}
    elif kind == "CylinderLight":
        half = 0.5 * _value(prim, "length", 1.0)
        ends = T_world_light @ np.array([[-half, 0.0, 0.0, 1.0], [half, 0.0, 0.0, 1.0]]).T
        world_radius = float(radius * scale[1:].mean())
        area = 2.0 * np.pi * world_radius * float(2.0 * half * scale[0])
        shape = {"type": "cylinder", "p0": ends[:3, 0].tolist(), "p1": ends[:3, 1].tolist(), "radius": world_radius}
    else:
        world_radius = float(radius * scale.mean())
        area = 4.0 * np.pi * world_radius**2
        shape = {"type": "sphere", "center": T_world_light[:3, 3].tolist(), "radius": world_radius}
    radiance = _strength(prim) / (area if _value(prim, "normalize", False) else 1.0)
    return shape | {"emitter": {"type": "area", "radiance": _rgb(radiance)}}


def _dome(mi: ModuleType, domes: list[Usd.Prim]) -> dict[str, Any]:
    """Merge all domes into one emitter, since Mitsuba takes only one."""
    textured = [prim for prim in domes if _texture_path(prim)]
    uniform = sum((_strength(prim) for prim in domes if prim not in textured), np.zeros(3))
    if not textured:
        return {"type": "constant", "radiance": _rgb(uniform)}
    if len(textured) > 1:
        paths = ", ".join(str(prim.GetPath()) for prim in textured)
        raise GraspdError(f"expected at most one textured dome light, got {paths}; hide the others")
    pixels = _read_latlong(mi, textured[0]) * _strength(textured[0]) + uniform
    return {
        "type": "envmap",
        "bitmap": mi.Bitmap(np.ascontiguousarray(pixels, dtype=np.float32)),
        "to_world": _transform(mi, _rotation_only(_placed(textured[0]) @ _pole(textured[0]))),
    }


def _rotation_only(matrix: np.ndarray) -> np.ndarray:
    rotation = np.eye(4)
    rotation[:3, :3] = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return rotation


def _rigid(matrix: np.ndarray) -> np.ndarray:
    rigid = _rotation_only(matrix)
    rigid[:3, 3] = matrix[:3, 3]
    return rigid


def _pole(prim: Usd.Prim) -> np.ndarray:
    """Return the turn of a dome's image in its own frame: the sky is toward +Y, or +Z where the light says so."""
    attribute = prim.GetAttribute("poleAxis")
    pole = str(attribute.Get()) if attribute else "Y"
    if pole == "scene":
        pole = str(UsdGeom.GetStageUpAxis(prim.GetStage()))
    return _Z_UP if pole == "Z" else np.eye(4)


def _texture_path(prim: Usd.Prim) -> str:
    asset = _value(prim, "texture:file", None)
    return (asset.resolvedPath or asset.path) if asset else ""


def _read_latlong(mi: ModuleType, prim: Usd.Prim) -> np.ndarray:
    bitmap = read_bitmap(mi, _texture_path(prim))
    return np.array(bitmap.convert(mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.Float32, srgb_gamma=False))
