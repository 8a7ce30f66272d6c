"""The journal's facts as tables for reports and dashboards, in SQLite or continuously in PostgreSQL.

A projection only ever follows. How far it is stands in its own table `position`, written in the same transaction as the
rows, so nothing is missing or there twice whatever dies when. Where its shape is old, or the journal is another one, it
is emptied and filled from the first fact: that is its migration.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from podshop.journal.chain import NOTHING, Head, walk
from podshop.journal.flat import POSTINGS, TABLES, Values, tables_of
from podshop.journal.store import raw_rows, reading, rows
from podshop.nouns import ConfigError, LedgerError

BATCH = 5_000  # rows of the journal in one transaction
POLL_S = 0.5
_TYPES = {int: "BIGINT", float: "DOUBLE PRECISION", str: "TEXT"}

DDL = (
    *(
        f"CREATE TABLE {name}(seq BIGINT NOT NULL, at_ns BIGINT NOT NULL, "
        + ", ".join(f"{column} {_TYPES[kind]}" for column, kind in table.columns)
        + ")"
        for name, table in TABLES.items()
    ),
    "CREATE TABLE balances(account TEXT PRIMARY KEY, asset TEXT NOT NULL, units BIGINT NOT NULL)",
    "CREATE TABLE position(seq BIGINT NOT NULL, hash TEXT NOT NULL, shape TEXT NOT NULL)",
)
SHAPE = sha256("\n".join(DDL).encode()).hexdigest()
_NAMES = (*TABLES, "balances", "position")


class Lost(Exception):
    """The database does not answer: try again later."""


class Target(Protocol):
    """A database that holds a projection: SQLite or PostgreSQL."""

    mark: str  # of a value in a statement

    def transaction(self) -> AbstractContextManager[Any]:
        """All statements in it or none."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Run one statement; answers a cursor."""

    def insert(self, table: str, columns: Sequence[str], values: Sequence[Values]) -> None:
        """Add rows."""

    def add_up(self, values: Sequence[Values]) -> None:
        """Add units to accounts: (account, asset, units)."""

    def has(self, table: str) -> bool:
        """True where the table is there."""


def run(journal: Path, to: str, *, follow: bool = False, wait: Any = time.sleep) -> int:
    """Bring the projection at `to` up to date, and stay with the journal if asked; answers the last row it holds.

    wait  called with the seconds to wait; it ends the following by raising KeyboardInterrupt
    """
    last = 0
    try:
        while True:
            try:
                with opened(to) as target:
                    while True:
                        last = catch_up(journal, target)
                        if not follow:
                            return last
                        wait(POLL_S)
            except Lost as e:
                if not follow:
                    raise LedgerError(f"{to}: {e}") from e
                wait(POLL_S)
    except KeyboardInterrupt:
        return last


def catch_up(journal: Path, target: Target) -> int:
    """Write what the journal has and the projection has not; answers the number of the last row."""
    with reading(journal) as db:
        head = _position(target)
        row = next(rows(db, head.seq - 1, head.seq), None) if head.seq else None
        if head.seq and (row is None or row.hash != head.hash):
            head = NOTHING  # of another journal
        if head == NOTHING:
            _clear(target)
        while batch := list(islice(raw_rows(db, head.seq, head.seq + BATCH), BATCH)):
            reached, wrong = walk(batch, head)
            if wrong is not None:
                raise LedgerError(f"{journal}: row {reached.seq + 1}: {wrong}")
            with target.transaction():
                _write(target, batch, head, reached)
            head = reached
    return head.seq


def _write(target: Target, batch: Sequence[tuple[Any, ...]], before: Head, after: Head) -> None:
    found = tables_of(batch)
    for name, values in found.items():
        target.insert(name, ("seq", "at_ns", *(column for column, _ in TABLES[name].columns)), values)
    sums: dict[tuple[str, str], int] = {}
    for _, _, account, asset, units in found.get(POSTINGS, []):
        sums[account, asset] = sums.get((account, asset), 0) + units
    target.add_up([(*key, units) for key, units in sums.items()])
    mark = target.mark
    moved = target.execute(
        f"UPDATE position SET seq = {mark}, hash = {mark} WHERE seq = {mark}",
        (after.seq, after.hash.hex(), before.seq),
    )
    if moved.rowcount != 1:
        raise LedgerError(f"another program moved the projection on from row {before.seq}")


def _position(target: Target) -> Head:
    """How far the projection is; NOTHING where it is not of today's shape."""
    with target.transaction():
        found = target.execute("SELECT seq, hash, shape FROM position").fetchall() if target.has("position") else []
    return Head(found[0][0], bytes.fromhex(found[0][1])) if found and found[0][2] == SHAPE else NOTHING


def _clear(target: Target) -> None:
    """Empty tables of today's shape, in place of whatever there was."""
    with target.transaction():
        for name in _NAMES:
            target.execute(f"DROP TABLE IF EXISTS {name}")
        for statement in DDL:
            target.execute(statement)
        values = ", ".join([target.mark] * 3)
        target.execute(f"INSERT INTO position VALUES ({values})", (NOTHING.seq, NOTHING.hash.hex(), SHAPE))


@contextmanager
def opened(to: str) -> Iterator[Target]:
    """The database at `to`: a URL of PostgreSQL, else an SQLite file. Raises Lost where it does not answer."""
    if "://" in to and not to.startswith(("postgresql://", "postgres://")):
        raise ConfigError(f"{to!r} is no projection, expected an SQLite file or postgresql://...")
    if "://" in to:
        from podshop.journal.postgres import connected

        with connected(to) as target:
            yield target
    else:
        try:
            with closing(sqlite3.connect(to, isolation_level=None)) as db:
                yield SqliteTarget(db)
        except sqlite3.OperationalError as e:
            raise Lost(str(e)) from e
        except sqlite3.DatabaseError as e:
            raise LedgerError(f"{to}: {e}") from e


class SqliteTarget:
    """A projection in a file."""

    mark = "?"

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._db.execute(statement, values)

    def insert(self, table: str, columns: Sequence[str], values: Sequence[Values]) -> None:
        """Add rows."""
        self._db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", values)

    def add_up(self, values: Sequence[Values]) -> None:
        """Add units to accounts."""
        self._db.executemany(ADD_UP.format(*"???"), values)

    def has(self, table: str) -> bool:
        """True where the table is there."""
        return self._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


ADD_UP = (
    "INSERT INTO balances(account, asset, units) VALUES ({}, {}, {}) "
    "ON CONFLICT(account) DO UPDATE SET units = balances.units + excluded.units"
)
