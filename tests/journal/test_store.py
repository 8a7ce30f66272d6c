"""The journal keeps what it acknowledged, refuses what is not its own, and has one writer."""

import fcntl
import os
import sqlite3
from pathlib import Path

import pytest

from podshop.journal import store
from podshop.journal.chain import GENESIS, NOTHING, Head, chained, row_hash, walk
from podshop.journal.facts import read
from podshop.journal.head import create_head, head_path, read_head
from podshop.journal.store import Journal, check_end, reading, rows
from podshop.ledger.facts import Deposit, Fee
from podshop.nouns import DataError, LedgerError
from tests.ledger.fund_facts import Telling


@pytest.fixture
def path(tmp_path) -> Path:
    """A closed journal of 12 cycles."""
    with Journal(tmp_path / "fund.journal", create=True) as journal:
        for batch in Telling(2).cycles(12):
            journal.append(batch)
    return tmp_path / "fund.journal"


def tampered(path: Path, *statements: str) -> None:
    """Change the file as somebody would who may: without the triggers, and then with them again."""
    db = sqlite3.connect(path, isolation_level=None)
    for name in ("journal_no_update", "journal_no_delete"):
        db.execute(f"DROP TRIGGER {name}")
    for statement in (*statements, *store.SCHEMA[1:]):
        db.execute(statement)
    db.close()


def test_what_was_appended_is_there_in_order(path):
    facts = [pair for batch in Telling(2).cycles(12) for pair in batch]
    with reading(path) as db:
        found = list(rows(db))
        assert [row.seq for row in found] == list(range(1, len(facts) + 1))
        assert [(row.at_ns, read(row.kind, row.v, row.body)) for row in found] == facts
        assert list(rows(db, 3, 5)) == found[3:5]
        assert check_end(db, path) == Head(found[-1].seq, found[-1].hash) == read_head(path)


def test_an_open_journal_goes_on(path):
    with Journal(path) as journal:
        before = journal.head
        assert journal.append([]) == before.seq
        assert journal.append([(1, Fee("f", "house", 1, "x"))]) == before.seq + 1
        assert journal.head.seq == before.seq + 1
    with Journal(path, trusted=before) as journal:
        assert journal.head.seq == before.seq + 1


def test_a_batch_is_written_whole_or_not_at_all(path, monkeypatch):
    with Journal(path) as journal:
        before = journal.head
        with pytest.raises(DataError, match="is no fee"):
            journal.append([(1, Fee("f", "house", 1, "x")), (1, Fee("f", "house", 1.5, "x"))])
        assert journal.head == before
        journal._db.execute("PRAGMA query_only = ON")  # as a disk that is full
        with pytest.raises(LedgerError, match="1 facts could not be written: attempt to write"):
            journal.append([(1, Fee("f", "house", 1, "x"))])
        with pytest.raises(LedgerError, match="open the journal again"):
            journal.append([(1, Fee("f", "house", 1, "x"))])
    with Journal(path) as journal:
        assert journal.head == before


@pytest.mark.parametrize(
    "statement", ["UPDATE journal SET at_ns = 1 WHERE seq = 3", "DELETE FROM journal WHERE seq = 3"]
)
def test_a_row_cannot_be_changed_or_deleted(path, statement):
    db = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="the journal is append-only"):
        db.execute(statement)
    for trigger in ("journal_no_update", "journal_no_delete"):  # the mutant: without them it can
        db.execute(f"DROP TRIGGER {trigger}")
    assert db.execute(statement).rowcount == 1
    db.close()
    with pytest.raises(LedgerError, match="its tables and triggers are not those of one"):
        Journal(path)


def test_the_durability_that_is_promised_is_set(path):
    with Journal(path) as journal:
        assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE journal SET body = CAST(body || x'00' AS BLOB) WHERE seq = 7",
            "row 7: its hash is not that of its contents",
        ),
        ("UPDATE journal SET at_ns = at_ns + 1 WHERE seq = 7", "row 7: its hash is not that of its contents"),
        ("UPDATE journal SET kind = 'fee' WHERE seq = 7", "row 7: its hash is not that of its contents"),
        ("UPDATE journal SET v = 2 WHERE seq = 7", "row 7: its hash is not that of its contents"),
        ("UPDATE journal SET prev = hash WHERE seq = 7", "row 7: it does not follow the row before"),
        ("UPDATE journal SET hash = prev WHERE seq = 7", "row 7: its hash is not that of its contents"),
        ("DELETE FROM journal WHERE seq = 7", "row 7: the row after 6 is 8, expected 7"),
        ("DELETE FROM journal WHERE seq > 9", "row 10: missing, and"),
        ("DELETE FROM journal", "row 1: missing, and"),
        ("UPDATE journal SET seq = seq + 1000 WHERE seq = (SELECT max(seq) FROM journal)", "the row after"),
    ],
)
def test_the_first_bad_row_is_named(path, statement, said):
    tampered(path, statement)
    with pytest.raises(LedgerError, match=said):
        Journal(path)


