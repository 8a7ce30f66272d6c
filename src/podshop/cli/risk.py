"""podshop risk"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer
from podshop.maths import log_return
from podshop.nouns import DAY_NS, HOUR_NS, DataError, Panel, Times, duration_ns, utc_text
from podshop.risk import var
from podshop.risk.covariance import HALF_LIFE_DAYS, KNOWN_FROM_DAYS, WINDOW_DAYS

LEVELS = (0.95, 0.99)
LIMIT_LEVEL = 0.95  # of the fund's VaR limit, and of the contributions
METHODS = {
    "parametric": "normal, shrunk EWMA covariance",
    "historical": "past days at today's volatility",
    "cornish_fisher": "their skewness and kurtosis",
}


def risk(
    folder: Annotated[Path, Parameter(help="Folder that `podshop backtest --out` wrote.")],
    /,
    *,
    json: AsJson = False,
) -> None:
    """Show what a run's last portfolio may lose in a day, how far its limits are, and whose risk it is."""
    found = measure(*read(folder))
    answer(found, _text(found), as_json=json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """What a record says was held at its last NAV row: M markets in B books.

    at_ns       time of that row; nav_micro, gate_var (VaR at 95 % as the gate saw it, fraction of NAV) are its own
    weights     (B, M) position as a fraction of NAV, short < 0
    time, mark  (T,) closes of risk bars up to the row, and (T, M) micro-dollars per lot; NaN = unknown
    bar_ns      length of a risk bar: an hour, or a cycle where that is longer
    """

    at_ns: int
    nav_micro: int
    gate_var: float
    books: tuple[str, ...]
    markets: tuple[str, ...]
    weights: Panel
    time: Times
    mark: Panel
    bar_ns: int


def read(folder: Path) -> tuple[dict[str, Any], Portfolio]:
    """Read a finished record: its result, and its last portfolio. Raises DataError where it is none."""
    import json

    import polars as pl

    if not (folder / "result.json").is_file():
        raise DataError(f"{folder}: no result.json, so this is no record or an unfinished one")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    stamp, code = pl.col("time").to_physical(), pl.col("market").to_physical()
    bar_ns = max(HOUR_NS, duration_ns(result["period"]["interval"]))
    try:
        tables = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in ("nav", "fills", "marks")}
        at_ns, nav_micro, gate_var = tables["nav"].tail(1).select(stamp, "nav_micro", "var").collect().row(0)
        held = (
            tables["fills"]
            .filter(stamp < at_ns)
            .group_by(pl.col("book").to_physical(), code)
            .agg(pl.col("lots").sum())
            .filter(pl.col("lots") != 0)
            .collect()
        )
        marks = (
            tables["marks"]
            .filter(code.is_in(held["market"].unique().to_list()) & ((stamp % bar_ns == 0) | (stamp == at_ns)))
            .select(stamp, code, "mark_micro")
            .collect()
        )
        names = {key: list(tables["fills"].collect_schema()[key].categories) for key in ("book", "market")}  # type: ignore[attr-defined]
    except (pl.exceptions.PolarsError, OSError) as e:
        raise DataError(f"{folder}: the record cannot be read: {e}") from e
    books, book = np.unique(held["book"].to_numpy(), return_inverse=True)
    markets, market = np.unique(held["market"].to_numpy(), return_inverse=True)
    time, row = np.unique(marks["time"].to_numpy(), return_inverse=True)
    mark = np.full((len(time), len(markets)), np.nan)
    mark[row, np.searchsorted(markets, marks["market"].to_numpy())] = marks["mark_micro"].to_numpy()
    lots = np.zeros((len(books), len(markets)))
    lots[book, market] = held["lots"].to_numpy()
    last = mark[-1] if len(time) else np.empty(0)
    if np.isnan(last).any():
        raise DataError(f"{folder}: marks.parquet lacks a mark at {utc_text(at_ns)} of a market that is held")
    on_bar = time % bar_ns == 0
    return result, Portfolio(
        at_ns=at_ns,
        nav_micro=nav_micro,
        gate_var=gate_var,
        books=tuple(names["book"][b] for b in books),
        markets=tuple(names["market"][m] for m in markets),
        weights=lots * last / nav_micro,
        time=time[on_bar],
        mark=mark[on_bar],
        bar_ns=bar_ns,
    )


def measure(result: Mapping[str, Any], held: Portfolio) -> dict[str, Any]:
    """The answer of `podshop risk --json`: losses, limits and contributions as fractions of NAV.

    tails         method -> level -> var, es; None where there is too little history, or no such expansion
    limits        one row each: name, of (which market or method), used, bound, left
    markets, books  weight (net), component (of the parametric VaR at 95 %; they sum to it), share of it
    days, shrinkage, gate_var  days of history that count, how far the covariance was shrunk, the VaR of the NAV row
    """
    weights = held.weights.sum(axis=0)
    sampled = covariance(held)
    matrix = None if sampled is None else sampled.covariance
    scenarios = var.filtered(daily(held), HALF_LIFE_DAYS)
    tails = {
        name: {f"{level:g}": _tail(name, weights, matrix, scenarios, level) for level in LEVELS} for name in METHODS
    }
    marginal = np.full(len(weights), np.nan) if matrix is None else var.marginal_var(weights, matrix, LIMIT_LEVEL)
    return {
        "fund": result["fund"],
        "simulated": result["simulated"],
        "time": utc_text(held.at_ns),
        "nav_usd": held.nav_micro / 1e6,
        "days": len(scenarios),
        "shrinkage": None if sampled is None else sampled.intensity,
        "gate_var": held.gate_var,
        "tails": tails,
        "limits": _limits(result["limits"], held, weights, tails),
        "markets": _shares(held.markets, weights, weights * marginal),
        "books": _shares(held.books, held.weights.sum(axis=1), held.weights @ marginal),
    }


