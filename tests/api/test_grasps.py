# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A batch of grasps that knows its hand and object: slices, figures, files, pictures."""

from __future__ import annotations

import numpy as np
import pytest

import omni_graspd as gd
from omni_graspd.synthesis.config import DraftConfig


@pytest.fixture(scope="module")
def grasps() -> gd.Grasps:
    """Four grasps of the mug on a table."""
    config = gd.SynthesisConfig(iterations=60, point_count=400, tries=2, draft=DraftConfig(iterations=20))
    return gd.synthesize("barrett", "mug", 4, seed=3, config=config).evaluate()


def test_they_know_where_they_come_from(grasps):
    assert (grasps.hand.name, grasps.object.name, grasps.seed, grasps.indices.tolist()) == (
        "barrett",
        "mug",
        3,
        [0, 1, 2, 3],
    )
    assert repr(grasps).startswith("<4 grasps of mug by barrett, ")
    assert "usable on the table" in repr(grasps)
    assert grasps.batch.way is not None


@pytest.mark.parametrize("rows", [2, [2], slice(2, 3), np.array([False, False, True, False])])
def test_rows_take_everything_along(grasps, rows):
    part = grasps[rows]
    assert len(part) == 1
    assert part.indices.tolist() == [2]
    assert (part.T_object_palm == grasps.T_object_palm[2:3]).all()
    assert part.metrics["epsilon"].tolist() == [grasps.metrics["epsilon"][2]]
    assert part.batch.way.rejected == grasps.batch.way.rejected[2:3]
    assert repr(part).startswith("<1 grasp of mug")


def test_a_row_that_is_not_there_is_an_error(grasps):
    with pytest.raises(IndexError):
        grasps[4]


def test_best_are_usable_first_and_in_order(grasps):
    ranked = grasps.best(4)
    assert ranked.usable.tolist() == sorted(grasps.usable, reverse=True)
    by_epsilon = grasps.best(4, by="epsilon")
    for group in (by_epsilon.metrics["epsilon"][by_epsilon.usable], by_epsilon.metrics["epsilon"][~by_epsilon.usable]):
        assert (np.diff(group) <= 0.0).all()
    with pytest.raises(gd.GraspdError, match="expected a metric of these grasps, got 'beauty'; available: "):
        grasps.best(1, by="beauty")


def test_a_table_comes_back_as_it_was(grasps, tmp_path):
    (back,) = gd.read_grasps(grasps.save(tmp_path / "grasps.parquet"))
    assert (back.hand.name, back.object.name, back.seed) == ("barrett", "mug", 3)
    assert (back.joint_positions == grasps.joint_positions).all()
    assert (back.usable == grasps.usable).all()
    assert (back.metrics["epsilon"] == grasps.metrics["epsilon"]).all()


def test_other_formats_go_by_their_suffix(grasps, tmp_path):
    (back,) = gd.read_grasps(grasps.save(tmp_path / "grasps.yaml"), obj="mug")
    np.testing.assert_allclose(back.T_object_palm[:, :3], grasps.T_object_palm[:, :3], atol=1e-5)
    with pytest.raises(gd.GraspdError):
        grasps.save(tmp_path / "grasps.docx")


def test_an_object_that_is_nowhere_is_asked_for(grasps, tmp_path):
    from dataclasses import replace

    renamed = replace(grasps, object=replace(grasps.object, name="my_scan"))
    file = renamed.save(tmp_path / "grasps.parquet")
    with pytest.raises(gd.GraspdError, match=r"'my_scan' .* pass its mesh as obj="):
        gd.read_grasps(file)
    assert len(gd.read_grasps(file, obj="mug")[0]) == 4


def test_a_data_frame_has_a_row_per_grasp(grasps):
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = grasps.to_pandas()
    assert len(frame) == 4
    assert {"index", "status", "usable", "epsilon", "x", "qw", *grasps.hand.joint_names} <= set(frame.columns)


@pytest.mark.slow
def test_a_picture_shows_the_hand(grasps, tmp_path):
    picture = grasps[:1].show(tmp_path / "grasps.png", size=48)
    pixels = np.asarray(picture)
    assert (tmp_path / "grasps.png").is_file()
    assert pixels.std() > 10.0
    with pytest.raises(gd.GraspdError, match="there are no grasps of mug by barrett to draw"):
        grasps[[]].show()


@pytest.mark.slow
def test_physics_adds_its_columns(grasps):
    grasps.measure_lift()
    grasps.measure_hold()
    assert set(grasps.metrics["lift_reason"][grasps.metrics["lifted"]]) <= {""}
    assert ((grasps.metrics["held"] >= 0.0) & (grasps.metrics["held"] <= 1.0)).all()


def test_grasps_in_the_air_cannot_be_lifted_off_a_table():
    floating = gd.synthesize("barrett", "mug", 1, around="nothing", config=gd.SynthesisConfig(iterations=5, tries=1))
    assert floating.batch.way is None
    with pytest.raises(gd.GraspdError, match="with a checked approach over a table"):
        floating.measure_lift()


def test_rest_poses_are_tables_to_grasp_from():
    poses = gd.rest_poses("soup_can", drops=6)
    assert poses.counts.sum() == 6
    assert (np.diff(poses.counts) <= 0).all()
    lowest = gd.load_object("soup_can").mesh.vertices @ poses.table(0).plane[:3] - poses.table(0).plane[3]
    assert abs(lowest.min()) < 1e-3
    with pytest.raises(gd.GraspdError, match="expected a rest pose from 0 to"):
        poses.table(99)


def test_settings_are_those_of_the_command(tmp_path):
    with pytest.raises(gd.GraspdError, match=r"GenerateConfig has no setting 'grasp'; it has: .*grasps"):
        gd.generate(grasp=3)
    with pytest.raises(gd.GraspdError, match="expected either a config or single settings, got both"):
        gd.generate(gd.GenerateConfig(), grasps=3)
    dataset = gd.settle(hand="barrett", object="mug", scenes=1, grasps=1, out=tmp_path / "out")
    assert (dataset.hands, dataset.objects) == (("barrett",), ("mug",))
