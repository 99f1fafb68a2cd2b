# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM where libraries take them or lose them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from omni_graspd.interrupts import held_interrupts


def test_what_another_thread_gets_is_held_too() -> None:
    """Blocked signals are blocked for a thread only, and libraries have threads of their own."""
    ended, before = threading.Event(), signal.signal(signal.SIGINT, signal.default_int_handler)
    other = threading.Thread(target=ended.wait)
    other.start()
    reached = False
    try:
        with pytest.raises(KeyboardInterrupt), held_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            reached = True
    finally:
        ended.set()
        other.join()
        signal.signal(signal.SIGINT, before)
    assert reached


@pytest.mark.slow
def test_pyarrow_brings_pandas_before_it_could_lose_a_ctrl_c() -> None:
    pytest.importorskip("pandas")
    code = "import sys; from omni_graspd.interrupts import held_imports\nwith held_imports(): import pyarrow\n"
    code += "print('pandas' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "True\n"


def test_a_library_that_swallows_ctrl_c_while_it_loads_does_not_keep_a_process_alive() -> None:
    code = """import os, signal, time
from omni_graspd.interrupts import ending_at_once
signal.signal(signal.SIGINT, signal.default_int_handler)
with ending_at_once(lambda number: (print("ended by", number, flush=True), os._exit(7))):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5.0)
    except BaseException:
        pass
print("went on")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, f"ended by {int(signal.SIGINT)}\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_still_loads_ends_with_one_line_and_its_log_says_so(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    start += "from omni_graspd.cli.main import main; main()"
    log = tmp_path / "run.log"
    command = [sys.executable, "-c", start, "generate", "--out", str(tmp_path / "out"), "--log", str(log)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (log.is_file() and "cores" in log.read_text()):
        time.sleep(0.001)
    time.sleep(0.2)
    process.send_signal(number)
    printed, error = process.communicate(timeout=60.0)
    assert (process.returncode, printed) == (code, "")
    assert error == "stopped; the same command resumes where it stopped\n"
    assert log.read_text().splitlines()[-1].endswith("stopped while modules were loaded")
    assert not (tmp_path / "out").exists()


def test_a_command_that_silences_the_start_of_warp_is_not_silent_about_its_end() -> None:
    code = """import os, signal
import warp
from omni_graspd.cli.main import main
init = warp.init
warp.init = lambda: (os.kill(os.getpid(), signal.SIGTERM), init())
main()
"""
    command = [sys.executable, "-c", code, "hands", "list"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (143, "")
    assert ended.stderr == "stopped; the same command resumes where it stopped\n"
