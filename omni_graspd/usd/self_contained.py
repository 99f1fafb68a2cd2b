# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""One USD file out of many: composition flattened, textures copied beside it."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from pxr import Ar, UsdUtils

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.usd.missing_files import without_warnings
from omni_graspd.usd.stage import reading_usd, save_layer
from omni_graspd.usd.still_stage import open_still

_UDIM = "<UDIM>"
_IMAGES = (
    *("png", "jpg", "jpeg", "exr", "hdr", "tga", "bmp", "tif", "tiff"),
    *("tx", "tex", "dds", "ktx", "webp", "avif"),
)
_COPIED = frozenset((*_IMAGES, "ies", "mdl", "mtlx", "osl", "usd", "usda", "usdc", "usdz", "vdb"))
"""What assets use. A file from strangers may name any other, such as a private key; datasets are passed on."""


def write_self_contained(source: Path, path: Path) -> None:
    """Write the composed stage of a USD file as one file, all or nothing.

    What it uses besides (textures, all tiles of a UDIM texture) is copied to ``textures/`` beside ``path`` and referred
    to relatively. Names that only a renderer's search path knows (OmniPBR.mdl) stay as they are. The layer's
    documentation, where USD notes the source's absolute path, is dropped.

    Animation is held at its start.

    Args:
        source: Any USD file, with references, payloads, sublayers and variants.
        path: The file to write.

    Raises:
        GraspdError: If the source or one of the files it uses is missing, cannot be read, or is none of an asset.
    """
    with reading_usd(source):
        stage = open_still(source)
        with without_warnings():  # Of metadata that only some applications know.
            layer = stage.Flatten()
    origins = sorted({Path(used.realPath).parent for used in stage.GetUsedLayers() if used.realPath})
    layer.documentation = ""
    UsdUtils.ModifyAssetPaths(layer, lambda asset: _copy_asset(asset, source, origins, path.parent / "textures"))
    save_layer(layer, path)


def _copy_asset(asset: str, source: Path, origins: list[Path], folder: Path) -> str:
    """Copy what an asset path stands for into a folder and return the new asset path, relative to that folder's parent.

    Flattening made relative paths absolute; names that are still relative are for a search path.
    """
    files = _files(asset, origins)
    if not files:
        if Path(asset).is_absolute():
            raise GraspdError(f"expected {source} to use files that exist, got {asset}; mend its path or remove it")
        return asset
    for file in files.values():
        if file.suffix.lower().partition("[")[0].lstrip(".") not in _COPIED:
            raise GraspdError(f"expected {source} to use textures and materials, got {file}; remove it from the asset")
        _check_no_link(file, source, origins)
    try:
        contents = {tile: file.read_bytes() for tile, file in files.items()}
    except OSError as error:
        raise GraspdError(f"expected {source} to use readable files, got {asset} ({error}); mend its path") from error
    name = Path(asset).name if _UDIM in asset else next(iter(files.values())).name
    if any(_holds_other(folder / name.replace(_UDIM, tile), content) for tile, content in contents.items()):
        digest = hashlib.sha256(b"".join(contents.values())).hexdigest()[:8]
        name = f"{Path(name).stem}_{digest}{Path(name).suffix}"
    for tile, content in contents.items():
        with atomic_path(folder / name.replace(_UDIM, tile)) as temporary:
            temporary.write_bytes(content)
    return f"./{folder.name}/{name}"


def _check_no_link(file: Path, source: Path, origins: list[Path]) -> None:
    """Refuse a file that a link brings in from elsewhere: what a stranger's link leads to would be passed on."""
    for origin in origins:
        # The folder in which both lie as their names say; it may itself be reached by a link of the user's.
        shared = Path(os.path.commonpath([os.path.normpath(file.absolute()), os.path.normpath(origin.absolute())]))
        if file.resolve().is_relative_to(shared.resolve()):
            return
    raise GraspdError(
        f"expected {source} to use files, got {file}, a link that leads elsewhere; put the file in its place"
    )


def _files(asset: str, origins: list[Path]) -> dict[str, Path]:
    """Find the files of an asset path by UDIM tile, in order; a path without tiles has one file under an empty name.

    Flattening leaves a UDIM path relative if it does not start with a dot, so it is looked for beside all layers.
    """
    if _UDIM not in asset:
        resolved = Ar.GetResolver().Resolve(asset) if asset else ""
        return {"": Path(str(resolved))} if resolved else {}
    before, after = Path(asset).name.split(_UDIM, 1)
    tile = re.compile(f"{re.escape(before)}(1[0-9]{{3}}){re.escape(after)}")
    for origin in origins:
        matches = [(tile.fullmatch(file.name), file) for file in sorted((origin / asset).parent.glob("*"))]
        files = {match[1]: file for match, file in matches if match}
        if files:
            return files
    return {}


def _holds_other(file: Path, content: bytes) -> bool:
    return file.is_file() and file.read_bytes() != content
