# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A view as a folder: the files of its one camera, or a folder per eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.rendering.annotators import STEREO_ANNOTATORS
from omni_graspd.rendering.frame import CameraRig, Frame
from omni_graspd.rendering.image_writer import encode_frame, file_names, write_frame

_EYES = {1: ("mono",), 2: ("left", "right"), 3: ("mono", "left", "right")}
"""Names of a rig's cameras by their number, in the order in which rigs list them."""


def eye_names(camera_count: int) -> tuple[str, ...]:
    """Return what the cameras of a rig are called.

    Raises:
        GraspdError: If there are more than three.
    """
    if camera_count not in _EYES:
        raise GraspdError(f"expected one camera, a stereo pair or both in a view, got {camera_count} cameras")
    return _EYES[camera_count]


def eye_folder(view: Path, eye: str, camera_count: int) -> Path:
    """Return where an eye's files lie: in the view's folder if it is the only one, else one below."""
    return view / eye if camera_count > 1 else view


def eye_files(rig: CameraRig, annotators: Sequence[str]) -> dict[str, str]:
    """Return the files of each eye of a view, by name without number; channels of stereo pairs only for those."""
    is_stereo = len(rig.camera_paths) == 2
    return file_names([name for name in annotators if is_stereo or name not in STEREO_ANNOTATORS])


def is_whole(folder: Path, rig: CameraRig, annotators: Sequence[str]) -> bool:
    """Tell whether a view's folder has all its files.

    Args:
        folder: The view's folder, there or not.
        rig: Its cameras.
        annotators: The channels that were asked for.
    """
    expected = set(eye_files(rig, annotators).values())
    return all(eye.is_dir() and expected <= {path.name for path in eye.iterdir()} for eye in _eyes(folder, rig))


def has_any(folder: Path, rig: CameraRig, annotator: str) -> bool:
    """Tell whether a view's folder has a file of a channel, or the view has no such channel.

    Args:
        folder: The view's folder, there or not.
        rig: Its cameras.
        annotator: The channel.
    """
    expected = set(eye_files(rig, [annotator]).values())
    return not expected or any((eye / name).is_file() for eye in _eyes(folder, rig) for name in expected)


def _eyes(folder: Path, rig: CameraRig) -> list[Path]:
    """Return the folder of each eye of a view."""
    count = len(rig.camera_paths)
    return [eye_folder(folder, eye, count) for eye in eye_names(count)]


def write_view(eyes: Sequence[Frame], folder: Path) -> None:
    """Write the frames of a view, in the order of the rig's cameras.

    A new folder appears whole or not at all. In a folder that is there, the files are replaced one by one, each whole,
    and others stay.
    """
    if folder.is_dir():
        _write_eyes(eyes, folder)
        return
    with atomic_path(folder) as temporary:
        _write_eyes(eyes, temporary)


def encode_view(eyes: Sequence[Frame], view: str) -> dict[str, bytes]:
    """Return the content of each file that :func:`write_view` writes, by its path with ``/``.

    Args:
        eyes: Frames of the view, in the order of the rig's cameras.
        view: Name of the view's folder.
    """
    named = zip(eyes, eye_names(len(eyes)), strict=True)
    folders = [(frame, eye_folder(Path(view), eye, len(eyes)).as_posix()) for frame, eye in named]
    return {f"{folder}/{name}": content for frame, folder in folders for name, content in encode_frame(frame).items()}


def _write_eyes(eyes: Sequence[Frame], folder: Path) -> None:
    for frame, eye in zip(eyes, eye_names(len(eyes)), strict=True):
        write_frame(frame, eye_folder(folder, eye, len(eyes)))
