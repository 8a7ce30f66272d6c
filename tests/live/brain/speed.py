"""How long a brain takes from data in to targets out, at and around the last rows of a chunk.

python -m tests.live.brain.speed 50 30 288 730     # agents, markets, cycles, days of history
"""

import sys
import time
from dataclasses import replace
from itertools import cycle, islice
from typing import NamedTuple

import numpy as np

from podshop.live.brain.mind import Mind, of_time
from podshop.live.brain.seats import Asker
from podshop.live.messages import Opened
from podshop.nouns import BAR_COLUMNS, DAY_NS, HOUR_NS, MINUTE_NS, Funding, Instrument, Market
from podshop.run.bench_signals import column
from podshop.run.config import Fund, fifty_fund

BAR_NS = 5 * MINUTE_NS
CHUNK_ENDS_NS = 215 * 90 * DAY_NS  # a chunk of 90 days of agents and of covariance ends here, and one of a day
WARM_UP_DAYS = 192  # what the starts of chunks look back to, but for agents of daily bars: those need 730


class Took(NamedTuple):
    """Seconds of every cycle, and its time."""

    seconds: list[float]
    at_ns: list[int]

    def share(self, percent: float) -> float:
        """So many percent of the cycles took at most this long."""
        return float(np.percentile(self.seconds, percent))


def fund_of(agents: int, markets: int) -> Fund:
    """Half of the agents speak, half trade: those of the shipped fund of fifty, again and again, over all markets."""
    fifty = fifty_fund()
    names = tuple(f"M{m}" for m in range(markets))
    speak, trade = agents // 2, agents - agents // 2 - 5
    signals = tuple(
        replace(seat, name=f"{seat.name}_{i}", markets=names)
        for i, seat in enumerate(islice(cycle(fifty.signals), speak))
    )
    by_kind: dict[str, list[str]] = {}
    for i, seat in enumerate(signals):
        by_kind.setdefault(fifty.signals[i % len(fifty.signals)].name, []).append(seat.name)
    mandates = []
    for i, mandate in enumerate(islice(cycle(fifty.mandates), trade)):
        turn = i // len(fifty.mandates)
        listens = {by_kind[name][turn % len(by_kind[name])]: w for name, w in mandate.listens.items()}
        mandates.append(replace(mandate, name=f"{mandate.name}_{i}", markets=names, listens=listens))
    return replace(
        fifty,
        market=replace(fifty.market, markets=names, interval="5m"),
        signals=signals,
        mandates=tuple(mandates),
        instruments=tuple(Instrument(name, 1e-3, 10.0) for name in names),
    )


def history(fund: Fund, days: int, until_ns: int) -> tuple[Market, Funding]:
    """Made-up bars of 5 minutes, nothing missing, from `days` before the chunk's end."""
    names = fund.market.markets
    first_ns = CHUNK_ENDS_NS - days * DAY_NS
    time_ns = np.arange(first_ns + BAR_NS, until_ns + 1, BAR_NS)
    rng = np.random.default_rng(3)
    steps = rng.standard_normal((len(names), len(time_ns)), np.float32)
    price = 100 * np.exp(0.001 * steps.cumsum(axis=1, dtype=np.float64))
    read = {name for seat in fund.signals for name in seat.agent.reads} | set(BAR_COLUMNS)
    columns = {name: column(name, price, rng).T for name in sorted(read)}
    hours = np.arange(first_ns + 8 * HOUR_NS, until_ns + 1, 8 * HOUR_NS)
    at_ns, market = np.repeat(hours, len(names)), np.tile(np.arange(len(names)), len(hours))
    rate, source = 1e-4 * rng.standard_normal(len(at_ns)), np.ones(len(at_ns), np.int64)
    return Market(names, BAR_NS, time_ns, columns), Funding(at_ns, market, rate, source, ("ASSUMED", "made_up"), {})


def measure(fund: Fund, cycles: int, days: int = WARM_UP_DAYS, after: int = 12, ask: Asker | None = None) -> Took:
    """Feed and decide `cycles` times; the last `after` of them come after the chunk's end."""
    market, funding = history(fund, days, CHUNK_ENDS_NS + after * BAR_NS)
    warm = 13  # one hour, and what is compiled late
    row = len(market) - cycles - warm - 1
    mind = Mind(fund, market[: row + 1], of_time(funding, 0, int(market.time[row])), ask=ask)
    books, markets = len(fund.mandates), len(fund.market.markets)
    wished: tuple[tuple[int, ...], ...] = ((0,) * (books + 1),) * markets
    took = Took([], [])
    for at in range(row + 1, len(market)):
        now = int(market.time[at])
        bar, paid = market[at : at + 1], of_time(funding, mind.last_ns, now)
        started = time.perf_counter()
        mind.feed(bar, paid)
        said = mind.decide(_opened(mind, now, wished, books))
        took.seconds.append(time.perf_counter() - started)
        took.at_ns.append(now)
        wished = tuple((*row, 0) for row in said.wished)
    return Took(took.seconds[warm:], took.at_ns[warm:])


def _opened(mind: Mind, now: int, wished: tuple[tuple[int, ...], ...], books: int) -> Opened:
    """Books that hold what was wished, at an even NAV."""
    nav, markets = 100_000_000_000, len(wished)
    return Opened(
        cycle=now // BAR_NS,
        at_ns=now,
        lots=wished,
        cash_micro=(0,) * (books + 1),
        capital_micro=(nav // books,) * books + (0,),
        nav_micro=nav,
        peak_micro=nav,
        mark_micro=tuple(mind.facts.waiting[-1].facts.mark[0].tolist()),
        age_bars=(0,) * markets,
        throttle=(1.0,) * books,
        fund_throttle=1.0,
        state=0,
        lines=(True,) * markets,
    )


def main() -> None:
    """Measure and say it."""
    agents, markets, cycles, days = (int(word) for word in sys.argv[1:5])
    took = measure(fund_of(agents, markets), cycles, days)
    shares = ", ".join(f"p{p:g} {1e3 * took.share(p):.1f} ms" for p in (50, 90, 99, 100))
    sys.stdout.write(f"{agents} agents, {markets} markets, {cycles} cycles of 5 minutes: {shares}\n")
    worst = sorted(zip(took.seconds, took.at_ns, strict=True), reverse=True)[:5]
    for seconds, at_ns in worst:
        sys.stdout.write(f"  {1e3 * seconds:.1f} ms at minute {at_ns % DAY_NS // MINUTE_NS} of day {at_ns // DAY_NS}\n")


if __name__ == "__main__":
    main()
