# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Small grasp files of other projects, as their tools write them, without these tools."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np


def write_foreign_grasps(folder: Path) -> None:
    """Write small files in the formats that are only read."""
    for name in ("dexgraspbench", "bodex", "graspit", "planner_list", "multidex"):
        (folder / name).mkdir()
    posture = [0.1, 0.2, 0.3, 1.0, 0.0, 0.0, 0.0, *(0.01 * k for k in range(8))]
    names = [f"j{k}" for k in range(8)]
    bench: Any = {f"{key}_qpos": np.array(posture) for key in ("grasp", "pregrasp", "squeeze")}
    bench |= {"obj_pose": np.array([0, 0, 0, 1.0, 0, 0, 0]), "obj_scale": 0.08, "obj_path": "a/mug/b.xml"}
    np.save(folder / "dexgraspbench" / "grasp.npy", bench, allow_pickle=True)
    mesh = {"mug": {"pose": [0.1, 0.2, 0.3, 1, 0, 0, 0], "scale": [0.08] * 3, "file_path": "m.obj"}}
    bodex: Any = {"robot_pose": np.tile(posture, (1, 2, 3, 1)), "joint_names": names, "world_cfg": [{"mesh": mesh}]}
    bodex |= {"manip_name": ["mug"], "grasp_error": np.zeros((1, 2, 1))}
    np.save(folder / "bodex" / "grasp.npy", bodex, allow_pickle=True)
    pose = {"p": posture[:3], "q_wxyz": posture[3:7]}
    listed = {"hand_in_object": pose, "joint_rad": posture[7:], "epsilon_pcwf": 0.1, "energy": 2.0}
    graspit = [{"hand": "Barrett", "object": "mug", "mesh": "mug.obj", "grasps": [listed, listed]}]
    (folder / "graspit" / "grasps.json").write_text(json.dumps(graspit))
    planned = {"joint_names": names, "root_pos": posture[:3], "root_quat_wxyz": posture[3:7]}
    planned |= {"joint_values": posture[7:], "metrics": {"epsilon": 0.1, "success": 1}}
    planner = {"system": "FRoGGeR", "hand": "allegro right", "object_mesh": "mug.obj", "grasps": [planned] * 2}
    (folder / "planner_list" / "grasps.json").write_text(json.dumps(planner))
    _write_torch_file(folder / "multidex" / "grasps.pt")
    _write_acronym(folder)


class _Storage:
    """Stands for bytes outside of the pickle, as PyTorch refers to them."""

    def __init__(self, key: str, count: int) -> None:
        self.key, self.count = key, count


class _Tensor:
    """Pickled as PyTorch pickles a tensor; there must be no PyTorch for that."""

    def __init__(self, key: str, count: int) -> None:
        self.storage = _Storage(key, count)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.storage, 0, (self.storage.count,), (1,), False, OrderedDict())


def _rebuild(*_: Any) -> None:
    raise NotImplementedError


class _TorchPickler(pickle._Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return ("storage", _FLOATS, obj.key, "cpu", obj.count) if isinstance(obj, _Storage) else None

    def save_global(self, obj: Any, name: str | None = None) -> None:
        known = {_rebuild: "torch._utils\n_rebuild_tensor_v2\n", _FLOATS: "torch\nFloatStorage\n"}.get(obj)
        if known is None:
            super().save_global(obj, name)
        else:
            self.write(pickle.GLOBAL + known.encode())

    dispatch: ClassVar[dict[type, Any]] = pickle._Pickler.dispatch | {type(_rebuild): save_global, type: save_global}


class _FLOATS:
    """Stands for the kind of a storage."""


def _write_torch_file(path: Path) -> None:
    import io

    vector = np.array([0.1, 0.2, 0.3, 1, 0, 0, 0, 1, 0, *(0.01 * k for k in range(8))], dtype="<f4")
    buffer = io.BytesIO()
    content = {"metadata": [(_Tensor(str(key), len(vector)), "contactdb+mug", "barrett") for key in range(2)]}
    _TorchPickler(buffer, protocol=2).dump(content)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", buffer.getvalue())
        for key in range(2):
            archive.writestr(f"archive/data/{key}", vector.tobytes())
        archive.writestr("archive/version", "3\n")


def _write_acronym(folder: Path) -> None:
    """Write an HDF5 file, where h5py is installed."""
    try:
        import h5py
    except ImportError:
        return
    (folder / "acronym").mkdir()
    with h5py.File(folder / "acronym" / "mug.h5", "w") as file:
        file["grasps/transforms"] = np.tile(np.eye(4), (3, 1, 1))
        file["grasps/qualities/flex/object_in_gripper"] = np.ones(3, dtype=int)
        file["object/scale"], file["object/file"] = 0.1, "meshes/mug.obj"
