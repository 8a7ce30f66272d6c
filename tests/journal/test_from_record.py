"""A backtest's record told as facts: every lot and micro-dollar of it, and nothing that is not in it."""

import numpy as np
import polars as pl
import pytest

from podshop.journal.facts import read
from podshop.journal.from_record import import_record
from podshop.journal.keeper import rebuild
from podshop.journal.record import Recorder
from podshop.journal.store import reading, rows
from podshop.journal.verify import verify
from podshop.ledger.facts import Fill, Intent
from podshop.nouns import DataError, LedgerError
from tests.journal.made_up import HOUR_NS, NAMES, MadeUp
from tests.journal.test_audit import SINCE_NS, changed, written

CYCLES = 24 * 6


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, np.ndarray]]:
    return MadeUp(seed=3).run(SINCE_NS, cycles=CYCLES)


def finished(folder, tables):
    """The record of these rows, with the name of its fund."""
    written(folder, tables)
    result = folder / "result.json"
    result.write_text(result.read_text(encoding="utf-8").replace("{", '{"fund": "made-up",', 1), encoding="utf-8")
    return folder


def test_the_books_of_the_journal_are_those_of_the_record(tmp_path, tables):
    told = import_record(finished(tmp_path / "record", tables), tmp_path / "j")
    books = rebuild(tmp_path / "j").books
    fills = pl.read_parquet(tmp_path / "record" / "fills.parquet").cast({"market": pl.String, "book": pl.String})
    for (book, market), part in fills.group_by("book", "market"):
        assert books.lots(book, market) == part["lots"].sum()
    cash = pl.concat(
        pl.read_parquet(tmp_path / "record" / f"{table}.parquet").select(pl.col("book").cast(pl.String), "cash_micro")
        for table in ("fills", "funding", "transfers")
    )
    for (book,), part in cash.group_by("book"):
        assert books.cash_micro(book) == part["cash_micro"].sum()
    assert books.nav_micro() == tables["nav"]["nav_micro"][-1]
    books.agree()
    found = verify(tmp_path / "j")
    assert (found.first_bad, found.rows) == (None, told.facts)
    assert told.cycles == CYCLES + 1


def test_every_row_of_the_record_is_told_once(tmp_path, tables):
    import_record(finished(tmp_path / "record", tables), tmp_path / "j")
    with reading(tmp_path / "j") as db:
        kinds = [row.kind for row in rows(db)]
    count = {kind: kinds.count(kind) for kind in kinds}
    venue = np.isin(tables["fills"]["kind"], [NAMES["kind"].index(k) for k in ("venue", "maker", "settlement")])
    assert count["share"] == len(tables["fills"]["seq"])
    assert 0 < count["fill"] <= venue.sum()
    assert count["funding_share"] == len(tables["funding"]["seq"])
    assert count["verdict"] == len(tables["verdicts"]["seq"])
    assert count["nav"] == count["marks"] == len(tables["nav"]["seq"])
    assert count["capital"] == len(tables["books"]["seq"])
    assert count["intent"] == np.count_nonzero(tables["verdicts"]["allowed_lots"])


def test_every_fill_of_an_order_names_an_intent_told_before(tmp_path, tables):
    """Those of maker orders that of the cycle before; a settlement is nobody's order."""
    import_record(finished(tmp_path / "record", tables), tmp_path / "j")
    with reading(tmp_path / "j") as db:
        facts = [read(row.kind, row.v, row.body) for row in rows(db)]
    intents, named = set(), 0
    for fact in facts:
        if isinstance(fact, Intent):
            intents.add(fact.intent)
        if isinstance(fact, Fill) and fact.intent:
            assert fact.intent in intents
            named += 1
    assert named > 50


@pytest.mark.parametrize(
    ("table", "column", "said"),
    [
        ("fills", "lots", "in transit|NAV|capital|more than one price"),
        ("fills", "fee_micro", "NAV"),
        ("funding", "cash_micro", "NAV|capital"),
        ("nav", "nav_micro", "NAV"),
        ("marks", "mark_micro", "NAV"),
        ("books", "capital_micro", "capital"),
        ("transfers", "cash_micro", "NAV|a transfer for allocation makes"),
    ],
)
def test_a_record_that_contradicts_itself_is_not_told(tmp_path, tables, table, column, said):
    wrong = changed(tables, table, len(tables[table]["seq"]) // 2, **{column: 5})
    with pytest.raises(LedgerError, match=said):
        import_record(finished(tmp_path / "record", wrong), tmp_path / "j")


def test_what_is_no_record_is_refused(tmp_path, tables):
    with pytest.raises(DataError, match=r"no result\.json"):
        import_record(tmp_path, tmp_path / "j")
    with Recorder(tmp_path / "record", NAMES):
        pass
    (tmp_path / "record" / "result.json").write_text("{}")
    with pytest.raises(DataError, match="no record"):
        import_record(tmp_path / "record", tmp_path / "j")
    (tmp_path / "record" / "wishes.parquet").unlink()
    with pytest.raises(DataError, match=r"no wishes\.parquet: written by an older podshop"):
        import_record(tmp_path / "record", tmp_path / "j")
    assert not (tmp_path / "j").exists()
    finished(tmp_path / "record", tables)
    import_record(tmp_path / "record", tmp_path / "j")
    with pytest.raises(LedgerError, match="is there already"):
        import_record(tmp_path / "record", tmp_path / "j")


def test_the_hour_is_found_from_the_nav(tmp_path, tables):
    import_record(finished(tmp_path / "record", tables), tmp_path / "j")
    with reading(tmp_path / "j") as db:
        first = next(rows(db))
        start = read(first.kind, first.v, first.body)
    assert (start.interval_ns, start.markets, start.books) == (
        HOUR_NS,
        ("BTC", "ETH", "XRP"),
        ("trend", "carry", "house"),
    )
