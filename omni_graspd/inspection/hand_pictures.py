# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of hands from two sides: open, closed, surface points, colliders; side by side as a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh
from pxr import Usd

from omni_graspd.backend import Backend
from omni_graspd.hands.checks.grasping import CHECKED_POINT_COUNT
from omni_graspd.hands.checks.hand_check import HandReport
from omni_graspd.hands.closing import closed_positions, fingertip_positions
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.posed_hand import author_posed_hand, posed_mesh
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns
from omni_graspd.inspection.studio import author_camera, author_lights, camera_pose, cut_out, project
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import matrix_to_pose, transform_points

_SIZE = 298
"""Edge of a picture [pixel]: two fit into a column without scaling, so that labels stay sharp."""
_POINT_RADIUS = 0.0075
"""Radius of a drawn surface point, as a share of the hand's extent."""
_LABEL_SIZE = 12
"""Height of labels [pixel]."""
_GREY, _RED = (0.45, 0.46, 0.48), (0.75, 0.03, 0.02)
_PALETTE = ((0.02, 0.22, 0.55), (0.80, 0.30, 0.02), (0.03, 0.38, 0.16), (0.42, 0.06, 0.45), (0.02, 0.42, 0.46),
            (0.62, 0.46, 0.02), (0.60, 0.06, 0.22), (0.25, 0.25, 0.60))  # fmt: skip
_VIEWS_FINGERS_UP = np.array([[0.85, 0.45, 0.28], [-0.35, 0.88, 0.25]])
_VIEWS_PALM_UP = np.array([[0.85, 0.25, 0.50], [-0.30, 0.85, 0.30]])


@dataclass(frozen=True, eq=False)
class _Pose:
    """A hand standing in the studio."""

    T_world_palm: np.ndarray
    joint_positions: np.ndarray
    directions: np.ndarray


async def draw_hands(backend: Backend, reports: Sequence[HandReport], config: RenderConfig) -> np.ndarray:
    """Draw a sheet with a column for each hand.

    Hands that cannot be read are drawn as their file places them.

    Args:
        backend: What renders.
        reports: Hands and what was found.
        config: Rendering.

    Returns:
        sRGB image, shape [height, width, 3], uint8.
    """
    columns = [await _draw_hand(backend, report, config) for report in reports]
    names = ", ".join(report.survey.source.stem for report in reports)
    subtitle = "open · closed · surface points · colliders; links with errors are red"
    return compose_columns(names, subtitle, columns)


async def _draw_hand(backend: Backend, report: HandReport, config: RenderConfig) -> Column:
    hand = report.hand
    if hand is None:
        rows = ((await _as_in_file(backend, report, config)),)
        return Column(report.survey.source.stem, "cannot be read: shown as placed in the file", rows)
    errors = {finding.where for finding in report.findings if finding.severity == "error"}
    wrong = [any(where.startswith(link.prim_path) for where in errors) for link in hand.links]
    opened, closed = hand.open_positions, closed_positions(hand, 0.7)
    views = _standing(hand, opened), _standing(hand, closed)
    rows = (
        await _posture_row(backend, hand, views[0], ("open", "open, from the side"), config),
        await _posture_row(backend, hand, views[1], ("closed", "closed, from the side"), config),
        await _points_row(backend, hand, views[0], config),
        await _colliders_row(backend, report, hand, views[0], wrong, config),
    )
    extent = 1e3 * np.ptp(posed_mesh(hand, views[0].T_world_palm, views[0].joint_positions).vertices, axis=0).max()
    figures = (
        f"{hand.joint_count} joints, {hand.actuated_count} actuated · {len(hand.links)} links · {extent:.0f} mm · "
        f"{report.error_count} errors"
    )
    return Column(hand.name, figures, rows)


