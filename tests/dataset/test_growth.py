# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets that grow: the further work only, and in the end the bytes of a dataset made so from the start."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from dataset_bytes import dataset_digests
from small_dataset import ONE_SMALL_PICTURE, ball_file, small_config

from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
from omni_graspd.dataset.execution.shards import read_reports
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.errors import GraspdError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> GenerateConfig:
    """Settings of a small dataset, and beside its block a ball."""
    folder = tmp_path_factory.mktemp("grown")
    ball_file(folder)
    return small_config(folder)


@pytest.fixture(scope="module")
def begun_dataset(config: GenerateConfig) -> Path:
    """The dataset of these settings; to be read only."""
    asyncio.run(generate(config))
    return config.out


@pytest.fixture
def begun(config: GenerateConfig, begun_dataset: Path, tmp_path: Path) -> GenerateConfig:
    """Settings of a copy of it."""
    return replace(config, out=Path(shutil.copytree(begun_dataset, tmp_path / "begun")))


@pytest.fixture(scope="module")
def afloat_dataset(config: GenerateConfig) -> Path:
    """Grasps without scenes; to be read only."""
    out = config.out.with_name("afloat")
    asyncio.run(generate(replace(config, scenes=0, around="nothing", out=out)))
    return out


@pytest.fixture
def afloat(config: GenerateConfig, afloat_dataset: Path, tmp_path: Path) -> GenerateConfig:
    """Settings of a copy of it."""
    out = Path(shutil.copytree(afloat_dataset, tmp_path / "afloat"))
    return replace(config, scenes=0, around="nothing", out=out)


def _further(config: GenerateConfig) -> dict[str, dict[str, object]]:
    ball = str(Path(config.object[0]).with_name("ball.ply"))
    return {
        "grasps": {"grasps": 5},
        "views": {"camera": replace(ONE_SMALL_PICTURE, views=3)},
        "objects": {"object": (*config.object, ball)},
        "all": {
            "grasps": 3,
            "scenes": 2,
            "camera": replace(ONE_SMALL_PICTURE, views=2),
            "hand": ("allegro", "barrett"),
            "object": (ball, *config.object),
        },
    }


@pytest.mark.parametrize("what", ["grasps", "views", "all"])
def test_a_grown_dataset_has_the_bytes_of_one_made_so(
    config: GenerateConfig, begun: GenerateConfig, what: str, tmp_path: Path
) -> None:
    before = dataset_digests(begun.out)
    reported = len(read_reports(DatasetLayout(begun.out).shard_reports))
    more = _further(config)[what]
    asyncio.run(generate(replace(begun, **more)))
    fresh = replace(config, **more, out=tmp_path / "fresh")
    if what == "all":  # what is there comes first, whatever the order asked for
        fresh = replace(fresh, hand=fresh.hand[::-1], object=fresh.object[::-1])
    asyncio.run(generate(fresh))
    assert dataset_digests(begun.out) == dataset_digests(fresh.out)
    images = {name for name in before if name.startswith("renders/")}
    assert {name: before[name] for name in images}.items() <= dataset_digests(begun.out).items()
    made = [report.shard for report in read_reports(DatasetLayout(begun.out).shard_reports)[reported:]]
    grasps = sum(shard.stop - shard.start for shard in made if shard.stage == "synthesize")
    assert grasps == read_manifest(begun.out).counts["grasps"] - 2
    assert not verify_dataset(begun.out).faults


def test_fewer_than_there_are_and_other_settings_are_refused(afloat: GenerateConfig) -> None:
    with pytest.raises(GraspdError, match=r"grasps \(there 2, now 1\)"):
        asyncio.run(generate(replace(afloat, grasps=1)))
    with pytest.raises(GraspdError, match=r"seed \(there 0, now 1\)") as refused:
        asyncio.run(generate(replace(afloat, grasps=4, seed=1)))
    assert "grasps" not in str(refused.value)
    assert read_manifest(afloat.out).config["grasps"] == 2


def test_grasps_are_not_added_where_metrics_would_lack(afloat: GenerateConfig) -> None:
    evaluate_dataset(afloat.out, EvaluationSettings(thresholds=(0.005,), hold_test=False))
    with pytest.raises(GraspdError, match="further grasps would lack"):
        asyncio.run(generate(replace(afloat, grasps=4)))


def test_rest_poses_are_not_added_where_metrics_would_lack(begun: GenerateConfig) -> None:
    evaluate_dataset(begun.out, EvaluationSettings(thresholds=(0.005,), hold_test=False))
    with pytest.raises(GraspdError, match="further grasps would lack"):
        asyncio.run(generate(replace(begun, scenes=2)))


def test_a_dataset_of_before_there_were_rest_poses_goes_on_afloat(config: GenerateConfig, tmp_path: Path) -> None:
    begun = replace(config, around="nothing", camera=replace(ONE_SMALL_PICTURE, views=0), out=tmp_path)
    asyncio.run(generate(begun))
    before = dataset_digests(tmp_path)
    manifest = json.loads((tmp_path / "dataset.json").read_text())
    del manifest["config"]["around"]
    (tmp_path / "dataset.json").write_text(json.dumps(manifest))
    with pytest.raises(GraspdError, match=r'around \(there "nothing", now "table"\)'):
        asyncio.run(generate(replace(begun, around="table")))
    asyncio.run(generate(begun))
    told = {"dataset.json", "checksums.parquet"}  # the setting comes last in it
    changed = {name for name, digest in dataset_digests(tmp_path).items() if before.get(name) != digest}
    assert changed <= told and read_manifest(tmp_path).config["around"] == "nothing"


def test_objects_are_not_added_where_scenes_draw_from_all(config: GenerateConfig, tmp_path: Path) -> None:
    begun = replace(config, scenes=0, around="nothing", scene=replace(config.scene, clutter=1), out=tmp_path)
    asyncio.run(generate(begun))
    with pytest.raises(GraspdError, match="with clutter"):
        asyncio.run(generate(replace(begun, **_further(config)["objects"])))


def test_clutter_stays_where_it_is_when_views_are_added(config: GenerateConfig, tmp_path: Path) -> None:
    both = _further(config)["objects"] | {"scene": replace(config.scene, clutter=2)}
    begun = replace(config, **both, out=tmp_path / "grown")
    asyncio.run(generate(begun))
    more = {"camera": replace(ONE_SMALL_PICTURE, views=2), "grasps": 3}
    asyncio.run(generate(replace(begun, **more)))
    fresh = replace(config, **both, **more, out=tmp_path / "fresh")
    asyncio.run(generate(fresh))
    assert dataset_digests(begun.out) == dataset_digests(fresh.out)


def test_a_scene_that_was_deleted_is_made_again(begun: GenerateConfig) -> None:
    before = dataset_digests(begun.out)
    DatasetLayout(begun.out).scene("block", 0).unlink()
    asyncio.run(generate(begun))
    assert dataset_digests(begun.out) == before
