"""A tear sheet as a page that needs nothing else."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from podshop.nouns import Panel, Times
from podshop.report.chart import Chart, Series, chart
from podshop.report.page import environment, percent
from podshop.report.statement import NOT_RECORDED
from podshop.report.statement_page import LIMIT_NAMES
from podshop.report.tear import WINDOW

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TINT = 1000  # percent of a cell's colour for a return of 1: full at 10 % a month


def page(found: Mapping[str, Any]) -> str:
    """The tear sheet as HTML.

    found  an account with `tear`, `title` and `trials` (see `podshop.run.accountant.tear_sheet`)
    """
    return (
        environment()
        .get_template("tear.html")
        .render(
            told=found,
            tear=found["tear"],
            stats=found["tear"]["stats"],
            charts=_charts(found["tear"]),
            months=MONTHS,
            tint=lambda value: min(round(abs(value) * TINT), 100),
            families_known=any(row["name"] != NOT_RECORDED for row in found["pnl"]["by_family"][:-1]),
            limit_names=LIMIT_NAMES,
            window=WINDOW,
            about=about,
        )
    )


def about(value: float) -> str:
    """Dollars to two figures, as an estimate deserves.

    >>> about(9_174_878.0)
    '$9.2 million'
    >>> about(412.0)
    '$410'
    """
    rounded = float(f"{value:.2g}")
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if rounded >= size:
            return f"${rounded / size:,.12g}{word}"
    return f"${rounded:,.0f}"


def _charts(tear: Mapping[str, Any]) -> dict[str, Chart]:
    """Those there is enough to draw of."""
    drawn = {}
    path, daily, rolling = tear["path"], tear["daily"], tear["rolling"]
    time = np.array(path["time"], np.int64)
    nav, below = (np.array(path[name], np.float64) for name in ("nav", "drawdown"))
    drawn["nav"] = chart(
        "Net asset value, after all costs",
        f"NAV from {nav[0]:,.0f} to {nav[-1]:,.0f} dollars",
        [Series(time[[0, -1]], np.full(2, nav[0]), "base"), Series(time, nav, "a", "NAV")],
        lambda v: f"${v:,.0f}",
    )
    drawn["drawdown"] = chart(
        "Drawdown from the highest NAV of the period",
        f"worst {percent(float(below.max()), 1)}",
        [Series(time, -below, "loss-area", draw="area"), Series(time, -below, "loss")],
        _percent,
        bounds=(-0.001, 0.0),
        ticks=3,
    )
    if len(daily["time"]) > 1:
        change = np.array(daily["return"])
        at = np.array(daily["time"], np.int64)
        drawn["daily"] = chart(
            "Daily returns, net",
            f"{len(change)} days",
            [
                Series(at, np.where(change >= 0, change, np.nan), "bar", "gains", draw="bars"),
                Series(at, np.where(change < 0, change, np.nan), "bar-breach", "losses", draw="bars"),
            ],
            _percent,
            bounds=(-0.001, 0.001),
        )
    if len(rolling["time"]) > 1:
        drawn |= _rolling(rolling)
    return drawn


def _rolling(rolling: Mapping[str, Any]) -> dict[str, Chart]:
    at: Times = np.array(rolling["time"], np.int64)

    def column(name: str) -> Panel:
        return np.array([np.nan if value is None else value for value in rolling[name]])

    ends = at[[0, -1]]
    return {
        "rolling_sharpe": chart(
            f"Sharpe ratio of the {WINDOW} days before, net",
            "with its 90 % interval",
            [
                Series(ends, np.zeros(2), "base"),
                Series(at, column("sharpe_low"), "limit", "90 % interval"),
                Series(at, column("sharpe_high"), "limit"),
                Series(at, column("sharpe"), "a", "Sharpe"),
            ],
            lambda v: f"{v:g}".replace("-", "−"),
        ),
        "rolling_return": chart(
            f"Return of the {WINDOW} days before, net, and annual volatility",
            "rolling return and volatility",
            [
                Series(ends, np.zeros(2), "base"),
                Series(at, column("return"), "a", "return"),
                Series(at, column("volatility"), "b", "volatility"),
            ],
            _percent,
            bounds=(0.0, 0.001),
        ),
    }


def _percent(value: float) -> str:
    return f"{100 * value:.6g} %".replace("-", "−")
