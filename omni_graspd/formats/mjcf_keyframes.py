# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Keyframes of an MJCF model: where hand, object and drives are on the way of each grasp."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from omni_graspd.formats.mjcf_bodies import text_of
from omni_graspd.formats.record import GraspRecord
from omni_graspd.scenes.grasp_tests.lift_motion import HandWay, LiftPhases
from omni_graspd.usd.transforms import compose, without_jumps

KEYS = {"pregrasp": "approach", "hover": "closing", "grasp": "squeeze", "squeeze": "lift", "lift": "hold"}
"""Keyframes of a grasp that is played, and the part of the lift test that begins at each."""
_WXYZ = [0, 1, 2, 6, 3, 4, 5]


@dataclass(frozen=True)
class KeyframeWriter:
    """Adds keyframes to a model."""

    keyframe: Element
    """Where they go."""
    order: list[int]
    """Numbers of the joints in the order in which MuJoCo has them."""
    driven: list[int]
    """Joints that have a drive, in the order of the drives."""

    def add_still(self, record: GraspRecord, index: int, T_world_object: np.ndarray) -> None:
        """Add ``grasp_0000``, its drives at the squeeze where it is known, and ``pregrasp_0000`` where there is one.

        Args:
            record: Grasps of our hand.
            index: Which of them.
            T_world_object: Pose of the object, shape [7].
        """
        palm, joints = compose(T_world_object, record.T_object_palm[index]), record.joint_positions[index]
        before, opened = record.T_object_pregrasp_palm, record.pregrasp_joint_positions
        squeezes = record.squeeze_joint_positions
        if before is not None and opened is not None and np.isfinite(before[index]).all():
            palms = compose(T_world_object, before[index])
            self._add(f"pregrasp_{index:04d}", T_world_object, palms, opened[index], opened[index])
        targets = joints if squeezes is None else squeezes[index]
        self._add(f"grasp_{index:04d}", T_world_object, palm, joints, targets)

    def add_way(self, way: HandWay, phases: LiftPhases, index: int) -> None:
        """Add the keyframes of :data:`KEYS`, each with the time at which it is due and the drives' targets then.

        In ``squeeze`` and ``lift`` the joints are where they are in the grasp: what they press toward is in the object.
        Quaternions of the palm that follow each other have no jump in their sign.

        Args:
            way: The way in the world.
            phases: How long each part takes, and how high the lift goes.
            index: Number of the grasp.
        """
        pregrasp, hover, grasp = without_jumps(way.T_world_palm)
        opened, closed, pressed = way.joint_positions
        rise = np.append(phases.lift_height * way.lift_direction, np.zeros(4))
        start, up = way.T_world_object, way.T_world_object + rise
        stations = {
            "pregrasp": (start, pregrasp, opened, opened),
            "hover": (start, hover, opened, opened),
            "grasp": (start, grasp, closed, closed),
            "squeeze": (start, grasp, closed, pressed),
            "lift": (up, grasp + rise, closed, pressed),
        }
        for name, begins in KEYS.items():
            self._add(f"{name}_{index:04d}", *stations[name], time=phases.starts[begins])

    def _add(
        self,
        name: str,
        T_world_object: np.ndarray,
        palm: np.ndarray,
        joints: np.ndarray,
        targets: np.ndarray,
        time: float = 0.0,
    ) -> None:
        positions = np.concatenate([T_world_object[_WXYZ], palm[_WXYZ], joints[self.order]])
        values = {"name": name} | ({"time": text_of([time])} if time else {})
        values |= {"qpos": text_of(positions), "ctrl": text_of(targets[self.driven])}
        SubElement(self.keyframe, "key", {**values, "mpos": text_of(palm[:3]), "mquat": text_of(palm[[6, 3, 4, 5]])})
