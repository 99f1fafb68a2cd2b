# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd``: the only file that parses arguments and prints."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from omni_graspd.cli.console import duration, open_console, progress_bar
from omni_graspd.cli.convert import parse_convert
from omni_graspd.cli.evaluate import parse_evaluate, parse_report
from omni_graspd.cli.hands import parse_hands
from omni_graspd.cli.inspect import parse_inspect
from omni_graspd.cli.kit import parse_kit
from omni_graspd.cli.objects import parse_objects
from omni_graspd.cli.render import is_scene_render, parse_scene_render
from omni_graspd.cli.short_forms import long_form
from omni_graspd.cli.verify import parse_verify
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.manifest import is_around_table
from omni_graspd.dataset.remote_folder import local_dataset
from omni_graspd.dataset.run import Run, open_run
from omni_graspd.dataset.stages.pipeline import STAGES
from omni_graspd.dataset.stages.settle_stage import missing_scene_count
from omni_graspd.errors import GraspdError
from omni_graspd.inspection.dataset_card import describe_dataset, write_readme
from omni_graspd.inspection.overview import write_overview
from omni_graspd.inspection.summary import DatasetSummary, GraspSummary, summarize_dataset
from omni_graspd.quiet_warp import start_warp
from omni_graspd.synthesis.presets import synthesis_preset
from omni_graspd.version import __version__

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PARSERS: dict[str, Callable[[Sequence[str]], Callable[..., None]]] = {
    "evaluate": parse_evaluate,
    "inspect": parse_inspect,
    "report": parse_report,
    "verify": parse_verify,
    "convert": parse_convert,
    "hands": parse_hands,
    "objects": parse_objects,
    "kit": parse_kit,
}
"""Commands with a file of their own: each returns the work that its arguments ask for."""
_STAGES = STAGES | {"overview": write_overview}
_SYNTHESIZE = ("settle", "synthesize", "place")
_UNITS = {"settle": "scenes", "synthesize": "grasps", "place": "scenes", "render": "images", "overview": "pictures"}


def generate(config: GenerateConfig) -> Callable[[], None]:
    """Make a whole dataset: settle, synthesize, render, and overview.png.

    Killed or stopped, the same command goes on where it was. Short forms: --views N is --camera.views N, --stereo and
    --mono are --camera.stereo and --camera.no-stereo; --unit, --mass and --density are those under --intake. --preset
    fast makes grasps in a quarter of the time, --preset paper as the paper prints it; either sets the defaults of the
    options under --synthesis.
    """
    return partial(_run_stages, config, tuple(_STAGES))


def synthesize(config: GenerateConfig) -> Callable[[], None]:
    """Find grasps of the objects as they lie in their scenes, and place them there; takes the options of generate.

    Grasps depend on how the objects lie, so scenes that are not there yet are settled first.
    """
    return partial(_run_stages, config, _SYNTHESIZE)


def settle(config: GenerateConfig) -> Callable[[], None]:
    """Drop objects on a table and write the scenes, the first stage of generate; takes the same options."""
    return partial(_run_stages, config, ("settle",))


def render(config: GenerateConfig) -> Callable[[], None]:
    """Render the views of all scenes, the last stage; give the same options as before.

    With --scene FILE it renders any USD scene instead: graspd render --scene FILE --help.
    """
    return partial(_run_stages, config, ("render", "overview"))


def info(path: Path, readme: bool = False) -> Callable[[], None]:
    """Show what a dataset is: its card, settings, hands, objects, counts and quality.

    Args:
        path: Dataset folder, or s3://bucket/name.
        readme: Write the card into the dataset as README.md, with the header that dataset hubs read.
    """
    return partial(_show, path, readme)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exit code 2 on what the user can mend, 130 on Ctrl-C."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if "--version" in arguments:
        print(f"graspd {__version__}")
        return
    try:
        _parse(arguments)()
    except GraspdError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        again = "begins again" if is_scene_render(arguments) else "goes on from here"
        print(f"stopped; the same command {again}", file=sys.stderr)
        sys.exit(130)


def _parse(arguments: Sequence[str]) -> Callable[[], None]:
    """Return the work that the arguments ask for; it is done later, so that its errors are not taken for tyro's."""
    if arguments and arguments[0] in _PARSERS:
        action = _PARSERS[arguments[0]](arguments[1:])
        return lambda: _run_action(action)
    if is_scene_render(arguments):
        draw = parse_scene_render(arguments[1:])
        return lambda: draw(open_console())
    import tyro

    commands = {"generate": generate, "synthesize": synthesize, "settle": settle, "render": render}
    arguments, preset = long_form(arguments)
    for command in commands.values():
        command.__defaults__ = (GenerateConfig(synthesis=synthesis_preset(preset), workers=0),)
        command.__annotations__["config"] = Annotated[GenerateConfig, tyro.conf.arg(name="")]
    info.__annotations__["path"] = tyro.conf.Positional[Path]
    return tyro.extras.subcommand_cli_from_dict(
        {**commands, "info": info},
        prog="graspd",
        description="Dexterous grasps, scenes and annotated images. --version prints the version. Further commands, "
        f"each with --help: {', '.join(_PARSERS)}.",
        args=arguments,
        config=(tyro.conf.UseAppendAction,),
    )


