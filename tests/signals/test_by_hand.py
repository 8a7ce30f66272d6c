"""Every kind of agent against its own definition, spelled out in plain numpy for the last row of one column."""

from math import erf, log, sqrt

import numpy as np
import pytest

from podshop.nouns import Panel
from podshop.signals import AGENTS

ROWS, MARKETS = 60, 5
rng = np.random.default_rng(11)
CLOSE = np.exp(rng.normal(size=(ROWS, 1)).cumsum(0) * 0.02 + rng.normal(size=(ROWS, MARKETS)).cumsum(0) * 0.01)
POSITIVE = np.exp(rng.normal(size=(ROWS, MARKETS)))
OTHER = np.exp(rng.normal(size=(ROWS, MARKETS)) * 0.1)
SIGNED = rng.normal(size=(ROWS, MARKETS)) * 1e-5
R = np.diff(np.log(CLOSE), axis=0)  # R[-1] is the newest return


def c(z: float) -> float:
    return erf(z / sqrt(2))


def zscore(x: np.ndarray, n: int) -> float:
    return float((x[-1] - x[-n:].mean()) / x[-n:].std())


def surprise(x: np.ndarray, recent: int, n: int) -> float:
    return float((x[-recent:].mean() - x[-n:].mean()) / x[-n:].std() / sqrt(1 / recent - 1 / n))


def averages(x: np.ndarray, n: int) -> np.ndarray:
    return np.array([x[max(0, t - n + 1) : t + 1].mean() for t in range(len(x))])


def place(x: np.ndarray, m: int) -> float:
    return float((np.sum(x < x[m]) - np.sum(x > x[m])) / len(x))


def residual(m: int) -> float:
    own, others = R[-20:, m], np.delete(R, m, axis=1)[-20:].mean(axis=1)
    beta, alpha = np.polyfit(others, own, 1)
    left = own - alpha - beta * others
    return c(-(own[-4:].sum() - beta * others[-4:].sum()) / left.std() / 2)


def pair(m: int) -> float:
    y, x = np.log(CLOSE[-20:, m]), np.delete(R, m, axis=1)[-20:].mean(axis=1).cumsum()
    spread = y - np.polyval(np.polyfit(x, y, 1), x)
    before, step = spread[:-1], np.diff(spread)
    pull = (before @ step) / (before @ before)
    noise = ((step - pull * before) ** 2).sum() / (len(y) - 2)
    return c(-spread[-1] / spread.std()) if pull / sqrt(noise / (before @ before)) <= -1.5 else 0.0


def half_life(m: int) -> float:
    price = np.log(CLOSE[-21:, m])
    slope, start = np.polyfit(price[:-1], np.diff(price), 1)
    if not -2 < slope < 0 or log(2) / -log(1 + slope) > 6.0:
        return 0.0
    noise = (np.diff(price) - start - slope * price[:-1]).std()
    return c(-(price[-1] + start / slope) / (noise / sqrt(1 - (1 + slope) ** 2)))


def managed(m: int) -> float:
    trend = R[-20:, m].mean() / R[-20:, m].std() * sqrt(20)
    return c(trend * min(1.0, R[-20:, m].std() / R[-4:, m].std()))


def supply(m: int) -> float:
    growth = np.diff(np.log(POSITIVE[:, m]))
    usual = np.array([np.median(np.abs(growth[max(0, t - 19) : t + 1])) for t in range(len(growth))]) * 5 * 1.4826
    return c(-surprise(np.clip(growth, -usual, usual), 4, 20))


