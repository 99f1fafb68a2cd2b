# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The list of what only Kit can answer, and the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

PERSON = "person"
"""In place of a step: what a person answers who looks at the screen."""
_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Unverified:
    """A call of Kit of which neither published source nor omni.ui outside Kit shows what we rely on."""

    call: str
    """Module and symbol."""
    relied_on: str
    """What we rely on, as a statement that is true or not."""
    step: str
    """Step of the self-test that answers, or :data:`PERSON`."""


def unverified_calls() -> tuple[Unverified, ...]:
    """Return the calls, in the order of the list."""
    text = (_FOLDER / "unverified.json").read_text(encoding="utf-8")
    return tuple(Unverified(**item) for item in json.loads(text))


def used_symbols() -> tuple[str, ...]:
    """Return all symbols of Kit that this library uses, but for those of omni.ui, which were run outside Kit."""
    return tuple(json.loads((_FOLDER / "used.json").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Answer:
    """Whether a call does what we rely on."""

    is_yes: bool
    """Whether it does."""
    detail: str = ""
    """What was seen."""


class Answers:
    """What one step found out."""

    def __init__(self, step: str) -> None:
        """Begin with no answer.

        Args:
            step: Name of the step.
        """
        self.calls = tuple(each.call for each in unverified_calls() if each.step == step)
        self.found: dict[str, Answer] = {}
        self.notes: list[str] = []

    def put(self, call: str, is_yes: bool, detail: str = "") -> None:
        """Answer a call of this step.

        Args:
            call: One of the step's calls.
            is_yes: Whether it does what we rely on.
            detail: What was seen.

        Raises:
            KeyError: If the list does not give this call to this step.
        """
        if call not in self.calls:
            raise KeyError(call)
        self.found[call] = Answer(is_yes, detail)

    def finish(self, problem: str = "") -> dict[str, Answer]:
        """Return an answer for each call of the step: what it did not answer is yes if the step came to its end.

        Args:
            problem: Why it did not, if so.
        """
        rest = Answer(not problem, problem)
        return {call: self.found.get(call, rest) for call in self.calls}
