"""Recompute a finished record from its Parquet files, with polars and hashlib alone.

Cash and lots of every book follow from fills, funding and transfers; with the marks, so do equity and NAV. Products and
sums are 128-bit whole numbers, so that no planted value can overflow into agreement. Each rule finds its own bad rows;
the first is the one of the earliest cycle, and within a cycle the one closest to the cause, in the order of RULES.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from podshop.journal import cost_rules, rules
from podshop.journal.record import RESULT, combined
from podshop.journal.rules import Record
from podshop.journal.tables import HASHED, TABLES
from podshop.nouns import DataError


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be. `row` counts from 0 in the Parquet file; -1 where the whole table or a lacking row is."""

    table: str
    row: int
    cycle: int
    seq: int
    rule: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = f"row {self.row} (cycle {self.cycle}, seq {self.seq})" if self.row >= 0 else "as a whole"
        return f"{self.table}.parquet: {where}: {self.rule}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What was checked and what was wrong.

    rows   table -> how many rows it has
    rules  how many rules were applied to them
    bad    the first bad row of each broken rule, the likeliest cause first; empty = the record agrees with itself
    """

    rows: Mapping[str, int]
    rules: int
    bad: tuple[BadRow, ...]

    @property
    def first(self) -> BadRow | None:
        """The first bad row, None where all agrees."""
        return self.bad[0] if self.bad else None


Rule = tuple[str, str, Callable[[Record], pl.LazyFrame]]

RULES: tuple[Rule, ...] = (
    *((table, "rows stand in the order of (cycle, seq)", rules.order(table)) for table in rules.ORDERED),
    *((table, "time lies in the cycle's interval", rules.in_cycle(table)) for table in rules.ORDERED),
    ("fills", "cash_micro = -lots x price_micro - fee_micro", rules.fill_cash),
    ("fills", "fee_micro >= 0", rules.fill_fee),
    ("fills", "price x lot_micro_scale = price_micro", rules.fill_price),
    ("fills", "lots that stay inside the fund change hands at the reference, for no fee", rules.inside_price),
    ("fills", "lots that stay inside the fund sum to zero per cycle and market", rules.inside_zero),
    ("transfers", "between books, cash_micro sums to zero per cycle", rules.transfer_zero),
    ("funding", "lots = what the book held", rules.funding_lots),
    ("funding", "cash_micro = -lots x mark_micro x rate, half to even", rules.funding_cash),
    ("verdicts", "approve lets all pass, veto nothing, shrink a part", rules.verdict_allowed),
    ("verdicts", "filled_lots = venue fills of the cycle and market, within allowed_lots", rules.verdict_filled),
    ("verdicts", "filled_lots + resting_lots lie within allowed_lots", cost_rules.verdict_rests),
    ("fills", "every venue fill has the verdict of its net order", rules.fill_verdict),
    ("fills", "who waits pays no more than the reference, and takes no less", cost_rules.maker_price),
    ("fills", "a maker fill is part of what rested since the cycle before", cost_rules.maker_rested),
    ("books", "equity_micro = cash + lots x marks, before the transfers", rules.book_equity),
    ("books", "capital_micro = equity_micro + the transfers", rules.book_capital),
    ("nav", "one row per cycle", rules.nav_every_cycle),
    ("nav", "cash_micro = cash of all earlier rows", rules.nav_cash),
    ("nav", "nav_micro = cash + lots x marks", rules.nav_value),
    ("nav", "gross = sum of |lots x mark| / NAV", rules.nav_gross),
    ("nav", "net = sum of lots x mark / NAV", rules.nav_net),
    ("nav", "drawdown = 1 - NAV / highest NAV so far", rules.nav_drawdown),
    ("wishes", "mark_micro = the mark of the cycle", cost_rules.wish_mark),
    ("costs", "fee = fees of the fills since the row before", cost_rules.counts(cost_rules.fees, "fee_micro")),
    (
        "costs",
        "half-spread + impact = lots x (price - reference) of the fills since the row before",
        cost_rules.counts(cost_rules.slippage, "half_spread_micro", "impact_micro"),
    ),
    (
        "costs",
        "delay = lots x (reference - decision price) of the fills since the row before",
        cost_rules.counts(cost_rules.delay, "delay_micro"),
    ),
    (
        "costs",
        "funding = what was paid since the row before",
        cost_rules.counts(cost_rules.funding_paid, "funding_micro"),
    ),
    ("costs", "shortfall = delay + half-spread + impact + fee + opportunity", cost_rules.shortfall_parts),
    ("costs", "all shortfall so far + what is open = P&L of paper - P&L of the book", cost_rules.paper_less_book),
)


def audit(folder: Path) -> AuditResult:
    """Check a finished record. Raises DataError where it is unfinished or a table is not of the promised shape."""
    result, record = _open(folder)
    found = [(bad.cycle, rank, bad) for rank, rule in enumerate(RULES) for bad in _first(rule, record)]
    bad = [row for _, _, row in sorted(found, key=lambda item: item[:2])]
    decisions = decisions_sha256(record)
    if decisions != result.get("decisions_sha256"):
        rule = "decisions_sha256 of result.json covers verdicts and fills"
        bad.append(BadRow("fills", -1, -1, -1, rule, decisions, str(result.get("decisions_sha256"))))
    bad += _ends(result, record)
    rows = {table: int(frame.select(pl.len()).collect().item()) for table, frame in record.items() if table in TABLES}
    return AuditResult(rows, len(RULES) + 2, tuple(bad))


def _ends(result: Mapping[str, Any], record: Record) -> list[BadRow]:
    """The NAV table has a row for every cycle that result.json counts, and one more, which is the NAV it ends at."""
    nav = record["nav"].select("row", "cycle", "seq", "nav_micro").collect()
    told = result.get("period", {}).get("cycles"), result.get("nav", {}).get("end")
    last = nav.row(-1, named=True) if len(nav) else {"row": -1, "cycle": -1, "seq": -1, "nav_micro": 0}
    found = len(nav) - 1, last["nav_micro"] / 1e6
    if found == told:
        return []
    rule = "result.json counts the cycles of nav, and ends at its last NAV"
    return [BadRow("nav", last["row"], last["cycle"], last["seq"], rule, str(found), str(told))]


def decisions_sha256(record: Record) -> str:
    """The recorder's hash of the decisions, from the files."""
    digests = {}
    for table in HASHED:
        for column in TABLES[table]:
            running = hashlib.sha256()
            kind = record[table].collect_schema()[column.name]
            if isinstance(kind, pl.Enum):
                running.update("\n".join(kind.categories).encode())
            values = record[table].select(column.name).collect(engine="streaming")[column.name]
            for piece in values.to_physical().get_chunks():
                running.update(piece.to_numpy().astype(column.dtype).data)
            digests[f"{table}.{column.name}"] = running.hexdigest()
    return combined(digests)


