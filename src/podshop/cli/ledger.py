"""podshop ledger: make a journal, check it, take it elsewhere."""

from pathlib import Path
from time import perf_counter
from typing import Annotated, Literal

from cyclopts import App, Parameter

from podshop.cli.answer import AsJson, answer, progress

ledger = App(name="ledger", help="Keep, check and export the books.")
File = Annotated[Path, Parameter(help="The journal.")]


@ledger.command(name="import")
def from_record(
    record: Annotated[Path, Parameter(help="Folder that `podshop backtest --out` wrote.")],
    /,
    *,
    journal: Annotated[Path, Parameter(help="The journal to make; must not be there yet.")],
    json: AsJson = False,
) -> None:
    """Tell a backtest as the facts of a new journal, cycle by cycle."""
    from podshop.journal.from_record import import_record

    began = perf_counter()
    with progress() as show:
        told = import_record(record, journal, lambda done, total: show(done, total, "cycles"))
    speed = told.facts / (perf_counter() - began)
    text = f"{journal}: {told.facts:,} facts of {told.cycles:,} cycles, {speed:,.0f} a second"
    answer({"journal": str(journal), "cycles": told.cycles, "facts": told.facts, "facts_per_second": speed}, text,
           as_json=json)  # fmt: skip


@ledger.command
def verify(
    journal: File,
    /,
    *,
    accept: Annotated[
        bool, Parameter(negative="", help="If every row is good, take the last one as the end, though more were known.")
    ] = False,
    json: AsJson = False,
) -> int:
    """Check the chain, every sum and every identity; exit code 1 and the first bad row if one is wrong."""
    from dataclasses import asdict

    from podshop.journal.verify import accept as take_as_it_is
    from podshop.journal.verify import verify as check

    began = perf_counter()
    if accept:
        result = take_as_it_is(journal)
    else:
        with progress() as show:
            result = check(journal, lambda done, total: show(done, total, "rows"))
    speed = result.rows / (perf_counter() - began)
    if result.first_bad is None:
        text = f"{journal}: {result.rows:,} rows are good ({speed:,.0f} a second)\nlast row  {result.sha256}\n"
        text += f"books     {result.books}"
    else:
        where = f"row {result.first_bad:,}" if result.first_bad else "as a whole"
        text = f"{journal}: {where}: {result.why}"
    answer(asdict(result) | {"rows_per_second": speed}, text, as_json=json)
    return 0 if result.first_bad is None else 1


@ledger.command
def export(
    journal: File,
    out: Annotated[Path, Parameter(help="Folder to write into.")],
    /,
    *,
    to: Annotated[Literal["parquet", "csv", "beancount"], Parameter(help="How to write it.")] = "parquet",
    json: AsJson = False,
) -> None:
    """Write the facts and the postings as tables, or the books as plain-text accounting."""
    from podshop.journal.export import export as write

    files = write(journal, out, to)
    answer({"files": [str(file) for file in files]}, f"{out}: wrote {', '.join(f.name for f in files)}", as_json=json)


@ledger.command
def project(
    journal: File,
    /,
    *,
    to: Annotated[str, Parameter(help="An SQLite file, or postgresql://... (needs podshop[postgres]).")],
    follow: Annotated[bool, Parameter(negative="", help="Go on as the journal grows, until interrupted.")] = False,
    json: AsJson = False,
) -> None:
    """Bring the tables for reports and dashboards up to date with the journal, in SQLite or PostgreSQL."""
    from podshop.journal.projections import run

    last = run(journal, to, follow=follow)
    answer({"to": to, "rows": last}, f"{to}: holds the journal up to row {last:,}", as_json=json)
