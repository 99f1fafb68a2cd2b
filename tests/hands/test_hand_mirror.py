# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Mirrored hands: mirror images at equal joint positions; mirrored twice, the same hand; a vendor's own left hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from pxr import Sdf, Usd, UsdGeom, UsdPhysics

from omni_graspd.cli.main import main
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.importing.hand_import import add_hand
from omni_graspd.hands.importing.hand_mirror import mirror_hand, mirrored_name, side_axis
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.hands.usd.mirrored_layer import mirror_layer
from omni_graspd.library import resolve
from omni_graspd.usd.transforms import IDENTITY, pose_to_matrix, transform_points

_FINGER = """<link name="{0}"><inertial><origin xyz=".001 .002 .02" rpy=".1 .2 .3"/><mass value=".02"/>
  <inertia ixx="4e-6" iyy="5e-6" izz="3e-6" ixy="1e-7" ixz="2e-7" iyz="0"/></inertial>
  <visual><origin xyz=".002 0 {3}" rpy="0 .1 .2"/><geometry><box size=".012 .018 {3}"/></geometry></visual></link>
  <joint name="j_{0}" type="{5}"><parent link="{1}"/><child link="{0}"/><origin xyz="{2}" rpy=".1 -.2 .3"/>
  <axis xyz="{4}"/><limit lower="-.2" upper=".9"/>{6}</joint>"""
_MIMIC = '<mimic joint="j_a" multiplier=".5" offset=".1"/>'
_SLIDE = _FINGER.format("d", "right_palm", "-.03 .01 .01", ".04", "0 1 0", "prismatic", "")
_SLIDE = _SLIDE.replace('"-.2"', '"-.02"').replace('".9"', '".03"')
_HAND = f"""<robot name="claw">
  <link name="right_palm"><visual><geometry><box size=".08 .09 .02"/></geometry></visual></link>
  {_FINGER.format("a", "right_palm", ".03 .03 .01", ".04", "0 1 0", "revolute", "")}
  {_FINGER.format("b", "right_palm", ".03 -.02 .01", ".05", ".6 .8 0", "revolute", _MIMIC)}
  {_FINGER.format("c", "a", "0 .002 .045", ".03", "1 0 0", "revolute", "")}
  {_SLIDE}
</robot>"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    return tmp_path


def _points(hand: Hand, positions: np.ndarray) -> list[np.ndarray]:
    poses = link_poses(hand, IDENTITY, positions)
    return [transform_points(pose, link.mesh.vertices) for pose, link in zip(poses, hand.links, strict=True)]


def _check_mirror_image(hand: Hand, other: Hand, axis: int, atol: float = 1e-6) -> None:
    assert (other.joint_names, [link.name for link in other.links]) == (
        hand.joint_names,
        [link.name for link in hand.links],
    )
    np.testing.assert_array_equal(other.coupling, hand.coupling)
    random = np.random.default_rng(0)
    mirror = np.where(np.arange(3) == axis, -1.0, 1.0)
    for positions in random.uniform(hand.joint_lower, hand.joint_upper, (10, hand.joint_count)):
        for ours, theirs in zip(_points(hand, positions), _points(other, positions), strict=True):
            np.testing.assert_allclose(theirs, ours * mirror, atol=atol)


@pytest.mark.slow
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_equal_positions_give_mirror_images_and_twice_gives_the_same(home: Path, axis: int) -> None:
    """Hinges along, across and between the axes, a slide, a coupling."""
    (home / "claw.urdf").write_text(_HAND)
    path = add_hand("claw", home / "claw.urdf")
    hand, layer = read_hand(path), Sdf.Layer.FindOrOpen(str(path))
    before = layer.ExportToString()
    copy = Sdf.Layer.CreateAnonymous(".usda")
    copy.TransferContent(layer)
    mirror_layer(copy, axis)
    copy.Export(str(home / "other.usda"))
    _check_mirror_image(hand, read_hand(home / "other.usda"), axis)
    mirror_layer(copy, axis)
    assert _values(copy) == _values(layer)
    assert layer.ExportToString() == before


def _values(layer: Sdf.Layer) -> dict[str, object]:
    """Return all values, quaternions up to their sign, surfaces' orientation with its default."""
    values: dict[str, object] = {}

    def note(path: Sdf.Path) -> None:
        attribute = layer.GetAttributeAtPath(path) if path.IsPropertyPath() else None
        if attribute is None or attribute.default == "rightHanded":
            return
        value = attribute.default
        if hasattr(value, "GetImaginary"):
            numbers = np.array([value.GetReal(), *value.GetImaginary()])
            value = numbers * np.sign(numbers[np.argmax(np.abs(numbers))]) + 0.0
        values[str(path)] = str(value).replace("-0,", "0,").replace("-0)", "0)")

    layer.Traverse("/", note)
    return values


