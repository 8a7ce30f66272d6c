"""podshop report"""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer
from podshop.nouns import DAY_NS, ConfigError, utc_ns


def report(
    record: Annotated[Path, Parameter(help="Folder that `podshop backtest --out` wrote.")],
    /,
    *,
    date: Annotated[datetime | None, Parameter(help="Day of the statement, UTC, such as 2023-05-05.")] = None,
    month: Annotated[str | None, Parameter(help="Month of a tear sheet, such as 2023-05.")] = None,
    since_inception: Annotated[bool, Parameter(negative="", help="A tear sheet of the whole run.")] = False,
    check: Annotated[
        Path | None, Parameter(help="A statement or tear sheet to make again and hold against the record.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="File to write: .html, .json or .csv.")] = None,
    json: AsJson = False,
    csv: Annotated[bool, Parameter(negative="", help="Put the statement of a day on stdout as CSV.")] = False,
) -> int:
    """Account for a day of a run, a month or all of it; check a statement, exit code 1 if it does not hold."""
    from podshop.run import accountant

    if [date is not None, month is not None, since_inception, check is not None].count(True) != 1:
        raise ConfigError("podshop report wants one of --date, --month, --since-inception and --check")
    if csv and (json or date is None):
        raise ConfigError("--csv puts the statement of a --date on stdout, and --json would too")
    if check is not None:
        return _check(record, check, json)
    suffixes: tuple[str, ...] = (".html", ".json")
    if date is not None:
        since_ns = utc_ns(date) // DAY_NS * DAY_NS
        found = accountant.account(accountant.read(record), since_ns, since_ns + DAY_NS)
        name, text = f"{found['fund']}-{found['period']['date']}", _statement(found)
        suffixes = (*suffixes, ".csv")
    else:
        found = accountant.tear_sheet(accountant.read(record), month)
        name, text = f"{found['fund']}-{month or 'since-inception'}", _tear(found)
    if out is None and not (json or csv):
        out = Path("out") / (re.sub(r"[^\w.-]+", "-", name) + ".html")
    if out is not None:
        if out.suffix not in suffixes:
            raise ConfigError(f"{out}: expected a name that ends in {' or '.join(suffixes)}")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(accountant.written(found, out.suffix), encoding="utf-8")
        text += f"\n  written     {out}"
    answer(found, text, as_json=json)
    if csv:
        print(accountant.written(found, ".csv"), end="")
    return 0 if found["residuals"]["all_zero"] else 1


def _check(record: Path, file: Path, as_json: bool) -> int:
    from dataclasses import asdict

    from podshop.run import accountant

    found = accountant.check(record, file)
    said = "; ".join(found.findings) or f"the statement of {found.title} is what the record says, to the byte"
    answer(asdict(found), f"{file}: {said}", as_json=as_json)
    return 1 if found.findings else 0


def _statement(found: Mapping[str, Any]) -> str:
    nav, total = found["nav"], found["pnl"]["total"]
    parts = {name: total[f"{name}_micro"] / 1e6 for name in ("price", "funding", "fees", "slippage", "crossing_saved")}
    verdicts = found["verdicts"]
    return "\n".join(
        [
            f"{found['fund']}, {found['period']['date']}",
            *_simulated(found),
            f"  NAV         {nav['open_micro'] / 1e6:,.2f} -> {nav['close_micro'] / 1e6:,.2f} USD",
            f"  P&L         {nav['pnl_micro'] / 1e6:+,.2f} USD net: price {parts['price']:+,.2f}, funding "
            f"{parts['funding']:+,.2f}, fees {-parts['fees']:+,.2f}, slippage {-parts['slippage']:+,.2f}",
            f"              crossing inside saved {parts['crossing_saved']:,.2f} more",
            f"  drawdown    {100 * nav['drawdown']:.2f} % from {nav['high_water_mark_micro'] / 1e6:,.2f} USD of "
            f"{nav['high_water_mark_at'][:10]}",
            f"  orders      {verdicts['wanted']:,} wanted: {verdicts['approve']:,} approved, {verdicts['shrink']:,} "
            f"shrunk, {verdicts['veto']:,} vetoed",
            *_limits(found),
            *_closing(found),
        ]
    )


def _tear(found: Mapping[str, Any]) -> str:
    from podshop.report.tear_page import about

    figures, period, capacity = found["tear"]["stats"], found["period"], found["tear"]["capacity"]
    sharpe = (
        "unknown: under 30 days"
        if figures["sharpe"] is None
        else (f"{figures['sharpe']:.2f} net; 90 % interval {figures['sharpe_low']:.2f} to {figures['sharpe_high']:.2f}")
    )
    holds = {None: "unknown: no impact was paid", 0.0: "none: no gross edge to bear any cost"}.get(capacity["capital"])
    holds = holds or (
        f"about {about(capacity['capital'])}, where impact eats half of the gross edge; 90 % interval "
        f"{about(capacity['low'])} to {about(capacity['high'])}"
    )
    return "\n".join(
        [
            f"{found['fund']}: {period['since'][:10]} to {period['until'][:10]}, every {period['interval']}",
            *_simulated(found),
            f"  return      {100 * figures['return']:+.2f} % net of all costs",
            f"  Sharpe      {sharpe}; trials {found['trials']}",
            f"  drawdown    {100 * figures['max_drawdown']:.2f} % at worst",
            f"  capacity    {holds}",
            *_closing(found),
        ]
    )


def _simulated(found: Mapping[str, Any]) -> list[str]:
    return ["SIMULATED EXCHANGE: not performance"] if found["simulated"] else []


def _limits(found: Mapping[str, Any]) -> list[str]:
    used = ", ".join(
        f"{row['name'][4:]} {100 * row['highest']:.2f} of {100 * row['bound']:.1f} %"
        for row in found["limits"]
        if row["highest"] is not None
    )
    return [f"  limits      highest of the day: {used}"]


def _closing(found: Mapping[str, Any]) -> list[str]:
    if found["residuals"]["all_zero"]:
        return ["  books       close to the micro-dollar", f"  made of     {found['signature']['inputs_sha256']}"]
    return ["  books       DO NOT CLOSE: see residuals"]
