# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The functions of ``import omni_graspd as gd`` that wait for their result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from omni_graspd.api import aio, assets
from omni_graspd.api.grasps import Grasps
from omni_graspd.blocking import blocking
from omni_graspd.errors import GraspdError

if TYPE_CHECKING:
    from omni_graspd.arms.reach_config import ReachConfig
    from omni_graspd.dataset.evaluation.evaluation_chunk import EvaluationSettings
    from omni_graspd.dataset.reach.reach_dataset import ReachCounts
    from omni_graspd.formats.conversion import Conversion
    from omni_graspd.hands.hand import Hand
    from omni_graspd.metrics.evaluate import MetricsConfig
    from omni_graspd.objects.rigid_object import RigidObject

synthesize = blocking(aio.synthesize)
rest_poses = blocking(aio.rest_poses)
measure_hold = blocking(aio.measure_hold)
measure_lift = blocking(aio.measure_lift)
generate = blocking(aio.generate)
settle = blocking(aio.settle)
render = blocking(aio.render)
draw = blocking(aio.draw)


def evaluate(grasps: Grasps, config: MetricsConfig | None = None) -> Grasps:
    """Measure grasps; the same as ``grasps.evaluate(config)``."""
    return grasps.evaluate(config)


def evaluate_dataset(path: str | Path, settings: EvaluationSettings | None = None, *, workers: int = 1) -> int:
    """Add metrics to all grasps of a dataset, as ``graspd evaluate`` does; columns that are there are kept.

    Args:
        path: Dataset folder.
        settings: Which metrics, and how they are measured.
        workers: Processes; with more than 1 a script needs ``if __name__ == "__main__":``.

    Returns:
        How many grasps were measured.

    Raises:
        GraspdError: If the folder is no dataset, or was evaluated with other settings.
    """
    from omni_graspd.dataset.evaluation import evaluate_dataset as evaluation
    from omni_graspd.quiet_warp import start_warp

    # Worker processes are ours, this one is not: its Warp stays as it is.
    return evaluation.evaluate_dataset(Path(path), settings, workers=workers, start_worker=start_warp)


def reach(
    path: str | Path, arm: str, config: ReachConfig | None = None, *, lift: bool = False, workers: int = 1
) -> ReachCounts:
    """Find out which usable grasps of a dataset an arm reaches in their scenes, as ``graspd reach`` does.

    Args:
        path: Dataset folder.
        arm: Name of one of your arms, which ``graspd arms add`` imports, or of the dataset's.
        config: Where the arm stands, and how the hand is mounted.
        lift: Try in PhysX, too, whether the whole robot lifts the object.
        workers: Processes; with more than 1 a script needs ``if __name__ == "__main__":``.

    Returns:
        How many grasps are usable and reachable, and why others are not.

    Raises:
        GraspdError: If the folder is no dataset, or there is no such arm.
    """
    from omni_graspd.dataset.reach.reach_dataset import reach_dataset

    return reach_dataset(Path(path), arm, config, lift=lift, workers=workers)


def read_grasps(
    path: str | Path, *, hand: str | Path | Hand | None = None, obj: str | Path | RigidObject | None = None
) -> list[Grasps]:
    """Read grasps from a dataset, from a table that ``Grasps.save`` wrote, or from another project's files.

    Args:
        path: File or folder.
        hand: The hand, where the file does not tell it.
        obj: The object or its mesh, where the file does not tell it.

    Returns:
        One entry per hand and object.

    Raises:
        GraspdError: If nothing can be read, or a hand or object is not to be found.
    """
    from omni_graspd.api.grasp_files import read_grasp_files

    known_hand = None if hand is None else assets.load_hand(hand)
    return read_grasp_files(Path(path), known_hand, None if obj is None else assets.load_object(obj))


def convert(
    source: str | Path,
    target: str | Path,
    *,
    to: str = "",
    hand: str = "",
    obj: str | Path = "",
    where: str = "",
    top: int | None = None,
    by: str = "",
) -> Conversion:
    """Convert grasps between our datasets and the files of other projects, as ``graspd convert`` does.

    Args:
        source: A file, a folder of files of one format, or a dataset.
        target: A file or folder.
        to: Format that is written; by default the target's suffix tells it.
        hand: The hand, where the source does not tell it.
        obj: Mesh of the object, where the source does not tell it.
        where: Condition on the columns, for example ``"usable and epsilon > 0.2"``.
        top: The best grasps of each hand and object; None: all.
        by: Column by which they are best; by default the ranking score.

    Returns:
        What was written, left out, guessed and lost.

    Raises:
        GraspdError: If nothing can be read, or the target cannot be written.
    """
    from omni_graspd.dataset.selection import Selection
    from omni_graspd.formats import conversion

    selection = Selection(where, top, by)
    config = conversion.ConvertConfig(to=to, hand=hand, object_path=Path(obj) if obj else None, selection=selection)
    return conversion.convert(Path(source), Path(target), config)


def inspect(path: str | Path, *options: str) -> None:
    """Open grasps in a browser, like ``graspd inspect``; press Ctrl-C to stop.

    Args:
        path: Dataset folder, or another project's grasp file.
        options: Options of the command, for example ``"--port", "8081"``.

    Raises:
        GraspdError: If there is nothing to look at, or viser is not installed.
    """
    from omni_graspd.cli.commands import find_command
    from omni_graspd.cli.console import open_console
    from omni_graspd.cli.run_command import parse_command

    command, arguments = find_command(["inspect", str(path), *options])
    try:
        parse_command(command, arguments)(open_console())
    except SystemExit:
        raise GraspdError(
            f"expected options of graspd inspect, got {' '.join(options)!r}; see graspd inspect --help"
        ) from None
