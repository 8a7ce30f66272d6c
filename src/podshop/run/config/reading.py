"""One table of TOML -> the fields of one dataclass, strictly; a mistake is one line that says where and what.

Types are checked by msgspec against the dataclass' own annotations, so any agent's dataclass is its own schema.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from podshop.nouns import ConfigError, duration_ns

T = TypeVar("T")
TABLE = dict[str, Any]  # a table whose keys are read one by one, each at its own place


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a fund file we are, for messages: `main.toml: signals.momentum`."""

    file: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}: {'.'.join(self.path)}" if self.path else self.file

    def at(self, key: str) -> "Place":
        """One level deeper."""
        return Place(self.file, (*self.path, key))

    def wrong(self, found: object, expected: str) -> ConfigError:
        """The usual message: where, what was found, what was expected."""
        return ConfigError(f"{self} is {_short(found)}, expected {expected}")

    def unknown(self, name: str, known: Collection[str]) -> ConfigError:
        """There is no such thing here; say which was probably meant."""
        return ConfigError(f"{self} has no {name!r}{nearest(name, known)}")

    def duration(self, text: str) -> int:
        """Read a length of time, in nanoseconds."""
        try:
            return duration_ns(text)
        except ConfigError as e:
            raise ConfigError(f"{self}: {e}") from None


def record(place: Place, table: object, cls: type[T], given: Mapping[str, Any] | None = None) -> T:
    """Make a dataclass from a table; `given` holds the fields that do not stand in the file.

    Raises ConfigError for an unknown or missing key, a wrong type or range, and whatever the class itself refuses.
    """
    given = given or {}
    hints = get_type_hints(cls, include_extras=True)
    mine = [f for f in fields(cls) if f.init and f.name not in given]  # type: ignore[arg-type]
    required = [f.name for f in mine if f.default is MISSING and f.default_factory is MISSING]
    found = values(place, table, {f.name: hints[f.name] for f in mine}, required)
    try:
        return cls(**found, **given)
    except (ConfigError, TypeError, ValueError) as e:
        raise ConfigError(f"{place}: {one_line(e)}") from None


def values(place: Place, table: object, kinds: Mapping[str, Any], required: Collection[str] = ()) -> dict[str, Any]:
    """Read the keys of a table, each of its own kind."""
    if not isinstance(table, dict):
        raise place.wrong(table, "a table")
    for key in table:
        if key not in kinds:
            raise place.unknown(key, kinds)
    for key in required:
        if key not in table:
            raise ConfigError(f"{place} lacks {key!r}, expected {_expected(kinds[key])}")
    return {key: value(place.at(key), found, kinds[key]) for key, found in table.items()}


def value(place: Place, found: object, kind: Any) -> Any:
    """Check one value; whole numbers pass as floats, lists as tuples, and nothing else is bent."""
    if kind != TABLE and not _finite(found):
        raise place.wrong(found, "a finite number")
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError:
        raise place.wrong(found, _expected(kind)) from None
    except TypeError:
        raise ConfigError(f"{place} cannot be set from a file: its type is {kind}") from None


def nearest(name: str, known: Collection[str]) -> str:
    """Suggest the name that was probably meant, or list what there is.

    >>> nearest("windw_bars", ("bar", "window_bars"))
    ", did you mean 'window_bars'?"
    """
    by_lower = {k.lower(): k for k in known}
    near = get_close_matches(name.lower(), by_lower, n=1)
    if near:
        return f", did you mean {by_lower[near[0]]!r}?"
    return f", expected one of {', '.join(sorted(known))}" if known else ""


def one_line(error: object) -> str:
    """An error's text on one line."""
    return " ".join(str(error).split())


def _finite(found: object) -> bool:
    """TOML has nan and inf, and every comparison with nan is false: no limit may be one."""
    if isinstance(found, float):
        return math.isfinite(found)
    if isinstance(found, dict):
        return all(map(_finite, found.values()))
    return all(map(_finite, found)) if isinstance(found, list) else True


def _short(found: object) -> str:
    text = one_line(repr(found))
    return text if len(text) <= 60 else f"{text[:57]}..."


_PLAIN = {float: "a number", int: "a whole number", str: "a text", bool: "true or false", type(None): "nothing"}
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def _expected(kind: Any) -> str:
    """Say a type for people.

    >>> _expected(Annotated[float, msgspec.Meta(gt=0, le=1)]), _expected(tuple[str, ...])
    ('a number > 0 and <= 1', 'a list, each a text')
    """
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = [
            f"{sign} {getattr(meta, name)}"
            for meta in args[1:]
            for name, sign in _SIGNS.items()
            if getattr(meta, name, None) is not None
        ]
        return f"{_expected(args[0])} {' and '.join(bounds)}".strip()
    if origin is Literal:
        return f"one of {', '.join(map(repr, args))}"
    if origin in (Union, UnionType):
        return " or ".join(map(_expected, args))
    if origin in (tuple, list):
        return f"a list, each {_expected(args[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a table, each {_expected(args[1])}"
    return _PLAIN.get(kind, getattr(kind, "__name__", str(kind)))
