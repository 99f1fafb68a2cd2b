# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""An arm with a hand among table and objects, and what its links touch, with MuJoCo's collision detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omni_graspd.arms.arm import Arm
from omni_graspd.arms.robot_model import ARM, HAND, add_pieces, add_robot, new_spec
from omni_graspd.hands.hand import Hand
from omni_graspd.seeding import random_generator
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY

_ARM_GEOMETRY = {"contype": 1, "conaffinity": 1}
_OTHER_GEOMETRY = {"contype": 2, "conaffinity": 1}
_POSTURES = 64
_ALWAYS = 0.9
"""Links that overlap in this share of random postures do so by design: covers, or hulls that bulge at a joint."""


@dataclass(frozen=True, eq=False)
class Thing:
    """Something beside the robot."""

    name: str
    """What it is called when a link touches it."""
    pieces: tuple[TriangleMesh, ...]
    """Convex meshes in its frame [m]."""


class Workspace:
    """A robot and the things around it; things are moved, not made anew, from scene to scene.

    Links of the arm are checked against everything, the hand's links included. The hand is not checked against things:
    that it is clear of them, but for the grasped object, is what makes a grasp usable.
    """

    def __init__(
        self,
        arm: Arm,
        hand: Hand,
        T_flange_palm: np.ndarray,
        things: Sequence[Thing],
        clearance: float,
        *,
        base_may_touch: bool = False,
    ) -> None:
        """Build the model.

        Args:
            arm: The arm.
            hand: The hand.
            T_flange_palm: The palm in the frame of the flange, shape [7].
            things: What is around it.
            clearance: Links of the arm that are nearer to a thing than this touch it [m].
            base_may_touch: Whether the base, which stands where it stands, may touch things.

        Raises:
            GraspdError: If MuJoCo is not installed.
        """
        import mujoco

        self._mujoco = mujoco
        spec = new_spec()
        add_robot(
            spec,
            arm,
            hand,
            T_flange_palm,
            IDENTITY,
            arm_geometry=_ARM_GEOMETRY,
            hand_geometry=_OTHER_GEOMETRY,
        )
        for thing in things:
            body = spec.worldbody.add_body(name=thing.name, mocap=True)
            add_pieces(spec, body, thing.name, thing.pieces, margin=clearance, **_OTHER_GEOMETRY)
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._arm, self._hand = arm, hand
        self._arm_addresses = self._addresses(ARM, arm.articulation)
        self._hand_addresses = self._addresses(HAND, hand)
        self._mocap = {thing.name: int(self._model.body(thing.name).mocapid[0]) for thing in things}
        self._bodies = np.asarray(self._model.geom_bodyid)
        self._ignored = np.zeros((self._model.nbody, self._model.nbody), dtype=bool)
        self._ignore_what_always_overlaps()
        if base_may_touch:
            links = [arm.articulation.links[link].name for link in arm.still_links(0)]
            base = [self._model.body(f"{ARM}{name}").id for name in links]
            others = [self._model.body(thing.name).id for thing in things]
            self._ignored[np.ix_(base, others)] = self._ignored[np.ix_(others, base)] = True

    def stand(self, T_world_base: np.ndarray) -> None:
        """Move the arm's base.

        Args:
            T_world_base: Where it stands from now on, shape [7].
        """
        base = self._model.body(f"{ARM}{self._arm.articulation.links[0].name}").id
        self._model.body_pos[base], self._model.body_quat[base] = T_world_base[:3], T_world_base[[6, 3, 4, 5]]

    def place(self, name: str, T_world_thing: np.ndarray) -> None:
        """Move a thing.

        Args:
            name: Its name.
            T_world_thing: Where it is from now on, shape [7].
        """
        number = self._mocap[name]
        self._data.mocap_pos[number], self._data.mocap_quat[number] = T_world_thing[:3], T_world_thing[[6, 3, 4, 5]]

    def collision(self, arm_positions: np.ndarray, hand_positions: np.ndarray) -> str:
        """Return what a link of the arm touches, as ``link with link or thing``; empty if nothing.

        Args:
            arm_positions: All joints of the arm [rad or m], shape [joint_count].
            hand_positions: All joints of the hand [rad or m].
        """
        pairs = self._touching(arm_positions, hand_positions)
        if not len(pairs):
            return ""
        one, other = (self._title(int(body)) for body in pairs[0])
        return f"{one} with {other}"

    def palm_pose(self, arm_positions: np.ndarray) -> np.ndarray:
        """Return T_world_palm as MuJoCo has it, shape [7].

        Args:
            arm_positions: All joints of the arm [rad or m], shape [joint_count].
        """
        self._data.qpos[self._arm_addresses] = arm_positions
        self._mujoco.mj_kinematics(self._model, self._data)
        palm = self._data.body(f"{HAND}{self._hand.links[0].name}")
        return np.concatenate([palm.xpos, palm.xquat[[1, 2, 3, 0]]])

    def _addresses(self, prefix: str, articulation: Hand) -> np.ndarray:
        names = [f"{prefix}{name}" for name in articulation.joint_names]
        return np.array([self._model.joint(name).qposadr[0] for name in names], dtype=int)

    def _touching(self, arm_positions: np.ndarray, hand_positions: np.ndarray) -> np.ndarray:
        """Return the pairs of bodies that touch, the arm's link first, shape [pair_count, 2]."""
        data = self._data
        data.qpos[self._arm_addresses], data.qpos[self._hand_addresses] = arm_positions, hand_positions
        self._mujoco.mj_kinematics(self._model, data)
        self._mujoco.mj_collision(self._model, data)
        if not data.ncon:
            return np.zeros((0, 2), dtype=int)
        pairs = self._bodies[data.contact.geom[: data.ncon]]
        return pairs[~self._ignored[pairs[:, 0], pairs[:, 1]]]

    def _ignore_what_always_overlaps(self) -> None:
        """Leave out links that a joint connects, and those that overlap whatever the joints do."""
        for body in range(1, self._model.nbody):
            parent = int(self._model.body_parentid[body])
            if parent:
                self._ignored[body, parent] = self._ignored[parent, body] = True
        random = random_generator(0, "arm overlaps")
        opened = self._hand.joint_positions(self._hand.open_positions)
        counts = np.zeros(self._ignored.shape)
        for thing in self._mocap:
            self.place(thing, np.array([0.0, 0.0, -1000.0, 0.0, 0.0, 0.0, 1.0]))
        for _ in range(_POSTURES):
            pairs = self._touching(random.uniform(self._arm.lower, self._arm.upper), opened)
            unique = np.unique(np.sort(pairs, axis=1), axis=0)
            counts[unique[:, 0], unique[:, 1]] += 1
        always = counts >= _ALWAYS * _POSTURES
        self._ignored |= always | always.T

    def _title(self, body: int) -> str:
        name = self._model.body(body).name.removeprefix(ARM)
        return f"the hand's {name.removeprefix(HAND)}" if name.startswith(HAND) else name
