"""Statements of a finished record: read it, account for a day, sign what the statement was made of, check one again.

Only the record's own files are read: its Parquet tables and result.json, and, where a record has them, fund.json (which
family of signals an agent listens to most), limits.jsonl (limits in force) and capital.jsonl (why capital moved).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from podshop.journal.record import CAPITAL, LIMITS, RESULT, combined
from podshop.journal.tables import TABLES
from podshop.maths.compiled import package_sha256
from podshop.nouns import DAY_NS, DataError, utc_ns, utc_text
from podshop.report import accounts, capital, statement_page, tear_page
from podshop.report.accounts import Record
from podshop.report.moves import EVIDENCE_DAYS
from podshop.report.plain import plain
from podshop.report.statement import statement
from podshop.report.tear import tear
from podshop.treasury.proof import proof

FUND = "fund.json"
ALL = "since inception"
TERMS = ("fund", "simulated", "period", "limits", "decisions_sha256", "config_sha256", "data_sha256", "package_sha256")
LOOKS_BACK = {"books": (EVIDENCE_DAYS + 1) * DAY_NS}  # moves are explained by earlier daily rows


def read(folder: Path) -> Record:
    """Read a finished record. Raises DataError where it is none, or a table lacks a column."""
    if not (folder / RESULT).is_file():
        raise DataError(f"{folder}: no {RESULT}, so this is no record or an unfinished one")
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    tables: dict[str, dict[str, NDArray[Any]]] = {}
    names: dict[str, tuple[str, ...]] = {}
    for table in TABLES:
        tables[table], found = _table(folder / f"{table}.parquet", table)
        names |= {column: known for column, known in found.items() if len(known) > len(names.get(column, ()))}
    horizon, family, policy = _mandates(folder, result)
    return Record(
        result=result,
        tables=tables,
        names=names,
        horizon=horizon,
        family=family,
        policy=policy,
        rulings=_lines(folder / LIMITS),
        allocations=_lines(folder / CAPITAL),
    )


def account(record: Record, since_ns: int, until_ns: int) -> dict[str, Any]:
    """The statement of [since, until), signed. Raises DataError where the run has nothing of it."""
    found = _unsigned(record, since_ns, until_ns)
    return found | {"signature": sign(record, since_ns, until_ns, found)}


def _unsigned(record: Record, since_ns: int, until_ns: int) -> dict[str, Any]:
    time = record.tables["nav"]["time"]
    first, last = int(time[0]), int(time[-1])
    if since_ns >= last or until_ns <= first:
        raise DataError(f"the run goes from {utc_text(first)} to {utc_text(last)}: {utc_text(since_ns)} is not in it")
    return statement(record, since_ns, until_ns)


def tear_sheet(record: Record, month: str | None) -> dict[str, Any]:
    """The account of a month, such as 2023-05, or of the whole run, signed; with the figures of a tear sheet."""
    time = record.tables["nav"]["time"]
    since_ns, until_ns = (int(time[0]), int(time[-1])) if month is None else month_bounds(month)
    since_ns = max(since_ns, int(time[0]))
    found = _unsigned(record, since_ns, until_ns)
    shown = tear(record, found, since_ns, until_ns)
    found |= {
        "title": month or ALL,
        "trials": tried(record.result.get("trials"), record.result.get("trials_note"), shown["daily"]["return"]),
        "tear": plain(shown),
    }
    return found | {"signature": sign(record, since_ns, until_ns, found)}


def tried(trials: int | None, note: str | None, daily: list[float]) -> str | None:
    """How many trials stand behind a record, in words, and what they leave of its Sharpe ratio."""
    if trials is None:
        return note
    dsr = proof(np.array(daily), trials).dsr
    return f"{trials:,}" if dsr is None else f"{trials:,}; deflated {dsr:.2f}"


def sign(record: Record, since_ns: int, until_ns: int, found: Mapping[str, Any]) -> dict[str, str]:
    """What a statement was made of and says, as SHA-256.

    inputs   over the sorted lines `table.column:hex` of the rows stamped in [since, until], both ends included (books:
             from 31 days before; a column of names as text, one a line, others as little-endian bytes), `opening:hex`
             (what was held, and the highest NAV so far) and `terms:hex` (fund, limits, and the hash of the package that
             made the record), both as JSON with sorted keys and no spaces; where they were kept `rulings:hex` of the
             risk office and `allocations:hex` of the treasury, the last line before `since` and those until `until`
    figures  over the statement as JSON of that kind
    record_package, package  the code that made the record, and the code that made the statement
    """
    digests = {}
    for table, columns in TABLES.items():
        rows = record.tables[table]
        shown = np.ones(len(rows[columns[0].name]), np.bool_)
        if "time" in rows:
            since = since_ns - LOOKS_BACK.get(table, 0)
            shown = (rows["time"] >= since) & (rows["time"] <= until_ns)
        for column in columns:
            values = rows[column.name][shown]
            if column.kind == "name":
                known = record.names[column.name]
                data = "\n".join([known[i] for i in values.tolist()]).encode()
            else:
                data = values.astype(column.dtype).tobytes()
            digests[f"{table}.{column.name}"] = hashlib.sha256(data).hexdigest()
    digests["opening"] = _json_sha256(opening(record, since_ns))
    digests["terms"] = _json_sha256(terms(record))
    digests |= {name: _json_sha256(said) for name, said in capital.heard(record, since_ns, until_ns).items()}
    return {
        "inputs_sha256": combined(digests),
        "figures_sha256": _json_sha256({key: value for key, value in found.items() if key != "signature"}),
        "record_package_sha256": str(record.result.get("package_sha256")),
        "package_sha256": package_sha256(),
    }


def opening(record: Record, since_ns: int) -> dict[str, Any]:
    """What all earlier rows come to: cash and lots of every book, and the highest NAV."""
    held, nav = accounts.position(record, since_ns), record.tables["nav"]
    earlier = nav["nav_micro"][nav["time"] < since_ns]
    return {
        "cash_micro": dict(zip(record.books, held.cash.tolist(), strict=True)),
        "lots": {
            name: {market: n for market, n in zip(record.markets, row, strict=True) if n}
            for name, row in zip(record.books, held.lots.tolist(), strict=True)
        },
        "high_water_mark_micro": int(earlier.max()) if len(earlier) else None,
    }


def terms(record: Record) -> dict[str, Any]:
    """What of result.json and fund.json a statement rests on."""
    told = {key: record.result.get(key) for key in TERMS}
    return told | {"family": dict(record.family), "horizon": dict(record.horizon), "policy": record.policy}


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a check: `findings` in words, none = the file is what the record says, to the byte.

    title  the day or month it speaks of, or 'since inception'
    """

    title: str
    inputs_sha256: str
    findings: tuple[str, ...]


