# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Names and texts of strangers as plain text: they may hold line breaks, escape codes of terminals, or pages."""

from __future__ import annotations


def one_line(text: str) -> str:
    r"""Return a text with white space as single blanks, and what a terminal would obey written out (``\x1b``)."""
    plain = " ".join(text.split()) if any(letter.isspace() and letter != " " for letter in text) else text
    return plain if plain.isprintable() else "".join(_written_out(letter) for letter in plain)


def printable(text: str) -> str:
    r"""Return a text of any number of lines with what a terminal would obey written out (``\x1b``)."""
    if text.isprintable():
        return text
    return "".join(letter if letter in "\n\t" else _written_out(letter) for letter in text)


def _written_out(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]


def shortened(text: str, longest: int = 80) -> str:
    """Return a text in one line, cut in the middle where it is too long.

    Args:
        text: Any text.
        longest: Most letters.
    """
    plain = one_line(text[: 4 * longest] if len(text) > 4 * longest else text)
    if len(text) <= longest and len(plain) <= longest:
        return plain
    return f"{plain[: longest - 1]}…"


def readable(text: str, longest: int = 650, longest_word: int = 120) -> str:
    """Return a message in one line that people can read, whatever names of strangers are in it.

    Where it is too long, long words lose their middle first, so that what was expected and how to mend it stay.

    Args:
        text: Any text.
        longest: Most letters.
        longest_word: Most letters of a word, where the text is too long.
    """
    plain = one_line(text)
    if len(plain) > longest:
        plain = " ".join(_without_middle(word, longest_word) for word in plain.split(" "))
    return _without_middle(plain, longest)


def _without_middle(text: str, longest: int) -> str:
    kept = longest // 2
    return text if len(text) <= longest else f"{text[: longest - kept - 1]}…{text[len(text) - kept :]}"
