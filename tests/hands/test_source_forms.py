# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands on arms, two in one file, with markers, in other units: what is taken in, and what is left out and said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from omni_graspd.errors import GraspdError
from omni_graspd.hands.checks.hand_check import check_hand
from omni_graspd.hands.importing.hand_import import add_hand, import_notes
from omni_graspd.hands.importing.mesh_files import find_mesh_file
from omni_graspd.hands.usd.hand_reader import read_hand

_PLACES = ((0.03, 0.0, 0.0), (-0.015, 0.026, 2.1), (-0.015, -0.026, 4.2))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))


def link(name: str, size: str, lift: float = 0.0, *, collides: bool = True) -> str:
    shape = f'<origin xyz="0 0 {lift}"/><geometry><box size="{size}"/></geometry>'
    solid = f"<collision>{shape}</collision>" if collides else ""
    return f'<link name="{name}"><visual>{shape}</visual>{solid}</link>'


def joint(name: str, parent: str, child: str, at: str, kind: str = "revolute", turn: float = 0.0) -> str:
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{at}" rpy="0 0 {turn}"/><axis xyz="0 -1 0"/><limit lower="-0.2" upper="1.4"/></joint>'
    )


def hand(prefix: str = "") -> str:
    """A palm of 80 mm with three fingers of two links."""
    text = link(f"{prefix}palm", "0.08 0.08 0.02")
    for k, (x, y, turn) in enumerate(_PLACES):
        near, far = f"{prefix}near{k}", f"{prefix}far{k}"
        text += link(near, "0.014 0.014 0.04", 0.02) + link(far, "0.014 0.014 0.03", 0.015)
        text += joint(f"j_{near}", f"{prefix}palm", near, f"{x} {y} 0.012", turn=turn)
        text += joint(f"j_{far}", near, far, "0 0 0.042")
    return text


def add(tmp_path: Path, text: str, name: str = "claw") -> Path:
    (tmp_path / "claw.urdf").write_text(f'<robot name="claw">{text}</robot>')
    return add_hand(name, tmp_path / "claw.urdf", replace=True)


def arm() -> str:
    text = link("base", "0.1 0.1 0.1")
    for k in range(5):
        text += link(f"arm{k}", "0.06 0.06 0.24", 0.12)
        text += joint(f"j_arm{k}", "base" if k == 0 else f"arm{k - 1}", f"arm{k}", "0 0 0.25")
    return text + joint("mount", "arm4", "palm", "0 0 0.26", "fixed")


@pytest.mark.slow
def test_a_hand_is_measured_without_its_arm_which_is_left_out_and_named(tmp_path: Path) -> None:
    path = add(tmp_path, arm() + hand())
    assert read_hand(path).links[0].name == "palm"
    (note,) = import_notes(path)
    assert note.endswith("do not hang on the palm palm: base, arm0, arm1, arm2, arm3, arm4")
    report = check_hand(path)
    (finding,) = [one for one in report.findings if one.code == "left-out-links"]
    assert "got base, arm0, arm1, arm2, arm3, arm4: grasps are made without" in finding.message


def test_a_hand_of_another_unit_on_an_arm_is_told_by_the_hand_alone(tmp_path: Path) -> None:
    (tmp_path / "claw.urdf").write_text(f'<robot name="claw">{arm() + hand()}</robot>')
    with pytest.raises(GraspdError, match=r"got 94 m; give its unit, probably --scale 1$"):
        add_hand("claw", tmp_path / "claw.urdf", scale=1000.0)
    with pytest.raises(GraspdError, match=r"of a whole robot, name the palm in a hand.toml"):
        add_hand("claw", tmp_path / "claw.urdf", scale=20.0)


def two(distance: float, kind: str = "fixed") -> str:
    text = '<link name="torso"/>' + hand("left_") + hand("right_")
    for side, y in (("left", distance / 2), ("right", -distance / 2)):
        if kind == "fixed":
            text += joint(f"mount_{side}", "torso", f"{side}_palm", f"0 {y} 0", "fixed")
        else:
            text += link(f"{side}_arm", "0.04 0.04 0.2", 0.1)
            text += joint(f"shoulder_{side}", "torso", f"{side}_arm", f"0 {y} 0")
            text += joint(f"wrist_{side}", f"{side}_arm", f"{side}_palm", "0 0 0.22")
    return text


@pytest.mark.parametrize("kind", ["fixed", "revolute"])
def test_two_hands_in_one_file_are_refused_with_both_palms(tmp_path: Path, kind: str) -> None:
    with pytest.raises(GraspdError, match=r'got 2, with the palms left_palm, right_palm; .* palm = "left_palm"'):
        add(tmp_path, two(0.5, kind))


@pytest.mark.slow
def test_a_palm_named_beside_the_file_chooses_one_of_two_hands(tmp_path: Path) -> None:
    (tmp_path / "hand.toml").write_text('palm = "right_palm"\n')
    path = add(tmp_path, two(0.5))
    names = [one.name for one in read_hand(path).links]
    assert names[0] == "right_palm"
    assert not any(name.startswith("left") for name in names)