def check(folder: Path, file: Path) -> Checked:
    """Make a statement or a tear sheet again from the record and hold the file against it.

    Raises DataError where the file is neither, or its day is not in the record.
    """
    text = file.read_text(encoding="utf-8")
    told = _told(file, text)
    record = read(folder)
    if "title" in told:
        again = tear_sheet(record, None if told["title"] == ALL else told["title"])
    else:
        since_ns = utc_ns(datetime.fromisoformat(told["date"]))
        again = account(record, since_ns, since_ns + DAY_NS)
    signature = again["signature"]
    other = told["package_sha256"] != signature["package_sha256"]
    findings = []
    if told["inputs_sha256"] != signature["inputs_sha256"]:
        findings.append("the record's rows are not those it was made of")
    elif told["figures_sha256"] != signature["figures_sha256"]:
        findings.append("its figures are not those of the record's rows")
    elif not _same(file, text, again):
        findings.append("it says something else than its hashes: it was changed after it was made")
    if findings and other:
        findings.append("another version of podshop made it, and may have counted or written otherwise")
    return Checked(told.get("title", told["date"]), signature["inputs_sha256"], tuple(findings))


def written(found: Mapping[str, Any], suffix: str) -> str:
    """A statement or a tear sheet as the text of a file: .html, .json or, of a day, .csv."""
    if suffix == ".json":
        return json.dumps(plain(found), allow_nan=False, indent=2) + "\n"
    if "tear" in found:
        return tear_page.page(found)
    return statement_page.csv(found) if suffix == ".csv" else statement_page.page(found)


