"""What each policy of the treasury would give to the books of a fund, and why: `podshop allocate`."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from podshop.nouns import Panel, utc_text
from podshop.report.stats import sharpe_interval
from podshop.run.allocator import allocator_of
from podshop.run.backtest import market_facts
from podshop.run.config.sections import Fund
from podshop.run.opinions import Progress, seats
from podshop.run.shadow_days import shadow_days
from podshop.run.trials import counted
from podshop.run.world import World
from podshop.treasury import KINDS, Allocation, Allocator, Kind
from podshop.treasury.moves import TOO_FEW_DAYS
from podshop.treasury.shrunk import EVIDENCE_DAYS

REMEMBERED_DAYS = EVIDENCE_DAYS + 1  # as many as the loop keeps


def allocate(fund: Fund, world: World, progress: Progress) -> dict[str, Any]:
    """Run the shadow books of a fund over a period, and share its capital at the last midnight under every policy.

    ->  what `podshop allocate --json` prints: a row for each book; weights are fractions of NAV, Sharpe ratios annual
        and net of costs, with their 90 % interval; None where there is too little to say
    """
    times = world.decision_times()
    tried = counted("allocation", fund, world, usable())
    facts = market_facts(fund, world.market, world.funding)
    heard = seats(world.market, fund.signals, fund.confidence)
    midnights, daily = shadow_days(fund, facts, heard, times, progress)
    agent = allocator_of(fund)
    paths = {kind: weights(replace(agent, kind=kind), daily) for kind in usable()}
    before = paths["shrunk"][-2] if len(daily) else np.full(len(fund.mandates), 1 / len(fund.mandates))
    why = agent.explain(daily[-REMEMBERED_DAYS:], before)
    return {
        "fund": fund.name,
        "simulated": world.simulated,
        "period": {
            "since": utc_text(int(times[0])),
            "until": utc_text(int(times[-1])),
            "interval": fund.market.interval,
            "days": len(daily),
        },
        "at": utc_text(int(midnights[-1])) if len(midnights) else None,
        "policy": fund.allocator.kind,
        "books": [_book(fund, b, daily, why, paths) for b in range(len(fund.mandates))],
        "cash": {kind: float(1 - path[-1].sum()) for kind, path in paths.items()},
        "moved_per_day": {kind: moved_per_day(path) for kind, path in paths.items()},
        "net": True,
        "trials": tried.trials,
        "trials_note": tried.note,
    }


def usable() -> tuple[Kind, ...]:
    """The policies that can be asked here: hrp needs a library that not everybody has."""
    return tuple(kind for kind in KINDS if kind != "hrp" or find_spec("skfolio") is not None)


def weights(agent: Allocator, daily: Panel) -> Panel:
    """(D + 1, B) weights at every midnight of the period, from equal ones on, as the loop would ask for them."""
    now = np.full(daily.shape[1], 1.0 / daily.shape[1])
    path = []
    for day in range(len(daily) + 1):
        now = agent(daily[max(0, day - REMEMBERED_DAYS) : day], now)
        path.append(now)
    return np.array(path)


def moved_per_day(path: Panel) -> float | None:
    """Mean sum of absolute changes of the weights from a day to the next, both ways counted; None of a single day."""
    return float(np.abs(np.diff(path, axis=0)).sum(axis=1).mean()) if len(path) > 1 else None


def _book(fund: Fund, b: int, daily: Panel, why: Allocation, paths: dict[Any, Panel]) -> dict[str, Any]:
    """One row of the answer."""
    mandate, days = fund.mandates[b], why.days[b]
    low, high = sharpe_interval(daily[len(daily) - days :, b])
    early = len(daily) < fund.allocator.window_days
    return {
        "name": mandate.name,
        "horizon": mandate.horizon,
        "days": days,
        "sharpe": why.sharpe[b] if low is not None else None,
        "sharpe_low": low,
        "sharpe_high": high,
        "prior": why.prior[b],
        "posterior": why.posterior[b],
        "wanted": why.wanted[b],
        "weights": {kind: float(path[-1, b]) for kind, path in paths.items()},
        "bound": {kind: [TOO_FEW_DAYS] if early and kind != "equal" else [] for kind in paths}
        | {"shrunk": list(why.bound[b])},
    }
