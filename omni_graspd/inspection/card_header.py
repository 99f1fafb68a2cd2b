# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a dataset hub's viewer needs to know of a dataset: tables by configuration and split, and their features."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Manifest
from omni_graspd.dataset.splits import SPLITS, split_by_object
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS, SCENE_GRASPS, TableKind
from omni_graspd.inspection.preview_table import PREVIEW_FILE, preview_schema

if TYPE_CHECKING:
    import pyarrow as pa

_PREVIEW = "preview"
_SPECIAL = re.compile(r"([*?[])")


@dataclass(frozen=True)
class CardConfig:
    """Tables that can be read as one, by split."""

    name: str
    """What it is called."""
    files: dict[str, tuple[str, ...]]
    """Patterns for the files of each split, relative to the dataset folder, with ``/``; at least one."""
    schema: pa.Schema | None
    """Columns of the tables; None where not all have the same."""


def card_configs(root: Path, manifest: Manifest) -> list[CardConfig]:
    """Return the tables of a dataset: the pictures, if there are some, the grasps of each hand, and those in scenes.

    The splits are those of :meth:`~omni_graspd.dataset.loader.Dataset.splits`, by object.

    Raises:
        GraspdError: If a table is damaged.
    """
    layout = DatasetLayout(root)
    found = []
    if (root / PREVIEW_FILE).is_file():
        found.append(CardConfig(_PREVIEW, {_PREVIEW: (PREVIEW_FILE,)}, preview_schema()))
    for hand in manifest.hands:
        tables = {obj: [path] for _, obj, path in layout.grasp_tables([hand], manifest.objects)}
        patterns = {obj: f"grasps/{_escaped(hand)}/{_escaped(obj)}.parquet" for obj in tables}
        found += _config(f"grasps_{hand}", tables, patterns, manifest, GRASPS)
    tables = {obj: paths for obj in manifest.objects if (paths := layout.scene_tables(obj))}
    patterns = {obj: f"scenes/{_escaped(obj)}/*.grasps.parquet" for obj in tables}
    return found + _config("scene_grasps", tables, patterns, manifest, SCENE_GRASPS)


def _config(
    name: str, tables: dict[str, list[Path]], patterns: dict[str, str], manifest: Manifest, kind: TableKind
) -> list[CardConfig]:
    """Return the configuration of some tables, given by object; none where there are no tables."""
    if not tables:
        return []
    split_of = split_by_object(manifest.objects)
    files = {split: tuple(patterns[obj] for obj in tables if split_of[obj] == split) for split in SPLITS}
    schemas = [open_table(path, kind).schema.remove_metadata() for paths in tables.values() for path in paths]
    same = all(schema.equals(schemas[0]) for schema in schemas)
    return [CardConfig(name, {split: names for split, names in files.items() if names}, schemas[0] if same else None)]


def _escaped(name: str) -> str:
    """Return a pattern that fits a name only."""
    return _SPECIAL.sub(r"[\1]", name)


def header_lines(configs: Iterable[CardConfig]) -> Iterator[str]:
    """Yield ``configs`` and ``dataset_info`` of a card's header, as YAML."""
    configs = list(configs)
    if configs:
        yield "configs:"
    for index, config in enumerate(configs):
        yield f"- config_name: {json.dumps(config.name)}"
        if index == 0:
            yield "  default: true"
        yield "  data_files:"
        for split, names in config.files.items():
            yield f"  - split: {split}"
            yield "    path:"
            yield from ("    - " + json.dumps(name) for name in names)
    described = [(config.name, config.schema) for config in configs if config.schema is not None]
    if described:
        yield "dataset_info:"
    for name, schema in described:
        yield f"- config_name: {json.dumps(name)}"
        yield "  features:"
        for field in schema:
            yield f"  - name: {json.dumps(field.name)}"
            yield from (f"    {line}" for line in _feature(field.type))


def _feature(kind: pa.DataType) -> list[str]:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return ["dtype: image"]
    if pa.types.is_fixed_size_list(kind):
        return [f"sequence: {_value(kind.value_type)}", f"length: {kind.list_size}"]
    return [f"dtype: {_value(kind)}"]


def _value(kind: pa.DataType) -> str:
    return {"double": "float64", "float": "float32"}.get(str(kind), str(kind))