def month_bounds(month: str) -> tuple[int, int]:
    """Start and end of a month such as 2023-05, UTC ns."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise DataError(f"{month!r} is not a month, expected one such as 2023-05")
    start = datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC)
    return utc_ns(start), utc_ns((start + timedelta(days=32)).replace(day=1))


def _same(file: Path, text: str, again: Mapping[str, Any]) -> bool:
    if file.suffix == ".json":  # as a file, or as the one line of --json
        return bool(json.loads(text) == json.loads(written(again, ".json")))
    return text == written(again, file.suffix)


def _told(file: Path, text: str) -> dict[str, str]:
    """First day, hashes and, of a tear sheet, title, as a file states them of itself."""
    wanted = ("date", "inputs_sha256", "figures_sha256", "package_sha256")
    if file.suffix == ".json":
        try:
            whole = json.loads(text)
            told = {"date": whole["period"]["date"], **whole["signature"]}
            told |= {"title": whole["title"]} if "tear" in whole else {}
        except (ValueError, KeyError, TypeError):
            told = {}
    else:
        pattern = (
            r"^signature,,,(\w+),([\w-]+),text$" if file.suffix == ".csv" else r'<code id="(\w+)">([\w -]+)</code>'
        )
        told = dict(re.findall(pattern, text, re.MULTILINE))
    if missing := [name for name in wanted if name not in told]:
        raise DataError(f"{file}: no {missing[0]}, so this is no statement")
    return {name: str(value) for name, value in told.items()}


def _table(path: Path, table: str) -> tuple[dict[str, NDArray[Any]], dict[str, tuple[str, ...]]]:
    """Columns as arrays, and the names that columns of names are indices of."""
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as e:
        raise DataError(f"{path}: the record cannot be read: {e}") from e
    columns, names = {}, {}
    for column in TABLES[table]:
        if column.name not in frame.columns:
            raise DataError(f"{path}: no column {column.name!r}, found {frame.columns}")
        kind = frame[column.name].dtype
        columns[column.name] = frame[column.name].to_physical().to_numpy()
        if isinstance(kind, pl.Enum):
            names[column.name] = tuple(kind.categories)
            columns[column.name] = columns[column.name].astype(np.int64)
    return columns, names


def _lines(path: Path) -> tuple[dict[str, Any], ...]:
    """A file of one JSON object a line; none where there is no such file."""
    if not path.is_file():
        return ()
    try:
        return tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    except ValueError as e:
        raise DataError(f"{path}: the record cannot be read: {e}") from e


def _mandates(folder: Path, result: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str], str]:
    """Agent -> horizon, agent -> the family of signals it gives most weight (of equals the first), and the policy."""
    if not (folder / FUND).is_file():
        return {}, {}, ""
    fund = json.loads((folder / FUND).read_text(encoding="utf-8"))["fund"]
    family_of = {row["name"]: row["family"] for row in result.get("signals", {}).get("agents", [])}
    horizon, family = {}, {}
    for name, mandate in fund["execution"].items():
        heard: dict[str, float] = {}
        for signal, weight in mandate["listens"].items():
            of = family_of.get(signal, "own")
            heard[of] = heard.get(of, 0.0) + abs(weight)
        horizon[name], family[name] = mandate["horizon"], min(heard, key=lambda one: (-heard[one], one))
    return horizon, family, fund["treasury"]["allocator"]["kind"]


def _json_sha256(value: Any) -> str:
    text = json.dumps(plain(value), allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
