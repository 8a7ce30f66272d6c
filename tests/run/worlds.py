"""Random markets and random desires: gaps, touches, dead markets, tight limits, throttles, flips, ties."""

from typing import Any

import numpy as np

from podshop.nouns import DAY_NS
from podshop.nouns.limits import NORMAL_95
from podshop.nouns.verdict import HALTED_STATE, MAKER, REDUCE_ONLY_STATE, RUNNING, TAKER, TWAP
from podshop.run.state import Facts
from tests.run.books import BEGAN_NS, CAPITAL_MICRO, INTERVAL_NS, Limits, World, terms_for


def random_world(seed: int, markets: int = 3, books: int = 5, cycles: int = 14) -> World:
    """Random desires in a random market: gaps, touches, dead markets, tight limits, throttles, flips."""
    rng = np.random.default_rng(seed)

    def pick(*values: Any, size: Any = None, p: Any = None) -> Any:
        return rng.choice(values, size=size, p=p)

    names = tuple(f"agent {n}" for n in rng.permutation(1000)[:books])
    half_spread = float(pick(0.0, 2e-4, 2e-3))
    terms = terms_for(
        pick(TAKER, MAKER, TWAP, size=books), rng.integers(1, 6, books), names, markets,
        book_gross=float(pick(0.5, 1.0, 50.0)), half_spread=half_spread,
        impact=float(pick(0.0, 0.5)), fee_e8=int(pick(0, 45_000)), maker_fee_e8=int(pick(0, 15_001)),
        min_order_micro=int(pick(0, 100_000_000)),
        min_notional=pick(0, 10_000_000, 1_000_000_000, size=markets).astype(np.int64),
        first_trade=BEGAN_NS - pick(400, 60, 20, size=markets, p=(0.8, 0.1, 0.1)).astype(np.int64) * DAY_NS,
    )  # fmt: skip
    limits = Limits(
        np.full(markets, float(pick(0.05, 0.1, 0.3, 1.0))), float(pick(0.3, 1.0, 3.0)), float(pick(0.005, 0.02, 0.5)),
        float(pick(0.04, 20.0, 20.0, 20.0)), float(pick(0.2, 20.0, 20.0, 20.0)), float(pick(NORMAL_95, 2.0)),
        rng.random((2, markets)) < 0.6, tuple(pick(0.1, 20.0, 20.0, 20.0, size=2).tolist()),
    )  # fmt: skip
    rows_of = cycles + 1
    time = BEGAN_NS + np.arange(rows_of, dtype=np.int64) * INTERVAL_NS
    prices = [_prices(rng, rows_of, half_spread) for _ in range(markets)]
    mark, age, reference, low, high, dead = (np.stack(each, axis=1) for each in zip(*prices, strict=True))
    frozen = _frozen(rng, mark)
    usual = CAPITAL_MICRO / np.maximum(mark.max(axis=0), 1000)
    risk_rows = 3
    sigma = rng.uniform(0.01, 0.06, (risk_rows, markets)) * pick(0.3, 1.0, 3.0, size=(risk_rows, 1))
    loading = rng.normal(size=(risk_rows, markets, 2))
    common = loading @ loading.transpose(0, 2, 1) + np.eye(markets)
    root = np.sqrt(np.einsum("hii->hi", common))
    covariance = common / root[:, :, None] / root[:, None, :] * sigma[:, :, None] * sigma[:, None, :]
    unknown = rng.random(markets) < 0.05
    sigma[:, unknown] = np.nan
    covariance[:, unknown] = 0.0
    covariance[:, :, unknown] = 0.0
    liquidity = (usual * pick(0.0, 0.01, 0.1, 5.0, size=(risk_rows, markets), p=(0.05, 0.15, 0.3, 0.5))).astype(
        np.int64
    )
    queued = (usual * pick(0.0, 0.01, 0.1, 1.0, size=(risk_rows, markets), p=(0.05, 0.25, 0.3, 0.4))).astype(np.int64)
    liquidity[:, unknown] = queued[:, unknown] = 0
    funding_at = np.sort(BEGAN_NS + rng.integers(-9, 10 * cycles + 1, 2 * cycles) * (INTERVAL_NS // 10))
    events = len(funding_at)
    facts = Facts(
        time=time, mark=mark, age=age, frozen=frozen, reference=reference, mark_before=mark[0].copy(),
        reference_before=np.zeros(markets, np.int64), low=low, high=high, carry=np.full(mark.shape, np.nan), dead=dead,
        risk_row=np.sort(rng.integers(0, risk_rows, rows_of)), covariance=np.ascontiguousarray(covariance),
        sigma=sigma, depth=np.where(np.isnan(sigma), np.nan, 10.0 * usual), liquidity=liquidity, queued=queued,
        funding_until=np.searchsorted(funding_at, np.concatenate([[time[0] - INTERVAL_NS], time]), side="right"),
        funding_at=funding_at, funding_market=rng.integers(0, markets, events),
        funding_rate=rng.normal(0.0, 1e-3, events), funding_source=rng.integers(0, 2, events),
    )  # fmt: skip
    target = _targets(rng, rows_of, books, mark, dead)
    throttle = np.ones((rows_of, books))
    for k in range(1, rows_of):
        throttle[k] = np.where(rng.random(books) < 0.05, pick(0.0, 0.5, 1.0, size=books), throttle[k - 1])
    weight = np.full((rows_of, books), np.nan)
    again = rng.random(rows_of) < 0.15
    weight[again] = rng.dirichlet(np.ones(books), int(again.sum())) * 0.99
    state = np.full(rows_of, RUNNING, np.int64)
    if rng.random() < 0.3:
        state[rng.integers(0, rows_of) :] = pick(REDUCE_ONLY_STATE, HALTED_STATE)
    fires = rng.random((rows_of, books)) < pick(0.3, 0.7, 1.0, size=books)
    return World(
        names, terms, limits, facts, target, fires, (target == 0).any(axis=2) & (rng.random((rows_of, books)) < 0.15),
        throttle, weight, state,
    )  # fmt: skip


def _prices(rng: np.random.Generator, rows_of: int, half_spread: float) -> tuple[Any, ...]:
    """One market: mark, age, reference, low, high, dead, each (K,). Bar k opens at reference[k - 1]."""
    mark, age, reference, low, high = (np.zeros(rows_of, np.int64) for _ in range(5))
    dead = np.zeros(rows_of, np.bool_)
    end = int(rng.integers(2, rows_of)) if rows_of > 2 and rng.random() < 0.15 else rows_of
    dead[end:] = True
    listed = int(rng.integers(0, rows_of // 2 + 1)) if rng.random() < 0.15 else 0  # first bar that trades
    price = int(10 ** rng.uniform(5.0, 9.5))
    swing = 10 ** rng.uniform(-3.5, -1.0)
    trades = True
    for k in range(rows_of):
        opened = reference[k - 1] if k else price
        if k >= listed and opened != 0:
            jump = rng.choice((-0.3, 0.3)) if rng.random() < 0.03 else 0.0
            price = max(int(opened * np.exp(swing * rng.normal() + jump)), 1000)
            mark[k], age[k] = price, 0
            low[k], high[k] = _range(rng, int(opened), price, half_spread, swing)
        elif k and mark[k - 1]:
            mark[k], age[k] = mark[k - 1], age[k - 1] + 1
        trades = rng.random() < (0.92 if trades else 0.4)
        if trades and listed - 1 <= k < end - 1:
            reference[k] = max(int(price * np.exp(0.2 * swing * rng.normal())), 1000)
    return mark, age, reference, low, high, dead


def _frozen(rng: np.random.Generator, mark: Any) -> Any:
    """Bars since each mark changed (K, M); now and then a price seems to have stood still since long before."""
    since = np.zeros(mark.shape, np.int32)
    since[0] = np.where(rng.random(mark.shape[1]) < 0.1, 20, 0)
    for k in range(1, len(mark)):
        since[k] = np.where(mark[k] == mark[k - 1], since[k - 1] + 1, 0)
    return since


def _range(rng: np.random.Generator, opened: int, closed: int, half_spread: float, swing: float) -> tuple[int, int]:
    """Low and high of a bar: often to the very limit of an order at the touch, and no further, or a hair beyond."""
    low, high = min(opened, closed), max(opened, closed)
    reach = rng.integers(0, 4, 2)
    limits = int(opened * (1.0 - half_spread)), -int(-(opened * (1.0 + half_spread)) // 1)
    lows = (low, limits[0], limits[0] - 1, int(low * (1.0 - swing * rng.random())))
    highs = (high, limits[1], limits[1] + 1, int(high * (1.0 + swing * rng.random())))
    return max(min(low, lows[reach[0]]), 1), max(high, highs[reach[1]])


def _targets(rng: np.random.Generator, rows_of: int, books: int, mark: Any, dead: Any) -> np.ndarray[Any, Any]:
    """(K, B, M) what shadows want: jumps, flips, exits, a few lots, and often the same as another book."""
    markets = mark.shape[1]
    target = np.zeros((rows_of, books, markets), np.int64)
    usual = CAPITAL_MICRO / np.maximum(mark.max(axis=0), 1000)
    for k in range(rows_of):
        for b in range(books):
            for m in range(markets):
                before = target[k - 1, b, m] if k else 0
                other = target[k, rng.integers(0, b), m] if b else 0
                choices = (
                    before, before, -before, 0, other, -other, before + rng.integers(-3, 4),
                    int(usual[m] * rng.uniform(-0.6, 0.6)), int(usual[m] * rng.uniform(-0.6, 0.6)),
                )  # fmt: skip
                target[k, b, m] = choices[rng.integers(0, len(choices))] if mark[k, m] and not dead[k, m] else 0
    return target
