"""What's realistic: one strategy, a small fund and the whole fund on the same days, and which of them one should want.

The honest rival of a fund is not the best strategy but the one that *looked* best before anybody knew. So the days are
cut at half-years. At each cut the mandate whose shadow had the best Sharpe ratio in everything before it is chosen;
it trades alone, with the fund's capital and the fund's limits, until the next cut. The two funds choose nothing: each
runs once. Beside the choice stands luck, a mandate drawn at each cut, and hindsight, the best of all, which nobody had.

Source of the idea: Bailey, Borwein, Lopez de Prado & Zhu (2017), "The probability of backtest overfitting", Journal of
Computational Finance 20(4), 39-69: what the best of many backtests is worth is seen in the days after it was chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import default_rng

from podshop.maths.compiled import package_sha256
from podshop.nouns import DAY_NS, SECOND_NS, ConfigError, Panel, Times, Whole, utc_text
from podshop.report.stats import DAYS_A_YEAR, sharpe_interval
from podshop.research.allocation import block_days, blocks, difference, mean_return, sharpe
from podshop.research.alone import Ran, Seen, run_alone, run_fund
from podshop.run.backtest import facts_and_seats
from podshop.run.config import fifty_fund, starter_fund
from podshop.run.config.sections import Fund
from podshop.run.opinions import Progress
from podshop.run.trials import counted
from podshop.run.world import World, read_world

EVIDENCE_DAYS = 90  # before the first cut
FEWEST_DAYS = 60  # after it
DRAWN = 4000
SEED = 6
PATHS = ("one", "starter", "fifty")
PAIRS = (("fifty", "one"), ("starter", "one"), ("fifty", "starter"))
FIGURES = {"sharpe": sharpe, "mean_return": mean_return}

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The answer, and the daily returns it was made of.

    answer  what `podshop realistic --json` prints
    day     (D,) start of each day of the test, UTC ns
    daily   name of a path -> (D,) returns, net of all costs
    """

    answer: Table
    day: Times
    daily: Mapping[str, Panel]


class Fold(NamedTuple):
    """Days [first, last) of the period, and when the first begins."""

    first: int
    last: int
    at_ns: int


def realistic(data: Path | None, since_ns: int | None, until_ns: int | None, progress: Progress) -> Found:
    """Run the starter, the fifty, and every mandate of both alone; compare them on the days of the test.

    data  folder of history; None = a year of the simulated exchange
    since_ns, until_ns  None = as far as there is data for both funds
    Raises ConfigError where there are too few days before the first half-year or after it.
    """
    funds = {"starter": starter_fund(), "fifty": fifty_fund()}
    worlds = same_period({name: read_world(fund, data, since_ns, until_ns) for name, fund in funds.items()})
    times = worlds["fifty"].decision_times()
    tried = {
        name: counted("realistic", fund, worlds[name], ("", *(mandate.name for mandate in fund.mandates)))
        for name, fund in funds.items()
    }
    cuts = folds(np.unique(times[times % DAY_NS == 0]))
    count = len(funds) + sum(len(fund.mandates) for fund in funds.values())
    whole: dict[str, Ran] = {}
    single: dict[str, Ran] = {}
    for name, fund in funds.items():
        shadows = Seen()
        facts, seats = facts_and_seats(fund, worlds[name].market, worlds[name].funding)
        whole[name] = run_fund(
            fund, worlds[name], facts, seats, times, part(progress, len(whole) + len(single), count, name), shadows
        )
        for b, mandate in enumerate(fund.mandates):
            show = part(progress, len(whole) + len(single), count, mandate.name)
            single[f"{name}/{mandate.name}"] = run_alone(fund, b, worlds[name], facts, times, show, shadows)
    seen = np.concatenate([whole[name].shadow for name in funds], axis=1)
    found = judged(funds, worlds["fifty"], whole, single, seen, cuts)
    found.answer["trials_ledger"] = {name: one.note for name, one in tried.items()}
    return found


def same_period(worlds: Mapping[str, World]) -> dict[str, World]:
    """The worlds, over the days that all of them have."""
    since_ns = max(world.since_ns for world in worlds.values())
    until_ns = min(world.until_ns for world in worlds.values())
    return {name: replace(world, since_ns=since_ns, until_ns=until_ns) for name, world in worlds.items()}


