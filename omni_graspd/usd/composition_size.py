# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""How large a USD file becomes with all it refers to, told before it is composed: few lines may stand for billions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pxr import Sdf, Tf

from omni_graspd.errors import GraspdError
from omni_graspd.git_lfs import check_no_lfs_pointer
from omni_graspd.named_file import is_file
from omni_graspd.usd.crate_size import check_crate
from omni_graspd.usd.text_nesting import check_nesting

MOST_PRIMS = 100_000
"""Prims that a file may have, those of references counted as often as they are there."""


def check_composition(layer: Sdf.Layer) -> list[Sdf.Layer]:
    """Refuse a file that would be composed of more prims than fit, or of references nested too deep to follow.

    Args:
        layer: Its root layer.

    Returns:
        All layers that are read for it, to be kept until the stage is open.

    Raises:
        GraspdError: If it is too large.
    """
    composition = _Composition()
    try:
        count = composition.size(layer, Sdf.Path.absoluteRootPath)
    except RecursionError as error:
        raise GraspdError(
            f"expected prims and references of {layer.identifier} nested a few deep, got hundreds; flatten the file"
        ) from error
    if count > MOST_PRIMS:
        raise GraspdError(
            f"expected {layer.identifier} to have at most {MOST_PRIMS} prims with those that it refers to, got "
            f"{count if count < 10**12 else f'more than {10**12}'}; export the part that is needed"
        )
    return composition.layers


class _Composition:
    """Counts what prims bring in. Prims that several arcs bring are counted once for each, so it is an upper bound."""

    def __init__(self) -> None:
        self.layers: list[Sdf.Layer] = []
        self._stacks: dict[str, list[Sdf.Layer]] = {}
        self._sizes: dict[tuple[str, Sdf.Path], int] = {}

    def size(self, root: Sdf.Layer, path: Sdf.Path) -> int:
        """Return how many prims there are at and below a path of a layer with its sublayers."""
        key = (root.identifier, path)
        if key not in self._sizes:
            self._sizes[key] = 0  # What refers to itself is an error that USD tells.
            specs = [spec for one in self._stack(root) if (spec := one.GetPrimAtPath(path))]
            above = (arc for prefix in path.GetPrefixes()[:-1] for arc in self._from_above(root, prefix, path))
            self._sizes[key] = sum(self._below(root, spec) for spec in specs) + sum(self.size(*arc) for arc in above)
        return self._sizes[key]

    def _below(self, root: Sdf.Layer, spec: Sdf.PrimSpec) -> int:
        """Return how many prims a prim of one layer brings, itself included."""
        count = 1 + sum(self.size(*arc) for arc in self._arcs(root, spec))
        count += sum(self._below(root, child) for child in spec.nameChildren if child)
        for name in (
            spec.GetInfo("variantSetNames").GetAddedOrExplicitItems() if spec.HasInfo("variantSetNames") else ()
        ):
            variants = spec.variantSets[name].variants if name in spec.variantSets else {}
            count += sum(self._below(root, variant.primSpec) for variant in variants.values())
        return count

    def _from_above(self, root: Sdf.Layer, above: Sdf.Path, path: Sdf.Path) -> Iterator[tuple[Sdf.Layer, Sdf.Path]]:
        """Yield what a path stands for where a prim above it refers to something."""
        for layer in self._stack(root):
            spec = layer.GetPrimAtPath(above)
            for target, target_path in self._arcs(root, spec) if spec else ():
                yield target, path.ReplacePrefix(above, target_path)

    def _arcs(self, root: Sdf.Layer, spec: Sdf.PrimSpec) -> Iterator[tuple[Sdf.Layer, Sdf.Path]]:
        for listed in (spec.referenceList, spec.payloadList):
            for arc in listed.GetAddedOrExplicitItems():
                target = self._open(arc.assetPath, spec.layer) if arc.assetPath else root
                path = arc.primPath or (_default_path(target) if target else Sdf.Path())
                if target and path:
                    yield target, path
        for listed in (spec.inheritPathList, spec.specializesList):
            yield from ((root, path) for path in listed.GetAddedOrExplicitItems())

    def _stack(self, root: Sdf.Layer) -> list[Sdf.Layer]:
        """Return a layer and all its sublayers."""
        found = self._stacks.get(root.identifier)
        if found is None:
            found, seen = [], set()
            waiting = [root]
            while waiting:
                layer = waiting.pop()
                if layer.identifier not in seen:
                    seen.add(layer.identifier)
                    found.append(layer)
                    below = (self._open(path, layer) for path in layer.subLayerPaths)
                    waiting += [one for one in below if one]
            self._stacks[root.identifier] = found
        return found

    def _open(self, path: str, beside: Sdf.Layer) -> Sdf.Layer | None:
        """Return a layer by its name in another; None if it cannot be read, of which USD warns."""
        name = beside.ComputeAbsolutePath(path)
        if is_file(name):
            check_no_lfs_pointer(Path(name))
            check_nesting(Path(name))
            check_crate(Path(name))
        try:
            layer = Sdf.Layer.FindOrOpen(name)
        except (Tf.ErrorException, UnicodeDecodeError):
            return None
        if layer is not None:
            self.layers.append(layer)
        return layer


def _default_path(layer: Sdf.Layer) -> Sdf.Path:
    return Sdf.Path(f"/{layer.defaultPrim}") if Sdf.Path.IsValidIdentifier(layer.defaultPrim) else Sdf.Path()
