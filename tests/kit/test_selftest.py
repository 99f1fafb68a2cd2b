# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The self-test behind Kit's stubs: every unverified call gets an answer, and a fault in Kit shows up as a no."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit_fakes.replicator import synthetic_channels
from kit_stubs import Kit, skip_without
from pxr import Usd

from omni_graspd.rendering.pinhole_camera import read_pinhole_camera

pytest.importorskip("pyarrow", reason="datasets are Parquet tables")

_ROOT = Path(__file__).resolve().parents[2]
_USED = _ROOT / "omni_graspd" / "kit" / "selftest" / "used.json"
_SCRIPT = _ROOT / "kit_app" / "selftest.py"
_QUICK = ("symbols", "startup", "panel", "viewport", "addresses", "physics", "rendering", "writing")


def _plane_seen(stage: Usd.Stage, path: str, resolution: tuple[int, int]) -> dict[str, Any]:
    """What a right renderer makes of a plane at height 0, labelled table, from a camera that looks straight down."""
    made = synthetic_channels(stage, path, resolution)
    camera = read_pinhole_camera(stage, path, *resolution)
    image, side = made["distance_to_image_plane"]
    return made | {
        "camera_params": (made["camera_params"][0], camera.camera_params()),
        "distance_to_image_plane": (np.full_like(image, camera.T_world_camera[2, 3]), side),
    }


