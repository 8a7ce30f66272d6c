"""The facts that resting orders, sizes and costs are made of, against their definitions summed anew at each moment."""

import math

import numpy as np
import pytest

from podshop.market import resample
from podshop.nouns import ASSUMED, DAY_NS, HOUR_NS, Funding, Instrument, Market
from podshop.run.facts import MarketFacts
from tests.reference import measure

DAYS, LISTED_DAY = 60, 25  # the second market comes late, the third has gaps and hours without a trade
LOTS = (1e-5, 1e-3, 1.0)


@pytest.fixture(scope="module", params=[HOUR_NS, HOUR_NS // 2], ids=("1h", "30m"))
def market(request: pytest.FixtureRequest) -> Market:
    interval_ns = request.param
    chance, rows = np.random.default_rng(3), DAYS * DAY_NS // interval_ns
    close = np.array([3e4, 20.0, 0.5]) * np.exp(np.cumsum(chance.normal(0.0, 0.004, (rows, 3)), axis=0))
    opened = np.concatenate([close[:1], close[:-1]]) * np.exp(chance.normal(0.0, 0.001, (rows, 3)))
    high = np.maximum(opened, close) * (1.0 + chance.exponential(0.001, (rows, 3)))
    low = np.minimum(opened, close) * (1.0 - chance.exponential(0.001, (rows, 3)))
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": chance.exponential(9.0, (rows, 3))}
    absent = np.zeros((rows, 3), np.bool_)
    absent[: LISTED_DAY * DAY_NS // interval_ns, 1] = True
    absent[:, 2] = chance.random(rows) < 0.05
    quiet = np.zeros((rows, 3), np.bool_)
    quiet[:, 2] = chance.random(rows) < 0.05
    for name, column in columns.items():
        column[quiet] = 0.0 if name == "volume" else math.nan
        column[absent] = math.nan
    time = (19_000 * DAY_NS + interval_ns * np.arange(1, rows + 1)).astype(np.int64)
    return Market(("A", "B", "C"), interval_ns, time, columns)


@pytest.fixture(scope="module")
def funding(market: Market) -> Funding:
    """Every eight hours, every hour, and now and then; one in five is assumed."""
    chance, begin = np.random.default_rng(4), int(market.time[0])
    hours = [(h, m) for h in range(DAYS * 24) for m in range(3) if (h % 8 == 0, True, chance.random() < 0.06)[m]]
    at_ns = np.array([begin + h * HOUR_NS + m for h, m in hours], np.int64)
    return Funding(
        at_ns=at_ns,
        market=np.array([m for _, m in hours], np.int64),
        rate=chance.normal(0.0, 1e-4, len(hours)),
        source=np.where(chance.random(len(hours)) < 0.2, ASSUMED, 1).astype(np.int64),
        sources=("ASSUMED", "somewhere"),
        assumed_share={},
    )


@pytest.fixture(scope="module")
def facts(market: Market, funding: Funding) -> MarketFacts:
    instruments = tuple(Instrument(name, lot, 10.0) for name, lot in zip(market.names, LOTS, strict=True))
    return MarketFacts(
        market, funding, instruments, volume_window_ns=7 * DAY_NS, participation=0.1, collar=0.01, half_spread=1e-4,
        impact=1.0, queue=0.3,
    )  # fmt: skip


def test_the_range_of_a_bar_is_rounded_inward(market: Market, facts: MarketFacts) -> None:
    stretch = facts.stretch(0, len(market))
    columns = {name: market.columns[name].tolist() for name in ("low", "high", "volume")}
    for k in range(len(market)):
        for m, lot in enumerate(LOTS):
            low, high, volume = (columns[name][k][m] for name in ("low", "high", "volume"))
            expected = measure.bar_range(low, high, volume, lot * 1e6)
            assert (stretch.low[k, m], stretch.high[k, m]) == expected
    assert (stretch.low == 0).any()
    assert (stretch.low > 0).any()


def test_what_a_bar_fills_of_a_queue(market: Market, facts: MarketFacts) -> None:
    stretch = facts.stretch(0, len(market))
    expected = [[measure.queued(d, market.interval_ns, 0.1, 0.3) for d in row] for row in stretch.depth.tolist()]
    assert stretch.queued.tolist() == expected
    assert max(map(max, expected)) > 0


def test_carry_is_the_latest_recorded_rate_an_hour(market: Market, funding: Funding, facts: MarketFacts) -> None:
    stretch = facts.stretch(0, len(market))
    events = list(zip(funding.at_ns.tolist(), funding.market.tolist(), funding.rate.tolist(), strict=True))
    real = [event for event, source in zip(events, funding.source.tolist(), strict=True) if source != ASSUMED]
    of = [[(at, rate) for at, market_, rate in real if market_ == m] for m in range(3)]
    expected = [[measure.carry(of[m], int(t)) for m in range(3)] for t in market.time[::7]]
    np.testing.assert_allclose(stretch.carry[::7], expected, rtol=1e-12)
    assert np.isnan(stretch.carry[:, 2]).any()


@pytest.mark.parametrize("half_life_ns", [6 * HOUR_NS, DAY_NS, 3 * DAY_NS])
def test_a_sigma_of_ones_own(market: Market, facts: MarketFacts, half_life_ns: int) -> None:
    """At every 37th cycle: the window's squares weighed by age, whatever is missing."""
    first, step = 12 * DAY_NS // market.interval_ns, 37
    stretch = facts.stretch(first, len(market))
    own = facts.sigma_own(half_life_ns, stretch)
    hours = resample(market, HOUR_NS)
    for k in range(0, len(market) - first, step):
        complete = int(np.searchsorted(hours.time, stretch.time[k], side="right"))
        for m in range(3):
            sigma = measure.own_sigma(hours.columns["close"][:complete, m].tolist(), HOUR_NS, half_life_ns)
            row = stretch.risk_row[k]
            if not math.isnan(stretch.sigma[row, m]):
                assert own[row, m] == pytest.approx(sigma, rel=1e-9, nan_ok=True), (k, m)
    assert facts.sigma_own(10 * DAY_NS, stretch) is stretch.sigma


def test_a_sigma_of_ones_own_is_unknown_where_the_gates_is(market: Market, facts: MarketFacts) -> None:
    stretch = facts.stretch(0, len(market))
    own = facts.sigma_own(DAY_NS, stretch)
    assert np.isnan(stretch.sigma).any()
    assert np.isnan(own[np.isnan(stretch.sigma)]).all()
