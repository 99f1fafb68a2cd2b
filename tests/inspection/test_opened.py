# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp files of other projects, opened to be looked at without being converted by hand."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from omni_graspd.cli import main as cli
from omni_graspd.errors import GraspdError
from omni_graspd.formats.conversion import ConvertConfig, convert
from omni_graspd.formats.projects.isaac_grasp import read_isaac_grasp
from omni_graspd.inspection.accepted_export import export_accepted
from omni_graspd.inspection.grasp_catalog import GraspCatalog
from omni_graspd.inspection.opened import open_grasps


@pytest.fixture
def grasp_file(dataset: Path, tmp_path: Path) -> Path:
    """The block's grasps as Isaac Sim's Grasp Editor has them, with the mesh in a folder beside them."""
    convert(dataset, tmp_path / "converted", ConvertConfig(to="isaac_grasp"))
    (tmp_path / "foreign").mkdir()
    shutil.copytree(tmp_path / "converted" / "objects", tmp_path / "foreign" / "meshes")
    text = (tmp_path / "converted" / "barrett" / "block.yaml").read_text()
    path = tmp_path / "foreign" / "block.yaml"
    path.write_text("\n".join(line for line in text.splitlines() if "object_file" not in line) + "\n")
    return path


def test_a_dataset_is_opened_as_it_is(dataset):
    session, conversion = open_grasps(dataset)
    assert (session.root, session.source, conversion) == (dataset, dataset, None)
    assert session.export_folder == dataset.with_name("set_accepted")
    session.close()
    assert dataset.is_dir()


@pytest.mark.parametrize("options", [{"hand": "barrett"}, {"object_path": Path("block.ply")}])
def test_a_dataset_knows_its_hands_and_objects(dataset, options):
    with pytest.raises(GraspdError, match="apply to grasp files only"):
        open_grasps(dataset, **options)


def test_a_file_that_is_not_there_is_no_dataset(tmp_path):
    with pytest.raises(GraspdError, match=r"grasps\.yaml, which does not exist"):
        open_grasps(tmp_path / "grasps.yaml", hand="barrett")


@pytest.mark.slow
def test_grasps_of_a_file_are_those_of_the_dataset_it_came_from(grasp_file, dataset):
    before = hashlib.sha256(grasp_file.read_bytes()).hexdigest()
    session, conversion = open_grasps(grasp_file, hand="barrett", object_path=grasp_file.parent / "meshes")
    assert conversion is not None and conversion.from_name == "isaac_grasp"
    own = GraspCatalog(dataset)
    assert session.catalog.count == 4
    for row in range(4):
        np.testing.assert_allclose(session.catalog.grasp(row).T_object_palm, own.grasp(row).T_object_palm, atol=1e-6)
    original, _ = open_grasps(dataset)
    original.metrics = session.metrics  # a file says nothing of points and thresholds
    for row in range(4):
        session.select(row)
        original.select(row)
        theirs, ours = (asyncio.run(opened.contacts()) for opened in (session, original))
        assert theirs.epsilon == pytest.approx(ours.epsilon, abs=0.01)
        assert theirs.contact_area == pytest.approx(ours.contact_area, rel=0.02)
    session.close()
    assert not session.root.exists()
    assert hashlib.sha256(grasp_file.read_bytes()).hexdigest() == before


@pytest.mark.slow
def test_decisions_lie_beside_the_file_and_are_found_again(grasp_file):
    meshes = grasp_file.parent / "meshes"
    session, _ = open_grasps(grasp_file, hand="barrett", object_path=meshes)
    session.select(2)
    session.decide("accepted")
    assert session.decisions.path == grasp_file.with_name("block.yaml.decisions.json")
    session.close()
    again, _ = open_grasps(grasp_file, hand="barrett", object_path=meshes)
    again.select(2)
    decision = again.decisions.get(again.key)
    assert decision is not None and decision.verdict == "accepted"
    (written,) = asyncio.run(export_accepted(again)).files
    assert written.path == grasp_file.with_name("block_accepted") / "isaac_grasp" / "barrett" / "block.yaml"
    mine, theirs = read_isaac_grasp(written.path)[0], read_isaac_grasp(grasp_file)[0]
    np.testing.assert_allclose(mine.T_object_palm[0], theirs.T_object_palm[2], atol=1e-6)
    again.close()


def test_decisions_about_other_grasps_are_refused(grasp_file):
    meshes = grasp_file.parent / "meshes"
    session, _ = open_grasps(grasp_file, hand="barrett", object_path=meshes)
    session.decide("accepted")
    session.close()
    text = grasp_file.read_text()
    cut = text.index('"grasp_3"')
    grasp_file.write_text(text[:cut].rstrip() + "\n")
    with pytest.raises(GraspdError, match=r"block\.yaml\.decisions\.json"):
        open_grasps(grasp_file, hand="barrett", object_path=meshes)


def test_what_a_file_does_not_say_is_asked_for(grasp_file):
    with pytest.raises(GraspdError, match="with --object"):
        open_grasps(grasp_file, hand="barrett")


def test_what_is_no_grasp_file_is_named_in_one_line(tmp_path, capsys):
    path = tmp_path / "notes.txt"
    path.write_text("nothing")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["inspect", str(path)])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: expected a file with grasps") and "notes.txt" in line
