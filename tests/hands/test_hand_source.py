# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where hands are taken from: folders, archives, hands known by name in them; licences found, and refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from omni_graspd.cli.main import main
from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.hand_import import add_hand, hand_entry
from omni_graspd.hands.importing.hand_source import (
    check_commercial_use,
    find_description,
    find_licenses,
    opened_source,
)
from omni_graspd.hands.importing.known_hands import KNOWN_HANDS, known_hand

_BOX = '<visual><origin xyz="0 0 {}"/><geometry><box size="{}"/></geometry></visual>'
_JOINT = """<joint name="j_{0}" type="revolute"><parent link="base"/><child link="{0}"/><axis xyz="0 {2} 0"/>
  <origin xyz="{1} 0 .01"/><limit lower="0" upper="1"/></joint>"""
_URDF = (
    f'<robot name="claw"><link name="base">{_BOX.format(0, ".08 .06 .02")}</link>'
    + "".join(f'<link name="{name}">{_BOX.format(0.03, ".01 .02 .06")}</link>' for name in ("a", "b"))
    + f"{_JOINT.format('a', -0.03, 1)}{_JOINT.format('b', 0.03, -1)}</robot>"
)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with both hands of a kind that is known by name, and its licence at the top."""
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    folder = tmp_path / "wuji-main"
    (folder / "urdf").mkdir(parents=True)
    for side in ("left", "right"):
        (folder / "urdf" / f"{side}.urdf").write_text(_URDF)
    (folder / "LICENSE").write_text("MIT License\n\nPermission is hereby granted, free of charge, ...")
    return folder


@pytest.mark.parametrize("kind", ["zip", "gztar", "xztar"])
def test_a_known_hand_is_found_in_a_folder_and_in_an_archive_of_it(repository: Path, kind: str) -> None:
    archive = Path(shutil.make_archive(str(repository.parent / "main"), kind, repository.parent, repository.name))
    for source in (repository, archive):
        with opened_source(source) as place:
            for name, file in (("wuji", "right.urdf"), ("wuji_left", "left.urdf")):
                found = find_description(place, KNOWN_HANDS[name].path)
                assert found.name == file
                assert list(find_licenses(found, place)) == ["LICENSE"]
            with pytest.raises(
                GraspdError, match=r"expected one URDF, MJCF or USD file in .*left\.urdf, .*right\.urdf"
            ):
                find_description(place)


def test_what_is_missing_in_an_archive_is_told_by_its_name(repository: Path) -> None:
    archive = Path(shutil.make_archive(str(repository.parent / "main"), "zip", repository.parent, repository.name))
    with (
        opened_source(archive) as place,
        pytest.raises(GraspdError, match=r"expected a/b\.urdf or one .* in .*main\.zip, got .*; name .* unpacked"),
    ):
        find_description(place, "a/b.urdf", archive)


@pytest.mark.slow
def test_its_licence_is_kept_and_printed(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = shutil.make_archive(str(repository.parent / "main"), "zip", repository.parent, repository.name)
    main(["hands", "add", "wuji", archive])
    printed = capsys.readouterr().out
    assert "wuji: 2 joints, 2 actuated, from right.urdf, licence MIT (read " in printed
    assert hand_entry("wuji").license == "MIT"
    assert hand_entry("wuji").source == "right.urdf"


def test_a_licence_above_what_the_user_gave_is_not_looked_for(repository: Path) -> None:
    assert find_licenses(repository / "urdf" / "left.urdf", repository / "urdf") == {}
    assert find_licenses(repository / "urdf" / "left.urdf", repository / "urdf" / "left.urdf") == {}


def test_a_file_of_a_package_has_the_packages_licence(repository: Path) -> None:
    file = repository / "urdf" / "left.urdf"
    (repository / "package.xml").write_text("<package/>")
    assert list(find_licenses(file, file)) == ["LICENSE"]
    (repository / "urdf" / "COPYING").write_text("MIT")
    assert list(find_licenses(file, file)) == ["COPYING"]


@pytest.mark.parametrize(
    "words",
    [
        "Attribution-NonCommercial-ShareAlike 4.0 International",
        "CC BY-NC-SA 4.0",
        "for non-commercial\npurposes",
        "You may use it for academic use only.",
    ],
)
def test_a_licence_that_forbids_commercial_use_is_refused_unless_accepted(repository: Path, words: str) -> None:
    (repository / "LICENSE").write_text(f"Terms.\n{words}\n")
    with pytest.raises(GraspdError, match=r"got wuji, of which LICENSE says .* --accept-licence") as error:
        add_hand("wuji", repository)
    assert "\n" not in str(error.value)
    check_commercial_use({"LICENSE": repository / "LICENSE"}, "MIT", "wuji", is_accepted=True)


@pytest.mark.parametrize(
    "words",
    [
        "for any purpose, commercial or non‑restricted; GPL-3.0, BSD-3-Clause",
        # GPL-3.0, 6c, and GPL-2.0, 3c
        "This\n    alternative is allowed only occasionally and noncommercially, and\n    only if you received",
        "(This alternative is\n    allowed only for noncommercial distribution and only if",
    ],
)
def test_licences_that_permit_commercial_use_pass(repository: Path, words: str) -> None:
    (repository / "LICENSE").write_text(words)
    check_commercial_use({"LICENSE": repository / "LICENSE"}, "GPL-3.0", "wuji", is_accepted=False)


def test_a_damaged_archive_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "hand.zip").write_bytes(b"PK\x03\x04 no archive")
    with (
        pytest.raises(GraspdError, match=r"expected .*hand\.zip to be an archive that can be unpacked"),
        opened_source(tmp_path / "hand.zip"),
    ):
        pass


def test_hands_that_no_package_has_say_where_they_are() -> None:
    with pytest.raises(GraspdError, match=r"expected a source for 'inspire'.*mujoco_menagerie \(BSD-3-Clause\)"):
        known_hand("inspire")
    with pytest.raises(GraspdError, match="did you mean 'leap'"):
        known_hand("leep")


def test_a_usd_hand_without_one_of_its_layers_is_refused_with_the_layers_name(repository: Path) -> None:
    """As hands that Isaac Sim converts, whose geometry is in a sublayer of its own."""
    (repository / "hand.usda").write_text("#usda 1.0\n(\n    subLayers = [@./configuration/hand_base.usd@]\n)\n")
    with pytest.raises(GraspdError, match=r"expected all files that .*hand\.usda refers to, got no hand_base\.usd"):
        add_hand("claw", repository / "hand.usda")
