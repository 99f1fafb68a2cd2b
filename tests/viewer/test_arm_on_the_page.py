# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The arm on the page of `graspd inspect`: it holds the hand at every place of the slider, or is not drawn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from six_axis_arm import SEVEN, arm_urdf

pytest.importorskip("mujoco", reason="collisions of arms need MuJoCo; install omni-graspd[arms]")

from omni_graspd.arms.arm_import import add_arm
from omni_graspd.arms.reach_config import ReachConfig
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.reach.reach_dataset import reach_dataset
from omni_graspd.dataset.reach.reach_table import read_reach
from omni_graspd.inspection.reoptimization import Posture
from omni_graspd.usd.transforms import compose
from omni_graspd.viewer.inspection_page import InspectionPage


@pytest.fixture(scope="session")
def reached(shown_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dataset with reach tables of an arm that stands to the side, turned."""
    folder = tmp_path_factory.mktemp("reached")
    root = Path(shutil.copytree(shown_dataset, folder / "set"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRASPD_HOME", str(folder / "home"))
        add_arm("seven", arm_urdf(folder, SEVEN))
        reach_dataset(root, "seven", ReachConfig(base=(-0.55, 0.1, 0.0, 20.0)), workers=1)
    return root


@pytest.fixture
def dataset(reached: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(reached, tmp_path / "set"))


@pytest.fixture
def do(page: InspectionPage, run_on: Callable) -> Iterator[Callable]:
    """Runs something on the page's loop as a click does."""
    yield lambda work: run_on(page.server, page.tasks.callback(lambda _: work())(SimpleNamespace(client_id=1)))


def _table(dataset: Path):
    return read_reach(DatasetLayout(dataset).reach("seven", "block", 0))


def _select(page: InspectionPage, dataset: Path, run_on: Callable, *, reachable: bool) -> int:
    """Select a grasp that is reachable, or that is not; return its row in the reach table."""
    table = _table(dataset)
    row = int(np.flatnonzero(table.reach.reachable == reachable)[0])
    page.session.select(int(page.session.catalog.row_of(table.hands[row], "block", int(table.grasp_indices[row]))))
    run_on(page.server, page.show_selected())
    return row


def _choose(page: InspectionPage, do: Callable, name: str) -> None:
    page.motion.arm.choice.value = name
    do(page.motion.arm._chosen)
    assert "Error" not in page.message.content, page.message.content


def _drawn(page: InspectionPage) -> bool:
    return bool(page.motion.arm._links) and all(node.visible for node in page.motion.arm._links)


def _pose(node) -> np.ndarray:
    return np.concatenate([node.position, np.asarray(node.wxyz)[[1, 2, 3, 0]]])


def test_no_arm_is_drawn_until_one_is_chosen(page: InspectionPage) -> None:
    arm = page.motion.arm
    assert arm.choice.visible and tuple(arm.choice.options) == ("(none)", "seven") and arm.choice.value == "(none)"
    assert not _drawn(page)


def test_the_flange_holds_the_palm_at_every_place(page, dataset, do, run_on) -> None:
    row = _select(page, dataset, run_on, reachable=True)
    _choose(page, do, "seven")
    assert page.motion.arm.says.content == "scene 0: reachable"
    arm, mount = page.motion.arm._arm, _table(dataset).mounts["barrett"]
    for place in range(5):
        do(lambda place=place: page.motion.show(float(place)))
        assert _drawn(page)
        flange = compose(_pose(page.motion.arm._links[arm.flange_link]), arm.T_link_flange)
        palm, expected = compose(flange, mount), _pose(page.scene.link_nodes[0])
        np.testing.assert_allclose(palm[:3], expected[:3], atol=1e-4)
        assert abs(palm[3:] @ expected[3:]) == pytest.approx(1.0, abs=1e-6)
    do(lambda: page.motion.show(1.5))  # between hover and grasp there are eight steps: half-way is the fourth
    names = [frame.name for frame in page.motion._frames]
    positions = page.session.arm_motion("seven").positions_at(names, 1.5)
    np.testing.assert_array_equal(positions, _table(dataset).reach.arm_positions[row, 10])


def test_a_hand_that_is_elsewhere_is_on_no_arm(page, dataset, do, run_on) -> None:
    _select(page, dataset, run_on, reachable=True)
    _choose(page, do, "seven")
    assert _drawn(page)
    grasp = page.session.grasp
    away = grasp.T_object_palm + np.array([0.0, 0.0, 0.03, 0.0, 0.0, 0.0, 0.0])
    do(lambda: page.show_posture(Posture(away, grasp.joint_positions, float("nan"))))
    assert not _drawn(page)
    do(lambda: page.motion.show(0.0))
    assert _drawn(page)
    _choose(page, do, "(none)")
    assert not _drawn(page)


def test_what_cannot_be_drawn_is_said(page, dataset, do, run_on) -> None:
    layout = DatasetLayout(dataset)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRASPD_HOME", str(dataset.parent / "home"))
        reach_dataset(dataset, "seven", ReachConfig(base=(-3.0, 0.0, 0.0, 0.0)), workers=1)
    _select(page, dataset, run_on, reachable=False)
    _choose(page, do, "seven")
    assert page.motion.arm.says.content == "scene 0: out of reach at grasp" and not _drawn(page)
    layout.reach("seven", "block", 0).unlink()
    run_on(page.server, page.show_selected())
    assert page.motion.arm.says.content.startswith("no reach table has this grasp") and not _drawn(page)
    layout.reach("seven", "block", 0).write_bytes(b"damaged")
    do(page.show_selected)
    assert page.message.content.startswith("**Error:**")


def test_a_scene_that_is_drawn_has_its_arm(page, dataset, do, run_on) -> None:
    _select(page, dataset, run_on, reachable=True)
    _choose(page, do, "seven")
    page.scenes.choice.value = "scene 0"
    do(page.scenes._show)
    assert page.motion.arm.says.content == "scene 0: reachable" and _drawn(page)
    assert np.linalg.norm(page.server.initial_camera.position) > 1.0  # far enough away to see the arm
