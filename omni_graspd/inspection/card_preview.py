# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A table with a picture for each hand and object, which the viewer of a dataset hub shows first."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path, require_inside, writing_to
from omni_graspd.dataset.checksums import file_checksum
from omni_graspd.dataset.layout import DatasetLayout
from omni_graspd.dataset.selection import Selection, selected_rows
from omni_graspd.dataset.splits import split_by_object
from omni_graspd.dataset.tables import GraspTable, read_grasps
from omni_graspd.inspection.preview_table import PREVIEW_FILE, preview_schema
from omni_graspd.inspection.report_gallery import draw_grasp
from omni_graspd.inspection.summary import DatasetSummary
from omni_graspd.progress import Progress, no_progress

_SIZE = 160
_METHOD = "best of each hand and object 1"
"""To be changed with what is drawn, so that older pictures are drawn anew."""


def write_preview(root: Path, summary: DatasetSummary, progress: Progress = no_progress) -> Path:
    """Draw the best grasp of each hand and object into ``preview.parquet``; pictures that still hold are kept.

    Args:
        root: The dataset folder.
        summary: What is in it.
        progress: Called with pictures drawn and in total.

    Returns:
        The table.

    Raises:
        GraspdError: If a table is damaged, or pictures cannot be drawn or written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, layout = root / PREVIEW_FILE, DatasetLayout(root)
    require_inside(path, root, "the pictures")
    state = _state(layout, summary)
    if path.is_file() and _state_of(path) == state:
        return path
    split_of = split_by_object(summary.manifest.objects)
    rows: list[dict[str, Any]] = []
    for done, row in enumerate(summary.grasps):
        progress(done, len(summary.grasps))
        index, picture = _best(layout, row.hand, row.object)
        rows.append(
            {
                "thumbnail": picture and {"bytes": picture, "path": f"{row.hand}_{row.object}.png"},
                "hand": row.hand,
                "object": row.object,
                "split": split_of[row.object],
                "index": index,
                "grasps": row.grasp_count,
                "usable": row.ok_count if row.usable_count is None else row.usable_count,
                "force_closure": row.force_closure,
                "epsilon": row.epsilon,
            }
        )
    progress(len(summary.grasps), len(summary.grasps))
    table = pa.Table.from_pylist(rows, schema=preview_schema(state))
    with writing_to(root, resumes=False), atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return path


def _best(layout: DatasetLayout, hand: str, obj: str) -> tuple[int | None, bytes | None]:
    """Return number and picture of the grasp that ranks first, if any can be carried out."""
    path = layout.grasps(hand, obj)
    table = read_grasps(path) if path.is_file() else None
    rows = np.zeros(0, int) if table is None else selected_rows(table, Selection("usable and ok", top=1))
    if table is None or not len(rows):
        return None, None
    return int(table.indices[rows[0]]), _picture(layout, table, int(rows[0]))


def _picture(layout: DatasetLayout, table: GraspTable, row: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(draw_grasp(layout, table, row, _SIZE)[0]).save(buffer, format="PNG")
    return buffer.getvalue()


def _state(layout: DatasetLayout, summary: DatasetSummary) -> str:
    """Return what tells whether pictures still hold: a hash of the tables."""
    digest = hashlib.sha256(_METHOD.encode())
    for hand, obj, path in layout.grasp_tables(summary.manifest.hands, summary.manifest.objects):
        digest.update(f"\n{hand}/{obj} {file_checksum(path)}".encode())
    return digest.hexdigest()


def _state_of(path: Path) -> str:
    """Return the state of a table that was written; empty where it says none or cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return (pq.read_schema(path).metadata or {}).get(b"state", b"").decode()
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return ""
