# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Views cast from a mesh, against the box that it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.prediction.cast_view import RestingObject, cast_view
from omni_graspd.rendering.depth_points import points_before_camera
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import transform_points

_SIDES = np.array([0.06, 0.1, 0.04])
_PLANE = np.array([0.0, 1.0, 0.0, -0.05])
"""The box stands on its side y = -5 cm."""


def _resting() -> RestingObject:
    box = trimesh.creation.box(_SIDES)
    surface = TriangleMesh(np.array(box.vertices), np.array(box.faces, dtype=np.int32))
    obj = RigidObject("box", Path("box"), surface, surface, Appearance(), True, 1.0, np.zeros(3), np.eye(3), "box")
    return RestingObject.on(obj, _PLANE)


def test_the_object_stands_on_the_table_with_its_plane_down():
    resting = _resting()
    assert abs(resting.mesh.vertices[:, 2].min()) < 1e-12
    np.testing.assert_allclose(np.ptp(resting.mesh.vertices[:, 2]), 0.1)
    np.testing.assert_allclose(transform_points(resting.T_world_object, np.array([[0.0, 0.05, 0.0]]))[0, 2], 0.1)


def test_pixels_show_the_box_or_the_table():
    resting = _resting()
    for seed in range(5):
        image = cast_view(resting, np.random.default_rng(seed), 0.0)
        mask = image.mask
        assert mask is not None and image.T_world_camera is not None and mask.sum() > 300
        T_world_camera = image.T_world_camera
        for kept, on_box in ((mask, True), (~mask & image.measured, False)):
            points = points_before_camera(image.depth, kept, image.intrinsics)
            world = points @ T_world_camera[:3, :3].T + T_world_camera[:3, 3]
            if on_box:
                own = (world - resting.T_world_object[:3]) @ _rotation(resting)
                outside = np.abs(own) - 0.5 * _SIDES
                assert np.abs(outside.max(axis=1)).max() < 1e-5
            else:
                assert np.abs(world[:, 2]).max() < 1e-9


def test_errors_are_as_large_as_asked_and_drawn_from_the_generator():
    exact, noisy, again = (
        cast_view(_resting(), np.random.default_rng(3), noise).depth for noise in (0.0, 0.002, 0.002)
    )
    np.testing.assert_array_equal(noisy, again)
    assert abs((noisy - exact)[np.isfinite(exact)].std() / 0.002 - 1.0) < 0.05


def _rotation(resting: RestingObject) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(resting.T_world_object[3:]).as_matrix()
