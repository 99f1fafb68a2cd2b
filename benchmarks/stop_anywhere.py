# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Stop commands by Ctrl-C and SIGTERM at random moments; exits with 1 if one does not end as it should.

    python benchmarks/stop_anywhere.py [--signals 200] [--seed 0] [--only generate_2 ...] [--out stops]

A command that is stopped has to end within 5 s with exit code 130 or 143 and one line, without a traceback, and leave
no process behind. It is started again until it gets through; what it has made by then has to equal, byte for byte, what
it makes in one go.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

_SECONDS = 5.0
_FIRST = 0.05
"""No signal comes before [s]."""
_START_SECONDS = 1.0
"""So long at most a signal waits for the program to handle it: until then Python itself starts, which nobody can hold
back [s]."""
_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
_QUICK = (
    *("--synthesis.iterations", "40", "--synthesis.point-count", "300", "--synthesis.tries", "2"),
    *("--metrics.point-count", "300", "--scenes", "4", "--views", "2", "--mono"),
    *("--camera.width", "64", "--camera.height", "48", "--render.samples-per-pixel", "1", "--render.no-denoise"),
)
_RAYS = "Failed to establish connection to the metrics exporter agent"
"""A line of Ray's that comes after half a minute wherever its metrics are not installed, and that no setting stops."""
# Programs that a shell starts in the background ignore Ctrl-C.
_START = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
_START += "from omni_graspd.cli.main import main; main()"


@dataclass(frozen=True)
class Command:
    """A command that is stopped."""

    arguments: tuple[str, ...]
    """Arguments; OUT stands for the dataset."""
    begins_with_a_dataset: bool = True
    """Whether the dataset is there before."""
    ends: bool = True
    """Whether it ends by itself."""


def commands() -> dict[str, Command]:
    """Return the commands by name."""
    made = ("generate", "--hand", "barrett", "--object", "mug", "--object", "soup_can", "--grasps", "24", *_QUICK)
    made += ("--no-overview", "--out", "OUT")
    return {
        "generate_1": Command((*made, "--workers", "1"), begins_with_a_dataset=False),
        "generate_2": Command((*made, "--workers", "2"), begins_with_a_dataset=False),
        "ray": Command((*made, "--workers", "2", "--executor", "ray"), begins_with_a_dataset=False),
        "evaluate": Command(("evaluate", "OUT", "--workers", "2")),
        "evaluate_ray": Command(("evaluate", "OUT", "--workers", "2", "--executor", "ray")),
        "render": Command(("render", "--out", "OUT", "--views", "6")),
        "inspect": Command(("inspect", "OUT", "--port", "8460"), ends=False),
    }


@dataclass
class Result:
    """What became of the signals to one command."""

    signals: int = 0
    rounds: int = 0
    slowest: float = 0.0
    faults: Counter = field(default_factory=Counter)


