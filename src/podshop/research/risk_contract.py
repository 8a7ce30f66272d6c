"""What the fund asks of a risk agent of one's own, as checks with names.

`check(agent)` shows it made-up funds and answers one finding per check, as podshop.research.contract does for signal
agents. It is asked as the risk office asks it, and what counts there as no sense is a finding here.
"""

import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from podshop.nouns import DAY_NS, HOUR_NS, Health, Panel, PodshopError, Shadows
from podshop.nouns.limits import NORMAL_95, InForce, RiskAgent, RiskView
from podshop.nouns.verdict import REDUCE_ONLY_STATE, RUNNING
from podshop.research.contract import Finding
from podshop.risk.office import Office, Ruling

SLOWEST = 0.05  # seconds for one look
BOOKS, MARKETS, DAYS = 20, 30, 730  # as large as the fund of fifty sees
LOOKS = 40
FIRST_NS = 20_000 * DAY_NS
NAV = 100_000_000_000  # micro-dollars


@dataclass(frozen=True, slots=True)
class Trial:
    """An agent as it is before its first look, and what it is shown: a fund through good and bad days."""

    agent: RiskAgent
    story: tuple[RiskView, ...]


def check(agent: RiskAgent, seed: int = 20, only: str | None = None) -> tuple[Finding, ...]:
    """Hold a risk agent to the contract; it is tried on copies, and stays as it was."""
    trial = Trial(agent, made_up(seed))
    return tuple(_finding(name, trial) for name in CHECKS if only in (None, name))


