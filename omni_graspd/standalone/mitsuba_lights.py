# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""UsdLux lights as Mitsuba emitters.

``intensity * 2^exposure * color`` is the radiance of dome, rectangle, disk and sphere lights (divided by the area
where ``normalize`` is set). For a distant light it is the irradiance on a surface that faces the light, whatever its
angle, so that a distant light of 3000 and a dome of 1000 are about equally bright. Only ratios matter, as exposure is
automatic. A stage without lights gets a uniform dome of radiance 1.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from pxr import Usd, UsdGeom, UsdLux

from omni_graspd.errors import GraspdError
from omni_graspd.usd.transforms import local_to_world

_SUN_DISTANCE = 100.0
_TURN = np.diag([1.0, -1.0, -1.0, 1.0])


def scene_emitters(mi: ModuleType, stage: Usd.Stage, bounds: np.ndarray) -> dict[str, Any]:
    """Convert the visible lights of a stage.

    Args:
        mi: Mitsuba with its variant set.
        stage: The stage.
        bounds: Lower and upper corner of the geometry, shape [2, 3].

    Returns:
        Entries for ``mi.load_dict`` by name.

    Raises:
        GraspdError: If more than one dome has a texture, or a texture cannot be read.
    """
    emitters: dict[str, Any] = {}
    domes = []
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()):
        if UsdGeom.Imageable(prim) and UsdGeom.Imageable(prim).ComputeVisibility() == UsdGeom.Tokens.invisible:
            continue
        if prim.IsA(UsdLux.DomeLight):
            domes.append(prim)
        elif prim.IsA(UsdLux.DistantLight):
            emitters[f"light_{len(emitters)}"] = _distant(mi, prim, bounds)
        elif prim.GetTypeName() in ("RectLight", "DiskLight", "SphereLight"):
            emitters[f"light_{len(emitters)}"] = _area(mi, prim)
    if domes:
        emitters["dome"] = _dome(mi, domes)
    if not emitters:
        emitters["dome"] = {"type": "constant", "radiance": _rgb([1.0, 1.0, 1.0])}
    return emitters


def _value(prim: Usd.Prim, name: str, default: Any) -> Any:
    attribute = prim.GetAttribute(f"inputs:{name}")
    value = attribute.Get() if attribute else None
    return default if value is None else value


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
    T_world_light = local_to_world(prim)
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


def _area(mi: ModuleType, prim: Usd.Prim) -> dict[str, Any]:
    T_world_light = local_to_world(prim)
    scale = np.linalg.norm(T_world_light[:3, :3], axis=0)
    radius = _value(prim, "radius", 0.5)
    if prim.IsA(UsdLux.RectLight):
        half = np.array([_value(prim, "width", 1.0), _value(prim, "height", 1.0)]) / 2
        area = 4.0 * np.prod(half * scale[:2])
        shape = {"type": "rectangle", "to_world": _transform(mi, T_world_light @ _TURN @ np.diag([*half, 1.0, 1.0]))}
    elif prim.IsA(UsdLux.DiskLight):
        area = np.pi * np.prod(radius * scale[:2])
        sized = np.diag([radius, radius, 1.0, 1.0])
        shape = {"type": "disk", "to_world": _transform(mi, T_world_light @ _TURN @ sized)}
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
        raise GraspdError(f"expected at most one dome light with a texture, got {paths}; hide the others")
    pixels = _read_latlong(mi, textured[0]) * _strength(textured[0]) + uniform
    return {
        "type": "envmap",
        "bitmap": mi.Bitmap(np.ascontiguousarray(pixels, dtype=np.float32)),
        "to_world": _transform(mi, _rotation_only(local_to_world(textured[0]))),
    }


def _rotation_only(matrix: np.ndarray) -> np.ndarray:
    rotation = np.eye(4)
    rotation[:3, :3] = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    return rotation


def _texture_path(prim: Usd.Prim) -> str:
    asset = _value(prim, "texture:file", None)
    return (asset.resolvedPath or asset.path) if asset else ""


def _read_latlong(mi: ModuleType, prim: Usd.Prim) -> np.ndarray:
    path = _texture_path(prim)
    if not Path(path).is_file():
        raise GraspdError(f"expected the texture of {prim.GetPath()} at {path!r}, which does not exist; mend the path")
    bitmap = mi.Bitmap(path).convert(mi.Bitmap.PixelFormat.RGB, mi.Struct.Type.Float32, srgb_gamma=False)
    return np.array(bitmap)
