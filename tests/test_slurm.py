# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe for Slurm, with stand-ins for Slurm's and Ray's commands that write down how they are called."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "slurm.sh"
_STAND_INS = {
    "scontrol": 'printf "node7\\nnode8\\nnode9\\n"',
    # As the real one, it runs what stands behind its options.
    "srun": 'note srun "$@"; while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"',
    "ray": 'if [ "$1" = status ]; then grep -q -- --head "$NOTES"; exit; fi; note ray "$@"; exec sleep 60',
    "graspd": 'note graspd "$@" at "$RAY_ADDRESS"; trap "note terminated; exit 143" TERM\n'
    'sleep "$WORK" & wait $!; exit 5',
}


def _start(folder: Path, nodes: int, work: str) -> subprocess.Popen[str]:
    tools = folder / "tools"
    tools.mkdir()
    for name, text in _STAND_INS.items():
        (tools / name).write_text(f'#!/bin/bash\nnote() {{ echo "$*" >> "$NOTES"; }}\n{text}\n')
        (tools / name).chmod(0o755)
    job = {"SLURM_JOB_ID": "40017", "SLURM_JOB_NODELIST": "node[7-9]", "SLURM_JOB_NUM_NODES": str(nodes)}
    job |= {"SLURM_CPUS_PER_TASK": "8", "NOTES": str(folder / "notes"), "WORK": work, "GRASPD_SLURM_WAIT": "0.05"}
    environment = {**os.environ, **job, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    call = ["bash", str(_SCRIPT), "generate", "--object", "a mug.obj", "--out", "set"]
    return subprocess.Popen(call, cwd=folder, env=environment, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [1, 3])
def test_a_cluster_is_started_on_all_nodes_and_ends_with_the_work(tmp_path: Path, nodes: int) -> None:
    with _start(tmp_path, nodes, "0.5") as process:
        assert process.wait(20) == 5  # what graspd ends with
    notes = (tmp_path / "notes").read_text().splitlines()
    assert "ray start --head --port=20017 --num-cpus=8 --block" in notes
    assert notes[0].startswith("srun --overlap --nodes=1 --ntasks=1 --nodelist=node7 ray start --head")
    work = "graspd generate --object a mug.obj --out set --executor ray --log graspd_40017.log at node7:20017"
    assert notes.count(work) == 1
    others = "srun --overlap --nodes=2 --ntasks=2 --exclude=node7 ray start --address=node7:20017 --num-cpus=8 --block"
    assert notes.count(others) == (nodes > 1)


def test_the_end_of_the_time_reaches_the_work(tmp_path: Path) -> None:
    with _start(tmp_path, 1, "60") as process:
        end = time.monotonic() + 20
        while not (tmp_path / "notes").is_file() or "graspd generate" not in (tmp_path / "notes").read_text():
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
    assert (tmp_path / "notes").read_text().splitlines()[-1] == "terminated"
