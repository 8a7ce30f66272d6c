"""Books at hand: from a snapshot as from zero, and a venue's history that is read again changes nothing."""

from pathlib import Path
from random import Random

import pytest

from podshop.journal import keeper, snapshot
from podshop.journal.facts import VENUE_KINDS, written
from podshop.journal.keeper import Keeper, rebuild
from podshop.journal.known import Known
from podshop.journal.snapshot import load, snapshot_path
from podshop.journal.store import Journal
from podshop.ledger.facts import Deposit, Fill, Funding, Nav
from podshop.nouns import LedgerError
from tests.ledger.fund_facts import Batch, Telling


def told(path: Path, seed: int, cycles: int) -> str:
    """Write a fund's cycles and answer the hash of what they lead to."""
    with Keeper(path, create=True) as books:
        for batch in Telling(seed).cycles(cycles):
            books.append(batch)
        return books.state.sha256()


def history(seed: int, cycles: int) -> Batch:
    """All that the venue did."""
    facts = [pair for batch in Telling(seed).cycles(cycles) for pair in batch]
    return [(at, fact) for at, fact in facts if written(fact)[0] in VENUE_KINDS]


def test_a_rebuild_from_zero_gives_the_same_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "SNAPSHOT_EVERY", 50)
    path = tmp_path / "fund.journal"
    written_hash = told(path, seed=3, cycles=40)
    assert snapshot_path(path).is_file()
    assert load(path).head.seq > 0
    assert rebuild(path).sha256() == written_hash
    with Keeper(path) as books:
        assert books.state.sha256() == written_hash
        assert books.books.sha256() == rebuild(path).books.sha256()


def test_opening_folds_only_what_the_snapshot_has_not(tmp_path, monkeypatch):
    path = tmp_path / "fund.journal"
    told(path, seed=3, cycles=40)
    with Journal(path) as journal:
        journal.append([(1, Deposit("late", "house", 5))])
    taken = []
    take = snapshot.State.take
    monkeypatch.setattr(snapshot.State, "take", lambda self, row: (taken.append(row[0]), take(self, row)))
    with Keeper(path) as books:
        assert taken == [books.state.head.seq]
    assert rebuild(path).sha256() == books.state.sha256()


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "gone", "of another journal"])
def test_a_snapshot_that_is_not_whole_is_not_used(tmp_path, damage):
    path = tmp_path / "fund.journal"
    right = told(path, seed=3, cycles=20)
    kept = snapshot_path(path)
    raw = kept.read_bytes()
    told(tmp_path / "other", seed=4, cycles=10)
    other = snapshot_path(tmp_path / "other").read_bytes()
    kept.unlink()
    changed = {"flipped": raw[:200] + bytes([raw[200] ^ 1]) + raw[201:], "cut": raw[:-1], "empty": b""}
    if damage != "gone":
        kept.write_bytes(changed.get(damage, other))
    with Keeper(path) as books:
        assert books.state.sha256() == right


def test_mutant_a_snapshot_without_its_own_hash_is_believed(tmp_path, monkeypatch):
    path = tmp_path / "fund.journal"
    right = told(path, seed=3, cycles=20)
    raw = snapshot_path(path).read_bytes()
    at = raw.index(b"venue:cash") + len(b"venue:cash") + 4
    snapshot_path(path).write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
    said = raw[len(snapshot._MAGIC) :][:32]
    monkeypatch.setattr(snapshot, "sha256", lambda body: type("Same", (), {"digest": lambda self: said})())
    assert load(path).books.sha256() != rebuild(path).books.sha256()
    monkeypatch.undo()
    with Keeper(path) as books:
        assert books.state.sha256() == right


def test_a_history_read_three_times_in_overlapping_pieces_changes_nothing(tmp_path):
    facts, random = history(5, 300), Random(5)
    path = tmp_path / "fund.journal"
    with Keeper(path, create=True) as books:
        assert books.absorb(facts) == len(facts) > 300
        rows, hash_ = books.state.head, books.state.sha256()
        changes = 0
        for _ in range(3):
            start = 0
            while start < len(facts):
                end = start + random.randrange(1, 60)
                changes += books.absorb(facts[max(0, start - random.randrange(40)) : end])
                start = end
        assert changes == 0
        assert (books.state.head, books.state.sha256()) == (rows, hash_)
    with Keeper(path) as books:  # and after a restart, from the snapshot
        assert books.absorb(facts) == 0


def test_overlapping_pieces_add_up_to_the_whole(tmp_path):
    facts = history(6, 100)
    with Keeper(tmp_path / "whole", create=True) as books:
        books.absorb(facts)
        whole = books.books.sha256()
    with Keeper(tmp_path / "pieces", create=True) as books:
        new = sum(books.absorb(facts[max(0, start - 9) : start + 10]) for start in range(0, len(facts), 10))
        assert new == len(facts)
        assert books.books.sha256() == whole


def test_mutant_without_known_ids_a_history_counts_twice(tmp_path, monkeypatch):
    facts = history(5, 30)
    monkeypatch.setattr(Known, "has", lambda self, kind, venue_id, body: False)
    with Keeper(tmp_path / "a", create=True) as books:
        books.absorb(facts)
        with pytest.raises(LedgerError, match="is in the journal a second time"):  # the fold is the second line
            books.absorb(facts)
    monkeypatch.setattr(Known, "add", lambda self, kind, venue_id, body: None)
    with Keeper(tmp_path / "b", create=True) as books:
        books.absorb(facts)
        once = books.books.balances["venue:cash"]
        books.absorb(facts)
        assert books.books.balances["venue:cash"] == 2 * once


def test_a_history_that_changes_is_refused(tmp_path):
    fill = Fill("7", "i", "BTC", 3, 100, 1)
    with Keeper(tmp_path / "j", create=True) as books:
        books.absorb([(1, fill), (1, Funding("7", "BTC", 5))])  # ids are those of one kind
        with pytest.raises(LedgerError, match="another fill under the id '7' than it did before"):
            books.absorb([(2, Deposit("new", "house", 1)), (1, fill._replace(lots=4))])
        with pytest.raises(LedgerError, match="'8' is two things in one history"):
            books.absorb([(1, Deposit("8", "house", 1)), (1, Deposit("8", "house", 2))])
        assert books.state.head.seq == 2
        assert books.absorb([(9, fill), (9, fill)]) == 0


def test_a_fact_that_contradicts_the_books_stops_the_keeper(tmp_path):
    with Keeper(tmp_path / "j", create=True) as books:
        books.append([(1, Deposit("w", "house", 5))])
        with pytest.raises(LedgerError, match="row 2: NAV 6 with cash 5 micro-USD, expected 5 with 5"):
            books.append([(2, Nav(1, 6, 5, None))])
    with pytest.raises(LedgerError, match="row 2: NAV 6"):
        Keeper(tmp_path / "j")
