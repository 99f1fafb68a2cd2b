# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stage context: real stages in memory, and a selection."""

from __future__ import annotations

import asyncio
from typing import Any

from pxr import Gf, Usd, UsdGeom, UsdUtils


class Stages:
    """What the one context holds."""

    def __init__(self) -> None:
        self.selected: list[str] = []
        self.url = ""
        self.refusals: list[str] = []  # reasons with which the next stages are refused, after the old one was closed
        self.stage: Usd.Stage | None = None
        self.is_edited = False
        self.loading_updates = 3  # frames that a stage loads for
        self.loading = 0
        self.put(Usd.Stage.CreateInMemory())

    def put(self, stage: Usd.Stage | None, url: str = "anon:") -> None:
        """Make a stage the open one: it goes into the application's cache and, as in Kit, stays there."""
        self.stage, self.url, self.selected, self.is_edited = stage, url, [], False
        if stage is not None:
            if not stage.HasAuthoredMetadata("upAxis"):
                UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
            UsdUtils.StageCache.Get().Insert(stage)

    def close(self) -> None:
        """Leave nothing in the cache for the next test."""
        self.stage = None
        UsdUtils.StageCache.Get().Clear()


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""

    class UsdContext:
        def get_stage(self) -> Usd.Stage | None:
            return kit.usd.stage

        def get_stage_id(self) -> int:
            return UsdUtils.StageCache.Get().GetId(kit.usd.stage).ToLongInt()

        def get_stage_loading_status(self) -> tuple[str, int, int]:
            return "", 1 if kit.usd.loading else 0, kit.usd.loading

        def has_pending_edit(self) -> bool:
            return kit.usd.is_edited

        def set_pending_edit(self, arg0: bool) -> None:
            kit.usd.is_edited = arg0

        def get_stage_url(self) -> str:
            return kit.usd.url

        def get_selection(self) -> Any:
            return kit.instance("Selection")

        def new_stage(self, load_set: Any = None) -> bool:
            kit.usd.put(Usd.Stage.CreateInMemory())
            return True

        def open_stage(self, url: str, on_finish_fn: Any = None, load_set: Any = None) -> bool:
            kit.usd.put(Usd.Stage.Open(url), url)
            kit.usd.loading = kit.usd.loading_updates
            return True

        def close_stage(self, on_finish_fn: Any = None) -> bool:
            kit.usd.put(None)
            return True

        async def new_stage_async(self, load_set: Any = None) -> tuple[bool, str]:
            await asyncio.sleep(0)
            return self.new_stage(), ""

        async def open_stage_async(self, url: str, **_: Any) -> tuple[bool, str]:
            await asyncio.sleep(0)
            return self.open_stage(url), ""

        async def attach_stage_async(self, stage: Usd.Stage) -> tuple[bool, str]:
            await asyncio.sleep(0)
            kit.usd.put(stage, stage.GetRootLayer().identifier)
            kit.usd.loading = kit.usd.loading_updates
            return (False, kit.usd.refusals.pop()) if kit.usd.refusals else (True, "")

        async def close_stage_async(self) -> tuple[bool, str]:
            await asyncio.sleep(0)
            return self.close_stage(), ""

        async def save_as_stage_async(self, url: str) -> tuple[bool, str]:
            await asyncio.sleep(0)
            return kit.usd.stage.GetRootLayer().Export(url), ""

        async def next_frame_async(self, viewport: Any = None, n_frames: int = 1) -> None:
            for _ in range(n_frames):
                await asyncio.sleep(0)

        def compute_path_world_transform(self, path: str) -> list[float]:
            return list(np_flat(world_matrix(kit.usd.stage.GetPrimAtPath(path))))

    class Selection:
        def get_selected_prim_paths(self, source: Any = None) -> list[str]:
            return list(kit.usd.selected)

        def set_selected_prim_paths(self, paths: list[str], expandInStage: bool = True, source: Any = None) -> bool:
            kit.usd.selected = list(paths)
            return True

        def clear_selected_prim_paths(self, source: Any = None) -> bool:
            kit.usd.selected = []
            return True

        def is_prim_path_selected(self, path: str, source: Any = None) -> bool:
            return path in kit.usd.selected

    def get_stage_next_free_path(
        stage: Usd.Stage, path: str, prepend_default_prim: bool, source_prim: Any = None
    ) -> str:
        path = f"{stage.GetDefaultPrim().GetPath()}{path}" if prepend_default_prim and stage.GetDefaultPrim() else path
        free, number = path, 0
        while stage.GetPrimAtPath(free):
            number += 1
            free = f"{path}_{number:02d}"
        return free

    def get_local_transform_matrix(prim: Usd.Prim, time_code: Any = None) -> Gf.Matrix4d:
        return UsdGeom.Xformable(prim).GetLocalTransformation()

    functions = {
        "get_world_transform_matrix": lambda prim, time_code=None: world_matrix(prim),
        "get_local_transform_matrix": get_local_transform_matrix,
        "get_stage_next_free_path": get_stage_next_free_path,
        "get_prim_at_path": lambda path, usd_context_name="": kit.usd.stage.GetPrimAtPath(path),
    }
    return {"omni.usd": {"UsdContext": UsdContext, "Selection": Selection} | functions}


def world_matrix(prim: Usd.Prim) -> Gf.Matrix4d:
    """Return the local-to-world matrix of a prim."""
    return UsdGeom.XformCache().GetLocalToWorldTransform(prim)


def np_flat(matrix: Gf.Matrix4d) -> list[float]:
    """Return a matrix row by row."""
    return [matrix[row][column] for row in range(4) for column in range(4)]
