# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A session of looking at grasps: list, contacts, trajectory, dragging, decisions, export, and what can go wrong."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from pxr import Usd, UsdGeom

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.dataset.verification.verify import verify_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.formats.projects.isaac_grasp import read_isaac_grasp
from omni_graspd.formats.reading import read_grasps as read_any_grasps
from omni_graspd.formats.registry import DATASET, USD, export_names
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.inspection.accepted_export import export_accepted, export_line
from omni_graspd.inspection.decisions import decisions_path
from omni_graspd.inspection.grasp_catalog import GraspCatalog
from omni_graspd.inspection.grasp_contacts import distance_colors, friction_cone_lines
from omni_graspd.inspection.grasp_list import GraspFilter
from omni_graspd.inspection.inspection import Inspection
from omni_graspd.inspection.reoptimization import form_fingers, ranking_scores
from omni_graspd.objects.object_reader import read_object
from omni_graspd.seeding import random_generator
from omni_graspd.synthesis.grasp import join_batches


@pytest.fixture
def inspection(dataset):
    session = Inspection(dataset)
    yield session
    session.close()


def _hashes(root: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(root.rglob("*")) if p.is_file()}


async def _last(frames):
    return [frame async for frame in frames][-1]


def _dragged(pose: np.ndarray, random: np.random.Generator, reach: float = 0.05) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(random.normal(0.0, 0.4, 3)) * Rotation.from_quat(pose[3:])
    return np.concatenate([pose[:3] + random.uniform(-reach, reach, 3), turn.as_quat()])


def test_catalogue_has_all_grasps_of_the_tables(dataset):
    catalog = GraspCatalog(dataset)
    assert catalog.count == 8
    for name, first in (("block", 0), ("ball", 4)):
        table = read_grasps(DatasetLayout(dataset).grasps("barrett", name))
        for place in range(4):
            grasp = catalog.grasp(first + place)
            assert (grasp.object, grasp.index) == (name, place)
            np.testing.assert_array_equal(grasp.T_object_palm, table.grasps.T_object_palm[place])
            assert catalog.metrics_of(first + place)["epsilon"] == pytest.approx(
                table.metrics["epsilon"][place], nan_ok=True
            )
            assert catalog.row_of("barrett", name, place) == first + place
    assert catalog.row_of("barrett", "ball", 99) is None


def test_list_filters_sorts_and_steps(inspection):
    grasps = inspection.list
    grasps.show(GraspFilter(object="ball"), "loss_escape")
    escapes = inspection.catalog.metric("loss_escape")
    assert set(grasps.rows) == {4, 5, 6, 7}
    assert (np.diff(escapes[grasps.rows]) >= 0.0).all()
    grasps.show(descending=True)
    assert (np.diff(escapes[grasps.rows]) <= 0.0).all()
    inspection.select(int(grasps.rows[0]))
    seen = [grasps.step(1) for _ in range(4)]
    assert seen == [*grasps.rows[1:], grasps.rows[-1]]
    middle = float(np.median(escapes))
    grasps.show(GraspFilter(ranges={"loss_escape": (middle, np.inf)}))
    assert set(grasps.rows) == set(np.flatnonzero(escapes >= middle))
    with pytest.raises(GraspdError, match=r"expected the hand to be one of barrett, got 'claw'"):
        grasps.show(GraspFilter(hand="claw"))
    with pytest.raises(GraspdError, match="expected a metric among"):
        grasps.show(metric="beauty")


def test_decisions_are_kept_undone_and_never_touch_the_dataset(inspection, dataset):
    before = _hashes(dataset)
    inspection.decide("accepted")
    inspection.step(1)
    inspection.decide("rejected")
    inspection.list.show(GraspFilter(decision="undecided"))
    assert len(inspection.list.rows) == 6
    inspection.list.show(GraspFilter())
    again = Inspection(dataset)
    assert [(key, decision.verdict) for key, decision in again.decisions.items()] == [
        (("barrett", "block", 0), "accepted"),
        (("barrett", "block", 1), "rejected"),
    ]
    assert inspection.undo() and len(inspection.decisions) == 1
    assert inspection.undo() and len(inspection.decisions) == 0
    assert not inspection.undo()
    assert _hashes(dataset) == before
    again.close()


def test_two_sessions_keep_each_others_decisions(inspection, dataset):
    other = Inspection(dataset)
    inspection.decide("accepted")
    other.select(5)
    other.decide("rejected")
    inspection.select(2)
    inspection.decide("rejected")
    assert len(Inspection(dataset).decisions) == 3
    other.close()


