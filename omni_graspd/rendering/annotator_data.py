# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What channels are made of: an array with side data, ids of pixels, rows of boxes, as in Replicator.

Boxes are in pixels, both corners inclusive: a box of one pixel has ``x_min == x_max``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

BACKGROUND_ID = 0
"""Semantic and instance id of pixels that show no geometry."""
UNLABELLED_ID = 1
"""Semantic and instance id of geometry without a semantic class."""
FIRST_LABEL_ID = 2
"""Semantic and instance ids of labelled prims count up from here, in stage order."""

BOX_2D_DTYPE = np.dtype(
    [
        ("semanticId", "<u4"),
        *((name, "<i4") for name in ("x_min", "y_min", "x_max", "y_max")),
        ("occlusionRatio", "<f4"),
    ]
)
"""One row of a 2D box channel. ``occlusionRatio`` is 1 - visible / unoccluded pixels inside the image."""
BOX_3D_DTYPE = np.dtype(
    [
        ("semanticId", "<u4"),
        *((name, "<f4") for name in ("x_min", "y_min", "z_min", "x_max", "y_max", "z_max")),
        ("transform", "<f4", (4, 4)),
        ("occlusionRatio", "<f4"),
    ]
)
"""One row of the 3D box channel: extent in the prim's frame; ``transform`` is its local-to-world row-vector matrix."""
OCCLUSION_DTYPE = np.dtype([("instanceId", "<u4"), ("semanticId", "<u4"), ("occlusionRatio", "<f4")])
"""One row of the occlusion channel."""


@dataclass(frozen=True)
class AnnotatorData:
    """One channel in Replicator's terms: an array and its info dictionary."""

    data: np.ndarray
    """Array in the annotator's dtype and shape; empty for ``camera_params``, which is info only."""
    info: dict[str, Any]
    """Side data, for example ``idToLabels``; empty for plain images."""
