"""The ledger of trials: what was looked at is counted once, is never forgotten, and nobody can make it forget."""

import subprocess
import sys
from pathlib import Path

import pytest

from podshop.journal import trials
from podshop.journal.head import head_path
from podshop.journal.verify import verify
from podshop.ledger.facts import Tried
from podshop.nouns import ConfigError, LedgerError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(trials.FOLDER, str(tmp_path / "trials"))
    return tmp_path / "trials"


def look(config: str = "a", family: str = "trend", data: str = "d", simulated: bool = False, n: int = 1) -> Tried:
    return Tried("backtest", family, data, simulated, config, n, "2022-01-01 to 2023-01-01")


def test_the_same_look_twice_is_one_trial(folder: Path) -> None:
    assert [trials.count([look(c)]).trials for c in ("a", "a", "b", "a", "c", "b")] == [1, 1, 2, 2, 3, 3]
    assert trials.count([look("a", data="other")]).trials == 4
    assert len(trials.known().tried) == 4


def test_funds_and_worlds_are_counted_apart_and_all_are_told(folder: Path) -> None:
    trials.count([look("a"), look("b"), look("b")])
    trials.count([look("a", family="carry", n=7)])
    assert trials.count([look("a", simulated=True)]).trials == 1
    found = trials.count([look("c")])
    assert found.trials == 3
    assert found.note.startswith("3 of trend on history, 10 of all funds; ledger begun 2")


def test_it_is_a_journal_that_verify_reads(folder: Path) -> None:
    trials.count([look("a"), look("b")])
    assert verify(trials.place()).rows == 3


@pytest.mark.parametrize("what", ["gone", "cut", "headless", "forged"])
def test_a_ledger_that_lost_something_is_not_believed(folder: Path, what: str) -> None:
    """Without the head a deleted or shortened ledger would be a fresh one: see the mutant below."""
    for config in "abc":
        trials.count([look(config)])
    spoil(trials.place(), what)
    found = trials.count([look("d")])
    assert found.trials is None
    assert found.note.startswith("not counted: ")
    with pytest.raises(LedgerError):
        trials.known()
    trials.restart("the disk died")
    again = trials.count([look("d")])
    assert again.trials == 1
    assert "begun anew" in again.note
    assert "the disk died" in again.note
    assert list(folder.glob("*.lost-*"))


def test_mutant_without_the_head_a_deleted_ledger_is_a_fresh_one(folder: Path) -> None:
    for config in "abc":
        trials.count([look(config)])
    spoil(trials.place(), "gone")
    head_path(trials.place()).unlink()
    assert trials.count([look("d")]).trials == 1


def test_a_whole_ledger_cannot_be_begun_anew(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no ledger of trials"):
        trials.restart("nothing there")
    trials.count([look()])
    with pytest.raises(ConfigError, match="is whole"):
        trials.restart("it counts too much")
    with pytest.raises(ConfigError, match="needs a reason"):
        trials.restart(" ")
    assert trials.count([look("b")]).trials == 2


def test_runs_at_the_same_time_wait_for_one_another(folder: Path) -> None:
    code = (
        "import sys; from tests.journal.test_trials import look; from podshop.journal import trials\n"
        "for i in range(10): assert trials.count([look(sys.argv[1] + str(i))]).trials"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "xy"]
    assert [one.wait() for one in both] == [0, 0]
    assert trials.count([look()]).trials == 21


def test_a_folder_that_cannot_be_written_is_said_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(trials.FOLDER, str(tmp_path / "file"))
    found = trials.count([look()])
    assert found.trials is None
    assert found.note.startswith("not counted: ")


def spoil(path: Path, what: str) -> None:
    """As somebody might who would like fewer trials."""
    if what == "headless":
        head_path(path).unlink()
    elif what == "gone":
        path.unlink()
    elif what == "cut":
        import sqlite3

        with sqlite3.connect(path) as db:
            db.execute("DROP TRIGGER journal_no_delete")
            db.execute("DELETE FROM journal WHERE seq > 2")
            db.execute(
                "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )
    else:
        raw = bytearray(path.read_bytes())
        at = raw.find(b"trend")
        raw[at] ^= 1
        path.write_bytes(raw)
