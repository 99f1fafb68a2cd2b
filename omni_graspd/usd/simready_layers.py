# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An asset's one layer taken apart into the layers of an Isaac Sim asset: every opinion goes to the layer of its role.

The layers and their names are those that NVIDIA's SimReady requirements ISA.001, RC.005, RC.006 and RV.011 ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pxr import Sdf

Role = Literal["base", "geometries", "instances", "materials", "physics", "physx"]

_MATERIAL_TYPES = ("Material", "NodeGraph", "Shader")
_GEOMETRY_TYPES = ("GeomSubset", "Mesh")
# Schemas that only PhysX reads; the asset composes them on request.
_PHYSX_SCHEMAS = ("Physx", "PhysicsJointStateAPI")


def split_by_role(source: Sdf.Layer) -> dict[Role, Sdf.Layer]:
    """Copy a layer's default prim and all below it into one layer per role.

    Laid over one another, the layers say what the source said. ``instances`` holds every different geometry once, by
    reference into ``geometries``; ``base`` refers to it.

    Args:
        source: A flattened layer without instances.
    """
    root = source.GetPrimAtPath(f"/{source.defaultPrim}")
    layers: dict[Role, Sdf.Layer] = {}
    for role in ("base", "geometries", "materials", "physics", "physx"):
        layers[role] = Sdf.Layer.CreateAnonymous(".usda")
        Sdf.CreatePrimInLayer(layers[role], root.path)
    for spec in _descendants(root):
        for role, layer in layers.items():
            _copy_opinions(spec, role, layer)
    layers["geometries"], layers["instances"] = _share_geometry(root, layers)
    return layers


def _descendants(spec: Sdf.PrimSpec) -> Iterator[Sdf.PrimSpec]:
    yield spec
    for child in spec.nameChildren:
        yield from _descendants(child)


def schemas(spec: Sdf.PrimSpec) -> list[str]:
    """Return the names of the schemas that a prim specification applies."""
    listed = spec.GetInfo("apiSchemas")
    return [*listed.explicitItems, *listed.prependedItems, *listed.appendedItems] if listed else []


def _copy_opinions(spec: Sdf.PrimSpec, role: Role, layer: Sdf.Layer) -> None:
    """Copy what a prim says about one role; the prim is defined in the layer that is its home."""
    properties = [p for p in spec.properties if _property_role(spec, p.name) == role]
    applied = [name for name in schemas(spec) if role in _schema_roles(spec, name)]
    is_home = _home(spec) == role
    if not (properties or applied or is_home):
        return
    copy = Sdf.CreatePrimInLayer(layer, spec.path)
    if is_home:
        copy.specifier, copy.typeName = Sdf.SpecifierDef, spec.typeName
    for prop in properties:
        Sdf.CopySpec(spec.layer, prop.path, layer, prop.path)
    if applied:
        copy.SetInfo("apiSchemas", Sdf.TokenListOp.Create(prependedItems=applied))


def _home(spec: Sdf.PrimSpec) -> Role:
    """Return the role of the layer that defines a prim."""
    kinds = {child.typeName for child in spec.nameChildren}
    if spec.typeName in _MATERIAL_TYPES:
        return "physics" if any(name.startswith("PhysicsMaterial") for name in schemas(spec)) else "materials"
    if spec.typeName.startswith("Physics") or any(kind.startswith("Physics") for kind in kinds):
        return "physics"
    if kinds & set(_MATERIAL_TYPES):
        return "materials"
    is_body = "PhysicsRigidBodyAPI" in schemas(spec)
    if spec.typeName in _GEOMETRY_TYPES or (kinds & set(_GEOMETRY_TYPES) and not is_body):
        return "geometries"
    return "base"


def _property_role(spec: Sdf.PrimSpec, name: str) -> Role:
    if name.startswith(("physx", "state:")):
        return "physx"
    if name.startswith(("physics:", "drive:", "limit:", "material:binding:physics")):
        return "physics"
    return "materials" if name.startswith("material:binding") else _home(spec)


def _schema_roles(spec: Sdf.PrimSpec, name: str) -> tuple[Role, ...]:
    if name.startswith(_PHYSX_SCHEMAS):
        return ("physx",)
    if name.startswith("Physics"):
        return ("physics",)
    if name == "MaterialBindingAPI":
        names = [p.name for p in spec.properties if p.name.startswith("material:binding")]
        return tuple(_property_role(spec, name) for name in names) or (_home(spec),)
    return (_home(spec),)


def _share_geometry(root: Sdf.PrimSpec, layers: dict[Role, Sdf.Layer]) -> tuple[Sdf.Layer, Sdf.Layer]:
    """Move geometry out of the links, equal pieces once, and let ``base`` refer to it.

    Returns:
        The layers ``geometries`` and ``instances``.
    """
    scattered = layers["geometries"]
    geometries, instances = (Sdf.Layer.CreateAnonymous(".usda") for _ in range(2))
    for layer, name in ((geometries, "Geometries"), (instances, "Instances")):
        Sdf.CreatePrimInLayer(layer, f"/{name}").specifier = Sdf.SpecifierDef
        layer.defaultPrim = name
    known: dict[str, str] = {}
    for spec in _topmost_geometry(root):
        alone = Sdf.Layer.CreateAnonymous(".usda")
        Sdf.CopySpec(scattered, spec.path, alone, "/" + spec.name)
        text = alone.ExportToString()
        if text not in known:
            shape = known[text] = f"{spec.path.GetParentPath().name}_{spec.name}"
            Sdf.CopySpec(scattered, spec.path, geometries, f"/Geometries/{shape}")
            _define(instances, f"/Instances/{shape}", spec, f"./geometries.usdc</Geometries/{shape}>")
        _define(layers["base"], str(spec.path), spec, f"./instances.usda</Instances/{known[text]}>")
    return geometries, instances


def _topmost_geometry(spec: Sdf.PrimSpec) -> Iterator[Sdf.PrimSpec]:
    if _home(spec) == "geometries":
        yield spec
        return
    for child in spec.nameChildren:
        yield from _topmost_geometry(child)


def _define(layer: Sdf.Layer, path: str, like: Sdf.PrimSpec, reference: str) -> None:
    """Define a prim of the same type that refers to ``file<prim>``."""
    prim = Sdf.CreatePrimInLayer(layer, path)
    prim.specifier, prim.typeName = Sdf.SpecifierDef, like.typeName
    file, _, target = reference.rstrip(">").partition("<")
    prim.referenceList.prependedItems = [Sdf.Reference(file, target)]