@pytest.mark.slow
def test_parts_of_a_palm_whose_fingers_meet_are_one_hand(tmp_path: Path) -> None:
    assert read_hand(add(tmp_path, two(0.1))).joint_count == 12


@pytest.mark.slow
def test_a_palm_welded_to_a_flange_is_no_farther_from_its_fingers(tmp_path: Path) -> None:
    flange = link("flange", "0.06 0.06 0.01") + joint("weld", "flange", "palm", "0 0 0.015", "fixed")
    plain, welded = (check_hand(add(tmp_path, text)) for text in (hand(), flange + hand()))
    overlaps = [
        [finding.message for finding in report.findings if finding.code == "self-overlap"] for report in (plain, welded)
    ]
    assert overlaps[0] == overlaps[1]
    assert not any("palm" in message for message in overlaps[1])


@pytest.mark.slow
def test_balls_that_are_only_seen_are_not_solid_and_named(tmp_path: Path) -> None:
    markers = "".join(
        link(f"tip{k}", "0.02 0.02 0.02", collides=False) + joint(f"tip_{k}", f"far{k}", f"tip{k}", "0 0 0.03", "fixed")
        for k in range(3)
    )
    path = add(tmp_path, hand() + markers)
    assert not any(one.name.startswith("tip") for one in read_hand(path).links)
    assert import_notes(path)[0].endswith("no <collision> where others have: tip0, tip1, tip2")


@pytest.mark.slow
def test_links_that_are_only_seen_are_solid_where_no_link_collides(tmp_path: Path) -> None:
    text = hand().replace("<collision>", "<!--").replace("</collision>", "-->")
    assert all(len(one.mesh.faces) for one in read_hand(add(tmp_path, text)).links)


@pytest.mark.slow
def test_collada_meshes_are_read_in_the_unit_that_they_state(tmp_path: Path) -> None:
    pytest.importorskip("collada")
    box = trimesh.creation.box((80.0, 80.0, 20.0))
    text = trimesh.exchange.dae.export_collada(box)
    text = (text.decode() if isinstance(text, bytes) else text).replace('meter="1.0"', 'meter="0.001"')
    text = text if 'meter="0.001"' in text else text.replace("<asset>", '<asset><unit name="mm" meter="0.001"/>', 1)
    (tmp_path / "palm.dae").write_text(text)
    mesh = '<geometry><mesh filename="palm.dae"/></geometry>'
    palm = hand().replace('<geometry><box size="0.08 0.08 0.02"/></geometry>', mesh)
    surface = read_hand(add(tmp_path, palm)).links[0].mesh
    np.testing.assert_allclose(np.ptp(surface.vertices, axis=0), [0.08, 0.08, 0.02], atol=1e-6)


def test_a_missing_mesh_is_taken_from_another_format(tmp_path: Path) -> None:
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes" / "palm.dae").write_text("<COLLADA/>")
    named = "package://claw/meshes/palm.STL"
    assert find_mesh_file(named, tmp_path / "hand.urdf").name == "palm.dae"
    (tmp_path / "meshes" / "palm.STL").write_bytes(b"")
    assert find_mesh_file(named, tmp_path / "hand.urdf").name == "palm.STL"
    with pytest.raises(GraspdError, match=r"expected the mesh 'package://claw/meshes/finger\.STL'"):
        find_mesh_file("package://claw/meshes/finger.STL", tmp_path / "hand.urdf")


def test_collada_without_its_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "collada", None)
    (tmp_path / "palm.dae").write_text("<COLLADA/>")
    text = hand().replace('<box size="0.08 0.08 0.02"/>', '<mesh filename="palm.dae"/>')
    with pytest.raises(GraspdError, match=r"the package pycollada .* pip install 'omni-graspd\[import\]'"):
        add(tmp_path, text)


@pytest.mark.slow
def test_axes_that_are_drawn_on_a_palm_are_no_part_of_it(tmp_path: Path) -> None:
    """As in a hand of Unitree's: an arrow and a ball for each axis, beside a mesh that collides."""
    trimesh.creation.box((0.08, 0.08, 0.02)).export(tmp_path / "palm.stl")
    mesh = '<geometry><mesh filename="palm.stl"/></geometry>'
    arrow = (
        '<visual><origin xyz="0.07 0 0" rpy="0 1.57 0"/><geometry><cylinder length="0.14" radius="0.004"/></geometry>'
    )
    ball = '<visual><origin xyz="0.15 0 0"/><geometry><sphere radius="0.015"/></geometry></visual>'
    knob = '<visual><origin xyz="0 0 0.012"/><geometry><sphere radius="0.006"/></geometry></visual>'
    palm = f"<visual>{mesh}</visual><collision>{mesh}</collision>{arrow}</visual>{ball}{knob}"
    text = hand().replace(link("palm", "0.08 0.08 0.02"), f'<link name="palm">{palm}</link>')
    path = add(tmp_path, text)
    (note,) = import_notes(path)
    assert note.endswith("drawn away from what collides, as axes are, of palm")
    surface = read_hand(path).links[0].mesh.vertices
    np.testing.assert_allclose(surface.max(axis=0), [0.04, 0.04, 0.018], atol=1e-3)
