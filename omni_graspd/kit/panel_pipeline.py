# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of a dataset in a thread with an event loop of its own; what needs Kit is done on Kit's loop.

So nothing that a stage computes between two awaits holds up the user interface.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace

from pxr import Usd

from omni_graspd.backend import Backend
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.run import Run, open_run
from omni_graspd.dataset.stages.pipeline import STAGES
from omni_graspd.errors import GraspdError
from omni_graspd.kit.side_loop import on_side_loop
from omni_graspd.rendering.frame import CameraRig, Frame, RenderConfig
from omni_graspd.scenes.simulation import SimulateConfig, SimulateResult
from omni_graspd.synthesis.synthesizer import synthesize

_CAPTURE_EVERY = 5
StageProgress = Callable[[str, int, int], None]
"""Called on Kit's loop with the name of the stage, items done and in total."""

_NEEDED = ("platformdirs", "pyarrow")
"""Packages without which the panel makes nothing: the user's folders, Parquet tables."""

MUJOCO = '"mujoco>=3.3,<4" glfw typing-extensions'
"""What pip is told to install for arms: MuJoCo, and what it imports besides numpy."""

LossCurve = Callable[[list[float]], None]
"""Called on Kit's loop with the losses of the first grasp."""


def require_packages() -> None:
    """Check what Kit's Python does not bring.

    Raises:
        GraspdError: If it is missing; the message says how to install it.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise GraspdError(
            f"Isaac Sim's Python needs the packages {' and '.join(_NEEDED)} and has no {' and no '.join(missing)}; run "
            f"`./python.sh -m pip install --no-deps {' '.join(missing)}` in Isaac Sim's folder and start it again"
        )


def require_mujoco() -> None:
    """Check that MuJoCo, which finds what arms touch, is there.

    Raises:
        GraspdError: If it is missing; the message says how to install it.
    """
    if importlib.util.find_spec("mujoco") is None:
        raise GraspdError(
            "arms need the package mujoco, which Isaac Sim's Python has not; run `./python.sh -m pip install --no-deps "
            f"{MUJOCO}` in Isaac Sim's folder and start it again"
        )


async def make_dataset(
    config: GenerateConfig, stages: Sequence[str], progress: StageProgress, losses: LossCurve
) -> None:
    """Run stages; to stop, cancel: the thread ends at its next step, and the same settings go on from there.

    Args:
        config: What to make.
        stages: Names of stages, in order.
        progress: Told how far it is.
        losses: Given the losses of a first grasp, made ahead of the others.

    Raises:
        GraspdError: If the settings, a hand, an object or the folder cannot be used.
    """
    require_packages()
    loop = asyncio.get_running_loop()
    await on_side_loop(lambda: _stages(config, stages, loop, progress, losses))


async def _stages(
    config: GenerateConfig,
    stages: Sequence[str],
    main: asyncio.AbstractEventLoop,
    progress: StageProgress,
    losses: LossCurve,
) -> None:
    with open_run(config) as run:
        bridged = replace(run, backend=bridged_backend(run.backend, main))
        for name in stages:
            if name == "synthesize":
                main.call_soon_threadsafe(losses, await _first_losses(bridged))
            await STAGES[name](
                bridged, lambda done, total, name=name: main.call_soon_threadsafe(progress, name, done, total)
            )


async def _first_losses(run: Run) -> list[float]:
    obj = run.objects[0]
    around = run.with_rest_poses().rest_poses[obj.name].surroundings[0]
    options = {"seed": run.config.seed, "device": run.device, "capture_every": _CAPTURE_EVERY, "threads": 1}
    batch = await synthesize(run.hands[0], obj, [0], run.config.synthesis, surroundings=around, **options)
    return [] if batch.trajectory is None else batch.trajectory.losses["stable"][:, 0].astype(float).tolist()


def bridged_backend(backend: Backend, main: asyncio.AbstractEventLoop) -> Backend:
    """Return a backend for another thread that simulates and renders on the main loop, where Kit lives.

    Args:
        backend: What simulates and renders; the standalone one needs no bridge and stays as it is.
        main: The main thread's loop.
    """
    if backend.name == "standalone":
        return backend

    async def simulate(stage: Usd.Stage, config: SimulateConfig) -> SimulateResult:
        async def work() -> SimulateResult:
            return await backend.simulate(stage, config)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), main))

    async def render(stage: Usd.Stage, rigs: list[CameraRig], config: RenderConfig) -> AsyncIterator[Frame]:
        frames = backend.render(stage, rigs, config)

        async def following() -> Frame | None:
            return await anext(frames, None)

        async def leave() -> None:
            if isinstance(frames, AsyncGenerator):
                await frames.aclose()

        try:
            while (frame := await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(following(), main))) is not None:
                yield frame
        finally:  # a consumer that stops between two frames: the user's stage comes back at once
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(leave(), main))

    return replace(backend, simulate=simulate, render=render)
