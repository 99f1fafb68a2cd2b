# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand as a SimReady package for Isaac Sim, from its one USD file: layers by role, variants by simulator, metadata.

Passes NVIDIA's ``simready-validate --profile Robot-Gripper`` 3.0.0 with the optional STANDARD, PHYSX and ISAAC
features; requirements are named in their terms (RC.009, RV.001, ...).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.hands.simready_layers import Role, schemas, split_by_role
from omni_graspd.usd.stage import open_stage


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where an asset comes from (SR.004)."""

    author: str
    """Person or organisation responsible for the asset."""
    license: str
    """SPDX identifier of the asset's licence, or ``proprietary``."""
    date: str
    """When the asset was made, for example ``2026-11-23``."""
    category: str = "robot hand"
    """What it is, for catalogues."""
    qcode: str = "Q11012"
    """Wikidata item of its kind; the default is robot."""


def write_simready_package(source: Path, folder: Path, provenance: Provenance, thumbnail: Path) -> Path:
    """Write a hand as a SimReady package ``<folder>/<name>/simready/<name>.usda``.

    As the requirements have it, physics that only PhysX knows, such as couplings of joints, is composed by the variant
    ``PhysX = Enabled``; the default is ``Disabled``. A fixed joint holds the palm to the world and is disabled, so that
    the hand floats until it is enabled (RC.009 wants one on an end effector).

    Args:
        source: The hand as one USD file with one default prim, as :func:`write_hand` writes it.
        folder: Where the package goes.
        provenance: What the metadata say.
        thumbnail: A picture of the hand, PNG, 256 by 256 pixels.

    Returns:
        The package's main file.

    Raises:
        GraspdError: If the source cannot be read or has no default prim, or the package is there already.
    """
    stage = open_stage(source)
    prim = stage.GetDefaultPrim()
    if not prim:
        raise GraspdError(f"expected a default prim in {source}, got none; set one")
    name = prim.GetName()
    if (folder / name).exists():
        raise GraspdError(f"expected no package yet in {folder / name}, got one; remove it or choose another folder")
    layers = split_by_role(stage.Flatten())
    _add_display_colors(stage, layers["materials"])
    _add_robot_schema(stage, layers)
    layers["base"].subLayerPaths.append("./physics.usda")
    layers["base"].subLayerPaths.append("./materials.usda")
    with atomic_path(folder / name) as package:
        asset = package / "simready"
        for role, layer in layers.items():
            _write_layer(layer, asset / _file(role), name)
        _write_layer(_main_layer(stage, source, provenance), asset / f"{name}.usda", name)
        thumbs = asset / ".thumbs" / "256x256"
        thumbs.mkdir(parents=True)
        shutil.copyfile(thumbnail, thumbs / f"{name}.usda.png")
    return folder / name / "simready" / f"{name}.usda"


def _file(role: Role) -> str:
    if role == "physx":
        return "runnables/physics/physx.usda"
    # Arrays of numbers belong into a binary file.
    return "payloads/geometries.usdc" if role == "geometries" else f"payloads/{role}.usda"


def _write_layer(layer: Sdf.Layer, path: Path, default_prim: str) -> None:
    root = layer.pseudoRoot
    root.SetInfo("metersPerUnit", 1.0)
    root.SetInfo("kilogramsPerUnit", 1.0)
    root.SetInfo("upAxis", UsdGeom.Tokens.z)
    layer.defaultPrim = layer.defaultPrim or default_prim
    path.parent.mkdir(parents=True, exist_ok=True)
    layer.Export(os.fspath(path))


def _add_display_colors(stage: Usd.Stage, layer: Sdf.Layer) -> None:
    """Give visible meshes the colour of their material, for viewers without materials (DISP.001)."""
    for prim in stage.Traverse():
        if not prim.IsA(UsdGeom.Mesh) or UsdGeom.Imageable(prim).ComputePurpose() != UsdGeom.Tokens.default_:
            continue
        material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
        surface = material.ComputeSurfaceSource()[0] if material else None
        color = surface.GetInput("diffuseColor").Get() if surface else None
        spec = Sdf.CreatePrimInLayer(layer, prim.GetPath())
        display = Sdf.AttributeSpec(spec, "primvars:displayColor", Sdf.ValueTypeNames.Color3fArray)
        display.default = [Gf.Vec3f(0.5) if color is None else color]
        display.SetInfo("interpolation", UsdGeom.Tokens.constant)


