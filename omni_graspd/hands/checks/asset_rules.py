# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""NVIDIA's own rules on a hand: the general asset rules on its file, the gripper profile on its SimReady package."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from omni_graspd.errors import GraspdError
from omni_graspd.hands.checks.finding import Finding, Severity
from omni_graspd.hands.usd.simready_package import Provenance, write_simready_package

INSTALL = "pip install usd-validation-nvidia simready-validate simready-foundation-tier-core"
"""What installs both judges."""
_CATEGORIES = ("Basic", "Geometry", "Layer", "Layout", "Material", "Other", "Physics")
_SEVERITIES: dict[str, Severity] = {"Error": "error", "Failure": "error"}
# Text files are slower to load, and readable in git.
_HARMLESS = ("UsdAsciiPerformanceChecker",)
# Other simulators and material languages: a hand for Isaac Sim needs none of them.
_OTHER_SIMULATORS = ("NEWTON", "MUJOCO", "OPENPBR", "MDL")
_REMEDIES = {
    "NormalsValidChecker": "compute the normals again, or leave them out",
    "UsdGeomSubsetFamiliesChecker": "make material subsets again: together they have to name each face once",
}
"""For rules that suggest nothing themselves."""
_TIMEOUT = 300.0


def check_asset_rules(path: Path) -> Iterator[Finding]:
    """Find what NVIDIA's rules object to; the same rule on many prims is one finding.

    Args:
        path: USD file of the hand.
    """
    yield from check_general_rules(path)
    yield from _check_gripper_profile(path)


def program_path(name: str) -> Path | None:
    """Return where a program is: beside this Python, else on the search path."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    return Path(found) if found else None


def _not_installed(where: Path, name: str) -> Finding:
    return Finding("not-validated", "note", where.name, f"{name} is not installed, its rules were not checked", INSTALL)


def check_general_rules(path: Path) -> Iterator[Finding]:
    """Find what NVIDIA's general rules on assets object to.

    Args:
        path: USD file.
    """
    program = program_path("nvidia_usd_validate")
    if program is None:
        yield _not_installed(path, "usd-validation-nvidia")
        return
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.csv"
        command = [str(program), "--no-init-rules", "--csv-output", str(report)]
        for category in _CATEGORIES:
            command += ["--category", category]
        subprocess.run([*command, str(path)], capture_output=True, check=False, timeout=_TIMEOUT)
        if not report.is_file():
            yield _gave_no_report(path, program)
            return
        with report.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault((row["Rule"], row["Severity"]), []).append(row)
    for (rule, severity), group in groups.items():
        yield _from_rows(path, rule, "note" if rule in _HARMLESS else _SEVERITIES.get(severity, "note"), group)


def _from_rows(path: Path, rule: str, severity: Severity, rows: list[dict[str, str]]) -> Finding:
    first = rows[0]
    place = re.search(r"<(.+)>", first["Location"] or "")
    times = f" ({len(rows)} times)" if len(rows) > 1 else ""
    suggestion = (
        first["Suggestion"] if first["Suggestion"] not in ("", "None") else _REMEDIES.get(rule, "see the message")
    )
    if rule in _HARMLESS:
        suggestion = "nothing to do: text files are for git; convert with usdcat for speed"
    return Finding(
        rule, severity, place[1] if place else path.name, " ".join(first["Message"].split()) + times, suggestion
    )


def _gave_no_report(path: Path, program: Path) -> Finding:
    return Finding("not-validated", "note", path.name, f"{program.name} gave no report", f"run {program.name} by hand")


def _check_gripper_profile(path: Path) -> Iterator[Finding]:
    program = program_path("simready-validate")
    if program is None:
        yield _not_installed(path, "simready-validate")
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            package = _package(path, Path(folder))
        except GraspdError as error:
            yield Finding(
                "no-package", "error", path.name, str(error), "mend it: no package can be written for Isaac Sim"
            )
            return
        report = Path(folder) / "report.json"
        command = [str(program), "--profile", "Robot-Gripper", "--output", str(report), str(package)]
        subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT)
        if not report.is_file():
            yield _gave_no_report(path, program)
            return
        (found,) = json.loads(report.read_text(encoding="utf-8")).values()
    summaries = _requirement_summaries()
    for name, feature in found["features_summary"].items():
        if feature["passed"] or name.endswith(_OTHER_SIMULATORS):
            continue
        lists = [str(value) for key, value in feature.items() if "requirements" in key]
        for code in sorted(set(re.findall(r"com\.nvidia\.(?:simready|usd)\.([A-Z0-9.]+)", " ".join(lists)))):
            yield Finding(
                code,
                "error" if feature["blocking_failure"] else "warning",
                name,
                f"expected the requirement {code} of the profile Robot-Gripper {found['profile_version']} to be met",
                summaries.get(code, "see the requirement in NVIDIA's SimReady Foundation"),
            )


def _package(path: Path, folder: Path) -> Path:
    """Return the hand as a SimReady package; itself if it is one."""
    if path.parent.name == "simready":
        return path
    from PIL import Image

    thumbnail = folder / "thumbnail.png"
    Image.new("RGB", (256, 256), (128, 128, 128)).save(thumbnail)
    provenance = Provenance(author="for a check", license="proprietary", date="2026-01-01")
    return write_simready_package(path, folder / "package", provenance, thumbnail)


def _requirement_summaries() -> dict[str, str]:
    """Read what each requirement asks for, by code, from the texts that come with the profiles."""
    spec = find_spec("simready.foundation.tier_core") if find_spec("simready") else None
    if spec is None or not spec.submodule_search_locations:
        return {}
    summaries = {}
    for text in sorted(Path(spec.submodule_search_locations[0]).glob("capabilities/**/requirements/*.md")):
        content = text.read_text(encoding="utf-8")
        code = re.search(r"\|\s*Code\s*\|\s*([A-Z0-9.]+)\s*\|", content)
        summary = re.search(r"## Summary\s+(.+?)\s*(?:\n\n|\n#|$)", content, re.DOTALL)
        if code and summary:
            summaries[code[1]] = " ".join(summary[1].split())
    return summaries