def main() -> int:
    """Stop all commands, print what became of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--signals", type=int, default=200, help="over all commands")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--only", nargs="*", default=[], help="names of commands")
    parser.add_argument("--out", type=Path, default=None, help="folder to work in; kept")
    options = parser.parse_args()
    unknown = sorted(set(options.only) - commands().keys())
    if unknown:
        parser.error(f"expected commands among {', '.join(commands())}, got {', '.join(unknown)}")
    chosen = {name: command for name, command in commands().items() if not options.only or name in options.only}
    with tempfile.TemporaryDirectory(prefix="stops_") as temporary:
        folder = (options.out or Path(temporary)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        results = [
            stop_often(name, command, folder, -(-options.signals // len(chosen)), options.seed)
            for name, command in chosen.items()
        ]
    print(f"in all: {sum(r.signals for r in results)} signals, {sum(r.faults.total() for r in results)} faults")
    return int(any(result.faults for result in results))


def stop_often(name: str, command: Command, folder: Path, count: int, seed: int) -> Result:
    """Stop a command a number of times, compare what it makes, and print the result.

    Args:
        name: What it is called.
        command: The command.
        folder: Where it works.
        count: How many signals.
        seed: Seed of the moments.
    """
    result, moments = Result(), random.Random(f"{seed} {name}")
    before, whole, out = folder / "before", folder / f"{name}_whole", folder / f"{name}_stopped"
    if command.begins_with_a_dataset and not before.is_dir():
        _run(commands()["generate_1"], before)
    _begin(command, before, whole)
    began = time.perf_counter()
    if command.ends:
        _run(command, whole)
    length = time.perf_counter() - began if command.ends else 6.0
    _begin(command, before, out)
    while result.signals < count:
        number = moments.choice((signal.SIGINT, signal.SIGTERM))
        is_through = _stop(command, out, number, moments.uniform(_FIRST, 0.8 * length), result)
        if is_through:
            _compare(whole, out, result)
            _begin(command, before, out)
    if command.ends:
        _run(command, out)
    _compare(whole, out, result)
    told = ", ".join(f"{times} {fault}" for fault, times in result.faults.most_common()) or "no faults"
    print(
        f"{name:<12} {result.signals:4d} signals, slowest end {result.slowest:.1f} s, "
        f"compared {result.rounds} times: {told}",
        flush=True,
    )
    return result


def _begin(command: Command, before: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    if command.begins_with_a_dataset:
        shutil.copytree(before, out)


def _line(command: Command, out: Path) -> list[str]:
    return [sys.executable, "-c", _START, *(str(out) if word == "OUT" else word for word in command.arguments)]


def _run(command: Command, out: Path) -> None:
    subprocess.run(_line(command, out), check=True, stdout=subprocess.DEVNULL)


def _stop(command: Command, out: Path, number: signal.Signals, moment: float, result: Result) -> bool:
    """Start a command and stop it at a moment [s]; return whether it got through before."""
    process = subprocess.Popen(
        _line(command, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        error = process.communicate(timeout=moment)[1]
        if process.returncode != 0:
            result.faults[f"ended by itself with {process.returncode}: {error[-200:]}"] += 1
        return True
    except subprocess.TimeoutExpired:
        _await_handlers(process.pid)
    began = time.perf_counter()
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    result.signals += 1
    try:
        error = process.communicate(timeout=60.0)[1]
    except subprocess.TimeoutExpired:
        error = "hang"
    taken = time.perf_counter() - began
    is_through = process.returncode == 0
    result.slowest = max(result.slowest, taken)
    for fault in _faults(process, number, taken, error):
        result.faults[fault] += 1
    _kill(process.pid)
    process.wait()
    return is_through


def _await_handlers(process: int) -> None:
    """Wait until a process handles SIGTERM; it takes over Ctrl-C at the same time."""
    deadline = time.monotonic() + _START_SECONDS
    while not _handles(process, signal.SIGTERM) and time.monotonic() < deadline:
        time.sleep(0.001)


def _handles(process: int, number: signal.Signals) -> bool:
    """Tell whether a process has a handler of its own for a signal (Linux)."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True  # It has ended.
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def _faults(process: subprocess.Popen, number: signal.Signals, taken: float, error: str) -> list[str]:
    """Return what is wrong with how a process ended; one that was through when the signal came is all right."""
    found = []
    if taken > _SECONDS:
        found.append(f"took {taken:.0f} s")
    if process.returncode not in (0, _CODES[number]):
        found.append(f"exit code {process.returncode} on {number.name}")
    lines = [line for line in error.splitlines() if _RAYS not in line]
    if "Traceback" in error:
        found.append(f"traceback: {lines[-1][:100]}")
    elif process.returncode != 0 and (len(lines) != 1 or not lines[0].startswith("stopped; ")):
        found.append(f"said {error[:200]!r}")
    deadline = time.monotonic() + 2.0
    while left := _group(process.pid):
        if time.monotonic() > deadline:
            found.append(f"left {', '.join(sorted(left.values()))}")
            break
        time.sleep(0.05)
    return found


def _group(leader: int) -> dict[int, str]:
    """Return the processes of a session that still run, and their names."""
    command = ["ps", "-o", "pid=,stat=,comm=", "-s", str(leader)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    return {int(process): name for process, state, name in rows if not state.startswith("Z")}


def _kill(leader: int) -> None:
    for process in _group(leader):
        os.kill(process, signal.SIGKILL)


def _compare(whole: Path, out: Path, result: Result) -> None:
    """Note files that differ from those of an unbroken run."""
    expected, made = _digests(whole), _digests(out)
    result.rounds += 1
    wrong = sorted(name for name in expected.keys() | made.keys() if expected.get(name) != made.get(name))
    if wrong:
        result.faults[f"{len(wrong)} files differ, such as {wrong[0]}"] += 1


def _digests(root: Path) -> dict[str, str]:
    """Return the hashes of all files but the one that says how long things took."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != "shards.jsonl")
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


if __name__ == "__main__":
    sys.exit(main())
