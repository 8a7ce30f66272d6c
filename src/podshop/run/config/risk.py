"""The risk agents of a fund file: three sit there unless they are told not to, and whoever else is named.

The keys of a table are the fields of the agent's class. What an agent remembers from look to look is no key and no part
of what a fund is: fields that are not given to the class when it is made, and the ladder's `standing`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from podshop.nouns import ConfigError
from podshop.run.config import own
from podshop.run.config.reading import Place, nearest, record, value
from podshop.run.config.sections import DAILY, RiskSeat

CADENCES = {"drawdown_limiter": "1h", "portfolio_monitor": DAILY, "correlation_tracker": DAILY}
OF_SEAT = ("kind", "cadence", "off")
REMEMBERED = "standing"
FEWEST_DAYS, MOST_DAYS = 30, 730  # of history that a window may have: the loop shows two years
RESERVED = "fund file"  # the office calls the limits of the fund file so


def standard() -> dict[str, type[Any]]:
    """Name -> class of the agents that sit in every fund's risk office."""
    from podshop.risk.correlation import CorrelationTracker  # numba comes with these
    from podshop.risk.drawdown import DrawdownLadder
    from podshop.risk.monitor import PortfolioMonitor

    return {
        "drawdown_limiter": DrawdownLadder,
        "portfolio_monitor": PortfolioMonitor,
        "correlation_tracker": CorrelationTracker,
    }


def seats(place: Place, tables: Mapping[str, Any], folder: Path) -> Iterator[RiskSeat]:
    """Build the agents of the [risk] tables: the standard ones first, then one's own in the order of the file."""
    classes = standard()
    for name in (*classes, *(name for name in tables if name not in classes)):
        at, table = place.at(name), tables.get(name, {})
        if not isinstance(table, dict):
            raise at.wrong(table, "a table")
        given = dict(table)
        kind = name if name in classes else _kind(place, name, given)
        cadence = value(at.at("cadence"), given.pop("cadence", CADENCES.get(name, DAILY)), str)
        at.at("cadence").duration(cadence)  # one shorter than the cycle means every cycle
        off = value(at.at("off"), given.pop("off", False), bool)
        with own.importable(folder):
            cls = classes[name] if name in classes else own.risk_class(at.at("kind"), kind, OF_SEAT)
            agent = record(at, given, cls, given=_remembered(cls))
        CHECKS.get(name, _anything)(at, agent)
        if not off:
            yield RiskSeat(name=name, kind=kind, agent=agent, cadence=cadence)


def settings(agent: Any) -> dict[str, Any]:
    """What a fund file may set of a risk agent, as plain data."""
    return {name: found for name, found in asdict(agent).items() if name in keys(type(agent))}


def keys(cls: type[Any]) -> tuple[str, ...]:
    """Those of its fields that are settings."""
    return tuple(f.name for f in fields(cls) if f.init and f.name != REMEMBERED)


def _remembered(cls: type[Any]) -> dict[str, None]:
    return {f.name: None for f in fields(cls) if f.init and f.name == REMEMBERED}


def _kind(place: Place, name: str, given: dict[str, Any]) -> str:
    """Take the class that an agent of one's own must name."""
    at = place.at(name)
    if name == RESERVED:
        raise ConfigError(f"{at}: a risk agent cannot be called {name!r}, the limits of the file are called so")
    if "kind" not in given:
        raise ConfigError(
            f"{place} has no {name!r}{nearest(name, CADENCES)}; an agent of your own needs a kind, module:Class"
        )
    kind: str = value(at.at("kind"), given.pop("kind"), str)
    if ":" not in kind:
        raise at.at("kind").wrong(kind, "module:Class")
    return kind


def _anything(place: Place, agent: Any) -> None:
    """One's own agents check themselves."""


def _check_ladder(place: Place, ladder: Any) -> None:
    """The ladder rises, and its way back is not above its first cut."""
    steps = ("warn_from", "halve_from", "out_from", "halt_from")
    most = 100.0 if ladder.in_volatility else 1.0
    for key in (*steps, "back_below", "day_loss"):
        _within(place, ladder, key, 0.0, most, open_below=True)
    for low, high in pairwise(steps):
        _at_most(place, ladder, low, high)
    _at_most(place, ladder, "back_below", "halve_from")
    for key in ("cool_off_days", "half_days"):
        _within(place, ladder, key, 0, 3650)
    _within(place, ladder, "fund_volatility", 0.0, 5.0, open_below=True)
    _within(place, ladder, "most_books", 1, 1_000_000)
    _within(place, ladder, "most_gross", 0.0, 10.0, open_below=True)


def _check_monitor(place: Place, monitor: Any) -> None:
    """A tail needs days to be seen in, and what is shown goes back for two years."""
    _within(place, monitor, "history_days", FEWEST_DAYS, MOST_DAYS)


def _check_tracker(place: Place, tracker: Any) -> None:
    """The short window lies in the long one, and what two series must share does too."""
    _within(place, tracker, "long_days", FEWEST_DAYS, MOST_DAYS)
    for key, least in (("short_days", 4), ("fewest_days", 2), ("twin_days", 2)):
        _within(place, tracker, key, least, MOST_DAYS)
        _at_most(place, tracker, key, "long_days")
    for key, high in (("alike_from", 1.0), ("max_cluster", 1.0), ("jump_from", 2.0), ("twin_from", 1.0)):
        _within(place, tracker, key, 0.0, high, open_below=True)
    _within(place, tracker, "fewest_bets", 0.0, 1000.0, open_below=True)
    _within(place, tracker, "least", 0.0, 1.0)


CHECKS: dict[str, Callable[[Place, Any], None]] = {
    "drawdown_limiter": _check_ladder,
    "portfolio_monitor": _check_monitor,
    "correlation_tracker": _check_tracker,
}


def _within(place: Place, agent: Any, key: str, low: float, high: float, open_below: bool = False) -> None:
    found = getattr(agent, key)
    if not (low < found if open_below else low <= found) or found > high:
        kind = "a whole number" if isinstance(low, int) else "a number"
        raise place.at(key).wrong(found, f"{kind} {'>' if open_below else '>='} {low:g} and <= {high:g}")


def _at_most(place: Place, agent: Any, key: str, other: str) -> None:
    if getattr(agent, key) > getattr(agent, other):
        raise place.at(key).wrong(getattr(agent, key), f"at most {other}, which is {getattr(agent, other)}")
