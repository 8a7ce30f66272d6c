"""podshop gate: who may hold capital, and the signatures that allow it."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from podshop.cli.answer import AsJson, answer

gate = App(name="gate", help="Show, promote and demote the agents of a fund.")
Record = Annotated[Path, Parameter(help="Folder that `podshop backtest --out` wrote, or that a live fund writes.")]
FundFile = Annotated[Path, Parameter(help="Fund file that it was made with, TOML.")]
File = Annotated[Path, Parameter(name="--gate", help="File of the signatures; made by the first.")]
Trials = Annotated[
    float | None, Parameter(help="Agents tried, those thrown away too; books, and what `podshop trials` knows of.")
]
Reason = Annotated[str, Parameter(help="Why. It is kept for ever.")]
By = Annotated[str | None, Parameter(help="Who signs; the user of this computer where not said.")]


@gate.command(name="list")
def listing(record: Record, /, *, fund: FundFile, file: File, trials: Trials = None, json: AsJson = False) -> None:
    """Show every book's stage, its evidence, and what would promote it."""
    from podshop.run.config import load
    from podshop.run.gate import signatures, told
    from podshop.run.trials import tries_of

    read = load(fund)
    result = told(signatures(record, read, file, tries_of(read) if trials is None else trials))
    answer(result, "\n".join(_lines(result)), as_json=json)


@gate.command
def promote(
    record: Record,
    book: str,
    /,
    *,
    fund: FundFile,
    file: File,
    reason: Reason,
    by: By = None,
    trials: Trials = None,
    json: AsJson = False,
) -> None:
    """Sign a book's next step up, to seed or to full; refused where the evidence does not allow it."""
    _sign(record, book, None, fund, file, reason, by, trials, json, up=True)


@gate.command
def demote(
    record: Record,
    book: str,
    /,
    *,
    fund: FundFile,
    file: File,
    reason: Reason,
    to: Annotated[str | None, Parameter(help="seed, paper or suspended; one step down where not said.")] = None,
    by: By = None,
    trials: Trials = None,
    json: AsJson = False,
) -> None:
    """Put a book down, at once and whatever its evidence; it begins to prove itself again."""
    _sign(record, book, to, fund, file, reason, by, trials, json, up=False)


def _sign(
    record: Path, book: str, to: str | None, fund: Path, file: Path, reason: str, by: str | None,
    trials: float | None, json: bool, *, up: bool,
) -> None:  # fmt: skip
    from getpass import getuser
    from time import time_ns

    from podshop.run.config import load
    from podshop.run.gate import sign, signatures
    from podshop.run.trials import tries_of

    read = load(fund)
    found = signatures(record, read, file, tries_of(read) if trials is None else trials)
    told = sign(file, read, found, time_ns(), book, to, by or getuser(), reason, up=up)
    answer(told._asdict(), f"{book}: {told.stage}, signed by {told.by}: {told.reason}\n{told.evidence}", as_json=json)


def _lines(result: dict[str, Any]) -> list[str]:
    """A line for each book, and the signatures so far."""
    width = max(len("book"), *(len(book["book"]) for book in result["books"]))
    head = f"{'book':<{width}}  stage       days  evidence   Sharpe     error     PSR     DSR  needs  next step"
    lines = [f"stages at {result['at'] or 'the first day'}; {result['trials']:g} trials", "", head]
    for book in result["books"]:
        figures = "".join(
            _cell(book[name], size) for name, size in (("sharpe", 9), ("error", 10), ("psr", 8), ("dsr", 8))
        )
        needs = "never" if book["needed_days"] is None else f"{book['needed_days']:,}"
        lines.append(
            f"{book['book']:<{width}}  {book['stage']:<10}{book['days']:>6}{book['evidence_days']:>10}{figures}"
            f"{needs if book['sharpe'] is not None and book['next'] else '-':>7}  {book['promotes']}"
            + (f" ({book['why']})" if book["why"] and book["stage"] != "paper" else "")
        )
    if result["signed"]:
        lines += ["", "signed"]
        lines += [
            f"{one['at'][:10]}  {one['book']} to {one['stage']} by {one['by']}: {one['reason']}"
            for one in result["signed"]
        ]
    return lines


def _cell(value: float | None, width: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width}.2f}"
