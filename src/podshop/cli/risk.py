"""podshop risk"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from podshop.cli import limits as in_force
from podshop.cli.answer import AsJson, answer, progress
from podshop.maths import log_return
from podshop.nouns import DAY_NS, HOUR_NS, ConfigError, DataError, Panel, Times, duration_ns, utc_text
from podshop.risk import monitor, var
from podshop.risk.monitor import LEVELS, LIMIT_LEVEL

METHODS = {
    "parametric": "normal, shrunk EWMA covariance",
    "historical": "past days at today's volatility",
    "cornish_fisher": "their skewness and kurtosis",
}


def risk(
    folder: Annotated[Path | None, Parameter(help="Folder that `podshop backtest --out` wrote.")] = None,
    /,
    *,
    history: Annotated[bool, Parameter(negative="", help="Test the VaR on real days since 2020 instead.")] = False,
    stress: Annotated[bool, Parameter(negative="", help="Replay the worst days at the limits instead.")] = False,
    data: Annotated[Path | None, Parameter(help="Folder of history, for --history and --stress.")] = None,
    out: Annotated[Path, Parameter(help="Page that --stress writes.")] = Path("out/stress.html"),
    json: AsJson = False,
) -> None:
    """Show what a run's last portfolio may lose in a day, how far its limits are, and whose risk it is."""
    if [folder is not None, history, stress].count(True) != 1 or (history or stress) != (data is not None):
        raise ConfigError(
            "podshop risk wants one of: the folder of a run; --history or --stress, and --data with a folder of history"
        )
    if folder is not None:
        found = measure(*read(folder))
        answer(found, _text(found), as_json=json)
    elif data is not None and history:
        from podshop.research.var_history import PORTFOLIOS, var_history

        with progress() as show:
            found = var_history(data, list(PORTFOLIOS), show)
        answer(found, _history(found), as_json=json)
    elif data is not None:
        from podshop.research.stress_page import stress as replay

        with progress() as show:
            found, page = replay(data, show)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
        answer(found, f"{_stress(found)}\n\npage: {out}", as_json=json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """What a record says was held at its last NAV row: M markets in B books.

    at_ns       time of that row; nav_micro, gate_var (VaR at 95 % as the gate saw it, fraction of NAV) are its own
    weights     (B, M) position as a fraction of NAV, short < 0
    time, mark  (T,) closes of risk bars up to the row, and (T, M) micro-dollars per lot; NaN = unknown
    bar_ns      length of a risk bar: an hour, or a cycle where that is longer
    office      what the risk office ruled last; None in a record that does not keep it
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
    office: in_force.Office | None = None


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
        office=in_force.read(folder, tuple(names["market"]), tuple(names["book"]), nav_micro),
    )


def measure(result: Mapping[str, Any], held: Portfolio) -> dict[str, Any]:
    """The answer of `podshop risk --json`: losses, limits and contributions as fractions of NAV.

    tails         method -> level -> var, es; None where there is too little history
    limits        one row each: name, of (which market or method), used, bound, left
    markets, books  weight (net), component (of the largest VaR at 95 %; they sum to it), share of it
    days, shrinkage, gate_var  past days that count, how far the covariance was shrunk, the VaR of the NAV row
    """
    weights = held.weights.sum(axis=0)
    bars = log_return(held.mark)[1:]
    sampled = monitor.shrunk_covariance(bars, DAY_NS / held.bar_ns)
    matrix = np.zeros((len(weights), len(weights))) if sampled is None else sampled.covariance
    last_ns = int(held.time[-1]) if len(held.time) else held.at_ns
    found = monitor.PortfolioMonitor().measure(weights, matrix, bars, daily(held), held.bar_ns, last_ns)
    tails = {
        method: {f"{level:g}": _tail(weights, sampled, tail) for level, tail in by_level.items()}
        for method, by_level in found.tails.items()
    }
    marginal = np.full(len(weights), np.nan) if sampled is None else found.marginal
    return {
        "fund": result["fund"],
        "simulated": result["simulated"],
        "time": utc_text(held.at_ns),
        "nav_usd": held.nav_micro / 1e6,
        "days": found.days,
        "shrinkage": found.shrinkage,
        "gate_var": held.gate_var,
        "tails": tails,
        "limits": _limits(result["limits"], held, weights, tails),
        "office": None if held.office is None else in_force.told(held.office),
        "markets": _shares(held.markets, weights, weights * marginal),
        "books": _shares(held.books, held.weights.sum(axis=1), held.weights @ marginal),
    }


def daily(held: Portfolio) -> Panel:
    """(D, M) log returns of whole days, the last of which ended with or before the last bar."""
    midnight = held.time % DAY_NS == 0
    return log_return(held.mark[midnight])[1:]


def _tail(weights: Panel, sampled: var.Shrunk | None, found: var.Tail | None) -> dict[str, float] | None:
    if not weights.any():
        return {"var": 0.0, "es": 0.0}
    return None if found is None or sampled is None else {"var": found.var, "es": found.es}


def _limits(
    limits: Mapping[str, float], held: Portfolio, weights: Panel, tails: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """VaR by the largest of the methods, gross, and each market's weight, the fullest first."""
    at_limit = {name: tail["var"] for name, by_level in tails.items() if (tail := by_level[f"{LIMIT_LEVEL:g}"])}
    worst = max(at_limit, key=lambda name: at_limit[name], default=None)
    used = [("max_var", worst, None if worst is None else at_limit[worst]), ("max_gross", "all", np.abs(weights).sum())]
    by_weight = np.argsort(-np.abs(weights), kind="stable")
    used += [("max_weight", held.markets[m], abs(weights[m])) for m in by_weight]
    if held.office is not None:
        return in_force.rows(held.office, used, held.gate_var, dict(zip(held.markets, weights.tolist(), strict=True)))
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
        "these are too few for the level",
        "",
        f"  {'limit':<44}{'used':>10}{'bound':>10}{'left':>10}",
    ]
    lines += [
        f"  {_short(row['name'] + (', ' + row['of'] if row['of'] else '')):<44}"
        + "".join(f"{_percent(row[what]):>10}" for what in ("used", "bound", "left"))
        + (f"  {row['by']}" if row.get("by") else "")
        for row in found["limits"]
    ]
    if found["office"] is not None:
        lines += ["", *in_force.lines(found["office"])]
    for key in ("markets", "books"):
        lines += ["", f"  {'largest VaR 95 % by ' + key:<44}{'weight':>10}{'adds':>10}{'share':>10}"]
        lines += [
            f"  {row['name']:<44}{''.join(f'{_percent(row[what]):>10}' for what in ('weight', 'component', 'share'))}"
            for row in found[key]
        ]
    return "\n".join(lines)


