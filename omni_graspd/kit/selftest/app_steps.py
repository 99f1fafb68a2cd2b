# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Steps that ask the application: symbols, extension, panel, viewport, files at addresses, a whole run."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import omni.kit.app
import omni.replicator.core as rep
from pxr import Usd, UsdGeom

from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.kit.headless import MENDABLE, OK, run
from omni_graspd.kit.panel import GraspdWindow
from omni_graspd.kit.selftest.answers import Answers, used_symbols
from omni_graspd.kit.viewport import HAND_PATH, GraspView, open_stage
from omni_graspd.library import resolve

SMALL_RUN = (
    *("--hand", "barrett", "--object", "soup_can", "--grasps", "1", "--scenes", "1", "--views", "1"),
    *("--camera.width", "64", "--camera.height", "48"),
    *("--synthesis.iterations", "10", "--synthesis.point-count", "300", "--synthesis.tries", "2"),
    *("--synthesis.draft.candidates", "2", "--synthesis.draft.iterations", "5", "--synthesis.draft.point-count", "200"),
    *("--metrics.point-count", "300", "--render.samples-per-pixel", "4"),
)
"""Options of the smallest run that has all there is; too small for good grasps."""
_UPDATES = 10
_PALM = np.array([0.0, 0.0, 0.2, 1.0, 0.0, 0.0, 0.0])


async def updates(count: int = _UPDATES) -> None:
    """Let Kit draw some frames."""
    for _ in range(count):
        await omni.kit.app.get_app().next_update_async()


async def symbols(answers: Answers, folder: Path) -> None:
    """Find every symbol of Kit that this library uses."""
    used = used_symbols()
    missing = [name for name in used if not is_there(name)]
    answers.notes.append(f"{len(used) - len(missing)} of {len(used)} symbols are there")
    if missing:
        raise LookupError(f"not there: {', '.join(missing)}")


def is_there(name: str) -> bool:
    """Tell whether a symbol can be had, by module and name.

    Args:
        name: For example ``omni.kit.app.IApp.post_quit``.
    """
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found is not None
    return False


async def startup(answers: Answers, folder: Path) -> None:
    """See that the extension is enabled, and what it does on startup was done."""
    is_enabled = omni.kit.app.get_app().get_extension_manager().is_extension_enabled("omni.graspd")
    answers.put("omni.ext.ExtensionManager.is_extension_enabled", is_enabled)
    answers.put("omni.ext.IExt", "GraspdWriter" in rep.WriterRegistry.get_writers())


async def panel(answers: Answers, folder: Path) -> None:
    """Open the panel, let it be drawn, and close it."""
    window = GraspdWindow()
    try:
        await updates()
        if not window.visible:
            raise RuntimeError("the panel is not visible")
    finally:
        window.destroy()
    await updates()


async def viewport(answers: Answers, folder: Path) -> None:
    """Show a hand at an object on the open stage, and take both off it."""
    stage, hand, view = open_stage(), load_hand("barrett"), GraspView()
    (object_file,) = resolve("objects", "soup_can")
    view.show(hand, object_file, _PALM, (hand.joint_lower + hand.joint_upper) / 2, 0.001)
    await updates()
    is_shown = bool(stage.GetPrimAtPath(HAND_PATH))
    view.clear()
    await updates()
    if not is_shown or stage.GetPrimAtPath(HAND_PATH):
        raise RuntimeError("the hand was not shown, or stayed")


async def addresses(answers: Answers, folder: Path) -> None:
    """Copy a file that refers to another one by omni.client, from a folder that stands for a server, and back."""
    from pyarrow.fs import FileSelector

    from omni_graspd.kit.addresses import copy_with_references
    from omni_graspd.kit.client_files import ClientFiles

    there = folder / "server"
    there.mkdir(parents=True, exist_ok=True)
    inner = Usd.Stage.CreateNew(str(there / "inner.usda"))
    inner.SetDefaultPrim(UsdGeom.Cube.Define(inner, "/Cube").GetPrim())
    inner.Save()
    outer = Usd.Stage.CreateNew(str(there / "outer.usda"))
    outer.DefinePrim("/Object").GetReferences().AddReference("./inner.usda")
    outer.Save()
    copied = copy_with_references((there / "outer.usda").as_posix(), folder / "copies")
    opened = Usd.Stage.Open(str(copied))
    if not opened.GetPrimAtPath("/Object").IsA(UsdGeom.Cube):
        raise RuntimeError(f"{copied} does not find what it refers to")
    files, name = ClientFiles(), f"{there.as_posix()}/sent.txt"
    with files.open_output_stream(name) as stream:
        stream.write(b"sent")
    (info,) = files.get_file_info([name])
    answers.put("omni.client.stat", info.size == 4, f"{info.size} bytes of 4")
    listed = files.get_file_info_selector(FileSelector(there.as_posix(), recursive=True))
    names = sorted(each.path.rpartition("/")[2] for each in listed)
    answers.put("omni.client.list", names == ["inner.usda", "outer.usda", "sent.txt"], ", ".join(names))
    files.delete_file(name)
    answers.put("omni.client.delete", not Path(name).exists())


async def generate(answers: Answers, folder: Path) -> None:
    """Make the smallest dataset with Kit's physics and renderer, and give an option that cannot be."""
    code = await run([*SMALL_RUN, "--out", str(folder / "dataset")])
    if code != OK:
        raise RuntimeError(f"the run ended with {code}; its error is in Isaac Sim's log")
    counts = read_manifest(folder / "dataset").counts
    answers.notes.append(f"dataset: {counts}")
    if counts["images"] != 2:
        raise RuntimeError(f"expected 2 images, got {counts['images']}")
    refused = await run(["--grasps", "0"])
    if refused != MENDABLE:
        raise RuntimeError(f"expected the code {MENDABLE} for --grasps 0, got {refused}")
