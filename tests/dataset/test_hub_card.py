# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The card of a dataset, as the libraries of the hub read it: header, splits, features and pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

import omni_graspd as gd
from omni_graspd.cli import main as cli
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.inspection.card_preview import write_preview
from omni_graspd.inspection.dataset_card import dataset_readme
from omni_graspd.inspection.summary import summarize_dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def carded(resting_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with its card and pictures."""
    root = tmp_path_factory.mktemp("card") / "set"
    shutil.copytree(resting_dataset, root)
    cli.main(["info", str(root), "--readme"])
    return root


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Load a configuration of a dataset without a network, from a cache of its own."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")

    def load(root: Path, name: str, **options):
        return datasets.load_dataset(str(root), name, cache_dir=str(tmp_path / "cache"), **options)

    return load


def test_the_datasets_library_has_the_splits_and_columns_of_ours(carded: Path, load) -> None:
    ours = gd.open(carded)
    loaded = load(carded, "grasps_barrett")
    assert set(loaded) == {split for split, names in ours.splits().items() if names}
    for split, rows in loaded.items():
        table = ours.grasps("barrett", split=split, only_ok=False)
        assert rows.column_names == [name for name in table.column_names if name != "object"]
        for name in ("T_object_palm", "usable", "table_plane", "rejected", "index"):
            np.testing.assert_array_equal(np.array(rows[name]), np.array(table[name].to_pylist()), err_msg=name)
    placed = load(carded, "scene_grasps")["train"]
    assert len(placed) == summarize_dataset(carded).manifest.counts["scene_grasps"]


def test_it_streams(carded: Path, load) -> None:
    whole = load(carded, "grasps_barrett")["train"]
    streamed = list(load(carded, "grasps_barrett", split="train", streaming=True))
    assert [row["index"] for row in streamed] == whole["index"]
    np.testing.assert_array_equal(streamed[0]["joint_positions"], whole[0]["joint_positions"])


def test_thumbnails_are_pictures(carded: Path, load) -> None:
    for options in ({}, {"streaming": True}):
        (row,) = list(load(carded, "preview", split="preview", **options))
        assert (row["hand"], row["object"], row["split"]) == ("barrett", "block", "train")
        pixels = np.asarray(row["thumbnail"])
        assert pixels.shape == (160, 160, 3)
        assert pixels.std() > 20.0  # something is drawn
    best = gd.open(carded).grasps("barrett", where="usable", top=1)
    assert row["index"] == best["index"][0].as_py()


def test_the_header_says_what_the_files_hold(carded: Path, load) -> None:
    import pyarrow.parquet as pq
    from datasets import Features
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(carded / "README.md").data
    assert card.configs[0]["config_name"] == "preview" and card.configs[0]["default"] is True
    features = {entry["config_name"]: entry["features"] for entry in card.dataset_info}
    file = carded / card.configs[1]["data_files"][0]["path"][0]
    assert Features._from_yaml_list(features["grasps_barrett"]) == Features.from_arrow_schema(pq.read_schema(file))
    assert Features._from_yaml_list(features["preview"]) == load(carded, "preview")["preview"].features


def test_names_that_are_patterns_find_their_file_only(carded: Path, tmp_path: Path, load) -> None:
    root = tmp_path / "set"
    shutil.copytree(carded, root)
    names = {"block": "b[lo]ck"}
    manifest = (root / "dataset.json").read_text()
    (root / "dataset.json").write_text(manifest.replace('"block"', f'"{names["block"]}"'))
    for path in sorted(root.rglob("block*")):
        path.rename(path.with_name(path.name.replace("block", names["block"])))
    header = yaml.safe_load(dataset_readme(root).split("---\n", 2)[1])
    (path,) = header["configs"][1]["data_files"][0]["path"]
    assert path == "grasps/barrett/b[[]lo]ck.parquet"


def test_pictures_are_kept_until_the_grasps_change(carded: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    shutil.copytree(carded, root)
    before = (root / "preview.parquet").stat().st_mtime_ns
    write_preview(root, summarize_dataset(root))
    assert (root / "preview.parquet").stat().st_mtime_ns == before
    assert not verify_dataset(root).faults
    path = next(root.glob("grasps/*/*.parquet"))
    write_grasps(read_grasps(path).rows(0, 2), path)
    write_preview(root, summarize_dataset(root))
    assert (root / "preview.parquet").stat().st_mtime_ns > before
