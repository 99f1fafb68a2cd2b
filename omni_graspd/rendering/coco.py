# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``coco.json``: the instances of all images of a folder in COCO's format, made from the images' own files.

One annotation per labelled prim and image in which a pixel shows it; its category is the prim's semantic class.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.rendering.annotator_data import UNLABELLED_ID, AnnotatorData
from omni_graspd.rendering.boxes import mask_box
from omni_graspd.rendering.image_index import ImageRecord
from omni_graspd.rendering.image_writer import read_frame
from omni_graspd.rendering.mask_encoding import encode_instances

COCO_NAME = "coco.json"
"""Name of the file below the folder whose images it annotates."""
_MASKS = "instance_segmentation"


async def write_coco(records: Sequence[ImageRecord], root: Path) -> Path:
    """Write ``coco.json``, all or nothing; the same images make the same bytes.

    Images, annotations and categories are numbered from 1: images in the order of the records, annotations image by
    image and there by prim, categories by name. Every class of the scenes is a category, seen or not.

    Args:
        records: The images; all their files are there.
        root: Folder of the file, to which the records' files are relative.

    Returns:
        The file.

    Raises:
        GraspdError: If an image has no instance segmentation.
    """
    images, annotations, classes = [], [], set()
    for number, record in enumerate(records, start=1):
        await asyncio.sleep(0)
        images.append(_image(record, number))
        channel = read_frame(root / record.folder, annotators=[_MASKS]).channels[_MASKS]
        classes |= {_label(channel, key) for key in channel.info["idToLabels"] if int(key) > UNLABELLED_ID}
        annotations += [{"image_id": number, **entry} for entry in _annotations(channel)]
    categories = {name: index for index, name in enumerate(sorted(classes), start=1)}
    content = {
        "info": {"description": "Instances seen in rendered scenes; made by omni_graspd"},
        "licenses": [],
        "images": images,
        "annotations": [
            {"id": index, **entry, "category_id": categories[entry["category_id"]]}
            for index, entry in enumerate(annotations, start=1)
        ],
        "categories": [{"id": index, "name": name, "supercategory": ""} for name, index in categories.items()],
    }
    path = root / COCO_NAME
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
    return path


def _image(record: ImageRecord, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": record.files["rgb"],
        "width": record.camera.width,
        "height": record.camera.height,
        "scene": record.scene,
        "view": record.view,
        "eye": record.eye,
    }


def _annotations(channel: AnnotatorData) -> Iterator[dict[str, Any]]:
    """Yield what is known of each labelled prim that is seen; its category is still a name."""
    ids = channel.data
    for instance_id, counts in encode_instances(ids).items():
        if instance_id <= UNLABELLED_ID:
            continue
        mask = ids == instance_id
        box = mask_box(mask)
        assert box is not None  # its id is in the image
        yield {
            "category_id": _label(channel, str(instance_id)),
            "bbox": [box[0], box[1], box[2] - box[0] + 1, box[3] - box[1] + 1],
            "area": int(np.count_nonzero(mask)),
            "iscrowd": 0,
            "segmentation": {"size": list(ids.shape), "counts": counts},
            "prim_path": channel.info["idToLabels"][str(instance_id)],
        }


def _label(channel: AnnotatorData, key: str) -> str:
    return channel.info["idToSemantics"][key]["class"]
