# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One USD file out of many: composition flattened, textures copied beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pxr import Ar, UsdUtils

from omni_graspd.errors import GraspdError
from omni_graspd.usd.stage import open_stage, save_layer


def write_self_contained(source: Path, path: Path) -> None:
    """Write the composed stage of a USD file as one file, all or nothing.

    What it uses besides (textures) is copied to ``textures/`` beside ``path`` and referred to relatively. The layer's
    documentation, where USD notes the source's absolute path, is dropped.

    Args:
        source: Any USD file, with references, payloads, sublayers and variants.
        path: The file to write.

    Raises:
        GraspdError: If the source or one of the files it uses cannot be read.
    """
    layer = open_stage(source).Flatten()
    layer.documentation = ""
    UsdUtils.ModifyAssetPaths(layer, lambda asset: _copy(asset, source, path.parent / "textures"))
    save_layer(layer, path)


def _copy(asset: str, source: Path, folder: Path) -> str:
    resolved = Ar.GetResolver().Resolve(asset)
    if not asset or not resolved:
        # Shader and schema names that only a renderer's search path knows (OmniPBR.mdl) stay as they are.
        return asset
    try:
        content = Path(str(resolved)).read_bytes()
    except OSError as error:
        raise GraspdError(f"expected {source} to use readable files, got {asset} ({error}); mend its path") from error
    name = Path(str(resolved)).name
    target = folder / name
    if target.is_file() and target.read_bytes() != content:
        target = target.with_stem(f"{target.stem}_{hashlib.sha256(content).hexdigest()[:8]}")
    folder.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".partial-{target.name}")
    temporary.write_bytes(content)
    temporary.replace(target)
    return f"./{folder.name}/{target.name}"
