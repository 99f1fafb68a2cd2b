# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A Replicator writer for anyone's script that writes the files this library writes without Kit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import omni.replicator.core as rep

from omni_graspd.errors import GraspdError
from omni_graspd.kit.channels import replicator_annotators
from omni_graspd.kit.payload import payload_frames, view_frames
from omni_graspd.rendering.annotators import ANNOTATORS, DEFAULT_ANNOTATORS
from omni_graspd.rendering.frame import Frame
from omni_graspd.rendering.view_folder import encode_view, write_view

if TYPE_CHECKING:
    from omni.replicator.core.backends import BaseBackend

_Store = Callable[[str, Sequence[Frame]], None]
_STRUCTURES = ("legacy", "annotator", "renderProduct")


class GraspdWriter(rep.Writer):
    """Write each captured frame as a view: ``<output_dir>/view_0000/`` with the files of one camera or of two eyes.

    One render product makes a view of one camera, two are the eyes of a stereo pair and fill ``left/`` and ``right/``.

    Args:
        output_dir: Folder of the views; made if missing. Not needed with a backend.
        annotators: Channels to write; ``stereo_disparity`` is computed, for pairs only.
        data_structure: Replicator's ``legacy``, ``annotator`` or ``renderProduct``; the files are the same.
        first_view: Number of the first view.
        writer_threads: Threads that encode and write.
        backend: Where the files go instead: one of Replicator's backends, on disk or in S3. They are the same, byte for
            byte, with paths below the backend's root; Replicator adds its metadata.txt.

    Raises:
        GraspdError: If an annotator or the structure is unknown, or there is neither folder nor backend.
    """

    def __init__(
        self,
        output_dir: str | Path | None = None,
        annotators: Sequence[str] = DEFAULT_ANNOTATORS,
        data_structure: str = "renderProduct",
        first_view: int = 0,
        writer_threads: int = 2,
        backend: BaseBackend | None = None,
    ) -> None:
        if output_dir is None and backend is None:
            raise GraspdError("expected output_dir or backend, got neither; name the folder for the views")
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
        if backend is not None:
            self.backend = backend
            store: _Store = partial(_send_view, backend)
        else:
            store = partial(_write_view, Path(output_dir or ""))
        self._graspd_views = _ViewQueue(store, first_view, writer_threads)

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


def _write_view(folder: Path, view: str, eyes: Sequence[Frame]) -> None:
    write_view(eyes, folder / view)


def _send_view(backend: BaseBackend, view: str, eyes: Sequence[Frame]) -> None:
    for path, content in encode_view(eyes, view).items():
        backend.write_blob(path, content)


class _ViewQueue:
    """Views on their way to the threads that write them."""

    def __init__(self, store: _Store, first_view: int, threads: int) -> None:
        self._store, self._next_view, self._threads = store, first_view, threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="graspd_writer")
        self._under_way: deque[Future[None]] = deque()

    def put(self, eyes: Sequence[Frame]) -> None:
        """Hand over the next view."""
        view = f"view_{self._next_view:04d}"
        self._next_view += 1
        while self._under_way and (self._under_way[0].done() or len(self._under_way) >= 2 * self._threads):
            self._under_way.popleft().result()
        self._under_way.append(self._pool.submit(self._store, view, eyes))

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