def test_mutant_without_the_chain_a_changed_row_is_believed(path, monkeypatch):
    tampered(path, "UPDATE journal SET body = CAST(body || x'00' AS BLOB) WHERE seq = 7")
    monkeypatch.setattr(store, "walk", lambda rows, last, known: (read_head(path), None))
    Journal(path).close()


def test_a_chain_that_was_hashed_anew_is_found_by_the_head(path):
    """Somebody changes a row and hashes every later one again: the chain is whole, the head remembers."""
    with reading(path) as db:
        old = list(rows(db))
    prev, forged = GENESIS, []
    for row in old:
        forged.append(chained(prev, row.seq, row.at_ns + (row.seq == 7), row.kind, row.v, row.body))
        prev = forged[-1].hash
    tampered(path, "DELETE FROM journal")
    db = sqlite3.connect(path, isolation_level=None)
    db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", forged)
    db.close()
    with pytest.raises(LedgerError, match=f"row {len(old)}: its hash is not the one that the head remembers"):
        Journal(path)


def test_mutant_without_the_head_a_lost_end_is_believed(path, monkeypatch):
    tampered(path, "DELETE FROM journal WHERE seq > 9")
    monkeypatch.setattr(store, "read_head", lambda path: NOTHING)
    with Journal(path) as journal:
        assert journal.head.seq == 9


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "empty"])
def test_a_damaged_head_is_refused(path, damage):
    head = head_path(path)
    raw = head.read_bytes()
    changed = {"cut": raw[:-1], "flipped": raw[:30] + bytes([raw[30] ^ 4]) + raw[31:], "empty": b""}
    head.unlink()
    if damage != "missing":
        head.write_bytes(changed[damage])
    with pytest.raises(LedgerError, match="missing" if damage == "missing" else "damaged"):
        Journal(path)


def test_a_head_that_is_older_than_the_journal_is_no_error(path):
    """A power cut may lose the head's last writes, never the rows."""
    with reading(path) as db:
        old = next(rows(db, 4, 5))
    create_head(path, Head(old.seq, old.hash))
    with Journal(path) as journal:
        assert journal.head.seq > 5


def test_a_snapshot_of_another_journal_is_not_trusted(path):
    with pytest.raises(LedgerError, match="row 5: it is not the one that the snapshot knew"):
        Journal(path, trusted=Head(5, bytes(32)))
    with pytest.raises(LedgerError, match="row 5000: it is not the one that the snapshot knew"):
        Journal(path, trusted=Head(5_000, bytes(32)))


def test_one_process_writes(path, monkeypatch):
    with Journal(path):
        with pytest.raises(LedgerError, match="another process writes this journal"):
            Journal(path)
        with reading(path) as db:  # anybody reads
            assert sum(1 for _ in rows(db)) > 12
        monkeypatch.setattr(fcntl, "flock", lambda *_: None)  # the mutant: two writers, and the second breaks the chain
        with Journal(path) as second:
            assert second.head.seq > 12
    monkeypatch.undo()
    Journal(path).close()


def test_what_is_there_is_not_overwritten(path, tmp_path):
    with pytest.raises(LedgerError, match="is there already"):
        Journal(path, create=True)
    with pytest.raises(LedgerError, match="no such journal"):
        Journal(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    (tmp_path / "text").write_text("no journal")
    with pytest.raises(LedgerError, match="no journal: file is not a database"):
        Journal(tmp_path / "text")
    assert (tmp_path / "text").read_text() == "no journal"
    os.truncate(path, 0)  # an empty file is an empty database to SQLite
    with pytest.raises(LedgerError, match="its tables and triggers are not those of one"):
        Journal(path)


def test_a_reader_cannot_write(path):
    with reading(path) as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("INSERT INTO journal VALUES (1000, 1, 'x', 1, x'', x'', x'')")


def test_no_two_rows_hash_the_same_bytes():
    """The kind's length is hashed, so that its end cannot become the body's beginning."""
    prev = bytes(32)
    assert row_hash(prev, 1, 2, "fee", 1, b"xab") != row_hash(prev, 1, 2, "feex", 1, b"ab")
    row = chained(prev, 1, 2, "fee", 1, b"ab")
    assert walk([row], NOTHING) == (Head(1, row.hash), None)
    assert walk([row._replace(kind=None)], NOTHING)[1] == (
        "a column is not of its type: 'NoneType' object has no attribute 'encode'"
    )


def test_a_deposit_is_durable_when_append_returns(path):
    """Read by another connection before the journal is closed."""
    with Journal(path) as journal, reading(path) as db:
        last = journal.append([(5, Deposit("wire-9", "house", 5))])
        assert next(rows(db, last - 1)).kind == "deposit"
