# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Read a dataset with nothing but pyarrow, NumPy and Pillow: grasps of one scene, and the images of one view.

graspd generate
python examples/02_read_a_dataset.py graspd_out
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image


def main(dataset: Path) -> int:
    """Print what one scene holds and return the number of its grasps that a hand can carry out there."""
    table_path = sorted(dataset.glob("scenes/*/scene_*.grasps.parquet"))[0]
    scene_grasps = pq.read_table(table_path).to_pylist()
    name = table_path.parent.name
    hand = scene_grasps[0]["hand"]
    base = pq.read_table(dataset / "grasps" / hand / f"{name}.parquet")
    joint_names = json.loads(base.schema.metadata[b"joint_names"])
    # Grasps of floating objects have no such column; they can at best be clear of the table.
    usable = [row for row in scene_grasps if row.get("usable", not row["collides"])]
    print(
        f"{name}: {len(usable)} of {len(scene_grasps)} grasps of {hand} ({len(joint_names)} joints) can be carried out"
    )

    view = sorted((dataset / "renders" / name / table_path.name.split(".")[0]).glob("view_*"))[0]
    eye = view / "left" if (view / "left").is_dir() else view
    rgb = np.asarray(Image.open(eye / "rgb_0000.png"))
    depth = np.load(eye / "distance_to_image_plane_0000.npy")
    boxes = np.load(eye / "bounding_box_2d_tight_0000.npy")
    print(f"{eye}: image {rgb.shape}, depth {depth[np.isfinite(depth)].min():.3f} m and farther, {len(boxes)} boxes")
    return len(usable)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "graspd_out"))
