# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Packages for Isaac Sim: NVIDIA's SimReady rules pass, and the hand in them is the same."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from pxr import Usd

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.usd.hand_reader import read_hand
from omni_graspd.hands.usd.simready_package import Provenance, write_simready_package
from omni_graspd.library import list_names

_PROVENANCE = Provenance(author="The omni_graspd authors", license="Apache-2.0", date="2026-11-23")
# What other simulators and material languages ask for.
_NOT_OURS = ("NEWTON", "MUJOCO", "OPENPBR", "MDL")


@pytest.fixture(scope="module")
def thumbnail(tmp_path_factory) -> Path:
    """A grey PNG of 256 by 256 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(256 * (b"\0" + 256 * b"\x80"))
    header = struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0)
    path = tmp_path_factory.mktemp("thumbnail") / "grey.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


@pytest.fixture(scope="module", params=list_names("hands"))
def package(request: pytest.FixtureRequest, tmp_path_factory, thumbnail: Path) -> Path:
    source = load_hand(request.param).source
    return write_simready_package(source, tmp_path_factory.mktemp("packages"), _PROVENANCE, thumbnail)


@pytest.mark.slow
def test_nvidias_gripper_profile_passes(package: Path, tmp_path: Path) -> None:
    validate = Path(sys.executable).parent / "simready-validate"
    if not validate.exists():
        pytest.skip("needs simready-validate (pip install simready-validate simready-foundation-tier-core)")
    report = tmp_path / "report.json"
    command = [str(validate), "--profile", "Robot-Gripper", "--output", str(report), str(package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (found,) = json.loads(report.read_text()).values()
    failed = [name for name, feature in found["features_summary"].items() if not feature["passed"]]
    assert [name for name in failed if not name.endswith(_NOT_OURS)] == [], done.stdout
    assert len(found["features_summary"]) > 20
    assert done.returncode == 0


@pytest.mark.slow
def test_usd_validators_find_nothing_in_a_package(package: Path, usd_findings) -> None:
    assert usd_findings(package) == []


@pytest.mark.slow
def test_hand_in_the_package_is_the_same(package: Path, tmp_path: Path) -> None:
    original = load_hand(package.stem)
    stage = Usd.Stage.Open(str(package))
    stage.GetDefaultPrim().GetVariantSet("PhysX").SetVariantSelection("Enabled")
    stage.Flatten().Export(str(tmp_path / package.name))
    copy = read_hand(tmp_path / package.name)
    assert copy.joint_names == original.joint_names
    np.testing.assert_array_equal(copy.coupling, original.coupling)
    np.testing.assert_array_equal(copy.joint_upper, original.joint_upper)
    for ours, theirs in zip(original.links, copy.links, strict=True):
        assert ours.name == theirs.name and ours.mass == theirs.mass
        np.testing.assert_array_equal(ours.mesh.vertices, theirs.mesh.vertices)
        np.testing.assert_array_equal(ours.mesh.faces, theirs.mesh.faces)
        np.testing.assert_array_equal(ours.T_parent_joint, theirs.T_parent_joint)


def test_equal_geometry_is_stored_once(package: Path) -> None:
    stage = Usd.Stage.Open(str(package.parent / "payloads" / "geometries.usdc"))
    shapes = stage.GetPrimAtPath("/Geometries").GetChildren()
    pieces = {prim.GetName() for prim in shapes}
    if package.stem == "barrett":
        # Palm, proximal, medial and distal link: one surface and one group of colliders each.
        assert len(pieces) == 8
    assert len(pieces) < 2 * len(load_hand(package.stem).links)


def test_package_is_not_written_over_another(package: Path, thumbnail: Path) -> None:
    source = load_hand(package.stem).source
    with pytest.raises(GraspdError, match="expected no package yet"):
        write_simready_package(source, package.parents[2], _PROVENANCE, thumbnail)