def _history(found: Mapping[str, Any]) -> str:
    """A line for each portfolio and method: exceedances of how many accepted, and what the tests say."""
    lines = [
        f"VaR of fixed weights on {found['venue']}, {found['days']:,} days from {found['since'][:10]} to "
        f"{found['until'][:10]}: days that lost more, how many Kupiec's test accepts, verdict",
        "",
        _row("", [f"{100 * level:.0f} %" for level in LEVELS]),
    ]
    for portfolio in found["portfolios"]:
        for method in portfolio["methods"]:
            cells = []
            for level in method["levels"]:
                fewest, most = level["accepted"]
                told = level["verdict"] + (f" ({', '.join(level['why'])})" if level["why"] else "")
                cells.append(f"{level['exceedances']} of {fewest}-{most}, {told}")
            lines.append(_row(f"{portfolio['name']}, {method['name']}", cells))
        controls = [level["control"] for level in portfolio["methods"][-1]["levels"]]
        cells = [f"{control['exceedances']}, {control['verdict']}" for control in controls]
        lines.append(_row(f"{portfolio['name']}, largest x 0.7", cells))
    return "\n".join(lines)


def _stress(found: Mapping[str, Any]) -> str:
    """A line for each fund and episode."""
    lines = [
        f"{found['fund']} at its limits, long {', '.join(found['markets'])}; losses of the NAV at the start",
        "",
        f"  {'':<24}{'market':>10}{'frozen':>10}{'limits':>10}{'end':>10}{'gross':>10}{'least':>10}  acted",
    ]
    for row in found["episodes"]:
        figures = (row["market"]["worst"], row["frozen"]["loss"], row["limits"]["loss"], row["limits"]["end"])
        cells = "".join(f"{_percent(value):>10}" for value in (*figures, row["gross"]["start"], row["gross"]["least"]))
        lines.append(f"  {row['fund'] + ', ' + row['day']:<24}{cells}  {len(row['steps']) - 1} steps")
    return "\n".join(lines)


def _row(name: str, cells: Sequence[str]) -> str:
    return f"  {name:<28}" + "".join(f"{cell:<36}" for cell in cells)


def _short(label: str) -> str:
    return label if len(label) <= 43 else f"{label[:40]}..."


def _percent(value: float | None) -> str:
    return "unknown" if value is None or value != value else f"{100 * value:.2f} %"
