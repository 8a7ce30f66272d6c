"""How fast the signal layer is: all shipped agents over a year of 5-minute bars, and how that grows.

Measured is what a run does before its loop: join the bars to each agent's own, and ask every agent chunk by chunk, on
two threads. Columns are made up, and none is missing, which is the slowest case.
"""

import resource
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

import numpy as np

from podshop.market import resample
from podshop.nouns import BAR_COLUMNS, DAY_NS, MINUTE_NS, Market, Panel, duration_ns
from podshop.run.config.sections import Confidence, SignalSeat
from podshop.run.opinions import Seat
from podshop.signals.roster import ROSTER

BAR_NS = 5 * MINUTE_NS
YEAR_ROWS = 105_120
MARKETS = 30
THREADS = 2
SINCE_NS = 19_358 * DAY_NS


def curves(rounds: int = 3) -> dict[str, Any]:
    """Seconds of all 25 agents, each over ten to fifteen of 30 markets, and how they grow with rows, markets, agents.

    `power` is the slope of log seconds over log size: 1 is linear. Half a minute; best of `rounds` everywhere.
    """
    market = made_up(YEAR_ROWS, MARKETS)
    ask(market, seats_over(25, None), THREADS)  # warm-up: compiled code is loaded
    year = _best(rounds, market, 25, None)
    by_rows = {rows: _best(rounds, market[-rows:], 25, None) for rows in (YEAR_ROWS // 4, YEAR_ROWS // 2, YEAR_ROWS)}
    by_markets = {n: _best(rounds, market.pick(market.names[:n]), 25, n) for n in (5, 10, 20, 30)}
    by_agents = {count: _best(rounds, market, count, None) for count in (25, 50, 100)}
    return {
        "signals": {
            "agents_25_year_5m_seconds": year,
            "agents_25_year_5m_seconds_one_core": _best(1, market, 25, None, threads=1),
            "rows": {**_named(by_rows), "power": power(by_rows)},
            "markets": {**_named(by_markets), "power": power(by_markets)},
            "agents": {**_named(by_agents), "power": power(by_agents)},
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    }


def ask(market: Market, roster: Sequence[SignalSeat], threads: int) -> int:
    """Join bars and ask every agent about all of them; answers how many convictions that gave."""
    with ThreadPoolExecutor(threads) as pool:
        bars = dict(
            pool.map(lambda bar_ns: (bar_ns, resample(_read_at(market, roster, bar_ns), bar_ns)), _lengths(roster))
        )
        return sum(pool.map(lambda seat: _ask(seat, bars[duration_ns(seat.agent.bar)]), roster))


def _ask(seat: SignalSeat, bars: Market) -> int:
    mine = Market(bars.names, bars.interval_ns, bars.time, bars.reads(seat.agent.reads)).pick(seat.markets)
    return Seat(seat, mine, Confidence()).convictions(0, len(mine)).size


def seats_over(agents: int, markets: int | None) -> list[SignalSeat]:
    """The shipped agents, again and again until there are enough, over the first `markets` or ten to fifteen of 30."""
    found = []
    for i, (name, agent) in enumerate(islice(cycle(ROSTER.items()), agents)):
        count = markets or 10 + i % 6
        mine = tuple(f"M{(7 * i + k) % (markets or MARKETS)}" for k in range(count))
        found.append(SignalSeat(name=f"{name}_{i}", kind=name, agent=agent, markets=mine))
    return found


def made_up(rows: int, markets: int, seed: int = 0) -> Market:
    """Columns that every agent can read, of plausible size; not history, and nothing found in it means anything."""
    rng = np.random.default_rng(seed)
    shape = (markets, rows)
    price = np.exp(0.002 * rng.standard_normal(shape, np.float32).cumsum(axis=1, dtype=np.float64))

    reads = {name for agent in ROSTER.values() for name in agent.reads} | set(BAR_COLUMNS)
    columns: dict[str, Panel] = {}
    for name in sorted(reads):
        columns[name] = column(name, price, rng).T
    time_ns = SINCE_NS + np.arange(1, rows + 1) * BAR_NS
    return Market(tuple(f"M{m}" for m in range(markets)), BAR_NS, time_ns, columns)


def column(name: str, price: Panel, rng: np.random.Generator) -> Panel:
    """One (M, T) column."""
    noise: Panel = rng.standard_normal(price.shape, np.float32).astype(np.float64)
    if name in ("open", "close", "spot_close"):
        return np.asarray(price * np.exp(0.0005 * noise))
    if name in ("high", "low"):
        return np.asarray(price * np.exp((0.002 if name == "high" else -0.002) + 0.0001 * noise))
    if name in ("news_tone", "llm_score"):
        return np.asarray(np.tanh(noise))
    if name == "fear_greed":
        return np.asarray(np.clip(np.rint(50 + 20 * noise), 0, 100))
    return np.asarray(1e-5 * noise if name.startswith("funding") else np.floor(1e4 * np.exp(0.3 * noise)))


def power(seconds: dict[int, float]) -> float:
    """Slope of log seconds over log size.

    >>> round(power({10: 1.0, 20: 2.0, 40: 4.0}), 6)
    1.0
    """
    size, took = (np.log(np.array(list(part), dtype=np.float64)) for part in (seconds, seconds.values()))
    return float(((size - size.mean()) * (took - took.mean())).sum() / ((size - size.mean()) ** 2).sum())


def _lengths(roster: Sequence[SignalSeat]) -> list[int]:
    return sorted({duration_ns(seat.agent.bar) for seat in roster})


def _read_at(market: Market, roster: Sequence[SignalSeat], bar_ns: int) -> Market:
    """The columns that somebody reads on bars of this length, and those that make up a bar."""
    names = {name for seat in roster if duration_ns(seat.agent.bar) == bar_ns for name in seat.agent.reads}
    needed = names | set(BAR_COLUMNS) if names & set(BAR_COLUMNS) else names
    return Market(market.names, market.interval_ns, market.time, market.reads(tuple(sorted(needed))))


def _best(rounds: int, market: Market, agents: int, markets: int | None, threads: int = THREADS) -> float:
    roster = seats_over(agents, markets)
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        ask(market, roster, threads)
        took.append(time.perf_counter() - start)
    return min(took)


def _named(seconds: dict[int, float]) -> dict[str, float]:
    return {f"{size}_seconds": took for size, took in seconds.items()}