@pytest.fixture
def extension(kit: Kit, tmp_path, monkeypatch):
    """The extension as Kit has started it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kit.extensions["omni.graspd-0.1.0"] = "there"
    kit.replicator.renderer = _plane_seen
    made = importlib.import_module("omni_graspd.kit").GraspdExtension()
    made.on_startup("omni.graspd-0.1.0")
    yield made
    made.on_shutdown()


def _results(kit: Kit, folder: Path, *steps: str) -> dict[str, Any]:
    from omni_graspd.kit.selftest.run import selftest

    return {result.name: result for result in kit.run(selftest(folder, steps))}


def _no(result: Any) -> list[str]:
    return [call for call, answer in result.answers.items() if not answer.is_yes]


def test_a_right_kit_gets_yes_everywhere(kit, extension, tmp_path):
    results = _results(kit, tmp_path, *_QUICK)
    assert {name: each.problem for name, each in results.items() if each.problem} == {}
    assert {name: _no(each) for name, each in results.items() if _no(each)} == {}
    assert not kit.windows and kit.replicator.products == []
    count = len(json.loads(_USED.read_text(encoding="utf-8")))
    assert count > 60 and results["symbols"].notes == (f"{count} of {count} symbols are there",)


@pytest.mark.slow
def test_each_unverified_call_belongs_to_a_step_or_a_person(kit):
    from omni_graspd.kit.selftest.answers import PERSON, unverified_calls
    from omni_graspd.kit.selftest.run import STEPS

    steps = {each.step for each in unverified_calls()}
    assert steps <= {PERSON, *STEPS}


def test_depth_that_is_off_is_a_no(kit, extension, tmp_path):
    def farther(stage: Usd.Stage, path: str, resolution: tuple[int, int]) -> dict[str, Any]:
        made = _plane_seen(stage, path, resolution)
        image, side = made["distance_to_image_plane"]
        return made | {"distance_to_image_plane": (image * 1.01, side)}

    kit.replicator.renderer = farther
    result = _results(kit, tmp_path, "rendering")["rendering"]
    assert _no(result) == ["omni.replicator.core.annotators.get"]
    assert "off by 0.01 m" in result.answers["omni.replicator.core.annotators.get"].detail


def test_another_camera_is_a_no(kit, extension, tmp_path):
    def wider(stage: Usd.Stage, path: str, resolution: tuple[int, int]) -> dict[str, Any]:
        made = _plane_seen(stage, path, resolution)
        data, params = made["camera_params"]
        projection = np.reshape(params["cameraProjection"], (4, 4)) @ np.diag([0.9, 0.9, 1.0, 1.0])
        return made | {"camera_params": (data, params | {"cameraProjection": projection.ravel()})}

    kit.replicator.renderer = wider
    assert _no(_results(kit, tmp_path, "rendering")["rendering"]) == ["omni.replicator.core.create.render_product"]


def test_a_fall_that_is_too_fast_is_a_no(kit, extension, tmp_path, monkeypatch):
    fetch = kit.physics.fetch

    def twice() -> None:
        pending = kit.physics.pending
        fetch()
        kit.physics.pending = pending
        fetch()
        kit.physics.time -= pending

    monkeypatch.setattr(kit.physics, "fetch", twice)
    assert _no(_results(kit, tmp_path, "physics")["physics"]) == [
        "omni.physx.bindings._physx.IPhysxSimulation.simulate"
    ]


def test_a_step_that_breaks_off_answers_no_with_its_reason_and_the_next_goes_on(kit, extension, tmp_path):
    kit.is_playing = True
    results = _results(kit, tmp_path, "physics", "panel")
    assert "the timeline is playing" in results["physics"].answers["omni.timeline.Timeline.is_stopped"].detail
    assert len(_no(results["physics"])) == 4
    assert results["panel"].is_good


def test_a_missing_symbol_is_named(kit, extension, tmp_path, monkeypatch):
    monkeypatch.delattr(kit.modules["omni.usd"], "get_context")
    result = _results(kit, tmp_path, "symbols")["symbols"]
    assert "not there: omni.usd.get_context" in result.problem


def test_an_extension_that_kit_did_not_start_is_a_no(kit, tmp_path):
    result = _results(kit, tmp_path, "startup")["startup"]
    assert _no(result) == ["omni.ext.IExt", "omni.ext.ExtensionManager.is_extension_enabled"]


def test_the_report_has_a_line_for_each_call(kit, extension, tmp_path):
    from omni_graspd.kit.selftest.answers import PERSON, unverified_calls
    from omni_graspd.kit.selftest.report import report
    from omni_graspd.kit.selftest.run import selftest

    text = report(kit.run(selftest(tmp_path, ("physics", "startup"))))
    listed = unverified_calls()
    for each in listed:
        lines = [line for line in text.splitlines() if f"`{each.call}`" in line and each.relied_on in line]
        assert len(lines) == 1, each.call
        assert lines[0].startswith("- [ ]") == (each.step == PERSON)
    persons = sum(each.step == PERSON for each in listed)
    answered = sum(each.step in ("physics", "startup") for each in listed)
    numbers = f"{answered} yes, 0 no, {len(listed) - answered - persons} not reached, {persons} for you"
    assert f"{len(listed)} calls that nobody had seen in Kit: {numbers}." in text
    assert re.search(r"Isaac Sim \d.*Kit 1\d\d.*Warp \d.*OpenUSD \d", text)


def _script(kit: Kit, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | None:
    async def until_quit() -> None:
        runpy.run_path(str(_SCRIPT), run_name="__main__")
        while kit.exit_code is None:
            await asyncio.sleep(0.001)

    monkeypatch.setattr(sys, "argv", ["selftest.py", *arguments])
    kit.run(asyncio.wait_for(until_quit(), 200.0))
    return kit.exit_code


@pytest.mark.slow
def test_the_script_writes_the_report_and_quits(kit, extension, tmp_path, monkeypatch, capsys):
    """All steps, the small dataset included."""
    skip_without("ovphysx", "tyro", "manifold3d")
    kit.physics.with_ovphysx = True
    assert _script(kit, monkeypatch, "--out", str(tmp_path / "self test")) == 0, capsys.readouterr().out
    report = (tmp_path / "self test" / "report.md").read_text(encoding="utf-8")
    assert "17 yes, 0 no, 0 not reached, 11 for you" in report
    assert "'images': 2" in report
    assert report in capsys.readouterr().out


def test_without_the_extension_the_script_says_how_to_enable_it(kit, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "omni_graspd.kit", None)
    assert _script(kit, monkeypatch) == 2
    assert "start Kit with --enable omni.graspd" in capsys.readouterr().err
