# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: arguments, errors in one line, exit codes."""

from __future__ import annotations

import dataclasses
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import trimesh

from omni_graspd.cli import generate as stages_module
from omni_graspd.cli import main as cli
from omni_graspd.cli import run_command
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.errors import GraspdError
from omni_graspd.synthesis.presets import PRESETS
from omni_graspd.version import __version__

_RUN = ("--render.variant", "scalar_rgb", "--device", "cpu")


@pytest.fixture
def block(tmp_path) -> Path:
    path = tmp_path / "block.ply"
    trimesh.creation.box((0.05, 0.06, 0.07)).export(path)
    return path


@pytest.fixture
def failure(capsys):
    """Run the command in this process and return its one line on stderr."""

    def run(*arguments: object) -> str:
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        lines = capsys.readouterr().err.splitlines()
        assert stop.value.code == 2
        assert len(lines) == 1, lines
        assert lines[0].startswith("error: ")
        return lines[0]

    return run


@pytest.fixture
def configuration(monkeypatch):
    """Parse arguments and return the stages and the configuration that would run."""

    def parse(*arguments: str) -> tuple[GenerateConfig, tuple[str, ...]]:
        seen = []
        monkeypatch.setattr(stages_module, "run_stages", lambda config, stages, _: seen.append((config, tuple(stages))))
        cli.main(list(arguments))
        return seen[0]

    return parse


def test_without_arguments_everything_has_its_default(configuration):
    config, stages = configuration("generate")
    assert config == GenerateConfig()
    assert config.workers == 0
    assert stages == ("settle", "synthesize", "place", "render", "overview")


def test_hands_and_objects_are_repeatable(configuration):
    config, _ = configuration("generate", "--hand", "a", "--object", "b", "--object", "*.ply")
    assert config.hand == ("a",)
    assert config.object == ("b", "*.ply")


def test_short_forms_stand_for_the_camera(configuration):
    config, _ = configuration("render", "--views", "5", "--mono")
    assert (config.camera.views, config.camera.stereo) == (5, False)
    config, _ = configuration("render", "--views=6", "--stereo")
    assert (config.camera.views, config.camera.stereo) == (6, True)


def test_nested_settings_are_options(configuration):
    config, stages = configuration("synthesize", "--synthesis.iterations", "7", "--camera.width", "320")
    assert (config.synthesis.iterations, config.camera.width) == (7, 320)
    assert stages == ("settle", "synthesize", "place")


