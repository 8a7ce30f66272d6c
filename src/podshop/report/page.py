"""The report of a run as one HTML file that needs nothing else: no script, no network, no font, no picture."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2

from podshop.nouns import utc_text
from podshop.report import costs, sections
from podshop.report.aggregate import ReportData
from podshop.report.heat import heat_map

UNKNOWN = "–"


def page(result: Mapping[str, Any], data: ReportData) -> str:
    """Write the report.

    result  the object of `podshop backtest --json`. Needed: fund, simulated, period, nav, stats, costs, orders, books,
            var, decisions_sha256, assumed_funding_share, trials. Shown where present: limits {max_gross, max_weight,
            max_var, min_order_usd}, gaps (lines of text), first_tradable, operator, seed, package, config_sha256,
            data_sha256, speed, notes (lines of text: what this very run should be read with), signals and calibration
            (see `podshop.run.heard.signals` and `podshop.run.calibrate.Shown.summary`), tca (see
            `podshop.report.costs.tca`)
    data    what `Aggregator.gather` gave for the same run
    """
    heard = result.get("signals")
    return environment().get_template("page.html").render(
        result={"calibration": {}, **result},
        stats=result["stats"],
        costs=result["costs"],
        sharpe=sections.sharpe(result),
        charts=sections.charts(result, data),
        small=sections.small_multiples(data),
        months=sections.monthly_returns(data),
        books=sections.books(data),
        markets=sections.markets(result, data),
        verdicts=sections.verdicts(data),
        episodes=sections.episodes(data),
        var=data.var_test(),
        var_tests=sections.var_tests(data),
        waterfall=sections.waterfall(result, data),
        identity=data.identity_residual_micro,
        assumptions=sections.assumptions(result),
        trading=costs.tables(result),
        cost_months=costs.by_month(data),
        heat=heat_map([row["name"] for row in heard["agents"]], heard["correlations"]) if heard else None,
    )  # fmt: skip


@cache
def environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("podshop.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"percent": percent, "usd": usd, "number": number, "count": count, "utc": utc_text}
    return environment


def percent(value: float | None, digits: int = 2, sign: bool = False) -> str:
    """A fraction for people: 0.0123 is 1.23 %."""
    if value is None or math.isnan(value):
        return UNKNOWN
    return _minus(f"{100 * value:{'+' if sign else ''}.{digits}f} %")


def usd(value: float | None, sign: bool = False, digits: int = 0) -> str:
    """Dollars, thousands apart."""
    if value is None or math.isnan(value):
        return UNKNOWN
    text = f"{abs(value):,.{digits}f}"
    minus = value < 0 and float(text.replace(",", "")) != 0
    return f"{'−' if minus else '+' if sign and value > 0 else ''}${text}"


def number(value: float | None, digits: int = 2) -> str:
    """A plain number."""
    return UNKNOWN if value is None or math.isnan(value) else _minus(f"{value:.{digits}f}")


def count(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{value:,.0f}"


def _minus(text: str) -> str:
    """A true minus sign; no sign at all before a zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0. %") else "−" + text[1:]
    return text
