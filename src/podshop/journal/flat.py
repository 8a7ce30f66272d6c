"""Facts as rows of plain tables, for projections and exports: one table per kind, lists told one row an entry."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from podshop.journal.facts import KINDS, Fact, read
from podshop.ledger import live
from podshop.ledger.facts import Intent, Marks, Start, Transfer
from podshop.ledger.postings import asset_of, postings
from podshop.nouns.venue import Filled, Order
from podshop.orders.facts import OrderFact

Values: TypeAlias = tuple[Any, ...]


class Table(NamedTuple):
    """A table: its columns after `seq` and `at_ns`, with their Python types, and how a fact becomes rows."""

    columns: tuple[tuple[str, type], ...]
    rows: Callable[[Any], Iterable[Values]]


def tables_of(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Values]]:
    """What these rows of the journal add to each table of TABLES."""
    found: dict[str, list[Values]] = {}
    for seq, at_ns, kind, v, body, *_ in rows:
        fact = read(kind, v, body)
        found.setdefault(kind, []).extend((seq, at_ns, *values) for values in TABLES[kind].rows(fact))
        for account, units in postings(fact):
            found.setdefault(POSTINGS, []).append((seq, at_ns, account, asset_of(account), units))
    return found


def _start(fact: Start) -> Iterator[Values]:
    for market, lot_size in zip(fact.markets, fact.lot_sizes, strict=True):
        yield fact.fund, fact.interval_ns, market, lot_size, fact.source


def _intent(fact: Intent) -> Iterator[Values]:
    *plain, wants = fact
    yield *plain, " ".join(f"{book}:{lots}" for book, lots in wants)


def _transfer(fact: Transfer) -> Iterator[Values]:
    for book, cash in fact.moves:
        yield book, cash, fact.reason


def _marks(fact: Marks) -> Iterator[Values]:
    for market, mark, age in zip(fact.markets, fact.mark_micro, fact.age_bars, strict=True):
        yield fact.cycle, market, mark, age


def _seen(fact: live.Seen) -> Iterator[Values]:
    for market, lots in zip(fact.markets, fact.lots, strict=True):
        yield fact.cycle, fact.venue_ns, fact.equity_micro, market, lots
    if not fact.markets:
        yield fact.cycle, fact.venue_ns, fact.equity_micro, "", 0


def _mids(fact: live.Mids) -> Iterator[Values]:
    for market, reference in zip(fact.markets, fact.reference_micro, strict=True):
        yield fact.cycle, market, reference


def _asked(fact: live.Asked) -> Iterator[Values]:
    yield fact.cycle, fact.sha256, len(fact.body), fact.refused


def _ruled(fact: live.Ruled) -> Iterator[Values]:
    for market, weight in enumerate(fact.max_weight):
        scalars = fact.max_gross, fact.max_order, fact.max_var, fact.tail, fact.state
        yield fact.cycle, fact.version, market, weight, *scalars


def _netted(fact: live.Netted) -> Iterator[Values]:
    *plain, wants = fact
    yield *plain, " ".join(f"{book}:{lots}" for book, lots in wants)


def _shared(fact: live.Shared) -> Iterator[Values]:
    yield fact.market, fact.intent, " ".join(f"{book}:{lots}" for book, lots in fact.given)


def _standing(fact: live.Standing) -> Iterator[Values]:
    yield fact.cycle, len(fact.body)


def _one(fact: Fact) -> Iterator[Values]:
    yield fact


def _flagged(fact: Fact) -> Iterator[Values]:
    """A plain kind with yes and no among its fields: 1 and 0."""
    yield tuple(int(value) if isinstance(value, bool) else value for value in fact)


def _of_order(fact: OrderFact) -> Iterator[Values]:
    """One row for a fact of a coin's life: its order or fill told flat, lists as text. `at_ns` is the journal's own."""
    values: list[Any] = []
    for name, value in zip(fact._fields, fact, strict=True):
        if isinstance(value, Order | Filled):
            values += [value._asdict()[part] for part in NESTED[type(value)]]
        elif isinstance(value, tuple):
            values.append(" ".join(":".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in value))
        elif name != "at_ns":
            values.append(int(value) if isinstance(value, bool) else value)
    yield tuple(values)


def _columns_of_order(kind: type) -> tuple[tuple[str, type], ...]:
    columns: list[tuple[str, type]] = []
    for name, type_ in kind.__annotations__.items():
        if type_ in NESTED:
            columns += [(part, TYPES.get(type_.__annotations__[part], str)) for part in NESTED[type_]]
        elif name != "at_ns":
            optional = int if type_ == int | None else str
            columns.append((RENAMED.get(name, name), TYPES.get(type_, optional)))
    return tuple(columns)


def _plain(kind: type) -> tuple[tuple[str, type], ...]:
    """Columns of a kind whose fields are all plain."""
    return tuple((name, TYPES.get(type_, float)) for name, type_ in kind.__annotations__.items())


def _table(kind: str, type_: type) -> Table:
    if type_ in OF_ORDERS:
        return Table(_columns_of_order(type_), _of_order)
    return _LISTS.get(kind) or Table(_plain(type_), _flagged if kind in FLAGGED else _one)


POSTINGS = "postings"
TYPES: dict[Any, type] = {int: int, str: str, float: float, bool: int}
NESTED: dict[Any, tuple[str, ...]] = {
    Order: ("intent", "lots", "limit_micro", "reference_micro", "reduce_only", "whole", "expires_ns"),
    Filled: ("fill_id", "order_id", "client_id", "lots", "price_micro", "fee_micro", "kind"),
}
RENAMED = {"row": "rule", "to": "borne_by", "on": "is_on"}  # words that databases keep for themselves
_LISTS: dict[str, Table] = {
    "start": Table(
        (("fund", str), ("interval_ns", int), ("market", str), ("lot_size", float), ("source", str)), _start
    ),
    "intent": Table(
        (("intent", str), ("market", str), ("lots", int), ("expires_ns", int), ("wants", str)), _intent
    ),
    "transfer": Table((("book", str), ("cash_micro", int), ("reason", str)), _transfer),
    "marks": Table((("cycle", int), ("market", str), ("mark_micro", int), ("age_bars", int)), _marks),
    "seen": Table(
        (("cycle", int), ("venue_ns", int), ("equity_micro", int), ("market", str), ("lots", int)), _seen
    ),
    "mids": Table((("cycle", int), ("market", str), ("reference_micro", int)), _mids),
    "asked": Table((("cycle", int), ("sha256", str), ("bytes", int), ("refused", str)), _asked),
    "ruled": Table(
        (
            ("cycle", int), ("version", int), ("market", int), ("max_weight", float), ("max_gross", float),
            ("max_order", float), ("max_var", float), ("tail", float), ("state", int),
        ), _ruled,
    ),
    "netted": Table(
        (("cycle", int), ("market", str), ("crossed", int), ("reference_micro", int), ("wants", str)), _netted
    ),
    "shared": Table((("market", str), ("intent", str), ("given", str)), _shared),
    "standing": Table((("cycle", int), ("bytes", int)), _standing),
}  # fmt: skip
FLAGGED = ("listing",)
OF_ORDERS = frozenset(OrderFact.__args__)
TABLES: dict[str, Table] = {
    **{kind: _table(kind, type_) for kind, (type_, _) in KINDS.items()},
    POSTINGS: Table((("account", str), ("asset", str), ("units", int)), lambda fact: ()),
}
