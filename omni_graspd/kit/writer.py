# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A Replicator writer for anyone's script that writes the files this library writes without Kit."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import omni.replicator.core as rep

from omni_graspd.errors import GraspdError
from omni_graspd.kit.channels import replicator_annotators
from omni_graspd.kit.payload import payload_frames, view_frames
from omni_graspd.rendering.annotators import ANNOTATORS, DEFAULT_ANNOTATORS
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.view_folder import write_view

_STRUCTURES = ("legacy", "annotator", "renderProduct")


class GraspdWriter(rep.Writer):
    """Write each captured frame as a view: ``<output_dir>/view_0000/`` with the files of one camera or of two eyes.

    One render product makes a view of one camera, two are the eyes of a stereo pair and fill ``left/`` and ``right/``.

    Args:
        output_dir: Folder of the views; made if missing.
        annotators: Channels to write; ``stereo_disparity`` is computed, for pairs only.
        data_structure: Replicator's ``legacy``, ``annotator`` or ``renderProduct``; the files are the same.
        first_view: Number of the first view.
        writer_threads: Threads that encode and write.

    Raises:
        GraspdError: If an annotator or the structure is unknown.
    """

    def __init__(
        self,
        output_dir: str | Path,
        annotators: Sequence[str] = DEFAULT_ANNOTATORS,
        data_structure: str = "renderProduct",
        first_view: int = 0,
        writer_threads: int = 2,
    ) -> None:
        unknown = [name for name in annotators if name not in ANNOTATORS]
        if unknown:
            raise GraspdError(f"expected annotators among {', '.join(ANNOTATORS)}, got {', '.join(unknown)}")
        if data_structure not in _STRUCTURES:
            raise GraspdError(f"expected data_structure to be one of {', '.join(_STRUCTURES)}, got {data_structure!r}")
        self.data_structure = data_structure
        wanted = replicator_annotators(tuple(annotators))
        self.annotators = [
            rep.annotators.get(name, init_params=params) if params else name for name, params in wanted.items()
        ]
        # Replicator's base class keeps attributes of its own beside these two.
        self._graspd_wanted = tuple(annotators)
        self._graspd_views = _ViewQueue(Path(output_dir), first_view, writer_threads)

    def write(self, data: dict[str, Any]) -> None:
        """Hand a captured frame to the threads that write; waits only if twice as many views as threads are on the way.

        Args:
            data: Replicator's payload.

        Raises:
            GraspdError: If the payload is not as documented.
            OSError: If an earlier view could not be written.
        """
        self._graspd_views.put(view_frames(payload_frames(data), self._graspd_wanted))

    def on_final_frame(self) -> None:
        """Wait until all views are written.

        Raises:
            OSError: If a view could not be written.
        """
        self._graspd_views.wait()


class _ViewQueue:
    """Views on their way to the threads that write them."""

    def __init__(self, folder: Path, first_view: int, threads: int) -> None:
        self._folder, self._next_view, self._threads = folder, first_view, threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="graspd_writer")
        self._under_way: deque[Future[None]] = deque()

    def put(self, eyes: Sequence[Frame]) -> None:
        """Hand over the next view."""
        folder = self._folder / f"view_{self._next_view:04d}"
        self._next_view += 1
        while self._under_way and (self._under_way[0].done() or len(self._under_way) >= 2 * self._threads):
            self._under_way.popleft().result()
        self._under_way.append(self._pool.submit(write_view, eyes, folder))

    def wait(self) -> None:
        """Wait until all views are written."""
        while self._under_way:
            self._under_way.popleft().result()


def register_writer() -> None:
    """Make the writer known to Replicator by the name ``GraspdWriter``."""
    rep.WriterRegistry.register(GraspdWriter)


def unregister_writer() -> None:
    """Take the writer back, as when the extension is disabled."""
    rep.WriterRegistry.unregister("GraspdWriter")