def folds(midnights: Times) -> list[Fold]:
    """Half-years of the calendar, from the first that has EVIDENCE_DAYS before it; the last may be short.

    midnights  (D + 1,) UTC ns; day d is between the midnights d and d + 1
    """
    days = len(midnights) - 1
    dates = [datetime.fromtimestamp(int(at) / SECOND_NS, UTC) for at in midnights[:-1]]
    starts = [d for d, date in enumerate(dates) if date.day == 1 and date.month in (1, 7) and d >= EVIDENCE_DAYS]
    if not starts or days - starts[0] < FEWEST_DAYS:
        raise ConfigError(
            f"{max(days, 0)} days hold no half-year to test on: expected {EVIDENCE_DAYS} days before a first of "
            f"January or July and {FEWEST_DAYS} after it"
        )
    return [Fold(a, b, int(midnights[a])) for a, b in zip(starts, [*starts[1:], days], strict=True)]


def choose(seen: Panel, names: Sequence[str], first: int) -> int:
    """Which mandate looks best before day `first`.

    seen  (D, C) what each mandate's shadow made of each day, net of costs: only rows before `first` are read
    ->    the highest Sharpe ratio; where nobody has one yet, or several the same, the first by name
    """
    ratio = sharpe(seen[:first].T) if first > 1 else np.full(len(names), np.nan)
    known = np.where(np.isfinite(ratio), ratio, -np.inf)
    return min(range(len(names)), key=lambda c: (-known[c], names[c]))


def stitched(daily: Panel, gross: Panel, picks: Whole, cuts: Sequence[Fold], cost: float) -> Panel:
    """Returns of those who hold one mandate in each fold.

    daily  (D, C) returns of every mandate alone
    gross  (D, C) what it holds at the start of each day, fraction of NAV
    picks  (R, F) whom each of R investors holds in each fold
    cost   of what is traded: a change sells all that the old mandate holds and buys all that the new one holds
    ->     (R, days of the test)
    """
    parts = []
    for f, cut in enumerate(cuts):
        part = daily[cut.first : cut.last, picks[:, f]].T.copy()
        if f > 0:
            changed = picks[:, f] != picks[:, f - 1]
            traded = gross[cut.first, picks[:, f - 1]] + gross[cut.first, picks[:, f]]
            part[:, 0] -= np.where(changed, traded, 0.0) * cost * (1 + part[:, 0])
        parts.append(part)
    return np.concatenate(parts, axis=1)


def judged(
    funds: Mapping[str, Fund],
    world: World,
    whole: Mapping[str, Ran],
    single: Mapping[str, Ran],
    seen: Panel,
    cuts: Sequence[Fold],
) -> Found:
    """Put the runs side by side.

    whole   the funds by name; single the mandates alone, as `fund/mandate`; all over the same days
    seen    (D, C) what the shadow of each mandate alone made of each day, in the order of `single`
    """
    names = list(single)
    first, last = cuts[0].first, cuts[-1].last
    test = slice(first, last)
    venue = funds["fifty"].venue
    cost = (venue.taker_fee_bps + venue.half_spread_bps) / 1e4
    daily, gross = (np.array([getattr(run, key) for run in single.values()]).T for key in ("daily", "gross"))
    chosen = np.array([[choose(seen, names, cut.first) for cut in cuts]])
    one = stitched(daily, gross, chosen, cuts, cost)[0]
    returns = {"one": one} | {name: run.daily[test] for name, run in whole.items()}
    alike = _volatility(returns["fifty"]) / _volatility(one) if one.std() > 0 else 1.0
    returns["one_scaled"] = one * alike
    held = _held(single, names, chosen[0], cuts)
    paths = {name: held if name == "one" else whole[name].costs(test) for name in PATHS}
    drawn = blocks(len(one), block_days(len(one)))
    day = whole["fifty"].day
    answer: Table = {
        "simulated": world.simulated,
        "period": {
            "since": utc_text(int(day[first])),
            "until": utc_text(int(day[last - 1]) + DAY_NS),
            "interval": funds["fifty"].market.interval,
            "days": last - first,
        },
        "evidence": {
            "since": utc_text(int(day[0])),
            "days": first,
            "with_it": {name: figures(run.daily) for name, run in whole.items()},
        },
        "net": True,
        "trials": {"mandates": len(names), "funds": len(whole), "comparisons": len(PAIRS) * len(FIGURES)},
        "paths": {name: figures(returns[name]) | paths[name] for name in PATHS}
        | {"one_scaled": figures(returns["one_scaled"]) | {"times": alike}},
        "folds": [_fold(f, cut, chosen[0], names, seen, daily, returns, first) for f, cut in enumerate(cuts)],
        "changes": {
            "count": int((np.diff(chosen[0]) != 0).sum()),
            "bps": 1e4 * cost,
            "cost": float((stitched(daily, gross, chosen, cuts, 0.0)[0] - one).sum()),
        },
        "against": {f"{a} - {b}": compared(returns[a], returns[b], drawn, claim=not world.simulated) for a, b in PAIRS},
        "block_days": block_days(len(one)),
        "luck": luck(daily, gross, cuts, cost, returns),
        "hindsight": _hindsight(names, daily[test]),
        "mandates": [{"name": name} | figures(daily[test, c]) for c, name in enumerate(names)],
        "stopped": [name for name, run in {**whole, **single}.items() if run.stopped],
        "decisions_sha256": {name: run.decisions_sha256 for name, run in whole.items()},
        "package_sha256": package_sha256(),
    }
    return Found(answer, day[test], returns)


