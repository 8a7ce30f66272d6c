"""The record of a run, streamed to Parquet while the run goes on.

`write` hands rows over and returns; one background thread derives, watches, hashes and cuts them, and one thread per
table feeds them to polars' streaming Parquet writer, which lets the GIL go as hashing does. A table is one file,
written once; rows in memory are bounded by what is handed over at a time.

A folder holds a finished record if and only if it has `result.json`: stale files of an earlier record are removed
first, tables are called `*.parquet.part` until the last row is in, and `result.json` is written last.
"""

import hashlib
import json
import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from podshop.journal.sink import ABANDON, FINISH, Sink
from podshop.journal.tables import BESIDE, HASHED, NAMES, TABLES, Column
from podshop.nouns.errors import LedgerError

Rows: TypeAlias = dict[str, NDArray[Any]]
Derive: TypeAlias = Callable[[Rows], NDArray[Any]]
Watcher: TypeAlias = Callable[[str, Rows], None]

WAITING_BYTES = 64 << 20  # handed over and not yet begun; more makes `write` wait
PIECE = 1 << 17  # rows that go to Parquet at a time
RESULT, PAGE = "result.json", "report.html"
FUND, LIMITS, CAPITAL = "fund.json", "limits.jsonl", "capital.jsonl"  # what is kept beside the tables


class Recorder:
    """Streams a run's tables into a folder, or only hashes them where there is none.

    out       the folder, made where absent; None = hash and watch only
    names     dictionary -> its names, for each of `podshop.journal.tables.NAMES`; a name column holds indices into it.
              The dictionary "book" serves every `book` column, so it holds the agents, "house" and "NET"
    watchers  called as watcher(table, columns) in the background thread, in the order of writing; not to be slow
    """

    def __init__(self, out: Path | None, names: Mapping[str, Sequence[str]], watchers: Sequence[Watcher] = ()) -> None:
        missing = [name for name in NAMES if name not in names]
        if missing:
            raise ValueError(f"the recorder needs the names of {missing[0]!r}")
        self._names = {key: tuple(names[key]) for key in NAMES}
        self._watchers = tuple(watchers)
        self._out = out
        self._sinks: dict[str, Sink] = {}
        if out is not None:
            clear(out)
            self._sinks = {table: Sink(out / f"{table}.parquet.part", TABLES[table], self._names) for table in TABLES}
        self._hashes = {table: _hashes(table, self._names) for table in HASHED}
        self._rows = dict.fromkeys(TABLES, 0)
        self._error: BaseException | None = None
        self._closed = False
        self._queue: queue.Queue[tuple[str, dict[str, NDArray[Any] | Derive]] | None] = queue.Queue()
        self._waiting = 0  # bytes
        self._room = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="podshop-record", daemon=True)
        self._thread.start()

    def write(self, table: str, columns: Mapping[str, NDArray[Any] | Derive]) -> None:
        """Append rows to a table, in (cycle, seq) order. Waits while more than WAITING_BYTES are behind.

        The arrays are handed over, not copied: do not change them afterwards. A column may be a function of the
        arrays given, called in the background: `time=lambda rows: rows["cycle"] * interval_ns`.
        Raises what went wrong in the background since the last call.
        """
        if table not in TABLES:
            raise ValueError(f"no table {table!r}, expected one of {sorted(TABLES)}")
        self._raise()
        with self._room:
            self._room.wait_for(lambda: self._waiting < WAITING_BYTES)
            self._waiting += _bytes(columns)
        self._queue.put((table, dict(columns)))

    def close(self) -> dict[str, str]:
        """Write what waits and end every file. Returns the digests: 'fills.lots' ... and 'decisions_sha256'."""
        self._end()
        self._raise()
        if self._out is not None:
            publish(self._out)
        digests = {f"{t}.{c}": h.hexdigest() for t, columns in self._hashes.items() for c, h in columns.items()}
        return digests | {"decisions_sha256": combined(digests)}

    def finish(self, result: Mapping[str, Any], page: str, beside: Mapping[str, str] | None = None) -> None:
        """Write report.html, then result.json: from now on the record counts as whole. No folder: nothing.

        beside  more files: name -> text
        """
        assert self._closed, "close the recorder first"
        if self._out is not None:
            for name, text in (beside or {}).items():
                _write(self._out / name, text)
            _write(self._out / PAGE, page)
            _write(self._out / RESULT, json.dumps(result, indent=2, allow_nan=False) + "\n")

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows of each table went by so far; final after `close`."""
        return dict(self._rows)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close; where the run failed, leave the record unfinished instead, and let its own error through."""
        if error is None:
            self.close()
        else:
            self._error = self._error or error
            self._end()

    def _end(self) -> None:
        """Let the threads finish what waits; after an error, or in a run that failed, they abandon it."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            for sink in self._sinks.values():
                sink.end(FINISH if self._error is None else ABANDON)
            for sink in self._sinks.values():
                sink.join()

    def _raise(self) -> None:
        if self._error is not None:
            raise LedgerError(f"the record could not be written: {self._error}") from self._error
        for sink in self._sinks.values():
            sink.check()

    def _run(self) -> None:
        """Work until the end is called; after an error, only empty the queue, so that no caller waits for ever."""
        while (item := self._queue.get()) is not None:
            with self._room:
                self._waiting -= _bytes(item[1])
                self._room.notify()
            if self._error is None:
                try:
                    self._take(*item)
                except BaseException as error:  # noqa: BLE001  the caller meets it at the next call
                    self._error = error

    def _take(self, table: str, given: dict[str, NDArray[Any] | Derive]) -> None:
        rows = ordered(table, given, self._names)
        for watch in self._watchers:
            watch(table, rows)
        for column, running in self._hashes.get(table, {}).items():
            running.update(rows[column].data)
        count = len(next(iter(rows.values())))
        self._rows[table] += count
        if table in self._sinks:
            for start in range(0, count, PIECE):
                self._sinks[table].put({name: rows[name][start : start + PIECE] for name in rows})


def clear(out: Path) -> None:
    """Make the folder and take away what an earlier record left, its `result.json` first."""
    out.mkdir(parents=True, exist_ok=True)
    tables = (f"{table}.parquet{end}" for table in (*TABLES, *BESIDE) for end in ("", ".part"))
    for name in (RESULT, PAGE, FUND, LIMITS, CAPITAL, *tables):
        (out / name).unlink(missing_ok=True)


def publish(out: Path) -> None:
    """Give every whole table its name."""
    for part in out.glob("*.parquet.part"):
        part.replace(part.with_suffix(""))


def ordered(table: str, given: Mapping[str, NDArray[Any] | Derive], names: Mapping[str, Sequence[str]]) -> Rows:
    """The table's columns in their order and types; raises ValueError where one is missing, strange or out of range."""
    columns = {column.name: column for column in TABLES[table]}
    for name in set(given) ^ set(columns):
        raise ValueError(f"{table} {'lacks its' if name in columns else 'has no'} column {name!r}")
    rows = {name: value for name, value in given.items() if not callable(value)}
    rows |= {name: value(rows) for name, value in given.items() if callable(value)}
    count = len(next(iter(rows.values())))
    return {name: _checked(table, column, rows[name], count, names) for name, column in columns.items()}


