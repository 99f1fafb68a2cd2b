# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The card of a dataset: what it holds in one row, as in the paper's Table I, and a README for a dataset hub."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from omni_graspd.atomic import atomic_path, writing_to
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.table_gate import open_table
from omni_graspd.dataset.table_kinds import GRASPS, SCENE_GRASPS
from omni_graspd.inspection.card_header import card_configs, header_lines
from omni_graspd.inspection.summary import DatasetSummary, summarize_dataset
from omni_graspd.plain_text import one_line
from omni_graspd.rendering.annotators import ANNOTATORS

_INPUTS = {name: annotator.network_input for name, annotator in ANNOTATORS.items() if annotator.network_input}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True)
class DatasetCard:
    """A dataset as a row of the paper's Table I."""

    hands: tuple[str, ...]
    """Names of the hands."""
    objects: int
    """Number of objects."""
    inputs: tuple[str, ...]
    """What a network can see: image channels, mono or stereo; empty without images."""
    method: str
    """How the grasps were made."""
    unique_grasps: int
    """Base grasps that can be carried out; where objects float, those that did not fail."""
    examples: int
    """Views of scenes; a stereo pair counts once."""


def describe_dataset(summary: DatasetSummary) -> DatasetCard:
    """Return the row of a dataset."""
    config = summary.manifest.config
    stereo = bool(config.get("camera", {}).get("stereo"))
    images = sum(summary.image_counts.values())
    channels = dict.fromkeys(
        _INPUTS[name] for name in config.get("render", {}).get("annotators", ()) if name in _INPUTS
    )
    return DatasetCard(
        hands=tuple(summary.manifest.hands),
        objects=len(summary.manifest.objects),
        inputs=(*channels, "stereo" if stereo else "mono") if images else (),
        method="differentiable simulation" if "synthesis" in config else "imported",
        unique_grasps=sum(row.ok_count if row.usable_count is None else row.usable_count for row in summary.grasps),
        examples=images // 2 if stereo else images,
    )


def write_readme(root: Path) -> Path:
    """Write ``README.md`` into a dataset folder, with the header that the Hugging Face hub reads; replaces one there.

    Args:
        root: The dataset folder.

    Returns:
        The file.

    Raises:
        GraspdError: If the folder is no dataset or cannot be written to.
    """
    text = dataset_readme(root)
    with writing_to(root, resumes=False), atomic_path(root / "README.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return root / "README.md"


def dataset_readme(root: Path) -> str:
    """Return the text of a dataset's README: header, row, contents, origin and how to read it."""
    summary = summarize_dataset(root)
    card, manifest = describe_dataset(summary), summary.manifest
    name = root.resolve().name
    hands, first = _cell(", ".join(card.hands)), next(iter(card.hands), "HAND")
    lines = [
        *_header(root, summary, card, name),
        f"# {_cell(name)}",
        "",
        f"Multi-finger grasps of {card.objects} objects by {hands}, made with omni_graspd "
        f"{_cell(manifest.packages.get('omni-graspd', ''))}.",
        "",
        "| hands | inputs | method | unique grasps | examples |",
        "| --- | --- | --- | --- | --- |",
        f"| {hands} | {', '.join(card.inputs) or 'none'} | {card.method} "
        f"| {card.unique_grasps:,} | {card.examples:,} |",
        "",
        "| hand | object | grasps | ok | force closure | mean epsilon | scenes | images |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {_cell(row.hand)} | {_cell(row.object)} | {row.grasp_count} | {row.ok_count} | "
            f"{_share(row.force_closure)} | {_number(row.epsilon)} | {summary.scene_counts[row.object]} | "
            f"{summary.image_counts[row.object]} |"
            for row in summary.grasps
        ),
        "",
        "## Origin",
        "",
        "| asset | source | licence |",
        "| --- | --- | --- |",
        *(
            f"| {_cell(name)} | {_cell(asset.source)} | {_cell(asset.license or 'not stated')} |"
            for name, asset in (*manifest.hands.items(), *manifest.objects.items())
        ),
        "",
        f"Seed {manifest.config.get('seed', 'unknown')}; all settings and package versions are in `dataset.json`, a "
        "SHA-256 of each data file in `checksums.parquet`.",
        "",
        *_columns(root, summary),
        "## Reading",
        "",
        "```python",
        "import omni_graspd as gd",
        "",
        'dataset = gd.open("PATH")',
        f"grasps = dataset.grasps({_quoted(first)})  # an Arrow table; units and frames are in the fields' metadata",
        "```",
        "",
        "Lengths are metres, angles radians, poses position and quaternion x y z w.",
    ]
    return "\n".join(lines) + "\n"


def _header(root: Path, summary: DatasetSummary, card: DatasetCard, name: str) -> list[str]:
    licenses = {asset.license for asset in (*summary.manifest.hands.values(), *summary.manifest.objects.values())}
    size = next((label for limit, label in _SIZES if card.unique_grasps < limit), "1M<n<10M")
    return [
        "---",
        f"pretty_name: {_quoted(name)}",
        f"license: {'apache-2.0' if licenses == {'Apache-2.0'} else 'other'}",
        "task_categories:",
        "- robotics",
        "tags:",
        *(f"- {tag}" for tag in ("grasping", "dexterous-manipulation", "synthetic")),
        *(f"- {_quoted(hand)}" for hand in card.hands),
        "size_categories:",
        f"- {size}",
        *header_lines(card_configs(root, summary.manifest)),
        "---",
        "",
    ]


def _columns(root: Path, summary: DatasetSummary) -> list[str]:
    """Describe the columns of the first table of base grasps, and what is particular to those in scenes."""
    layout = DatasetLayout(root)
    tables = [
        (path, GRASPS, "Base grasps")
        for *_, path in layout.grasp_tables(summary.manifest.hands, summary.manifest.objects)
    ][:1]
    tables += [
        (path, SCENE_GRASPS, "Scene grasps") for obj in summary.manifest.objects for path in layout.scene_tables(obj)
    ][:1]
    lines: list[str] = []
    for path, kind, title in tables:
        lines += ["", f"{title}:", "", "| column | unit | meaning |", "| --- | --- | --- |"]
        for field in open_table(path, kind).schema:
            said = {
                key.decode(errors="replace"): value.decode(errors="replace")
                for key, value in (field.metadata or {}).items()
            }
            lines.append(f"| {_cell(field.name)} | {_cell(said.get('unit', ''))} | {_cell(said.get('meaning', ''))} |")
    return ["## Columns", *lines, ""] if lines else []


def _cell(text: str) -> str:
    """Return text that is neither Markdown nor HTML and does not end its cell; names and licences may hold anything."""
    return re.sub(r"([\\`*\[\]<>|&])", r"\\\1", one_line(text))


def _quoted(text: str) -> str:
    """Return text as a string of YAML, JSON and Python."""
    return json.dumps(text)


def _share(value: float) -> str:
    return "-" if value != value else f"{100.0 * value:.0f} %"


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.3f}"
