# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Write what our code uses of Kit into isaac_sim_calls.md, and for the self-test: ``python docs/list_kit_calls.py``.

The code is read, not run: names are followed from imports through assignments and the return types in the facts.
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "isaac_sim_calls.md"
_SELFTEST = ROOT / "omni_graspd" / "kit" / "selftest"
USED = _SELFTEST / "used.json"
"""Symbols for the self-test."""
_FACTS = ROOT / "tests" / "kit" / "kit_facts.json"
_UNVERIFIED = _SELFTEST / "unverified.json"
_SEEN = ROOT / "tests" / "ovui" / "omni_ui_seen.json"
_BEGIN, _END = "<!-- kit calls: begin -->\n", "<!-- kit calls: end -->\n"
_STEP = {"person": "you"}
_CONFIDENCE = {"run": "run", "source": "source", "docs": "documentation", "usage": "usage"}


@dataclass
class _Scope:
    """What names of one file stand for: ``"module x"``, ``"symbol m:s"``, ``"instance m:C"``."""

    modules: dict[str, dict[str, dict]]
    names: dict[str, str] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def resolve(self, node: ast.AST | None) -> str | None:
        """Return what an expression stands for, and note the symbols on the way."""
        if isinstance(node, ast.Await):
            return self.resolve(node.value)
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Call):
            return self._result(self.resolve(node.func))
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                own = self.names.get(f"self.{node.attr}")
                if own:
                    return own
            return self._member(self.resolve(node.value), node.attr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                return self.resolve(ast.parse(node.value, mode="eval").body)
            except SyntaxError:
                return None
        if isinstance(node, ast.BinOp):
            return self.resolve(node.left)
        return None

    def _member(self, owner: str | None, name: str) -> str | None:
        kind, _, what = (owner or "").partition(" ")
        if kind == "module":
            return self.from_module(what, name)
        if kind in ("instance", "symbol"):
            module, _, cls = what.partition(":")
            if not self._is_class(module, cls):
                return None
            return self._note_member(module, cls, name)
        return None

    def from_module(self, module: str, name: str) -> str | None:
        """Return what a name in a Kit module stands for."""
        if any(known == f"{module}.{name}" or known.startswith(f"{module}.{name}.") for known in self.modules):
            return f"module {module}.{name}"
        for place in sorted(self.modules, key=lambda known: (known != module, known)):
            near = place == module or place.startswith(f"{module}.")
            if near and (name in self.modules[place] or self._is_class(place, name)):
                self.used.add((place, name))
                return f"symbol {place}:{name}"
        self.unknown.add(f"{module}.{name}")
        return None

    def _note_member(self, module: str, cls: str, name: str) -> str | None:
        symbols = self.modules[module]
        holders = [cls, "Window", "Frame", "Widget"] if module == "omni.ui" else [cls]
        for holder in holders:
            if f"{holder}.{name}" in symbols:
                self.used.add((module, f"{holder}.{name}"))
                return f"symbol {module}:{holder}.{name}"
        return None

    def _is_class(self, module: str, name: str) -> bool:
        symbols = self.modules.get(module, {})
        return symbols.get(name, {}).get("kind") == "class" or any(key.startswith(f"{name}.") for key in symbols)

    def _result(self, called: str | None) -> str | None:
        kind, _, what = (called or "").partition(" ")
        if kind != "symbol":
            return None
        module, _, symbol = what.partition(":")
        if self._is_class(module, symbol):
            return f"instance {module}:{symbol}"
        returns = str(self.modules[module].get(symbol, {}).get("returns") or "").strip("'\"").rpartition(".")[2]
        for place in sorted(self.modules, key=lambda known: (known != module, known)):
            if returns and self._is_class(place, returns):
                return f"instance {place}:{returns}"
        return None


def list_calls() -> tuple[dict[tuple[str, str], set[str]], dict[str, set[str]]]:
    """Return where each symbol of Kit is used, by module and symbol, and the names that the facts do not have."""
    modules = json.loads(_FACTS.read_text(encoding="utf-8"))["modules"]
    used: dict[tuple[str, str], set[str]] = defaultdict(set)
    unknown: dict[str, set[str]] = defaultdict(set)
    for path in _sources():
        scope = _read(path, modules)
        name = path.relative_to(ROOT).as_posix()
        for symbol in scope.used:
            used[symbol].add(name)
        for symbol in scope.unknown:
            unknown[symbol].add(name)
    return used, unknown


def _sources() -> list[Path]:
    """Return our files that use Kit; those of tests inside Kit are none of what users rely on."""
    files = [*(ROOT / "omni_graspd" / "kit").rglob("*.py"), *(ROOT / "kit_app").glob("*.py")]
    return sorted(path for path in files if path.parent.name != "tests")


def _read(path: Path, modules: dict) -> _Scope:
    scope, tree = _Scope(modules), ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _is_kit(alias.name):
                    top = alias.asname or alias.name.partition(".")[0]
                    scope.names[top] = f"module {alias.name if alias.asname else top}"
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and _is_kit(node.module or ""):
            for alias in node.names:
                scope.names[alias.asname or alias.name] = scope.from_module(node.module or "", alias.name) or ""
    for _ in range(3):  # names of names of names
        for node in ast.walk(tree):
            _bind(scope, node)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Call, ast.Name)):
            scope.resolve(node)
    return scope