def test_contacts_equal_the_figures_of_the_table(inspection):
    for row in (0, 5):
        inspection.select(row)
        contacts = asyncio.run(inspection.contacts())
        figures = inspection.catalog.metrics_of(row)
        assert contacts.epsilon == pytest.approx(figures["epsilon"], abs=1e-5)
        assert contacts.penetration_depth == pytest.approx(figures["penetration_depth"], abs=1e-6)
        assert contacts.contact_area == pytest.approx(figures["contact_area"], rel=1e-6)
        assert contacts.force_closure == bool(figures["force_closure"])
        np.testing.assert_allclose(np.linalg.norm(contacts.contact_normals, axis=1), 1.0, atol=1e-5)


def test_distances_to_a_ball_are_those_of_the_closed_form(inspection):
    inspection.select(4)
    contacts = asyncio.run(inspection.contacts())
    near = contacts.distances < 0.019
    radii = np.linalg.norm(contacts.points, axis=1)
    # An icosahedron split twice lies up to 2.5 % of the radius inside the ball.
    assert near.any()
    np.testing.assert_allclose(contacts.distances[near], radii[near] - 0.03, atol=0.03 * 0.03)


def test_friction_cones_open_by_the_angle_of_friction(inspection):
    contacts = asyncio.run(inspection.contacts())
    starts, ends = friction_cone_lines(contacts, length=0.01, edge_count=8)
    count = len(contacts.contact_points)
    assert starts.shape == ends.shape == (16 * count, 3)
    edges = (ends - starts).reshape(count, 2, 8, 3)[:, 0]
    along = np.einsum("cei,ci->ce", edges, contacts.contact_normals)
    np.testing.assert_allclose(along, 0.01, atol=1e-6)
    across = np.linalg.norm(edges - along[..., None] * contacts.contact_normals[:, None], axis=-1)
    np.testing.assert_allclose(across / along, contacts.friction, rtol=1e-3)


def test_colors_run_from_blue_inside_over_red_to_grey():
    inside, touching, far = distance_colors(np.array([-0.005, 0.0, 0.1]), 0.005)
    assert inside[2] > 0.7 and touching[0] > 0.7 and touching[2] < 0.1
    assert np.ptp(far) == 0.0


def test_recorded_run_ends_at_the_grasp_of_the_table(inspection):
    for row in (1, 6):
        inspection.select(row)
        trajectory = asyncio.run(inspection.trajectory())
        assert trajectory.steps[-1] == 120
        np.testing.assert_allclose(trajectory.T_object_palm[-1, 0], inspection.grasp.T_object_palm, atol=1e-4)
        assert np.isfinite(trajectory.losses["stable"]).all()


@pytest.mark.slow
def test_grasps_formed_anew_are_never_worse_than_their_start(inspection):
    random = random_generator(0, "drags")
    improved = 0
    for row in (0, 5):
        inspection.select(row)
        hand, obj, config = inspection.hand, inspection.object, inspection.synthesis
        grasp = inspection.grasp
        for _ in range(8):
            pose = _dragged(grasp.T_object_palm, random)
            before = ranking_scores(hand, obj, pose[None], grasp.joint_positions[None], config)[0]
            inspection.reset()
            after = asyncio.run(_last(inspection.reoptimize(pose)))
            assert after.score <= before
            again = ranking_scores(hand, obj, after.T_object_palm[None], after.joint_positions[None], config)[0]
            assert again == pytest.approx(after.score, abs=1e-6)
            improved += after.score < before
    assert improved >= 8


@pytest.mark.slow
@pytest.mark.parametrize("offset", [0.0, 0.3, 50.0])
def test_bad_poses_do_not_crash(inspection, offset):
    pose = np.array([offset, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0])
    posture = asyncio.run(_last(inspection.reoptimize(pose)))
    assert np.isfinite(posture.T_object_palm).all() and np.isfinite(posture.joint_positions).all()
    assert np.linalg.norm(posture.T_object_palm[3:]) == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [np.full(7, np.nan), np.zeros(7), np.full(7, np.inf)])
def test_poses_without_a_meaning_are_refused_and_the_view_stays(inspection, bad):
    with pytest.raises(GraspdError, match="drag the palm again"):
        asyncio.run(_last(inspection.reoptimize(bad)))
    np.testing.assert_array_equal(inspection.posture.T_object_palm, inspection.grasp.T_object_palm)


