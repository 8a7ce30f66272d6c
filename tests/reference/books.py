"""The books of the fund and the house: who holds what."""

from dataclasses import dataclass, field
from typing import Any

from tests.reference.costs import Tally
from tests.reference.facts import Facts, FillRow, Result, Terms, TransferRow
from tests.reference.graduation import Place
from tests.reference.limits import Limits
from tests.reference.pace import Want
from tests.reference.resting import Resting
from tests.reference.shadow import Shadow


@dataclass
class Account:
    """A book's account, or the house's (which has no mandate, no shadow and no wishes).

    Per market: the lots held; `wish`, the target after throttle and book gross; `raw`, how far of it this cycle goes.
    """

    name: str
    lots: list[int]
    wish: list[int]
    raw: list[int]
    wants: list[Want]
    tally: list[Tally]
    mandate: Any = None
    shadow: Shadow = field(default_factory=Shadow)
    cash: int = 0
    capital: int = 0


@dataclass
class Fund:
    facts: Facts
    terms: Terms
    books: list[Account]
    house: Account
    limits: Limits  # in force
    peak: int  # highest NAV row
    mark: int = 0  # the high-water mark: capital that somebody agreed to risk
    resting: dict[int, Resting] = field(default_factory=dict)  # by market, through the next bar
    places: dict[str, Place] = field(default_factory=dict)  # book -> its stage, where there are stages
    result: Result = field(default_factory=Result)

    @property
    def everyone(self) -> list[Account]:
        return [*self.books, self.house]

    def equity(self, book: Account, k: int) -> int:
        return book.cash + sum(lots * mark for lots, mark in zip(book.lots, self.facts.mark[k], strict=True))

    def nav(self, k: int) -> int:
        return sum(self.equity(book, k) for book in self.everyone)

    def net(self, m: int) -> int:
        return sum(book.lots[m] for book in self.everyone)

    def post(self, book: Account, m: int, fill: FillRow) -> None:
        book.lots[m] += fill.lots
        book.cash -= fill.lots * fill.price_micro + fill.fee_micro
        book.tally[m].fill(self.terms, fill)
        self.result.fills.append(fill)

    def transfer(self, at: int, book: Account, micro: int) -> int:
        """Move cash to a book (from it, when negative); the caller balances. -> what was moved"""
        if micro:
            book.cash += micro
            self.result.transfers.append(TransferRow(at, book.name, micro))
        return micro


def opened(name: str, facts: Facts, mandate: Any = None, shadow: Shadow | None = None) -> Account:
    """An empty account."""
    return Account(
        name=name,
        lots=[0 for _ in facts.names],
        wish=[0 for _ in facts.names],
        raw=[0 for _ in facts.names],
        wants=[Want() for _ in facts.names],
        tally=[Tally() for _ in facts.names],
        mandate=mandate,
        shadow=shadow or Shadow(),
    )
