"""A fund over a period of history: read the world, run the loop, write the record, say what it came to."""

import importlib.metadata
import resource
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from podshop.journal.beside import Beside
from podshop.journal.record import Recorder
from podshop.journal.trials import Count
from podshop.market import data_sha256
from podshop.maths.compiled import package_sha256
from podshop.nouns import DAY_NS, Funding, Market, Times, duration_ns, utc_text
from podshop.nouns.coverage import DataReport
from podshop.nouns.verdict import CODE_NAMES, FILL_KINDS, HOUSE, NET, STATES, VERDICTS
from podshop.report.aggregate import Aggregator, ReportData
from podshop.report.costs import tca
from podshop.report.page import page
from podshop.report.plain import plain
from podshop.report.stats import daily_returns, gross_return, stats
from podshop.report.var_test import var_test
from podshop.risk.gate import HISTORY_DAYS
from podshop.run import kept
from podshop.run.calibrate import show
from podshop.run.config.checks import coarse
from podshop.run.config.sections import Fund
from podshop.run.facts import MarketFacts
from podshop.run.heard import Heard, listen_in, no_opinion, signals
from podshop.run.loop import Run
from podshop.run.opinions import Progress, Seat, seats
from podshop.run.said import said_rows
from podshop.run.tables import Tables
from podshop.run.trials import counted
from podshop.run.warm import warm
from podshop.run.world import World, read_world
from podshop.treasury.proof import proof

GAPS_SHOWN = 20
FAR = 100  # times: from here a lot chosen at the start may no longer suit