def _run_stages(config: GenerateConfig, stages: Sequence[str]) -> None:
    console = open_console()
    times = {}
    start_warp()
    with open_run(config) as run:
        console.print(_headline(run), soft_wrap=True, markup=False)
        for obj in run.objects:
            for note in obj.notes:
                console.print(f"{obj.name}: {note}", style="dim", soft_wrap=True, markup=False)
        if tuple(stages) == _SYNTHESIZE and (missing := missing_scene_count(run)):
            scenes = "1 scene is" if missing == 1 else f"{missing} scenes are"
            console.print(f"{scenes} missing: objects come to rest first", style="dim", soft_wrap=True)
        for stage in stages:
            begin = time.perf_counter()
            with progress_bar(console, stage, _UNITS[stage]) as progress:
                asyncio.run(_STAGES[stage](run, progress))
            times[stage] = time.perf_counter() - begin
        summary = summarize_dataset(run.layout.root)
    console.print(_grasp_table(summary))
    console.print(" · ".join(f"{stage} {duration(seconds)}" for stage, seconds in times.items()), soft_wrap=True)
    if run.layout.overview.is_file():
        console.print(f"overview: {run.layout.overview}", soft_wrap=True)


def _show(path: Path, readme: bool) -> None:
    console = open_console()
    summary = summarize_dataset(local_dataset(path))
    console.print(_card(path, summary))
    console.print(_grasp_table(summary))
    if readme:
        console.print(f"README: {write_readme(local_dataset(path))}", soft_wrap=True, markup=False)


def _run_action(action: Callable[[Console], None]) -> None:
    start_warp()
    action(open_console())


def _headline(run: Run) -> str:
    hands = ", ".join(hand.name for hand in run.hands)
    objects = ", ".join(obj.name for obj in run.objects)
    renderer, reason = run.renderer
    return (
        f"hand {hands} · object {objects} · backend {run.backend.name} · device {run.device} · "
        f"renderer {renderer} ({reason}) · out {run.remote.shown_address if run.remote else run.layout.root}"
    )


def _grasp_table(summary: DatasetSummary) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for row in summary.grasps:
        cells = _grasp_cells(row, summary)
        if not table.columns:
            for name in cells:
                table.add_column(name, justify="left" if name in ("hand", "object") else "right")
        table.add_row(*cells.values())
    return table


def _grasp_cells(row: GraspSummary, summary: DatasetSummary) -> dict[str, str]:
    """Return what the table says of an object and a hand, by column; on a table: what can be carried out there."""
    on_table = is_around_table(summary.manifest.config)
    cells = {"hand": row.hand, "object": row.object}
    cells |= {"rest poses": str(row.rest_pose_count or 0)} if on_table else {}
    cells |= {"grasps": str(row.grasp_count), "ok": str(row.ok_count)}
    cells |= {"usable": str(row.usable_count or 0)} if on_table else {}
    cells |= {
        "force closure": _number(100.0 * row.force_closure, ".0f", " %"),
        "epsilon": _number(row.epsilon, ".3f"),
        "contact cm²": _number(1e4 * row.contact_area, ".1f"),
        "deepest mm": _number(1e3 * row.penetration_depth, ".1f"),
        "scenes": str(summary.scene_counts[row.object]),
        "scene grasps": str(row.scene_grasp_count),
    }
    cells |= {"usable there": str(row.usable_scene_count or 0)} if on_table else {"colliding": str(row.colliding_count)}
    return cells | {"images": str(summary.image_counts[row.object])}


def _card(path: Path, summary: DatasetSummary) -> Table:
    from rich.table import Table

    manifest = summary.manifest
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in manifest.counts.items())
    config = manifest.config
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("dataset", str(path))
    table.add_row("schema", str(manifest.schema_version))
    table.add_row("contents", counts or "nothing yet")
    card = describe_dataset(summary)
    table.add_row("inputs", ", ".join(card.inputs) or "none")
    table.add_row("method", card.method)
    table.add_row("unique grasps", f"{card.unique_grasps:,} by {', '.join(card.hands)}")
    table.add_row("examples", f"{card.examples:,}")
    table.add_row("made on", f"{config['backend']}, {config['device']}, seed {config['seed']}")
    table.add_row("packages", ", ".join(f"{name} {version}" for name, version in manifest.packages.items()))
    for kind, assets in (("hand", manifest.hands), ("object", manifest.objects)):
        for name, asset in assets.items():
            table.add_row(
                kind, f"{name} (from {asset.source}, licence {asset.license or 'not stated'}, {asset.hash[:19]})"
            )
    return table


def _number(value: float, form: str, unit: str = "") -> str:
    return "-" if value != value else f"{value:{form}}{unit}"
