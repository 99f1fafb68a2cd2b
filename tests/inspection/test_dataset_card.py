# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The card of a dataset, and the README that dataset hubs read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pytest
import yaml

from omni_graspd.cli import main as cli
from omni_graspd.dataset.splits import SPLITS
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.inspection.dataset_card import dataset_readme, describe_dataset, write_readme
from omni_graspd.inspection.summary import summarize_dataset


def test_the_card_counts_what_is_there(dataset: Path) -> None:
    summary = summarize_dataset(dataset)
    card = describe_dataset(summary)
    assert card.hands == tuple(summary.manifest.hands)
    assert card.unique_grasps == sum(row.ok_count for row in summary.grasps) > 0
    assert card.method == "differentiable simulation"
    images = summary.manifest.counts["images"]
    assert card.examples == (images // 2 if "stereo" in card.inputs else images)


def test_the_header_is_yaml_and_its_files_are_there(dataset: Path) -> None:
    _, header, body = dataset_readme(dataset).split("---\n", 2)
    content = yaml.safe_load(header)
    assert content["task_categories"] == ["robotics"]
    assert content["size_categories"] == ["n<1K"]
    for config in content["configs"]:
        for part in config["data_files"]:
            assert part["split"] in SPLITS
            files = [str(file) for pattern in part["path"] for file in dataset.glob(pattern)]
            assert pds.dataset(files).count_rows() > 0
    assert "| hands | inputs |" in body


@pytest.mark.slow
def test_the_readme_disturbs_nothing(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    cli.main(["info", str(copy), "--readme"])
    assert "README.md" in capsys.readouterr().out
    assert (copy / "README.md").read_text().startswith("---\n")
    assert not verify_dataset(copy).faults
    before = (copy / "README.md").read_bytes()
    write_readme(copy)
    assert (copy / "README.md").read_bytes() == before


def test_a_folder_that_is_no_dataset_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(GraspdError, match="expected a dataset folder"):
        write_readme(tmp_path)


def test_names_of_files_do_not_break_the_tables(dataset: Path) -> None:
    path = dataset / "dataset.json"
    path.write_text(path.read_text().replace('"source": "block.ply"', '"source": "a|b\\nc.ply"'))
    rows = [line for line in dataset_readme(dataset).splitlines() if line.startswith("| block |")]
    assert any("a\\|b c.ply" in row for row in rows)


def test_what_tables_say_of_their_columns_may_be_any_bytes(dataset: Path) -> None:
    for path in (dataset / "grasps").rglob("*.parquet"):
        table = pq.ParquetFile(path).read()
        field = table.schema.field("status").with_metadata({"meaning": b"\xfc\xda | <b>"})
        schema = table.schema.set(table.schema.get_field_index("status"), field)
        pq.write_table(pa.table(table.columns, schema=schema), path)
    assert "| status |  | \ufffd\ufffd \\| \\<b\\> |" in dataset_readme(dataset)