def _checked(
    table: str, column: Column, value: NDArray[Any], count: int, names: Mapping[str, Sequence[str]]
) -> NDArray[Any]:
    where = f"{table}.{column.name}"
    if value.ndim != 1 or value.dtype.kind not in ("fiu" if column.kind == "real" else "iu"):
        raise ValueError(f"{where} is {value.ndim}-dimensional {value.dtype}, expected a row of {column.dtype}")
    if len(value) != count:
        raise ValueError(f"{where} has {len(value)} rows, other columns have {count}")
    if column.kind == "name" and count and not (value.min() >= 0 and value.max() < len(names[column.name])):
        raise ValueError(f"{where} points outside its {len(names[column.name])} names")
    return np.ascontiguousarray(value, column.dtype)


def combined(digests: Mapping[str, str]) -> str:
    """sha256 over the sorted lines 'table.column:hexdigest'."""
    return hashlib.sha256("\n".join(f"{key}:{digests[key]}" for key in sorted(digests)).encode()).hexdigest()


def _bytes(columns: Mapping[str, NDArray[Any] | Derive]) -> int:
    return sum(value.nbytes for value in columns.values() if not callable(value))


def _hashes(table: str, names: Mapping[str, Sequence[str]]) -> dict[str, "hashlib._Hash"]:
    """One running hash per column; that of a name column begins with its names, so that indices have a meaning."""
    return {
        column.name: hashlib.sha256("\n".join(names[column.name]).encode() if column.kind == "name" else b"")
        for column in TABLES[table]
    }


def _write(path: Path, text: str) -> None:
    """All of the text or nothing: a name appears only over a whole file."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
