"""How fast the fund is on this machine: the loop against a bare kernel, the record, the signals, the whole fund.

The yardstick is a kernel of 20 books x 30 markets x 105,120 cycles that does nothing but mark, size, cap and fill.
It is read from a file that is not part of this package; where it is absent its figures are None. Both run on the same
random walk, the same opinions, cadences and buffer, in turns in one process, and the ratio of medians is given.
"""

import multiprocessing
import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from podshop.feeds.simulated import simulate
from podshop.journal.record import Recorder
from podshop.nouns import DAY_NS, Funding, Market, Times
from podshop.nouns.verdict import CODE_NAMES, FILL_KINDS, HOUSE, NET, VERDICTS
from podshop.run.bench_loop import (
    BAR_NS,
    BOOKS,
    CYCLES,
    HALF_LIFE_CYCLES,
    MARKETS,
    NAMES,
    SINCE_NS,
    Nowhere,
    Said,
    against_yardstick,
    bench_fund,
    random_walk,
    seconds_of,
)
from podshop.run.bench_signals import curves
from podshop.run.config.sections import Fund
from podshop.run.facts import MarketFacts
from podshop.run.loop import Run
from podshop.run.opinions import seats
from podshop.run.tables import Tables
from podshop.run.warm import warm


def bench(rounds: int = 5) -> dict[str, Any]:
    """Measure everything; takes two minutes. Each part has its own process, so that its memory is its own."""
    compile_seconds = warm(lambda done, total, text: None)
    parts = {name: _apart(part, rounds) for name, part in PARTS.items()}
    whole = parts.pop("whole_fund")
    return {
        "compile_seconds": compile_seconds,
        **parts,
        **whole,
        "peak_rss_mb": max(whole["fund"]["peak_rss_mb"], *(part["peak_rss_mb"] for part in parts.values())),
    }


def loop_part(rounds: int) -> dict[str, Any]:
    """The loop against the yardstick."""
    return against_yardstick(random_walk(), 0.2, 5.0, rounds)


def bound_part(rounds: int) -> dict[str, Any]:
    """The same where caps and VaR bind; free of costs, or the fund would soon be ruined and idle."""
    return against_yardstick(random_walk(), 5.0, 0.0, min(rounds, 3))


def fund_part(rounds: int) -> dict[str, Any]:
    """The whole fund."""
    found = whole_fund()
    found["fund"]["peak_rss_mb"] = _peak_mb()
    return found


def signals_part(rounds: int) -> dict[str, Any]:
    """The signal layer and how it grows."""
    return curves(min(rounds, 3))


PARTS = {"loop": loop_part, "loop_bound": bound_part, "whole_fund": fund_part, "signal_layer": signals_part}


def _apart(part: Callable[[int], dict[str, Any]], rounds: int) -> dict[str, Any]:
    """Run one part in a fresh process, and add the most memory it had."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_measured, part, rounds).result()


def _measured(part: Callable[[int], dict[str, Any]], rounds: int) -> dict[str, Any]:
    return part(rounds) | {"peak_rss_mb": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def whole_fund() -> dict[str, Any]:
    """A year of 5-minute cycles of a fund of 20 books on 30 simulated markets, with opinions that change slowly.

    signals  the starter's three agents over all markets, each on its own bar
    fund     facts, shadow books, loop and record, from Market to Parquet
    record   what the record added, measured against the same run without it
    """
    fund = bench_fund(0.2, 5.0, free=False)
    end_ns = SINCE_NS + CYCLES * BAR_NS
    market, funding = simulate(NAMES, BAR_NS, SINCE_NS - 100 * DAY_NS, end_ns, seed=1)
    times = market.time[(market.time >= SINCE_NS)]
    opinion = slow_opinions(len(times))
    roster = seats(market, tuple(replace(s, markets=NAMES) for s in fund.signals), fund.confidence)
    signal_seconds = seconds_of(lambda: [seat.voice(times) for seat in roster.values()])
    bare_seconds = seconds_of(lambda: _run_fund(fund, market, funding, times, opinion, None))
    with tempfile.TemporaryDirectory() as folder:
        seconds = seconds_of(lambda: _run_fund(fund, market, funding, times, opinion, Path(folder) / "record"))
    return {
        "signals": {"seconds": signal_seconds},
        "record": {"seconds": max(seconds - bare_seconds, 0.0)},
        "fund": {
            "seconds": seconds + signal_seconds,
            "cycles_per_second": (len(times) - 1) / (seconds + signal_seconds),
            "without_record_seconds": bare_seconds + signal_seconds,
        },
    }


def slow_opinions(cycles: int, seed: int = 2) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(T, P, M) standard normal opinions that forget half of themselves in four hours."""
    rng = np.random.default_rng(seed)
    keep = 0.5 ** (1 / HALF_LIFE_CYCLES)
    out = np.empty((cycles, BOOKS, MARKETS), np.float32)
    now = rng.normal(size=(BOOKS, MARKETS))
    for row in range(cycles):
        now = keep * now + np.sqrt(1 - keep * keep) * rng.normal(size=(BOOKS, MARKETS))
        out[row] = now
    return out


def _run_fund(
    fund: Fund, market: Market, funding: Funding, times: Times, opinion: np.ndarray[Any, Any], out: Path | None
) -> None:
    venue = fund.venue
    facts = MarketFacts(
        market, funding, fund.instruments, volume_window_ns=7 * DAY_NS, participation=venue.participation,
        collar=fund.limits.collar_bps / 1e4, half_spread=venue.half_spread_bps / 1e4, impact=venue.impact,
        queue=venue.queue,
    )  # fmt: skip
    said = {m.name: Said(opinion, b, int(times[0])) for b, m in enumerate(fund.mandates)}
    if out is None:
        Run(fund, facts, said, Nowhere()).run(times, lambda done, total, text: None)  # type: ignore[arg-type]
        return
    names = {
        "market": fund.market.markets, "book": (*(m.name for m in fund.mandates), HOUSE, NET), "kind": FILL_KINDS,
        "source": funding.sources, "reason": Tables.REASONS, "verdict": VERDICTS, "code": CODE_NAMES,
    }  # fmt: skip
    with Recorder(out, names) as recorder:
        run = Run(fund, facts, said, recorder)  # type: ignore[arg-type]
        run.tables.markets(fund.instruments)
        run.run(times, lambda done, total, text: None)
