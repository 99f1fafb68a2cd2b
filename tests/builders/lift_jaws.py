# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A block between two jaws whose force is known, and grasps of it from above: what a lift does follows from Coulomb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from pxr import Usd
from scipy.spatial.transform import Rotation

from omni_graspd.hands.hand import Hand, Link
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.synthesis.grasp import GraspBatch, Postures, Way
from omni_graspd.usd.materials import Appearance
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import IDENTITY, compose, invert, pose_to_matrix, transform_points

SIZE = np.array([0.04, 0.04, 0.06])
OPENING = 0.02
GRASP_HEIGHT = 0.13
LENGTH = 0.08


def box(size, center) -> TriangleMesh:
    """A box of some size about some center."""
    solid = trimesh.creation.box(size, trimesh.transformations.translation_matrix(center))
    return TriangleMesh(np.array(solid.vertices), np.array(solid.faces, dtype=np.int32))


def jaw(joint: int, side: float) -> Link:
    """A plate that hangs from the palm and slides toward the middle; its frames are turned to make errors show."""
    turn = Rotation.from_euler("xyz", [0.4, -0.3, 1.1])
    T_palm_joint = np.array([side * 0.01, 0.02, -0.03, *turn.as_quat()])
    T_palm_link = np.array([0.05, -0.02, 0.03, *Rotation.from_euler("xyz", [1.0, 0.2, -0.5]).as_quat()])
    inner = side * (SIZE[0] / 2 + OPENING + 0.004)
    plate = box([0.008, 0.02, LENGTH], [inner, 0.0, -0.06])
    surface = TriangleMesh(transform_points(invert(T_palm_link), plate.vertices), plate.faces)
    return Link(
        name=f"jaw_{joint}",
        prim_path=f"/none/jaw_{joint}",
        parent=0,
        joint=joint,
        joint_type="prismatic",
        axis=turn.inv().apply([-side, 0.0, 0.0]),
        T_parent_joint=T_palm_joint,
        T_link_joint=compose(invert(T_palm_link), T_palm_joint),
        mesh=surface,
        mass=0.05,
    )


def make_jaws(folder: Path) -> Hand:
    """Two jaws that slide toward each other, each with its drive."""
    source = folder / "jaws.usda"
    Usd.Stage.CreateNew(str(source)).Save()
    palm = box([0.1, 0.03, 0.02], [0.0, 0.0, 0.0])
    return Hand(
        name="jaws",
        source=source,
        links=(
            Link("palm", "/none", -1, -1, "root", np.zeros(3), IDENTITY, IDENTITY, palm, 0.3),
            jaw(0, -1.0),
            jaw(1, 1.0),
        ),
        joint_names=("left", "right"),
        joint_lower=np.full(2, -0.01),
        joint_upper=np.full(2, 0.05),
        actuated=np.array([0, 1]),
        coupling=np.eye(2),
        coupling_offset=np.zeros(2),
        approach_direction=np.array([0.0, 0.0, -1.0]),
        approach_point=np.array([0.0, 0.0, -0.05]),
        open_positions=np.zeros(2),
    )


def make_block(T_object_table: np.ndarray = IDENTITY) -> RigidObject:
    """A block that stands on the table's origin and weighs other than in the test."""
    upright = box(SIZE, [0.0, 0.0, SIZE[2] / 2])
    mesh = TriangleMesh(transform_points(T_object_table, upright.vertices), upright.faces)
    turn = pose_to_matrix(T_object_table)[:3, :3]
    inertia = turn @ np.diag((SIZE**2).sum() - SIZE**2) @ turn.T * 0.3 / 12.0
    center = transform_points(T_object_table, np.array([[0.0, 0.0, SIZE[2] / 2]]))[0]
    return RigidObject("block", Path("block.obj"), mesh, mesh, Appearance(), True, 0.3, center, inertia, "block")


def make_grasp(
    squeeze: float,
    *,
    aside: tuple[float, float, float] = (0.0, 0.0, 0.0),
    hover: tuple[float, float, float] = (0.0, 0.0, 0.06),
    pregrasp: tuple[float, float, float] = (0.0, 0.0, 0.1),
    T_object_table: np.ndarray = IDENTITY,
) -> GraspBatch:
    """One grasp from above: jaws touch the block and the targets of the squeeze are ``squeeze`` deeper [m].

    Hover and pregrasp are given against the grasp, which is itself ``aside`` of the block's middle.
    """

    def palm(*offsets) -> np.ndarray:
        position = np.array([0.0, 0.0, GRASP_HEIGHT]) + np.sum([aside, *offsets], axis=0)
        return compose(T_object_table, np.array([*position, 0.0, 0.0, 0.0, 1.0]))[None]

    matrix = pose_to_matrix(T_object_table)
    normal = matrix[:3, 2]
    zeros = np.zeros(1)
    plane = np.append(normal, normal @ matrix[:3, 3])[None]
    way = Way(plane, palm(hover), normal[None], *[zeros] * 5, np.array([True]), np.ones(1, np.int32), ("",))
    postures = Postures(palm(pregrasp), np.zeros((1, 2)), zeros, np.full((1, 2), OPENING + squeeze))
    return GraspBatch(palm(), np.full((1, 2), OPENING), {}, ("ok",), postures, way=way)
