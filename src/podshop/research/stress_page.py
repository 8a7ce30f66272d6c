"""The worst days on one page, and as figures: `podshop risk --stress`."""

from pathlib import Path
from typing import Any

import numpy as np

from podshop.nouns import Panel, utc_text
from podshop.report.chart import Chart, Series, chart
from podshop.report.page import environment, percent
from podshop.research.stress import EPISODES, FUNDS, LOST_IN_TRADING, Episode, Market, limits_of, load, replay
from podshop.research.var_history import MARKETS
from podshop.run.config import starter_fund
from podshop.run.opinions import Progress


def stress(root: Path, progress: Progress) -> tuple[dict[str, Any], str]:
    """Replay every episode with every fund.

    root  folder of history
    ->    what `podshop risk --stress --json` prints, and a page that needs nothing else
    """
    market, fund = load(root), starter_fund()
    rows: list[dict[str, Any]] = []
    drawn: list[dict[str, Any]] = []
    for name, weight in FUNDS.items():
        for day, (before, after) in EPISODES.items():
            progress(len(rows), len(FUNDS) * len(EPISODES), day)
            episode = replay(market, fund, limits_of(fund, weight), day, before, after)
            rows.append(row_of(name, day, market, episode))
            drawn.append({**rows[-1], "charts": charts_of(episode)})
    found = {
        "fund": fund.name,
        "markets": list(MARKETS),
        "limits": {"max_weight": FUNDS, "max_gross": fund.limits.max_gross, "max_var": fund.limits.max_var},
        "lost_in_trading": LOST_IN_TRADING,
        "episodes": rows,
    }
    return found, environment().get_template("stress.html").render(found=found, episodes=drawn)


def row_of(name: str, day: str, market: Market, path: Episode) -> dict[str, Any]:
    """One episode in figures."""
    prices = market.prices
    first, last = (int(np.searchsorted(prices.time, path.time[end])) for end in (0, -1))
    index = (prices.mark[first : last + 1] / prices.mark[first]).mean(axis=1)
    return {
        "fund": name,
        "day": day,
        "since": utc_text(int(path.time[0])),
        "until": utc_text(int(path.time[-1])),
        "market": {"worst": _deepest(index), "worst_day": float((index[24:] / index[:-24] - 1).min())},
        "frozen": {"loss": _deepest(path.frozen), "end": float(path.frozen[-1] - 1)},
        "limits": {"loss": _deepest(path.nav), "end": float(path.nav[-1] - 1)},
        "gross": {"start": float(path.gross[0]), "least": float(path.gross.min()), "end": float(path.gross[-1])},
        "var_after_buying": float(np.where(path.bought > 0, path.var / path.max_var, 0.0).max()),
        "var_highest": float((path.var / path.max_var).max()),
        "steps": [{"time": utc_text(int(prices.time[row])), "what": what} for row, what in path.steps],
    }


def _deepest(value: Panel) -> float:
    """The worst loss against the start, <= 0."""
    return float(min((value / value[0] - 1).min(), 0.0))


def charts_of(path: Episode) -> list[Chart]:
    def drawn(value: Panel, style: str, label: str) -> Series:
        return Series(path.time, value, style, label)

    lost = percent(_deepest(path.nav), 1)
    return [
        chart(
            "NAV",
            f"the fund loses {lost}",
            [drawn(path.frozen, "base", "frozen"), drawn(path.nav, "a", "limits act")],
            lambda value: f"{value:.2f}",
        ),
        chart(
            "VaR 95 %",
            f"value at risk and its limit; at most {percent(float(path.var.max()), 1)}",
            [drawn(path.var, "a", "VaR"), drawn(path.max_var, "limit", "limit")],
            lambda value: percent(value, 1),
            bounds=(0.0, 0.0),
        ),
        chart(
            "Gross",
            f"from {percent(float(path.gross[0]), 0)} to {percent(float(path.gross.min()), 0)} of NAV",
            [drawn(path.gross, "a", "held"), drawn(path.allowed, "limit", "allowed")],
            lambda value: percent(value, 0),
            bounds=(0.0, 0.0),
        ),
    ]
