# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Links that pass through other links: rods in closed form, trimesh's rays, and grasps of which none may."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from table_bench import table

from omni_graspd.hands.collidable_pairs import collidable_link_pairs
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.skeleton import hand_skeleton
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis import crossed_links as crossed_links_module
from omni_graspd.synthesis import search
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.crossed_links import crossed_links
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY

_RADIUS, _LENGTH, _APART = 0.008, 0.08, 0.1
_NONE, _BOTH = [False] * 4, [False, True, True, False]


def _capsule(center: tuple[float, float, float], *, lying: bool) -> TriangleMesh:
    """Return a capsule along z, or along y if it is lying."""
    shape = trimesh.creation.capsule(height=_LENGTH, radius=_RADIUS, count=[24, 24])
    shape.apply_translation(-shape.bounds.mean(axis=0))
    if lying:
        shape.apply_transform(trimesh.transformations.rotation_matrix(0.5 * np.pi, [1, 0, 0]))
    shape.apply_translation(center)
    return TriangleMesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


def _rods(open_positions: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Hand:
    """Return a hand whose links slide along x: a rod along z, a bar along y 10 cm in front of it, both on a far palm.

    A tip on a joint of the rod passes through the rod's upper half.
    """
    meshes = (
        _capsule((0.0, 0.0, -1.0), lying=False),
        _capsule((0.0, 0.0, 0.0), lying=False),
        _capsule((_APART, 0.0, -0.01), lying=True),
        _capsule((0.0, 0.0, 0.03), lying=True),
    )
    axis, zeros = np.array([1.0, 0.0, 0.0]), np.zeros(3)

    def link(number: int, name: str, parent: int) -> Link:
        kind, joint = ("root", -1) if parent < 0 else ("prismatic", number - 1)
        return Link(name, f"/{name}", parent, joint, kind, axis, IDENTITY, IDENTITY, meshes[number], 0.1)

    return Hand(
        name="rods",
        source=Path("rods"),
        links=(link(0, "palm", -1), link(1, "rod", 0), link(2, "bar", 0), link(3, "tip", 1)),
        joint_names=("rod", "bar", "tip"),
        joint_lower=zeros - 0.2,
        joint_upper=zeros + 0.2,
        actuated=np.arange(3),
        coupling=np.eye(3),
        coupling_offset=zeros,
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=zeros,
        open_positions=np.array(open_positions),
    )


def _crossed_at(hand: Hand, *gaps: float) -> list[list[bool]]:
    """Return which links are crossed where the axes of rod and bar are so far apart [m]."""
    joints = np.array([[_APART - gap, 0.0, 0.0] for gap in gaps])
    return crossed_links(hand, joints).tolist()


def test_a_bar_through_a_rod_crosses_it_and_one_beside_it_does_not():
    rods = _rods()
    assert _crossed_at(rods, 0.0, 0.005, -0.005) == [_BOTH] * 3
    assert _crossed_at(rods, 2.0 * _RADIUS + 0.001, -2.0 * _RADIUS - 0.001, _APART) == [_NONE] * 3


def test_rods_that_touch_do_not_cross():
    assert _crossed_at(_rods(), 2.0 * _RADIUS, 2.0 * _RADIUS - 0.001, -2.0 * _RADIUS + 0.001) == [_NONE] * 3


def test_a_joint_leaves_out_its_two_links():
    """The tip is in the rod in all postures; only with the bar may it cross, which here is below."""
    rods = _rods()
    assert not collidable_link_pairs(rods)[1, 3] and collidable_link_pairs(rods)[2, 3]
    assert _crossed_at(rods, _APART) == [_NONE]


def test_links_that_cross_in_the_open_posture_are_left_out():
    crossed_by_design = _rods((_APART, 0.0, 0.0))
    assert _crossed_at(crossed_by_design, 0.0, 0.003, _APART) == [_NONE] * 3


def test_surfaces_live_until_they_were_looked_at(monkeypatch):
    """The cache need not hold them: two threads that ask first at the same time get one set each, and it keeps one."""
    monkeypatch.setattr(crossed_links_module, "_device_links", crossed_links_module._device_links.__wrapped__)
    rods = _rods()
    for _ in range(20):
        assert _crossed_at(rods, 0.0, _APART) == [_BOTH, _NONE]


def test_a_hand_with_nothing_to_cross_and_a_batch_of_none():
    rods = _rods()
    alone = replace(rods, links=rods.links[:1])
    assert crossed_links(alone, np.zeros((2, 3))).tolist() == [[False]] * 2
    assert crossed_links(rods, np.zeros((0, 3))).shape == (0, 4)


def crossed_by_rays(hand: Hand, joint_positions: np.ndarray) -> np.ndarray:
    """Tell by trimesh's rays which links have a bone that the surface of another one cuts, in all collidable pairs.

    Shape [hand_count, link_count], bool.
    """
    skeleton, pairs = hand_skeleton(hand), collidable_link_pairs(hand)
    poses = link_matrices(hand, IDENTITY, joint_positions)
    crossed = np.zeros(poses.shape[:2], dtype=bool)
    for other, link in enumerate(hand.links):
        lines = np.flatnonzero(skeleton.bones & pairs[skeleton.link_index, other])
        T_other_link = np.linalg.inv(poses[:, other])[:, None] @ poses[:, skeleton.link_index[lines]]
        starts, ends = (
            (np.einsum("glij,lj->gli", T_other_link[..., :3, :3], points[lines]) + T_other_link[..., :3, 3])
            for points in (skeleton.starts, skeleton.ends)
        )
        along = (ends - starts).reshape(-1, 3)
        lengths = np.linalg.norm(along, axis=1)
        surface = trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False)
        hits, rays, _ = surface.ray.intersects_location(starts.reshape(-1, 3), along / lengths[:, None])
        hits = np.reshape(hits, (-1, 3))  # older versions return an empty list where nothing is hit
        rays = rays[np.linalg.norm(hits - starts.reshape(-1, 3)[rays], axis=1) < lengths[rays]]
        crossed[rays // len(lines), skeleton.link_index[lines[rays % len(lines)]]] = True
    return crossed


def _random_postures(hand: Hand, count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(hand.joint_lower, hand.joint_upper, size=(count, hand.joint_count))


@pytest.mark.slow
def test_random_postures_agree_with_trimesh_and_do_not_depend_on_the_batch(hand):
    joints = _random_postures(hand, 80)
    assert not crossed_by_rays(hand, hand.joint_positions(hand.open_positions)[None]).any()
    crossed = crossed_links(hand, joints)
    np.testing.assert_array_equal(crossed, crossed_by_rays(hand, joints))
    assert 5 <= crossed.any(axis=1).sum() <= 40
    np.testing.assert_array_equal(crossed[7], crossed_links(hand, joints[7:8])[0])


@pytest.mark.slow
def test_no_finger_passes_through_another_in_grasps_of_a_box_on_a_table(hand):
    """Without further tries some do, so that there is something to avoid."""
    box = load_object("card_box")
    batch = asyncio.run(synthesize(hand, box, range(24), SynthesisConfig(), seed=0, surroundings=table(box)))
    crossed = crossed_by_rays(hand, batch.joint_positions).any(axis=1)
    assert not crossed[batch.ok].any()
    assert batch.ok.sum() >= 22
    assert any(reasons.startswith("crossed: ") for reasons in batch.way.rejected)


def _starting_from(monkeypatch: pytest.MonkeyPatch, hand: Hand, joints: list[np.ndarray]) -> None:
    """Let the candidates of each grasp start in these postures, far from any object."""

    def starts(hand, obj, indices, *arguments, candidates, **options):
        assert candidates == len(joints)
        poses = np.tile([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], (len(indices) * candidates, 1))
        return poses, np.tile([posture[hand.actuated] for posture in joints], (len(indices), 1))

    monkeypatch.setattr(search, "sample_starts", starts)


_STILL = SynthesisConfig(
    iterations=1, point_count=400, tries=2, translation_rate=0.0, rotation_rate=0.0, joint_rate=0.0
)


def test_a_crossed_grasp_is_not_ok_and_says_which_links(hand, monkeypatch):
    crossed = next(joints for joints in _random_postures(hand, 80) if crossed_links(hand, joints[None]).any())
    _starting_from(monkeypatch, hand, [crossed])
    config = replace(_STILL, draft=DraftConfig(candidates=1, iterations=0))
    batch = asyncio.run(synthesize(hand, load_object("card_box"), range(2), config, seed=0))
    assert batch.crossed.all() and not batch.ok.any() and not batch.pierced.any()
    names = {link.name for link in hand.links}
    for status in batch.status:
        assert status.startswith("crossed: ")
        for pair in status.removeprefix("crossed: ").split(", "):
            assert set(pair.split(" passes through ")) <= names


def test_a_candidate_of_the_draft_that_crosses_comes_last(hand, monkeypatch):
    opened = hand.joint_positions(hand.open_positions)
    crossed = next(joints for joints in _random_postures(hand, 80) if crossed_links(hand, joints[None]).any())
    config = replace(_STILL, draft=DraftConfig(candidates=2, iterations=1))
    for candidates in ([crossed, opened], [opened, crossed]):
        _starting_from(monkeypatch, hand, candidates)
        batch = asyncio.run(synthesize(hand, load_object("card_box"), range(2), config, seed=0))
        np.testing.assert_allclose(batch.joint_positions, [opened, opened], atol=1e-6)
