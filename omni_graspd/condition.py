# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Conditions on the columns of a table, as a user writes them: ``usable and epsilon > 0.2``.

They are written like Python and read by its parser, but only names of columns, numbers, texts, comparisons, arithmetic
and ``and``, ``or``, ``not`` and ``in`` are taken: nothing in them is ever executed.
"""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError

_LONGEST = 400
_EXAMPLE = "for example: usable and epsilon > 0.2"
_ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_ORDER = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
_EQUALITY: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}


@dataclass(frozen=True)
class Condition:
    """A condition on the rows of a table."""

    text: str
    """As it was written."""

    def __post_init__(self) -> None:
        """Read the condition.

        Raises:
            GraspdError: If it cannot be read.
        """
        self._tree()

    def _tree(self) -> ast.expr:
        if len(self.text) > _LONGEST:
            raise GraspdError(f"expected a condition of at most {_LONGEST} characters, got {len(self.text)}")
        try:
            tree = ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = getattr(error, "msg", None) or str(error)
            raise GraspdError(f"expected a condition, {_EXAMPLE}; got {self.text!r}: {reason}") from None
        for node in ast.walk(tree):
            if not isinstance(node, _KNOWN):
                part = ast.get_source_segment(self.text.strip(), node) if isinstance(node, ast.expr) else None
                raise GraspdError(
                    f"expected columns, numbers, texts, comparisons, arithmetic, and, or, not and in, {_EXAMPLE}; "
                    f"got {part or type(node).__name__!r} in {self.text!r}"
                )
        return tree

    def holds(self, columns: Mapping[str, Any], count: int) -> np.ndarray:
        """Tell of each row whether it meets the condition.

        Args:
            columns: Values by name, one per row, or one for all rows. Comparisons with NaN are false.
            count: How many rows there are.

        Returns:
            Shape [count], bool.

        Raises:
            GraspdError: If there is no such column, or texts and numbers are compared.
        """
        try:
            value = _value(self._tree(), columns)
            return np.broadcast_to(_truth(value), (count,)).copy()
        except GraspdError as error:
            raise GraspdError(f"{error} (in {self.text!r})") from None
        except RecursionError:
            raise GraspdError(f"expected a condition with fewer levels, got {self.text!r}") from None


_KNOWN = (
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, *_ARITHMETIC),
    *(ast.Compare, *_ORDER, *_EQUALITY, ast.In, ast.NotIn, ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.List),
)


def _value(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, bool | int | float | str):
            raise GraspdError(f"expected a number or a text in quotes, got {node.value!r}")
        return node.value
    if isinstance(node, ast.Name):
        return _column(node.id, columns)
    if isinstance(node, ast.Tuple | ast.List):
        return [_value(element, columns) for element in node.elts]
    if isinstance(node, ast.BoolOp):
        truths = [_truth(_value(value, columns)) for value in node.values]
        combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return combine.reduce(np.broadcast_arrays(*truths))
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, columns)
        return ~_truth(value) if isinstance(node.op, ast.Not) else -_number(value)
    if isinstance(node, ast.BinOp):
        left, right = _number(_value(node.left, columns)), _number(_value(node.right, columns))
        with np.errstate(all="ignore"):
            return _ARITHMETIC[type(node.op)](left, right)
    assert isinstance(node, ast.Compare)
    values = [_value(value, columns) for value in (node.left, *node.comparators)]
    compared = [_compared(op, a, b) for op, a, b in zip(node.ops, values, values[1:], strict=False)]
    return np.logical_and.reduce(np.broadcast_arrays(*compared))


def _column(name: str, columns: Mapping[str, Any]) -> Any:
    if name not in columns:
        near = difflib.get_close_matches(name, list(columns), n=1)
        hint = f"; did you mean {near[0]}?" if near else "; texts stand in quotes"
        raise GraspdError(f"expected a column, one of {', '.join(sorted(columns))}; got {name}{hint}")
    value = columns[name]
    return value if isinstance(value, str) else np.asarray(value)


def _compared(op: ast.cmpop, left: Any, right: Any) -> np.ndarray:
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(right, list):
            raise GraspdError("expected a list after `in`, for example object in ('mug', 'bowl')")
        found = np.logical_or.reduce([_equal(left, one) for one in right]) if right else np.asarray(False)
        return ~found if isinstance(op, ast.NotIn) else found
    if type(op) in _EQUALITY:
        return _equal(left, right) if isinstance(op, ast.Eq) else ~_equal(left, right)
    return _ORDER[type(op)](_number(left), _number(right))


def _equal(left: Any, right: Any) -> np.ndarray:
    if _is_text(left) != _is_text(right):
        text, other = (left, right) if _is_text(left) else (right, left)
        raise GraspdError(
            f"expected numbers to be compared with numbers and texts with texts, got {text!r} and {other!r}"
        )
    return np.asarray(np.asarray(left) == np.asarray(right))


def _is_text(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "UO"


def _number(value: Any) -> np.ndarray:
    if isinstance(value, list) or _is_text(value):
        raise GraspdError(f"expected a number, got {value if isinstance(value, str | list) else 'a column of texts'!r}")
    return np.asarray(value, dtype=np.float64)


def _truth(value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind == "b":
        return array
    number = _number(value)
    return (number != 0.0) & ~np.isnan(number)
