# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The run without a window: the real pipeline behind Kit's stubs, progress, exit codes."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from kit_fakes.replicator import synthetic_channels
from kit_stubs import skip_without
from pxr import Usd
from small_dataset import QUICK_OPTIONS

from omni_graspd import backend as backends
from omni_graspd.backend import Backend, load_backend
from omni_graspd.cli.main import main as graspd
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.pinhole_camera import read_pinhole_camera

_SCRIPTS = Path(__file__).resolve().parents[2] / "kit_app"
_TINY = (
    *("--hand", "barrett", "--object", "soup_can", "--grasps", "1", "--scenes", "1", "--views", "1", "--mono"),
    *("--camera.width", "32", "--camera.height", "24", *QUICK_OPTIONS),
    *("--render.annotators", "rgb", "distance_to_camera", "camera_params"),
)


_needs_options = pytest.mark.skipif(
    None in (importlib.util.find_spec("tyro"), importlib.util.find_spec("pyarrow")), reason="needs tyro and pyarrow"
)


@pytest.fixture
def standalone(monkeypatch) -> Backend:
    """The standalone backend in the place of Kit's."""
    skip_without("ovphysx", "mitsuba")
    stand_in = replace(load_backend("standalone"), name="kit")
    monkeypatch.setattr(backends, "load_backend", lambda name: stand_in)
    return stand_in


@pytest.fixture
def script(kit, monkeypatch):
    """Run ``generate.py`` as Kit's ``--exec`` does, and wait until it quits Kit; return the exit code."""

    def execute(*arguments: object) -> int | None:
        async def until_quit() -> None:
            runpy.run_path(str(_SCRIPTS / "generate.py"), run_name="__main__")
            while kit.exit_code is None:
                await asyncio.sleep(0.001)

        kit.exit_code = None
        monkeypatch.setattr(sys, "argv", ["generate.py", *map(str, arguments)])
        kit.run(asyncio.wait_for(until_quit(), 120.0))
        return kit.exit_code

    return execute


def _synthetic_view(stage: Usd.Stage, path: str, resolution: tuple[int, int]) -> dict:
    made = synthetic_channels(stage, path, resolution)
    return made | {
        "camera_params": (made["camera_params"][0], read_pinhole_camera(stage, path, *resolution).camera_params())
    }


def _verified(folder: Path, capsys) -> str:
    graspd(["verify", str(folder)])
    return capsys.readouterr().out


def _times(folder: Path) -> dict[str, int]:
    return {
        str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix in (".parquet", ".npy", ".usd")
    }


@pytest.mark.slow
def test_the_script_writes_a_valid_dataset_and_goes_on_with_it(kit, script, standalone, tmp_path, capsys, usd_findings):
    folder = tmp_path / "dataset"
    assert script(*_TINY, "--out", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    for stage in ("settle", "synthesize", "place", "render"):
        assert any(line.startswith(f"{stage}: 1 of 1, ") for line in lines), lines
    assert lines[-1] == f"dataset: {folder}"
    assert ("info", f"omni_graspd: {lines[-1]}") in kit.log
    manifest = json.loads((folder / "dataset.json").read_text())
    assert (manifest["config"]["backend"], manifest["counts"]["images"]) == ("kit", 1)
    assert "nothing wrong" in _verified(folder, capsys)
    before = _times(folder)
    assert before
    assert script(*_TINY, "--out", folder) == 0
    assert _times(folder) == before
    if kit.version == "6.0":  # the files are the same in both
        files = [path for path in folder.rglob("*.usd*") if path.parent.name in ("hands", "objects", "soup_can")]
        assert len(files) == 3
        assert {path.name: usd_findings(path) for path in files} == {path.name: [] for path in files}


@_needs_options
def test_the_script_runs_with_the_backend_of_kit(kit, script, tmp_path, capsys):
    """PhysX and Replicator are fakes, PhysX with real steps; all between them and the files is what runs in Kit."""
    skip_without("ovphysx")
    kit.physics.with_ovphysx = True
    kit.replicator.renderer = _synthetic_view
    folder = tmp_path / "dataset"
    options = ["--stereo" if option == "--mono" else option for option in _TINY]
    assert script(*options, "--out", folder) == 0, [text for level, text in kit.log if level == "error"]
    manifest = json.loads((folder / "dataset.json").read_text())
    assert (manifest["config"]["backend"], manifest["counts"]["images"]) == ("kit", 2)
    assert kit.called("step_async")
    assert kit.called("simulate")
    assert "nothing wrong" in _verified(folder, capsys)


def test_a_failing_stage_is_one_line_and_a_code(kit, script, standalone, tmp_path, capsys, monkeypatch):
    async def refuse(*_: object) -> None:
        raise GraspdError("expected the object to come to rest, got none; give it more time")

    monkeypatch.setattr(backends, "load_backend", lambda name: replace(standalone, simulate=refuse))
    assert script(*_TINY, "--out", tmp_path / "dataset") == 2
    problem = "expected the object to come to rest, got none; give it more time"
    assert capsys.readouterr().err.splitlines() == [f"error: {problem}"]
    assert ("error", f"omni_graspd: {problem}") in kit.log


def test_an_unexpected_error_is_one_line_with_the_traceback_in_the_log(
    kit, script, standalone, tmp_path, capsys, monkeypatch
):
    def fail(_: object) -> tuple[str, str]:
        raise RuntimeError("planted")

    monkeypatch.setattr(backends, "load_backend", lambda name: replace(standalone, choose_renderer=fail))
    assert script(*_TINY, "--out", tmp_path / "dataset") == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: RuntimeError: planted; run again with the same options to resume"
    ]
    assert any(level == "error" and "Traceback" in text for level, text in kit.log)