def _standing(hand: Hand, actuated: np.ndarray) -> _Pose:
    """Stand a hand up: fingers up and the palm toward +x, or the palm up where fingers surround it."""
    positions = hand.joint_positions(actuated)
    tips = fingertip_positions(hand, hand.joint_positions(hand.open_positions))
    ahead = hand.approach_direction
    reach = tips.mean(axis=0) - hand.approach_point if len(tips) else ahead
    along = reach - (reach @ ahead) * ahead
    spread = np.linalg.norm(tips - tips.mean(axis=0), axis=1).max(initial=0.0)
    if np.linalg.norm(along) > max(0.5 * spread, 1e-6):
        up, views = along / np.linalg.norm(along), _VIEWS_FINGERS_UP
        rows = np.array([ahead, np.cross(up, ahead), up])
    else:
        side = np.eye(3)[int(np.argmin(np.abs(ahead)))]
        side = side - (side @ ahead) * ahead
        side /= np.linalg.norm(side)
        rows, views = np.array([side, np.cross(ahead, side), ahead]), _VIEWS_PALM_UP
    matrix = np.eye(4)
    matrix[:3, :3] = rows
    return _Pose(matrix_to_pose(matrix), positions, views / np.linalg.norm(views, axis=1, keepdims=True))


async def _render(
    backend: Backend, stage: Usd.Stage, points: np.ndarray, directions: np.ndarray, config: RenderConfig
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return a picture for each direction, and the poses of the cameras."""
    poses = [camera_pose(points, direction) for direction in directions]
    rigs = [author_camera(stage, f"side_{index}", pose, 2 * _SIZE) for index, pose in enumerate(poses)]
    author_lights(stage, list(directions))
    return [cut_out(frame) async for frame in backend.render(stage, rigs, config)], poses


async def _posture_row(
    backend: Backend, hand: Hand, pose: _Pose, captions: tuple[str, str], config: RenderConfig
) -> tuple[Tile, ...]:
    stage = create_stage("World")
    author_posed_hand(stage, "/World/Hand", hand, pose.T_world_palm, pose.joint_positions)
    vertices = posed_mesh(hand, pose.T_world_palm, pose.joint_positions).vertices
    pictures, cameras = await _render(backend, stage, vertices, pose.directions, config)
    if captions[0] == "open":
        pictures[0] = _label_links(pictures[0], hand, pose, cameras[0])
    return tuple(Tile(picture, caption) for picture, caption in zip(pictures, captions, strict=True))


def _label_links(picture: np.ndarray, hand: Hand, pose: _Pose, camera: np.ndarray) -> np.ndarray:
    """Write the names of the palm and of the digits' last links beside them."""
    from PIL import Image, ImageDraw, ImageFont

    inner = {link.parent for link in hand.links}
    poses = link_poses(hand, pose.T_world_palm, pose.joint_positions)
    page = Image.fromarray(picture)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(_LABEL_SIZE)
    taken: list[tuple[float, float, float]] = []
    for index, link in enumerate(hand.links):
        if (index in inner and index > 0) or not len(link.mesh.vertices):
            continue
        middle = 0.5 * (link.mesh.vertices.min(axis=0) + link.mesh.vertices.max(axis=0))
        x, y = project(transform_points(poses[index], middle[None]), camera, _SIZE)[0]
        half = 0.5 * draw.textlength(link.name, font=font)
        x = float(np.clip(x, half + 2, _SIZE - half - 2))
        y = _free_row(x, float(y), half, taken)
        taken.append((x, y, half))
        draw.text((x, y), link.name, fill=(20, 28, 40), font=font, anchor="mm", stroke_width=2, stroke_fill="white")
    return np.asarray(page)


def _free_row(x: float, y: float, half: float, taken: list[tuple[float, float, float]]) -> float:
    """Return the row nearest to ``y`` where a label covers none of those that are there."""
    steps = sorted(range(-8, 9), key=abs)
    rows = [float(np.clip(y + step * (_LABEL_SIZE + 2), _LABEL_SIZE, _SIZE - _LABEL_SIZE)) for step in steps]
    free = [row for row in rows if all(abs(row - b) > _LABEL_SIZE or abs(x - a) > half + c + 4 for a, b, c in taken)]
    return free[0] if free else y


async def _points_row(backend: Backend, hand: Hand, pose: _Pose, config: RenderConfig) -> tuple[Tile, ...]:
    points = sample_surface_points(hand, CHECKED_POINT_COUNT)
    placed = posed_points(hand, points, pose.T_world_palm[None], pose.joint_positions[None])[0]
    surface = posed_mesh(hand, pose.T_world_palm, pose.joint_positions)
    stage = create_stage("World")
    _author(stage, "Hand", surface, _GREY)
    radius = _POINT_RADIUS * float(np.ptp(surface.vertices, axis=0).max())
    for index in range(len(hand.links)):
        dots = placed[points.link_index == index]
        if len(dots):
            _author(stage, f"Points_{index}", _balls(dots, radius), _PALETTE[index % len(_PALETTE)])
    pictures, _ = await _render(backend, stage, surface.vertices, pose.directions, config)
    captions = (f"{len(placed)} surface points", "coloured by link")
    return tuple(Tile(picture, caption) for picture, caption in zip(pictures, captions, strict=True))


def _balls(centers: np.ndarray, radius: float) -> TriangleMesh:
    ball = trimesh.creation.icosphere(subdivisions=1, radius=radius)
    vertices = (centers[:, None] + ball.vertices).reshape(-1, 3)
    faces = (np.arange(len(centers))[:, None, None] * len(ball.vertices) + ball.faces).reshape(-1, 3)
    return TriangleMesh(vertices, faces.astype(np.int32))


async def _colliders_row(
    backend: Backend, report: HandReport, hand: Hand, pose: _Pose, wrong: list[bool], config: RenderConfig
) -> tuple[Tile, ...]:
    """Draw colliders, each link in a colour of its own; links without any as they look, in grey."""
    poses = link_poses(hand, pose.T_world_palm, pose.joint_positions)
    stage, everything, count = create_stage("World"), [], 0
    for index, (link, T_world_link) in enumerate(zip(hand.links, poses, strict=True)):
        surfaces = [collider.surface for collider in report.survey.link_by_path[link.prim_path].colliders]
        color = _RED if wrong[index] else _PALETTE[index % len(_PALETTE)]
        count += len(surfaces)
        if not surfaces and len(link.mesh.faces):
            surfaces, color = [link.mesh], _RED if wrong[index] else _GREY
        for part, surface in enumerate(surfaces):
            placed = TriangleMesh(transform_points(T_world_link, surface.vertices), surface.faces)
            if len(placed.faces):
                _author(stage, f"Collider_{index}_{part}", placed, color)
                everything.append(placed.vertices)
    pictures, _ = await _render(backend, stage, np.concatenate(everything), pose.directions, config)
    captions = (f"{count} colliders", "coloured by link; red: errors" if any(wrong) else "coloured by link")
    return tuple(Tile(picture, caption) for picture, caption in zip(pictures, captions, strict=True))


def _author(stage: Usd.Stage, name: str, mesh: TriangleMesh, color: tuple[float, float, float]) -> None:
    prim = author_mesh(stage, f"/World/{name}", mesh).GetPrim()
    bind_material(prim, author_material(stage, f"/World/{name}_look", Appearance(color=color, roughness=0.6)))


async def _as_in_file(backend: Backend, report: HandReport, config: RenderConfig) -> tuple[Tile, ...]:
    """Draw all links where the file places them."""
    stage, everything = create_stage("World"), [np.zeros((1, 3)), np.full((1, 3), 0.01)]
    errors = {finding.where for finding in report.findings if finding.severity == "error"}
    for index, link in enumerate(report.survey.links):
        if len(link.mesh.faces) and np.isfinite(link.T_world_link).all():
            vertices = link.mesh.vertices @ link.T_world_link[:3, :3].T + link.T_world_link[:3, 3]
            is_wrong = any(where.startswith(link.path) for where in errors)
            _author(stage, f"Link_{index}", TriangleMesh(vertices, link.mesh.faces), _RED if is_wrong else _GREY)
            everything.append(vertices)
    directions = _VIEWS_FINGERS_UP / np.linalg.norm(_VIEWS_FINGERS_UP, axis=1, keepdims=True)
    pictures, _ = await _render(backend, stage, np.concatenate(everything), directions, config)
    captions = ("as the file places it", "from the side; red: errors")
    return tuple(Tile(picture, caption) for picture, caption in zip(pictures, captions, strict=True))
