# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A hand as a SimReady package for Isaac Sim, from its one USD file.

Passes NVIDIA's ``simready-validate --profile Robot-Gripper`` 3.0.0 with the optional STANDARD, PHYSX and ISAAC
features; requirements are named in their terms (RC.009, RV.001, ...).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pxr import Sdf, Usd, UsdPhysics

from omni_graspd.errors import GraspdError
from omni_graspd.usd.simready_layers import Role, schemas, split_by_role
from omni_graspd.usd.simready_package import PackageContent, Provenance, add_display_colors, bodies, write_package
from omni_graspd.usd.still_stage import open_still

_CATEGORY = "robot hand"
_QCODE = "Q11012"  # Wikidata: robot


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
    stage = open_still(source)
    prim = stage.GetDefaultPrim()
    if not prim:
        raise GraspdError(f"expected a default prim in {source}, got none; set one")
    layers = split_by_role(stage.Flatten())
    add_display_colors(stage, layers["materials"])
    _add_robot_schema(stage, layers)
    content = PackageContent(
        name=prim.GetName(),
        stage=stage,
        layers=layers,
        asset_type="robot",
        source=source.name,
        provenance=replace(provenance, category=provenance.category or _CATEGORY, qcode=provenance.qcode or _QCODE),
        thumbnail=thumbnail,
    )
    return write_package(content, folder)


def _add_robot_schema(stage: Usd.Stage, layers: dict[Role, Sdf.Layer]) -> None:
    """Say which prims are the robot's links and joints (RC.007), and what kind of robot it is (RC.008, RC.009)."""
    root = stage.GetDefaultPrim().GetPath()
    joints = [prim.GetPath() for prim in stage.Traverse() if prim.IsA(UsdPhysics.Joint)]
    links = [prim.GetPath() for prim in bodies(stage)]
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
