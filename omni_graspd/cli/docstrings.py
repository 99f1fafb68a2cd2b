# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What docstrings say of fields and arguments: the help texts of their options."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from typing import Any

_ARGUMENT = re.compile(r"^    (\w+): ", re.MULTILINE)


@cache
def field_docs(kind: type) -> dict[str, str]:
    """Return the docstrings below the fields of a class, one line each, by field; those of its bases come first.

    Args:
        kind: A class that is written in a file.
    """
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        docs |= _own_docs(base) if is_dataclass(base) or base is kind else {}
    return docs


def _own_docs(kind: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    definition = tree.body[0]
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = _text(below)
            if text is not None:
                docs[field.target.id] = one_line(text)
    return docs


def argument_docs(function: Callable[..., Any]) -> dict[str, str]:
    """Return what the section ``Args`` of a function's docstring says, one line each, by argument."""
    _, _, section = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    _, *parts = _ARGUMENT.split(section)
    return {name: one_line(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def description(function: Callable[..., Any]) -> list[str]:
    """Return the paragraphs of a function's docstring before ``Args``, one line each."""
    text, _, _ = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    return [one_line(paragraph) for paragraph in text.split("\n\n") if paragraph.strip()]


def one_line(text: str) -> str:
    """Return a text without line breaks and without the marks that docstrings put around code."""
    return " ".join(text.split()).replace("``", "")


def _text(node: ast.stmt) -> str | None:
    value = node.value.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else None
    return value if isinstance(value, str) else None
