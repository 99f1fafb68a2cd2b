# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The extension's folder: what is laid out, and what its self-check finds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from omni_graspd.cli import kit_stage
from omni_graspd.cli import main as cli
from omni_graspd.cli.kit_stage import check_extension, named_files, stage_extension
from omni_graspd.errors import GraspdError
from omni_graspd.library import list_names

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> Path:
    return stage_extension(tmp_path_factory.mktemp("extsUser")).path


@pytest.fixture
def copy(staged, tmp_path) -> Path:
    return shutil.copytree(staged, tmp_path / "omni.graspd")


def _settings() -> dict:
    return tomllib.loads((_ROOT / "extension.toml").read_text(encoding="utf-8"))


def test_the_checkout_passes_the_check():
    assert check_extension(_ROOT) == []


def test_every_file_that_the_extension_names_exists():
    names = named_files(_settings())
    assert {"README.md", "CHANGELOG.md", "data/icon.png", "data/preview.png", "docs/isaac_sim.md"} <= set(names)
    assert [name for name in names if not (_ROOT / name).is_file()] == []


def test_the_icon_is_a_square_of_256_pixels():
    with Image.open(_ROOT / "data" / "icon.png") as icon:
        assert (icon.size, icon.mode) == ((256, 256), "RGBA")


def test_the_watcher_looks_at_our_package_only():
    patterns = _settings()["fswatcher"]["patterns"]["include"]
    assert all(pattern.startswith("omni_graspd/") or pattern.endswith("extension.toml") for pattern in patterns)


def test_the_staged_folder_passes_the_check_and_keeps_the_settings(staged):
    assert staged.name == "omni.graspd"
    assert check_extension(staged) == []
    assert (staged / "config" / "extension.toml").read_bytes() == (_ROOT / "extension.toml").read_bytes()


@pytest.mark.slow
def test_the_staged_folder_has_the_whole_package_and_no_leftovers(staged):
    def modules(root: Path) -> set[str]:
        return {path.relative_to(root).as_posix() for path in (root / "omni_graspd").rglob("*.py")}

    assert modules(staged) == modules(_ROOT)
    assert not [path for path in staged.rglob("*") if path.name == "__pycache__" or path.suffix == ".pyc"]
    assert not list((staged / "data").rglob("*.py"))
    assert {path.name for path in staged.parent.iterdir()} == {"omni.graspd"}


@pytest.mark.slow
def test_a_hand_and_an_object_load_from_the_staged_folder(staged):
    code = (
        "from omni_graspd.hands.hand_library import load_hand\n"
        "from omni_graspd.objects.object_library import load_object\n"
        "print(load_hand('barrett').source); print(load_object('mug').source)"
    )
    result = subprocess.run(
        [sys.executable, "-B", "-c", code],
        env=os.environ | {"PYTHONPATH": str(staged)},
        cwd=staged.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in result.stdout.splitlines()[-2:]:
        assert Path(line).is_relative_to(staged / "data")


@pytest.mark.slow
def test_a_staged_folder_stages_another(staged, tmp_path):
    code = f"import pathlib, omni_graspd.cli.kit_stage as stage; stage.stage_extension(pathlib.Path({str(tmp_path)!r}))"
    subprocess.run(
        [sys.executable, "-B", "-c", code], env=os.environ | {"PYTHONPATH": str(staged)}, cwd=tmp_path, check=True
    )
    assert check_extension(tmp_path / "omni.graspd") == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["data/icon.png", "docs/isaac_sim.md", "CHANGELOG.md"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    assert check_extension(copy) == [f"extension.toml names {name}, which is missing"]


@pytest.mark.slow
def test_a_missing_module_is_named(copy):
    shutil.rmtree(copy / "omni_graspd" / "kit")
    assert check_extension(copy) == ["extension.toml names the module omni_graspd.kit, which is missing"]


@pytest.mark.slow
def test_a_broken_module_is_named(copy):
    (copy / "omni_graspd" / "seeding.py").write_text("def")
    assert check_extension(copy)[0].startswith("omni_graspd/seeding.py does not compile")


def test_a_broken_toml_is_reported(copy):
    (copy / "config" / "extension.toml").write_text("[package")
    assert check_extension(copy)[0].startswith("extension.toml does not parse")


@pytest.mark.slow
def test_missing_hands_are_named(copy):
    shutil.rmtree(copy / "data" / "hands" / "shadow")
    assert check_extension(copy) == ["hands missing from data/: shadow"]
    assert "shadow" in list_names("hands")


def test_an_empty_folder_is_no_extension(tmp_path):
    assert check_extension(tmp_path) == ["no config/extension.toml"]


def test_an_extension_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "omni.graspd").mkdir()
    with pytest.raises(GraspdError, match=r"already contains omni\.graspd"):
        stage_extension(tmp_path)


def test_a_file_is_no_folder_of_extensions(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GraspdError, match="give a folder"):
        stage_extension(tmp_path / "file")


def test_an_unwritable_folder_is_one_line(tmp_path, monkeypatch, capsys):
    pytest.importorskip("tyro")

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(kit_stage.shutil, "copytree", refuse)
    with pytest.raises(SystemExit) as stop:
        cli.main(["kit", "stage", str(tmp_path)])
    assert stop.value.code == 2
    assert capsys.readouterr().err == (
        f"error: cannot write to {tmp_path}: Permission denied; choose a writable folder\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_fails_its_check_does_not_appear(tmp_path, monkeypatch):
    monkeypatch.setattr(kit_stage, "check_extension", lambda path: ["planted"])
    with pytest.raises(GraspdError, match="self-check: planted"):
        stage_extension(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pictures_that_the_pages_show_are_there(staged):
    pages = [staged / "README.md", *(staged / "docs").glob("*.md")]
    shown = [page.parent / name for page in pages for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text())]
    assert shown
    assert [path for path in shown if not path.is_file()] == []


def test_the_wheel_takes_along_what_is_staged():
    """Patterns of the package data, for files that a wheel has in other folders than a checkout."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert set(project["package-data"]["omni_graspd.extension"]) == {"extension.toml", *kit_stage.ROOT_FILES}
    assert project["package-dir"]["omni_graspd.extension"] == "."
