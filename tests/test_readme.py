# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The README's commands and Python snippets run as printed, in its order, in an empty folder with a home of its own.

Settings that make everything small come from a file; ``pip`` and ``pytest`` are not run, see ``play_readme.py``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import trimesh
from six_axis_arm import arm_urdf
from small_notebook import SMALL_CELL

_ROOT = Path(__file__).resolve().parents[1]
_PLAYER = _ROOT / "tests" / "builders" / "play_readme.py"
_TEXT = (_ROOT / "README.md").read_text(encoding="utf-8")
_FENCES = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SNIPPETS = [body for language, body in _FENCES.findall(_TEXT) if language == "python"]
_OTHERS = {
    "--grasps 64": "--grasps 1",
    "convert IN OUT": "convert graspd_out imported",
    "bench_synthesis.py --objects DIR": "bench_synthesis.py --help",
    "cuda_check.py": "cuda_check.py --help",
}
"""What stands for a reader's own files, or is many, and what is put there."""

_SMALL = """
grasps = 1
scenes = 1
workers = 1
[camera]
views = 1
width = 32
height = 24
[synthesis]
iterations = 10
tries = 1
point_count = 300
[synthesis.draft]
candidates = 2
iterations = 5
point_count = 200
[metrics]
point_count = 300
[render]
samples_per_pixel = 1
denoise = false
variant = "scalar_rgb"
[scene]
table_looks = ["plain"]
"""

_URDF = """<robot name="pincer">
  <link name="base"><visual><geometry><box size="0.08 0.06 0.02"/></geometry></visual></link>
  <link name="left"><visual><origin xyz="0 0 0.03"/><geometry><box size="0.01 0.02 0.06"/></geometry></visual></link>
  <link name="right"><visual><origin xyz="0 0 0.03"/><geometry><box size="0.01 0.02 0.06"/></geometry></visual></link>
  <joint name="j_left" type="revolute"><parent link="base"/><child link="left"/><axis xyz="0 1 0"/>
    <origin xyz="-0.03 0 0.01"/><limit lower="0" upper="1" effort="1" velocity="1"/></joint>
  <joint name="j_right" type="revolute"><parent link="base"/><child link="right"/><axis xyz="0 -1 0"/>
    <origin xyz="0.03 0 0.01"/><limit lower="0" upper="1" effort="1" velocity="1"/></joint>
</robot>"""


def _commands() -> list[str]:
    """Return the command lines of the README, in its order, each once."""
    spans = re.findall(r"`([^`]+)`", _FENCES.sub(_as_spans, _TEXT))
    return list(dict.fromkeys(span for span in spans if re.match(r"(graspd|pip|pytest|python) \S", span)))


def _as_spans(fence: re.Match[str]) -> str:
    """Return the lines of a block of commands as code in the text; nothing for Python."""
    return "" if fence[1] else "".join(f"`{line}`\n" for line in fence[2].splitlines())


def _filled(command: str) -> str:
    for text, real in _OTHERS.items():
        command = command.replace(text, real)
    return command


def test_commands_are_found():
    found = _commands()
    assert found[0] == "pip install . && graspd generate"
    assert len(found) > 12 and len(_SNIPPETS) == 2
    assert all(any(name in command for command in found) for name in _OTHERS)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with the files that the README takes for a reader's own, and the environment to work there.

    What is compiled and painted once for a machine stays that of the machine.
    """
    folder = tmp_path_factory.mktemp("reader")
    (folder / "small.toml").write_text(_SMALL)
    (folder / "hand.urdf").write_text(_URDF)
    arm_urdf(folder)
    (folder / "torch.py").write_text("")  # as_torch only asks whether there is one
    for name in ("scans/drill.obj", "meshes/block.ply"):
        (folder / name).parent.mkdir()
        trimesh.creation.box((0.05, 0.06, 0.07)).export(folder / name)
    path = f"{_ROOT}{os.pathsep}{folder}"
    return folder, {**os.environ, "PYTHONPATH": path, "GRASPD_HOME": str(folder / "home")}


def _run(reader: tuple[Path, dict[str, str]], *words: str, given: str = "") -> str:
    folder, environment = reader
    call = [sys.executable, *words]
    ended = subprocess.run(
        call,
        cwd=folder,
        env=environment,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.fixture(scope="module")
def played(reader: tuple[Path, dict[str, str]]) -> Path:
    """The folder after all commands were run in it."""
    lines = "\n".join(map(_filled, _commands()))
    print(_run(reader, str(_PLAYER), "small.toml", given=lines))
    return reader[0]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_commands_run(played: Path):
    made = ["overview.png", "report/report.html", "grasps/allegro/mug.parquet", "scenes/mug/scene_0000.usda"]
    wanted = [f"graspd_out/{name}" for name in made]
    wanted += ["drill_data/grasps/allegro/block.parquet", "imported/dataset.json", "home/hands"]
    assert [name for name in wanted if not (played / name).exists()] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_snippets_run_in_a_notebook(played: Path, reader: tuple[Path, dict[str, str]]):
    pytest.importorskip("pandas", reason="pandas is not installed: pip install '.[docs]'")
    nbformat = pytest.importorskip("nbformat", reason="Jupyter is not installed: pip install '.[docs]'")
    pytest.importorskip("nbclient", reason="Jupyter is not installed: pip install '.[docs]'")
    pytest.importorskip("ipykernel", reason="Jupyter is not installed: pip install '.[docs]'")
    cells = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (SMALL_CELL, *_SNIPPETS)])
    nbformat.write(cells, played / "snippets.ipynb")
    _run(reader, "-c", "from nbclient.cli import main; main(['snippets.ipynb'])")
    assert (played / "grasps.parquet").is_file() and (played / "grasps.png").is_file()
