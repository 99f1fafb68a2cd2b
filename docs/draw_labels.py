# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of labels in the documentation: views, where grasps touch, and which contacts the camera sees.

graspd generate --object mug banana --hand allegro --scenes 2 --views 2 --out set --labels
python docs/draw_labels.py set docs/images/labels.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import omni_graspd as gd

_CROP = 130
"""Pixels around the object."""


def main(dataset: str, picture: str) -> None:
    """Draw the first view of each of two scenes.

    Args:
        dataset: A labelled dataset.
        picture: The file to write.
    """
    samples = gd.open(dataset).samples(channels=("rgb",), labels=True)
    chosen = [samples[index] for index in (0, len(samples) - 1)]
    figure, axes = plt.subplots(1, 4, figsize=(12.0, 3.35))
    for number, sample in enumerate(chosen):
        _draw(axes[2 * number], axes[2 * number + 1], sample, dataset)
    figure.tight_layout(pad=0.4, rect=(0.0, 0.0, 1.0, 0.96))
    figure.savefig(picture, dpi=110, pil_kwargs={"quality": 88})


def _draw(left: Any, right: Any, sample: dict[str, Any], dataset: str) -> None:
    rgb, graspness = sample["left/rgb"][..., :3], sample["left/graspness"].astype(float)
    on_object = sample["left/nearest_grasp"] >= 0
    rows, columns = np.nonzero(on_object)
    view = Path(dataset, "renders", sample["object"], f"scene_{sample['scene_index']:04d}", sample["view"], "left")
    labels = np.load(next(view.glob("grasp_labels_*.npz")))
    pixels = labels["contacts"] @ sample["left/intrinsics"].T
    pixels, seen = pixels[:, :2] / pixels[:, 2:], labels["contact_visible"]
    left.imshow(rgb)
    left.scatter(*pixels[seen].T, s=7, c="lime", linewidths=0)
    left.scatter(*pixels[~seen].T, s=7, c="red", linewidths=0)
    left.set_title("contacts seen (green) and hidden (red)", fontsize=9)
    right.imshow(rgb)
    right.imshow(np.ma.masked_where(~on_object, graspness), cmap="viridis")
    right.set_title("graspness", fontsize=9)
    for axis in (left, right):
        axis.set_xlim(columns.mean() - _CROP, columns.mean() + _CROP)
        axis.set_ylim(rows.mean() + _CROP, rows.mean() - _CROP)
        axis.axis("off")


if __name__ == "__main__":
    main(*sys.argv[1:])
