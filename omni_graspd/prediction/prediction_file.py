# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted grasps on disk: a table of grasps, and the object beside it where only an image is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from omni_graspd.atomic import atomic_path, writing_to
from omni_graspd.dataset.tables import GraspTable, write_grasps
from omni_graspd.errors import GraspdError
from omni_graspd.prediction.predict_grasps import PredictedGrasps

_SUFFIX = ".parquet"


def write_prediction(prediction: PredictedGrasps, path: Path, *, with_object: bool, seed: int = 0) -> list[Path]:
    """Write predicted grasps as a table.

    Args:
        prediction: The grasps.
        path: ``.parquet`` file.
        with_object: Write the object, too, as a PLY file of the same name.
        seed: Seed of the prediction.

    Returns:
        The files.

    Raises:
        GraspdError: If the name has another suffix, or the file cannot be written.
    """
    if path.suffix != _SUFFIX:
        raise GraspdError(
            f"expected a {_SUFFIX} file to write grasps to, got {path}; graspd convert makes other formats"
        )
    table = GraspTable(
        hand=prediction.hand.name,
        object=prediction.obj.name,
        joint_names=tuple(prediction.hand.joint_names),
        indices=np.arange(len(prediction.score), dtype=np.int32),
        seed=seed,
        grasps=prediction.batch,
        metrics=prediction.metrics,
    )
    with writing_to(path, resumes=False):
        write_grasps(table, path)
        return [path, _write_object(prediction, path.with_suffix(".ply"))] if with_object else [path]


def _write_object(prediction: PredictedGrasps, path: Path) -> Path:
    import trimesh

    mesh = prediction.obj.mesh
    content = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(file_type="ply")
    assert isinstance(content, bytes)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return path
