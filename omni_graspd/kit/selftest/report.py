# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a self-test, to be pasted into an issue."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import omni.kit.app
import warp as wp
from pxr import Usd

from omni_graspd.kit.selftest.answers import PERSON, Answer, unverified_calls
from omni_graspd.plain_text import one_line
from omni_graspd.version import __version__


@dataclass(frozen=True)
class StepResult:
    """How one step went."""

    name: str
    """Its name."""
    seconds: float
    """How long it took [s]."""
    answers: dict[str, Answer]
    """Its answers by call."""
    notes: tuple[str, ...] = ()
    """What else it saw."""
    problem: str = ""
    """The traceback, if it did not come to its end."""

    @property
    def is_good(self) -> bool:
        """Whether it came to its end, and all its answers are yes."""
        return not self.problem and all(answer.is_yes for answer in self.answers.values())


def report(results: Sequence[StepResult]) -> str:
    """Return the report as Markdown.

    Args:
        results: The steps, in order.
    """
    answers = {call: answer for result in results for call, answer in result.answers.items()}
    listed = unverified_calls()
    by_person = [each for each in listed if each.step == PERSON]
    yes = sum(answer.is_yes for answer in answers.values())
    no = len(answers) - yes
    left = len(listed) - len(answers) - len(by_person)
    lines = [
        "# Self-test of omni_graspd in Isaac Sim",
        "",
        _versions(),
        "",
        f"{len(listed)} calls that nobody had seen in Kit: {yes} yes, {no} no, {left} not reached, {len(by_person)} "
        "for you.",
        "",
        "| call | what we rely on | answer |",
        "|---|---|---|",
    ]
    for each in listed:
        if each.step != PERSON:
            lines.append(f"| `{each.call}` | {_cell(each.relied_on)} | {_answer(answers.get(each.call))} |")
    lines += ["", "For you to answer, by ticking what is so:", ""]
    lines += [f"- [ ] {each.relied_on} (`{each.call}`)" for each in by_person]
    lines += ["", "| step | seconds | |", "|---|---|---|"]
    lines += [
        f"| {each.name} | {each.seconds:.1f} | {'good' if each.is_good else '**not good**'} |" for each in results
    ]
    for each in results:
        lines += [f"\n{each.name}: {note}" for note in each.notes]
        lines += [f"\n{each.name}:\n\n```\n{each.problem.strip()}\n```"] if each.problem else []
    return "\n".join([*lines, ""])


def _versions() -> str:
    app = omni.kit.app.get_app()
    return (
        f"omni_graspd {__version__}, Isaac Sim {app.get_app_version()}, Kit {app.get_kit_version()}, Python "
        f"{platform.python_version()}, Warp {wp.config.version}, OpenUSD {'.'.join(map(str, Usd.GetVersion()))}, "
        f"{sys.platform}"
    )


def _answer(answer: Answer | None) -> str:
    if answer is None:
        return "not reached"
    word = "yes" if answer.is_yes else "**no**"
    return f"{word}: {_cell(answer.detail)}" if answer.detail else word


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")
