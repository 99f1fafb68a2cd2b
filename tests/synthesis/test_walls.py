# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps of thin-walled objects: no link passes through a wall, in the air or on the table."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from table_bench import table

from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_matrices
from omni_graspd.hands.placed_hands import PlacedHands
from omni_graspd.hands.skeleton import hand_skeleton
from omni_graspd.inspection.reoptimization import reoptimize
from omni_graspd.objects.object_library import load_object
from omni_graspd.synthesis import search
from omni_graspd.synthesis.config import DraftConfig, SynthesisConfig
from omni_graspd.synthesis.surroundings import NOTHING
from omni_graspd.synthesis.synthesizer import synthesize
from omni_graspd.synthesis.thin_walls import thin_walled
from omni_graspd.synthesis.walls import sphere_depths

_QUICK = SynthesisConfig(iterations=80, point_count=600, draft=DraftConfig(iterations=40, candidates=2))
_AROUND = ("nothing", "table")


def bones_cut(hand, obj, T_object_palm, joint_positions) -> np.ndarray:
    """Tell by trimesh's rays which hands have a bone that the object's surface cuts."""
    skeleton, surface = hand_skeleton(hand), trimesh.Trimesh(obj.mesh.vertices, obj.mesh.faces, process=False)
    poses = link_matrices(hand, T_object_palm, joint_positions)[:, skeleton.link_index[skeleton.bones]]
    starts, ends = (
        np.einsum("glij,lj->gli", poses[..., :3, :3], points[skeleton.bones]) + poses[..., :3, 3]
        for points in (skeleton.starts, skeleton.ends)
    )
    along = (ends - starts).reshape(-1, 3)
    lengths = np.linalg.norm(along, axis=1)
    hits, rays, _ = surface.ray.intersects_location(starts.reshape(-1, 3), along / lengths[:, None])
    cut = np.zeros(len(lengths), dtype=bool)
    cut[rays[np.linalg.norm(hits - starts.reshape(-1, 3)[rays], axis=1) < lengths[rays]]] = True
    return cut.reshape(len(poses), -1).any(axis=1)


@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("barrett", "nothing"),
        pytest.param("barrett", "table", marks=pytest.mark.slow),
        *(pytest.param(name, at, marks=pytest.mark.slow) for name in ("allegro", "shadow") for at in _AROUND),
    ],
)
def test_no_hand_has_a_wall_of_the_bowl_in_it(name, around):
    hand, bowl = load_hand(name), load_object("bowl")
    surroundings = table(bowl) if around == "table" else NOTHING
    batch = asyncio.run(synthesize(hand, bowl, range(12), _QUICK, seed=0, surroundings=surroundings))
    pierced = bones_cut(hand, bowl, batch.T_object_palm, batch.joint_positions)
    assert not pierced[batch.ok].any()
    assert pierced.sum() <= 1
    distance = SignedDistance.build(bowl.mesh, closed=True, device="cpu")
    assert np.median(sphere_depths(PlacedHands.of(hand, batch.T_object_palm, batch.joint_positions), distance)) < 0.0035


def test_a_pierced_grasp_is_not_ok_and_says_which_links(hand, monkeypatch):
    bowl = load_object("bowl")
    rim = bowl.mesh.vertices[bowl.mesh.vertices[:, 0].argmax()]

    def in_the_wall(hand, obj, indices, *arguments, **options):
        pose = np.array([*rim - hand.approach_point, 0.0, 0.0, 0.0, 1.0])
        return np.tile(pose, (len(indices), 1)), np.tile(hand.open_positions, (len(indices), 1))

    monkeypatch.setattr(search, "sample_starts", in_the_wall)
    still = {"translation_rate": 0.0, "rotation_rate": 0.0, "joint_rate": 0.0, "iterations": 1, "tries": 2}
    config = replace(_QUICK, draft=DraftConfig(candidates=1, iterations=0), **still)
    batch = asyncio.run(synthesize(hand, bowl, range(2), config, seed=0))
    assert batch.pierced.all() and not batch.ok.any()
    for status in batch.status:
        assert status.startswith("pierced: the object passes through ")
        assert set(status.split("through ")[1].split(", ")) <= {link.name for link in hand.links}


def test_objects_are_thin_walled_or_not():
    thin = {"mug": True, "bowl": True, "screwdriver": True, "wood_block": False, "card_box": False}
    for name, expected in thin.items():
        mesh = load_object(name).mesh
        assert thin_walled(SignedDistance.build(mesh, closed=True, device="cpu")) == expected


def test_a_hand_dragged_through_a_wall_is_formed_anew_outside_it(hand):
    mug = load_object("mug")
    config = SynthesisConfig(iterations=60, point_count=400)
    batch = asyncio.run(synthesize(hand, mug, range(3), _QUICK, seed=0))
    random = np.random.default_rng(0)
    results, dragged_through = [], 0
    for drag in range(12):
        pose = batch.T_object_palm[drag % 3].copy()
        pose[:3] += random.uniform(-0.04, 0.04, size=3)
        joints = batch.joint_positions[drag % 3]
        dragged_through += bones_cut(hand, mug, pose[None], joints[None])[0]
        results.append(list(reoptimize(hand, mug, pose, joints, config))[-1])
    assert dragged_through >= 4
    poses = np.array([result.T_object_palm for result in results])
    joints = np.array([result.joint_positions for result in results])
    assert not bones_cut(hand, mug, poses, joints).any()
