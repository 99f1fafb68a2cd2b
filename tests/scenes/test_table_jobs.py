# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' processes: one failure stops no other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
from table_jobs import run_jobs


@pytest.mark.slow
def test_jobs_outlive_errors_and_deaths_of_others():
    jobs = [("6 * 7",), ("1 / 0",), ("__import__('os')._exit(3)",), ("'a' * 3",)]
    outcomes = {job[0]: (result, error) for job, result, error in run_jobs(eval, jobs, 2)}
    assert outcomes == {
        "6 * 7": (42, ""),
        "1 / 0": (None, "ZeroDivisionError: division by zero"),
        "__import__('os')._exit(3)": (None, "its process died"),
        "'a' * 3": ("aaa", ""),
    }


def test_no_jobs_are_no_error():
    assert list(run_jobs(eval, [], 2)) == []
