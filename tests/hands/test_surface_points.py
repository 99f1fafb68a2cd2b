# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Points on the outside of a hand, and spheres inside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.hands.collision_spheres import self_collision_spheres
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.surface_points import sample_surface_points
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, transform_points


def _box_link(name: str, parent: int, size: tuple[float, float, float], position: tuple[float, float, float]) -> Link:
    box = trimesh.creation.box(size)
    mesh = TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32))
    frame = np.array([*position, 0.0, 0.0, 0.0, 1.0])
    kind = "root" if parent < 0 else "fixed"
    return Link(name, f"/hand/{name}", parent, -1, kind, np.array([1.0, 0, 0]), frame, IDENTITY, mesh, 0.1)


def _welded_hand(*links: Link) -> Hand:
    nothing = np.zeros(0)
    return Hand(
        name="blocks",
        source=Path("blocks.usda"),
        links=links,
        joint_names=(),
        joint_lower=nothing,
        joint_upper=nothing,
        actuated=np.zeros(0, dtype=np.int64),
        coupling=np.zeros((0, 0)),
        coupling_offset=nothing,
        approach_direction=np.array([0.0, 0.0, 1.0]),
        approach_point=np.zeros(3),
        open_positions=nothing,
    )


@pytest.fixture(scope="module")
def allegro() -> Hand:
    return load_hand("allegro")


def test_areas_add_up_to_the_free_surface() -> None:
    # Half of the small cube sticks out of the large one.
    hand = _welded_hand(
        _box_link("palm", -1, (0.1, 0.1, 0.1), (0.0, 0.0, 0.0)),
        _box_link("knob", 0, (0.04, 0.04, 0.04), (0.0, 0.0, 0.05)),
    )
    points = sample_surface_points(hand, 2000)
    free = (0.06 - 0.04**2) + (0.04**2 + 4 * 0.04 * 0.02)
    assert points.areas.sum() == pytest.approx(free, rel=0.03)


def test_surface_across_a_narrow_gap_is_covered() -> None:
    # 1 mm between the two: no object fits in there.
    hand = _welded_hand(
        _box_link("palm", -1, (0.1, 0.1, 0.02), (0.0, 0.0, 0.0)),
        _box_link("plate", 0, (0.1, 0.1, 0.02), (0.0, 0.0, 0.021)),
    )
    points = sample_surface_points(hand, 1000)
    heights = points.positions[:, 2] + 0.021 * points.link_index
    assert not np.any((np.abs(points.normals[:, 2]) > 0.9) & (np.abs(heights - 0.0105) < 0.002))


def test_points_lie_on_their_links_and_normals_point_out(allegro: Hand) -> None:
    points = sample_surface_points(allegro, 600)
    assert len(points.areas) == pytest.approx(600, abs=10)
    assert np.all(np.diff(points.link_index) >= 0)
    np.testing.assert_allclose(np.linalg.norm(points.normals, axis=1), 1.0, atol=1e-6)
    for index in (0, 1, 2, 4):
        mesh = allegro.links[index].mesh
        surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
        mine = points.link_index == index
        # trimesh is not better than this on the sliver triangles that booleans leave.
        assert np.abs(trimesh.proximity.signed_distance(surface, points.positions[mine])).max() < 1e-4
        assert not surface.contains(points.positions[mine] + 1e-4 * points.normals[mine]).any()


def test_points_are_spread_evenly(allegro: Hand) -> None:
    points = sample_surface_points(allegro, 600)
    poses = link_poses(allegro, IDENTITY, allegro.joint_positions(allegro.open_positions))
    placed = np.array(
        [transform_points(poses[k], p[None])[0] for k, p in zip(points.link_index, points.positions, strict=True)]
    )
    distances = np.linalg.norm(placed[:, None] - placed[None], axis=-1)
    for link in (0, 2, 4):
        mine = points.link_index == link
        nearest = np.sort(distances[np.ix_(mine, mine)], axis=1)[:, 1]
        # A square grid of cells of this area has this spacing; on thin plates points avoid the other face, too.
        assert nearest.min() > 0.45 * np.sqrt(points.areas[mine][0])


@pytest.mark.slow
def test_same_seed_same_points_and_other_seed_other_points(allegro: Hand) -> None:
    sample = sample_surface_points.__wrapped__  # which does not keep what it returned
    first, again, other = (sample(allegro, 200, seed).positions for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[: len(other)], other[: len(first)])


def test_spheres_stay_inside_solid_links_and_reach_their_ends() -> None:
    hand = _welded_hand(_box_link("palm", -1, (0.02, 0.03, 0.1), (0.0, 0.0, 0.0)))
    spheres = self_collision_spheres(hand)
    reach = np.abs(spheres.centers) + spheres.radii[:, None]
    assert np.all(reach <= np.array([0.01, 0.015, 0.05]) + 1e-6)
    assert reach[:, 2].max() > 0.045
    assert spheres.radii.max() == pytest.approx(0.01, abs=1e-6)


def test_neighbours_and_links_that_touch_when_open_may_overlap(allegro: Hand) -> None:
    ignored = self_collision_spheres(allegro).ignored_link_pairs
    names = [link.name for link in allegro.links]
    index = {name: k for k, name in enumerate(names)}
    np.testing.assert_array_equal(ignored, ignored.T)
    assert ignored.diagonal().all()
    assert ignored[index["index_link_1"], index["index_link_2"]]
    assert not ignored[index["index_link_3"], index["thumb_link_3"]]
    assert not ignored[index["index_link_3"], index["palm"]]


def test_a_crossed_thumb_makes_spheres_overlap(allegro: Hand) -> None:
    spheres = self_collision_spheres(allegro)

    def deepest(joint_positions: np.ndarray) -> float:
        poses = link_poses(allegro, IDENTITY, joint_positions)
        centers = np.array(
            [transform_points(poses[k], c[None])[0] for k, c in zip(spheres.link_index, spheres.centers, strict=True)]
        )
        overlap = spheres.radii[:, None] + spheres.radii - np.linalg.norm(centers[:, None] - centers[None], axis=-1)
        looked_at = ~spheres.ignored_link_pairs[spheres.link_index[:, None], spheres.link_index]
        return float(overlap[looked_at].max())

    assert deepest(allegro.joint_positions(allegro.open_positions)) < 0.0
    crossed = allegro.joint_positions(allegro.open_positions)
    for joint, position in {"thumb_joint_1": 0.8, "thumb_joint_2": 1.3, "thumb_joint_3": 1.0}.items():
        crossed[allegro.joint_names.index(joint)] = position
    for digit in ("index", "middle", "ring"):
        for k in (1, 2, 3):
            crossed[allegro.joint_names.index(f"{digit}_joint_{k}")] = 1.5
    assert deepest(crossed) > 0.003
