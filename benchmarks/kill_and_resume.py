# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Kill a run again and again and compare what it ends with to an unbroken one.

    python benchmarks/kill_and_resume.py --kills 20 --out kills

makes 2,000 grasps, 40 scenes and 80 stereo views twice: in one go, and killed with SIGKILL after random times, resumed
each time. It fails if a file differs, or if a kill leaves a partial file under a final name.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

_OBJECTS = ("mug", "soup_can", "banana", "card_box")


def main() -> int:
    """Run both, compare, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--grasps", type=int, default=500, help="per object, of which there are four")
    parser.add_argument("--scenes", type=int, default=10, help="per object")
    parser.add_argument("--out", type=Path, default=Path("kills"))
    options = parser.parse_args()
    begin = time.perf_counter()
    subprocess.run(_command(options, options.out / "unbroken"), check=True, stdout=subprocess.DEVNULL)
    whole = time.perf_counter() - begin
    expected = _digests(options.out / "unbroken")
    print(f"unbroken: {whole:.0f} s, {len(expected)} files", flush=True)
    moments = random.Random(options.seed)
    wrong: list[str] = []
    out, kills, began, killed_in = options.out / "killed", 0, time.perf_counter(), []
    while True:
        process = subprocess.Popen(_command(options, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if kills == options.kills:
            process.wait()
            break
        # Each time the run gets on by about a twentieth of its way, and is killed some moment after that.
        goal = _progress(out) + moments.uniform(0.1, 1.1) * _progress(options.out / "unbroken") / options.kills
        while process.poll() is None and _progress(out) < goal:
            time.sleep(0.02)
        time.sleep(moments.uniform(0.0, 1.0))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        there = _digests(out)
        killed_in.append(_stage(there))
        wrong += [name for name, digest in there.items() if _is_final(name) and expected.get(name) != digest]
        print(f"kill {kills}: in {killed_in[-1]}, {len(there)} files", flush=True)
    made = _digests(out)
    wrong += sorted(name for name in expected.keys() | made.keys() if expected.get(name) != made.get(name))
    result = {
        "kills": kills,
        "in": {stage: killed_in.count(stage) for stage in dict.fromkeys(killed_in)},
        "seconds_unbroken": round(whole),
        "seconds_killed": round(time.perf_counter() - began),
        "files": len(expected),
        "wrong": wrong[:10],
    }
    print(json.dumps(result, indent=1))
    return int(bool(wrong) or kills < options.kills)


def _command(options: argparse.Namespace, out: Path) -> list[str]:
    command = [sys.executable, "-m", "omni_graspd", "generate", "--grasps", str(options.grasps), "--views", "2"]
    command += ["--scenes", str(options.scenes), "--stereo", "--camera.width", "160", "--camera.height", "120"]
    command += ["--render.samples-per-pixel", "4", "--render.index", "--out", str(out)]
    for name in _OBJECTS:
        command += ["--object", name]
    return command


def _progress(out: Path) -> float:
    """Return how far a run is, in grasps, scenes and views, so that kills fall into all stages."""
    parts = sum(64 for _ in out.glob("grasps/*/*.parts/[!.]*.parquet"))
    grasps = sum(500 for _ in out.glob("grasps/*/[!.]*.parquet")) + parts
    scenes, views = (sum(1 for _ in out.glob(pattern)) for pattern in ("scenes/*/[!.]*.parquet", "renders/*/*/view_*"))
    return grasps / 2000.0 + scenes / 40.0 + views / 80.0


def _digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != "shards.jsonl")
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _is_final(name: str) -> bool:
    """Tell whether a file never changes once it is there: the manifest and the lists do, parts go."""
    passing = ("dataset.json", "checksums.parquet", "overview.png", "index")
    return "/.partial-" not in f"/{name}" and ".parts/" not in name and not name.startswith(passing)


def _stage(there: dict[str, str]) -> str:
    if any(name.startswith("renders/") for name in there):
        return "render"
    return "settle" if any(name.startswith("scenes/") for name in there) else "synthesize"


if __name__ == "__main__":
    sys.exit(main())
