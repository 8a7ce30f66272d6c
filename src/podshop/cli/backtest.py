"""podshop backtest, podshop demo"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer, progress
from podshop.nouns import utc_ns
from podshop.run.config.sections import Fund


def backtest(
    fund: Annotated[Path, Parameter(help="Fund file, TOML.")],
    /,
    *,
    data: Annotated[Path, Parameter(help="Folder of history: bars/VENUE/INTERVAL/MARKET.parquet, funding/ ...")],
    since: Annotated[datetime | None, Parameter(help="First day, UTC, such as 2022-01-01.")] = None,
    until: Annotated[datetime | None, Parameter(help="First day no longer traded, UTC.")] = None,
    out: Annotated[Path | None, Parameter(help="Folder for the whole record and report.html.")] = None,
    json: AsJson = False,
) -> None:
    """Replay history through a fund and show what it would have earned."""
    from podshop.run.config import load

    _run(load(fund), data, since, until, out, as_json=json)


def demo(
    *,
    out: Annotated[Path, Parameter(help="Folder for the whole record and report.html.")] = Path("out/demo"),
    json: AsJson = False,
) -> None:
    """Run the starter fund offline on a simulated exchange, and write its report."""
    from podshop.run.config import starter_fund

    _run(starter_fund(), None, None, None, out, as_json=json)


def _run(
    fund: Fund,
    data: Path | None,
    since: datetime | None,
    until: datetime | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    from podshop.report.summary import summary
    from podshop.run.backtest import backtest as replay

    with progress() as show:
        since_ns = None if since is None else utc_ns(since)
        until_ns = None if until is None else utc_ns(until)
        result = replay(fund, data, since_ns, until_ns, out, show)
    answer(result, summary(result), as_json=as_json)
    if out is not None:
        print(f"\nreport: {out / 'report.html'}\nrecord: {out} (podshop audit {out})", file=sys.stderr)