def test_version_is_printed(capsys):
    cli.main(["--version"])
    assert capsys.readouterr().out == f"graspd {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hand", "allgro"), "did you mean 'allegro'"),
        (("--object", "mugg"), "did you mean 'mug'"),
        (("--object", "missing.obj"), "built-in name or an existing file"),
        (("--device", "cuda:99"), "expected device to be auto or one of cpu"),
        (("--grasps", "0"), "expected grasps to be 1 or more"),
        (("--scenes", "-1"), "expected scenes to be 0 or more"),
        (("--synthesis.iterations", "0"), "expected synthesis.iterations"),
        (("--camera.width", "0"), "camera.width"),
        (("--render.variant", "vulkan"), "expected variant"),
    ],
)
def test_wrong_settings_are_one_line_and_nothing_is_written(arguments, message, failure, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in failure("generate", *_RUN, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_open_mesh_is_one_line_and_nothing_is_written(failure, tmp_path):
    mesh = trimesh.creation.box((0.05, 0.06, 0.07))
    mesh.update_faces(range(8))
    mesh.export(tmp_path / "open.ply")
    assert "open.ply" in failure("generate", *_RUN, "--object", tmp_path / "open.ply", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unreadable_mesh_is_one_line(failure, tmp_path):
    (tmp_path / "broken.ply").write_bytes(b"ply\nnonsense")
    assert "broken.ply" in failure("generate", *_RUN, "--object", tmp_path / "broken.ply", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_objects_of_one_name_are_refused(failure, block, tmp_path):
    other = tmp_path / "other" / block.name
    other.parent.mkdir()
    trimesh.creation.icosphere(radius=0.03).export(other)
    line = failure("generate", *_RUN, "--object", block, "--object", other, "--out", tmp_path / "out")
    assert "distinct names" in line
    assert "other" in line


def test_a_folder_with_other_files_is_refused(failure, block, tmp_path):
    assert "holds other files" in failure("generate", *_RUN, "--object", block, "--out", tmp_path)
    assert list(tmp_path.iterdir()) == [block]


def test_another_schema_version_is_refused(failure, block, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "dataset.json").write_text(json.dumps({"schema_version": 99}))
    for command in ("generate", "settle"):
        assert "got version 99" in failure(command, *_RUN, "--object", block, "--out", tmp_path / "out")
    assert "got version 99" in failure("info", tmp_path / "out")


def test_stages_say_which_stage_is_missing(failure, block, tmp_path):
    assert "graspd settle" in failure("render", *_RUN, "--object", block, "--out", tmp_path / "out")


def test_other_settings_for_the_same_folder_are_named(failure, block, tmp_path):
    options = ("render", *_RUN, "--object", block, "--out", tmp_path / "out")
    failure(*options)
    line = failure(*options, "--seed", 1, "--camera.width", 320)
    assert "seed (there 0, now 1)" in line
    assert "camera.width (there 640, now 320)" in line


def test_info_wants_a_dataset(failure, tmp_path):
    assert "no dataset.json" in failure("info", tmp_path)


def test_info_shows_a_dataset_that_was_just_begun(failure, block, tmp_path, capsys):
    failure("render", *_RUN, "--object", block, "--out", tmp_path / "out")
    cli.main(["info", str(tmp_path / "out")])
    text = capsys.readouterr().out
    assert "block (from block.ply" in text
    assert "seed 0" in text


def test_an_unknown_option_ends_with_code_2():
    with pytest.raises(SystemExit) as stop:
        cli.main(["generate", "--graps", "3"])
    assert stop.value.code == 2


def test_ctrl_c_says_that_the_command_can_go_on(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stages_module, "run_stages", interrupted)
    with pytest.raises(SystemExit) as stop:
        cli.main(["generate"])
    assert stop.value.code == 130
    assert capsys.readouterr().err == "stopped; the same command resumes where it stopped\n"


def test_ctrl_c_says_that_a_scene_is_rendered_from_the_beginning(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_command, "parse_command", interrupted)
    with pytest.raises(SystemExit) as stop:
        cli.main(["render", "--scene", "any.usda"])
    assert stop.value.code == 130
    assert capsys.readouterr().err == "stopped; the same command starts over\n"


def test_errors_that_are_not_the_users_keep_their_traceback(monkeypatch):
    def broken(*_):
        raise ValueError("a bug")

    monkeypatch.setattr(stages_module, "run_stages", broken)
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["generate"])


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(block, tmp_path):
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "omni_graspd", "synthesize", *_RUN, "--object", block, "--out", out],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
        env={"PYTHONDONTWRITEBYTECODE": "1", "PATH": "", "HOME": str(Path.home())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: cannot write to")
    assert not [path for path in out.rglob("*") if path.name.startswith(".partial-")]


@pytest.mark.slow
def test_the_configuration_is_importable_without_tyro():
    code = "import omni_graspd.dataset.stages.pipeline, sys; assert 'tyro' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_user_errors_are_no_value_errors():
    # tyro turns ValueError into its own message; ours must come through.
    assert not issubclass(GraspdError, ValueError)


def test_a_preset_sets_defaults_that_flags_override(monkeypatch):
    seen = []
    monkeypatch.setattr(stages_module, "run_stages", lambda config, *_: seen.append(config.synthesis))
    cli.main(["synthesize", "--preset", "fast", "--synthesis.iterations", "7"])
    cli.main(["synthesize", "--preset=paper"])
    cli.main(["synthesize"])
    assert seen[0] == dataclasses.replace(PRESETS["fast"], iterations=7)
    assert seen[1:] == [PRESETS["paper"], PRESETS["default"]]


def test_an_unknown_preset_is_one_line(failure):
    assert "expected a preset among default, fast, paper, got 'slow'" in failure("generate", "--preset", "slow")
    assert "got ''" in failure("generate", "--preset")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda: Path("a" * 300).stat(), "File name too long; give another name"),
        ("caf\udce9.ply".encode, "expected names in UTF-8, got caf\\udce9.ply; rename the file or folder"),
    ],
    ids=["too long", "no UTF-8"],
)
def test_names_that_the_system_does_not_take_are_one_line(fault, told, monkeypatch, capsys) -> None:
    monkeypatch.setattr(cli, "_run", lambda *_: fault())
    with pytest.raises(SystemExit) as stopped:
        cli.main([])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_other_faults_of_the_system_are_not_taken_for_names(monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error", "x")

    monkeypatch.setattr(cli, "_run", fail)
    with pytest.raises(OSError, match="Input/output"):
        cli.main([])
