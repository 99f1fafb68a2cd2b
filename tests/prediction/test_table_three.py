# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark behind the paper's Table III: what it makes of its figures, and the planner that it compares with."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
import annealed_dataset
import table_three_page
from annealed_grasps import AnnealingConfig, annealed_postures, closed_grasps

from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.tables import read_grasps, write_grasps
from omni_graspd.geometry.signed_distance import SignedDistanceConfig
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.surface_points import posed_points, sample_surface_points
from omni_graspd.objects.object_library import load_object
from omni_graspd.prediction.train_config import TrainConfig
from omni_graspd.synthesis.clearance import HandClearance
from omni_graspd.synthesis.models import object_model

_TABLE = np.array([0.0, 0.0, 1.0, -0.05])
_SETTING = table_three_page.Setting(10, 2, TrainConfig(), 1, 2, 1, 2)


def _write(folder: Path, name: str, **columns: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = dict.fromkeys(table_three_page.COLUMNS, 1.0) | columns
    del values["epsilon_free"]  # follows from others
    (folder / f"{name}.json").write_text(json.dumps({key: [value, value] for key, value in values.items()}))


def test_margins_are_of_the_means_over_seeds(tmp_path):
    folders = {planner: tmp_path / planner for planner in ("ours", "annealed")}
    for seed, area in enumerate((2.0, 4.0)):
        _write(folders["ours"] / f"network_{seed}", "B3", contact_area=area, displacement=0.5)
        _write(folders["annealed"] / f"network_{seed}", "B3", contact_area=2.0)
    text = table_three_page.write_table(folders, _SETTING, None)
    ours, _, margin = (line for line in text.splitlines() if line.startswith("| network"))
    assert "| 3.00 ± 1.41 |" in ours
    assert "| **+50 %** |" in margin  # contact area
    assert "| **-50 %** |" in margin  # displacement: less is better
    assert "| +0 % |" in margin


def test_only_objects_that_all_were_tested_on_count(tmp_path):
    folders = {planner: tmp_path / planner for planner in ("ours", "annealed")}
    for folder in folders.values():
        _write(folder / "network_0", "B3")
    _write(folders["ours"] / "network_0", "G5", contact_area=100.0)
    text = table_three_page.write_table(folders, _SETTING, None)
    assert "network, 1 object |" in text
    assert "100" not in "".join(line for line in text.splitlines() if "omni_graspd" in line)


def test_a_page_keeps_what_is_around_the_table(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table_three_page.BEGIN}\nold\n{table_three_page.END}\nafter\n")
    _write(tmp_path / "ours" / "network_0", "B3")
    text = table_three_page.write_table({"ours": tmp_path / "ours"}, _SETTING, page)
    expected = f"before\n{table_three_page.BEGIN}\n{text}\n{table_three_page.END}\nafter\n"
    assert page.read_text() == expected


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Annealed postures and closed grasps of a box of 6 x 6 x 10 cm on a table, and the box as trimesh has it."""
    box = trimesh.creation.box([0.06, 0.06, 0.1])
    path = tmp_path_factory.mktemp("box") / "box.ply"
    box.export(path)
    hand, obj = load_hand("barrett"), load_object(str(path))
    model = object_model(obj, SignedDistanceConfig(phong_alpha=0.0), "cpu")
    postures = annealed_postures(hand, obj, model, _TABLE, 6, 0, AnnealingConfig(steps=1500))
    again = annealed_postures(hand, obj, model, _TABLE, 6, 0, AnnealingConfig(steps=1500))
    clearance = HandClearance(hand, sample_surface_points(hand, 1200), model.distance, _TABLE)
    closed = [closed_grasps(clearance, *postures[:2], ahead=ahead) for ahead in (False, True)]
    return hand, box, postures, again, closed


def _depths(hand, box, palms, actuated) -> tuple[np.ndarray, np.ndarray]:
    """Return how deep each hand is in the box, by trimesh, and how high over the table [m]."""
    points = posed_points(hand, sample_surface_points(hand, 1200), palms, hand.joint_positions(actuated))
    depths = trimesh.proximity.signed_distance(box, points.reshape(-1, 3)).reshape(points.shape[:2])
    return depths.max(axis=1), points[..., 2].min(axis=1) + 0.05


@pytest.mark.slow
def test_annealed_postures_are_clear_of_object_and_table(planned):
    hand, box, (palms, actuated, energies), again, _ = planned
    depths, heights = _depths(hand, box, palms, actuated)
    assert len(palms) > 0
    # The spheres that stand for the links come within 4 mm of their surface.
    assert depths.max() < 0.004 + AnnealingConfig().tolerance
    assert heights.min() > -0.004
    assert (np.diff(energies) >= 0.0).all()
    np.testing.assert_array_equal(palms, again[0])


@pytest.mark.slow
def test_closed_fingers_touch_and_do_not_go_in(planned):
    hand, box, postures, _, closed = planned
    for palms, actuated in closed:
        depths, heights = _depths(hand, box, palms, actuated)
        # Where the annealed hand is in the box already, it stays so.
        depths_before, heights_before = _depths(hand, box, *postures[:2])
        assert (depths <= np.maximum(depths_before, 0.0) + 1e-5).all()
        assert (heights >= np.minimum(heights_before, 0.0) - 1e-5).all()
        assert (actuated[:, 1:] >= postures[1][:, 1:] - 1e-9).all()
    assert np.median(np.abs(depths)) < 0.001


@pytest.mark.slow
def test_datasets_get_as_many_grasps_of_each_rest_pose(dataset, tmp_path):
    first, second = dataset, tmp_path / "second"
    shutil.copytree(dataset, second)
    (path,) = sorted((second / "grasps").glob("*/*.parquet"))[:1]
    hand, table = path.parent.name, read_grasps(path)
    rows = np.flatnonzero(table.grasps.usable)[1:]
    write_grasps(table.take(rows), path)
    cut = {first: tmp_path / "a" / "grasps", second: tmp_path / "b" / "grasps"}
    annealed_dataset.equal_datasets(cut, hand, 100)
    counts = [
        np.bincount(read_grasps(DatasetLayout(out).grasps(hand, path.stem)).rest_poses).tolist() for out in cut.values()
    ]
    assert counts[0] == counts[1]
    assert sum(counts[0]) == len(rows)
