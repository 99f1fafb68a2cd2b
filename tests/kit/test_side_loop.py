# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Work beside Kit's loop: that loop runs on, results and errors come back, cancelling ends it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from omni_graspd.errors import GraspdError


def test_kits_loop_runs_on_while_work_begins_elsewhere(kit):
    """In Kit 110.4 asyncio.run stops the main loop, whichever thread calls it."""
    from omni_graspd.kit.side_loop import on_side_loop

    async def work() -> str:
        await asyncio.sleep(0.0)
        return threading.current_thread().name

    async def main() -> list[str]:
        names = [await on_side_loop(work) for _ in range(4)]
        await asyncio.sleep(0.02)
        return names

    assert kit.run(main()) == 4 * ["omni_graspd"]


def test_the_stand_in_for_asyncio_run_stops_kits_loop():
    """Otherwise the test above could not fail."""
    from kit_stubs import installed_stubs

    async def main() -> None:
        async def nothing() -> None:
            pass

        threading.Thread(target=lambda: asyncio.run(nothing())).start()
        await asyncio.sleep(5.0)

    with installed_stubs("6.0") as kit, pytest.raises(RuntimeError, match="stopped before Future completed"):
        kit.run(main())


def test_errors_come_back(kit):
    from omni_graspd.kit.side_loop import on_side_loop

    async def fail() -> None:
        raise GraspdError("planted")

    with pytest.raises(GraspdError, match="planted"):
        kit.run(on_side_loop(fail))


def test_a_cancelled_caller_ends_the_work(kit):
    from omni_graspd.kit.side_loop import on_side_loop

    ended = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.sleep(60.0)
        finally:
            ended.set()

    async def main() -> None:
        task = asyncio.ensure_future(on_side_loop(forever))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    kit.run(main())
    assert ended.wait(5.0)
