# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Settings in a TOML file: read, written, read back; what is wrong with one is one line."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from omni_graspd.cli import generate
from omni_graspd.cli import main as cli
from omni_graspd.cli.config_file import read_config, write_config
from omni_graspd.cli.generate_options import parse_generate_options
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.cameras import CameraConfig
from omni_graspd.synthesis.presets import PRESETS


@pytest.fixture
def written(tmp_path):
    """Write a file of settings and return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "run.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def _parse(*arguments: object) -> GenerateConfig:
    return parse_generate_options([str(argument) for argument in arguments], "graspd generate")


def test_a_file_sets_what_it_names(written):
    file = written('grasps = 32\nhand = ["shadow"]\n[synthesis]\niterations = 200\n[camera]\nelevation = [30, 60.5]\n')
    config = _parse("--config", file)
    assert config == GenerateConfig(
        grasps=32,
        hand=("shadow",),
        synthesis=dataclasses.replace(PRESETS["default"], iterations=200),
        camera=CameraConfig(elevation=(30.0, 60.5)),
    )
    assert all(type(value) is float for value in config.camera.elevation)


def test_options_win_over_the_file(written):
    file = written('grasps = 32\nobject = ["mug", "bowl"]\n[camera]\nviews = 5\nstereo = false\n')
    config = _parse("--views=6", f"--config={file}", "--grasps", 4, "--object", "can", "--stereo")
    assert (config.grasps, config.object) == (4, ("can",))
    assert (config.camera.views, config.camera.stereo) == (6, True)


def test_a_preset_is_what_the_table_of_the_file_changes(written):
    file = written('preset = "fast"\n[synthesis]\niterations = 7\n')
    assert _parse("--config", file).synthesis == dataclasses.replace(PRESETS["fast"], iterations=7)
    file = written('preset = "paper"\ngrasps = 3\n')
    assert _parse("--config", file, "--preset", "fast").synthesis == PRESETS["fast"]
    file = written("[synthesis]\niterations = 7\n")
    with pytest.raises(GraspdError, match=r'cannot be combined .*; write preset = "fast" at the top of the file'):
        _parse("--config", file, "--preset", "fast")


_CONFIGS = {
    "default": GenerateConfig(),
    "fast": GenerateConfig(synthesis=PRESETS["fast"]),
    "paper": GenerateConfig(synthesis=PRESETS["paper"], around="nothing"),
    "odd texts": GenerateConfig(
        hand=('a "quoted" one', "back\\slash", "new\nline"),
        object=("Größe/ü.ply", "\U0001f9e4", "\x7f"),
        out=Path("with space/ä"),
        work=Path("/tmp/x"),
    ),
    "numbers": GenerateConfig(seed=2**63 - 1, camera=CameraConfig(near_far=(1e-9, 1e22), distance=(0.1, 1 / 3))),
}


@pytest.mark.parametrize("config", _CONFIGS.values(), ids=_CONFIGS)
def test_what_is_written_reads_back_the_same(config, written):
    text = write_config(config)
    assert read_config(str(written(text)), None) == config
    assert write_config(read_config(str(written(text)), None)) == text
    tomllib.loads(text)


def _dataclasses(kind: type):
    yield kind
    for hint in get_type_hints(kind).values():
        if dataclasses.is_dataclass(hint):
            yield from _dataclasses(hint)


def test_what_may_be_none_is_none_by_default():
    """TOML has no None: it is left out, which must read as the same."""
    for kind in _dataclasses(GenerateConfig):
        for field in dataclasses.fields(kind):
            if type(None) in get_args(get_type_hints(kind)[field.name]):
                assert field.default is None, (kind, field.name)


def test_settings_are_printed_and_nothing_is_made(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(generate, "run_stages", lambda *_: pytest.fail("it ran"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        cli.main(["generate", "--print-config", "--views=6", "--preset", "fast", "--object", "mug"])
    assert stop.value.code == 0
    Path("run.toml").write_text(capsys.readouterr().out, "utf-8")
    assert _parse("--config", "run.toml") == _parse("--views=6", "--preset", "fast", "--object", "mug")
    assert list(tmp_path.iterdir()) == [tmp_path / "run.toml"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("graps = 3", "got the key graps; did you mean grasps?"),
        ("[synthesis]\niteration = 3", "got the key synthesis.iteration; did you mean synthesis.iterations?"),
        ("iterations = 3", "got the key iterations; did you mean synthesis.iterations?"),
        ("[sinthesis]\niterations = 3", "got the key sinthesis; did you mean synthesis?"),
        ("[camera.lens]\nwidth = 3", "got the key camera.lens; "),
        ('grasps = "many"', "expected grasps to be a whole number, got 'many'"),
        ("grasps = 3.0", "expected grasps to be a whole number, got 3.0"),
        ("grasps = true", "expected grasps to be a whole number, got True"),
        ("[synthesis]\nfriction = true", "expected synthesis.friction to be a number, got True"),
        ("[camera]\nstereo = 1", "expected camera.stereo to be true or false, got 1"),
        ("hand = 3", "expected hand to be a list of one or more values, got 3"),
        ('hand = "allegro"', "expected hand to be a list of one or more values, got 'allegro'"),
        ('hand = ["a", 3]', "expected hand to be a string, got 3"),
        ('hand = ["a", "a"]', "expected hand to have distinct values, got 'a' twice"),
        ("[camera]\nelevation = [1.0]", "expected camera.elevation to be a list of 2 values, got [1.0]"),
        ('around = "floor"', "expected around to be one of table, nothing, got 'floor'"),
        ("around = []", "expected around to be one of table, nothing, got []"),
        ("camera = 3", "expected camera to be a table, got 3; write [camera]"),
        ("out = 3", "expected out to be a string, got 3"),
        ("grasps = 0", "expected grasps to be 1 or more, got 0"),
        ('preset = "slow"', "expected a preset among default, fast, paper, got 'slow'"),
        ("grasps =", "Invalid value"),
    ],
)
def test_what_is_wrong_is_one_line_with_file_and_key(text, problem, written, capsys):
    file = written(text)
    with pytest.raises(SystemExit) as stop:
        cli.main(["generate", "--config", str(file)])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(file) in line
    assert problem in line


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(GraspdError, match=r"cannot read .*none.toml, given with --config: No such file"):
        _parse("--config", tmp_path / "none.toml")
    with pytest.raises(GraspdError, match="--config needs a TOML file"):
        _parse("--config")


def test_the_stages_read_files_too(written, monkeypatch):
    seen = []
    monkeypatch.setattr(generate, "run_stages", lambda config, *_: seen.append(config.grasps))
    for command in ("settle", "synthesize", "render"):
        cli.main([command, "--config", str(written("grasps = 5"))])
    assert seen == [5, 5, 5]
