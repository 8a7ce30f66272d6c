"""podshop ledger, as a person types it."""

import json
import sqlite3

import pytest

from podshop.cli import main
from podshop.journal.keeper import Keeper, rebuild
from tests.journal.made_up import MadeUp
from tests.journal.test_audit import SINCE_NS
from tests.journal.test_from_record import finished
from tests.journal.test_store import tampered
from tests.ledger.fund_facts import Telling


@pytest.fixture
def journal(tmp_path):
    with Keeper(tmp_path / "fund.journal", create=True) as books:
        for batch in Telling(1).cycles(20):
            books.append(batch)
    return tmp_path / "fund.journal"


def test_a_backtest_becomes_a_journal_that_is_good(tmp_path, capsys):
    record = finished(tmp_path / "record", MadeUp(seed=4).run(SINCE_NS, cycles=48))
    assert main(["ledger", "import", str(record), "--journal", str(tmp_path / "j"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cycles"] == 49
    assert main(["ledger", "verify", str(tmp_path / "j"), "--json"]) == 0
    shown = capsys.readouterr()
    result = json.loads(shown.out)
    assert (result["rows"], result["first_bad"]) == (told["facts"], None)
    assert result["books"] == rebuild(tmp_path / "j").books.sha256()
    assert f"{told['facts']:,} rows are good" in shown.err


def test_the_first_bad_row_is_said_with_exit_code_1(journal, capsys):
    tampered(journal, "UPDATE journal SET v = 2 WHERE seq = 30")
    assert main(["ledger", "verify", str(journal)]) == 1
    assert "row 30: its hash is not that of its contents" in capsys.readouterr().err
    assert main(["ledger", "verify", str(journal), "--accept"]) == 2
    assert "only an older copy of the file helps" in capsys.readouterr().err


def test_a_lost_end_is_accepted_by_a_person_only(journal, capsys):
    tampered(journal, "DELETE FROM journal WHERE seq > 30")
    assert main(["ledger", "verify", str(journal)]) == 1
    assert "row 31: missing, and" in capsys.readouterr().err
    assert main(["ledger", "verify", str(journal), "--accept"]) == 0
    assert main(["ledger", "verify", str(journal)]) == 0


@pytest.mark.parametrize(
    ("to", "file"), [("parquet", "fill.parquet"), ("csv", "fill.csv"), ("beancount", "books.beancount")]
)
def test_export_writes_files(journal, tmp_path, capsys, to, file):
    assert main(["ledger", "export", str(journal), str(tmp_path / "out"), "--to", to, "--json"]) == 0
    assert str(tmp_path / "out" / file) in json.loads(capsys.readouterr().out)["files"]
    assert (tmp_path / "out" / file).stat().st_size > 100


def test_project_fills_tables(journal, tmp_path, capsys):
    assert main(["ledger", "project", str(journal), "--to", str(tmp_path / "t.db"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == rebuild(journal).head.seq
    (cash,) = (
        sqlite3.connect(tmp_path / "t.db").execute("SELECT units FROM balances WHERE account = 'venue:cash'").fetchone()
    )
    assert cash == rebuild(journal).books.balances["venue:cash"]


@pytest.mark.parametrize("command", [["verify"], ["export", "out"], ["project", "--to", "t.db"]])
def test_no_journal_is_one_line(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    assert main(["ledger", command[0], "none", *command[1:]]) == 2
    assert capsys.readouterr().err.strip() == "podshop: none: no such journal"
