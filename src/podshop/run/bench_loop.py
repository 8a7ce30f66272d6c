"""The loop against a bare kernel: the same random walk, opinions, cadences and buffer, in turns in one process."""

import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import DAY_NS, MINUTE_NS, Instrument, Mandate, Panel, Times, Whole
from podshop.nouns.symbols import instrument
from podshop.nouns.verdict import GROSS, VAR
from podshop.run.config import starter_fund
from podshop.run.config.sections import Fund
from podshop.run.loop import Run
from podshop.run.state import Facts, Flags, Rows, Shadows

CYCLES, MARKETS, BOOKS = 105_120, 30, 20
CADENCES = (1, 1, 1, 1, 3, 3, 3, 12, 12, 12, 12, 12, 48, 48, 48, 288, 288, 288, 288, 288)
BAR_NS = 5 * MINUTE_NS
SINCE_NS = 19_358 * DAY_NS
SIGMA_5M = 0.0028
HALF_LIFE_CYCLES = 48  # four hours: how slowly a real opinion changes
YARDSTICK = "PODSHOP_YARDSTICK"  # path of limit_cycle.py; else ../shared/bench/limit_cycle.py is tried
NAMES = (
    "BTC", "ETH", "SOL", "XRP", "LTC", "ADA", "DOGE", "AVAX", "BNB", "TRX", "SUI", "OP", "ARB", "TIA", "WIF", "FIL",
    "LINK", "DOT", "INJ", "APT", "ATOM", "CRV", "DYDX", "ENA", "JUP", "LDO", "ONDO", "SEI", "UNI", "AAVE",
)  # fmt: skip


@dataclass(frozen=True)
class Walk:
    """The yardstick's market: closes and opens (T, M), opinions (T, P, M)."""

    open: Panel
    close: Panel
    opinion: np.ndarray[Any, np.dtype[np.float32]]


def random_walk(cycles: int = CYCLES, seed: int = 0) -> Walk:
    """The same random numbers in the same order as the yardstick draws them."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.002, (cycles, MARKETS)) + rng.normal(0, 0.002, (cycles, 1))
    close = 100 * np.exp(np.cumsum(steps, 0))
    opinion = rng.normal(0, 1, (cycles, BOOKS, MARKETS)).astype(np.float32)
    return Walk(np.vstack([close[:1], close[:-1]]), close, opinion)


def against_yardstick(walk: Walk, volatility_target: float, fee_bps: float, rounds: int) -> dict[str, Any]:
    """Cycles per second of our loop and of the bare kernel, in turns."""
    kernel = _yardstick()
    bare: list[float] = []
    ours: list[LoopRun] = []
    if kernel is not None:
        _bare(kernel, walk, volatility_target, fee_bps)
    for _ in range(rounds):
        if kernel is not None:
            bare.append(seconds_of(lambda: _bare(kernel, walk, volatility_target, fee_bps)))
        ours.append(loop_run(walk, volatility_target, fee_bps))
    cycles = len(walk.close)
    loop_seconds = statistics.median(run.loop_seconds for run in ours)
    all_seconds = statistics.median(run.loop_seconds + run.shadow_seconds + run.risk_seconds for run in ours)
    bare_seconds = statistics.median(bare) if bare else None
    return {
        "cycles_per_second": cycles / loop_seconds,
        "bare_cycles_per_second": cycles / bare_seconds if bare_seconds else None,
        "ratio": loop_seconds / bare_seconds if bare_seconds else None,
        "ratio_with_shadows_and_covariance": all_seconds / bare_seconds if bare_seconds else None,
        "shadow_seconds": statistics.median(run.shadow_seconds for run in ours),
        "covariance_seconds": statistics.median(run.risk_seconds for run in ours),
        "fills": ours[0].counts[1],
        "verdicts": ours[0].counts[3],
        "cycles_cut_by_gross_or_var": loop_run(walk, volatility_target, fee_bps, look=True).cut,
    }


def _yardstick() -> ModuleType | None:
    path = Path(os.environ.get(YARDSTICK, "../shared/bench/limit_cycle.py"))
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("podshop_yardstick", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import numba

    kept, numba.njit = numba.njit, lambda **_: kept(error_model="numpy")  # its cache would lie beside a file not ours
    try:
        spec.loader.exec_module(module)
    finally:
        numba.njit = kept
    return module


def _bare(kernel: ModuleType, walk: Walk, volatility_target: float, fee_bps: float) -> None:
    cycles = len(walk.close)
    sigma = np.full((cycles, MARKETS), SIGMA_5M * np.sqrt(288 * 365))
    kernel.run(
        walk.open, walk.close, sigma, walk.opinion, np.full((cycles, MARKETS), 1e-4), np.array(CADENCES), 1e5,
        volatility_target, np.full(MARKETS, 0.001), fee_bps / 1e4, 0.05, 0.02, 0.1, np.eye(MARKETS) * 1e-4,
    )  # fmt: skip


@dataclass
class LoopRun:
    """What one run of our loop took, and did."""

    loop_seconds: float
    shadow_seconds: float
    risk_seconds: float
    counts: list[int]
    cut: int


def loop_run(walk: Walk, volatility_target: float, fee_bps: float, look: bool = False) -> LoopRun:
    """Run our loop on the yardstick's market, with its fees, limits and sizes; rows are counted and dropped."""
    fund = bench_fund(volatility_target, fee_bps, free=True)
    started = time.perf_counter()
    facts = WalkFacts(walk)
    risk_seconds = time.perf_counter() - started
    said = {m.name: Said(walk.opinion, b) for b, m in enumerate(fund.mandates)}
    run = _Timed(fund, facts, said, Nowhere())  # type: ignore[arg-type]
    counter = _Counter(look)
    run.tables = counter  # type: ignore[assignment]
    started = time.perf_counter()
    run.run(facts.time, lambda done, total, text: None)
    whole = time.perf_counter() - started
    return LoopRun(whole - run.shadow_seconds, run.shadow_seconds, risk_seconds, counter.counts, len(counter.cut))


