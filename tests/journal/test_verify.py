"""`podshop ledger verify` finds what is wrong, names the first bad row, and is quick."""

import sqlite3

import pytest

from podshop.journal import verify as module
from podshop.journal.chain import chained
from podshop.journal.head import head_path
from podshop.journal.keeper import Keeper, rebuild
from podshop.journal.store import Journal, reading, rows
from podshop.journal.verify import accept, verify
from podshop.ledger.facts import Deposit, Marks, Nav, Share, Transfer
from podshop.nouns import LedgerError
from tests.journal.test_store import tampered
from tests.ledger.fund_facts import Telling

BTC = Marks(1, ("BTC",), (7,), (0,))


@pytest.fixture
def path(tmp_path):
    with Keeper(tmp_path / "fund.journal", create=True) as books:
        for batch in Telling(8).cycles(60):
            books.append(batch)
    return tmp_path / "fund.journal"


@pytest.mark.parametrize("alone", [10**9, 0])
def test_a_good_journal_is_good_in_one_process_and_in_two(path, alone, monkeypatch):
    monkeypatch.setattr(module, "ALONE", alone)
    with reading(path) as db:
        *_, last = rows(db)
    found = verify(path)
    assert (found.rows, found.sha256, found.first_bad, found.why) == (last.seq, last.hash.hex(), None, "")
    assert found.books == rebuild(path).books.sha256()


@pytest.mark.parametrize("alone", [10**9, 0])
def test_a_changed_row_is_named(path, alone, monkeypatch):
    monkeypatch.setattr(module, "ALONE", alone)
    tampered(path, "UPDATE journal SET at_ns = at_ns + 1 WHERE seq = 99")
    found = verify(path)
    assert (found.first_bad, found.why, found.books) == (99, "its hash is not that of its contents", None)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ([Nav(1, 1, 2, None)], "row 2: NAV 1 with cash 2"),
        ([BTC, Share("", "a", "BTC", 1, 7, 7, 0, "cross"), Nav(1, 5, 5, None)], "row 4: 1 lots"),
        ([Transfer((("a", 1), ("b", -2)), "x")], "row 2: a transfer for x makes -1"),
        ([Deposit("w", "house", 5)], "row 2: deposit 'w' is in the journal a second time"),
    ],
)  # fmt: skip
def test_a_fact_that_contradicts_the_books_is_named_though_its_hash_is_right(tmp_path, facts, said):
    with Journal(tmp_path / "j", create=True) as journal:
        journal.append([(1, Deposit("w", "house", 5)), *((2, fact) for fact in facts)])
    found = verify(tmp_path / "j")
    assert found.why.startswith(said)
    assert found.first_bad == int(said.split(":")[0][4:])


def test_mutant_without_the_fold_it_is_believed(tmp_path, monkeypatch):
    with Journal(tmp_path / "j", create=True) as journal:
        journal.append([(1, Nav(1, 1, 2, None))])
    monkeypatch.setattr("podshop.ledger.books.Books.post", lambda self, fact: None)
    assert verify(tmp_path / "j").first_bad is None


def test_a_kind_of_a_newer_program_is_named(tmp_path):
    """Its hash is right; this program does not know what it means, so it does not say that the books are."""
    with Journal(tmp_path / "j", create=True) as journal:
        journal.append([(1, Deposit("w", "house", 5))])
        row = chained(journal.head.hash, 2, 1, "gift", 1, b"\x90")
    tampered(tmp_path / "j")
    db = sqlite3.connect(tmp_path / "j", isolation_level=None)
    db.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    db.close()
    found = verify(tmp_path / "j")
    assert found.first_bad == 2
    assert "a 'gift' of version 1, which this program does not know" in found.why


def test_a_lost_end_is_named_and_a_person_may_accept_it(path):
    tampered(path, "DELETE FROM journal WHERE seq > 200")
    found = verify(path)
    assert found.first_bad == 201
    assert "missing, and" in found.why
    taken = accept(path)
    assert (taken.rows, taken.first_bad) == (200, None)
    with Keeper(path) as books:
        assert books.state.head.seq == 200


def test_a_missing_head_is_said_and_a_bad_row_cannot_be_accepted(path):
    head_path(path).unlink()
    found = verify(path)
    assert found.first_bad == 0
    assert "missing, so nobody knows how far" in found.why
    tampered(path, "UPDATE journal SET v = 2 WHERE seq = 50")
    with pytest.raises(LedgerError, match=r"row 50: its hash is not .* only an older copy"):
        accept(path)


def test_no_journal_is_an_error(tmp_path):
    with pytest.raises(LedgerError, match="no such journal"):
        verify(tmp_path / "none")


def test_it_works_beside_a_writer(path):
    with Keeper(path) as books:
        for n in range(3):
            books.append([(n, Deposit(f"more-{n}", "house", 1))])
            assert verify(path).rows == books.state.head.seq
