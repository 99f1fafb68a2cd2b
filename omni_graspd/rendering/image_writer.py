# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Frames as files: each channel in the files that its declaration names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omni_graspd.atomic import atomic_path
from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.rendering.annotator_data import AnnotatorData
from omni_graspd.rendering.annotators import ANNOTATORS
from omni_graspd.rendering.frame import Frame


def write_frame(frame: Frame, folder: Path, frame_index: int = 0) -> list[Path]:
    """Write all channels of a frame, each file all or nothing.

    Args:
        frame: The frame; channels it lacks are left out.
        folder: Where the files go; made if missing.
        frame_index: Number in the file names, four digits.

    Returns:
        The files.

    Raises:
        ValueError: If the frame has a channel that is not in the contract.
    """
    files = encode_frame(frame, frame_index)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file_name, content in files.items():
        path = folder / file_name
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
        paths.append(path)
    return paths


def encode_frame(frame: Frame, frame_index: int = 0) -> dict[str, bytes]:
    """Return the content of each file of a frame by its name, in the order of the frame's channels.

    Args:
        frame: The frame.
        frame_index: Number in the file names, four digits.

    Raises:
        ValueError: If the frame has a channel that is not in the contract.
    """
    unknown = set(frame.channels) - set(ANNOTATORS)
    if unknown:
        raise ValueError(f"expected channels among {', '.join(ANNOTATORS)}, got {', '.join(sorted(unknown))}")
    files: dict[str, bytes] = {}
    for name, channel in frame.channels.items():
        names = file_names([name], frame_index)
        files |= {names[stem]: content for stem, content in ANNOTATORS[name].files.encode(name, channel).items()}
    return files


def file_names(annotators: Sequence[str], frame_index: int = 0) -> dict[str, str]:
    """Return the files that :func:`write_frame` writes for these channels, by name without number, in its order."""
    return {
        stem: f"{stem}_{frame_index:04d}.{suffix}"
        for name in annotators
        for stem, suffix in ANNOTATORS[name].files.suffixes(name).items()
    }


def read_frame(folder: Path, frame_index: int = 0, annotators: Sequence[str] = tuple(ANNOTATORS)) -> Frame:
    """Read what :func:`write_frame` wrote.

    Everything comes back equal but normals, which were rounded to 8 bits, the camera's path, which is not in the files,
    and ``bboxIds``, which are counted from 0. Segmentation ids are counted in the order of the mapping files, which for
    frames of this library gives the ids they had.

    Args:
        folder: Where the files are.
        frame_index: Number in the file names.
        annotators: The channels to read; all by default.

    Returns:
        The frame with those of the channels that are there.

    Raises:
        GraspdError: If the folder has none of them for this frame, or a file is damaged.
    """
    number = f"{frame_index:04d}"
    channels = {}
    for name in annotators:
        names = file_names([name], frame_index)
        if (folder / names[name]).is_file():
            channels[name] = _decode_whole(name, folder, names)
    if not channels:
        raise GraspdError(f"there are no images of frame {number} in {folder}; render it first")
    return Frame("", channels)


def _decode_whole(name: str, folder: Path, names: dict[str, str]) -> AnnotatorData:
    annotator = ANNOTATORS[name]
    try:
        channel = annotator.files.decode(name, lambda stem: folder / names[stem])
        size = channel.data.shape if annotator.is_image and channel.data.ndim >= 2 else (0, 0)
        annotator.check(channel, width=size[1], height=size[0])
        return channel
    except (OSError, ValueError, RecursionError) as error:
        path, reason = folder / names[name], shortened(str(error), 160)
        raise GraspdError(f"the channel {name} in {path} is damaged ({reason}); render it again") from error