def _open(folder: Path) -> tuple[Mapping[str, Any], Record]:
    if not (folder / RESULT).is_file():
        raise DataError(f"{folder}: no {RESULT}, so this is no record or an unfinished one")
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    record = {}
    for table in TABLES:
        path = folder / f"{table}.parquet"
        if not path.is_file():
            raise DataError(f"{path}: missing, a record has {', '.join(f'{t}.parquet' for t in TABLES)}")
        frame = pl.scan_parquet(path)
        _same_shape(path, frame.collect_schema(), table)
        record[table] = frame.with_row_index("row")
    record["nav again"] = rules.recomputed_nav(record).collect(engine="streaming").lazy()
    record["books again"] = rules.recomputed_books(record).collect(engine="streaming").lazy()
    return result, record


def _same_shape(path: Path, schema: Mapping[str, pl.DataType], table: str) -> None:
    kinds: Mapping[str, Sequence[type[pl.DataType]]] = {
        "whole": (pl.Int64,),
        "real": (pl.Float64,),
        "time": (pl.Datetime,),
        "name": (pl.Enum,),
    }
    for column in TABLES[table]:
        if column.name not in schema:
            raise DataError(f"{path}: no column {column.name!r}, found {list(schema)}")
        if not isinstance(schema[column.name], tuple(kinds[column.kind])):
            raise DataError(
                f"{path}: {column.name} is {schema[column.name]}, expected {kinds[column.kind][0].__name__}"
            )


def _first(rule: Rule, record: Record) -> list[BadRow]:
    """The first row that breaks the rule, or none."""
    table, text, check = rule
    bad = check(record).select("row", "cycle", "seq", "found", "expected").sort("cycle", "row").head(1)
    return [
        BadRow(table, row, cycle, seq, text, str(found), str(expected))
        for row, cycle, seq, found, expected in bad.collect(engine="streaming").rows()
    ]
