# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Completion in shells: the scripts are read by the shells themselves where they are installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from omni_graspd.cli import main as cli
from omni_graspd.cli.commands import COMMANDS
from omni_graspd.cli.completion import completion_script


def _completed(*words: str) -> list[str]:
    """Let bash complete the last word."""
    line = " ".join(f"'{word}'" for word in words)
    code = f"""{completion_script("bash")}
COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _graspd; printf '%s\\n' "${{COMPREPLY[@]}}" """
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    done = subprocess.run([bash, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (("graspd", "ev"), ["evaluate"]),
        (("graspd", "hands", "ch"), ["check"]),
        (("graspd", "generate", "--gras"), ["--grasps"]),
        (("graspd", "generate", "--view"), ["--views"]),
        (("graspd", "generate", "--preset", "f"), ["fast"]),
        (("graspd", "generate", "--synthesis.squeeze.max-s"), ["--synthesis.squeeze.max-shift"]),
        (("graspd", "hands", "check", "--val"), ["--validate"]),
        (("graspd", "evaluate", "data", "--lift-protocol", "our"), ["ours"]),
        (("graspd", "render", "--labels-o"), ["--labels-only"]),
    ],
)
def test_bash_completes(words, completed):
    assert _completed(*words) == completed


def test_bash_offers_all_commands():
    offered = _completed("graspd", "")
    assert [word for word in offered if word[0] != "-"] == [c.name for c in COMMANDS if " " not in c.name]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_takes_the_script(shell, tmp_path):
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"needs {shell}")
    script = tmp_path / "script"
    script.write_text(completion_script(shell))
    done = subprocess.run([path, "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_scripts_say_where_they_go(capsys):
    for shell in ("bash", "zsh", "fish"):
        cli.main(["--print-completion", shell])
        assert capsys.readouterr().out.startswith("# ")


@pytest.mark.parametrize("arguments", [["--print-completion"], ["--print-completion", "tcsh"]])
def test_another_shell_is_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "expected --print-completion bash, zsh, fish, got " in line