FLOW = (POSITIVE - OTHER) / (POSITIVE + OTHER)
DAY = np.array([POSITIVE[max(0, t - 3) : t + 1].sum(axis=0) for t in range(ROWS)])
BY_HAND = {
    "momentum": ({"window_bars": 20}, [CLOSE], lambda m: c(R[-20:, m].mean() / R[-20:, m].std() * sqrt(20))),
    "relative_momentum": ({"window_bars": 20}, [CLOSE], lambda m: place(R[-20:].sum(axis=0), m)),
    "breakout": (
        {"window_bars": 20},
        [CLOSE],
        lambda m: float(np.clip(np.interp(log(CLOSE[-1, m]), *channel(np.log(CLOSE[-21:-1, m]))), -1, 1)),
    ),
    "managed_momentum": ({"window_bars": 20, "recent_bars": 4}, [CLOSE], managed),
    "reversal": ({"window_bars": 20}, [CLOSE], lambda m: c(-zscore(np.log(CLOSE[:, m]), 20))),
    "residual_reversal": ({"window_bars": 20, "recent_bars": 4}, [CLOSE], residual),
    "pair_spread": ({"window_bars": 20, "bound": -1.5}, [CLOSE], pair),
    "half_life_reversal": ({"window_bars": 20, "half_life_bars": 6.0}, [CLOSE], half_life),
    "liquidity_reversal": (
        {"recent_bars": 4, "window_bars": 20},
        [CLOSE, POSITIVE],
        lambda m: -c(surprise(R[:, m], 4, 20)) * max(0.0, c(surprise(np.log(POSITIVE[:, m]), 4, 20))),
    ),
    "carry": ({"window_bars": 3}, [SIGNED], lambda m: c(1.0 - SIGNED[-3:, m].mean() * 8e4)),
    "funding_reversal": (
        {"recent_bars": 4, "window_bars": 20},
        [SIGNED],
        lambda m: c(-zscore(averages(SIGNED[:, m], 4), 20)),
    ),
    "relative_carry": ({"window_bars": 4}, [SIGNED], lambda m: -place(SIGNED[-4:].mean(axis=0), m)),
    "basis": (
        {"recent_bars": 4, "window_bars": 20},
        [CLOSE, CLOSE * OTHER],
        lambda m: c(-zscore(averages(-np.log(OTHER[:, m]), 4), 20)),
    ),
    "exchange_flow": (
        {"recent_bars": 4, "window_bars": 20},
        [POSITIVE, OTHER],
        lambda m: c(-surprise(FLOW[:, m], 4, 20)),
    ),
    "exchange_supply": ({"recent_bars": 4, "window_bars": 20}, [POSITIVE], supply),
    "network_activity": (
        {"recent_bars": 4, "window_bars": 20},
        [POSITIVE, OTHER],
        lambda m: c(sum(zscore(averages(np.log(x[:, m]), 4), 20) for x in (POSITIVE, OTHER)) / 2),
    ),
    "valuation": ({"window_bars": 20}, [POSITIVE], lambda m: c(-zscore(np.log(POSITIVE[:, m]), 20))),
    "news_tone": ({"recent_bars": 4, "window_bars": 20}, [SIGNED], lambda m: c(zscore(averages(SIGNED[:, m], 4), 20))),
    "news_attention": (
        {"recent_bars": 4, "window_bars": 20},
        [CLOSE, POSITIVE],
        lambda m: c(surprise(R[:, m], 4, 20)) * max(0.0, c(zscore(np.log(1 + DAY[:, m]), 20))),
    ),
    "fear_greed": (
        {},
        [10 * POSITIVE],
        lambda m: float(np.clip((50 - 10 * POSITIVE[-1, m]) / 38.5, -1, 1)),
    ),
    "analyst": ({}, [4e4 * SIGNED], lambda m: 4e4 * SIGNED[-1, m] if abs(4e4 * SIGNED[-1, m]) <= 1 else np.nan),
}


def channel(past: np.ndarray) -> tuple[list[float], list[float]]:
    return [past.min(), past.max()], [-1.0, 1.0]


def test_every_kind_is_spelled_out() -> None:
    assert set(BY_HAND) == set(AGENTS)


@pytest.mark.parametrize("kind", BY_HAND)
def test_an_agent_says_what_its_page_says(kind: str) -> None:
    fields, columns, by_hand = BY_HAND[kind]
    agent = AGENTS[kind](**fields)
    panels: dict[str, Panel] = dict(zip(agent.reads, columns, strict=True))
    found = agent(**panels)[-1]
    np.testing.assert_allclose(found, [by_hand(m) for m in range(MARKETS)], atol=2**-20)
    assert np.ptp(found[np.isfinite(found)]) > 0.01, "columns chosen so that the markets differ"
