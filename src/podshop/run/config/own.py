"""Agents of one's own: the class that module:Class names, and whether it is what it should be."""

import importlib
import inspect
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from podshop.nouns import ConfigError, Mandate
from podshop.run.config.reading import Place, one_line


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let `module:Class` name a file beside the fund file; installed modules come first."""
    sys.path.append(str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def signal_class(place: Place, kind: str) -> type[Any]:
    """Find a signal agent's class by its name in AGENTS, or as module:Class."""
    from podshop.signals import AGENTS  # numba and the rolling library come with it

    if ":" not in kind:
        if kind not in AGENTS:
            raise place.unknown(kind, tuple(AGENTS))
        return AGENTS[kind]
    cls = _imported(place, kind)
    lacks = [part for part in ("reads", "lookback_bars", "__call__") if not hasattr(cls, part)]
    if not (isinstance(cls, type) and is_dataclass(cls)) or lacks or "bar" not in cls.__dataclass_fields__:
        raise ConfigError(
            f"{place}: {kind!r} is not a signal agent, expected a dataclass with bar, reads, lookback_bars, a call"
        )
    return cls


def execution_class(place: Place, kind: str) -> type[Any]:
    """Find an execution agent's class as module:Class; its settings are called otherwise than a mandate's."""
    cls = _imported(place, kind)
    if not combines(cls):
        raise ConfigError(
            f"{place}: {kind!r} is not an execution agent, expected a dataclass with a call of two arrays: voice and "
            "weights"
        )
    for name in {f.name for f in fields(cls)} & {f.name for f in fields(Mandate)}:
        raise ConfigError(f"{place}: {kind!r} has a setting {name!r}, which every mandate has: rename it")
    return cast(type[Any], cls)


def risk_class(place: Place, kind: str, taken: Collection[str]) -> type[Any]:
    """Find a risk agent's class as module:Class; its settings are called otherwise than those `taken` by its seat."""
    cls = _imported(place, kind)
    if not oversees(cls):
        raise ConfigError(f"{place}: {kind!r} is not a risk agent, expected a dataclass with a call of one view")
    for name in {f.name for f in fields(cls)} & set(taken):
        raise ConfigError(f"{place}: {kind!r} has a setting {name!r}, which every risk agent's table has: rename it")
    return cast(type[Any], cls)


def combines(cls: Any) -> bool:
    """Whether this is the class of an execution agent: a dataclass, called with two arrays, that reads no columns."""
    return _takes(cls, "voice", "weights")


def oversees(cls: Any) -> bool:
    """Whether this is the class of a risk agent: a dataclass, called with one view, that reads no columns."""
    return _takes(cls, "view")


def _takes(cls: Any, *given: str) -> bool:
    if not (isinstance(cls, type) and is_dataclass(cls)) or hasattr(cls, "reads"):
        return False
    call = next((vars(base)["__call__"] for base in cls.__mro__ if "__call__" in vars(base)), None)
    try:
        inspect.signature(cast(Callable[..., Any], call)).bind(cls, *given)
    except (TypeError, ValueError):
        return False
    return True


def _imported(place: Place, kind: str) -> Any:
    """What module:Class names."""
    module, _, name = kind.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as e:  # noqa: BLE001 - a user's module may raise anything while it is imported
        raise ConfigError(f"{place}: {kind!r} cannot be imported: {type(e).__name__}: {one_line(e)}") from None
