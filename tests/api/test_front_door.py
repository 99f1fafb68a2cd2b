# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``import omni_graspd as gd``: light to import, complete, and the same in scripts and in notebooks."""

from __future__ import annotations

import ast
import asyncio
import inspect
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

import omni_graspd as gd

_HEAVY = {"numpy", "scipy", "warp", "pxr", "trimesh", "mitsuba", "ovphysx", "pyarrow", "tyro", "rich", "PIL"}


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_takes_a_tenth_of_a_second_at_most_and_loads_nothing_heavy():
    """The median of five, in processor time, without the interpreter's own start."""
    code = (
        "import time, sys; begin = time.process_time(); import omni_graspd; "
        "print(time.process_time() - begin, *{name.partition('.')[0] for name in sys.modules})"
    )
    runs = [_run(code).split() for _ in range(5)]
    assert median(float(run[0]) for run in runs) <= 0.1
    assert not set(runs[0][1:]) & _HEAVY


def test_opening_a_dataset_takes_no_simulator_and_no_renderer():
    code = "import omni_graspd as gd, sys; gd.open; print(*{name.partition('.')[0] for name in sys.modules})"
    assert not set(_run(code).split()) & {"warp", "mitsuba", "ovphysx", "pxr", "trimesh", "scipy"}


def test_every_name_is_there_and_says_what_it_is():
    assert 20 <= len(gd.__all__) <= 33
    for name in gd.__all__:
        assert len((inspect.getdoc(getattr(gd, name)) or "").split()) > 4, name
    assert set(gd.__all__) == set(gd._HOMES) <= set(dir(gd))


def test_names_for_type_checkers_are_those_there_are():
    tree = ast.parse(Path(gd.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    homes = {alias.name: node.module for node in block.body for alias in node.names}
    assert {name: f"omni_graspd.{home}" for name, home in gd._HOMES.items()} == homes


def test_an_unknown_name_lists_the_others():
    with pytest.raises(AttributeError, match=r"no attribute 'synthesise'; there are: .*synthesize"):
        gd.synthesise  # noqa: B018


@pytest.mark.slow
def test_calls_wait_where_a_loop_is_running_as_in_a_notebook():
    async def cell() -> gd.Grasps:
        return gd.synthesize("barrett", "mug", 2, around="nothing", config=_QUICK)

    inside, outside = asyncio.run(cell()), gd.synthesize("barrett", "mug", 2, around="nothing", config=_QUICK)
    assert (inside.T_object_palm == outside.T_object_palm).all()


def test_in_kit_calls_that_wait_are_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "omni.kit.app", object())
    with pytest.raises(gd.GraspdError, match=r"await the function of the same name in omni_graspd\.aio"):
        gd.rest_poses("mug")


_QUICK = gd.SynthesisConfig(iterations=20, tries=1)


def test_warp_stays_as_the_user_has_it():
    import warp as wp

    settings = {name: value for name, value in vars(wp.config).items() if isinstance(value, bool | int | str)}
    gd.synthesize("barrett", "mug", 1, around="nothing", config=_QUICK)
    assert {name: getattr(wp.config, name) for name in settings} == settings


def test_hands_and_objects_are_shown_in_a_line():
    hand, mug = gd.load_hand("barrett"), gd.load_object("mug")
    assert repr(hand) == f"Hand(barrett, {len(hand.links)} links, 8 joints, 4 actuated, {hand.source})"
    assert repr(mug).startswith(f"RigidObject(mug, 112 x 82 x 82 mm, {mug.mass:.3g} kg, ")
