"""The audit agrees with a record that is right, and names the first row of one that is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from podshop.journal.audit import RULES, audit
from podshop.journal.record import Recorder
from podshop.journal.tables import TABLES
from podshop.nouns import DataError
from tests.journal.made_up import HOUR_NS, NAMES, MadeUp

SINCE_NS = 1_704_067_200_000_000_000  # 2024-01-01
Columns = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def honest() -> dict[str, Columns]:
    return MadeUp(seed=3).run(SINCE_NS, cycles=24 * 6)


def written(folder: Path, tables: dict[str, Columns]) -> Path:
    """The record of these rows, with its own hash: every other error is left to find."""
    with Recorder(folder, NAMES) as recorder:
        for table, columns in tables.items():
            recorder.write(table, columns)
        digests = recorder.close()
    nav = tables["nav"]["nav_micro"]
    told = {"period": {"cycles": len(nav) - 1}, "nav": {"end": float(nav[-1]) / 1e6}}
    recorder.finish({"decisions_sha256": digests["decisions_sha256"]} | told, "<html></html>")
    return folder


def changed(tables: dict[str, Columns], table: str, row: int, **values: float) -> dict[str, Columns]:
    columns = {name: column.copy() for name, column in tables[table].items()}
    for name, value in values.items():
        columns[name][row] += value
    return tables | {table: columns}


def without(tables: dict[str, Columns], table: str, row: int) -> dict[str, Columns]:
    return tables | {table: {name: np.delete(column, row) for name, column in tables[table].items()}}


def test_a_right_record_has_no_bad_row(tmp_path: Path, honest: dict[str, Columns]) -> None:
    answer = audit(written(tmp_path, honest))
    assert answer.bad == ()
    assert answer.first is None
    assert answer.rows["fills"] == len(honest["fills"]["seq"]) > 50
    assert {"venue", "cross", "settlement", "maker"} == set(
        pl.read_parquet(tmp_path / "fills.parquet")["kind"].cast(pl.String)
    )


def venue(tables: dict[str, Columns], nth: int = 20) -> int:
    return int(np.flatnonzero(tables["fills"]["kind"] == 0)[nth])


def cross(tables: dict[str, Columns]) -> int:
    return int(np.flatnonzero(tables["fills"]["kind"] == 1)[2])


def lots_with_their_cash(tables: dict[str, Columns], row: int) -> dict[str, Columns]:
    """One lot more, paid for: right in itself, but nobody was allowed it."""
    return changed(tables, "fills", row, lots=1, cash_micro=-tables["fills"]["price_micro"][row])


def later(tables: dict[str, Columns], table: str, row: int) -> dict[str, Columns]:
    return changed(tables, table, row, time=HOUR_NS)


Plant = Callable[[dict[str, Columns]], tuple[dict[str, Columns], str, int, str]]

PLANTS: dict[str, Plant] = {
    "cash of a fill": lambda t: (changed(t, "fills", 33, cash_micro=1), "fills", 33, "cash_micro ="),
    "cash of a fill, flipped": lambda t: (
        changed(t, "fills", 33, cash_micro=-2 * t["fills"]["cash_micro"][33]), "fills", 33, "cash_micro ="),
    "lots of a fill": lambda t: (changed(t, "fills", 33, lots=1), "fills", 33, "cash_micro ="),
    "lots that agree in 64 bits only": lambda t: (
        changed(t, "fills", even(t), lots=2**62), "fills", even(t), "cash_micro ="),
    "price of a fill": lambda t: (changed(t, "fills", 33, price=0.5), "fills", 33, "price x lot"),
    "a fee below zero": lambda t: (
        changed(t, "fills", 33, fee_micro=-(10**9), cash_micro=10**9), "fills", 33, "fee_micro >= 0"),
    "lots nobody was allowed": lambda t: (
        lots_with_their_cash(t, venue(t)), "verdicts", verdict_of(t, venue(t)), "filled_lots ="),
    "a dropped venue fill": lambda t: (
        without(t, "fills", venue(t)), "verdicts", verdict_of(t, venue(t)), "filled_lots ="),
    "a dropped verdict": lambda t: (
        without(t, "verdicts", verdict_of(t, venue(t))), "fills", venue(t), "every venue fill"),
    "a dropped cross fill": lambda t: (without(t, "fills", cross(t)), "fills", cross(t), "stay inside the fund sum"),
    "a cross off the reference": lambda t: (
        changed(t, "fills", cross(t), reference_micro=1), "fills", cross(t), "at the reference"),
    "a transfer that does not sum to zero": lambda t: (
        changed(t, "transfers", 6, cash_micro=1), "transfers", 6, "sums to zero"),
    "a deposit nobody made": lambda t: (changed(t, "transfers", 0, cash_micro=1), "books", 2, "equity_micro ="),
    "lots of a funding": lambda t: (changed(t, "funding", 9, lots=1), "funding", 9, "lots = what the book held"),
    "cash of a funding": lambda t: (changed(t, "funding", 9, cash_micro=2), "funding", 9, "cash_micro = -lots"),
    "a dropped funding": lambda t: (without(t, "funding", 9), "", -1, "cash"),
    "a wrong NAV": lambda t: (changed(t, "nav", 50, nav_micro=1), "nav", 50, "nav_micro ="),
    "cash of a NAV": lambda t: (changed(t, "nav", 50, cash_micro=1), "nav", 50, "cash_micro = cash of all"),
    "gross of a NAV": lambda t: (changed(t, "nav", 50, gross=1e-6), "nav", 50, "gross ="),
    "net of a NAV": lambda t: (changed(t, "nav", 50, net=np.nan), "nav", 50, "net ="),
    "drawdown of a NAV": lambda t: (changed(t, "nav", 50, drawdown=1e-6), "nav", 50, "drawdown ="),
    "a dropped NAV row": lambda t: (without(t, "nav", 50), "nav", 50, "one row per cycle"),
    "a mark": lambda t: (changed(t, "marks", 3 * 50, mark_micro=1), "nav", 50, "nav_micro ="),
    "a dropped mark": lambda t: (without(t, "marks", 3 * 50 + 1), "nav", 50, "nav_micro ="),
    "equity of a book": lambda t: (
        changed(t, "books", 7, equity_micro=1, capital_micro=1), "books", 7, "equity_micro ="),
    "capital of a book": lambda t: (changed(t, "books", 7, capital_micro=1), "books", 7, "capital_micro ="),
    "a verdict that lets more pass": lambda t: (changed(t, "verdicts", 30, allowed_lots=1), "verdicts", 30, "approve"),
    "a verdict of another kind": lambda t: (
        changed(t, "verdicts", approved(t), verdict=2), "verdicts", approved(t), "veto"),
    "more at rest than allowed": lambda t: (
        changed(t, "verdicts", rested(t), resting_lots=way(t)), "verdicts", rested(t), "filled_lots + resting"),
    "an order that never rested": lambda t: (
        changed(t, "verdicts", rested(t), resting_lots=-t["verdicts"]["resting_lots"][rested(t)]),
        "fills", maker(t), "part of what rested"),
    "a maker fill at a worse price": lambda t: (
        changed(t, "fills", maker(t), reference_micro=-way(t) * 10**9), "fills", maker(t), "who waits"),
    "the price of a wish": lambda t: (changed(t, "wishes", 30, mark_micro=1), "wishes", 30, "mark of the cycle"),
    "the size of a wish": lambda t: (changed(t, "wishes", 30, wished_lots=1), "", -1, "P&L of paper"),
    "a dropped wish": lambda t: (without(t, "wishes", 30), "", -1, "P&L of paper"),
    "a fee of a row of costs": lambda t: (
        changed(t, "costs", 9, fee_micro=1, delay_micro=-1), "costs", 9, "fee = fees"),
    "slippage of a row of costs": lambda t: (
        changed(t, "costs", 9, impact_micro=1, shortfall_micro=1), "costs", 9, "half-spread + impact ="),
    "delay of a row of costs": lambda t: (
        changed(t, "costs", 9, delay_micro=1, opportunity_micro=-1), "costs", 9, "delay ="),
    "funding of a row of costs": lambda t: (changed(t, "costs", 9, funding_micro=1), "costs", 9, "funding ="),
    "opportunity of a row of costs": lambda t: (
        changed(t, "costs", 9, opportunity_micro=1), "costs", 9, "shortfall ="),
    "a shortfall that adds up and is wrong": lambda t: (
        changed(t, "costs", 9, opportunity_micro=1, shortfall_micro=1), "costs", 9, "P&L of paper"),
    "a dropped row of costs": lambda t: (without(t, "costs", 9), "", -1, "fee = fees"),
    "rows out of order": lambda t: (changed(t, "fills", 33, seq=1000), "fills", 34, "order of"),
    "a fill of another time": lambda t: (later(t, "fills", 33), "fills", 33, "time lies in"),
}  # fmt: skip


def verdict_of(tables: dict[str, Columns], fill: int) -> int:
    fills, verdicts = tables["fills"], tables["verdicts"]
    same = (verdicts["cycle"] == fills["cycle"][fill]) & (verdicts["market"] == fills["market"][fill])
    return int(np.flatnonzero(same)[0])


def maker(tables: dict[str, Columns]) -> int:
    return int(np.flatnonzero(tables["fills"]["kind"] == 4)[12])


def rested(tables: dict[str, Columns]) -> int:
    """The verdict in the cycle before that maker fill."""
    fills, verdicts = tables["fills"], tables["verdicts"]
    placed = (verdicts["cycle"] == fills["cycle"][maker(tables)] - 1) & (
        verdicts["market"] == fills["market"][maker(tables)]
    )
    return int(np.flatnonzero(placed)[0])


def way(tables: dict[str, Columns]) -> int:
    return int(np.sign(tables["fills"]["lots"][maker(tables)]))


def even(tables: dict[str, Columns]) -> int:
    """A fill whose price is a multiple of 4: 2^62 more lots change its cash by a multiple of 2^64."""
    return int(np.flatnonzero(tables["fills"]["price_micro"] % 4 == 0)[3])


def approved(tables: dict[str, Columns]) -> int:
    return int(np.flatnonzero(tables["verdicts"]["verdict"] == 0)[10])


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_the_first_bad_row_is_named(tmp_path: Path, honest: dict[str, Columns], plant: Plant) -> None:
    tables, table, row, rule = plant(honest)
    first = audit(written(tmp_path, tables)).first
    assert first is not None
    assert rule in first.rule
    if table:
        assert (first.table, first.row) == (table, row)
        file = pl.read_parquet(tmp_path / f"{table}.parquet")
        assert (first.cycle, first.seq) == (file["cycle"][row], file["seq"][row])
        assert str(first).startswith(f"{table}.parquet: row {row} (cycle {first.cycle}, seq {first.seq}): ")
    assert first.found != first.expected


def test_every_rule_is_broken_by_some_plant(tmp_path: Path, honest: dict[str, Columns]) -> None:
    """No rule that cannot fail: each is named by one of the plants above or by a row moved here."""
    broken = set()
    for at, plant in enumerate(PLANTS.values()):
        broken |= {(bad.table, bad.rule) for bad in audit(written(tmp_path / str(at), plant(honest)[0])).bad}
    for at, table in enumerate(("nav", "marks", "funding", "transfers", "verdicts", "books", "wishes", "costs")):
        moved = changed(later(honest, table, 4), table, 4, seq=10**6)
        broken |= {(bad.table, bad.rule) for bad in audit(written(tmp_path / f"moved{at}", moved)).bad}
    assert {(table, rule) for table, rule, _ in RULES} == broken


def test_a_record_that_ends_early_is_noticed(tmp_path: Path, honest: dict[str, Columns]) -> None:
    """Its last NAV row is gone, or result.json tells of another end."""
    folder = written(tmp_path, honest)
    last = len(honest["nav"]["seq"]) - 1
    for file, change in (("nav", lambda nav: nav.head(last)), ("result", None)):
        cut = tmp_path / "cut" / file
        shutil.copytree(folder, cut, ignore=shutil.ignore_patterns("cut"))
        if change is not None:
            pl.read_parquet(cut / "nav.parquet").pipe(change).write_parquet(cut / "nav.parquet")
        else:
            told = json.loads((cut / "result.json").read_text())
            told["nav"]["end"] += 0.01
            (cut / "result.json").write_text(json.dumps(told))
        assert [bad.rule for bad in audit(cut).bad] == [
            "result.json counts the cycles of nav, and ends at its last NAV"
        ]


def test_a_cap_may_turn_an_increase_into_a_reduction(tmp_path: Path, honest: dict[str, Columns]) -> None:
    """Only where the code says so: the same lots under another code are a bad row."""
    row = int(np.flatnonzero((honest["verdicts"]["verdict"] == 1) & (honest["verdicts"]["wanted_lots"] > 0))[0])
    lots = honest["verdicts"]["allowed_lots"][row]
    turned = changed(honest, "verdicts", row, wanted_lots=-honest["verdicts"]["wanted_lots"][row] - lots)
    assert [bad.row for bad in audit(written(tmp_path / "a", turned)).bad] == [row]
    assert audit(written(tmp_path / "b", changed(turned, "verdicts", row, code=-1))).first is None


def test_decisions_of_another_run_are_noticed(tmp_path: Path, honest: dict[str, Columns]) -> None:
    """A value no rule can check still is not what the run decided."""
    folder = written(tmp_path, honest)
    ours = json.loads((folder / "result.json").read_text())
    tampered = written(tmp_path, changed(honest, "verdicts", 5, measured=0.5))
    assert audit(tampered).first is None
    (folder / "result.json").write_text(json.dumps(ours))
    bad = audit(folder).bad
    assert [row.rule.split()[0] for row in bad] == ["decisions_sha256"]
    assert bad[0].expected == ours["decisions_sha256"]


def test_an_unfinished_record_is_refused(tmp_path: Path, honest: dict[str, Columns]) -> None:
    folder = written(tmp_path, honest)
    (folder / "fills.parquet").rename(folder / "fills.parquet.part")
    with pytest.raises(DataError, match=r"fills\.parquet: missing"):
        audit(folder)
    (folder / "result.json").unlink()
    with pytest.raises(DataError, match=r"no result\.json"):
        audit(folder)


def test_a_table_of_another_shape_is_refused(tmp_path: Path, honest: dict[str, Columns]) -> None:
    folder = written(tmp_path, honest)
    path = folder / "fills.parquet"
    fills = pl.read_parquet(path)
    fills.drop("fee_micro").write_parquet(path)
    with pytest.raises(DataError, match="no column 'fee_micro'"):
        audit(folder)
    fills.with_columns(pl.col("lots").cast(pl.Float64)).write_parquet(path)
    with pytest.raises(DataError, match="lots is Float64, expected Int64"):
        audit(folder)


def test_every_table_says_what_its_columns_mean() -> None:
    for table, columns in TABLES.items():
        assert len({column.name for column in columns}) == len(columns), table
        assert all(column.meaning and column.unit for column in columns), table