def _bodies(stage: Usd.Stage) -> list[Usd.Prim]:
    return [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.RigidBodyAPI)]


def _add_robot_schema(stage: Usd.Stage, layers: dict[Role, Sdf.Layer]) -> None:
    """Say which prims are the robot's links and joints (RC.007), and what kind of robot it is (RC.008, RC.009)."""
    root = stage.GetDefaultPrim().GetPath()
    joints = [prim.GetPath() for prim in stage.Traverse() if prim.IsA(UsdPhysics.Joint)]
    links = [prim.GetPath() for prim in _bodies(stage)]
    pin = Sdf.CreatePrimInLayer(layers["physics"], joints[0].GetParentPath().AppendChild("root_joint"))
    pin.specifier, pin.typeName = Sdf.SpecifierDef, "PhysicsFixedJoint"
    Sdf.RelationshipSpec(pin, "physics:body1").targetPathList.explicitItems = [links[0]]
    Sdf.AttributeSpec(pin, "physics:jointEnabled", Sdf.ValueTypeNames.Bool).default = False
    base = layers["base"].GetPrimAtPath(root)
    for schema, paths in (("IsaacRobotAPI", [root]), ("IsaacLinkAPI", links), ("IsaacJointAPI", [pin.path, *joints])):
        for path in paths:
            spec = Sdf.CreatePrimInLayer(layers["base"], path)
            spec.SetInfo("apiSchemas", Sdf.TokenListOp.Create(prependedItems=[*schemas(spec), schema]))
    Sdf.AttributeSpec(base, "isaac:robotType", Sdf.ValueTypeNames.Token).default = "End Effector"
    Sdf.RelationshipSpec(base, "isaac:physics:robotLinks").targetPathList.explicitItems = links
    Sdf.RelationshipSpec(base, "isaac:physics:robotJoints").targetPathList.explicitItems = [pin.path, *joints]


def _main_layer(stage: Usd.Stage, source: Path, provenance: Provenance) -> Sdf.Layer:
    """Return the layer that a user opens: a reference to ``base``, the variant set (RV.001), and the metadata."""
    root = stage.GetDefaultPrim()
    layer = Sdf.Layer.CreateAnonymous(".usda")
    prim = Sdf.CreatePrimInLayer(layer, root.GetPath())
    prim.specifier, prim.typeName, prim.kind = Sdf.SpecifierDef, "Xform", "component"
    prim.referenceList.prependedItems = [Sdf.Reference("./payloads/base.usda")]
    variants = Sdf.VariantSetSpec(prim, "PhysX")
    Sdf.VariantSpec(variants, "Disabled")
    enabled = Sdf.VariantSpec(variants, "Enabled")
    enabled.primSpec.payloadList.prependedItems = [Sdf.Payload("./runnables/physics/physx.usda")]
    prim.variantSetNameList.prependedItems = ["PhysX"]
    prim.variantSelections["PhysX"] = "Disabled"
    identity = {
        "asset_name": root.GetName(),
        "asset_type": "robot",
        "source_file": source.name,
        "usd_date_generated": provenance.date,
    }
    # Once at the top for SR.001, once more in the dictionary for SR.004.
    layer.customLayerData = {**identity, "SimReady_Metadata": {**identity, **_metadata(stage, provenance)}}
    return layer


def _metadata(stage: Usd.Stage, provenance: Provenance) -> dict[str, object]:
    root = stage.GetDefaultPrim()
    box = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_]).ComputeWorldBound(root)
    masses = [UsdPhysics.MassAPI(prim).GetMassAttr().Get() or 0.0 for prim in _bodies(stage)]
    entry = {"prim": str(root.GetPath()), "variantSetName": "PhysX", "activateOption": "Enabled"}
    return {
        "author": provenance.author,
        "asset_license": provenance.license,
        "category": provenance.category,
        "qcode": provenance.qcode,
        "rigid_body_count": len(masses),
        "asset_extents": Gf.Vec3f(box.ComputeAlignedRange().GetSize()),
        "mass": round(sum(masses), 6),
        "Variants": {"Physics": {"PhysX": entry}},
    }
