# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Whether reach tables make sense: usable grasps of their scenes, joints within limits that bring the palm there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from omni_graspd.arms.arm_reader import read_arm
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach.reach_table import ReachTable, read_reach
from omni_graspd.dataset.tables import SceneGraspTable, read_scene_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.scenes.way_stations import STAGES, STATION_COUNT
from omni_graspd.usd.transforms import compose, invert

_FAR, _TURNED, _ROUNDING = 1e-3, np.radians(0.5), 1e-6
"""How far a palm may be from its grasp [m], [rad], and a joint beyond its limit [rad or m]."""


def check_reach_tables(layout: DatasetLayout, object_name: str, scene_index: int) -> Iterator[tuple[str, str]]:
    """Yield file and problem for what is wrong with the reach tables of a scene; one line each.

    Args:
        layout: Paths of the dataset.
        object_name: The object of the scene.
        scene_index: Number of the scene.
    """
    for arm in layout.arms():
        path = layout.reach(arm, object_name, scene_index)
        if not path.is_file():
            continue
        where = path.relative_to(layout.root).as_posix()
        try:
            table = read_reach(path)
            placed = read_scene_grasps(layout.scene_grasps(object_name, scene_index))
            yield from ((where, problem) for problem in _problems(layout, table, placed))
        except GraspdError as error:
            yield where, str(error)


def _problems(layout: DatasetLayout, table: ReachTable, placed: SceneGraspTable) -> Iterator[str]:
    usable = np.zeros(len(placed.hands), dtype=bool) if placed.grasps.usable is None else placed.grasps.usable
    rows = {(placed.hands[row], int(placed.grasp_indices[row])): row for row in np.flatnonzero(usable)}
    named = [*zip(table.hands, table.grasp_indices.tolist(), strict=True)]
    if sorted(named) != sorted(rows):
        yield "expected the usable grasps of the scene, got others; run `graspd reach` again"
        return
    if table.reach.arm_positions.shape[1] != STATION_COUNT or not set(table.hands) <= set(table.mounts):
        yield "expected all places of a way and the mount of each hand, got others; run `graspd reach` again"
        return
    arm = read_arm(layout.arm(table.arm))
    good = np.flatnonzero(table.reach.reachable)
    if table.joint_names != arm.joint_names:
        yield f"expected the joints {', '.join(arm.joint_names)}, got {', '.join(table.joint_names)}"
        return
    positions = table.reach.arm_positions[good]
    if not ((positions >= arm.lower - _ROUNDING) & (positions <= arm.upper + _ROUNDING)).all():
        yield "expected the arm's joints within their limits, got some beyond or no numbers"
        return
    if not len(good):
        return
    flange = link_poses(arm.articulation, table.T_world_base, positions[:, STAGES["grasp"]])[:, arm.flange_link]
    mounts = np.array([table.mounts[table.hands[row]] for row in good])
    palms = placed.grasps.T_world_palm[[rows[named[row]] for row in good]]
    off = compose(invert(palms), compose(compose(flange, arm.T_link_flange), mounts))
    far = np.linalg.norm(off[:, :3], axis=1).max()
    turned = 2.0 * np.linalg.norm(off[:, 3:6], axis=1).max()
    if not (far <= _FAR and turned <= _TURNED):
        yield f"expected joints that bring the palm to its grasp, got some {far:.2g} m and {turned:.2g} rad off"