def backtest(
    fund: Fund, data: Path | None, since_ns: int | None, until_ns: int | None, out: Path | None, progress: Progress
) -> dict[str, Any]:
    """Replay a period through a fund.

    data      folder of history; None = the simulated exchange
    since_ns, until_ns  decisions are made in [since, until); None = as far as there is data
    out       folder for the record and report.html
    progress  told (done, total, text)
    ->        what `podshop backtest --json` prints: money in USD, returns as fractions, times as UTC text
    """
    started = time.perf_counter()
    world = read_world(fund, data, since_ns, until_ns)
    times = world.decision_times()
    tried = counted("backtest", fund, world)
    compile_seconds = warm(progress)
    books = tuple(mandate.name for mandate in fund.mandates)
    aggregator = Aggregator(books, fund.market.markets, int(times[0]), int(times[-1]))
    with Recorder(out, names_of(fund, world.funding), watchers=(aggregator.add,)) as recorder, ExitStack() as held:
        facts, roster = facts_and_seats(fund, world.market, world.funding)
        heard = listen_in(fund.signals, roster)
        asked = any(seat.calibrated for seat in fund.signals)
        beside = held.enter_context(Beside(out if asked else None, "calibration", names_of(fund, world.funding)))
        shown = show(fund, roster, world.funding, beside.write)
        run = Run(fund, facts, roster, recorder)
        hashes = held.enter_context(Beside(out, "signals", names_of(fund, world.funding)))
        if out is not None:
            run.shadows.watchers.append(lambda time, said: hashes.write(said_rows(time, said)))
        run.tables.markets(fund.instruments)
        cycling = time.perf_counter()
        run.run(times, progress)
        cycle_seconds = time.perf_counter() - cycling
        held.close()
        digests = recorder.close()
        seconds = time.perf_counter() - started
        gathered = aggregator.gather()
        result: dict[str, Any] = plain(
            _result(fund, world, run, gathered, times, heard)
            | deflated(gathered.nav, tried)
            | {
                "data": kept.place_of(data, world),
                "calibration": {name: one.summary() for name, one in shown.items()},
                "decisions_sha256": digests["decisions_sha256"],
                "speed": {
                    "seconds": seconds,
                    "compile_seconds": compile_seconds,
                    "cycles_per_second": (len(times) - 1) / cycle_seconds,
                    "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                },
            }
        )
        recorder.finish(result, page(result, gathered), kept.texts(fund, run.desk.log, run.treasurer.log))
    return result


def facts_and_seats(fund: Fund, market: Market, funding: Funding) -> tuple[MarketFacts, dict[str, Seat]]:
    """What the loop and what the agents need of a market, made side by side."""
    with ThreadPoolExecutor(1) as pool:
        facts = pool.submit(market_facts, fund, market, funding)
        roster = seats(market, fund.signals, fund.confidence)
        return facts.result(), roster


def market_facts(fund: Fund, market: Market, funding: Funding) -> MarketFacts:
    """Facts of the markets under the fund's venue."""
    venue = fund.venue
    return MarketFacts(
        market,
        funding,
        fund.instruments,
        volume_window_ns=duration_ns(venue.volume_window),
        participation=venue.participation,
        collar=fund.limits.collar_bps / 1e4,
        half_spread=venue.half_spread_bps / 1e4,
        impact=venue.impact,
        queue=venue.queue,
    )


def names_of(fund: Fund, funding: Funding) -> Mapping[str, tuple[str, ...]]:
    """What the small whole numbers in the record's name columns stand for."""
    return {
        "market": fund.market.markets,
        "signal": tuple(seat.name for seat in fund.signals),
        "book": (*(mandate.name for mandate in fund.mandates), HOUSE, NET),
        "kind": FILL_KINDS,
        "source": funding.sources,
        "reason": Tables.REASONS,
        "verdict": VERDICTS,
        "code": CODE_NAMES,
    }


def _result(
    fund: Fund, world: World, run: Run, data: ReportData, times: Times, heard: Sequence[Heard]
) -> dict[str, Any]:
    """What the run came to, but for its speed and its hash."""
    end = int(times[-1]) if run.ended_ns is None else run.ended_ns
    nav_micro = data.nav["nav_micro"]
    start_usd, end_usd = fund.capital_usd, int(nav_micro[-1]) / 1e6
    costs = data.costs_usd()
    costs_of_trading = tca(data, {mandate.name: mandate.cost_budget for mandate in fund.mandates})
    first_trade = int(run.facts.first_trade.min())
    return {
        "fund": fund.name,
        "simulated": world.simulated,
        "period": {
            "since": utc_text(int(times[0])),
            "until": utc_text(end),
            "interval": fund.market.interval,
            "cycles": len(nav_micro) - 1,
            "days": (end - int(times[0])) / DAY_NS,
        },
        "nav": {"start": start_usd, "end": end_usd},
        "stats": dict(stats(data.nav["time"], nav_micro)) | {"gross_return": gross_return(start_usd, end_usd, costs)},
        "costs": {
            "fees": costs["fees"],
            "slippage": costs["slippage"],
            "funding": costs["funding"],
            "crossing_saved": costs_of_trading["total"]["crossing_saved"],
        },
        "tca": costs_of_trading,
        "orders": data.orders(),
        "books": {
            "count": len(fund.mandates),
            "residual_lots": int(run.fund.residual[0]),
            "residual_micro": int(run.fund.residual[1]),
            "identity_residual_micro": data.identity_residual_micro,
        },
        "var": {"limit": fund.limits.max_var, "worst": float(data.nav["var"].max())}
        | data.var_test()
        | {"test": var_test(data)},
        "state": {
            "end": STATES[int(run.fund.state[0])],
            "resumed_by_operator": [utc_text(at) for at in run.desk.operator_resumed],
        },
        "limits": {
            "max_weight": fund.limits.max_weight,
            "max_gross": fund.limits.max_gross,
            "max_var": fund.limits.max_var,
            "min_order_usd": fund.limits.min_order_usd,
        },
        "treasury": run.treasurer.summary(fund.allocator.kind),
        "operator": fund.operator,
        "first_tradable": utc_text(max(int(times[0]), first_trade + HISTORY_DAYS * DAY_NS)),
        "assumed_funding_share": dict(world.funding.assumed_share),
        "gaps": _gaps(world.coverage, int(times[0]) - world.market.interval_ns, int(times[-1])),
        "no_opinion": no_opinion(heard),
        "signals": signals(heard, fund.market.markets, int(times[0]), end),
        "notes": _notes(fund, run),
        "seed": world.seed,
        "config_sha256": fund.sha256,
        "data_sha256": data_sha256(world.market, world.funding),
        "package_sha256": package_sha256(),
        "package": f"podshop {importlib.metadata.version('podshop')}",
    }


def deflated(nav: Mapping[str, Any], tried: Count) -> dict[str, Any]:
    """Trials so far, and what is left of a Sharpe ratio beside the best luck of as many: None where nobody counted.

    nav  time and nav_micro of every cycle
    ->   trials, trials_note, deflated: psr, the probability that the true Sharpe ratio is above 0, and dsr, that it is
         above what the best of so many worthless trials would show
    """
    daily = daily_returns(nav["time"], nav["nav_micro"])
    told = None if tried.trials is None else proof(daily, tried.trials)
    return {
        "trials": tried.trials,
        "trials_note": tried.note,
        "deflated": {"psr": None, "dsr": None} if told is None else {"psr": told.psr, "dsr": told.dsr},
    }


def _gaps(coverage: DataReport | None, since_ns: int, until_ns: int) -> list[str]:
    """What there is no data of in [since, until], in words: before a listing, after an end, and holes between."""
    if coverage is None:
        return []
    found = []
    for m in coverage.markets:
        if m.first_ns is None or m.last_ns is None:
            found.append(f"{m.name}: no bars at all")
            continue
        if m.first_ns > since_ns:
            found.append(f"{m.name}: no bars before {utc_text(m.first_ns)}")
        found += [
            f"{m.name}: {gap.bars} bars missing from {utc_text(gap.start_ns)} to {utc_text(gap.end_ns)}"
            for gap in m.gaps
            if gap.end_ns > since_ns
        ]
        if m.last_ns < until_ns:
            found.append(f"{m.name}: no bars after {utc_text(m.last_ns)}")
        if m.zero_volume_bars:
            found.append(f"{m.name}: {m.zero_volume_bars} bars without trading, warm-up included")
    more = len(found) - GAPS_SHOWN
    return found[:GAPS_SHOWN] + ([f"and {more} more"] if more > 0 else [])


def _notes(fund: Fund, run: Run) -> list[str]:
    """What this very run should be read with."""
    notes = coarse(fund)
    invested = fund.limits.max_weight * len(fund.market.markets)
    if invested < fund.limits.max_gross:
        markets = f"{len(fund.market.markets)} markets of at most {fund.limits.max_weight:.0%} each"
        notes.append(f"{markets}: never more than {invested:.0%} invested.")
    if run.ended_ns is not None:
        notes.append(f"The run ended at {utc_text(run.ended_ns)}: NAV had fallen to nothing.")
    for m, instrument in enumerate(fund.instruments):
        mark = run.facts.mark[:, m]
        if mark.max() > 0.001 * fund.capital_usd * 1e6:
            worth = f"{mark.max() / 1e6:,.2f} USD, more than 0.1 % of NAV"
            notes.append(f"A lot of {instrument.name} is worth up to {worth}: sizes are coarse.")
        moved = mark.max() / mark[mark > 0].min() if (mark > 0).any() else 1.0
        if moved > FAR:
            notes.append(f"The price of {instrument.name} moved {moved:,.0f}-fold; its lot stayed the same.")
    return notes
