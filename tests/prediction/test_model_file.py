# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Model folders of strangers: what is not a model ends in one line, and nothing in it is run."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.prediction.grasp_code import GraspCode
from omni_graspd.prediction.model import Model, ModelHand
from omni_graspd.prediction.model_file import DESCRIPTION, NUMBERS, read_model, write_model
from omni_graspd.prediction.network import initial_parameters

pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[predict]'")
pytest.importorskip("safetensors", reason="safetensors is not installed: pip install '.[predict]'")


@pytest.fixture(scope="module")
def written(hand, config, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    code = GraspCode(np.array([0.0, 0.0, 0.1]), np.array([0.1, 0.1, 0.05]))
    parameters = initial_parameters(config.network, hand, 0)
    write_model(Model(ModelHand.of(hand), config.network, code, parameters, {"seed": 0}), folder)
    return folder


@pytest.fixture
def folder(written, tmp_path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "model"))


def test_a_model_comes_back_as_it_was(written, hand, config):
    model = read_model(written)
    model.hand.require(hand)
    assert (model.network, model.training) == (config.network, {"seed": 0})
    for name, values in initial_parameters(config.network, hand, 0).items():
        np.testing.assert_array_equal(model.parameters[name], values)


def _described(folder: Path, **changes) -> None:
    content = json.loads((folder / DESCRIPTION).read_text())
    for name, value in changes.items():
        content[name] = content[name] | value if isinstance(value, dict) else value
    (folder / DESCRIPTION).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 3}, "version 3 where 2 is expected"),
        ({"network": {"width": 10**9}}, "network.width to be from 8 to 4096"),
        ({"network": {"width": True}}, "no whole numbers"),
        ({"network": {"blocks": 1.5}}, "no whole numbers"),
        ({"network": {"width": 64}}, "where F32 and"),
        ({"hand": {"actuated": []}}, "0 actuated joints"),
        ({"hand": {"actuated": ["nowhere"]}}, "actuated joints of"),
        ({"hand": {"name": 7}}, "names are no texts"),
        ({"normalization": {"position_mean": [0, 0]}}, "not three finite numbers"),
        ({"normalization": {"position_mean": [0, 0, float("nan")]}}, "not three finite numbers"),
        ({"normalization": {"position_scale": [1, 1, 0]}}, "not above 0"),
        ({"training": 3}, "training that is no table"),
        ({"sha256": "0"}, "of one model"),
    ],
)
def test_descriptions_that_do_not_fit_are_told(folder, changes, message):
    _described(folder, **changes)
    with pytest.raises(GraspdError, match=message):
        read_model(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 10**5, '{"version": 1}', "7" * (1 << 22) + "7"])
def test_descriptions_that_are_none_are_told(folder, text):
    (folder / DESCRIPTION).write_text(text)
    with pytest.raises(GraspdError, match="does not describe a model"):
        read_model(folder)


def _header(content: dict, size: int = 0) -> bytes:
    text = json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


_HOSTILE = {
    "empty": b"",
    "truncated": None,
    "a header of a terabyte": struct.pack("<Q", 1 << 40) + b"{}",
    "no json": struct.pack("<Q", 4) + b"{{{{",
    "an array of a terabyte": _header({"basis": {"dtype": "F32", "shape": [1 << 36, 4], "data_offsets": [0, 1 << 40]}}),
    "other arrays": _header({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, 4),
    "offsets that overlap": _header(
        {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in ("basis", "near_basis")}, 4
    ),
}


@pytest.mark.parametrize("kind", _HOSTILE)
def test_numbers_that_are_damaged_are_told(kind, folder):
    content = _HOSTILE[kind]
    whole = (folder / NUMBERS).read_bytes()
    (folder / NUMBERS).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(GraspdError, match="cannot read the network"):
        read_model(folder)


def test_a_file_far_too_large_is_not_read(folder):
    with (folder / NUMBERS).open("r+b") as file:
        file.truncate(1 << 40)  # a hole: it takes no room
    with pytest.raises(GraspdError, match="bytes where"):
        read_model(folder)


def test_numbers_that_are_not_finite_are_told(hand, config, tmp_path):
    parameters = initial_parameters(config.network, hand, 0)
    parameters["flow.output.bias"][0] = np.nan
    code = GraspCode(np.zeros(3), np.ones(3))
    write_model(Model(ModelHand.of(hand), config.network, code, parameters), tmp_path)
    with pytest.raises(GraspdError, match=r"finite numbers .* got others in flow\.output\.bias"):
        read_model(tmp_path)


class _Runs:
    def __reduce__(self):
        return (Path.touch, (Path("model_was_run"),))


def test_a_pickle_in_its_place_is_not_run(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / NUMBERS).write_bytes(pickle.dumps(_Runs()))
    with pytest.raises(GraspdError, match="cannot read the network"):
        read_model(folder)
    assert not (tmp_path / "model_was_run").exists()


def test_no_folder_and_no_numbers_are_told(folder, tmp_path):
    with pytest.raises(GraspdError, match="train one with `graspd train`"):
        read_model(tmp_path)
    (folder / NUMBERS).unlink()
    with pytest.raises(GraspdError, match="cannot read the network"):
        read_model(folder)
