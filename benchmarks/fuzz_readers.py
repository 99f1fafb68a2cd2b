# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged files for every reader; exits with 1 on a traceback, a hang, a message of pages, or memory that runs out.

    python benchmarks/fuzz_readers.py [--count 20000] [--seed 0] [--only usda ...] [--seeds DIR] [--keep DIR]

Good files are written first, by the product where it writes them. Each damaged copy is read in a process that may have
2 GiB more than it had after the good ones, and 20 s of the processor. The same seed makes the same damage. ``--keep``
keeps what failed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from fuzz_cases import Case, Use, all_cases, copied
from fuzz_mutations import mutate
from fuzz_seeds import write_seeds

from omni_graspd.errors import GraspdError

OUTCOMES = ("ok", "refused", "traceback", "long", "hang", "memory", "died")
"""Read; one line; a Python traceback; a message of pages; over time; over memory; killed by a signal."""
_BAD = OUTCOMES[2:]
_SECONDS, _MEMORY, _LONGEST = 20.0, 2 * 2**30, 700
_PATIENCE = 6
"""Seconds of a clock that passes for each of the processor's: other programs run, too."""
_TURNS = 2000
"""A worker is replaced after so many files: what it has read before must not weigh on the next."""


def main() -> int:
    """Run the fuzzer, print the counts, and say whether all is well."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="damaged files over all readers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[], help="names of readers")
    parser.add_argument("--seeds", type=Path, default=None, help="folder of the good files; kept for the next run")
    parser.add_argument("--keep", type=Path, default=None, help="folder for damaged files that were not read well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz_") as work:
        seeds = (options.seeds or Path(work) / "seeds").absolute()
        write_seeds(seeds)
        cases = all_cases(seeds)
        unknown = [name for name in options.only if name not in cases]
        if unknown:
            parser.error(f"expected readers among {', '.join(cases)}, got {', '.join(unknown)}")
        chosen = {name: found for name, found in cases.items() if not options.only or name in options.only}
        counts: dict[str, Counter] = {}
        places: Counter = Counter()
        workers = _Workers(list(chosen), seeds, Path(work))
        for name, found in chosen.items():
            share = -(-options.count // len(chosen))
            counts[name], failed = _fuzzed(workers, found, share, options.seed, options.keep)
            places += failed
            _print_row(name, counts[name])
        workers.end()
    total = sum(counts.values(), Counter())
    _print_row("all", total)
    for place, count in places.most_common():
        print(f"{count:6d}  {place}")
    return int(any(total[outcome] for outcome in _BAD))


def _fuzzed(workers: _Workers, cases: list[Case], count: int, seed: int, keep: Path | None) -> tuple[Counter, Counter]:
    """Damage the files of one reader; return outcomes, and the places of those that are bad."""
    outcomes, places = Counter(), Counter()
    for number in range(count):
        case = cases[number % len(cases)]
        source = workers.seeds / case.folder
        random = np.random.default_rng([seed, zlib.crc32(case.name.encode()), number])
        content = mutate((source / case.file).read_bytes(), Path(case.file).suffix, random)
        # A folder of its own: OpenUSD and others remember what they have read by its path.
        target = workers.work / "try" / f"{case.name}_{number:06d}"
        copied(source, target, case.file, content)
        outcome, detail = workers.read(case.name, number % len(cases), target)
        outcomes[outcome] += 1
        if outcome in _BAD:
            places[f"{case.name}: {outcome}: {detail}"] += 1
            if keep is not None:
                kept = keep / case.name / f"{outcome}_{seed}_{number:06d}_{Path(case.file).name}"
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(content)
        shutil.rmtree(target)
    return outcomes, places


@dataclass
class _Workers:
    """A process that reads files one after another, and the next one when it hangs, dies, or has read many."""

    names: list[str]
    seeds: Path
    work: Path
    _process: BaseProcess | None = None
    _pipe: Connection | None = None
    _turns: int = 0

    def read(self, name: str, which: int, folder: Path) -> tuple[str, str]:
        """Return what became of a damaged file, and where."""
        if self._process is None or self._turns >= _TURNS:
            self.end()
            self._start()
        assert self._process is not None and self._pipe is not None
        self._turns += 1
        self._pipe.send((name, which, folder))
        if not self._pipe.poll(_PATIENCE * _SECONDS):
            self.end()
            return "hang", f"over {_PATIENCE * _SECONDS:g} s"
        try:
            return self._pipe.recv()
        except EOFError:
            self._process.join()
            detail = f"exit code {self._process.exitcode}"
            self.end()
            return "died", detail

    def end(self) -> None:
        """Kill the process."""
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
        self._process = self._pipe = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.names, self.seeds, self.work), daemon=True)
        self._process.start()
        theirs.close()
        self._turns = 0
        answer = self._pipe.recv()
        if answer != "ready":
            sys.exit(answer)


def _serve(connection: Connection, names: list[str], seeds: Path, work: Path) -> None:
    """Read folders that come through the pipe until it is closed."""
    os.environ["GRASPD_HOME"] = str(work / "home")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    known = {name: cases for name, cases in all_cases(seeds).items() if name in names}
    try:
        _read_good_files(known, seeds, work / "good")
    except RuntimeError as error:
        connection.send(str(error))
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    connection.send("ready")
    while True:
        try:
            name, which, folder = connection.recv()
        except EOFError:
            return
        case = known[name][which]
        found = [_outcome(use, folder, folder / case.file) for use in case.uses]
        connection.send(max(found, key=lambda outcome: OUTCOMES.index(outcome[0])))


def _read_good_files(known: dict[str, list[Case]], seeds: Path, copy: Path) -> None:
    """Load all modules, and see to it that the readers do read; some grasps are of hands that are not ours."""
    for case in (case for cases in known.values() for case in cases):
        shutil.rmtree(copy, ignore_errors=True)
        copied(seeds / case.folder, copy, case.file, (seeds / case.folder / case.file).read_bytes())
        for use in case.uses:
            outcome, detail = _outcome(use, copy, copy / case.file)
            if outcome not in ("ok", "refused"):
                raise RuntimeError(f"a good file of {case.name}: {outcome}, {detail}")


def _outcome(use: Use, folder: Path, file: Path) -> tuple[str, str]:
    begin = time.process_time()
    try:
        use(folder, file)
    except Exception as error:
        detail = f"{_place(error)} {type(error).__name__}: {' '.join(str(error).split())[:90]}"
        detail = detail.replace(str(folder), "…")
        if _is_memory(error):
            return "memory", detail
        if not isinstance(error, GraspdError):
            return "traceback", detail
        is_long = len(str(error)) - str(error).count(str(folder)) * len(str(folder)) > _LONGEST
        return ("long", detail) if is_long or len(str(error).splitlines()) > 1 else ("refused", "")
    return ("hang", f"{use.__name__}: over {_SECONDS:g} s") if time.process_time() - begin > _SECONDS else ("ok", "")


def _is_memory(error: BaseException | None) -> bool:
    """Tell whether memory ran out somewhere below, mended or not."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _place(error: BaseException) -> str:
    """Return the last line of ours in a traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "omni_graspd" in frame.filename]
    if not frames:
        return "?"
    path = frames[-1].filename.rpartition("omni_graspd/")[2]
    return f"{path}:{frames[-1].lineno}"


def _print_row(name: str, counts: Counter) -> None:
    shown = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
    print(f"{name:<22} {sum(counts.values()):6d}: {shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
