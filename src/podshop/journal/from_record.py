"""A finished backtest, told as the facts of a journal: what live would have written, cycle by cycle.

A record keeps what each book got. What the venue did follows: its fills and funding are the sums over the books, under
ids made of the row's number; an intent is a verdict that let something pass. Whom an intent was for is known where all
of it was taken at once: then it was for those who got it; of what rested, or filled in part, the record keeps no wants.
The hash of the signals is told where the record has its table. Costs stay behind: they are measures, not facts.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from podshop.journal.keeper import Keeper
from podshop.journal.record import RESULT
from podshop.journal.tables import BESIDE
from podshop.ledger import facts
from podshop.ledger.facts import Fact
from podshop.nouns import DataError, duration_ns
from podshop.nouns.verdict import NET

CYCLES_A_COMMIT = 500  # nobody waits for a single cycle of the past
PIECE = 50_000  # rows of a table in memory as Python tuples
AT_VENUE = ("venue", "maker", "settlement")  # kinds of fills that the venue made
QUARTERS = tuple(column.name for column in BESIDE["signals"][1:])
BEFORE = (facts.Decision, facts.Verdict, facts.Intent)
TOLD = ("transfers", "nav", "marks", "funding", "fills", "verdicts", "wishes", "books")

Batch: TypeAlias = list[tuple[int, Fact]]
Row: TypeAlias = tuple[Any, ...]
Show: TypeAlias = Callable[[int, int], None]


class Told(NamedTuple):
    """How much was written."""

    cycles: int
    facts: int


def import_record(folder: Path, journal: Path, show: Show = lambda done, total: None) -> Told:
    """Write a record into a new journal. Raises DataError where the folder holds no finished record, LedgerError where
    its rows contradict each other; the journal then holds the cycles before.
    """
    start, cycles = _start(folder)
    written = 0
    with Keeper(journal, create=True) as keeper:
        batch: Batch = [(0, start)]
        for done, told in enumerate(cycles_of(folder, start), 1):
            batch += told
            if done % CYCLES_A_COMMIT == 0:
                written = keeper.append(batch)
                batch = []
                show(done, cycles)
        written = keeper.append(batch)
    return Told(cycles, written)


def cycles_of(folder: Path, start: facts.Start) -> Iterator[Batch]:
    """The facts of each cycle in order, as (at_ns, fact)."""
    teller = _Teller(start.interval_ns)
    everything = merge(*(_rows(folder, table) for table in TOLD), key=itemgetter(1))
    hashes = _signals(folder)
    for number, cycle in groupby(everything, key=itemgetter(0)):
        told = list(teller.cycle(cycle))
        if number in hashes:  # it was said before anybody decided
            first = next((i for i, (_, fact) in enumerate(told) if isinstance(fact, BEFORE)), len(told))
            told.insert(first, (number * start.interval_ns, facts.Signals(number, hashes[number])))
        yield told


class _Teller:
    """Remembers which intent rests in which market from one cycle to the next."""

    def __init__(self, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._resting: dict[str, str] = {}
        self._taken: dict[str, list[tuple[str, int]]] = {}  # market -> (book, lots) of this cycle's fill that took

    def cycle(self, given: Iterator[Row]) -> Iterator[tuple[int, Fact]]:
        """Rows that belong together stand together: one settlement, one fill, one exchange of capital."""
        nav: Row = ()
        rows = list(given)
        self._taken = {}
        for _, _, table, _, columns in rows:
            if table == "fills" and columns[1] == "venue":
                self._taken.setdefault(columns[0], []).append((columns[2], columns[3]))
        for (table, *_), group in groupby(rows, key=lambda row: (row[2], row[3], *row[4][: TOGETHER[table_of(row)]])):
            some = list(group)
            if nav and table != "marks":
                yield _nav(nav)
                nav = ()
            if table == "nav":
                nav = some[0]
            else:
                yield from getattr(self, table)(some)
        if nav:
            yield _nav(nav)

    def marks(self, rows: list[Row]) -> Iterator[tuple[int, Fact]]:
        markets, marks, ages = zip(*(row[4] for row in rows), strict=True)
        yield rows[0][3], facts.Marks(rows[0][0], markets, marks, ages)

    def transfers(self, rows: list[Row]) -> Iterator[tuple[int, Fact]]:
        _, _, _, at, (reason, _, _) = rows[0]
        if reason == "deposit":
            for _, number, _, _, (_, book, cash) in rows:
                yield at, facts.Deposit(f"deposit-{number}", book, cash)
        else:
            yield at, facts.Transfer(tuple((book, cash) for *_, (_, book, cash) in rows), reason)

    def funding(self, rows: list[Row]) -> Iterator[tuple[int, Fact]]:
        _, seq, _, at, (market, *_) = rows[0]
        yield at, facts.Funding(f"funding-{seq}", market, sum(row[4][-1] for row in rows))
        for *_, (_, book, lots, mark, rate, source, cash) in rows:
            yield at, facts.FundingShare(book, market, lots, mark, rate, source, cash)

    def fills(self, rows: list[Row]) -> Iterator[tuple[int, Fact]]:
        cycle, seq, _, at, (market, kind, _, _, price, _, _) = rows[0]
        intent = "" if kind not in ("venue", "maker") else f"{cycle}-{market}"
        if kind == "maker":
            intent = self._resting.pop(market, "")
        if any(row[4][4] != price for row in rows):
            raise DataError(f"fills of cycle {cycle}, seq {seq}: {kind} fills of {market} at more than one price")
        lots, fee = sum(row[4][3] for row in rows), sum(row[4][6] for row in rows)
        if kind in AT_VENUE and (lots or fee):
            yield at, facts.Fill(f"fill-{seq}", intent, market, lots, price, fee)
        for *_, (_, _, book, lots, price, reference, fee) in rows:
            yield at, facts.Share(intent, book, market, lots, price, reference, fee, kind)

    def verdicts(self, rows: list[Row]) -> Iterator[tuple[int, Fact]]:
        for cycle, _, _, at, (market, book, verdict, code, wanted, allowed, filled, resting, measured, bound) in rows:
            lots = wanted, allowed, filled, resting
            yield at, facts.Verdict(market, book, verdict, code, *lots, _known(measured), _known(bound))
            if book == NET and allowed:
                intent = f"{cycle}-{market}"
                taken = self._taken.get(market, [])
                whole = not resting and sum(lots for _, lots in taken) == allowed
                yield at, facts.Intent(intent, market, allowed, at + self._interval_ns, tuple(taken) if whole else ())
                if resting:
                    self._resting[market] = intent

    def wishes(self, rows: list[Row]) -> Iterator[tuple[int, Fact]]:
        for *_, at, (market, book, lots, mark) in rows:
            yield at, facts.Decision(book, market, lots, mark)

    def books(self, rows: list[Row]) -> Iterator[tuple[int, Fact]]:
        for *_, at, (book, capital, equity, weight, throttle, shadow) in rows:
            yield at, facts.Capital(book, capital, equity, _known(weight), throttle, shadow)


COLUMNS = {  # what is told of each row; the first TOGETHER of them, and the time, say which rows belong together
    "transfers": ("reason", "book", "cash_micro"),
    "nav": ("nav_micro", "cash_micro", "var"),
    "marks": ("market", "mark_micro", "age_bars"),
    "funding": ("market", "book", "lots", "mark_micro", "rate", "source", "cash_micro"),
    "fills": ("market", "kind", "book", "lots", "price_micro", "reference_micro", "fee_micro"),
    "verdicts": (
        "market", "book", "verdict", "code", "wanted_lots", "allowed_lots", "filled_lots", "resting_lots", "measured",
        "bound",
    ),
    "wishes": ("market", "book", "wished_lots", "mark_micro"),
    "books": ("book", "capital_micro", "equity_micro", "weight", "throttle", "shadow_equity_micro"),
}  # fmt: skip
TOGETHER = {
    "transfers": 1, "nav": 0, "marks": 0, "funding": 1, "fills": 2, "verdicts": 0, "wishes": 0, "books": 0,
}  # fmt: skip


def table_of(row: Row) -> str:
    """The table a row comes from."""
    name: str = row[2]
    return name


def _nav(row: Row) -> tuple[int, Fact]:
    cycle, _, _, at, (nav, cash, var) = row
    return at, facts.Nav(cycle, nav, cash, _known(var))


def _known(value: float) -> float | None:
    return None if value != value else value


def _rows(folder: Path, table: str) -> Iterator[Row]:
    """Rows of a table as (cycle, seq, table, at_ns, columns)."""
    path = folder / f"{table}.parquet"
    frame = pl.scan_parquet(path).select("cycle", "seq", pl.col("time").to_physical(), *COLUMNS[table])
    names = [name for name, kind in frame.collect_schema().items() if isinstance(kind, pl.Enum)]
    frame = frame.with_columns(pl.col(names).cast(pl.String))
    start = 0
    while len(piece := frame.slice(start, PIECE).collect()):
        for cycle, seq, at, *columns in piece.iter_rows():
            yield cycle, seq, table, at, tuple(columns)
        start += PIECE


def _signals(folder: Path) -> dict[int, str]:
    """Cycle -> hash of what its signal agents said; none where an older podshop kept none."""
    path = folder / "signals.parquet"
    if not path.is_file():
        return {}
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    interval_ns = duration_ns(result["period"]["interval"])
    table = pl.read_parquet(path, columns=["time", *QUARTERS]).with_columns(pl.col("time").to_physical())
    return {at // interval_ns: _hexadecimal(quarters) for at, *quarters in table.iter_rows()}


def _hexadecimal(quarters: Sequence[int]) -> str:
    return "".join(one.to_bytes(8, "big", signed=True).hex() for one in quarters)


def _start(folder: Path) -> tuple[facts.Start, int]:
    """Whose record it is, and how many cycles it has."""
    path = folder / RESULT
    if not path.is_file():
        raise DataError(f"{folder}: no {RESULT}, so this is no record or an unfinished one")
    for table in TOLD:
        if not (folder / f"{table}.parquet").is_file():
            raise DataError(f"{folder}: no {table}.parquet: written by an older podshop? Run the backtest again")
    raw = path.read_bytes()
    try:
        result = json.loads(raw)
        markets = pl.read_parquet(folder / "markets.parquet")
        nav = pl.scan_parquet(folder / "nav.parquet").select("cycle", pl.col("time").to_physical())
        first = nav.first().collect().row(0)
        book = pl.scan_parquet(folder / "books.parquet").collect_schema()["book"]
        assert isinstance(book, pl.Enum)
        start = facts.Start(
            fund=result["fund"],
            interval_ns=first[1] // first[0],
            markets=tuple(markets["market"].cast(pl.String)),
            lot_sizes=tuple(markets["lot_size"]),
            books=tuple(name for name in book.categories if name != NET),
            source=f"a backtest's record, result.json {sha256(raw).hexdigest()}",
        )
        return start, int(nav.select(pl.len()).collect().item())
    except (OSError, KeyError, AssertionError, ValueError, pl.exceptions.PolarsError) as e:
        raise DataError(f"{folder}: no record: {e}") from e