def covariance(held: Portfolio) -> var.Shrunk | None:
    """Of a day, as the gate weighs it (half-life and window), on bars known in all markets; None under ten days."""
    per_day = DAY_NS / held.bar_ns
    returns = log_return(held.mark)[-round(WINDOW_DAYS * per_day) :]
    known = np.isfinite(returns).all(axis=1)
    if known.sum() < KNOWN_FROM_DAYS * per_day or not held.markets:
        return None
    weight = var.ewma_weights(len(returns), HALF_LIFE_DAYS * per_day)[known]
    found = var.shrunk(returns[known], weight / weight.sum())
    return var.Shrunk(found.covariance * per_day, found.intensity)


def daily(held: Portfolio) -> Panel:
    """(D, M) log returns of whole days before the last bar, complete ones."""
    ends = (held.time[-1:] - held.time) % DAY_NS == 0 if len(held.time) else np.empty(0, np.bool_)
    returns = log_return(held.mark[ends])
    return np.asarray(returns[np.isfinite(returns).all(axis=1)])


def _tail(method: str, weights: Panel, matrix: Panel | None, scenarios: Panel, level: float) -> dict[str, float] | None:
    if not weights.any():
        return {"var": 0.0, "es": 0.0}
    found = None
    if method == "historical":
        found = var.historical(weights, scenarios, level)
    elif method == "parametric" and matrix is not None:
        found = var.parametric(weights, matrix, level)
    elif matrix is not None and var.historical(weights, scenarios, level) is not None:  # days enough to see a tail
        found = var.cornish_fisher(var.deviation(weights, matrix), *var.shape(scenarios @ weights), level)
    return None if found is None else {"var": found.var, "es": found.es}


def _limits(
    limits: Mapping[str, float], held: Portfolio, weights: Panel, tails: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """VaR by the largest of the methods, gross, and each market's weight, the fullest first."""
    at_limit = {name: tail["var"] for name, by_level in tails.items() if (tail := by_level[f"{LIMIT_LEVEL:g}"])}
    worst = max(at_limit, key=lambda name: at_limit[name], default=None)
    used = [("max_var", worst, None if worst is None else at_limit[worst]), ("max_gross", "all", np.abs(weights).sum())]
    by_weight = np.argsort(-np.abs(weights), kind="stable")
    used += [("max_weight", held.markets[m], abs(weights[m])) for m in by_weight]
    return [
        {
            "name": name,
            "of": of,
            "used": size,
            "bound": limits[name],
            "left": None if size is None else limits[name] - size,
        }
        for name, of, size in used
    ]


def _shares(names: tuple[str, ...], weights: Panel, component: Panel) -> list[dict[str, Any]]:
    """The largest contribution first."""
    whole = component.sum()
    return [
        {
            "name": names[i],
            "weight": weights[i],
            "component": component[i],
            "share": component[i] / whole if whole > 0 else float("nan"),
        }
        for i in np.argsort(-component, kind="stable")
    ]


def _text(found: Mapping[str, Any]) -> str:
    title = f"{found['fund']} at {found['time']}: NAV {found['nav_usd']:,.2f} USD, {len(found['markets'])} markets held"
    lines = [title, *(["SIMULATED EXCHANGE: these prices never were."] if found["simulated"] else []), ""]
    heads = [f"{what} {100 * level:.0f} %" for level in LEVELS for what in ("VaR", "ES")]
    lines.append(f"  {'loss in a day, of NAV':<44}{''.join(f'{head:>10}' for head in heads)}")
    for name, about in METHODS.items():
        tails = [found["tails"][name][f"{level:g}"] or {} for level in LEVELS]
        cells = "".join(f"{_percent(tail.get(key)):>10}" for tail in tails for key in ("var", "es"))
        lines.append(f"  {name + ': ' + about:<44}{cells}")
    lines += [
        f"  VaR 95 % of the gate: {_percent(found['gate_var'])}; {found['days']:,} days of history; unknown where "
        "these are too few for the level or too bent for the method",
        "",
        f"  {'limit':<44}{'used':>10}{'bound':>10}{'left':>10}",
    ]
    lines += [
        f"  {row['name'] + (', ' + row['of'] if row['of'] else ''):<44}"
        f"{_percent(row['used']):>10}{_percent(row['bound']):>10}{_percent(row['left']):>10}"
        for row in found["limits"]
    ]
    for key in ("markets", "books"):
        lines += ["", f"  {'parametric VaR 95 % by ' + key:<44}{'weight':>10}{'adds':>10}{'share':>10}"]
        lines += [
            f"  {row['name']:<44}{''.join(f'{_percent(row[what]):>10}' for what in ('weight', 'component', 'share'))}"
            for row in found[key]
        ]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "unknown" if value is None or value != value else f"{100 * value:.2f} %"