def figures(daily: Panel) -> Table:
    """Return over the days, annual volatility, annual Sharpe ratio with its 90 % interval, deepest drawdown of days."""
    worth = np.concatenate([[1.0], np.cumprod(1 + daily)])
    low, high = sharpe_interval(daily)
    return {
        "return": float(worth[-1] - 1),
        "volatility": _volatility(daily),
        "sharpe": None if low is None else float(sharpe(daily)),
        "sharpe_low": low,
        "sharpe_high": high,
        "drawdown": float((1 - worth / np.maximum.accumulate(worth)).max()),
    }


def compared(first: Panel, second: Panel, drawn: Whole, *, claim: bool) -> Table:
    """Differences of two paths with intervals; `better`, by Sharpe ratio: yes, no, not shown, None where no claim."""
    found: Table = {name: difference(first, second, figure, drawn) for name, figure in FIGURES.items()}
    low, high = found["sharpe"]["low"], found["sharpe"]["high"]
    found["better"] = None if low is None or not claim else "yes" if low > 0 else "no" if high < 0 else "not shown"
    return found


def luck(daily: Panel, gross: Panel, cuts: Sequence[Fold], cost: float, returns: Mapping[str, Panel]) -> Table:
    """What came of mandates drawn by lot at each cut; who never traded at all has no Sharpe ratio and is left out."""
    picks = default_rng(SEED).integers(daily.shape[1], size=(DRAWN, len(cuts)))
    ratio = sharpe(stitched(daily, gross, picks, cuts, cost))
    known = ratio[np.isfinite(ratio)]
    low, middle, high = np.quantile(known, [0.05, 0.5, 0.95]).tolist() if len(known) else (None, None, None)
    own = {name: float(sharpe(returns[name])) for name in PATHS}
    return {
        "drawn": DRAWN,
        "judged": len(known),
        "low": low,
        "middle": middle,
        "high": high,
        "below": {
            name: float((known < at).mean()) if len(known) and np.isfinite(at) else None for name, at in own.items()
        },
    }


def part(progress: Progress, i: int, count: int, name: str) -> Progress:
    """Progress of one run as a part of all."""
    return lambda done, total, text: progress(i * max(total, 1) + done, count * max(total, 1), f"{name}: {text}")


def _held(single: Mapping[str, Ran], names: Sequence[str], chosen: Whole, cuts: Sequence[Fold]) -> Table:
    """Costs and exposure of whoever was chosen, over the days it was held, changes left out."""
    parts = [
        (cut.last - cut.first, single[names[c]].costs(slice(cut.first, cut.last)))
        for c, cut in zip(chosen, cuts, strict=True)
    ]
    total = sum(days for days, _ in parts)
    return {key: sum(days * costs[key] for days, costs in parts) / total for key in parts[0][1]}


def _fold(
    f: int, cut: Fold, chosen: Whole, names: Sequence[str], seen: Panel, daily: Panel, returns: Mapping[str, Panel],
    first: int,
) -> Table:  # fmt: skip
    """Who was chosen, how it had looked, and how it did."""
    c = int(chosen[f])
    after = sharpe(daily[cut.first : cut.last].T)
    known = np.where(np.isfinite(after), after, -np.inf)
    days = slice(cut.first - first, cut.last - first)
    low, high = sharpe_interval(seen[: cut.first, c])
    return {
        "since": utc_text(cut.at_ns),
        "days": cut.last - cut.first,
        "chosen": names[c],
        "before": {
            "days": cut.first,
            "sharpe": None if low is None else float(sharpe(seen[: cut.first, c])),
            "low": low,
            "high": high,
        },
        "rank_after": int((known > known[c]).sum()) + 1 if np.isfinite(after[c]) else None,
        "of": len(names),
        "after": {name: figures(returns[name][days]) for name in PATHS},
    }


def _hindsight(names: Sequence[str], daily: Panel) -> Table:
    """The mandate with the best Sharpe ratio over the test itself: nobody could have known."""
    ratio = sharpe(daily.T)
    best = int(np.where(np.isfinite(ratio), ratio, -np.inf).argmax())
    return {"name": names[best]} | figures(daily[:, best])


def _volatility(daily: Panel) -> float:
    return float(daily.std(ddof=1) * DAYS_A_YEAR**0.5)