def _bind(scope: _Scope, node: ast.AST) -> None:
    """Note what a name stands for: assignments, ``with``, annotated arguments, ``self`` of subclasses."""
    pairs: list[tuple[ast.AST, str | None]] = []
    if isinstance(node, ast.Assign):
        pairs = [(target, scope.resolve(node.value)) for target in node.targets]
    elif isinstance(node, ast.AnnAssign):
        pairs = [(node.target, scope.resolve(node.value) or _instance(scope.resolve(node.annotation)))]
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        pairs = [(node.optional_vars, scope.resolve(node.context_expr))]
    elif isinstance(node, ast.arg) and node.annotation is not None:
        pairs = [(ast.Name(node.arg), _instance(scope.resolve(node.annotation)))]
    elif isinstance(node, ast.ClassDef):
        base = next((found for found in map(scope.resolve, node.bases) if found), None)
        pairs = [(ast.Name("self"), _instance(base))]
    for target, found in pairs:
        if found and isinstance(target, ast.Name):
            scope.names[target.id] = found
        elif found and isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            scope.names[f"{target.value.id}.{target.attr}"] = found


def _instance(symbol: str | None) -> str | None:
    return symbol.replace("symbol ", "instance ", 1) if symbol and symbol.startswith("symbol ") else None


def _is_kit(module: str) -> bool:
    return module.partition(".")[0] in ("omni", "carb", "isaacsim")


def _confidence(module: str, symbol: str, fact: dict) -> str:
    """Return how well a symbol is known: that omni.ui has it, and takes it from our panel, is seen by running it."""
    seen = json.loads(_SEEN.read_text(encoding="utf-8"))["symbols"]
    return "run" if module == "omni.ui" and symbol in seen else fact["verified"]


def unread(used: dict[tuple[str, str], set[str]]) -> list[str]:
    """Return the used symbols that nobody has run, nor read a definition of: known from documents or others' use."""
    modules = json.loads(_FACTS.read_text(encoding="utf-8"))["modules"]
    facts = {pair: modules[pair[0]].get(pair[1]) or _of_members(modules[pair[0]], pair[1]) for pair in used}
    return sorted(".".join(pair) for pair, fact in facts.items() if _confidence(*pair, fact) in ("docs", "usage"))


def used_symbols() -> list[str]:
    """Return the symbols that the self-test looks for: all but those that were run in omni.ui outside Kit."""
    modules = json.loads(_FACTS.read_text(encoding="utf-8"))["modules"]
    used = list_calls()[0]
    facts = {pair: modules[pair[0]].get(pair[1]) or _of_members(modules[pair[0]], pair[1]) for pair in used}
    return sorted(".".join(pair) for pair, fact in facts.items() if _confidence(*pair, fact) != "run")


def table() -> str:
    """Return the list as Markdown."""
    modules = json.loads(_FACTS.read_text(encoding="utf-8"))["modules"]
    checks = {each["call"]: each for each in json.loads(_UNVERIFIED.read_text(encoding="utf-8"))}
    used, unknown = list_calls()
    counts: dict[str, int] = defaultdict(int)
    lines = [
        "| symbol | used in | confidence | source | in 6.x | unverified: what we rely on | answered by |",
        "|---|---|---|---|---|---|---|",
    ]
    for module, symbol in sorted(used):
        fact = modules[module].get(symbol) or _of_members(modules[module], symbol)
        confidence = _confidence(module, symbol, fact)
        counts[confidence] += 1
        name = f"{module}.{symbol}"
        cells = (
            f"`{name}`",
            ", ".join(sorted(Path(path).name for path in used[module, symbol])),
            _CONFIDENCE[confidence],
            _short(fact["source"], 110),
            _short(str(fact.get("isaacsim6") or "not compared"), 90),
            checks.get(name, {}).get("relied_on", ""),
            _STEP.get(checks[name]["step"], f"self-test: {checks[name]['step']}") if name in checks else "",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    total = (
        f"{sum(counts.values())} symbols: {counts['run']} run in NVIDIA's omni.ui outside Kit, {counts['source']} read "
        f"in published source or in stub files made from an installed Isaac Sim, {counts['docs']} in documentation, "
        f"{counts['usage']} inferred from how others use them. **{len(checks)} calls are unverified**: what we rely on "
        "is more than any of these shows."
    )
    missing = [f"\nNot in the facts: `{name}` ({', '.join(sorted(paths))})." for name, paths in sorted(unknown.items())]
    return "\n".join([total, "", *lines, *missing]) + "\n"


def _of_members(symbols: dict[str, dict], cls: str) -> dict:
    """Return a class without a fact of its own as its members' facts have it."""
    return next(fact for name, fact in sorted(symbols.items()) if name.startswith(f"{cls}."))


def _short(text: str, length: int) -> str:
    text = " ".join(text.replace("source/extensions/", "").split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def page() -> str:
    """Return the page with the present list in it."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{table()}{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    USED.write_text(json.dumps(used_symbols(), indent=1) + "\n", encoding="utf-8")
