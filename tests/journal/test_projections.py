"""Projections hold what the journal holds, nothing missing and nothing twice, in SQLite and in a real PostgreSQL."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from podshop.journal import projections
from podshop.journal.flat import POSTINGS, TABLES, tables_of
from podshop.journal.keeper import Keeper, rebuild
from podshop.journal.projections import opened, run
from podshop.journal.store import reading, rows
from podshop.ledger.facts import Deposit
from podshop.nouns import ConfigError, LedgerError
from tests.journal.postgres_server import Server, binaries
from tests.journal.test_store import tampered
from tests.ledger.fund_facts import Telling

NO_SERVER = "no PostgreSQL here: install Debian's package postgresql, or set PATH to initdb and postgres"


@pytest.fixture
def path(tmp_path) -> Path:
    with Keeper(tmp_path / "fund.journal", create=True) as books:
        for batch in Telling(11).cycles(50):
            books.append(batch)
    return tmp_path / "fund.journal"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Skipped only where there is no server to start; with PODSHOP_POSTGRES set there must be one."""
    folder = binaries()
    if folder is None:
        (pytest.fail if "PODSHOP_POSTGRES" in os.environ else pytest.skip)(NO_SERVER)
    with Server(folder) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def to(request, tmp_path) -> str:
    """Where to project: an SQLite file, and a server whose schema is empty."""
    if request.param == "sqlite":
        return str(tmp_path / "tables.db")
    import psycopg

    running: Server = request.getfixturevalue("server")
    with psycopg.connect(running.url, autocommit=True) as db:
        db.execute("DROP SCHEMA IF EXISTS podshop CASCADE")
    return running.url


def held(to: str) -> dict[str, list[tuple]]:
    """All rows of all tables."""
    with opened(to) as target:
        names = [*TABLES, "balances"]
        return {
            name: sorted(map(tuple, target.execute(f"SELECT * FROM {name}").fetchall()), key=repr) for name in names
        }


def expected(path: Path) -> dict[str, list[tuple]]:
    """What the tables of a journal must hold, straight from its facts and its books."""
    with reading(path) as db:
        found = {name: sorted(values, key=repr) for name, values in tables_of(rows(db)).items()}
    books = rebuild(path).books
    accounts = sorted(((a, asset_of_account(a), units) for a, units in books.balances.items()), key=repr)
    return {name: found.get(name, []) for name in TABLES} | {"balances": accounts}


def asset_of_account(account: str) -> str:
    return account.rpartition(":lots:")[2] if ":lots:" in account else "USD"


def test_the_tables_are_the_journal(path, to):
    last = run(path, to)
    assert last == rebuild(path).head.seq
    assert held(to) == expected(path)
    assert run(path, to) == last
    assert held(to) == expected(path)


def test_it_goes_on_from_where_it_was_in_any_pieces(path, to, monkeypatch):
    monkeypatch.setattr(projections, "BATCH", 7)
    run(path, to)
    with Keeper(path) as books:
        books.append([(1, Deposit("later", "house", 5))])
    run(path, to)
    assert held(to) == expected(path)
    assert held(to)["deposit"][-1][2:] == ("later", "house", 5)


def test_a_batch_that_fails_leaves_nothing(path, to, monkeypatch):
    """Dies after the rows and before the position, again and again: nothing is there twice in the end."""
    monkeypatch.setattr(projections, "BATCH", 40)
    for _ in range(3):
        with monkeypatch.context() as broken:
            with opened(to) as target:
                broken.setattr(type(target), "add_up", lambda self, values: (_ for _ in ()).throw(ZeroDivisionError))
            with pytest.raises(ZeroDivisionError):
                run(path, to)
    run(path, to)
    assert held(to) == expected(path)


def test_mutant_without_one_transaction_rows_are_there_twice(path, tmp_path, monkeypatch):
    to = str(tmp_path / "tables.db")
    with opened(to) as target:
        kind = type(target)
    run(path, to)
    with Keeper(path) as books:
        books.append([(1, Deposit("later", "house", 5))])
    with monkeypatch.context() as broken:
        broken.setattr(kind, "transaction", lambda self: closing(sqlite3.connect(":memory:")))
        broken.setattr(kind, "add_up", lambda self, values: (_ for _ in ()).throw(ZeroDivisionError))
        with pytest.raises(ZeroDivisionError):
            run(path, to)
    run(path, to)
    assert held(to) != expected(path)


def test_another_journal_or_an_old_shape_is_filled_anew(path, tmp_path, to, monkeypatch):
    with Keeper(tmp_path / "other", create=True) as books:
        for batch in Telling(12).cycles(70):
            books.append(batch)
    run(tmp_path / "other", to)
    run(path, to)
    assert held(to) == expected(path)
    with opened(to) as target, target.transaction():
        target.execute("UPDATE position SET shape = 'old'")
        target.execute("ALTER TABLE fill ADD COLUMN forgotten BIGINT")
    run(path, to)
    assert held(to) == expected(path)


def test_two_projectors_do_not_write_the_same_rows(path, to):
    run(path, to)
    with Keeper(path) as books:
        books.append([(1, Deposit("later", "house", 5))])
    before = rebuild(path).head
    with opened(to) as target, target.transaction():
        target.execute(f"UPDATE position SET seq = {before.seq}, hash = '{before.hash.hex()}'")
    with reading(path) as db:
        batch = list(rows(db, before.seq - 1))
    late = before._replace(seq=before.seq - 1)
    with (
        pytest.raises(LedgerError, match="another program moved"),
        opened(to) as target,
        target.transaction(),
    ):
        projections._write(target, batch, late, before)
    assert len(held(to)["deposit"]) == 1


def test_a_broken_chain_is_not_projected(path, to):
    tampered(path, "UPDATE journal SET v = 2 WHERE seq = 100")
    with pytest.raises(LedgerError, match="row 100: its hash is not that of its contents"):
        run(path, to)


def test_it_follows_a_journal_that_grows_over_a_server_that_dies(path, server, monkeypatch):
    """The server is crashed and started again while facts go on: at the end the tables are the journal."""
    monkeypatch.setattr(projections, "BATCH", 50)
    steps = iter(range(14))
    down = 0

    def wait(seconds: float) -> None:
        nonlocal down
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        with Keeper(path) as books:
            books.append([(step, Deposit(f"step-{step}", "house", step)) for _ in range(1)])
        if step in (3, 8):
            server.stop(signal.SIGQUIT)
            down += 1
        if step in (6, 9):
            server.start()

    assert run(path, server.url, follow=True, wait=wait) > 0
    assert down == 2
    run(path, server.url)
    assert held(server.url) == expected(path)
    server.stop()
    with pytest.raises(LedgerError, match="postgresql://"):
        run(path, server.url)
    server.start()


def test_what_is_no_place_is_refused(path):
    with pytest.raises(ConfigError, match="'mysql://x' is no projection"):
        run(path, "mysql://x")
    with pytest.raises(LedgerError, match="file is not a database"):
        run(path, str(Path(__file__)))
    with pytest.raises(LedgerError, match="unable to open database file"):
        run(path, str(path / "no" / "folder"))


def test_every_column_has_a_type():
    assert {kind for table in TABLES.values() for _, kind in table.columns} == {int, float, str}
    assert POSTINGS in TABLES
