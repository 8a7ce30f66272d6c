"""The checks of the contract, one function each: it yields what it finds wrong, and nothing when all is well."""

import doctest
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from podshop.nouns import Panel, SignalAgent, duration_ns
from podshop.research import trial
from podshop.research.trial import Columns

FAMILIES = ("momentum", "reversal", "funding", "onchain", "sentiment")
TOLERANCE = 1e-9
STEP = 2.0**-20  # convictions are whole numbers of it
MARKETS = 6
SAMPLES = 24  # rows at which a window is computed alone
CUTS = 512  # rows, the last ones, below each of which the future is changed
AT_ONCE = 64  # of them in one call
SLOWEST = 2.0  # seconds per million cells, on one core


@dataclass(slots=True)
class Trial:
    """An agent, the columns it is tried on, and what it said about all of them."""

    agent: SignalAgent
    given: Columns
    noise: Columns = field(repr=False)

    def ask(self, columns: Columns) -> Panel:
        """Call the agent with copies, so that no check can spoil the next."""
        return self.agent(**{name: panel.copy(order="K") for name, panel in columns.items()})

    @property
    def rows(self) -> int:
        return len(next(iter(self.given.values())))

    def samples(self) -> list[int]:
        """Rows with a whole window behind them, from the first to the last."""
        first = min(self.agent.lookback_bars, self.rows) - 1
        return [int(t) for t in np.unique(np.linspace(first, self.rows - 1, SAMPLES))]

    def alone(self, columns: Columns, t: int) -> Columns:
        """The rows that row t may follow from."""
        return {name: panel[max(0, t - self.agent.lookback_bars + 1) : t + 1] for name, panel in columns.items()}


def declared(t: Trial) -> Iterator[str]:
    agent: Any = t.agent  # what a stranger wrote need not keep its types
    duration_ns(agent.bar)
    if not (isinstance(agent.lookback_bars, int) and agent.lookback_bars >= 1):
        yield f"lookback_bars is {agent.lookback_bars!r}, expected a whole number above 0"
    if not agent.reads or len(set(agent.reads)) != len(agent.reads):
        yield f"reads is {agent.reads!r}, expected the names of its columns, each once"
    if agent.family not in FAMILIES:
        yield f"family is {agent.family!r}, expected one of {', '.join(FAMILIES)}"
    if not isinstance(agent.cross_sectional, bool):
        yield f"cross_sectional is {agent.cross_sectional!r}, expected True or False"


def documented(t: Trial) -> Iterator[str]:
    module = sys.modules.get(type(t.agent).__module__)
    own = [type(t.agent)] + [
        f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == type(t.agent).__module__
    ]
    pages = "\n".join(inspect.getdoc(thing) or "" for thing in [module, *own])
    if not type(t.agent).__doc__ or "Source:" not in pages:
        yield "no 'Source:' (a paper with year and journal, or a page) in the docstring of its module"
    if "(T, M)" not in pages or "->" not in pages:
        yield "no docstring gives the shape and unit of what goes in and what comes out: 'close  (T, M) price in ...'"
    examples = [found for found in doctest.DocTestFinder().find(module) if found.examples] if module else []
    if not examples:
        yield "no example: a docstring with '>>>' and the numbers it prints"
    said: list[str] = []
    for example in examples:
        runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
        if runner.run(example, out=said.append).failed:
            yield f"the example of {example.name} does not print what it says: {' '.join(''.join(said).split())[-300:]}"


def shaped(t: Trial) -> Iterator[str]:
    answer: Any = t.ask(t.given)
    expected = next(iter(t.given.values())).shape
    if not (isinstance(answer, np.ndarray) and answer.shape == expected and answer.dtype == np.float64):
        yield f"answered {getattr(answer, 'dtype', type(answer))} {np.shape(answer)}, expected float64 {expected}"
    elif not np.isfinite(answer).any():
        yield f"no opinion in any of {answer.size} cells with every column given"


def finite_memory(t: Trial) -> Iterator[str]:
    yield from _windows_agree(t, t.given, "")


def no_peek(t: Trial) -> Iterator[str]:
    whole = t.ask(t.given)
    for row in t.samples():
        cut = t.ask({name: panel[: row + 1] for name, panel in t.given.items()})
        if m := _differs_to_the_bit(cut, whole[: row + 1]):
            yield f"row {m[0]} of market {m[1]} is {m[2]} on data that ends at row {row}, and {m[3]} when more follows"


