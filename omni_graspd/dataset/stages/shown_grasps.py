# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hand in the picture: which grasp a view shows, and the scene with it. The scene file stays as it is."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pxr import Usd

from omni_graspd.atomic import atomic_path
from omni_graspd.dataset.config import ShownGrasp
from omni_graspd.dataset.grasp_numbers import rows_of
from omni_graspd.dataset.run import Run
from omni_graspd.dataset.tables import read_grasps, read_scene_grasps
from omni_graspd.hands.posed_hand import author_posed_hand
from omni_graspd.rendering.frame import CameraRig
from omni_graspd.usd.semantics import apply_label

HAND_PATH = "/World/Hand"
"""Prim of the hand in scenes that are rendered with one."""


@dataclass(frozen=True)
class PlacedGrasp:
    """A grasp as it stands in a scene."""

    hand: str
    """Name of the hand."""
    grasp_index: int
    """Number of the base grasp."""
    T_world_palm: np.ndarray
    """Palm pose, shape [7]."""
    joint_positions: np.ndarray
    """All joints [rad or m], shape [joint_count]."""


def ranked_grasps(run: Run, object_name: str, scene_index: int) -> list[PlacedGrasp]:
    """Return the grasps of all hands that can be carried out in a scene, those that hold best first.

    Where no way to them is known, those that touch neither table nor neighbours.

    Args:
        run: An open run whose scenes are there.
        object_name: Name of the object.
        scene_index: Number of the scene.
    """
    placed = read_scene_grasps(run.layout.scene_grasps(object_name, scene_index))
    tables = {hand.name: read_grasps(run.layout.grasps(hand.name, object_name)) for hand in run.hands}
    ok = np.array([status == "ok" for status in placed.status], dtype=bool)
    shown = ok & ~placed.grasps.collides if placed.grasps.usable is None else placed.grasps.usable
    found = []
    for row in np.flatnonzero(shown):
        hand, index = placed.hands[row], placed.grasp_indices[row]
        table = tables[hand]
        base = int(rows_of(table.indices, np.array([index]))[0])
        pose, joints = placed.grasps.T_world_palm[row], table.grasps.joint_positions[base]
        ranks = table.ranking
        found.append((float(ranks[base]), PlacedGrasp(hand, int(index), pose, joints)))
    return [grasp for _, grasp in sorted(found, key=lambda pair: pair[0])]


def stages_with_hands(
    run: Run, object_name: str, scene_index: int, stage: Usd.Stage, rigs: Sequence[CameraRig]
) -> Iterator[tuple[Usd.Stage, list[CameraRig]]]:
    """Yield stages and the views that are rendered of each, in order; what is shown is written beside the images.

    Args:
        run: An open run; its configuration says which hands are shown.
        object_name: Name of the object.
        scene_index: Number of the scene.
        stage: The scene as it is in its file.
        rigs: The views.
    """
    if run.config.shown_grasp == "none":
        yield stage, list(rigs)
        return
    grasps = ranked_grasps(run, object_name, scene_index)
    shown = {rig.name: _choice(grasps, rig, run.config.shown_grasp) for rig in rigs}
    _write_choices(run, object_name, scene_index, shown)
    for _, group in itertools.groupby(rigs, key=lambda rig: id(shown[rig.name])):
        views = list(group)
        yield _with_hand(run, stage, shown[views[0].name]), views


def scenes_without_hand(run: Run) -> list[str]:
    """Return the rendered scenes that were to show a hand, but have no usable grasp that could be shown."""
    found = []
    for obj in run.objects:
        for index in range(run.config.scenes):
            path = run.layout.shown_grasps(obj.name, index)
            if path.is_file() and None in json.loads(path.read_text()).values():
                found.append(f"{obj.name} {run.layout.scene(obj.name, index).stem}")
    return found


def _choice(grasps: Sequence[PlacedGrasp], rig: CameraRig, shown: ShownGrasp) -> PlacedGrasp | None:
    """Return the grasp that a view shows; it depends on the number of the view, not on which views are missing."""
    if not grasps:
        return None
    number = int(rig.name.rpartition("_")[2]) if shown == "each" else 0
    return grasps[number % len(grasps)]


def _with_hand(run: Run, stage: Usd.Stage, grasp: PlacedGrasp | None) -> Usd.Stage:
    """Open a scene once more and put a hand in its session layer."""
    if grasp is None:
        return stage
    hand = next(hand for hand in run.hands if hand.name == grasp.hand)
    hand = replace(hand, source=run.layout.hand(hand.name))
    opened = Usd.Stage.Open(stage.GetRootLayer())
    with Usd.EditContext(opened, opened.GetSessionLayer()):
        apply_label(author_posed_hand(opened, HAND_PATH, hand, grasp.T_world_palm, grasp.joint_positions), hand.name)
    return opened


def _write_choices(run: Run, object_name: str, scene_index: int, shown: dict[str, PlacedGrasp | None]) -> None:
    """Say which grasp each view shows; views that were there before keep what was said of them."""
    path = run.layout.shown_grasps(object_name, scene_index)
    said = json.loads(path.read_text()) if path.is_file() else {}
    for name, grasp in shown.items():
        said[name] = None if grasp is None else {"hand": grasp.hand, "grasp_index": grasp.grasp_index}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(dict(sorted(said.items())), indent=1) + "\n")
