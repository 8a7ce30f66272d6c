"""A fund for risk agents to look at: three books on four markets, 120 days."""

from dataclasses import replace
from typing import Any

import numpy as np

from podshop.nouns.limits import NORMAL_95, Health, InForce, RiskView, Shadows
from podshop.nouns.time import DAY_NS, HOUR_NS
from podshop.nouns.verdict import RUNNING

BOOKS, FAMILIES, MARKETS = ("a", "b", "c"), ("trend", "trend", "carry"), ("BTC", "ETH", "XRP", "LTC")


def mandate(markets: int = 4, books: int = 3, **changed: Any) -> InForce:
    """Limits of the fund file."""
    return replace(
        InForce(
            version=0, max_weight=np.full(markets, 0.05), max_gross=1.0, max_net=1.0, max_order=0.05, max_var=0.02,
            tail=NORMAL_95, cluster=np.zeros((0, markets), np.bool_), max_cluster=np.zeros(0), throttle=np.ones(books),
            fund_throttle=1.0, state=RUNNING, latched=RUNNING,
        ),
        **changed,
    )  # fmt: skip


def view(seed: int = 1, days: int = 120, **changed: Any) -> RiskView:
    """A quiet fund in a market of correlation 0.5; `version` 7 unless changed."""
    rng = np.random.default_rng(seed)
    bars = 0.03 / np.sqrt(48) * (rng.normal(size=(24 * days, 1)) + rng.normal(size=(24 * days, 4)))
    daily = bars.reshape(days, 24, 4).sum(axis=1)
    shadows = Shadows(
        equity_micro=np.full(3, 10**9), peak_micro=np.full(3, 10**9), volatility_target=np.full(3, 0.2),
        throttle=np.ones(3), daily_return=0.01 * rng.normal(size=(days, 3)),
    )  # fmt: skip
    base = RiskView(
        version=7, at_ns=20_000 * DAY_NS, books=BOOKS, families=FAMILIES, markets=MARKETS, shadows=shadows,
        health=Health(nav_micro=10**9, peak_micro=10**9, throttle=1.0, state=RUNNING, day_open_micro=10**9),
        weights=np.append(rng.normal(0, 0.02, (3, 4)), np.zeros((1, 4)), axis=0),
        covariance=daily.T @ daily / max(days, 1), daily=daily, bars=bars,
        bar_ns=HOUR_NS, mandate=mandate(), in_force=mandate(),
    )  # fmt: skip
    return replace(base, **changed)
