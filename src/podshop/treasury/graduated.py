"""An allocator whose capital reaches only those who graduated, and what makes an agent another one."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Protocol

import numpy as np

from podshop.nouns import Mandate, Panel
from podshop.treasury.graduation import AS_USUAL, STAGES, Gate, Standing, graduate, moved, newcomers, share


class Allocating(Protocol):
    """What the treasury's agents answer to."""

    def __call__(self, daily_return: Panel, previous: Panel | None = None, /) -> Panel:
        """(D, B) daily returns and (B,) weights until now -> (B,) weights, sum at most 1."""
        ...


@dataclass(slots=True, kw_only=True)
class Graduated:
    """An allocator whose weights reach only those who graduated; what the others would get stays cash.

    The allocator goes on from its own weights of the day before, as if everybody had graduated: a book is not dismissed
    for being on paper. Called once a day, it remembers: one of these for one run.

    allocator   whose weights are cut
    trials      None = as many as there are books, which is too few where others were tried and thrown away
    volatility  (B,) annual, that drawdowns are measured in; empty = as measured
    start       (B,) stages on the first day; empty = research
    signed      True: promotions to seed and full wait until a person signs (`sign`); demotions never wait
    why         (B,) why each book's stage changed today, "" where it did not
    """

    allocator: Allocating
    gate: Gate = AS_USUAL
    trials: float | None = None
    volatility: tuple[float, ...] = ()
    start: tuple[str, ...] = ()
    signed: bool = False
    standing: Standing | None = None
    why: tuple[str, ...] = ()
    _days: Panel | None = None
    _asked: Panel | None = None
    _weights: Panel | None = None

    def __call__(self, daily_return: Panel, previous: Panel | None = None) -> Panel:
        """The allocator's weights, each times its book's share.

        daily_return  (D, B): the days since the call before stand at its end; older ones may have been dropped
        """
        books = daily_return.shape[1]
        if self.standing is None or self._days is None:
            self.standing, self._days = newcomers(books, self.start), np.empty((0, books))
        fresh = unseen(daily_return, self._asked)
        self._days = np.concatenate([self._days, daily_return[len(daily_return) - fresh :]])
        self._asked = daily_return.copy()
        unit = np.array(self.volatility) if self.volatility else None
        self.standing, self.why = graduate(
            self._days, self.trials or books, self.standing, self.gate, unit, signed=self.signed
        )
        self._weights = self.allocator(daily_return, previous if self._weights is None else self._weights)
        given: Panel = self._weights * np.array([share(stage, self.gate) for stage in self.standing.stages])
        return given

    def sign(self, book: int, stage: str) -> None:
        """A person puts a book into a stage: its share of capital changes at the next call.

        Raises ValueError before the first day, when nobody stands anywhere, or where there is no such stage.
        """
        if self.standing is None or stage not in STAGES:
            raise ValueError(f"nobody can be put into {stage!r} {'yet' if stage in STAGES else ''}".strip())
        self.standing = moved(self.standing, book, stage)


def unseen(daily_return: Panel, before: Panel | None) -> int:
    """How many days at the end were not there at the call before; a history that no longer grows has lost its oldest.

    >>> unseen(np.array([[2.0], [3.0]]), np.array([[1.0], [2.0]]))
    1
    """
    if before is None or len(daily_return) > len(before):
        return len(daily_return) - (0 if before is None else len(before))
    return 0 if np.array_equal(daily_return, before) else 1


def fingerprint(mandate: Mandate, heard: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of all that an execution agent decides by: with another it is another agent, and begins anew.

    heard  signal agent -> its settings, of at least those that the mandate listens to: plain values, mappings, or
           dataclasses such as the agents themselves. Their code is not seen: who changes it gives them another name

    What the agent is called is no part of it, and neither is a signal that it does not hear.

    >>> slow = Mandate(name="a", horizon="swing", listens={"trend": 1.0}, markets=("BTC",), cadence="1d")
    >>> fingerprint(slow, {"trend": {"days": 30}}) == fingerprint(slow, {"trend": {"days": 31}})
    False
    """
    told = {name: value for name, value in _plain(mandate).items() if name != "name"}
    told["heard"] = {name: _plain(heard[name]) for name in mandate.listens}
    return hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """What JSON can say of a value; a dataclass by its type and fields."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        said = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return said | {"": f"{kind.__module__}:{kind.__qualname__}"}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return f"{type(value).__module__}:{type(value).__qualname__}"
