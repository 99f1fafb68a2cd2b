# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage of the lift test: a table top, and on it places, each with an object and a hand that comes and goes.

The order in which PhysX solves contacts follows from the prims of a stage, all of them. So there is always the same
number of places; what happens in one then does not depend on the others, down to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pxr import Sdf

from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.driven_hand import DrivePhysics
from omni_graspd.scenes.grasp_tests.hold_stage import HoldPhysics
from omni_graspd.scenes.grasp_tests.lift_motion import HandMotion
from omni_graspd.scenes.grasp_tests.lift_place import LiftPlace, author_table_top, make_blind
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.stage import create_stage

PLACES = np.array([(1.5 * (column - 1.5), 1.5 * (row - 0.5)) for row in range(2) for column in range(4)])
"""Where each place is on the table [m], shape [place_count, 2]."""


def object_path(place: int) -> str:
    """Return the path of the object in a place; its origin is the centre of mass."""
    return f"{_folder(place)}/object"


def _folder(place: int) -> str:
    return f"/World/place_{place}"


class LiftStage:
    """A stage in memory and in centimetres, for one hand and one object; its time codes are seconds."""

    def __init__(
        self,
        hand: Hand,
        hand_pieces: Sequence[Sequence[TriangleMesh]],
        obj: RigidObject,
        object_pieces: Sequence[TriangleMesh],
        physics: HoldPhysics,
        drive: DrivePhysics,
        gravity_time: float = 0.0,
    ) -> None:
        """Author the stage, all places in a heap; see :meth:`put`.

        Args:
            hand: The hand. It has no weight, and its links do not see each other.
            hand_pieces: Convex meshes of each link, in its frame [m].
            obj: The object; its mass properties are used.
            object_pieces: Convex meshes in the object frame [m].
            physics: Gravity and contact.
            drive: Gains of the joints.
            gravity_time: When gravity sets in [s].
        """
        self.stage = create_stage("World")
        self.stage.SetTimeCodesPerSecond(1.0)
        author_table_top(self.stage, physics, gravity_time)
        self._places = [LiftPlace(self.stage, _folder(n), hand, obj.center_of_mass) for n in range(len(PLACES))]
        self._places[0].author(hand_pieces, obj, object_pieces, physics, drive)
        layer = self.stage.GetRootLayer()
        with Sdf.ChangeBlock():
            for place in range(1, len(PLACES)):
                Sdf.CopySpec(layer, _folder(0), layer, _folder(place))
        make_blind(self.stage, self._places)

    def put(self, place: int, T_world_object: np.ndarray, motion: HandMotion) -> None:
        """Put the object and a hand that moves into a place.

        Args:
            place: Which place.
            T_world_object: Pose of the object frame at the start, shape [7], as if the place were at the origin.
            motion: Motion of the hand, likewise.
        """
        offset = np.append(PLACES[place], [0, 0, 0, 0, 0])
        with Sdf.ChangeBlock():
            for path, values, moves in self._places[place].values(T_world_object, motion, offset):
                self._set(path, values, motion.times if moves else None)

    def _set(self, path: Sdf.Path, values: list, times: np.ndarray | None) -> None:
        """Set an attribute to the first value, and to all of them as samples."""
        layer = self.stage.GetRootLayer()
        spec = layer.GetAttributeAtPath(path)
        spec.default = values[0]
        if times is not None:
            spec.ClearInfo("timeSamples")
            for time, value in zip(times.tolist(), values, strict=True):
                layer.SetTimeSample(path, time, value)
