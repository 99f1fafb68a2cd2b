# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Stub modules of Kit, made from the facts: arguments are checked, unknown names raise, every call is recorded."""

from __future__ import annotations

import ast
import functools
import inspect
import unittest
from collections.abc import Callable
from types import ModuleType
from typing import Any

FACTS = "tests/kit/kit_facts.json"
_PYTHON = {"bool": True, "int": 0, "float": 0.0, "str": "", "list": [], "dict": {}}


class StubModule(ModuleType):
    """A module of which only what is in the facts can be had."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"{self.__name__}.{name} is not in the manifest of Kit's facts ({FACTS})")


class StubMeta(type):
    """Class of the stub classes: unknown attributes raise, and what has no constructor in the facts cannot be made."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or name.startswith("_fake"):
            raise AttributeError(name)
        raise AttributeError(f"{cls.stub_name}.{name} is not in the manifest of Kit's facts ({FACTS})")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if not cls.stub_has_constructor and cls.__dict__.get("stub_own"):
            raise TypeError(f"{cls.stub_name} has no constructor in the manifest of Kit's facts ({FACTS})")
        return super().__call__(*args, **kwargs)


class Enumerator:
    """A constant of which only the name matters."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class _Absent:
    """A member that the fake has but this version of Kit has not."""

    def __get__(self, owner: Any, cls: type) -> Any:
        raise AttributeError


def check(bound_to: str, expected: inspect.Signature, args: tuple, kwargs: dict[str, Any]) -> None:
    """Raise TypeError unless the arguments fit the signature."""
    try:
        expected.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{bound_to}{expected}: {error}; see {FACTS}") from None


def make_module(kit: Any, name: str, facts: dict[str, dict[str, Any]], behaviour: dict[str, Any]) -> StubModule:
    """Make one stub module.

    Args:
        kit: Where calls are recorded; also handed to behaviours.
        name: Name of the module.
        facts: Its symbols, each with its signature in this version under ``expected``.
        behaviour: Functions, and classes whose methods are behaviours, by name.
    """
    module = StubModule(name)
    owners = sorted(
        {symbol.split(".")[0] for symbol in facts}, key=lambda owner: _base_name(behaviour.get(owner)) or ""
    )
    for owner in owners:
        fact = facts.get(owner)
        if fact and fact["kind"] == "function":
            function = _function(kit, f"{name}.{owner}", fact, behaviour.get(owner))
            if function is not None:
                setattr(module, owner, function)
        elif fact and fact["kind"] == "constant":
            setattr(module, owner, _constant(f"{name}.{owner}", fact))
        else:
            members = {s.split(".", 1)[1]: f for s, f in facts.items() if s.startswith(f"{owner}.")}
            base = vars(module).get(_base_name(behaviour.get(owner)))
            made = _make_class(kit, f"{name}.{owner}", fact, members, behaviour.get(owner), base)
            if made is not None:
                setattr(module, owner, made)
    unknown = [key for key in behaviour if key not in owners]
    assert not unknown, f"fakes of {name} that are not in the facts: {unknown}"
    return module


def _base_name(behaviour: Any) -> str | None:
    """Return the stub class from which a fake's class inherits."""
    return getattr(behaviour, "_fake_base", None) if isinstance(behaviour, type) else None


def _constant(name: str, fact: dict[str, Any]) -> Any:
    try:
        return ast.literal_eval(str(fact.get("value")))
    except (ValueError, SyntaxError):
        return Enumerator(name)


def _answer(kit: Any, fact: dict[str, Any]) -> Any:
    returns = str(fact.get("returns") or "")
    if returns in _PYTHON:
        value = _PYTHON[returns]
        return type(value)(value)
    return kit.instance(returns.rpartition(".")[2])


def _function(kit: Any, name: str, fact: dict[str, Any], behaviour: Callable | None) -> Callable | None:
    expected = fact["expected"]
    if expected is None:
        return None

    def call(*args: Any, **kwargs: Any) -> Any:
        check(name, expected, args, kwargs)
        kit.record(name, args, kwargs)
        return behaviour(*args, **kwargs) if behaviour else _answer(kit, fact)

    return _finished(kit, call, name, fact)