def test_an_unknown_object_is_one_line(script, standalone, tmp_path, capsys):
    assert script("--object", "mugg", "--out", tmp_path / "dataset") == 2
    assert "did you mean 'mug'" in capsys.readouterr().err
    assert not (tmp_path / "dataset").exists()


@_needs_options
def test_an_unknown_option_ends_with_code_2(script, capsys):
    assert script("--objekt", "mug") == 2
    assert "objekt" in capsys.readouterr().err


@_needs_options
def test_help_ends_well(script, capsys):
    assert script("--help") == 0
    assert "--synthesis.iterations" in capsys.readouterr().out


@_needs_options
def test_another_backend_is_refused(script, capsys):
    assert script("--backend", "standalone") == 2
    assert "expected backend kit inside Kit" in capsys.readouterr().err


def test_missing_packages_are_named_with_the_command_that_installs_them(script, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyarrow" else find(name))
    assert script(*_TINY) == 2
    error = capsys.readouterr().err
    assert "no pyarrow; in Isaac Sim's folder, run ./python.sh -m pip install " in error
    assert "'pyarrow>=17'" in error
    assert len(error.splitlines()) == 1


def test_a_module_missing_later_is_named(script, standalone, tmp_path, capsys, monkeypatch):
    def lack(_: object) -> tuple[str, str]:
        raise ModuleNotFoundError("No module named 'coacd'", name="coacd")

    monkeypatch.setattr(backends, "load_backend", lambda name: replace(standalone, choose_renderer=lack))
    assert script(*_TINY, "--out", tmp_path / "dataset") == 2
    assert "Kit's Python lacks the package coacd" in capsys.readouterr().err


def test_without_the_extension_the_script_says_how_to_enable_it(script, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "omni_graspd.kit", None)
    assert script(*_TINY) == 2
    assert "start Kit with --enable omni.graspd" in capsys.readouterr().err


@_needs_options
def test_a_cancelled_run_ends_with_130(kit, capsys, monkeypatch):
    async def cancel() -> None:
        from omni_graspd.kit import headless

        async def forever(*_: object) -> None:
            await asyncio.sleep(60.0)

        monkeypatch.setattr(headless, "generate", forever)
        monkeypatch.setattr(headless, "load_backend", lambda name: None)
        task = headless.start(["--object", "mug"])
        await asyncio.sleep(0.2)
        task.cancel()
        assert await task == 130

    kit.run(cancel())
    assert kit.exit_code == 130
    assert "run again with the same options to resume" in capsys.readouterr().err


def test_simulation_app_enables_the_extension_and_hands_the_code_on(kit, standalone, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(os, "_exit", lambda code: setattr(kit, "exit_code", code))
    kit.extensions["omni.graspd-0.1.0"] = str(_SCRIPTS.parent)
    main = runpy.run_path(str(_SCRIPTS / "generate_simulation_app.py"))["main"]
    assert main(["--object", "mugg", "--out", str(tmp_path / "dataset")]) == 2
    assert "exit code 2" in capsys.readouterr().out
    assert kit.exit_code == 2
    assert kit.called("ExtensionManager.set_extension_enabled_immediate")[0].args == ("omni.graspd", True)


def test_simulation_app_says_where_the_extension_is_missing(kit, capsys, monkeypatch):
    monkeypatch.setattr(os, "_exit", lambda code: setattr(kit, "exit_code", code))
    main = runpy.run_path(str(_SCRIPTS / "generate_simulation_app.py"))["main"]
    assert main([]) == 2
    assert "run graspd kit stage DIR" in capsys.readouterr().err
    assert kit.exit_code == 2


def test_packages_of_an_extension_are_had_by_enabling_it(script, standalone, tmp_path, capsys, monkeypatch):
    def lack(_: object) -> tuple[str, str]:
        raise ModuleNotFoundError("No module named 'trimesh'", name="trimesh")

    monkeypatch.setattr(backends, "load_backend", lambda name: replace(standalone, choose_renderer=lack))
    assert script(*_TINY, "--out", tmp_path / "dataset") == 2
    assert "Kit's Python lacks the package trimesh; start Kit with --enable omni.pip.compute" in capsys.readouterr().err
