# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The columns of the table with a picture for each hand and object, which a hub's viewer shows first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

PREVIEW_FILE = "preview.parquet"
"""Its name in the dataset folder."""
_MEANINGS = {
    "thumbnail": "The grasp, seen from the side; empty where there is none.",
    "hand": "Name of the hand.",
    "object": "Name of the object.",
    "split": "Split of the object.",
    "index": "Number of the grasp in the picture: the one that ranks first, of those that can be carried out.",
    "grasps": "Number of grasps.",
    "usable": "Number of those that can be carried out; where objects float, of those that did not fail.",
    "force_closure": "Fraction of all grasps that are in force closure.",
    "epsilon": "Mean epsilon quality of all grasps.",
}


def preview_schema(state: str = "") -> pa.Schema:
    """Return the columns; the thumbnail is an image as the ``datasets`` library keeps it.

    Args:
        state: What the file says of the tables that it was made of.
    """
    import pyarrow as pa

    kinds = {"thumbnail": pa.struct({"bytes": pa.binary(), "path": pa.string()}), "index": pa.int32()}
    kinds |= {"grasps": pa.int64(), "usable": pa.int64(), "force_closure": pa.float64(), "epsilon": pa.float64()}
    types = {name: kinds.get(name, pa.string()) for name in _MEANINGS}
    features = {name: {"dtype": _dtype(kind), "_type": "Value"} for name, kind in types.items()}
    known = {"info": {"features": features | {"thumbnail": {"_type": "Image"}}}}
    fields = [pa.field(name, kind, metadata={"meaning": _MEANINGS[name]}) for name, kind in types.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps(known), "state": state})


def _dtype(kind: pa.DataType) -> str:
    return "float64" if str(kind) == "double" else str(kind)
