"""The journal taken elsewhere: facts and postings as Parquet or CSV, or the books as plain-text accounting."""

import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from podshop.journal.beancount import written_as_text
from podshop.journal.chain import Raw
from podshop.journal.flat import TABLES, Values, tables_of
from podshop.journal.store import raw_rows, reading

PIECE = 100_000  # rows of the journal in memory at a time
_TYPES = {int: pl.Int64, float: pl.Float64, str: pl.String}


def export(journal: Path, out: Path, to: str) -> list[Path]:
    """Write the journal into a folder, in bounded memory; answers the files.

    to  parquet | csv: a table per kind of fact that there is, and `postings`; beancount: one file, `books.beancount`
    """
    out.mkdir(parents=True, exist_ok=True)
    with reading(journal) as db:
        found = raw_rows(db)
        if to == "beancount":
            path = out / "books.beancount"
            with path.open("w", encoding="utf-8") as file:
                file.writelines(written_as_text(found))
            return [path]
        return _csv(found, out) if to == "csv" else _parquet(found, out)


def _csv(found: Iterator[Raw], out: Path) -> list[Path]:
    files: list[Path] = []
    for tables in _pieces(found):
        for name, frame in tables.items():
            path = out / f"{name}.csv"
            with path.open("ab" if path in files else "wb") as file:
                frame.write_csv(file, include_header=path not in files)
            files += [path] if path not in files else []
    return files


def _parquet(found: Iterator[Raw], out: Path) -> list[Path]:
    """Pieces first, then one file a table, so that no table needs to fit into memory."""
    parts = out / "parts"
    files: list[Path] = []
    try:
        for number, tables in enumerate(_pieces(found)):
            for name, frame in tables.items():
                (parts / name).mkdir(parents=True, exist_ok=True)
                frame.write_parquet(parts / name / f"{number:08}.parquet")
        for folder in sorted(parts.iterdir()) if parts.is_dir() else []:
            files.append(out / f"{folder.name}.parquet")
            pl.scan_parquet(folder / "*.parquet").sink_parquet(files[-1])
    finally:
        shutil.rmtree(parts, ignore_errors=True)
    return files


def _pieces(found: Iterator[Raw]) -> Iterator[dict[str, pl.DataFrame]]:
    while piece := list(islice(found, PIECE)):
        yield {name: _frame(name, values) for name, values in tables_of(piece).items()}


def _frame(name: str, values: Iterable[Values]) -> pl.DataFrame:
    schema = {"seq": pl.Int64, "at_ns": pl.Int64, **{column: _TYPES[kind] for column, kind in TABLES[name].columns}}
    frame = pl.DataFrame(list(values), schema=schema, orient="row")
    return frame.insert_column(1, frame["at_ns"].cast(pl.Datetime("ns", "UTC")).alias("time"))
