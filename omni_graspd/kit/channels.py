# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What Replicator's annotators deliver, as the channels of our frames: same dtypes, label maps with string keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.rendering.annotator_data import UNLABELLED_ID, AnnotatorData
from omni_graspd.rendering.annotators import ANNOTATORS, STEREO_ANNOTATORS

_LABELS = ("idToLabels", "idToSemantics")
_SEGMENTATIONS = ("semantic_segmentation", "instance_segmentation")
_STEREO_SOURCES = ("distance_to_image_plane", "camera_params")


def replicator_annotators(wanted: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return the annotators that Replicator has to make for these channels, with their ``init_params``.

    Disparity is no annotator of Replicator's: it follows from depth and the two cameras.
    """
    names = [name for name in ANNOTATORS if name in wanted and name not in STEREO_ANNOTATORS]
    if set(wanted) & set(STEREO_ANNOTATORS):
        names += [name for name in _STEREO_SOURCES if name not in names]
    return {name: dict(ANNOTATORS[name].init_params) for name in names}


def replicator_channel(name: str, value: Any) -> AnnotatorData:
    """Turn what an annotator delivered into a channel.

    Args:
        name: The annotator.
        value: An array, ``{"data": array, "info": {...}}``, or one dictionary with the side data beside ``data``;
            ``camera_params`` is a dictionary without array.

    Raises:
        GraspdError: If the array cannot have the channel's dtype and shape, or side data are missing.
    """
    data, info = _parts(value)
    annotator = ANNOTATORS[name]
    if name == "camera_params":
        params = {key: np.asarray(info[key]).tolist() for key in annotator.info_keys if key in info}
        return _checked(AnnotatorData(np.zeros(0, annotator.dtype), params), name)
    if data is None:
        raise GraspdError(f"expected an array from the annotator {name}, got {type(value).__name__}")
    data = np.asarray(data)
    data = _rows(data, annotator.dtype, name) if annotator.dtype.names else _cast(data, annotator.dtype, name)
    if len(annotator.shape) == 2 and annotator.shape[-1] == 3:
        data = data.reshape(-1, 3)
    side = {key: _side(key, info[key]) for key in annotator.info_keys if key in info}
    if name in _SEGMENTATIONS:
        side = {key: _with_all_ids(labels, data) for key, labels in side.items()}
    return _checked(AnnotatorData(np.ascontiguousarray(data), side), name)


def _parts(value: Any) -> tuple[Any, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        return value, {}
    if "info" in value:
        return value.get("data"), value["info"]
    return value.get("data"), {key: item for key, item in value.items() if key != "data"}


def _cast(data: np.ndarray, dtype: np.dtype, name: str) -> np.ndarray:
    if data.dtype.kind == "f" and dtype.kind != "f":
        raise GraspdError(
            f"expected {dtype} from the annotator {name}, got {data.dtype}; set its colorize option to False"
        )
    if "segmentation" in name and data.ndim == 3:
        raise GraspdError(f"expected ids from the annotator {name}, got colours; set its colorize option to False")
    return data.astype(dtype)


def _rows(data: np.ndarray, dtype: np.dtype, name: str) -> np.ndarray:
    """Copy rows field by field: Replicator may order or pad its fields differently."""
    rows = np.zeros(len(data), dtype)
    if not len(data):
        return rows
    missing = [field for field in dtype.names or () if field not in (data.dtype.names or ())]
    if missing:
        raise GraspdError(f"expected fields {dtype.names} from the annotator {name}, {', '.join(missing)} missing")
    for field in dtype.names or ():
        rows[field] = data[field]
    return rows


def _side(key: str, value: Any) -> Any:
    if key in _LABELS:
        ordered = sorted(value.items(), key=lambda item: int(item[0]))
        return {str(label_id): label for label_id, label in ordered}
    if key == "primPaths":
        return [str(path) for path in value]
    if key in ("bboxIds", "pointSemantic", "pointInstance"):
        return np.asarray(value).astype(np.uint32).ravel()
    return np.asarray(value).astype(np.uint8 if key == "pointRgb" else np.float32).ravel()


def _with_all_ids(labels: dict[str, Any], image: np.ndarray) -> dict[str, Any]:
    """Name the ids of the image that have no label; Replicator leaves out some of geometry without a class."""
    unlabelled = labels.get(str(UNLABELLED_ID), "UNLABELLED")
    missing = {str(i): unlabelled for i in np.unique(image) if str(i) not in labels}
    return dict(sorted((labels | missing).items(), key=lambda item: int(item[0])))


def _checked(channel: AnnotatorData, name: str) -> AnnotatorData:
    shape = channel.data.shape
    height, width = shape[:2] if len(shape) > 1 else (0, 0)
    try:
        ANNOTATORS[name].check(channel, width, height)
    except ValueError as error:
        raise GraspdError(f"expected Replicator's {name} as Isaac Sim 5.1 and 6.0 document it; {error}") from None
    return channel
