# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Gradients through couplings to 1e-6: the shipped functions, their types turned to double precision, nothing else."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import warp as wp
from pose_differences import finite_differences

import omni_graspd
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import JOINT_TYPES, link_poses
from omni_graspd.library import list_names
from omni_graspd.usd.transforms import invert, pose_to_matrix

_SOURCES = (
    "hands/kinematics_kernels.py",
    "synthesis/losses.py",
    "synthesis/model_structs.py",
    "synthesis/hand_kernels.py",
)
_KERNELS = """

@wp.kernel
def place_twin(hand: HandArrays, state: GraspArrays):
    place_links(wp.tid(), hand, state, wp.vec3d())


@wp.kernel
def project_twin(hand: HandArrays, settings: Settings, state: GraspArrays):
    if not project_on_joints(wp.tid(), hand, state, settings):
        state.failed[wp.tid()] = 1
"""
_POINTS = 40


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> ModuleType:
    """One module of the functions' sources with float, vec3, quat, transform and all literals in double precision."""
    package = Path(omni_graspd.__file__).parent
    text = "import warp as wp\n"
    for source in _SOURCES:
        # Functions come before kernels, and the kernels use more than is looked at here.
        lines = (package / source).read_text().split("\n@wp.kernel")[0].splitlines()
        text += "\n".join(line for line in lines if not line.startswith(("from omni", "import ", "wp.set"))) + "\n"
    for name in ("vec3", "quat", "transform", "mat33"):
        text = re.sub(rf"\bwp\.{name}\b(?!_)", f"wp.{name}d", text)
    text = re.sub(r"\bwp\.transform_identity\(\)", "wp.transform_identity(dtype=wp.float64)", text)
    text = re.sub(r"\bwp\.quat_identity\(\)", "wp.quat_identity(dtype=wp.float64)", text)
    text = re.sub(r"(?<![\w.])float(?=[\s,()])", "wp.float64", text)
    text = re.sub(r"(?<![\w.])(\d+\.\d+(?:e-?\d+)?)", r"wp.float64(\1)", text)
    path = tmp_path_factory.mktemp("twin") / "double_precision_kernels.py"
    path.write_text(text + _KERNELS)
    spec = importlib.util.spec_from_file_location("double_precision_kernels", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _hand_arrays(twin: ModuleType, hand: Hand) -> object:
    links = hand.links
    columns = {
        "parent": ([link.parent for link in links], int),
        "joint": ([link.joint for link in links], int),
        "joint_type": ([JOINT_TYPES[link.joint_type] for link in links], int),
        "axis": ([link.axis for link in links], wp.vec3d),
        "T_parent_joint": ([link.T_parent_joint for link in links], wp.transformd),
        "T_joint_link": (invert(np.array([link.T_link_joint for link in links])), wp.transformd),
        "coupling": (hand.coupling, wp.float64),
        "coupling_offset": (hand.coupling_offset, wp.float64),
        "lower": (hand.joint_lower, wp.float64),
        "upper": (hand.joint_upper, wp.float64),
    }
    arrays = twin.HandArrays()
    for name, (values, dtype) in columns.items():
        setattr(arrays, name, wp.array(np.array(values), dtype=dtype, device="cpu"))
    return arrays


def _state(twin: ModuleType, hand: Hand, pose: np.ndarray, actuated: np.ndarray) -> object:
    state = twin.GraspArrays()
    state.T_object_palm = wp.array(pose[None], dtype=wp.transformd, device="cpu")
    state.actuated = wp.array(actuated[None], dtype=wp.float64, device="cpu")
    shapes = {
        "joint_positions": (hand.joint_count, wp.float64),
        "joint_gradients": (hand.joint_count, wp.float64),
        "actuated_gradients": (hand.actuated_count, wp.float64),
        "link_poses": (len(hand.links), wp.transformd),
        **{name: (len(hand.links), wp.vec3d) for name in ("joint_axis", "joint_anchor", "forces", "torques")},
    }
    for name, (length, dtype) in shapes.items():
        setattr(state, name, wp.zeros((1, length), dtype=dtype, device="cpu"))
    for name in ("palm_forces", "palm_torques"):
        setattr(state, name, wp.zeros(1, dtype=wp.vec3d, device="cpu"))
    state.losses = wp.zeros((1, len(twin.KEPT_TERMS)), dtype=wp.float64, device="cpu")
    state.failed = wp.zeros(1, dtype=int, device="cpu")
    return state


@pytest.mark.parametrize("name", [*list_names("hands"), "branched"])
def test_gradients_through_couplings_match_finite_differences_to_a_millionth(twin, branched_hand, name: str) -> None:
    """Random pulls on points of all links, about a random posture and palm pose."""
    hand = branched_hand if name == "branched" else load_hand(name)
    random = np.random.default_rng(7)
    quat = random.normal(size=4)
    pose = np.concatenate([random.normal(scale=0.1, size=3), quat / np.linalg.norm(quat)])
    actuated = random.uniform(hand.joint_lower[hand.actuated], hand.joint_upper[hand.actuated])
    link_index = random.integers(0, len(hand.links), size=_POINTS)
    local, pull = random.normal(scale=0.03, size=(_POINTS, 3)), random.normal(size=(_POINTS, 3))

    def place(pose: np.ndarray, actuated: np.ndarray) -> np.ndarray:
        matrices = pose_to_matrix(link_poses(hand, pose, hand.joint_positions(actuated)))
        return np.einsum("pij,pj->pi", matrices[link_index, :3, :3], local) + matrices[link_index, :3, 3]

    arrays, state = _hand_arrays(twin, hand), _state(twin, hand, pose, actuated)
    wp.launch(twin.place_twin, dim=1, inputs=[arrays, state], device="cpu")
    points, forces, torques = place(pose, actuated), np.zeros((len(hand.links), 3)), np.zeros((len(hand.links), 3))
    np.add.at(forces, link_index, pull)
    np.add.at(torques, link_index, np.cross(points, pull))
    state.forces = wp.array(forces[None], dtype=wp.vec3d, device="cpu")
    state.torques = wp.array(torques[None], dtype=wp.vec3d, device="cpu")
    wp.launch(twin.project_twin, dim=1, inputs=[arrays, twin.Settings(), state], device="cpu")
    assert state.failed.numpy()[0] == 0
    found = [array.numpy()[0] for array in (state.palm_forces, state.palm_torques, state.actuated_gradients)]
    expected = finite_differences(lambda p, q: float(np.sum(pull * place(p, q))), pose, actuated)
    for value, reference in zip(found, expected, strict=True):
        assert np.abs(value).max() > 1e-2
        np.testing.assert_allclose(value, reference, rtol=1e-6, atol=1e-8)
