# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""dataset.json, and how an output folder is opened."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from omni_graspd.dataset.dataset_folder import open_dataset
from omni_graspd.dataset.manifest import (
    Asset,
    Manifest,
    package_versions,
    read_manifest,
    write_manifest,
)
from omni_graspd.dataset.table_schema import SCHEMA_VERSION
from omni_graspd.errors import GraspdError


@pytest.fixture
def manifest():
    return Manifest(
        config={"grasps": 16, "seed": 0, "camera": {"width": 640}},
        hands={"gripper": Asset("hands/gripper.usd", "gripper.usda", "sha256:0", "Apache-2.0", None)},
        objects={"mug": Asset("objects/mug.usd", "mug.obj", "sha256:1", None, None)},
        packages=package_versions(),
        counts={},
    )


def test_a_manifest_comes_back_equal(manifest, tmp_path):
    write_manifest(manifest, tmp_path)
    assert read_manifest(tmp_path) == manifest


def test_a_new_folder_gets_a_manifest(manifest, tmp_path):
    open_dataset(tmp_path / "new" / "out", manifest)
    assert read_manifest(tmp_path / "new" / "out") == manifest


def test_the_same_settings_go_on_and_leftovers_go(manifest, tmp_path):
    open_dataset(tmp_path, manifest)
    (tmp_path / "grasps").mkdir()
    (tmp_path / "grasps" / ".partial-mug.parquet").touch()
    (tmp_path / "grasps" / "mug.parquet").touch()
    open_dataset(tmp_path, replace(manifest, counts={"grasps": 16}))
    assert [path.name for path in (tmp_path / "grasps").iterdir()] == ["mug.parquet"]


@pytest.mark.parametrize(("scale", "refused"), [(1.0, False), (0.5, True)])
def test_a_dataset_of_before_objects_had_a_scale_goes_on_at_one(manifest, tmp_path, scale, refused):
    intake = {"unit": "auto", "density": 300.0}
    open_dataset(tmp_path, replace(manifest, config={**manifest.config, "intake": intake}))
    now = replace(manifest, config={**manifest.config, "intake": {**intake, "scale": scale}})
    if refused:
        with pytest.raises(GraspdError, match=r"intake.scale \(there 1.0, now 0.5\)"):
            open_dataset(tmp_path, now)
        return
    assert open_dataset(tmp_path, now).config["intake"]["scale"] == 1.0


def test_settings_keep_their_order_when_a_run_goes_on(manifest, tmp_path):
    """Or the file that a stopped run ends with would not be that of a run in one go."""
    intake = {"unit": "auto", "scale": 1.0, "density": 300.0}
    manifest = replace(manifest, config={**manifest.config, "intake": intake})
    open_dataset(tmp_path, manifest)
    assert list(open_dataset(tmp_path, manifest).config["intake"]) == list(intake)


def test_a_run_killed_while_writing_its_first_file_can_start_again(manifest, tmp_path):
    (tmp_path / ".partial-dataset.json").write_text("{")
    open_dataset(tmp_path, manifest)
    assert [path.name for path in tmp_path.iterdir()] == ["dataset.json"]


def test_other_settings_are_named(manifest, tmp_path):
    open_dataset(tmp_path, manifest)
    other = replace(
        manifest,
        config={"grasps": 8, "seed": 0, "camera": {"width": 320}},
        objects={"mug": replace(manifest.objects["mug"], hash="sha256:2")},
    )
    with pytest.raises(GraspdError) as error:
        open_dataset(tmp_path, other)
    message = str(error.value)
    assert "grasps (there 16, now 8)" in message
    assert "camera.width (there 640, now 320)" in message
    assert "objects.mug.hash" in message
    assert "seed" not in message
    assert "--out" in message
    assert "\n" not in message


def test_another_schema_version_is_refused(manifest, tmp_path):
    open_dataset(tmp_path, manifest)
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))
    with pytest.raises(GraspdError, match=rf"schema version {SCHEMA_VERSION}, got version 99 .*--out"):
        open_dataset(tmp_path, manifest)


def test_a_folder_with_other_files_is_left_alone(manifest, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(GraspdError, match="holds other files"):
        open_dataset(tmp_path, manifest)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_as_output_folder_is_refused(manifest, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(GraspdError, match="to be a folder, got the file"):
        open_dataset(tmp_path / "file", manifest)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "npm"}', f'{{"schema_version": {SCHEMA_VERSION}}}'])
def test_a_foreign_dataset_json_is_refused(content, manifest, tmp_path):
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(GraspdError, match=r"is not the dataset.json of a dataset"):
        open_dataset(tmp_path, manifest)
    assert (tmp_path / "dataset.json").read_text() == content
