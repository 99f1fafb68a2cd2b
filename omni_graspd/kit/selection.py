# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What is selected on the open stage."""

from __future__ import annotations

from pathlib import Path

import omni.usd
from pxr import Sdf, Usd

from omni_graspd.errors import GraspdError
from omni_graspd.kit.viewport import open_stage
from omni_graspd.library import Kind
from omni_graspd.scenes.stage_object import body_of, kept_copy


def selected_path() -> str:
    """Return the path of the prim that was selected first.

    Raises:
        GraspdError: If no stage is open, or nothing is selected.
    """
    open_stage()
    paths = omni.usd.get_context().get_selection().get_selected_prim_paths()
    if not paths:
        raise GraspdError("no prim is selected; click it on the stage")
    return str(paths[0])


def selected_file(kind: Kind) -> Path:
    """Return a file of what is selected on the stage.

    It is the file from which the prim, or one above it, is referenced. What comes from a server, or is defined on the
    stage itself, is written to the user's cache as it is composed there: Kit has fetched it already.

    Args:
        kind: ``hands`` or ``objects``.

    Raises:
        GraspdError: If nothing is selected, or it cannot be written.
    """
    stage, path = open_stage(), selected_path()
    prim = stage.GetPrimAtPath(path)
    if not prim:
        raise GraspdError(f"{path} is not on the stage any more; select the hand or object again")
    asset = _asset(prim)
    if asset is None:
        return kept_copy(stage, path if kind == "hands" else str(body_of(stage, path).GetPath()))[0]
    root, layer = asset
    return local_file(layer.identifier, layer.realPath) or kept_copy(stage, str(root.GetPath()))[0]


def _asset(prim: Usd.Prim) -> tuple[Usd.Prim, Sdf.Layer] | None:
    """Return the topmost prim at or above one that is referenced from the same file, and that file's layer."""
    found = None
    own = prim.GetStage().GetLayerStack()
    while prim and not prim.IsPseudoRoot():
        layer = next((spec.layer for spec in prim.GetPrimStack() if spec.layer not in own), None)
        if found is not None and layer != found[1]:
            break
        if layer is not None and not prim.IsInstanceProxy():
            found = prim, layer
        prim = prim.GetParent()
    return found


def local_file(identifier: str, real_path: str) -> Path | None:
    """Return the file of a layer; None for one on a server, whose copy in Kit's cache has none of its textures.

    Args:
        identifier: The layer's identifier, a path or an address.
        real_path: Where the resolver found it.
    """
    return Path(real_path) if real_path and "://" not in identifier and Path(real_path).is_file() else None
