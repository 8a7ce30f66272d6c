"""The world of a backtest: history from a folder or the simulated exchange, early enough for its first decision."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from podshop.feeds.parquet import read_market
from podshop.feeds.parquet.period import period
from podshop.feeds.simulated import simulate
from podshop.nouns import DAY_NS, ConfigError, Funding, Market, Times, duration_ns, duration_text, utc_text
from podshop.nouns.coverage import DataReport
from podshop.risk.covariance import GROWN_UP_DAYS, WINDOW_DAYS
from podshop.run.chunks import chunk_ns
from podshop.run.config.sections import Fund
from podshop.run.facts import COVARIANCE_CHUNK_NS

SIMULATED_SEED = 7
SIMULATED_SINCE_NS = 19_358 * DAY_NS  # 2023-01-01
SIMULATED_DAYS = 365


@dataclass(frozen=True, slots=True)
class World:
    """What is known of the markets, and the period it was read for, on the fund's own interval.

    market, funding  from early enough for the first decision, to the end of the period
    coverage         what there was in the files; None for the simulated exchange, which has no gaps
    seed             of the simulated exchange; None for history
    """

    market: Market
    funding: Funding
    coverage: DataReport | None
    seed: int | None
    since_ns: int
    until_ns: int

    @property
    def simulated(self) -> bool:
        return self.coverage is None

    def decision_times(self) -> Times:
        """Bar closes of all decisions in [since, until), and the last NAV row's."""
        time = self.market.time
        times = time[(time >= self.since_ns) & (time <= self.until_ns)]
        if len(times) < 2:
            raise ConfigError(
                f"the period {utc_text(self.since_ns)} to {utc_text(self.until_ns)} holds no decision at an interval "
                f"of {duration_text(self.market.interval_ns)}, expected at least one"
            )
        return times


def read_world(fund: Fund, data: Path | None, since_ns: int | None, until_ns: int | None) -> World:
    """Read every column that the fund's agents read.

    data                folder of history; None = the simulated exchange, which has bars and funding only
    since_ns, until_ns  None = as far as there is data
    Raises ConfigError for a period without data.
    """
    first, last = (
        (SIMULATED_SINCE_NS, SIMULATED_SINCE_NS + SIMULATED_DAYS * DAY_NS)
        if data is None
        else period(data, fund.market)
    )
    since_ns = first if since_ns is None else since_ns
    until_ns = last if until_ns is None else until_ns
    if since_ns >= until_ns:
        raise ConfigError(f"the period is empty: it begins {utc_text(since_ns)} and ends {utc_text(until_ns)}")
    if data is not None:
        if since_ns >= last or until_ns <= first:
            asked = f"{utc_text(since_ns)} to {utc_text(until_ns)}"
            raise ConfigError(f"no data from {asked}, there is {utc_text(first)} to {utc_text(last)}")
        since_ns, until_ns = max(since_ns, first), min(until_ns, last)
    interval_ns = duration_ns(fund.market.interval)
    since_ns, until_ns = -(-since_ns // interval_ns) * interval_ns, until_ns // interval_ns * interval_ns
    reads = {name for seat in fund.signals for name in seat.agent.reads}
    from_ns = warm_up_from(fund, since_ns)
    if data is not None:
        market, funding, coverage = read_market(data, fund.market, from_ns, until_ns, reads)
        return World(market, funding, coverage, None, since_ns, until_ns)
    market, funding = simulate(fund.market.markets, interval_ns, from_ns, until_ns, seed=SIMULATED_SEED)
    unknown = np.full((len(market.names), len(market)), np.nan).T
    columns = {name: unknown for name in reads if name not in market.columns} | dict(market.columns)
    known = Market(market.names, market.interval_ns, market.time, columns)
    return World(known, funding, None, SIMULATED_SEED, since_ns, until_ns)


def warm_up_from(fund: Fund, since_ns: int) -> int:
    """Earliest bar close, exclusive, that any decision at `since` or later depends on."""
    starts = [
        since_ns // COVARIANCE_CHUNK_NS * COVARIANCE_CHUNK_NS - (WINDOW_DAYS + 1) * DAY_NS,
        since_ns - (GROWN_UP_DAYS + 1) * DAY_NS,
    ]
    for seat in fund.signals:
        bar_ns = duration_ns(seat.agent.bar)
        lookback_ns = seat.agent.lookback_bars * bar_ns
        length_ns = chunk_ns(lookback_ns, f"signals.{seat.name}")
        starts.append(since_ns // length_ns * length_ns - lookback_ns - 2 * bar_ns)
    return min(starts) // DAY_NS * DAY_NS