@pytest.mark.slow
def test_masses_and_colliders_are_mirrored_too(home: Path) -> None:
    """The inertia tensor about the palm's axes: M I M."""
    (home / "claw.urdf").write_text(_HAND)
    add_hand("claw_right", home / "claw.urdf")
    main(["hands", "mirror", "claw_right"])
    (path,) = resolve("hands", "claw_left")
    axis = side_axis(read_hand(resolve("hands", "claw_right")[0]))
    mirror = np.where(np.arange(3) == axis, -1.0, 1.0)
    stages = [Usd.Stage.Open(str(file)) for file in (resolve("hands", "claw_right")[0], path)]
    for name in ("a", "b", "c", "d"):
        (center, inertia), (other_center, other_inertia) = (_mass(stage, name) for stage in stages)
        np.testing.assert_allclose(other_center, mirror * center, atol=1e-9)
        np.testing.assert_allclose(other_inertia, mirror[:, None] * inertia * mirror, atol=1e-12)
        piece, other_piece = (_collider(stage, name) for stage in stages)
        np.testing.assert_allclose(other_piece.vertices, piece.vertices * mirror, atol=1e-7)
        assert other_piece.volume == pytest.approx(piece.volume, rel=1e-5)


def _mass(stage: Usd.Stage, link: str) -> tuple[np.ndarray, np.ndarray]:
    api = UsdPhysics.MassAPI(stage.GetPrimAtPath(f"{stage.GetDefaultPrim().GetPath()}/{link}"))
    quat = api.GetPrincipalAxesAttr().Get()
    turn = trimesh.transformations.quaternion_matrix([quat.GetReal(), *quat.GetImaginary()])[:3, :3]
    return np.array(api.GetCenterOfMassAttr().Get()), turn * np.array(api.GetDiagonalInertiaAttr().Get()) @ turn.T


def _collider(stage: Usd.Stage, link: str) -> trimesh.Trimesh:
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath(f"{stage.GetDefaultPrim().GetPath()}/{link}/collisions/piece_0"))
    faces = np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
    turned = mesh.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded
    return trimesh.Trimesh(np.array(mesh.GetPointsAttr().Get()), faces[:, ::-1] if turned else faces, process=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["allegro", "shadow", "barrett"])
def test_built_in_hands_keep_their_settings(home: Path, name: str) -> None:
    hand, other = read_hand(resolve("hands", name)[0]), read_hand(mirror_hand(name))
    axis = side_axis(hand)
    assert axis == {"allegro": 1, "shadow": 0, "barrett": 0}[name]
    _check_mirror_image(hand, other, axis)
    mirror = np.where(np.arange(3) == axis, -1.0, 1.0)
    np.testing.assert_allclose(other.approach_point, hand.approach_point * mirror, atol=1e-12)
    np.testing.assert_allclose(other.open_positions, hand.open_positions, atol=1e-12)


def test_names_tell_the_sides(home: Path) -> None:
    assert [mirrored_name(name) for name in ("leap_left", "right_hand", "claw")] == [
        "leap_right",
        "left_hand",
        "claw_mirrored",
    ]
    with pytest.raises(GraspdError, match="expected a name that is not built in, got 'shadow'"):
        mirror_hand("barrett", "shadow")


@pytest.mark.slow
def test_the_vendors_left_allegro_is_the_mirror_image_of_its_right_one(home: Path, vendor_hands: Path) -> None:
    """Link frames within 1e-6 m; the vendor counts the fingers' spread the other way round."""
    pytest.importorskip("mujoco")
    for side in ("right", "left"):
        add_hand(f"vendor_{side}", vendor_hands / "allegro" / "assets" / f"{side}_hand.xml")
    hand, theirs = (read_hand(resolve("hands", f"vendor_{side}")[0]) for side in ("right", "left"))
    ours = read_hand(mirror_hand("vendor_right", "mirrored"))
    assert side_axis(hand) == 1
    signs = np.array([-1.0 if name in ("ffj0", "mfj0", "rfj0") else 1.0 for name in ours.joint_names])
    order = [theirs.joint_names.index(name) for name in ours.joint_names]
    for positions in np.random.default_rng(0).uniform(ours.joint_lower, ours.joint_upper, (20, 16)):
        expected = np.zeros(16)
        expected[order] = signs * positions
        poses = {
            link.name: pose
            for link, pose in zip(theirs.links, pose_to_matrix(link_poses(theirs, IDENTITY, expected)), strict=True)
        }
        for link, pose in zip(ours.links, pose_to_matrix(link_poses(ours, IDENTITY, positions)), strict=True):
            np.testing.assert_allclose(pose, poses[link.name], atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_layer_mirrored_twice_is_the_same(axis: int) -> None:
    layer = Sdf.Layer.FindOrOpen(str(resolve("hands", "barrett")[0]))
    copy = Sdf.Layer.CreateAnonymous(".usda")
    copy.TransferContent(layer)
    mirror_layer(copy, axis)
    assert _values(copy) != _values(layer)
    mirror_layer(copy, axis)
    assert _values(copy) == _values(layer)
