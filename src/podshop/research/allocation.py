"""Does moving capital pay? The policies of the treasury against an equal share, with the trading that each causes.

The fund is run once for each policy over the same period, everything else the same: walk-forward, since a policy sees
only days that are over. Two runs are compared day by day; days are alike, so they are resampled in blocks.

Sources: Politis & Romano (1994), "The stationary bootstrap", Journal of the American Statistical Association 89(428),
1303-1313; Ledoit & Wolf (2008), "Robust performance hypothesis testing with the Sharpe ratio", Journal of Empirical
Finance 15(5), 850-859 (why the difference of two Sharpe ratios is resampled in pairs and blocks).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
from numpy.random import default_rng

from podshop.nouns import DAY_NS, ConfigError, Panel, Whole, utc_text
from podshop.nouns.verdict import HOUSE
from podshop.report.aggregate import Aggregator
from podshop.report.stats import DAYS_A_YEAR, daily_returns, gross_return, stats
from podshop.research.allocate import moved_per_day
from podshop.research.alone import Follows, Keeps, Seen
from podshop.run.backtest import market_facts
from podshop.run.config.sections import Fund
from podshop.run.opinions import Progress, seats
from podshop.run.tables import Columns
from podshop.run.trials import counted
from podshop.run.world import World
from podshop.treasury import KINDS, Kind

POLICIES = (*KINDS, "shrunk, compounding")
RESAMPLES = 4000
SEED = 20
LEVEL = 0.90
FEWEST_DAYS = 60
DETECTED_AT = 1.6448536269514722 + 0.8416212335729143  # an interval of 90 % excludes 0 with probability 80 %


def compare(fund: Fund, world: World, progress: Progress, kinds: Sequence[str] = POLICIES) -> dict[str, Any]:
    """Run a fund under every policy, and hold each to `equal`. By itself shrunk keeps to the high-water mark.

    ->  period, net of all costs; policies: kind -> its run; against_equal: kind -> differences of the annual Sharpe
        ratio and of the annual mean return, each with its 90 % interval and the difference that so many days can detect
    Raises ConfigError for fewer than FEWEST_DAYS days.
    """
    times = world.decision_times()
    tried = counted("comparison", fund, world, ("equal", *kinds))
    runs, daily, seen = {}, {}, Seen()
    for i, kind in enumerate(dict.fromkeys(("equal", *kinds))):
        progress(i, len(kinds), kind)
        runs[kind], daily[kind] = _run(under(fund, kind), world, times, seen, first=i == 0)
    if len(daily["equal"]) < FEWEST_DAYS or len({len(one) for one in daily.values()}) > 1:
        raise ConfigError(
            f"{min(map(len, daily.values()))} days cannot tell policies apart, expected {FEWEST_DAYS} of each"
        )
    drawn = blocks(len(daily["equal"]), block_days(len(daily["equal"])))
    return {
        "fund": fund.name,
        "simulated": world.simulated,
        "period": {
            "since": utc_text(int(times[0])),
            "until": utc_text(int(times[-1])),
            "interval": fund.market.interval,
            "days": len(daily["equal"]),
        },
        "net": True,
        "trials": len(runs),
        "trials_note": tried.note,
        "block_days": block_days(len(daily["equal"])),
        "policies": runs,
        "against_equal": {
            kind: {
                "sharpe": difference(one, daily["equal"], sharpe, drawn),
                "mean_return": difference(one, daily["equal"], mean_return, drawn),
            }
            for kind, one in daily.items()
            if kind != "equal"
        },
    }


def under(fund: Fund, policy: str) -> Fund:
    """The fund with its capital shared by a policy, and gains past the high-water mark risked where it says so."""
    kind, _, compounding = policy.partition(", ")
    compound: Literal["always", "by_kind"] = "always" if compounding else "by_kind"
    return replace(fund, allocator=replace(fund.allocator, kind=cast(Kind, kind), compound=compound))


def difference(
    first: Panel, second: Panel, figure: Callable[[Panel], Panel], drawn: Whole
) -> dict[str, float | bool | None]:
    """A figure of one series less that of another on the same days.

    first, second  (D,) returns, paired by day
    figure         (..., D) -> (...)
    drawn          (R, D) days of each resample: both series are resampled alike
    ->             value, low, high (90 %), detectable: the true difference that would be found with probability 80 %,
                   not_worse: the interval includes 0 or is above; None where the figure is unknown
    """
    value = float(figure(first) - figure(second))
    again = figure(first[drawn]) - figure(second[drawn])
    again = again[np.isfinite(again)]
    if len(again) < len(drawn) / 2:
        return {"value": None, "low": None, "high": None, "detectable": None, "not_worse": None}
    low, high = np.quantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {
        "value": value,
        "low": float(low),
        "high": float(high),
        "detectable": float(DETECTED_AT * again.std()),
        "not_worse": bool(high >= 0),
    }


def blocks(days: int, length: int, resamples: int = RESAMPLES, seed: int = SEED) -> Whole:
    """(resamples, days) the stationary bootstrap: blocks of random length, `length` on average, of days in a circle."""
    chance = default_rng(seed)
    starts = chance.integers(days, size=(resamples, days))
    begins = chance.random((resamples, days)) < 1 / length
    begins[:, 0] = True
    since = np.maximum.accumulate(np.where(begins, np.arange(days), 0), axis=1)
    drawn: Whole = (np.take_along_axis(starts, since, axis=1) + np.arange(days) - since) % days
    return drawn


def block_days(days: int) -> int:
    """Mean length of a block: days^(1/3), the rate at which it should grow.

    >>> block_days(910)
    10
    """
    return max(1, round(math.pow(days, 1 / 3)))


def sharpe(daily: Panel) -> Panel:
    """Annual Sharpe ratio over a rate of 0; NaN where nothing varies."""
    deviation = daily.std(axis=-1, ddof=1)
    varies = deviation > 0
    return np.asarray(
        np.where(varies, daily.mean(axis=-1) / np.where(varies, deviation, 1.0) * DAYS_A_YEAR**0.5, np.nan)
    )


def mean_return(daily: Panel) -> Panel:
    """Mean return of a year, not compounded."""
    return np.asarray(daily.mean(axis=-1) * DAYS_A_YEAR)


class _Watch:
    """Takes the rows of a run: its NAV and costs, and the weights of each day."""

    def __init__(self, fund: Fund, since_ns: int, until_ns: int) -> None:
        books = tuple(mandate.name for mandate in fund.mandates)
        self.sums = Aggregator(books, fund.market.markets, since_ns, until_ns)
        self.house = len((*books, HOUSE)) - 1
        self.weights: list[Panel] = []

    def write(self, table: str, columns: Columns, /) -> None:
        self.sums.add(table, columns)
        if table == "books" and int(columns["time"][0]) % DAY_NS == 0:
            self.weights.append(columns["weight"][: self.house].copy())


def _run(fund: Fund, world: World, times: Whole, seen: Seen, *, first: bool) -> tuple[dict[str, Any], Panel]:
    """One run: what it came to, and its daily returns. Only the first runs the shadows: they know no policy."""
    watch = _Watch(fund, int(times[0]), int(times[-1]))
    facts = market_facts(fund, world.market, world.funding)
    run: Keeps | Follows
    if first:
        run = Keeps(fund, facts, seats(world.market, fund.signals, fund.confidence), watch)
    else:
        run = Follows(fund, facts, {}, watch)
    run.seen = seen
    run.run(times, lambda *_: None)
    data = watch.sums.gather()
    time, nav = data.nav["time"], data.nav["nav_micro"]
    costs, weights = data.costs_usd(), np.array(watch.weights)
    result: dict[str, Any] = dict(stats(time, nav)) | {
        "gross_return": gross_return(fund.capital_usd, int(nav[-1]) / 1e6, costs),
        "costs_usd": costs["fees"] + costs["slippage"],
        "moved_per_day": moved_per_day(weights),
        "cash": float(1 - weights.sum(axis=1).mean()),
    }
    return result, daily_returns(time, nav)