def bench_fund(volatility_target: float, fee_bps: float, *, free: bool) -> Fund:
    """Twenty books over thirty markets. free: no smallest order, as the yardstick has none."""
    starter = starter_fund()
    mandates = tuple(
        Mandate(
            name=f"book_{b:02d}", horizon="intraday", listens={f"book_{b:02d}": 1.0}, markets=NAMES,
            cadence=f"{5 * cadence}m", volatility_target=volatility_target, buffer=0.1, stop=1e9,
            longest_holding="3650d", cost_budget=1e9,
        )
        for b, cadence in enumerate(CADENCES)
    )  # fmt: skip
    return replace(
        starter,
        market=replace(starter.market, markets=NAMES, interval="5m"),
        mandates=mandates,
        limits=replace(starter.limits, min_order_usd=0.0 if free else 100.0, book_gross=1.0 if not free else 1e9),
        risk=() if free else starter.risk,
        allocator=replace(starter.allocator, kind="equal"),
        venue=replace(starter.venue, taker_fee_bps=fee_bps, half_spread_bps=2.0 if fee_bps else 0.0, impact=0.0),
        instruments=tuple(Instrument(name, 0.001, 0.0) if free else instrument(name) for name in NAMES),
    )


class WalkFacts:
    """The yardstick's market as facts: it always trades, without limit; funding every eight hours."""

    def __init__(self, walk: Walk) -> None:
        cycles = len(walk.close)
        self.time = SINCE_NS + BAR_NS * np.arange(cycles)
        self.scale = np.full(MARKETS, 1e3)
        self.first_trade = np.zeros(MARKETS, np.int64)
        self.mark = np.rint(walk.close * self.scale).astype(np.int64)
        opens = np.rint(walk.open * self.scale).astype(np.int64)
        self._reference = np.vstack([opens[1:], np.zeros((1, MARKETS), np.int64)])
        hourly = np.log(walk.close[12::12] / walk.close[:-12:12])
        self._covariance = np.concatenate([np.eye(MARKETS)[None] * 1e-4, _ewma(hourly)])
        settled = np.arange(0, cycles, 96)
        self._event_row = np.repeat(settled, MARKETS)
        self._events = {
            "funding_at": self.time[self._event_row],
            "funding_market": np.tile(np.arange(MARKETS), len(settled)),
            "funding_rate": np.full(len(self._event_row), 1e-4),
            "funding_source": np.ones(len(self._event_row), np.int64),
        }

    def row(self, at_ns: int) -> int:
        return int(np.searchsorted(self.time, at_ns))

    def sigma_own(self, half_life_ns: int, facts: Facts) -> Panel:
        """The walk is as wild at every pace."""
        return facts.sigma

    def daily_returns(self) -> tuple[Panel, Times]:
        """None: no risk agent looks."""
        return np.zeros((0, MARKETS)), np.zeros(0, np.int64)

    def risk_returns(self, at_ns: int, days: int) -> tuple[Panel, int]:
        """None either."""
        return np.zeros((0, MARKETS)), BAR_NS

    def stretch(self, first: int, last: int) -> Facts:
        rows = np.arange(first, last)
        hours = (last - 1) // 12 - first // 12 + 1
        size = (hours, MARKETS)
        return Facts(
            time=self.time[first:last], mark=self.mark[first:last], age=np.zeros((last - first, MARKETS), np.int64),
            frozen=np.zeros((last - first, MARKETS), np.int32),
            reference=self._reference[first:last],
            mark_before=self.mark[max(first - 1, 0)], reference_before=self._reference[max(first - 1, 0)],
            low=self.mark[first:last], high=self.mark[first:last], carry=np.zeros((last - first, MARKETS)),
            dead=np.zeros((last - first, MARKETS), np.bool_),
            risk_row=rows // 12 - first // 12, covariance=self._covariance[first // 12 : first // 12 + hours],
            sigma=np.full(size, SIGMA_5M * np.sqrt(288)), depth=np.full(size, 1e12),
            liquidity=np.full(size, 1 << 31), queued=np.full(size, 1 << 31),
            funding_until=np.searchsorted(self._event_row, np.arange(first - 1, last), side="right"), **self._events,
        )  # fmt: skip


