# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The lift test on a block between two jaws whose force is known: Coulomb decides, and every failure has its name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from lift_jaws import GRASP_HEIGHT, LENGTH, OPENING, SIZE, make_block, make_grasp, make_jaws
from scipy.spatial.transform import Rotation

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.driven_hand import DrivePhysics
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.scenes.grasp_tests.lift import (
    NOT_USABLE,
    PENETRATES,
    PIERCED,
    PUSHED_AWAY,
    SLIPPED,
    TILTED,
    TOUCHED_TABLE,
    LiftResult,
    measure_lift,
)
from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig, LiftNoise, LiftProtocol
from omni_graspd.scenes.grasp_tests.lift_motion import HandMotion, LiftPhases, closing_path, hand_motion, hand_way
from omni_graspd.scenes.grasp_tests.lift_stage import PLACES, LiftStage, object_path
from omni_graspd.scenes.simulation import SimulateConfig
from omni_graspd.standalone.simulate import simulate
from omni_graspd.synthesis.grasp import GraspBatch, join_batches
from omni_graspd.usd.transforms import IDENTITY

_STIFFNESS = 500.0
"""Of the jaws' drives [N/m]."""
# The block weighs 0.98 N; the lift takes up to 1.3 times as much. At friction 0.6 each jaw has to press with 1.07 N.
_ENOUGH, _TOO_LITTLE = 1.6 / _STIFFNESS, 0.6 / _STIFFNESS


@pytest.fixture(scope="module")
def jaws(tmp_path_factory) -> Hand:
    return make_jaws(tmp_path_factory.mktemp("jaws"))


def _grasp(squeeze: float = _ENOUGH, **options) -> GraspBatch:
    return make_grasp(squeeze, **options)


