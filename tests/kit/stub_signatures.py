# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Signatures of Kit's functions, from the facts, for one version of Isaac Sim."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

_SHOWN_60 = "signature shown is v6.0.1;"


def signature(fact: dict[str, Any], version: str) -> inspect.Signature | None:
    """Return the signature without self; None where the version has no such symbol."""
    note = str(fact.get("isaacsim6") or "")
    if version == "6.0":
        if note.startswith("absent"):
            return None
        if note.startswith("changed: "):
            return _parsed(_first_parentheses(note))
    elif note.startswith(_SHOWN_60):
        before = note.removeprefix(_SHOWN_60)
        return None if "absent" in before else _parsed(_first_parentheses(before))
    return inspect.Signature([_parameter(item) for item in fact.get("signature") or []])


def _first_parentheses(text: str) -> str:
    depth, start = 0, text.index("(")
    for end in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[start : end + 1]
    raise ValueError(f"expected a signature in {text!r}")


def _parsed(text: str) -> inspect.Signature:
    function = ast.parse(f"def f{text}: pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    given, kinds = function.args, inspect.Parameter
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    found = [_made(a.arg, kinds.POSITIONAL_OR_KEYWORD, d) for a, d in zip(positional, defaults, strict=True)]
    if given.vararg:
        found.append(kinds(given.vararg.arg, kinds.VAR_POSITIONAL))
    found += [_made(a.arg, kinds.KEYWORD_ONLY, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    if given.kwarg:
        found.append(kinds(given.kwarg.arg, kinds.VAR_KEYWORD))
    return inspect.Signature(found)


def _made(name: str, kind: Any, default: ast.expr | None) -> inspect.Parameter:
    value = inspect.Parameter.empty if default is None else ast.unparse(default)
    return inspect.Parameter(name, kind, default=value)


def _parameter(item: dict[str, Any]) -> inspect.Parameter:
    kind = getattr(inspect.Parameter, item["kind"].upper())
    return inspect.Parameter(
        re.sub(r"\W", "_", item["name"]), kind, default=item.get("default", inspect.Parameter.empty)
    )
