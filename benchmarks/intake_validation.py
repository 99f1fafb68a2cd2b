# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Objects through intake into SimReady packages, judged by OpenUSD's, NVIDIA's general and SimReady's validators.

Usage: ``python benchmarks/intake_validation.py [FILE ...]``; without files the built-in objects and the scans in
``$GRASPD_SHARED/objects`` (default: ``shared`` beside the checkout). Ends with code 1 if anything is refused or found,
or a volume differs from trimesh's by 1 %.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import trimesh
from pxr import Usd, UsdValidation

from omni_graspd.backend import load_backend
from omni_graspd.inspection.object_pictures import write_thumbnail
from omni_graspd.library import list_names, resolve
from omni_graspd.objects.intake import check_object
from omni_graspd.objects.simready_object import write_simready_object
from omni_graspd.usd.simready_package import Provenance

_PROVENANCE = Provenance(author="intake_validation", license="unknown", date="2026-01-01")
# The general categories; others judge robots and ask for what props need not have.
_CATEGORIES = ("Basic", "Geometry", "Layer", "Layout", "Material", "Other", "Physics")
_BIN = Path(sys.executable).parent


def all_files() -> list[Path]:
    """Return the built-in objects and the scans."""
    shared = Path(os.environ.get("GRASPD_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "objects"
    built_in = [resolve("objects", name)[0] for name in list_names("objects")]
    return [*built_in, *sorted(shared.glob("*/*.ply")), *sorted(shared.glob("*/*/textured.obj"))]


def usd_findings(path: Path) -> list[str]:
    """Return failures and errors of OpenUSD's and NVIDIA's general validators."""
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    found = UsdValidation.ValidationContext(validators).Validate(Usd.Stage.Open(str(path)))
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.csv"
        command = [str(_BIN / "nvidia_usd_validate"), "--no-init-rules"]
        for category in _CATEGORIES:
            command += ["--category", category]
        subprocess.run([*command, "--csv-output", str(report), str(path)], capture_output=True, check=False)
        with report.open(newline="") as lines:
            rows = [" ".join(row) for row in csv.reader(lines)]
    return [error.GetErrorAsString() for error in found] + [row for row in rows if "Failure" in row or "Error" in row]


def failed_features(path: Path) -> list[str]:
    """Return the features of NVIDIA's profile for props that are required and fail."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [str(_BIN / "simready-validate"), "--profile", "Robotics-Prop", "--output", str(report), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 and "[PASSED]" in done.stdout else [done.stdout]


def volume_error(path: Path, volume: float) -> float:
    """Compare a volume with that of trimesh, its vertices merged by position; 0 for USD, which trimesh cannot read."""
    if path.suffix.lower().startswith(".usd"):
        return 0.0
    loaded = trimesh.load(path, force="mesh", process=False)
    solid = trimesh.Trimesh(loaded.vertices, loaded.faces, process=False)
    solid.merge_vertices()
    return volume / solid.volume - 1.0


def main() -> None:
    """Take in each file, write its package, and print one line."""
    backend, bad = load_backend("auto"), 0
    for path in [Path(argument) for argument in sys.argv[1:]] or all_files():
        begin = time.perf_counter()
        report = check_object(path)
        read = time.perf_counter() - begin
        if report.rigid is None:
            print(f"{path}: {report.line}", flush=True)
            bad += 1
            continue
        with tempfile.TemporaryDirectory() as scratch:
            thumbnail = Path(scratch) / "thumbnail.png"
            write_thumbnail(backend, report.rigid, thumbnail)
            package = write_simready_object(report.rigid, Path(scratch), _PROVENANCE, thumbnail)
            findings = usd_findings(package) + failed_features(package)
        error = volume_error(path, report.volume)
        bad += bool(findings) or abs(error) > 0.01
        print(
            json.dumps(
                {
                    "name": report.rigid.name,
                    "verdict": report.line,
                    "volume_error": round(error, 6),
                    "findings": findings,
                    "read_s": round(read, 2),
                    "total_s": round(time.perf_counter() - begin, 1),
                }
            ),
            flush=True,
        )
    print(f"{bad} bad")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
