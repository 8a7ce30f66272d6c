"""podshop audit"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer


def audit(
    folder: Annotated[Path, Parameter(help="Folder that `podshop backtest --out` wrote.")],
    /,
    *,
    json: AsJson = False,
) -> int:
    """Recompute a run's cash, lots, books and NAV from its Parquet files; exit code 1 if a row is wrong."""
    from dataclasses import asdict

    from podshop.journal.audit import audit as recompute

    result = recompute(folder)
    rows = sum(result.rows.values())
    if result.first is None:
        text = f"{folder}: {rows:,} rows agree with all {result.rules} rules, to the micro-dollar"
    else:
        text = f"{folder}: {len(result.bad)} of {result.rules} rules are broken; first: {result.first}"
    answer(asdict(result), text, as_json=json)
    return 0 if result.first is None else 1
