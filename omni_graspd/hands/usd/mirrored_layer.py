# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The other hand: a flattened articulation reflected, so that equal joint positions give mirror images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pxr import Gf, Sdf

from omni_graspd.errors import GraspdError

_JOINTS = ("PhysicsFixedJoint", "PhysicsRevoluteJoint", "PhysicsPrismaticJoint")
_KEPT = ("scale",)
"""Transform operations that a reflection in a plane of the axes leaves alone."""


def mirror_layer(layer: Sdf.Layer, axis: int) -> None:
    """Reflect everything that a flattened layer says, in place; done twice, all values are as before.

    With M the reflection that changes the sign of coordinate ``axis``: points p become M p, poses T become M T M, in
    the frame of each prim, so that a link's frame has that coordinate of all that belongs to the link reversed. Joint
    frames, which nobody sees, are turned besides, so that a joint at the same position gives the mirror image:
    limits, drives and couplings stay. Reflected surfaces are inside out, which their ``orientation`` says.

    Args:
        layer: A layer without composition, as the library has them.
        axis: The coordinate that changes its sign, 0 to 2.

    Raises:
        GraspdError: If there is something whose mirror image is not known, for example a joint of another kind.
    """
    prims: list[Sdf.PrimSpec] = []
    layer.Traverse(
        "/", lambda path: prims.append(layer.GetPrimAtPath(path)) if path.IsPrimPath() and path != "/" else None
    )
    for prim in prims:
        _mirror_prim(prim, axis)


def _mirror_prim(prim: Sdf.PrimSpec, axis: int) -> None:
    kind = prim.typeName
    if kind.endswith("Joint"):
        _mirror_joint(prim, axis)
        return
    if kind == "Cone" and "XYZ".index(str(_value(prim, "axis", "Z"))) == axis:
        raise GraspdError(f"expected shapes that are their own mirror images, got the cone {prim.path}; make it a mesh")
    for attribute in list(prim.attributes):
        change = _change(attribute.name)
        if change is not None and attribute.default is not None:
            attribute.default = change(attribute.default, axis)
    if "points" in prim.attributes and "faceVertexIndices" in prim.attributes:
        turned = "rightHanded" if _value(prim, "orientation", "rightHanded") == "leftHanded" else "leftHanded"
        _attribute(prim, "orientation", Sdf.ValueTypeNames.Token, Sdf.VariabilityUniform).default = turned


def _change(name: str) -> Callable[[Any, int], Any] | None:
    """Return what a reflection does to an attribute; None for what stays."""
    if name.startswith("xformOp:"):
        operation = name.split(":")[1]
        if operation in _KEPT:
            return None
        if operation not in _OPERATIONS:
            raise GraspdError(f"expected transforms of known kinds, got {name}; write it as a matrix")
        return _OPERATIONS[operation]
    return _ATTRIBUTES.get(name)


def _vector(value: Any, axis: int) -> Any:
    """Reflect a vector."""
    return type(value)(*(-number if k == axis else number for k, number in enumerate(value)))


def _turns(value: Any, axis: int) -> Any:
    """Reflect angles about the axes: a mirror turns all directions of rotation but that about its own normal."""
    return type(value)(*(number if k == axis else -number for k, number in enumerate(value)))


def _vectors(value: Any, axis: int) -> Any:
    rows = np.array(value)
    rows[:, axis] *= -1
    return type(value).FromNumpy(rows)


def _quaternion(value: Any, axis: int) -> Any:
    return type(value)(value.GetReal(), _turns(value.GetImaginary(), axis))


def _box(value: Any, axis: int) -> Any:
    low, high = np.array(value)
    low[axis], high[axis] = -high[axis], -low[axis]
    return type(value).FromNumpy(np.stack([low, high]))


def _matrix(value: Gf.Matrix4d, axis: int) -> Gf.Matrix4d:
    mirror = Gf.Matrix4d(1.0)
    mirror[axis, axis] = -1.0
    return mirror * value * mirror


def _angle_about(own: int) -> Callable[[float, int], float]:
    return lambda value, axis: value if own == axis else -value


_OPERATIONS: dict[str, Callable[[Any, int], Any]] = {
    "translate": _vector,
    "orient": _quaternion,
    "transform": _matrix,
    **{f"rotate{order}": _turns for order in ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")},
    **{f"rotate{letter}": _angle_about(own) for own, letter in enumerate("XYZ")},
}
_ATTRIBUTES: dict[str, Callable[[Any, int], Any]] = {
    "points": _vectors,
    "normals": _vectors,
    "primvars:normals": _vectors,
    "extent": _box,
    "physics:centerOfMass": _vector,
    "physics:principalAxes": _quaternion,
}


def _mirror_joint(prim: Sdf.PrimSpec, axis: int) -> None:
    """Reflect both frames of a joint, and turn them by half a turn where its axis would point the other way."""
    if prim.typeName not in _JOINTS:
        known = ", ".join(_JOINTS)
        raise GraspdError(f"expected joints of the kinds {known}, got {prim.path} ({prim.typeName}); replace it")
    own = "XYZ".index(str(_value(prim, "physics:axis", "X")))
    half_turn = None
    if prim.typeName == "PhysicsRevoluteJoint" and own != axis:
        # The third axis: positive angles are about the joint's axis, which a mirror turns round if it lies in it.
        half_turn = 3 - own - axis
    elif prim.typeName == "PhysicsPrismaticJoint" and own == axis:
        half_turn = (own + 1) % 3
    for number in (0, 1):
        place = _attribute(prim, f"physics:localPos{number}", Sdf.ValueTypeNames.Point3f)
        place.default = _vector(Gf.Vec3f(0.0) if place.default is None else place.default, axis)
        turn = _attribute(prim, f"physics:localRot{number}", Sdf.ValueTypeNames.Quatf)
        value = _quaternion(Gf.Quatf(1.0) if turn.default is None else turn.default, axis)
        turn.default = value if half_turn is None else value * _half_turn_about(half_turn)


def _half_turn_about(axis: int) -> Gf.Quatf:
    imaginary = Gf.Vec3f(0.0)
    imaginary[axis] = 1.0
    return Gf.Quatf(0.0, imaginary)


def _value(prim: Sdf.PrimSpec, name: str, default: str) -> Any:
    return prim.attributes[name].default if name in prim.attributes else default


def _attribute(
    prim: Sdf.PrimSpec,
    name: str,
    kind: Sdf.ValueTypeName,
    variability: Sdf.Variability = Sdf.VariabilityVarying,
) -> Sdf.AttributeSpec:
    if name in prim.attributes:
        return prim.attributes[name]
    return Sdf.AttributeSpec(prim, name, kind, variability)
