# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The labels of one eye of a view: pixels and points by graspness, grasps before its camera, contacts it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from omni_graspd.dataset.labels.graspness import graspness
from omni_graspd.dataset.labels.touched_points import TouchedPoints
from omni_graspd.geometry.signed_distance import SignedDistance
from omni_graspd.ranges import require_at_least, require_positive
from omni_graspd.rendering.depth_points import points_before_camera
from omni_graspd.usd.transforms import invert, transform_points

FRAME = "camera of this eye: x right, y down, z forward [m]"
"""The frame of everything in a label file, in words."""
_ON_SURFACE = 0.002
"""What is seen this close to the object's surface is the object [m]."""
_BEHIND = 0.003
"""A contact this far behind what its pixel shows is hidden [m]: less is the slope of the surface within a pixel."""


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """What a grasp says about the surface around its contacts."""

    radius: float = 0.01
    """A grasp counts for the surface up to this distance from its contacts [m]."""
    threshold: float = 0.005
    """Hand points closer to the object than this are contacts [m]."""
    points: int = 4096
    """Points of the cloud in each label file."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_positive(self, "settings", "radius", "threshold", unit=" m")
        require_at_least(self, "settings", 1, "points")


@dataclass(frozen=True, eq=False)
class SceneGrasps:
    """A hand's usable grasps in a scene and where they touch the object."""

    number: np.ndarray
    """Number of each base grasp, int64, shape [grasp_count]."""
    touched: TouchedPoints
    """Their contacts on the object."""
    distance: SignedDistance
    """The object's exact signed distance."""


@dataclass(frozen=True, eq=False)
class ViewLabels:
    """Labels of one eye; a grasp is named by its number in the table of base grasps."""

    graspness: np.ndarray
    """Share of the usable grasps with a contact near what the pixel shows, 0 off the object, float16, shape
    [height, width]."""
    nearest_grasp: np.ndarray
    """The grasp with the contact nearest to what the pixel shows, -1 off the object, int32, shape [height, width]."""
    points: np.ndarray
    """Points on the object that are seen [m], float32, shape [point_count, 3]; drawn again where there are too few
    pixels, none where the object is not seen."""
    point_pixels: np.ndarray
    """Column and row of each point's pixel, int32, shape [point_count, 2]."""
    point_graspness: np.ndarray
    """As ``graspness``, float16, shape [point_count]."""
    point_nearest_grasp: np.ndarray
    """As ``nearest_grasp``, int32, shape [point_count]."""
    contacts: np.ndarray
    """Where the grasps touch the object [m], float32, shape [contact_count, 3]."""
    contact_grasp: np.ndarray
    """The grasp of each contact, int32, shape [contact_count]."""
    contact_visible: np.ndarray
    """Whether this eye sees the contact, bool, shape [contact_count]."""
    visibility: np.ndarray
    """Share of each grasp's contacts that this eye sees, float32, shape [grasp_count]."""

    def columns(self) -> dict[str, np.ndarray]:
        """Return all arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def label_eye(
    eye: Mapping[str, np.ndarray],
    T_camera_object: np.ndarray,
    grasps: SceneGrasps,
    settings: LabelSettings,
    random: np.random.Generator,
    device: str = "cpu",
) -> ViewLabels:
    """Label what one eye sees.

    Args:
        eye: ``depth``, distances to the image plane [m], infinite where nothing is hit, shape [height, width], and
            ``intrinsics`` [pixel], shape [3, 3].
        T_camera_object: The object before the camera, shape [7].
        grasps: The usable grasps.
        settings: Radius and number of points.
        random: Draws the points of the cloud.
        device: Warp device.
    """
    depth, intrinsics = np.asarray(eye["depth"], dtype=np.float64), eye["intrinsics"]
    hit = np.isfinite(depth)
    rows, columns = np.nonzero(hit)
    seen = points_before_camera(depth, hit, intrinsics)
    in_object = transform_points(invert(T_camera_object), seen)
    on_object = _on_surface(in_object, grasps.distance)
    rows, columns, seen, in_object = rows[on_object], columns[on_object], seen[on_object], in_object[on_object]
    share, nearest = graspness(in_object, grasps.touched, len(grasps.number), settings.radius, device)
    named = np.append(grasps.number, -1).astype(np.int32)[nearest]
    image, names = np.zeros(depth.shape, dtype=np.float16), np.full(depth.shape, -1, dtype=np.int32)
    image[rows, columns], names[rows, columns] = share, named
    drawn = _draw(len(seen), settings.points, random)
    contacts = transform_points(T_camera_object, grasps.touched.positions)
    visible = _is_seen(contacts, depth, intrinsics)
    return ViewLabels(
        graspness=image,
        nearest_grasp=names,
        points=seen[drawn].astype(np.float32),
        point_pixels=np.stack([columns[drawn], rows[drawn]], axis=1).astype(np.int32),
        point_graspness=share[drawn].astype(np.float16),
        point_nearest_grasp=named[drawn],
        contacts=contacts.astype(np.float32),
        contact_grasp=grasps.number[grasps.touched.grasp].astype(np.int32),
        contact_visible=visible,
        visibility=_shares(visible, grasps.touched.grasp, len(grasps.number)),
    )


def _on_surface(points: np.ndarray, distance: SignedDistance) -> np.ndarray:
    """Tell which points lie on the object's surface, shape [point_count], bool."""
    corners = distance.mesh.points.numpy()
    low, high = corners.min(axis=0) - _ON_SURFACE, corners.max(axis=0) + _ON_SURFACE
    near = ((points >= low) & (points <= high)).all(axis=1)
    distances, _ = distance.query(points[near], 2.0 * _ON_SURFACE)
    near[near] = np.abs(distances) < _ON_SURFACE
    return near


def _draw(count: int, wanted: int, random: np.random.Generator) -> np.ndarray:
    """Draw pixels without repeating one, and again where there are too few; in ascending order."""
    if not count:
        return np.zeros(0, dtype=np.int64)
    again = max(wanted - count, 0)
    drawn = [random.permutation(count)[:wanted], random.integers(count, size=again)]
    return np.sort(np.concatenate(drawn))


def _is_seen(points: np.ndarray, depth: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Tell which points before the camera are in the image and not behind what it shows, shape [point_count], bool."""
    ahead = np.where(points[:, 2] > 0.0, points[:, 2], np.inf)
    u, v = (points @ intrinsics.T)[:, :2].T / ahead
    height, width = depth.shape
    inside = np.isfinite(ahead) & (u >= 0.0) & (u < width) & (v >= 0.0) & (v < height)
    row, column = (np.where(inside, value, 0.0).astype(int) for value in (v, u))
    return inside & (points[:, 2] <= depth[row, column] + _BEHIND)


def _shares(visible: np.ndarray, grasp: np.ndarray, grasp_count: int) -> np.ndarray:
    total = np.bincount(grasp, minlength=grasp_count)
    seen = np.bincount(grasp[visible], minlength=grasp_count)
    return (seen / np.maximum(total, 1)).astype(np.float32)
