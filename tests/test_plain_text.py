# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Names and texts of strangers are plain text wherever they are shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from omni_graspd.cli import main as cli
from omni_graspd.dataset.evaluation.evaluate_dataset import evaluate_dataset
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.manifest import Asset, Manifest, write_manifest
from omni_graspd.dataset.tables import GraspTable, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.hand_import import add_hand
from omni_graspd.inspection.dataset_card import dataset_readme
from omni_graspd.inspection.report import ReportConfig, write_report
from omni_graspd.plain_text import one_line, printable, readable, shortened
from omni_graspd.synthesis.grasp import GraspBatch

_NAMES = ("a$x_{$", "[/b]", "[red]x", "x: [", "- x", '"', "<script>", "`x` | y", ":warning:", "#", "{% x %}")
_ESCAPES = ("\x1b[31mred", "a\x07b", "\x9b31m", "\u202eabc")
_URDF = """<robot name="pincer">
  <link name="base"><visual><geometry><box size="0.08 0.06 0.02"/></geometry></visual></link>
  <link name="left"><visual><origin xyz="0 0 0.03"/><geometry><box size="0.01 0.02 0.06"/></geometry></visual></link>
  <joint name="j_left" type="revolute"><parent link="base"/><child link="left"/><axis xyz="0 2 0"/>
    <origin xyz="-0.03 0 0.01"/><limit lower="0" upper="1" effort="1" velocity="1"/></joint>
</robot>"""


def _dataset(root: Path, hand: str, text: str = "Apache-2.0", status: str = "diverged") -> Path:
    """Write an evaluated dataset of a hand with this name, whose entries say this text."""
    metrics = {name: np.array([0.1, 0.2]) for name in ("epsilon", "contact_area", "intersection_volume")}
    poses = np.tile([0.0, 0, 0, 0, 0, 0, 1.0], (2, 1))
    batch = GraspBatch(poses, np.zeros((2, 1)), {}, ("ok", status))
    table = GraspTable(hand, "mug", ("j",), np.arange(2, dtype=np.int32), 0, batch, metrics)
    write_grasps(table, DatasetLayout(root).grasps(hand, "mug"))
    entry = Asset("x.usd", text, text, text, text)
    config = {"backend": text, "device": text, "seed": 0}
    write_manifest(Manifest(config, {hand: entry}, {"mug": entry}, {"numpy": text}, {"grasps": 2}), root)
    return root


