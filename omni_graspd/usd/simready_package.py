# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""SimReady packages for Isaac Sim: layers by role, variants by simulator, metadata, a thumbnail.

What hands and objects have in common; requirements are named in NVIDIA's terms (RV.001, SR.004, ...).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade, UsdUtils

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.usd.simready_layers import Role

INNER_FOLDER = "simready"
"""The one folder between a package's root and its main file (NP.005)."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where an asset comes from (SR.004)."""

    author: str
    """Person or organisation responsible for the asset."""
    license: str
    """SPDX identifier of the asset's licence, or ``proprietary``."""
    date: str
    """When the asset was made, for example ``2026-11-23``."""
    category: str = ""
    """What it is, for catalogues; empty for that of its kind."""
    qcode: str = ""
    """Wikidata item of what it is; empty for that of its kind."""


@dataclass(frozen=True, kw_only=True)
class PackageContent:
    """What goes into a package."""

    name: str
    """Name of the package and its main file."""
    stage: Usd.Stage
    """The asset as one composed stage."""
    layers: dict[Role, Sdf.Layer]
    """The same by role; a role without opinions may be missing."""
    asset_type: str
    """``robot`` or ``prop``."""
    source: str
    """Name of the file that it was made from."""
    provenance: Provenance
    """What the metadata say; category and item are given."""
    thumbnail: Path
    """A picture, PNG, 256 by 256 pixels (SR.002)."""


def write_package(content: PackageContent, folder: Path) -> Path:
    """Write a package ``<folder>/<name>/simready/<name>.usda``, all or nothing.

    Textures are copied to ``textures/``. Physics that only PhysX knows is composed by the variant ``PhysX = Enabled``;
    the default is ``Disabled``, and there is no such variant if the layer is missing.

    Returns:
        The package's main file.

    Raises:
        GraspdError: If the package is there already.
    """
    name, layers = content.name, content.layers
    if (folder / name).exists():
        raise GraspdError(f"expected no package yet in {folder / name}, got one; remove it or choose another folder")
    prim_name = content.stage.GetDefaultPrim().GetName()
    layers["base"].subLayerPaths.append("./physics.usda")
    layers["base"].subLayerPaths.append("./materials.usda")
    with atomic_path(folder / name) as package:
        asset = package / INNER_FOLDER
        _copy_textures(layers["materials"], asset / "textures")
        for role, layer in layers.items():
            _write_layer(layer, asset / _file(role), prim_name)
        _write_layer(_main_layer(content), asset / f"{name}.usda", prim_name)
        thumbs = asset / ".thumbs" / "256x256"
        thumbs.mkdir(parents=True)
        shutil.copyfile(content.thumbnail, thumbs / f"{name}.usda.png")
    return folder / name / INNER_FOLDER / f"{name}.usda"


def bodies(stage: Usd.Stage) -> list[Usd.Prim]:
    """Return the rigid bodies of a stage."""
    return [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.RigidBodyAPI)]


def add_display_colors(stage: Usd.Stage, layer: Sdf.Layer) -> None:
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


def _file(role: Role) -> str:
    if role == "physx":
        return "runnables/physics/physx.usda"
    # Arrays of numbers belong into a binary file.
    return "payloads/geometries.usdc" if role == "geometries" else f"payloads/{role}.usda"


def _copy_textures(layer: Sdf.Layer, folder: Path) -> None:
    def copy(asset: str) -> str:
        if not Path(asset).is_file():
            return asset
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(asset, folder / Path(asset).name)
        return f"../{folder.name}/{Path(asset).name}"

    UsdUtils.ModifyAssetPaths(layer, copy)


def _write_layer(layer: Sdf.Layer, path: Path, default_prim: str) -> None:
    root = layer.pseudoRoot
    root.SetInfo("metersPerUnit", 1.0)
    root.SetInfo("kilogramsPerUnit", 1.0)
    root.SetInfo("upAxis", UsdGeom.Tokens.z)
    layer.defaultPrim = layer.defaultPrim or default_prim
    path.parent.mkdir(parents=True, exist_ok=True)
    layer.Export(os.fspath(path))


def _main_layer(content: PackageContent) -> Sdf.Layer:
    """Return the layer that a user opens: a reference to ``base``, the variant set (RV.001), and the metadata."""
    layer = Sdf.Layer.CreateAnonymous(".usda")
    prim = Sdf.CreatePrimInLayer(layer, content.stage.GetDefaultPrim().GetPath())
    prim.specifier, prim.typeName, prim.kind = Sdf.SpecifierDef, "Xform", "component"
    prim.referenceList.prependedItems = [Sdf.Reference("./payloads/base.usda")]
    metadata = _metadata(content)
    if "physx" in content.layers:
        variants = Sdf.VariantSetSpec(prim, "PhysX")
        Sdf.VariantSpec(variants, "Disabled")
        enabled = Sdf.VariantSpec(variants, "Enabled")
        enabled.primSpec.payloadList.prependedItems = [Sdf.Payload("./runnables/physics/physx.usda")]
        prim.variantSetNameList.prependedItems = ["PhysX"]
        prim.variantSelections["PhysX"] = "Disabled"
        entry = {"prim": str(prim.path), "variantSetName": "PhysX", "activateOption": "Enabled"}
        metadata["Variants"] = {"Physics": {"PhysX": entry}}
    identity = {
        "asset_name": content.name,
        "asset_type": content.asset_type,
        "source_file": content.source,
        "usd_date_generated": content.provenance.date,
    }
    # Once at the top for SR.001, once more in the dictionary for SR.004.
    layer.customLayerData = {**identity, "SimReady_Metadata": {**identity, **metadata}}
    return layer


def _metadata(content: PackageContent) -> dict[str, object]:
    root = content.stage.GetDefaultPrim()
    box = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_]).ComputeWorldBound(root)
    masses = [UsdPhysics.MassAPI(prim).GetMassAttr().Get() or 0.0 for prim in bodies(content.stage)]
    return {
        "author": content.provenance.author,
        "asset_license": content.provenance.license,
        "category": content.provenance.category,
        "qcode": content.provenance.qcode,
        "rigid_body_count": len(masses),
        "asset_extents": Gf.Vec3f(box.ComputeAlignedRange().GetSize()),
        "mass": round(sum(masses), 6),
    }