def made_up(seed: int, looks: int = LOOKS) -> tuple[RiskView, ...]:
    """A fund of three books on four markets, once a day: it wins, loses more than a ladder allows, and recovers."""
    chance = np.random.default_rng(seed)
    bars, daily, earned = _returns(chance, 4, 3, 120 + looks)
    fund = np.concatenate([np.linspace(1.0, 1.1, looks // 4), np.linspace(1.1, 0.85, looks // 2)])
    path = np.append(fund, np.linspace(0.85, 1.05, looks - len(fund)))
    weights = np.append(chance.normal(0.0, 0.02, (3, 4)), np.zeros((1, 4)), axis=0)
    views = []
    for i in range(looks):
        books = np.array([path[i], 2.0 - path[i], path[i] ** 3])
        views.append(
            _view(
                bars[: 24 * (120 + i)], daily[: 120 + i], earned[: 120 + i], weights * (i % 7 - 2), books, path[: i + 1]
            )
        )
    return tuple(replace(view, version=i + 1, at_ns=FIRST_NS + i * DAY_NS) for i, view in enumerate(views))


def _returns(chance: np.random.Generator, markets: int, books: int, days: int) -> tuple[Panel, Panel, Panel]:
    """Hourly and daily returns of markets with a common part, and daily returns of books."""
    bars = 0.03 / np.sqrt(48) * (chance.normal(size=(24 * days, 1)) + chance.normal(size=(24 * days, markets)))
    return bars, bars.reshape(days, 24, markets).sum(axis=1), 0.01 * chance.normal(size=(days, books))


def _view(
    bars: Panel, daily: Panel, earned: Panel, weights: Panel, equity: Panel | None = None, path: Panel | None = None
) -> RiskView:
    """What an office would show of these returns; books and fund as they began, unless `equity` and `path` say more."""
    books, markets = len(weights) - 1, weights.shape[1]
    now = np.ones(books) if equity is None else equity
    nav = np.ones(1) if path is None else path
    limits = InForce(
        version=0, max_weight=np.full(markets, 0.05), max_gross=1.0, max_net=1.0, max_order=1.0, max_var=0.02,
        tail=NORMAL_95, cluster=np.zeros((0, markets), np.bool_), max_cluster=np.zeros(0), throttle=np.ones(books),
        fund_throttle=1.0, state=RUNNING, latched=RUNNING,
    )  # fmt: skip
    shadows = Shadows(
        equity_micro=np.rint(now * NAV).astype(np.int64), peak_micro=np.full(books, round(1.2 * NAV)),
        volatility_target=np.full(books, 0.2), throttle=np.ones(books), daily_return=earned,
    )  # fmt: skip
    health = Health(
        nav_micro=round(nav[-1] * NAV), peak_micro=round(nav.max() * NAV), throttle=1.0, state=RUNNING,
        day_open_micro=round(nav[-2:][0] * NAV),
    )  # fmt: skip
    recent = np.nan_to_num(daily[-50:])
    return RiskView(
        version=1, at_ns=FIRST_NS, books=tuple(f"book_{b}" for b in range(books)),
        families=tuple(("momentum", "funding")[b % 2] for b in range(books)),
        markets=tuple(f"M{m}" for m in range(markets)), shadows=shadows, health=health, weights=weights,
        covariance=recent.T @ recent / max(len(recent), 1), daily=daily, bars=bars, bar_ns=HOUR_NS,
        mandate=limits, in_force=limits,
    )  # fmt: skip


def _finding(name: str, trial: Trial) -> Finding:
    promise, fix, test = CHECKS[name]
    try:
        found = next(test(trial), "")
    except PodshopError as error:
        found = str(error)
    except Exception as error:  # noqa: BLE001  whatever a stranger's code raises is a finding
        found = f"raised {type(error).__name__}: {error}"
    return Finding(name, promise, found, fix)


def documented(t: Trial) -> Iterator[str]:
    about = vars(type(t.agent)).get("__doc__") or ""
    if not about or about.startswith(f"{type(t.agent).__name__}("):  # as a dataclass writes it by itself
        yield "its class has no docstring"


def answers(t: Trial) -> Iterator[str]:
    """A whole story, asked as the office asks: sound at every look."""
    for i, ruling in enumerate(_told(deepcopy(t.agent), t.story)):
        if "agent" in ruling.faults:
            yield f"{ruling.faults['agent']} (at look {i + 1} of {len(t.story)})"


def empty(t: Trial) -> Iterator[str]:
    """A fund on its first day: nothing held, nothing earned, nothing known yet."""
    none = np.zeros((0, 4))
    for books in (1, 3):
        new = _view(none, none, np.zeros((0, books)), np.zeros((books + 1, 4)))
        yield from _fault(t, new, f"of a new fund of {books} book{'s' if books > 1 else ''} that holds nothing")
    flat = replace(t.story[0], weights=np.zeros_like(t.story[0].weights))
    yield from _fault(t, flat, "of a fund that holds nothing")


def unknown(t: Trial) -> Iterator[str]:
    """Markets without a price: one never, one from half of the time on, all of them."""
    view = t.story[-1]
    never, late = _gap(view, 0, 0.0, 1.0), _gap(view, 1, 0.0, 0.5)
    for what, said in (
        ("a market that has no price", never),
        ("a market that is young", late),
        ("a market whose prices end", _gap(view, 2, 0.5, 1.0)),
        ("no market that has a price", _gap(view, slice(None), 0.0, 1.0)),
    ):
        yield from _fault(t, said, f"of a fund with {what}")
    unopened = replace(view.health, day_open_micro=0, state=REDUCE_ONLY_STATE, throttle=0.0)
    yield from _fault(t, replace(view, health=unopened), "of a fund that only reduces and whose day's open is unknown")


def kept(t: Trial) -> Iterator[str]:
    """It is shown arrays that can be written to, and they are as they were; the office shows such as cannot."""
    agent = deepcopy(t.agent)
    for view in (t.story[0], t.story[-1]):
        shown, before = deepcopy(view), deepcopy(view)
        agent(shown)
        if name := _changed(shown, before):
            yield f"changed {name} of what it was shown"


def deterministic(t: Trial) -> Iterator[str]:
    """The same story told to two copies that take turns, and to a third in one go: the same answers."""
    first, second = deepcopy(t.agent), deepcopy(t.agent)
    alone = [ruling.heard.get("agent") for ruling in _told(deepcopy(t.agent), t.story)]
    for i, view in enumerate(t.story):
        said = [Office({"agent": one})(view).heard.get("agent") for one in (first, second)]
        if name := _changed(said[0], said[1]) or _changed(said[0], alone[i]):
            yield f"{name or 'its answer'} at look {i + 1} is not the same from two copies that saw the same"


def resumes(t: Trial) -> Iterator[str]:
    """A copy made in the middle of a story goes on as the one it was made from."""
    half = len(t.story) // 2
    agent = deepcopy(t.agent)
    for view in t.story[:half]:
        Office({"agent": agent})(view)
    copy = deepcopy(agent)
    pairs = [(Office({"agent": one})(view).heard.get("agent")) for one in (agent, copy) for view in t.story[half:]]
    for i, (one, other) in enumerate(zip(pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :], strict=True)):
        if name := _changed(one, other):
            yield f"{name} at look {half + i + 1} is not what a copy of it says that was made at look {half}"


def fast(t: Trial) -> Iterator[str]:
    """At the size of the fund of fifty, the best of seven looks after the first."""
    bars, daily, earned = _returns(np.random.default_rng(1), MARKETS, BOOKS, DAYS)
    large = _view(bars, daily, earned, np.full((BOOKS + 1, MARKETS), 0.001))
    agent, seconds = deepcopy(t.agent), []
    for i in range(8):
        view = replace(large, version=i + 1, at_ns=FIRST_NS + i * DAY_NS)
        start = time.perf_counter()
        agent(view)
        seconds.append(time.perf_counter() - start)
    if (best := min(seconds[1:])) > SLOWEST:
        yield f"{1000 * best:.0f} ms for {BOOKS} books on {MARKETS} markets, expected at most {1000 * SLOWEST:.0f} ms"


def _told(agent: RiskAgent, story: tuple[RiskView, ...]) -> list[Ruling]:
    office = Office({"agent": agent})
    return [office(view) for view in story]


def _fault(t: Trial, view: RiskView, what: str) -> Iterator[str]:
    """Ask a new copy; numpy's warnings of NaN are not a fault, what it answers then may be."""
    with np.errstate(all="ignore"):
        faults = Office({"agent": deepcopy(t.agent)})(view).faults
    if faults:
        yield f"{faults['agent']} ({what})"


def _gap(view: RiskView, market: int | slice, first: float, last: float) -> RiskView:
    """The view without the prices of a market in a part of its history, 0 to 1."""

    def without(returns: Panel) -> Panel:
        out = returns.copy()
        out[round(first * len(out)) : round(last * len(out)), market] = np.nan
        return out

    covariance = view.covariance.copy()
    if last == 1.0:
        covariance[market, :], covariance[:, market] = 0.0, 0.0
    return replace(view, daily=without(view.daily), bars=without(view.bars), covariance=covariance)


def _changed(a: Any, b: Any, name: str = "") -> str:
    """Name of the first field in which two values differ, NaN being itself; '' if none."""
    if is_dataclass(a) and not isinstance(a, type) and type(a) is type(b):
        return next((w for f in fields(a) if (w := _changed(getattr(a, f.name), getattr(b, f.name), f.name))), "")
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        same = a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    else:
        same = type(a) is type(b) and a == b
    return "" if same else name or "its answer"


CHECKS: dict[str, tuple[str, str, Callable[[Trial], Iterator[str]]]] = {  # name -> promise, how to keep it, test
    "documented": ("says what it watches", "write a docstring of one line for the class", documented),
    "answers": (
        "answers Limits that can be limits, to the view it was shown",
        "return Limits(reason=..., version=view.version, ...), None where it has no opinion",
        answers,
    ),
    "empty": (
        "has an answer for a fund that holds nothing and has no history",
        "expect 0 rows in daily, bars and daily_return, and weights that are all 0",
        empty,
    ),
    "unknown": (
        "has an answer where prices are unknown",
        "expect NaN in daily and bars: leave such cells out, and answer None if nothing is left",
        unknown,
    ),
    "kept": ("leaves what it is shown as it was", "copy an array before writing into it", kept),
    "deterministic": (
        "says the same of the same",
        "use no randomness or clock; what it remembers belongs into fields of its own, not of its class or module",
        deterministic,
    ),
    "resumes": (
        "goes on from a copy as if it had never stopped",
        "keep what it remembers in fields that copy.deepcopy copies",
        resumes,
    ),
    "fast": (
        f"takes at most {1000 * SLOWEST:.0f} ms for a look",
        "work on whole arrays, keep what does not change from look to look",
        fast,
    ),
}