def no_whole_sample(t: Trial) -> Iterator[str]:
    for row in (t.agent.lookback_bars, t.agent.lookback_bars + 20):
        yield from _future_matters(t, row, row + t.rows // 2, tuple(t.given))


def no_future(t: Trial) -> Iterator[str]:
    """Cuts at the samples, then one after every single row of the last CUTS: a peek on few rows meets its own."""
    for row in t.samples()[:-1]:
        yield from _future_matters(t, row, row + 1, tuple(t.given))
    first = max(t.rows - t.agent.lookback_bars - CUTS, 0)
    given, noise = ({name: panel[first:] for name, panel in each.items()} for each in (t.given, t.noise))
    rows = t.rows - first
    cuts = np.arange(max(rows - CUTS, 0), rows - 1)
    for some in np.array_split(cuts, -(-len(cuts) // AT_ONCE)):
        for m in _one_by_one(t, given, noise, some) if t.agent.cross_sectional else _abreast(t, given, noise, some):
            yield f"row {first + m[0]} changes from {m[3]} to {m[2]} when the columns change below it"


def _abreast(t: Trial, given: Columns, noise: Columns, cuts: np.ndarray) -> Iterator["Cell"]:
    """Many cuts for the price of one call: copies of one market, untouched, then each with noise below another row."""
    below = np.arange(len(next(iter(given.values()))))[:, None] > np.append(0, cuts)[None, :]
    below[:, 0] = False
    said = t.ask({name: _tall(np.where(below, noise[name][:, :1], given[name][:, :1])) for name in given})
    if m := _differs_to_the_bit(np.where(below, np.nan, said), np.where(below, np.nan, said[:, :1])):
        yield m


def _one_by_one(t: Trial, given: Columns, noise: Columns, cuts: np.ndarray) -> Iterator["Cell"]:
    """The same for agents that look across markets, a call for each cut."""
    whole = t.ask(given)
    for cut in cuts:
        below = np.arange(len(whole))[:, None] > cut
        said = t.ask({name: _tall(np.where(below, noise[name], given[name])) for name in given})
        if m := _differs_to_the_bit(said[: cut + 1], whole[: cut + 1]):
            yield m


def _tall(panel: Panel) -> Panel:
    """The same in the memory order of columns."""
    return np.ascontiguousarray(panel.T).T


def settled_funding(t: Trial) -> Iterator[str]:
    yield from _column_future(t, trial.is_funding)


def known_at(t: Trial) -> Iterator[str]:
    yield from _column_future(t, trial.is_stamped)


def _column_future(t: Trial, kind: Callable[[str], bool]) -> Iterator[str]:
    for name in filter(kind, t.given):
        for row in t.samples()[:-1]:
            yield from _future_matters(t, row, row + 1, (name,))


def _future_matters(t: Trial, row: int, from_row: int, names: tuple[str, ...]) -> Iterator[str]:
    """Replace these columns from a row on by noise: rows up to `row` must not change by a bit."""
    other = {name: panel.copy(order="K") for name, panel in t.given.items()}
    for name in names:
        other[name][from_row:] = t.noise[name][from_row:]
    if m := _differs_to_the_bit(t.ask(other)[: row + 1], t.ask(t.given)[: row + 1]):
        what = names[0] if len(names) == 1 else "the columns"
        yield f"row {m[0]} of market {m[1]} changes from {m[3]} to {m[2]} when {what} change from row {from_row} on"


def kept(t: Trial) -> Iterator[str]:
    mine = {name: panel.copy(order="K") for name, panel in t.given.items()}
    t.agent(**mine)
    for name, panel in mine.items():
        if not np.array_equal(panel, t.given[name], equal_nan=True):
            yield f"column {name} was changed by the call"
        panel.setflags(write=False)
    t.agent(**mine)


def order_of_markets(t: Trial) -> Iterator[str]:
    order = np.arange(MARKETS)[::-1]
    turned = t.ask({name: panel[:, order] for name, panel in t.given.items()})
    if m := _differs(turned, t.ask(t.given)[:, order]):
        yield f"row {m[0]}: {m[2]} for a market that said {m[3]} in another order"


def one_market_alone(t: Trial) -> Iterator[str]:
    if t.agent.cross_sectional:
        return
    whole = t.ask(t.given)
    for gone in (0, MARKETS - 1):
        kept = np.arange(MARKETS) != gone
        without = t.ask({name: panel[:, kept] for name, panel in t.given.items()})
        silent = {name: np.where(kept, panel, np.nan) for name, panel in t.given.items()}
        for answer in (without, t.ask(silent)[:, kept]):
            if m := _differs_to_the_bit(answer, whole[:, kept]):
                yield f"row {m[0]} of another market is {m[2]} without market {gone}, {m[3]} with it"


def unknown_stays(t: Trial) -> Iterator[str]:
    for name in t.given:
        silent = {other: panel.copy(order="K") for other, panel in t.given.items()}
        silent[name][t.rows // 2 :, 0] = np.nan
        said = t.ask(silent)[t.rows // 2 + t.agent.lookback_bars - 1 :, 0]
        if not np.isnan(said).all():
            yield f"says {said[~np.isnan(said)][0]} though {name} was unknown all through its window, expected NaN"


def in_range(t: Trial) -> Iterator[str]:
    for seed in range(3):
        said = t.ask(trial.columns(t.agent.reads, t.rows, MARKETS, seed))
        known = said[~np.isnan(said)]
        if not (np.abs(known) <= 1.0).all():
            yield f"says {known[np.abs(known).argmax()]}, expected a number in [-1, 1]"
        if not (known / STEP == np.rint(known / STEP)).all():
            yield f"says {known[known / STEP != np.rint(known / STEP)][0]!r}, expected a multiple of 2^-20"


def deterministic(t: Trial) -> Iterator[str]:
    first = t.ask(t.given)
    for _ in range(3):
        if m := _differs_to_the_bit(t.ask(t.given), first):
            yield f"row {m[0]} of market {m[1]} is {m[3]}, then {m[2]} from the same columns"


def prefix_stable(t: Trial) -> Iterator[str]:
    whole = t.ask(t.given)
    for rows in (1, t.agent.lookback_bars, t.agent.lookback_bars + 1, t.rows - 1, t.rows - 7, t.rows - 16):
        if m := _differs_to_the_bit(t.ask({name: x[:rows] for name, x in t.given.items()}), whole[:rows]):
            yield f"row {m[0]} of market {m[1]} is {m[2]} on the first {rows} rows, and {m[3]} on all {t.rows}"


def unit_free(t: Trial) -> Iterator[str]:
    scale = dict.fromkeys(trial.PRICES, 1000.0) | dict.fromkeys(trial.AMOUNTS, 0.001)
    scaled = t.ask({name: panel * scale.get(name, 1.0) for name, panel in t.given.items()})
    if m := _differs(scaled, t.ask(t.given)):
        yield f"row {m[0]} of market {m[1]} says {m[2]} when prices are per 1000 coins, {m[3]} when per coin"


def robust(t: Trial) -> Iterator[str]:
    for name in t.given:
        for what, spoil in SPOILED.items():
            spoiled = {other: panel.copy(order="K") for other, panel in t.given.items()}
            spoil(spoiled[name][:, 0], t.agent.lookback_bars)
            said = t.ask(spoiled)
            if np.isinf(said).any() or (np.abs(said) > 1.0).any():
                yield f"says {said[np.abs(said) > 1.0][0]} after {what} in {name}, expected [-1, 1] or NaN"
            yield from _windows_agree(t, spoiled, f" with {what} in {name}")


def fast(t: Trial) -> Iterator[str]:
    wide = trial.columns(t.agent.reads, max(20_000, t.rows), 10, 0)
    cells = next(iter(wide.values())).size
    t.agent(**wide)
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        t.agent(**wide)
        seconds.append(time.perf_counter() - start)
    if (per_million := min(seconds) / cells * 1e6) > SLOWEST:
        yield f"{per_million:.1f} s per million cells, expected at most {SLOWEST:.1f}"


# ---------------------------------------------------------------- what spoils a column, and how answers are compared


def _spike(x: np.ndarray, lookback: int) -> None:
    x[lookback + 10] = 1e9


def _infinite(x: np.ndarray, lookback: int) -> None:
    x[lookback + 10 : lookback + 12] = np.inf, -np.inf


def _new_level(x: np.ndarray, lookback: int) -> None:
    x[len(x) // 2 :] *= 1e10


def _flat(x: np.ndarray, lookback: int) -> None:
    x[lookback : 2 * lookback + 10] = x[np.isfinite(x)][0]


def _zero(x: np.ndarray, lookback: int) -> None:
    x[lookback + 10 : lookback + 13] = 0.0


SPOILED: dict[str, Callable[[np.ndarray, int], None]] = {
    "a spike of 1e9": _spike,
    "infinities": _infinite,
    "a level 1e10 times higher": _new_level,
    "a flat stretch": _flat,
    "zeros": _zero,
}

Cell = tuple[int, int, float, float]  # row, market, and the two answers that differ there


def _windows_agree(t: Trial, columns: Columns, when: str) -> Iterator[str]:
    whole = t.ask(columns)
    rows = t.samples()
    direct = np.array([t.ask(t.alone(columns, row))[-1] for row in rows])
    if m := _differs(direct, whole[rows]):
        yield f"row {rows[m[0]]} of market {m[1]} is {m[2]} from its own window and {m[3]} from all rows{when}"


def _differs(a: Panel, b: Panel) -> Cell | None:
    """First cell that differs by more than 1e-9; rounding to 2^-20 hides nearly all that is smaller."""
    return _first(~((np.abs(a - b) <= TOLERANCE) | (np.isnan(a) & np.isnan(b))), a, b)


def _differs_to_the_bit(a: Panel, b: Panel) -> Cell | None:
    return _first(~((a == b) | (np.isnan(a) & np.isnan(b))), a, b)


def _first(wrong: np.ndarray, a: Panel, b: Panel) -> Cell | None:
    if not wrong.any():
        return None
    row, market = (int(i) for i in np.argwhere(wrong)[0])
    return row, market, float(a[row, market]), float(b[row, market])