@compiled
def _ewma(log_return: Panel) -> Panel:
    """The yardstick's hourly covariance, (H, M) -> (H, M, M) daily."""
    hours, markets = log_return.shape
    out = np.empty((hours, markets, markets))
    now = np.eye(markets) * 1e-4
    for h in range(hours):
        for i in range(markets):
            for j in range(markets):
                now[i, j] = 0.99 * now[i, j] + 0.01 * log_return[h, i] * log_return[h, j] * 24
                out[h, i, j] = now[i, j]
    return out


class Said:
    """One book's opinions in place of a signal agent."""

    markets = NAMES

    def __init__(self, opinion: np.ndarray[Any, Any], book: int, first_ns: int = SINCE_NS) -> None:
        self._opinion, self._book, self._first_ns = opinion, book, first_ns

    def voice(self, time: Times) -> tuple[Panel, Whole]:
        first = int(time[0] - self._first_ns) // BAR_NS
        return self._opinion[first : first + len(time), self._book].astype(np.float64), np.arange(len(time))


class _Timed(Run):
    """A run that knows how long its shadow books took."""

    overlap = False
    shadow_seconds = 0.0

    def shadow_targets(self, facts: Facts, strike: Flags) -> tuple[Shadows, Whole]:
        started = time.perf_counter()
        answer = super().shadow_targets(facts, strike)
        self.shadow_seconds += time.perf_counter() - started
        return answer


class Nowhere:
    def write(self, table: str, columns: object, /) -> None:
        """Forget the rows."""


class _Counter:
    """Counts rows instead of handing them on."""

    def __init__(self, look: bool) -> None:
        """look: also at which cycles were cut by gross or VaR, which costs time."""
        self.look = look
        self.counts = [0] * 5
        self.cut: set[int] = set()

    def flush(self, rows: Rows, facts: Facts) -> None:
        self.counts = [n + int(more) for n, more in zip(self.counts, rows.used, strict=True)]
        if self.look:
            verdicts = rows.verdicts[: int(rows.used[3])]
            self.cut.update(verdicts[np.isin(verdicts[:, 5], (GROSS, VAR)), 0].tolist())
        rows.used[:] = 0

    def transfers(self, *_: object) -> None:
        """Not counted."""

    def books(self, *_: object) -> None:
        """Not counted."""

    def costs(self, *_: object) -> None:
        """Not counted."""


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
