# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The objects that grasp files speak of: where their meshes lie, and how large they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omni_graspd.errors import GraspdError
from omni_graspd.formats.record import GraspRecord
from omni_graspd.library import list_all_names, resolve
from omni_graspd.named_file import is_file
from omni_graspd.objects.mesh_file_reader import MESH_SUFFIXES
from omni_graspd.objects.object_reader import ObjectReaderConfig, read_object
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.objects.usd_object_reader import USD_SUFFIXES
from omni_graspd.plain_text import shortened
from omni_graspd.usd.meshes import TriangleMesh

_PARENTS = 4
"""A mesh named by a relative path is looked for below this many folders above the file of the grasps."""
_MESHES = ("coacd/decomposed.obj", "mesh/simplified.obj", "simplified.obj", "textured.obj", "model.obj")
"""Where object sets keep the mesh below a folder of the object's name."""


def find_object_file(record: GraspRecord, source: Path, given: Path | None = None) -> Path | None:
    """Find the mesh or USD file of a record's object.

    Looked for in this order: what the user gave, the path in the file (as it is, and relative to the folders above the
    file), and the library.

    Args:
        record: Grasps.
        source: File that they were read from.
        given: The user's file, or a folder of objects; its file or folder named as the object is taken.

    Returns:
        The file; None where there is none.

    Raises:
        GraspdError: If the user's folder has no such object, or the user's path does not exist.
    """
    if given is not None:
        return _given_file(record, given)
    if record.object_file:
        stated = Path(record.object_file)
        above = [folder / stated for folder in source.absolute().parents[:_PARENTS]]
        for path in [stated] if stated.is_absolute() else above:
            if path.suffix.lower() in (*MESH_SUFFIXES, *USD_SUFFIXES) and is_file(path):
                return path
    if record.object in list_all_names("objects"):
        return resolve("objects", record.object)[0]
    return None


def _given_file(record: GraspRecord, given: Path) -> Path:
    if given.is_file():
        return given
    if not given.exists():
        if str(given) in list_all_names("objects"):
            return resolve("objects", str(given))[0]
        raise GraspdError(f"expected --object to be a file, a folder of objects or a name, got {given}; check the path")
    names = [f"{record.object}{suffix}" for suffix in (*MESH_SUFFIXES, *USD_SUFFIXES)]
    names += [f"{record.object}/{inside}" for inside in (*_MESHES, *names)]
    found = next((given / name for name in names if is_file(given / name)), None)
    if found is None:
        raise GraspdError(
            f"expected the object {shortened(record.object)!r} in {given}, got no mesh of that name, "
            "nor a folder with one; give the file itself with --object"
        )
    return found


def load_scaled_object(path: Path, name: str, scale: float) -> RigidObject:
    """Read an object and scale it.

    Args:
        path: Mesh or USD file; its unit is the metre where it states none.
        name: Name that the object gets.
        scale: Factor for its lengths; its density stays.

    Returns:
        The object in metres, about the origin of its file.

    Raises:
        GraspdError: If it cannot be read, or is too large or small for a hand once it is scaled.
    """
    limits = ObjectReaderConfig()
    stated = path.suffix.lower() in USD_SUFFIXES
    config = ObjectReaderConfig(
        unit="auto" if stated else "m",
        smallest_extent=limits.smallest_extent / scale,
        largest_extent=limits.largest_extent / scale,
    )
    return replace(_scaled(read_object(path, config), scale), name=name)


def file_name(name: str, default: str) -> str:
    """Return a name with which a file can be called on any system; ``default`` where nothing of it is left."""
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name).strip("._") or default


def scaled_name(record: GraspRecord) -> str:
    """Return the name of the object at its scale, for example ``mug_x0.06``; the object's own where the scale is 1."""
    return record.object if record.object_scale == 1.0 else f"{record.object}_x{record.object_scale:.6g}"


def _scaled(rigid: RigidObject, scale: float) -> RigidObject:
    if scale == 1.0:
        return rigid

    def of(mesh: TriangleMesh) -> TriangleMesh:
        return replace(mesh, vertices=mesh.vertices * scale)

    return replace(
        rigid,
        mesh=of(rigid.mesh),
        visual=of(rigid.visual),
        mass=rigid.mass * scale**3,
        center_of_mass=rigid.center_of_mass * scale,
        inertia=rigid.inertia * scale**5,
        convex_pieces=tuple(of(piece) for piece in rigid.convex_pieces),
        notes=(*rigid.notes, f"scaled by {scale:g}"),
    )
