"""The journal: one SQLite table that only grows and never changes shape. Everything else is made from it again.

    journal(seq, at_ns, kind, v, body, prev, hash)

One process writes: a file lock is held for its life, and each batch of facts is one `BEGIN IMMEDIATE` transaction, on
the disk when `append` returns (write-ahead log, `synchronous=FULL`). Triggers refuse UPDATE and DELETE. Beside FILE
stand FILE.head (how far it reached: `journal.head`), FILE.lock, and FILE.snapshot, a cache (`journal.snapshot`).
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from types import TracebackType

from podshop.journal.chain import NOTHING, Head, Raw, Row, chained, row_hash, walk
from podshop.journal.facts import Fact, written
from podshop.journal.head import HeadWriter, create_head, head_path, read_head
from podshop.nouns import LedgerError

SCHEMA = (
    "CREATE TABLE journal(seq INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, kind TEXT NOT NULL, v INTEGER NOT NULL, "
    "body BLOB NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL) STRICT",
    "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal "
    "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
)
COLUMNS = "seq, at_ns, kind, v, body, prev, hash"
PIECE = 4_096  # rows read at a time
LAST = (1 << 63) - 1  # no row has a greater number
WAIT_S = 30.0  # for a reader's lock, far longer than any of ours is held


class Journal:
    """The one writer of a journal.

    Opening checks the table's shape, the head, and every row after `trusted`, which a snapshot vouches for; without
    one, every row. So what opens is a valid prefix of what was written and holds all that was acknowledged, or
    LedgerError names the first bad row. The rows that a snapshot vouched for are `podshop ledger verify`'s to look at.
    """

    def __init__(self, path: Path, *, create: bool = False, trusted: Head = NOTHING) -> None:
        self._lock = _locked(path)
        try:
            if create:
                _create(path)
            self._db = _connect(path)
            try:
                self._head = check_end(self._db, path, trusted)
                self._head_file = HeadWriter(path)
            except BaseException:
                self._db.close()
                raise
        except BaseException:
            os.close(self._lock)
            raise
        self.path = path
        self._broken = False

    @property
    def head(self) -> Head:
        """Number and hash of the last row; seq 0 where there is none."""
        return self._head

    def append(self, facts: Sequence[tuple[int, Fact]]) -> int:
        """Write (at_ns, fact) pairs, all or none, and answer the number of the last row. They are on the disk then.

        Raises LedgerError where the disk refused them: nothing of them is in the journal, and this writer is spent.
        """
        if self._broken:
            raise LedgerError(f"{self.path}: an earlier write failed; open the journal again")
        seq, prev = self._head
        rows = []
        for at_ns, fact in facts:
            seq += 1
            rows.append(chained(prev, seq, at_ns, *written(fact)))
            prev = rows[-1].hash
        if not rows:
            return seq
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(f"INSERT INTO journal({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as e:
            self._broken = True
            self._db.close()  # rolls back; whether a failed COMMIT reached the disk is for the next opening to see
            raise LedgerError(f"{self.path}: {len(rows)} facts could not be written: {e}") from e
        self._head = Head(seq, prev)
        self._head_file.write(self._head)
        return seq

    def raw_rows(self, after: int = 0, until: int = LAST) -> Iterator[Raw]:
        """What is written, in order, from the row after `after` to `until`."""
        return raw_rows(self._db, after, until)

    def last(self, kind: str) -> Row | None:
        """The latest row of a kind, looked for from the end."""
        found = self._db.execute(f"SELECT {COLUMNS} FROM journal WHERE kind = ? ORDER BY seq DESC LIMIT 1", (kind,))
        raw = found.fetchone()
        return None if raw is None else Row._make(raw)

    def close(self) -> None:
        """Fold the write-ahead log into the file and let the next writer in."""
        self._db.close()
        self._head_file.close()
        os.close(self._lock)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read, beside the writer. Raises LedgerError where there is no journal."""
    if not path.is_file():
        raise LedgerError(f"{path}: no such journal")
    with closing(_connect(path, read_only=True)) as db:
        yield db


def rows(db: sqlite3.Connection, after: int = 0, until: int = LAST) -> Iterator[Row]:
    """Rows in their order, from the one after `after` to `until`. Raises LedgerError where the file cannot be read."""
    return map(Row._make, raw_rows(db, after, until))


def raw_rows(db: sqlite3.Connection, after: int = 0, until: int = LAST) -> Iterator[Raw]:
    """The same, quicker: without the names of the columns."""
    return chain.from_iterable(_pieces(db, after, until))


def _pieces(db: sqlite3.Connection, after: int, until: int) -> Iterator[list[Raw]]:
    query = f"SELECT {COLUMNS} FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq"
    try:
        found = db.execute(query, (after, until))
        found.arraysize = PIECE
        while piece := found.fetchmany():
            yield piece
            after = piece[-1][0]
    except sqlite3.Error as e:
        yield from _singly(db, f"{query} LIMIT 1", after, until)  # the readable rows of this piece
        raise LedgerError(f"the file cannot be read: {e}") from e


def _singly(db: sqlite3.Connection, query: str, after: int, until: int) -> Iterator[list[Raw]]:
    """Rows one by one up to the first that cannot be read."""
    with suppress(sqlite3.Error):
        while row := db.execute(query, (after, until)).fetchone():
            yield [row]
            after = row[0]


def check_end(db: sqlite3.Connection, path: Path, trusted: Head = NOTHING) -> Head:
    """Hold the shape, the row that is trusted, every row after it, and that none up to the head is missing.

    ->  the last row. Raises LedgerError with the first that is wrong
    """
    check_shape(db, path)
    known = read_head(path)
    if trusted.seq:
        row = next(rows(db, trusted.seq - 1, trusted.seq), None)
        if row is None or row.hash != trusted.hash or row.hash != row_hash(row.prev, *row[:5]):
            raise LedgerError(f"{path}: row {trusted.seq}: it is not the one that the snapshot knew")
    last, wrong = walk(raw_rows(db, trusted.seq), trusted, known)
    if wrong is None and last.seq < known.seq:
        wrong = f"missing, and {known.seq} rows were once on the disk"
    if wrong is not None:
        raise LedgerError(f"{path}: row {last.seq + 1}: {wrong}")
    return last


def check_shape(db: sqlite3.Connection, path: Path) -> None:
    """Hold that the file has the one table, its triggers, and nothing else."""
    try:
        found = [sql for (sql,) in db.execute("SELECT sql FROM sqlite_master ORDER BY rowid")]
    except (sqlite3.Error, UnicodeDecodeError) as e:
        raise LedgerError(f"{path}: no journal: {e}") from e
    if found != list(SCHEMA):
        raise LedgerError(f"{path}: no journal: its tables and triggers are not those of one")


def _create(path: Path) -> None:
    if path.exists() or head_path(path).exists():
        raise LedgerError(f"{path}: is there already, and nothing was written")
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            db.execute(statement)
        db.execute("COMMIT")
    create_head(path, NOTHING)


def _connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection; never makes the file."""
    if not path.is_file():
        raise LedgerError(f"{path}: no such journal")
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT_S)
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cell_size_check = ON")  # look at a page before trusting it
        if not read_only and db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise LedgerError(f"{path}: this file system cannot hold a write-ahead log")
    except sqlite3.Error as e:
        db.close()
        raise LedgerError(f"{path}: no journal: {e}") from e
    return db


def _locked(path: Path) -> int:
    """The writer's lock, held until the descriptor is closed or its process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise LedgerError(f"{path}: another process writes this journal") from None
    return lock
