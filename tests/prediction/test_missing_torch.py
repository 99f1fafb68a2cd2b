# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Without PyTorch: one line that says how to get it."""

from __future__ import annotations

import importlib.util

import pytest

from omni_graspd import full_install
from omni_graspd.cli import main as cli


@pytest.mark.parametrize("arguments", [("train", "anything"), ("predict", "model", "image.npy")])
def test_commands_say_what_to_install(arguments, monkeypatch, capsys, tmp_path):
    there = importlib.util.find_spec
    monkeypatch.setattr(full_install, "find_spec", lambda name: None if name == "torch" else there(name))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        cli.main(list(arguments))
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "error: predictors need torch; install it with `pip install 'omni-graspd[predict]'`"