def _way_of(batch: GraspBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Palms, joints and lift of a single grasp, as :func:`hand_way` takes them."""
    palms = np.stack([batch.postures.T_object_pregrasp_palm, batch.way.T_object_hover_palm, batch.T_object_palm])
    opened, pressed = batch.postures.pregrasp_joint_positions, batch.postures.squeeze_joint_positions
    return palms[:, 0], np.stack([opened, batch.joint_positions, pressed])[:, 0], batch.way.lift_direction[0]


def _config(base: LiftConfig | None = None, **changes) -> LiftConfig:
    """Jaws as soft as the tests reckon with."""
    drive = DrivePhysics(stiffness=_STIFFNESS * 0.05**2, damping=0.05, max_torque=3.0)
    return replace(base or LiftConfig(), **{"drive": drive, **changes})


def _lift(
    hand: Hand, batch: GraspBatch, config: LiftConfig | None = None, obj: RigidObject | None = None, **options
) -> LiftResult:
    obj = obj or make_block()
    options = {"object_pieces": [obj.mesh], **options}
    return asyncio.run(measure_lift(simulate, hand, obj, batch, config or _config(), **options))


def _with_friction(friction: float) -> LiftConfig:
    config = _config()
    return replace(config, physics=replace(config.physics, friction=friction))


class TestOutcomes:
    """What becomes of one grasp."""

    def test_jaws_that_press_enough_lift_the_block_straight_up(self, jaws):
        result = _lift(jaws, _grasp())
        assert (result.lifted.tolist(), result.reasons) == ([True], ("",))
        assert result.drift[0] < 0.002
        assert result.tilt[0] < np.radians(1.0)
        assert result.score is None

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("squeeze", "friction", "lifted"),
        [(_ENOUGH, 0.6, True), (_ENOUGH, 0.0, False), (_TOO_LITTLE, 0.6, False), (_TOO_LITTLE, 2.0, True)],
    )
    def test_friction_decides_as_coulomb_says(self, jaws, squeeze: float, friction: float, lifted: bool):
        result = _lift(jaws, _grasp(squeeze), _with_friction(friction))
        assert (result.lifted.tolist(), result.reasons) == ([lifted], ("" if lifted else SLIPPED,))
        if not lifted:
            np.testing.assert_allclose(result.drift, 0.1, atol=0.003)

    def test_a_hand_beside_the_block_does_not_touch_it(self, jaws):
        result = _lift(jaws, _grasp(aside=(0.2, 0.0, 0.0)))
        assert result.reasons == (SLIPPED,)
        np.testing.assert_allclose(result.drift, 0.1, atol=1e-4)
        np.testing.assert_allclose(result.tilt, 0.0, atol=1e-3)

    def test_a_hand_that_is_to_reach_below_the_table_is_not_tried(self, jaws):
        below = -(GRASP_HEIGHT - 0.06 - LENGTH / 2)
        for depth, reason in ((0.0005, ""), (0.002, TOUCHED_TABLE)):
            result = _lift(jaws, _grasp(aside=(0.0, 0.0, below - depth)))
            assert result.reasons == (reason,)
        assert np.isnan(result.drift[0])

    def test_a_pregrasp_in_the_block_is_no_start(self, jaws):
        result = _lift(jaws, _grasp(pregrasp=(0.035, 0.0, 0.0)))
        assert (result.lifted.tolist(), result.reasons) == ([False], (PENETRATES,))

    def test_a_jaw_that_ends_in_the_block_is_not_tried(self, jaws):
        result = _lift(jaws, _grasp(aside=(SIZE[0] / 2 + OPENING, 0.0, 0.0)))
        assert (result.lifted.tolist(), result.reasons) == ([False], (PIERCED,))
        assert np.isnan(result.drift[0])

    def test_a_hand_that_comes_from_the_side_pushes_the_block_away(self, jaws):
        result = _lift(jaws, _grasp(hover=(-0.15, 0.0, 0.0), pregrasp=(-0.2, 0.0, 0.0), aside=(0.1, 0.0, 0.0)))
        assert result.reasons == (PUSHED_AWAY,)

    def test_a_block_held_at_its_edge_turns(self, jaws):
        result = _lift(jaws, _grasp(aside=(0.0, 0.018, 0.02)))
        assert result.reasons == (TILTED,)
        assert np.degrees(result.tilt[0]) > 15.0

    def test_rows_that_are_not_finite_are_not_usable_and_cost_the_others_nothing(self, jaws):
        rows = [_grasp() for _ in range(4)]
        rows[0].T_object_palm[0, 0] = np.nan
        rows[1].way.table_plane[:] = np.nan
        rows[3].way.T_object_hover_palm[:] = np.nan
        result = _lift(jaws, join_batches(rows))
        assert result.reasons == (NOT_USABLE, NOT_USABLE, "", NOT_USABLE)
        assert np.isnan(result.drift).tolist() == [True, True, False, True]
        assert _lift(jaws, rows[0]).lifted.tolist() == [False]

    def test_grasps_without_a_way_are_refused(self, jaws):
        with pytest.raises(GraspdError, match="with a checked approach over a table"):
            _lift(jaws, replace(_grasp(), way=None))

    @pytest.mark.slow
    def test_a_light_press_carries_and_loses_when_it_is_shaken(self, jaws):
        batch = _grasp()
        still = LiftPhases(lift=0.6, lift_height=0.2)
        shaken = replace(still, shake=0.5, shake_amplitude=0.08)
        ours = _config(LiftConfig.of("ours"))
        assert _lift(jaws, batch, replace(ours, phases=still)).lifted[0]
        assert _lift(jaws, batch, replace(ours, phases=shaken)).reasons == (SLIPPED,)

    @pytest.mark.slow
    def test_what_is_watched_from_the_lift_on_sways_more_than_at_the_end(self, jaws):
        """Between springs of 1 kN/m, 0.1 kg that is shaken by 12.6 m/s2 sways by more than a millimetre."""
        ours = _config(LiftConfig.of("ours"))
        swayed = _lift(jaws, _grasp(2 * _ENOUGH), ours)
        ended = _lift(jaws, _grasp(2 * _ENOUGH), replace(ours, watch="end"))
        assert swayed.drift[0] > ended.drift[0] + 1e-3
        assert swayed.lifted[0]


class TestIndependence:
    """What a grasp does depends on its number, not on the others, on frames or on what was done before."""

    @pytest.mark.slow
    def test_alone_and_side_by_side_a_grasp_has_the_same_bits(self, jaws):
        squeezes = [_ENOUGH, _TOO_LITTLE, 2 * _ENOUGH, 0.9 * _ENOUGH, 0.0]
        rows = [_grasp(squeeze, aside=(0.0, 0.001 * k, 0.0)) for k, squeeze in enumerate(squeezes)]
        indices = [3, 11, 4, 19, 0]  # three of them in one place, one after the other
        together = _lift(jaws, join_batches(rows), indices=indices)
        assert len(set(together.drift)) == len(rows)
        for k in (4, 1, 0, 3):
            alone = _lift(jaws, rows[k], indices=[indices[k]])
            assert (alone.drift[0], alone.tilt[0]) == (together.drift[k], together.tilt[k])

    @pytest.mark.slow
    def test_the_object_frame_may_be_turned_in_any_way(self, jaws):
        straight = _lift(jaws, _grasp())
        for angles in ([2.5, 0.4, -1.0], [np.pi, 0.0, 0.0]):
            T_object_table = np.array([0.3, -0.2, 0.1, *Rotation.from_euler("xyz", angles).as_quat()])
            turned = _lift(jaws, _grasp(T_object_table=T_object_table), obj=make_block(T_object_table))
            assert turned.lifted[0]
            np.testing.assert_allclose(turned.drift, straight.drift, atol=5e-4)

    def test_as_many_indices_as_grasps_are_needed(self, jaws):
        with pytest.raises(GraspdError, match=r"expected one index per grasp \(1\), got 2"):
            _lift(jaws, _grasp(), indices=[0, 1])


class TestScore:
    """Tries with errors."""

    @pytest.mark.slow
    def test_without_an_error_the_score_is_the_outcome(self, jaws):
        batch = join_batches([_grasp(), _grasp(_TOO_LITTLE), _grasp(pregrasp=(0.035, 0.0, 0.0)), _grasp()])
        batch.T_object_palm[3] = np.nan
        result = _lift(jaws, batch, _config(noise=LiftNoise(count=2, position=0.0, angle=0.0)))
        np.testing.assert_array_equal(result.score, [1.0, 0.0, 0.0, np.nan])

    @pytest.mark.slow
    def test_errors_follow_from_seed_and_index(self, jaws):
        noise = LiftNoise(count=4, position=0.04, angle=0.0)
        batch = join_batches([_grasp() for _ in range(3)])
        first, second, other = (
            _lift(jaws, batch, _config(noise=n), indices=i).score
            for n, i in ((noise, [0, 1, 8]), (noise, [8, 0, 1]), (replace(noise, seed=1), [0, 1, 8]))
        )
        assert np.array_equal(first, second[[1, 2, 0]])
        assert not np.array_equal(first, other)
        assert 0.0 < first.mean() < 1.0


class TestProtocols:
    """Settings by name."""

    @pytest.mark.slow
    @pytest.mark.parametrize("name", get_args(LiftProtocol))
    def test_each_lifts_with_strong_jaws_and_not_without_a_squeeze(self, jaws, name: LiftProtocol):
        config = replace(LiftConfig.of(name), drive=replace(LiftConfig.of(name).drive, damping=0.1))
        batch = join_batches([_grasp(0.004), _grasp(-0.005)])
        result = _lift(jaws, batch, config)
        assert result.reasons == ("", SLIPPED)
        np.testing.assert_allclose(
            result.drift[1], config.phases.lift_height, atol=0.005 + config.phases.shake_amplitude
        )

    def test_numbers_are_those_of_the_papers(self):
        bench, hard, net = (LiftConfig.of(name) for name in get_args(LiftProtocol)[:3])
        assert bench == LiftConfig()
        assert (bench.physics.friction, hard.physics.friction, net.physics.friction) == (0.6, 0.3, 1.0)
        assert (bench.phases.lift_height, net.phases.lift_height) == (0.1, 0.2)
        assert (bench.largest_drift, np.degrees(bench.largest_tilt), net.least_rise) == (0.05, pytest.approx(15), 0.03)
        assert (bench.object_mass, bench.pregrasp_depth, net.gravity_from) == (0.1, 0.01, "squeeze")

    def test_an_unknown_name_is_refused(self):
        with pytest.raises(GraspdError, match=r"one of dexgraspbench, .* got 'mine'"):
            LiftConfig.of("mine")

    @pytest.mark.slow
    def test_gravity_may_wait_for_the_squeeze(self, jaws):
        """A block in the air is still there when the jaws close, or long gone."""
        batch = _grasp(2 * _ENOUGH)
        batch.joint_positions[:] += 0.5 * _ENOUGH
        batch.way.table_plane[:, 3] -= 0.1
        for gravity_from, reason in (("squeeze", ""), ("start", PUSHED_AWAY)):
            assert _lift(jaws, batch, _config(gravity_from=gravity_from)).reasons == (reason,)


class TestStage:
    """Eight places on a table."""

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["allegro", "barrett", "shadow"])
    def test_hands_in_free_air_are_where_they_should_be(self, name: str):
        """Coupled joints, links that overlap, and weight: nothing bends a hand that touches nothing."""
        hand, block = load_hand(name), make_block()
        opened = hand.joint_positions(hand.open_positions)
        middle = hand.joint_positions(0.5 * (hand.joint_lower + hand.joint_upper)[hand.actuated])
        turn = Rotation.from_euler("xyz", [0.5, 0.6, 0.7]).as_quat()
        palms = np.array([[0.5, 0.2, 0.8, *turn], [0.5, 0.3, 0.8, *turn], [0.4, 0.2, 0.7, 0, 0, 0, 1]])
        motion = HandMotion(np.array([0.0, 0.2, 0.5]), palms, np.stack([opened, middle, middle]))
        config = LiftConfig()
        stage = LiftStage(hand, hand_colliders(hand), block, [block.mesh], config.physics, config.drive)
        for place in range(len(PLACES)):
            stage.put(place, IDENTITY, motion)
        watch = SimulateConfig(time_step=config.time_step, max_time=1.0, rest_time=np.inf, record_interval=0.5)
        result = asyncio.run(simulate(stage.stage, watch))
        for place in (0, 5):
            names = [f"/World/place_{place}/link_{index}" for index in range(1, len(hand.links))]
            links = result.poses[-1, [result.body_paths.index(path) for path in names], :3]
            expected = link_poses(hand, palms[-1], middle)[1:, :3] + np.append(PLACES[place], 0.0)
            np.testing.assert_allclose(links, expected, atol=3e-4)
            block_at = result.poses[-1, result.body_paths.index(object_path(place)), :3]
            np.testing.assert_allclose(block_at, [*PLACES[place], SIZE[2] / 2], atol=1e-4)

    def test_places_do_not_see_each_other(self, jaws):
        block, config = make_block(), _config()
        way = hand_way(np.array([0, 0, 1.0, 0]), block.center_of_mass, *_way_of(_grasp(2 * _ENOUGH)))
        stage = LiftStage(jaws, hand_colliders(jaws), block, [block.mesh], config.physics, config.drive)
        motion = hand_motion(way, config.phases)
        for place in range(len(PLACES)):
            stage.put(place, way.T_world_object, motion)
        # The second place's block in the first one's hand, besides its own.
        away = way.T_world_object.copy()
        away[:2] += PLACES[0] - PLACES[1]
        stage.put(1, away, motion)
        watch = SimulateConfig(time_step=config.time_step, max_time=config.phases.starts["end"], rest_time=np.inf)
        result = asyncio.run(simulate(stage.stage, watch))
        first, second = (result.poses[-1, result.body_paths.index(object_path(place)), :3] for place in (0, 1))
        np.testing.assert_allclose(first, [*PLACES[0], SIZE[2] / 2 + 0.1], atol=2e-3)
        np.testing.assert_allclose(second, [*PLACES[0], SIZE[2] / 2], atol=1e-4)


class TestMotion:
    """Where palm and joints are told to go."""

    def test_it_passes_the_given_poses_at_rest(self):
        turn = Rotation.from_euler("y", 40, degrees=True).as_quat()
        palms = np.array([[0.1, 0, 0.4, 0, 0, 0, 1], [0, 0, 0.3, 0, 0, 0, 1], [0, 0, 0.2, *turn]])
        joints = np.array([[0.0, 0.0], [0.4, 0.2], [0.5, 0.1]])
        way = hand_way(np.array([0, 0, 1, 0.05]), np.array([0, 0, 0.1]), palms, joints, np.array([0, 0, 1.0]))
        phases = LiftPhases(shake=0.5)
        motion, at = hand_motion(way, phases), phases.starts
        rows = {name: np.argmin(np.abs(motion.times - time)) for name, time in at.items()}
        down = np.array([0, 0, -0.05, 0, 0, 0, 0])
        for name, palm, joint in (
            ("approach", palms[0], joints[0]),
            ("closing", palms[1], joints[0]),
            ("squeeze", palms[2], joints[1]),
            ("lift", palms[2], joints[2]),
            ("hold", palms[2] - 2 * down, joints[2]),
            ("shake_x", palms[2] - 2 * down, joints[2]),
            ("end", palms[2] - 2 * down, joints[2]),
        ):
            row = rows[name]
            np.testing.assert_allclose(motion.times[row], at[name], atol=1e-9)
            np.testing.assert_allclose(motion.T_world_palm[row], palm + down, atol=1e-9)
            np.testing.assert_allclose(motion.joint_positions[row], joint, atol=1e-9)
            if 0 < row < len(motion.times) - 1:
                around = motion.T_world_palm[[row - 1, row, row + 1], :3]
                assert np.linalg.norm(np.diff(around, axis=0), axis=1).max() < 0.002
        shaken = motion.T_world_palm[rows["shake_x"] :, :2] - palms[2, :2]
        assert 0.017 < np.abs(shaken).max(axis=0).min() <= np.abs(shaken).max() <= 0.02
        path, closing = closing_path(way, 3)
        np.testing.assert_allclose(path[[0, 2]], palms[1:] + down, atol=1e-9)
        half = Rotation.from_quat(path[1, 3:]).as_euler("xyz", degrees=True)
        np.testing.assert_allclose(half, [0, 20, 0], atol=1e-9)
        np.testing.assert_allclose(closing[1], [0.2, 0.1], atol=1e-9)
