# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Writing on threads: the same files, no more memory than a few views, and a clean end whatever happens."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
import tracemalloc

import pytest

from omni_graspd.atomic import writing_to
from omni_graspd.errors import GraspdError
from omni_graspd.rendering import view_writer
from omni_graspd.rendering.view_folder import write_view
from omni_graspd.rendering.view_writer import ViewWriter


def _files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("view_writer")]


def test_one_and_many_threads_write_the_same_files(tmp_path, make_frame):
    async def write(threads):
        async with ViewWriter(threads) as writer:
            for view in range(9):
                await writer.write(
                    [make_frame(2 * view), make_frame(2 * view + 1)], tmp_path / f"{threads}" / f"{view}"
                )

    for threads in (1, 4):
        asyncio.run(write(threads))
    assert len(_files(tmp_path / "1")) == 9 * 2 * 8
    assert _files(tmp_path / "1") == _files(tmp_path / "4")
    assert not _threads()


def _slow_writer(monkeypatch, seconds):
    """Make writing slow; return the number of views written so far."""
    written = []

    def write_slowly(eyes, folder):
        time.sleep(seconds)
        written.append(folder)

    monkeypatch.setattr(view_writer, "write_view", write_slowly)
    return written


@pytest.mark.parametrize("threads", [1, 3])
def test_a_renderer_that_is_faster_than_the_disk_waits(tmp_path, make_frame, monkeypatch, threads):
    written, under_way = _slow_writer(monkeypatch, 0.01), []

    async def run():
        async with ViewWriter(threads) as writer:
            for view in range(30):
                await writer.write([make_frame(view)], tmp_path / str(view))
                under_way.append(view + 1 - len(written))

    asyncio.run(run())
    assert len(written) == 30
    assert max(under_way) <= threads + 1


def test_memory_does_not_grow_with_the_number_of_views(tmp_path, make_frame, monkeypatch):
    _slow_writer(monkeypatch, 0.01)

    async def peak(views):
        tracemalloc.start()
        async with ViewWriter(2) as writer:
            for view in range(views):
                await writer.write([make_frame(view, 96, 128)], tmp_path / str(view))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    asyncio.run(peak(5))
    assert asyncio.run(peak(40)) < 1.3 * asyncio.run(peak(10))


def test_waiting_for_the_disk_does_not_block_the_event_loop(tmp_path, make_frame, monkeypatch):
    _slow_writer(monkeypatch, 0.2)
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    async def run():
        ticking = asyncio.create_task(tick())
        async with ViewWriter(1) as writer:
            for view in range(3):
                await writer.write([make_frame(view)], tmp_path / str(view))
        ticking.cancel()

    asyncio.run(run())
    assert ticks > 20


def test_an_error_in_a_thread_stops_the_run_with_its_line(tmp_path, make_frame, monkeypatch):
    handed_over = 0

    def full_disk(eyes, folder):
        if folder.name == "2":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_view(eyes, folder)

    monkeypatch.setattr(view_writer, "write_view", full_disk)

    async def run():
        nonlocal handed_over
        async with ViewWriter(2) as writer:
            for view in range(50):
                await writer.write([make_frame(view)], tmp_path / str(view))
                handed_over += 1

    with pytest.raises(GraspdError, match=r"No space left on device.*free some space"), writing_to(tmp_path):
        asyncio.run(run())
    assert handed_over <= 2 + 1 + 2 + 1
    assert not _threads()
    assert all(len(list(view.iterdir())) == 8 for view in tmp_path.iterdir())


def test_an_error_in_the_last_view_is_not_lost(tmp_path, make_frame, monkeypatch):
    def broken(eyes, folder):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(view_writer, "write_view", broken)

    async def run():
        async with ViewWriter(2) as writer:
            await writer.write([make_frame(0)], tmp_path / "view")

    with pytest.raises(OSError, match="Input/output error"):
        asyncio.run(run())


def test_a_run_that_is_stopped_drops_what_waits_and_ends_what_is_at_work(tmp_path, make_frame, monkeypatch):
    second_begun = threading.Event()

    def slow(eyes, folder):
        if folder.name == "1":
            second_begun.set()
            time.sleep(0.3)
        write_view(eyes, folder)

    monkeypatch.setattr(view_writer, "write_view", slow)

    async def run():
        async with ViewWriter(1) as writer:
            for view in range(50):
                await writer.write([make_frame(view)], tmp_path / str(view))

    async def stop():
        task = asyncio.create_task(run())
        while not second_begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stop())
    assert not _threads()
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1"}
    assert all(len(list(view.iterdir())) == 8 for view in tmp_path.iterdir())
