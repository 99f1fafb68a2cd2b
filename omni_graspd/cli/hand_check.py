# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What ``graspd hands check`` prints: a doctor's report on hands."""

from __future__ import annotations

import asyncio
import io
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omni_graspd.atomic import atomic_path
from omni_graspd.backend import load_backend
from omni_graspd.errors import GraspdError
from omni_graspd.hands.checks.articulation_survey import SurveyedJoint
from omni_graspd.hands.checks.asset_rules import check_asset_rules
from omni_graspd.hands.checks.finding import SEVERITIES, Finding
from omni_graspd.hands.checks.hand_check import HandReport, check_hand
from omni_graspd.inspection.hand_pictures import draw_hands
from omni_graspd.library import resolve
from omni_graspd.rendering.frame import RenderConfig

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
_PICTURE_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def run_hand_check(name: str, picture: Path | None, validate: bool, console: Console) -> None:
    """Check hands and print what was found; the process ends with code 1 if there are errors.

    Args:
        name: Built-in or imported hand, USD file, or a glob over names or files.
        picture: Where a sheet of pictures goes (PNG or JPEG); none if None.
        validate: Whether NVIDIA's rules are checked, too.
        console: Where to print.

    Raises:
        GraspdError: If there is no such hand, a file is not USD, or the picture's name has another ending.
    """
    if picture is not None and picture.suffix.lower() not in _PICTURE_FORMATS:
        raise GraspdError(f"expected --picture to end in .png or .jpg, got {picture}; rename the picture")
    reports = []
    for path in resolve("hands", name):
        report = check_hand(path)
        if validate:
            report = replace(report, findings=_sorted([*report.findings, *check_asset_rules(path)]))
        _print_report(report, console)
        reports.append(report)
    if picture is not None:
        _save_picture(reports, picture)
        console.print(f"picture: {picture}", soft_wrap=True, markup=False)
    if any(report.error_count for report in reports):
        sys.exit(1)


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _print_report(report: HandReport, console: Console) -> None:
    console.print(f"{report.survey.source}", style="bold", soft_wrap=True, markup=False)
    console.print(_card(report))
    console.print(_joint_table(report))
    console.print(_link_table(report))
    for finding in report.findings:
        line = f"{finding.severity:<8}{finding.code} at {finding.where}: {finding.message}"
        console.print(line, style=_STYLES[finding.severity], soft_wrap=True, markup=False)
        console.print(f"        -> {finding.remedy}", soft_wrap=True, markup=False)
    counts = {severity: sum(f.severity == severity for f in report.findings) for severity in SEVERITIES}
    console.print(", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items()))


def _card(report: HandReport) -> Table:
    from pxr import UsdGeom
    from rich.table import Table

    survey, hand = report.survey, report.hand
    placed = [link.mesh.vertices @ link.T_world_link[:3, :3].T + link.T_world_link[:3, 3] for link in survey.links]
    points = np.concatenate([np.zeros((0, 3)), *placed])
    extents = " x ".join(f"{1e3 * v:.0f}" for v in np.ptp(points, axis=0)) if len(points) else "-"
    table = Table(box=None, show_header=False, pad_edge=False)
    up = UsdGeom.GetStageUpAxis(survey.stage)
    table.add_row("units", f"metersPerUnit {survey.metres_per_unit:g}, {up} up")
    table.add_row("size", f"{extents} mm as placed in the file")
    if hand is not None:
        driven = [hand.joint_names[k] for k in hand.actuated]
        table.add_row("palm", hand.links[0].name)
        table.add_row("approach", f"{_vector(hand.approach_direction)} from {_vector(1e3 * hand.approach_point)} mm")
        table.add_row("joints", f"{hand.joint_count}, {len(driven)} actuated; mass {_total_mass(report):.3f} kg")
    return table


def _total_mass(report: HandReport) -> float:
    return sum(link.mass for link in report.hand.links) if report.hand else math.nan


def _vector(values: np.ndarray) -> str:
    return "(" + ", ".join(f"{value + 0.0:.3g}" for value in values) + ")"


def _joint_table(report: HandReport) -> Table:
    """Return the joints in the order of joint arrays; in the file's order if the hand cannot be read."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("#", "joint", "type", "lower", "upper", "unit", "moved by", "axis"):
        table.add_column(name, justify="right" if name in ("#", "lower", "upper") else "left")
    movable = {joint.name: joint for joint in report.survey.joints if joint.is_movable}
    order = report.hand.joint_names if report.hand else tuple(movable)
    for index, name in enumerate(order):
        joint = movable.get(name)
        if joint is not None:
            factor, unit = (1.0, "deg") if joint.kind == "revolute" else (1e3, "mm")
            limits = [f"{factor * limit:.1f}" for limit in (joint.lower, joint.upper)]
            table.add_row(str(index), name, joint.kind, *limits, unit, _mover(joint), joint.axis)
    return table


def _mover(joint: SurveyedJoint) -> str:
    if joint.mimic is not None:
        turns = joint.kind == "revolute"
        offset = math.degrees(joint.mimic.offset) if turns else 1e3 * joint.mimic.offset
        constant = f" {offset:+.4g} {'deg' if turns else 'mm'}" if abs(offset) > 1e-6 else ""
        return f"{joint.mimic.multiplier:+.4g} x {joint.mimic.leader.name}{constant}"
    return "drive" if joint.is_driven else "nothing"


def _link_table(report: HandReport) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("link", "parent", "mass g", "surface", "volume cm3", "triangles", "points", "colliders"):
        table.add_column(name, justify="left" if name in ("link", "parent", "surface") else "right")
    for link in report.survey.links:
        parent = report.survey.parents.get(link.path)
        quality = report.qualities.get(link.path)
        table.add_row(
            link.name,
            parent[0].rpartition("/")[2] if parent else "-",
            "-" if link.mass is None else f"{1e3 * link.mass:.1f}",
            "none" if quality is None else "closed" if quality.is_closed else "open",
            "-" if quality is None else f"{1e6 * quality.volume:.1f}",
            str(len(link.mesh.faces)),
            str(report.point_counts.get(link.path, "-")),
            str(len(link.colliders)),
        )
    return table


def _save_picture(reports: Sequence[HandReport], path: Path) -> None:
    from PIL import Image

    # Drawn at twice the size and halved: few samples suffice.
    config = RenderConfig(samples_per_pixel=4, max_depth=3)
    sheet = asyncio.run(draw_hands(load_backend("auto"), reports, config))
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, format=_PICTURE_FORMATS[path.suffix.lower()], quality=88, optimize=True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
