# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What takes time, to be awaited: for Kit, whose main loop must never block, and for programs with a loop of their own.

The same functions as in :mod:`omni_graspd`, which wait for the result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from omni_graspd.api import assets
from omni_graspd.api.grasps import Grasps
from omni_graspd.api.rest import RestPoses, find_rest_poses
from omni_graspd.backend import load_backend
from omni_graspd.dataset.loader import Dataset
from omni_graspd.dataset.loader import open as open_dataset
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.progress import Progress, no_progress
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.surroundings import NOTHING, Surroundings
from omni_graspd.synthesis.synthesizer import synthesize as find_grasps

if TYPE_CHECKING:
    from PIL import Image

    from omni_graspd.dataset.config import GenerateConfig
    from omni_graspd.scenes.grasp_tests.hold import HoldConfig
    from omni_graspd.scenes.grasp_tests.lift_config import LiftConfig

Around = Surroundings | Literal["table", "nothing"]


async def synthesize(
    hand: str | Path | Hand,
    obj: str | Path | RigidObject,
    count: int = 16,
    *,
    around: Around = "table",
    seed: int = 0,
    config: SynthesisConfig | None = None,
    device: str = "cpu",
    progress: Progress = no_progress,
) -> Grasps:
    """Find grasps of an object.

    Args:
        hand: Built-in or own name, USD file, or a hand.
        obj: Built-in or own name, mesh or USD file, or an object.
        count: How many.
        around: What the hand must keep clear of: ``"table"``, on which the object rests as it most often falls; what
            ``rest_poses(...).table(k)`` returns, for another pose; surroundings of your own; or ``"nothing"``: the
            object floats, as in the paper.
        seed: Seed of everything random; the same seed finds the same grasps.
        config: Settings.
        device: Warp device, for example ``"cpu"`` or ``"cuda:0"``.
        progress: Called with gradient steps done and in total.

    Returns:
        The grasps; failed ones are kept and say why in ``status``.

    Raises:
        GraspdError: If hand or object cannot be read, or ``count`` is below 1.
    """
    if count < 1:
        raise GraspdError(f"expected count to be 1 or more, got {count}")
    hand, obj = assets.load_hand(hand), assets.load_object(obj)
    surroundings = await _surroundings(obj, around, seed)
    batch = await find_grasps(
        hand,
        obj,
        range(count),
        config or SynthesisConfig(),
        seed=seed,
        surroundings=surroundings,
        device=device,
        progress=progress,
    )
    return Grasps(hand, obj, batch, np.arange(count, dtype=np.int32), seed)


async def _surroundings(obj: RigidObject, around: Around, seed: int) -> Surroundings:
    if isinstance(around, Surroundings):
        return around
    if around == "nothing":
        return NOTHING
    if around == "table":
        return (await rest_poses(obj, seed=seed)).table()
    raise GraspdError(f"expected around to be 'table', 'nothing' or a Surroundings, got {around!r}")


async def rest_poses(obj: str | Path | RigidObject, drops: int = 8, *, seed: int = 0) -> RestPoses:
    """Drop an object on a table in PhysX and return how it comes to rest.

    Args:
        obj: Built-in or own name, mesh or USD file, or an object.
        drops: How often it is dropped.
        seed: Seed of the drops.

    Returns:
        The rest poses, the most frequent first.

    Raises:
        GraspdError: If the object cannot be read, or does not come to rest.
    """
    if drops < 1:
        raise GraspdError(f"expected drops to be 1 or more, got {drops}")
    return await find_rest_poses(assets.load_object(obj), drops, seed)


async def measure_hold(grasps: Grasps, config: HoldConfig | None = None) -> Grasps:
    """Try in PhysX whether each hand keeps the object while gravity pulls from six sides.

    Args:
        grasps: The grasps; get a metric ``held``, the share of directions, and ``displacement`` [m],
            cut at 10 cm as in the tables.
        config: Duration, friction, threshold.

    Returns:
        The grasps.
    """
    from omni_graspd.scenes.grasp_tests import hold

    simulate = load_backend("auto").simulate
    result = await hold.measure_hold(
        simulate, grasps.hand, grasps.object, grasps.T_object_palm, grasps.joint_positions, config
    )
    grasps.metrics.update(result.columns())
    return grasps


