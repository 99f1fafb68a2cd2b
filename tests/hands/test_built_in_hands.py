# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What every built-in hand's file holds: closed links, convex colliders, a consistent posture, no findings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from pxr import Usd, UsdGeom, UsdPhysics

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.library import list_names
from omni_graspd.usd.meshes import mesh_prims, read_mesh
from omni_graspd.usd.semantics import read_label
from omni_graspd.usd.transforms import IDENTITY

_HANDS = Path(__file__).resolve().parents[2] / "data" / "hands"


@pytest.fixture(scope="module", params=list_names("hands"))
def hand(request: pytest.FixtureRequest) -> Hand:
    return load_hand(request.param)


def test_every_link_is_one_closed_surface_that_points_out(hand: Hand) -> None:
    for link in hand.links:
        surface = trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False)
        assert surface.is_watertight and surface.is_winding_consistent, link.name
        assert surface.body_count == 1, link.name
        assert surface.volume > 0.0, link.name
        assert link.mass > 0.0, link.name
        # Joints lie inside or next to the link that they move.
        assert np.linalg.norm(surface.bounds, axis=1).max() < 0.16, link.name


def test_collision_pieces_are_small_convex_and_cover_the_links(hand: Hand) -> None:
    stage = Usd.Stage.Open(str(hand.source))
    bodies = [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    assert len(bodies) >= len(hand.links)
    for body in bodies:
        pieces = [p for p in mesh_prims(body, ("guide",)) if p.HasAPI(UsdPhysics.CollisionAPI)]
        assert pieces, body.GetName()
        meshes = [read_mesh(prim) for prim in pieces]
        hulls = [trimesh.Trimesh(mesh.vertices, mesh.faces, process=False) for mesh in meshes]
        for hull in hulls:
            assert len(hull.vertices) <= 64, body.GetName()
            assert hull.is_watertight, body.GetName()
            assert hull.volume == pytest.approx(hull.convex_hull.volume, rel=1e-3), body.GetName()
        seen = read_mesh(stage.GetPrimAtPath(f"{body.GetPath()}/visuals")).vertices
        outside = np.min([_distance_out_of_hull(hull, seen) for hull in hulls], axis=0)
        # The hubs below the Allegro's fingers stand out most.
        assert outside.max() < 0.003, body.GetName()


def _distance_out_of_hull(hull: trimesh.Trimesh, points: np.ndarray) -> np.ndarray:
    """Return how far points lie outside the farthest face's plane [m]."""
    offsets = points[:, None, :] - hull.triangles_center
    return np.einsum("pfk,fk->pf", offsets, hull.face_normals).max(axis=1)


def test_links_stand_where_the_joint_frames_put_them(hand: Hand) -> None:
    """Isaac Sim and PhysX start from the transforms in the file: they have to agree with the joints."""
    stage = Usd.Stage.Open(str(hand.source))
    positions = np.clip(0.0, hand.joint_lower, hand.joint_upper)
    cache = UsdGeom.XformCache()
    for pose, link in zip(link_poses(hand, IDENTITY, positions), hand.links, strict=True):
        placed = cache.GetLocalToWorldTransform(stage.GetPrimAtPath(link.prim_path))
        np.testing.assert_allclose(np.array(placed.ExtractTranslation()), pose[:3], atol=1e-7, err_msg=link.name)
        rotation = placed.ExtractRotationQuat()
        quaternion = np.array([*rotation.GetImaginary(), rotation.GetReal()])
        assert abs(quaternion @ pose[3:]) == pytest.approx(1.0, abs=1e-9), link.name


def test_open_posture_is_within_the_limits(hand: Hand) -> None:
    positions = hand.joint_positions(hand.open_positions)
    assert np.all(positions >= hand.joint_lower) and np.all(positions <= hand.joint_upper)


def test_hand_is_labelled(hand: Hand) -> None:
    assert read_label(Usd.Stage.Open(str(hand.source)).GetDefaultPrim()) == f"{hand.name}_hand"


@pytest.mark.slow
def test_usd_validators_find_nothing(hand: Hand, usd_findings) -> None:
    findings = usd_findings(hand.source)
    # Our own assets are text, so that git shows what a change of a generator does; they are small.
    assert [finding for finding in findings if "UsdAsciiPerformanceChecker" not in finding] == []


@pytest.mark.slow
def test_generator_writes_the_committed_files(hand: Hand, tmp_path: Path) -> None:
    pytest.importorskip("manifold3d")
    command = [sys.executable, str(_HANDS / f"generate_{hand.name}.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for name in (hand.source.name, "hand.toml"):
        assert (tmp_path / name).read_bytes() == (hand.source.parent / name).read_bytes(), name
