"""How fast the whole fund is: fifty agents, thirty markets, a year of 5-minute cycles, and what each part of it takes.

The agents and mandates are those of the shipped fund of fifty, each over all thirty markets; prices and funding come
from the simulated exchange, what else agents read is made up and never missing. The whole is measured as a backtest
runs it, on two cores at once; the parts one after another, so they sum to more.
"""

import gc
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from podshop.feeds.simulated import simulate
from podshop.journal.record import Recorder
from podshop.nouns import BAR_COLUMNS, DAY_NS, Funding, Market, Times
from podshop.nouns.symbols import instrument
from podshop.report.aggregate import Aggregator
from podshop.run.backtest import facts_and_seats, market_facts, names_of
from podshop.run.bench_loop import BAR_NS, CYCLES, NAMES, SINCE_NS, seconds_of
from podshop.run.bench_signals import column
from podshop.run.config import fifty_fund
from podshop.run.config.sections import Fund
from podshop.run.loop import Run
from podshop.run.opinions import seats
from podshop.run.tables import Columns, Sink

T = TypeVar("T")
WARM_UP_NS = 100 * DAY_NS


def whole_fund(rounds: int = 3) -> dict[str, Any]:
    """Best of `rounds` of the fund with its report's figures but no files; then its parts, and what the record adds."""
    fund, market, funding = fifty_over_thirty()
    times = market.time[market.time >= SINCE_NS]
    took: list[float] = []
    for _ in range(rounds):
        gc.collect()  # what a run leaves behind is not the next one's memory
        took.append(seconds_of(lambda: run_fund(fund, market, funding, times)))
    clock = Clock()
    run_fund(fund, market, funding, times, clock=clock)
    with tempfile.TemporaryDirectory() as folder:
        recorded = seconds_of(lambda: run_fund(fund, market, funding, times, out=Path(folder) / "record"))
    return {
        "fund": {
            "seconds": min(took),
            "cycles_per_second": (len(times) - 1) / min(took),
            "with_record_seconds": recorded,
            "parts": clock.seconds,
        }
    }


def fifty_over_thirty() -> tuple[Fund, Market, Funding]:
    """The shipped fund on 5-minute bars, every agent over all thirty markets."""
    fifty = fifty_fund()
    fund = replace(
        fifty,
        market=replace(fifty.market, markets=NAMES, interval="5m"),
        signals=tuple(replace(seat, markets=NAMES) for seat in fifty.signals),
        mandates=tuple(replace(mandate, markets=NAMES) for mandate in fifty.mandates),
        instruments=tuple(instrument(name) for name in NAMES),
    )
    market, funding = simulate(NAMES, BAR_NS, SINCE_NS - WARM_UP_NS, SINCE_NS + CYCLES * BAR_NS, seed=1)
    rng = np.random.default_rng(3)
    read = {name for seat in fund.signals for name in seat.agent.reads} - set(BAR_COLUMNS) - set(market.columns)
    close = market.columns["close"].T
    columns = dict(market.columns) | {name: column(name, close, rng).T for name in sorted(read)}
    return fund, Market(market.names, market.interval_ns, market.time, columns), funding


def run_fund(
    fund: Fund, market: Market, funding: Funding, times: Times, *, clock: "Clock | None" = None, out: Path | None = None
) -> None:
    """A whole backtest, from the market to the report's figures; with `out` its record, too.

    clock  told how long each part took; then nothing runs beside anything else
    """
    timed = clock or Clock()
    if clock is None:
        facts, roster = facts_and_seats(fund, market, funding)
    else:
        facts = timed.of("facts", market_facts)(fund, market, funding)
        roster = timed.of("signals", seats)(market, fund.signals, fund.confidence)
    books = tuple(mandate.name for mandate in fund.mandates)
    aggregator = Aggregator(books, fund.market.markets, int(times[0]), int(times[-1]))
    if clock is not None:
        clock.watch(aggregator, "report", "add")
    with ExitStack() as held:
        sink: Sink = _Straight(aggregator)
        if clock is None:
            sink = held.enter_context(Recorder(out, names_of(fund, funding), watchers=(aggregator.add,)))
        run = Run(fund, facts, roster, sink)
        if clock is not None:
            run.overlap = False
            run.shadows.threads = 1
            for seat in roster.values():
                clock.watch(seat, "signals", "voice")
            for listener in run.shadows.listeners:
                clock.watch(listener, "combination", "blend", "slope")
            clock.watch(run.shadows, "shadows", "decide")
            clock.watch(run.facts, "facts", "stretch")
            clock.watch(run, "loop", "_live")
            clock.watch(run, "risk_and_treasury", "_python")
            clock.watch(run.tables, "rows", "flush")
        run.run(times, lambda done, total, text: None)
    timed.of("report", aggregator.gather)()


class Clock:
    """Seconds of each part, what it calls of other parts not counted."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner = [0.0]

    def of(self, part: str, work: Callable[..., T]) -> Callable[..., T]:
        """The same work, on the clock."""

        def timed(*given: Any, **named: Any) -> T:
            self._inner.append(0.0)
            started = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                took = time.perf_counter() - started
                self.seconds[part] = self.seconds.get(part, 0.0) + took - self._inner.pop()
                self._inner[-1] += took

        return timed

    def watch(self, owner: object, part: str, *methods: str) -> None:
        """Put methods of an object on the clock."""
        for method in methods:
            setattr(owner, method, self.of(part, getattr(owner, method)))


class _Straight:
    """Rows straight to the report, with no recorder between."""

    def __init__(self, aggregator: Aggregator) -> None:
        self._aggregator = aggregator

    def write(self, table: str, columns: Columns, /) -> None:
        self._aggregator.add(table, {name: np.asarray(column) for name, column in columns.items()})
