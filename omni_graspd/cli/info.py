# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd info``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from omni_graspd.cli.console import Action, progress_bar
from omni_graspd.cli.grasp_table import grasp_table
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.inspection.dataset_card import describe_dataset, write_readme
from omni_graspd.inspection.summary import DatasetSummary, summarize_dataset
from omni_graspd.plural import counts_in_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def info(path: Annotated[Path, tyro.conf.Positional], readme: bool = False) -> Action:
    """Show a dataset's settings, hands, objects, counts and quality.

    Args:
        path: Dataset folder, or s3://bucket/name.
        readme: Also write this card to the dataset's README.md, with the header that dataset hubs read, and
            preview.parquet, with a picture for each hand and object.
    """
    return partial(_show, path, readme)


def _show(path: Path, readme: bool, console: Console) -> None:
    summary = summarize_dataset(local_dataset(path))
    console.print(_card(path, summary))
    console.print(grasp_table(summary))
    if readme:
        from omni_graspd.inspection.card_preview import write_preview

        with progress_bar(console, "pictures", "picture") as progress:
            try:
                write_preview(local_dataset(path), summary, progress)
            except GraspdError as error:
                console.print(f"no pictures: {error}", style="yellow", soft_wrap=True, markup=False)
        console.print(f"README: {write_readme(local_dataset(path))}", soft_wrap=True, markup=False)


def _card(path: Path, summary: DatasetSummary) -> Table:
    from rich.table import Table

    manifest = summary.manifest
    counts = counts_in_words(manifest.counts)
    config = manifest.config
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("dataset", str(path))
    table.add_row("schema", str(manifest.schema_version))
    table.add_row("contents", counts or "nothing yet")
    card = describe_dataset(summary)
    table.add_row("inputs", ", ".join(card.inputs) or "none")
    table.add_row("method", card.method)
    table.add_row("unique grasps", f"{card.unique_grasps:,} by {', '.join(card.hands)}")
    table.add_row("examples", f"{card.examples:,}")
    table.add_row("made on", f"{config['backend']}, {config['device']}, seed {config['seed']}")
    table.add_row("packages", ", ".join(f"{name} {version}" for name, version in manifest.packages.items()))
    for kind, assets in (("hand", manifest.hands), ("object", manifest.objects)):
        for name, asset in assets.items():
            table.add_row(
                kind, f"{name} (from {asset.source}, licence {asset.license or 'not stated'}, {asset.hash[:19]})"
            )
    return table
