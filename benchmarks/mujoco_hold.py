# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The hold test once more, with MuJoCo: an independent judge of :mod:`omni_graspd.scenes.grasp_tests.hold`."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from omni_graspd.hands.hand import Hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.scenes.grasp_tests.hold import HOLD_DIRECTIONS, HoldConfig
from omni_graspd.usd.meshes import TriangleMesh

TIME_STEP = 1e-3
"""Length of a physics step [s]."""


class MujocoHold:
    """A hand and an object in MuJoCo: the links are moved by hand, the object falls."""

    def __init__(self, hand: Hand, obj: RigidObject, object_pieces: Sequence[TriangleMesh], config: HoldConfig) -> None:
        """Build the model."""
        self.hand, self.config = hand, config
        self.center_of_mass = obj.center_of_mass
        spec = mujoco.MjSpec()
        spec.option.timestep = TIME_STEP
        spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        spec.option.impratio = 10.0
        for link, pieces in enumerate(hand_colliders(hand)):
            body = spec.worldbody.add_body(name=f"link_{link}", mocap=True)
            for index, piece in enumerate(pieces):
                _add_piece(spec, body, f"link_{link}_{index}", piece.vertices, config, contype=1, conaffinity=0)
        body = spec.worldbody.add_body(name="object")
        body.add_freejoint()
        mass = obj.mass if config.object_mass is None else config.object_mass
        inertia = obj.inertia * mass / obj.mass
        body.mass, body.ipos, body.explicitinertial = mass, [0.0, 0.0, 0.0], True
        body.fullinertia = [inertia[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
        for index, piece in enumerate(object_pieces):
            vertices = piece.vertices - obj.center_of_mass
            _add_piece(spec, body, f"object_{index}", vertices, config, contype=0, conaffinity=1)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)

    def displacements(self, T_object_palm: np.ndarray, joint_positions: np.ndarray) -> np.ndarray:
        """Return how far the centre of mass is from its start at the end, in each direction [m], shape [6]."""
        poses = link_poses(self.hand, T_object_palm, joint_positions)
        result = []
        for direction in HOLD_DIRECTIONS:
            mujoco.mj_resetData(self.model, self.data)
            self.model.opt.gravity[:] = direction * self.config.physics.gravity
            self.data.mocap_pos[:] = poses[:, :3] - self.center_of_mass
            self.data.mocap_quat[:] = poses[:, [6, 3, 4, 5]]
            for _ in range(round(self.config.duration / TIME_STEP)):
                mujoco.mj_step(self.model, self.data)
            result.append(np.linalg.norm(self.data.qpos[:3]))
        return np.array(result)


def _add_piece(spec, body, name: str, vertices: np.ndarray, config: HoldConfig, **bits: int) -> None:
    spec.add_mesh(name=name, uservert=np.asarray(vertices, dtype=np.float64).ravel().tolist())
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        friction=[config.physics.friction, 0.0, 0.0],
        condim=3,
        **bits,
    )
