# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""YAML from strangers: mappings, lists and scalars only, by PyYAML's safe loader.

Anchors and tags are refused: by aliases a few lines stand for gigabytes. Scalars are numbers (``1e-3`` as well, unlike
YAML 1.1), ``true`` and ``false``, nothing, or text: no dates, no ``yes`` and ``no``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from omni_graspd.errors import GraspdError

_DEEPEST = 32
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None, ".nan": float("nan"), ".inf": float("inf")}
_NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?")


def read_yaml(path: Path) -> Any:
    """Read a YAML file of the kind described above.

    Raises:
        GraspdError: If it is not.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        _check_events(text)
        return yaml.load(text, Loader=_loader())
    except UnicodeDecodeError as error:
        raise GraspdError(f"expected text in {path}, got other bytes; is it a YAML file?") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = (getattr(error, "problem", "") or str(error)).splitlines()[0][:80]
        where = "" if mark is None else f" in line {mark.line + 1}"
        raise GraspdError(f"expected plain YAML in {path}: {problem}{where}") from error


def _check_events(text: str) -> None:
    """Refuse what makes little text large or deep, before anything is made of it."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=_fast_loader()):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors are not taken", problem_mark=event.start_mark)
        if getattr(event, "tag", None) not in (None, "!"):
            raise yaml.MarkedYAMLError(problem="tags are not taken", problem_mark=event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"more than {_DEEPEST} levels", problem_mark=event.start_mark)


def _fast_loader() -> type:
    """Return the safe loader in C, where PyYAML was built with it."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@lru_cache(maxsize=1)
def _loader() -> type:
    """Return the safe loader with scalars and mappings as described above."""
    loader = type("PlainLoader", (_fast_loader(),), {"yaml_implicit_resolvers": {}})
    loader.add_constructor("tag:yaml.org,2002:map", _mapping)
    loader.add_constructor("tag:yaml.org,2002:str", _scalar)
    return loader


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    import yaml

    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(getattr(key_node, "value", ""))
        if not isinstance(key_node, yaml.ScalarNode) or key in values:
            problem = f"the key {key!r} stands twice" if key in values else "a key is not text"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
        values[key] = loader.construct_object(value_node, deep=True)
    return values


def _scalar(_loader: Any, node: Any) -> Any:
    """Return a number, truth value, nothing, or text; what is quoted is text."""
    word = node.value
    if node.style:
        return word
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    if not _NUMBER.fullmatch(word):
        return word
    plain = word.replace("_", "")
    return int(plain) if re.fullmatch(r"[-+]?\d{1,18}", plain) else float(plain)