def _finished(kit: Any, call: Callable, name: str, fact: dict[str, Any]) -> Callable:
    if fact.get("async"):

        async def wait(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        def start(*args: Any, **kwargs: Any) -> Any:
            coroutine = wait(*args, **kwargs)
            kit.coroutines.append((name, coroutine))
            return coroutine

        return start
    call.__qualname__ = call.__name__ = name.rpartition(".")[2]
    return call


def _make_class(
    kit: Any,
    name: str,
    fact: dict[str, Any] | None,
    members: dict[str, dict[str, Any]],
    behaviour: type | None,
    base: type | None,
) -> StubMeta | None:
    constructor = fact["expected"] if fact else None
    if fact and constructor is None:
        return None
    keywords = {member for member, item in members.items() if item["kind"] == "keyword"}
    body: dict[str, Any] = {
        "stub_name": name,
        "stub_own": True,
        "stub_has_constructor": constructor is not None,
        "_kit": kit,
        "__module__": name.rpartition(".")[0],
        "__getattr__": _missing_member,
        "__setattr__": _set_member,
    }
    for member, item in members.items():
        if item["kind"] == "constant":
            body[member] = _constant(f"{name}.{member}", item)
        elif item["kind"] != "keyword":
            made = _member(kit, f"{name}.{member}", item, getattr(behaviour, member, None), behaviour)
            body[member] = _Absent() if made is None else made
    if constructor is not None:
        body["__init__"] = _constructor(kit, name, constructor, behaviour)
    _require_known(name, behaviour, set(members))
    settable = {m for m, item in members.items() if item.get("binding") == "property"} | keywords
    body["stub_settable"] = settable
    return StubMeta(name.rpartition(".")[2], tuple(part for part in (behaviour, base) if part), body)


def _require_known(name: str, behaviour: type | None, known: set[str]) -> None:
    if behaviour is None:
        return
    ours = [cls for cls in behaviour.__mro__[:-1] if cls is not unittest.TestCase]
    public = {n for cls in ours for n in vars(cls) if not n.startswith(("_", "fake_"))}
    assert public <= known, f"fake of {name} has members that are not in the facts: {sorted(public - known)}"


def _missing_member(self: Any, member: str) -> Any:
    cls = type(self)
    if member.startswith(("__", "_", "fake_")):
        raise AttributeError(member)
    raise AttributeError(f"{cls.stub_name}.{member} is not in the manifest of Kit's facts ({FACTS})")


def _set_member(self: Any, member: str, value: Any) -> None:
    cls = type(self)
    is_own = "stub_own" in vars(cls)
    if is_own and not member.startswith(("_", "fake_")) and member not in _inherited(cls, "stub_settable"):
        raise AttributeError(f"{cls.stub_name}.{member} is not in the manifest of Kit's facts ({FACTS})")
    object.__setattr__(self, member, value)


def _inherited(cls: type, name: str) -> set[str]:
    return set().union(*(vars(base).get(name, ()) for base in cls.__mro__))


def _constructor(kit: Any, name: str, expected: inspect.Signature, behaviour: type | None) -> Callable:
    is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in expected.parameters.values())

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        check(name, expected, args, kwargs)
        known = _inherited(type(self), "stub_settable")
        unknown = [key for key in kwargs if key not in known | set(expected.parameters)] if is_open and known else []
        if unknown:
            raise TypeError(
                f"{name}: {unknown[0]!r} is not among its keywords in the manifest of Kit's facts ({FACTS})"
            )
        kit.record(name, args, kwargs)
        for key in kwargs.keys() & _inherited(type(self), "stub_settable"):
            setattr(self, key, kwargs[key])
        if behaviour is not None:
            behaviour.__init__(self, *args, **kwargs)

    return __init__


def _member(kit: Any, name: str, fact: dict[str, Any], method: Any, behaviour: type | None) -> Any:
    expected = fact["expected"]
    if expected is None:
        return None
    binding, last = fact.get("binding"), name.rpartition(".")[2]
    if binding == "property":

        def read(self: Any) -> Any:
            kit.record(name, (), {})
            if isinstance(method, property):
                return method.fget(self)
            return vars(self).get(f"_value_{last}", _answer(kit, fact))

        def write(self: Any, value: Any) -> None:
            if isinstance(method, property):
                method.fset(self, value)
            else:
                vars(self)[f"_value_{last}"] = value

        return property(read, write)
    is_bound = binding in ("classmethod", "staticmethod")

    def call(*args: Any, **kwargs: Any) -> Any:
        given = args if is_bound else args[1:]
        check(name, expected, given, kwargs)
        kit.record(name, given, kwargs)
        return method(*args, **kwargs) if method is not None else _answer(kit, fact)

    finished = _finished(kit, call, name, fact)
    return staticmethod(finished) if is_bound else functools.update_wrapper(finished, call, assigned=("__qualname__",))