@pytest.mark.parametrize("name", _NAMES)
def test_a_name_says_no_more_than_its_letters(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand = _file_name(name)
    root = _dataset(tmp_path / "set", hand, text=name)
    cli.main(["info", str(root)])
    assert name in capsys.readouterr().out.replace("\n", "")
    _, header, body = dataset_readme(root).split("---\n", 2)
    content = yaml.safe_load(header)
    assert content["tags"] == ["grasping", "dexterous-manipulation", "synthetic", hand]
    assert content["configs"][0]["config_name"] == f"grasps_{hand}"
    text, code, _ = body.split("```")
    assert "<script>" not in text
    assert f"dataset.grasps({json.dumps(hand)})" in code


def _file_name(name: str) -> str:
    """Return a name for a hand: it is that of its file."""
    return name if not set(name) & set("/:") else "claw"


@pytest.mark.parametrize("text", _ESCAPES)
def test_escape_codes_do_not_reach_the_terminal(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = _dataset(tmp_path / "set", "claw", text=text, status=text)
    cli.main(["info", str(root)])
    assert text not in capsys.readouterr().out
    assert str(GraspdError(f"expected a name, got {text}")).isprintable()


@pytest.mark.slow
def test_reports_are_made_of_any_names(tmp_path: Path) -> None:
    roots = [_dataset(tmp_path / f"{k}", _file_name(name), text=name) for k, name in enumerate(_NAMES)]
    roots += [_dataset(tmp_path / f"e{k}", "claw", text=text, status=text) for k, text in enumerate(_ESCAPES)]
    write_report(roots, ReportConfig(out=tmp_path / "report", pictures=0))


def test_the_name_of_a_folder_adds_no_lines_to_the_header(tmp_path: Path) -> None:
    root = _dataset(tmp_path / "x\nlicense: mit\n---\n# y", "claw", text="MIT")
    _, header, body = dataset_readme(root).split("---\n", 2)
    assert yaml.safe_load(header)["license"] == "other"
    assert "\n# y" not in body


def test_names_that_no_file_can_have_are_refused(tmp_path: Path) -> None:
    root = _dataset(tmp_path / "set", "claw")
    content = json.loads((root / "dataset.json").read_text())
    for name in ("a\nb", "a\x1b[31m", "n" * 300, "../x"):
        content["hands"] = {name: content["objects"]["mug"]}
        (root / "dataset.json").write_text(json.dumps(content))
        with pytest.raises(GraspdError, match="no file name") as error:
            dataset_readme(root)
        assert str(error.value).isprintable()


@pytest.mark.slow
def test_many_reasons_share_a_place_in_the_legend(tmp_path: Path) -> None:
    root = _dataset(tmp_path / "set", "claw")
    count = 2000
    poses = np.tile([0.0, 0, 0, 0, 0, 0, 1.0], (count, 1))
    batch = GraspBatch(poses, np.zeros((count, 1)), {}, tuple(f"reason {n}" for n in range(count)))
    metrics = {name: np.zeros(count) for name in ("epsilon", "contact_area", "intersection_volume")}
    table = GraspTable("claw", "mug", ("j",), np.arange(count, dtype=np.int32), 0, batch, metrics)
    write_grasps(table, DatasetLayout(root).grasps("claw", "mug"))
    write_report([root], ReportConfig(out=tmp_path / "report", pictures=0))


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    root = _dataset(tmp_path / "set", "claw")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "report").symlink_to(elsewhere)
    with pytest.raises(GraspdError, match="leads elsewhere"):
        write_report([root])
    (root / "grasps" / "claw" / "mug.evaluation").symlink_to(elsewhere)
    with pytest.raises(GraspdError, match="leads elsewhere"):
        evaluate_dataset(root, workers=1)
    assert not list(elsewhere.iterdir())


def test_licences_come_along_and_links_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    folder = tmp_path / "source"
    (folder / "LICENSES" / "deeper").mkdir(parents=True)
    (folder / "pincer.urdf").write_text(_URDF)
    (folder / "LICENSES" / "MIT.txt").write_text("free")
    (folder / "COPYING").write_text("as well")
    added = add_hand("claw", folder / "pincer.urdf").parent
    assert (added / "LICENSES" / "MIT.txt").read_text() == "free"
    assert (added / "COPYING").read_text() == "as well"
    (tmp_path / "secret").write_text("hush")
    for link in (folder / "LICENSE.txt", folder / "LICENSES" / "x"):
        link.symlink_to(tmp_path / "secret")
        with pytest.raises(GraspdError, match="leads elsewhere"):
            add_hand("claw", folder / "pincer.urdf", replace=True)
        link.unlink()
    assert "hush" not in "".join(path.read_text() for path in added.rglob("*.t*xt"))


def test_texts_are_cut_and_written_out() -> None:
    assert one_line("a\n b\x1b[0m") == r"a b\x1b[0m"
    assert printable("a\n\tb\x07") == "a\n\tb\\x07"
    assert shortened("x" * 100, 10) == "x" * 9 + "…"
    assert shortened("ε = 1", 10) == "ε = 1"


def test_an_endless_name_leaves_the_rest_of_a_message() -> None:
    message = f"expected one root link in hand.urdf, got base, {'x' * 5000}y; give each other link a joint"
    said = str(GraspdError(message))
    assert len(said) < 300
    assert said.startswith("expected one root link in hand.urdf, got base, xxx")
    assert said.endswith("xy; give each other link a joint")
    assert len(readable("word " * 1000)) == 650
    assert readable("a" * 650) == "a" * 650