async def measure_lift(grasps: Grasps, config: LiftConfig | None = None) -> Grasps:
    """Try in PhysX whether each hand comes to the object, squeezes, and lifts it off its table.

    Args:
        grasps: Grasps made on a table; get metrics ``lifted``, ``lift_drift`` [m] and ``lift_reason``.
        config: The protocol; by default DexGraspBench's.

    Returns:
        The grasps.

    Raises:
        GraspdError: If the grasps were not made on a table.
    """
    from omni_graspd.scenes.grasp_tests import lift

    simulate, indices = load_backend("auto").simulate, grasps.indices.tolist()
    result = await lift.measure_lift(simulate, grasps.hand, grasps.object, grasps.batch, config, indices=indices)
    grasps.metrics.update(result.columns)
    return grasps


async def show(grasps: Grasps, *, most: int = 6, size: int = 298) -> Image.Image:
    """Draw grasps, each from both sides of the palm.

    Args:
        grasps: The grasps.
        most: How many are drawn, the first ones.
        size: Edge of each picture [pixel].

    Returns:
        The picture.
    """
    from omni_graspd.api.pictures import draw_batch

    return await draw_batch(grasps, most, size)


async def draw(batches: Sequence[Grasps], *, title: str = "Grasps", size: int = 298) -> Image.Image:
    """Draw grasps of several hands and objects in one picture: a column for each hand, a row for each grasp.

    Args:
        batches: The grasps.
        title: Title of the picture.
        size: Edge of each single picture [pixel].

    Returns:
        The picture.
    """
    from omni_graspd.api.pictures import draw_batches

    return await draw_batches(batches, title, size)


async def generate(config: GenerateConfig | None = None, **settings: Any) -> Dataset:
    """Make a whole dataset: scenes, grasps, images. Stopped, the same call resumes.

    Args:
        config: What to make and where to.
        settings: Fields of :class:`~omni_graspd.dataset.config.GenerateConfig` instead, for example ``hand="shadow"``,
            ``object=["mug", "bowl"]``, ``grasps=32``, ``out="my_grasps"``. Without ``workers`` all is done in this
            process; with others than 1 a script needs ``if __name__ == "__main__":``.

    Returns:
        The dataset, opened.

    Raises:
        GraspdError: If the settings, a hand, an object or the dataset folder cannot be used.
    """
    return await _run_stages((), config, settings)


async def settle(config: GenerateConfig | None = None, **settings: Any) -> Dataset:
    """Drop the objects and write the scenes: the first stage of :func:`generate`, with the same arguments."""
    return await _run_stages(("settle",), config, settings)


async def render(config: GenerateConfig | None = None, **settings: Any) -> Dataset:
    """Render the views of all scenes: the last stage of :func:`generate`, with the same arguments."""
    return await _run_stages(("render",), config, settings)


async def _run_stages(stages: Sequence[str], config: GenerateConfig | None, settings: dict[str, Any]) -> Dataset:
    """Run some stages of a dataset, or all of them where none is named."""
    from omni_graspd.dataset.run import open_run
    from omni_graspd.dataset.stages.pipeline import STAGES

    with open_run(_config(config, settings)) as run:
        for stage in stages or STAGES:
            with _bar(stage) as progress:
                await STAGES[stage](run, progress)
        root = run.layout.root
    return open_dataset(root)


def _config(config: GenerateConfig | None, settings: dict[str, Any]) -> GenerateConfig:
    from omni_graspd.dataset.config import GenerateConfig

    if config is not None:
        if settings:
            raise GraspdError(
                f"expected either a config or single settings, got both ({', '.join(settings)}); drop one of the two"
            )
        return config
    known = {field.name for field in fields(GenerateConfig)}
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise GraspdError(f"GenerateConfig has no setting {unknown[0]!r}; it has: {', '.join(sorted(known))}")
    for name in ("hand", "object"):
        if isinstance(value := settings.get(name), str | Path):
            settings = {**settings, name: (str(value),)}
        elif value is not None:
            settings = {**settings, name: tuple(str(part) for part in value)}
    if "out" in settings:
        settings = {**settings, "out": Path(settings["out"])}
    # Worker processes begin by importing the script again, which few scripts are made for.
    return GenerateConfig(**{"workers": 1, **settings})


def _bar(stage: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Return a progress bar for a stage; nothing in Kit, which has no terminal."""
    if load_backend("auto").name == "kit":
        return contextlib.nullcontext(no_progress)
    from omni_graspd.cli.console import open_console, progress_bar
    from omni_graspd.dataset.stages.pipeline import STAGE_UNITS

    return progress_bar(open_console(), stage, STAGE_UNITS[stage])
