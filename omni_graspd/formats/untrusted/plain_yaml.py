# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The part of YAML that grasp files use: nested mappings and lists by indentation, flow lists and mappings, scalars.

Anchors, tags, block text and several documents are refused. That spares a dependency, and every scalar is a number, a
truth value, nothing, or text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from omni_graspd.errors import GraspdError

_NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None, ".nan": float("nan"), ".inf": float("inf")}
_DEEPEST = 32


class _Lines:
    """Lines that are not empty, as (indentation, text, line number), and where reading stands."""

    def __init__(self, text: str, path: Path) -> None:
        self.path, self.at = path, 0
        self.lines: list[tuple[int, str, int]] = []
        pending, start = "", (0, 0)
        for number, raw in enumerate(text.splitlines(), 1):
            line = _without_comment(raw)
            if not line.strip() or line.strip() == "---":
                continue
            if "\t" in line[: len(line) - len(line.lstrip())]:
                raise self.error(number, "a tab as indentation")
            if not pending:
                start = (len(line) - len(line.lstrip()), number)
            pending = f"{pending} {line.strip()}" if pending else line.strip()
            if _open_brackets(pending) <= 0:
                self.lines.append((start[0], pending, start[1]))
                pending = ""
        if pending:
            raise self.error(start[1], "a bracket that is not closed")

    def error(self, number: int, what: str) -> GraspdError:
        return GraspdError(f"expected plain YAML in {self.path}, got {what} in line {number}; mend it")


def read_yaml(path: Path) -> Any:
    """Read a YAML file of the kind described above.

    Raises:
        GraspdError: If it is not.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise GraspdError(f"expected text in {path}, got other bytes; is it a YAML file?") from error
    lines = _Lines(text, path)
    if not lines.lines:
        return None
    value = _block(lines, lines.lines[0][0], 0)
    if lines.at < len(lines.lines):
        raise lines.error(lines.lines[lines.at][2], "a line that is indented in another way")
    return value


def _block(lines: _Lines, indent: int, depth: int) -> Any:
    if depth > _DEEPEST:
        raise lines.error(lines.lines[lines.at][2], f"more than {_DEEPEST} levels")
    if lines.lines[lines.at][1].startswith("- ") or lines.lines[lines.at][1] == "-":
        return _sequence(lines, indent, depth)
    return _mapping(lines, indent, depth)


def _sequence(lines: _Lines, indent: int, depth: int) -> list[Any]:
    values = []
    while lines.at < len(lines.lines):
        at, text, number = lines.lines[lines.at]
        if at != indent or not (text.startswith("- ") or text == "-"):
            break
        rest = text[1:].strip()
        if not rest:
            lines.at += 1
            values.append(_child(lines, indent, depth))
        elif _split_key(rest) is not None and rest[0] not in "[{":
            # The mapping begins behind the dash.
            lines.lines[lines.at] = (at + len(text) - len(rest), rest, number)
            values.append(_mapping(lines, at + len(text) - len(rest), depth + 1))
        else:
            values.append(_scalar_or_flow(lines, rest, number))
            lines.at += 1
    return values


def _mapping(lines: _Lines, indent: int, depth: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    while lines.at < len(lines.lines):
        at, text, number = lines.lines[lines.at]
        if at != indent:
            break
        pair = _split_key(text)
        if pair is None:
            raise lines.error(number, f"{text[:40]!r} without a key")
        key, rest = pair
        if key in values:
            raise lines.error(number, f"the key {key!r} twice")
        lines.at += 1
        values[key] = _scalar_or_flow(lines, rest, number) if rest else _child(lines, indent, depth, dash=True)
    return values


def _child(lines: _Lines, indent: int, depth: int, *, dash: bool = False) -> Any:
    """Read what is indented deeper; a list may begin in the column of its key."""
    if lines.at < len(lines.lines):
        at, text, _ = lines.lines[lines.at]
        if at > indent or (dash and at == indent and text.startswith("-")):
            return _block(lines, at, depth + 1)
    return None


def _split_key(text: str) -> tuple[str, str] | None:
    quoted = re.match(r"""("(?:[^"\\]|\\.)*"|'[^']*')\s*:(?:\s+|$)""", text)
    if quoted:
        return quoted[1][1:-1], text[quoted.end() :].strip()
    plain = re.match(r"([^\s\[\]{}\"'&*!|>%@`#,][^\[\]{}\"']*?)\s*:(?:\s+|$)", text)
    return (plain[1], text[plain.end() :].strip()) if plain else None


def _scalar_or_flow(lines: _Lines, text: str, number: int) -> Any:
    value, rest = _flow(lines, text, number, 0)
    if rest.strip():
        raise lines.error(number, f"{rest.strip()[:40]!r} behind a value")
    return value


def _flow(lines: _Lines, text: str, number: int, depth: int, inside: bool = False) -> tuple[Any, str]:
    """Read one value from the front of ``text``; return it and what is left."""
    text = text.lstrip()
    if depth > _DEEPEST:
        raise lines.error(number, f"more than {_DEEPEST} levels")
    if text[:1] in ("[", "{"):
        return _collection(lines, text, number, depth)
    if text[:1] in ('"', "'"):
        quoted = re.match(r"""("(?:[^"\\]|\\.)*"|'[^']*')""", text)
        if not quoted:
            raise lines.error(number, "a quote that is not closed")
        return quoted[1][1:-1], text[quoted.end() :]
    if text[:1] in ("&", "*", "!", "|", ">", "%", "@", "`"):
        raise lines.error(number, f"{text[:1]!r}, which stands for anchors, tags or block text")
    end = re.search(r"[,\]}]|:(?=\s)", text) if inside else None
    word = (text[: end.start()] if end else text).strip()
    return _scalar(word), text[end.start() :] if end else ""


def _collection(lines: _Lines, text: str, number: int, depth: int) -> tuple[Any, str]:
    closing = "]" if text[0] == "[" else "}"
    values: list[Any] = []
    pairs: dict[str, Any] = {}
    rest = text[1:].lstrip()
    while rest[:1] != closing:
        if not rest:
            raise lines.error(number, "a bracket that is not closed")
        value, rest = _flow(lines, rest, number, depth + 1, inside=True)
        rest = rest.lstrip()
        if closing == "}":
            if rest[:1] != ":":
                raise lines.error(number, "a mapping without a colon")
            pairs[str(value)], rest = _flow(lines, rest[1:], number, depth + 1, inside=True)
            rest = rest.lstrip()
        else:
            values.append(value)
        if rest[:1] == ",":
            rest = rest[1:].lstrip()
        elif rest[:1] != closing:
            raise lines.error(number, f"{rest[:40]!r} in a list")
    return (pairs if closing == "}" else values), rest[1:]


def _scalar(word: str) -> Any:
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    if not _NUMBER.fullmatch(word):
        return word
    plain = word.replace("_", "")
    return int(plain) if re.fullmatch(r"[-+]?\d{1,18}", plain) else float(plain)


def _without_comment(line: str) -> str:
    quote = ""
    for at, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line.rstrip()


def _open_brackets(text: str) -> int:
    bare = re.sub(r"""("(?:[^"\\]|\\.)*"|'[^']*')""", "", text)
    return sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}")