def test_fingers_follow_while_the_palm_stays_under_the_cursor(inspection):
    hand, obj, config = inspection.hand, inspection.object, inspection.synthesis
    pose = inspection.grasp.T_object_palm + np.array([0.01, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    posture = asyncio.run(inspection.drag(pose))
    np.testing.assert_allclose(posture.T_object_palm, pose, atol=1e-9)
    assert not np.allclose(posture.joint_positions, inspection.grasp.joint_positions)
    assert (posture.joint_positions >= hand.joint_lower - 0.05).all()
    alone = form_fingers(hand, obj, pose, inspection.grasp.joint_positions, config)
    np.testing.assert_array_equal(alone.joint_positions, posture.joint_positions)


@pytest.mark.slow
def test_cancelled_reoptimization_shows_what_was_there_and_ends_at_once(inspection):
    asyncio.run(inspection.prepare())
    inspection.synthesis = replace(inspection.synthesis, iterations=20_000)

    async def cancel_soon() -> float:
        task = asyncio.ensure_future(_last(inspection.reoptimize()))
        await asyncio.sleep(0.2)
        begin = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.perf_counter() - begin

    assert asyncio.run(cancel_soon()) < 1.0
    np.testing.assert_array_equal(inspection.posture.T_object_palm, inspection.grasp.T_object_palm)


@pytest.mark.slow
def test_mended_grasps_are_accepted_and_exported_at_another_object(inspection, dataset, tmp_path):
    trimesh.creation.box((0.04, 0.04, 0.09)).export(tmp_path / "bar.ply")
    inspection.decide("accepted")
    inspection.select(5)
    asyncio.run(inspection.swap_object(str(tmp_path / "bar.ply")))
    mended = asyncio.run(_last(inspection.reoptimize()))
    inspection.decide("accepted")
    inspection.select(6)
    inspection.decide("rejected")
    files = [file.path for file in asyncio.run(export_accepted(inspection)).files]
    folder = tmp_path / "set_accepted" / "isaac_grasp"
    assert sorted(files) == [folder / "barrett" / "bar.yaml", folder / "barrett" / "block.yaml"]
    records = {path.stem: read_isaac_grasp(path)[0] for path in files}
    np.testing.assert_allclose(records["bar"].T_object_palm[0], mended.T_object_palm, atol=1e-9)
    np.testing.assert_allclose(records["block"].T_object_palm[0], inspection.catalog.grasp(0).T_object_palm, atol=1e-9)
    assert records["block"].joint_names == inspection.hand.joint_names
    np.testing.assert_allclose(
        records["block"].pregrasp_joint_positions[0], inspection.catalog.grasp(0).pregrasp_joint_positions, atol=1e-9
    )
    opened = inspection.hand.joint_positions(inspection.hand.open_positions)
    np.testing.assert_allclose(records["bar"].pregrasp_joint_positions[0], opened, atol=1e-9)
    # After a restart, too, and beside what was exported before.
    again = Inspection(dataset)
    conversion = asyncio.run(export_accepted(again))
    assert [file.path.read_bytes() for file in conversion.files] == [path.read_bytes() for path in files]
    assert {file.path.parents[1].name for file in conversion.files} == {"isaac_grasp_2"}
    assert "wrote 2 accepted grasps to" in export_line(conversion)
    again.close()


@pytest.mark.slow
@pytest.mark.parametrize("to_name", export_names())
def test_accepted_grasps_go_to_every_format_and_come_back(inspection, tmp_path, to_name):
    # The mesh of the other object is in millimetres.
    trimesh.creation.box((40.0, 40.0, 90.0)).export(tmp_path / "bar.stl")
    inspection.select(1)
    inspection.decide("accepted")
    inspection.select(2)
    mended = asyncio.run(_last(inspection.reoptimize()))
    inspection.decide("accepted")
    inspection.select(3)
    asyncio.run(inspection.swap_object(str(tmp_path / "bar.stl")))
    inspection.decide("accepted")
    moved = inspection.posture
    conversion = asyncio.run(export_accepted(inspection, to_name))
    root = tmp_path / "set_accepted" / to_name
    if to_name == USD:
        stage = Usd.Stage.Open(str(root / "barrett" / "block.usd"))
        assert len(stage.GetPrimAtPath("/Grasps").GetChildren()) == 2
        bound = UsdGeom.BBoxCache(0.0, ["default"])
        bar = Usd.Stage.Open(str(root / "barrett" / "bar.usd"))
        size = bound.ComputeWorldBound(bar.GetPrimAtPath("/Grasps/grasp_0000/object")).ComputeAlignedRange().GetSize()
        np.testing.assert_allclose(size, [0.04, 0.04, 0.09], atol=1e-6)
        return
    if to_name == "mjcf":
        mujoco = pytest.importorskip("mujoco")
        models = [mujoco.MjModel.from_xml_path(str(root / "barrett" / f"{name}.xml")) for name in ("block", "bar")]
        keys = [[model.key(number).name for number in range(model.nkey)] for model in models]
        assert [sum(key.startswith("grasp_") for key in names) for names in keys] == [2, 1]
        return
    hand = inspection.hand
    read = read_any_grasps(root, format_name=to_name, hand="barrett")
    records = {entry.record.object: entry.record for entry in read.grasps}
    assert not conversion.refused and not read.refused and sorted(records) == ["bar", "block"]
    table = inspection.catalog.grasp(1)
    expected = [table.T_object_palm, mended.T_object_palm, moved.T_object_palm]
    poses = np.concatenate([records["block"].T_object_palm, records["bar"].T_object_palm])
    joints = np.concatenate([records["block"].joint_positions, records["bar"].joint_positions])
    points = sample_surface_points(hand, 100)
    wanted = [table.joint_positions, mended.joint_positions, moved.joint_positions]
    there = posed_points(hand, points, np.array(expected), np.array(wanted))
    np.testing.assert_allclose(posed_points(hand, points, poses, joints), there, atol=1e-5)
    if to_name == DATASET:
        assert not verify_dataset(root).faults
        assert read_object(DatasetLayout(root).object("bar")).mesh.vertices[:, 2].max() == pytest.approx(0.045)
        back = read_grasps(DatasetLayout(root).grasps("barrett", "block"))
        assert back.grasps.postures is not None
        scores = inspection.catalog.metrics_of(1)["loss_escape"], mended.score
        np.testing.assert_allclose(back.metrics["source_loss_escape"], scores, atol=1e-6)


def test_export_without_accepted_grasps_says_what_to_do(inspection, tmp_path):
    with pytest.raises(GraspdError, match="accept some first"):
        asyncio.run(export_accepted(inspection))
    with pytest.raises(GraspdError, match="expected a format among dataset, usd, mjcf, isaac_grasp"):
        asyncio.run(export_accepted(inspection, "csv"))


def test_dataset_deleted_while_open_is_named_and_decisions_stay(inspection, dataset):
    inspection.decide("accepted")
    shutil.rmtree(dataset)
    inspection.step(5)
    with pytest.raises(GraspdError, match="decisions made so far are kept"):
        _ = inspection.grasp
    with pytest.raises(GraspdError, match="decisions made so far are kept"):
        inspection.decide("rejected")
    assert decisions_path(dataset).is_file() and not dataset.exists()


def test_corrupt_row_is_named_and_the_next_one_shows(dataset):
    path = DatasetLayout(dataset).grasps("barrett", "block")
    table = read_grasps(path)
    poses = table.grasps.T_object_palm.copy()
    poses[1, 0] = np.nan
    write_grasps(replace(table, grasps=replace(table.grasps, T_object_palm=poses)), path)
    session = Inspection(dataset)
    session.step(1)
    with pytest.raises(GraspdError, match=r"in row 1 of .*block.parquet, got something else; skip this grasp"):
        _ = session.posture
    session.step(1)
    assert session.grasp.index == 2
    session.close()


def test_damaged_table_and_moved_hand_are_named_in_one_line(inspection, dataset):
    hand = DatasetLayout(dataset).hand("barrett")
    hand.rename(hand.with_name("elsewhere.usd"))
    with pytest.raises(GraspdError, match=r"the hand 'barrett' .* is missing from") as error:
        asyncio.run(inspection.contacts())
    assert "\n" not in str(error.value)
    DatasetLayout(dataset).grasps("barrett", "block").write_bytes(b"PAR1 no table")
    with pytest.raises(GraspdError, match="is not a readable Parquet table"):
        GraspCatalog(dataset)


def test_decisions_of_another_dataset_are_refused(inspection, dataset):
    inspection.decide("accepted")
    path = decisions_path(dataset)
    path.write_text(path.read_text().replace('"dataset": "', '"dataset": "0'))
    with pytest.raises(GraspdError, match="about another dataset; move the file away"):
        Inspection(dataset)
    path.write_text("{")
    with pytest.raises(GraspdError, match="does not hold decisions"):
        Inspection(dataset)


@pytest.mark.slow
def test_hundred_thousand_grasps_open_at_once_and_memory_stays_flat(dataset):
    path = DatasetLayout(dataset).grasps("barrett", "block")
    table = read_grasps(path)
    repeat = 25_000
    grasps = join_batches([table.grasps] * repeat)
    metrics = {name: np.tile(values, repeat) for name, values in table.metrics.items()}
    write_grasps(replace(table, indices=np.arange(4 * repeat, dtype=np.int32), grasps=grasps, metrics=metrics), path)
    begin = time.perf_counter()
    session = Inspection(dataset)
    session.list.show(metric="epsilon", descending=True)
    _ = session.posture
    assert time.perf_counter() - begin < 3.0
    tracemalloc.start()
    session.step(1)
    _ = session.posture
    first = tracemalloc.get_traced_memory()[0]
    for _ in range(1000):
        session.step(1)
        _ = session.posture
    growth = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    assert growth < 1_000_000
    session.close()
