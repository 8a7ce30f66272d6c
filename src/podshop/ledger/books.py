"""The books: a pure fold of the facts. The same facts give the same books, always and everywhere."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from podshop.ledger.facts import Capital, Fact, Marks, Nav
from podshop.ledger.postings import (
    CASH_PARTS,
    POSTS,
    VENUE_CASH,
    asset_of,
    book_cash,
    book_lots,
    imbalance,
    transit_cash,
    transit_lots,
    venue_lots,
)
from podshop.nouns import LedgerError


@dataclass(slots=True)
class Books:
    """What every account stands at, and the latest marks.

    balances  account -> whole units, as `ledger.postings` names and signs them
    marks     market -> micro-dollars per lot
    """

    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    marks: dict[str, int] = field(default_factory=dict)

    def post(self, fact: Fact) -> None:
        """Take one fact. Raises LedgerError where it contradicts itself or the books, which are not to be used then."""
        post = POSTS.get(type(fact))
        if post is not None:
            balances = self.balances
            total = 0
            for account, units in post(fact):
                balances[account] += units
                total += units
            if total:  # quick, and blind to errors that cancel over two assets: those `agree` finds
                raise LedgerError(f"{type(fact).__name__} does not balance: its postings sum to {total}, expected 0")
        elif isinstance(fact, Marks):
            if len(fact.markets) != len(fact.mark_micro):
                raise LedgerError(f"{len(fact.markets)} markets have {len(fact.mark_micro)} marks")
            self.marks.update(zip(fact.markets, fact.mark_micro, strict=True))
        elif isinstance(fact, Nav):
            self._agree_nav(fact)
        elif isinstance(fact, Capital):
            self._agree_capital(fact)

    def lots(self, book: str, market: str) -> int:
        """Lots the book holds."""
        return -self.balances.get(book_lots(book, market), 0)

    def cash_micro(self, book: str) -> int:
        """Cash of the book: capital + trades - fees + funding."""
        return -sum(self.balances.get(book_cash(book, part), 0) for part in CASH_PARTS)

    def equity_micro(self, book: str) -> int:
        """Cash of the book and its lots at the latest marks."""
        return self.cash_micro(book) + sum(self.lots(book, market) * mark for market, mark in self.marks.items())

    def nav_micro(self) -> int:
        """What the venue holds for the fund: its cash, and its lots at the latest marks."""
        get = self.balances.get
        return get(VENUE_CASH, 0) + sum(get(venue_lots(market), 0) * mark for market, mark in self.marks.items())

    def names(self) -> list[str]:
        """Every book that was ever posted to, in order."""
        return sorted({account.split(":")[1] for account in self.balances if account.startswith("book:")})

    def balance(self) -> None:
        """Hold that all accounts of each asset sum to zero, so that books + house + transit = venue."""
        for asset, units in imbalance(tuple(self.balances.items())).items():
            raise LedgerError(f"all accounts of {asset} sum to {units}, expected 0")

    def agree(self) -> None:
        """Hold every identity at once, where a cycle ends. Raises LedgerError with the first that is broken.

        The accounts balance; nothing is in transit, so books + house = venue; every lot held has a mark; and the equity
        of all books is the NAV.
        """
        self.balance()
        for account, units in self.balances.items():
            if units and account.startswith("transit:"):
                raise LedgerError(f"{account} stands at {units}, expected 0: books + house differ from the venue")
            if units and account.startswith("venue:lots:") and asset_of(account) not in self.marks:
                raise LedgerError(f"{account} stands at {units}, and no mark says what they are worth")
        equity = sum(self.equity_micro(book) for book in self.names())
        if equity != self.nav_micro():
            raise LedgerError(f"the books are worth {equity} micro-USD, and the venue holds {self.nav_micro()}")

    def sha256(self) -> str:
        """Hash of all that is not zero, in order of the accounts: two ways to the same books show the same hash."""
        lines = [f"{account}={units}" for account, units in sorted(self.balances.items()) if units]
        lines += [f"mark:{market}={mark}" for market, mark in sorted(self.marks.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _agree_nav(self, fact: Nav) -> None:
        self._nothing_in_transit()
        nav, cash = self.nav_micro(), self.balances.get(VENUE_CASH, 0)
        if (nav, cash) != (fact.nav_micro, fact.cash_micro):
            found = f"NAV {fact.nav_micro} with cash {fact.cash_micro} micro-USD"
            raise LedgerError(f"{found}, expected {nav} with {cash} from all facts before")

    def _agree_capital(self, fact: Capital) -> None:
        equity = self.equity_micro(fact.book)
        if equity != fact.capital_micro:
            raise LedgerError(f"capital of {fact.book} is {fact.capital_micro} micro-USD, expected its equity {equity}")

    def _nothing_in_transit(self) -> None:
        get = self.balances.get
        for market in self.marks:
            if get(transit_lots(market), 0) or get(transit_cash(market), 0):
                found = f"{get(transit_lots(market), 0)} lots and {get(transit_cash(market), 0)} micro-USD of {market}"
                raise LedgerError(f"{found} are in transit, expected 0 and 0: books + house differ from the venue")


def fold(facts: Iterable[Fact]) -> Books:
    """The books after these facts, from nothing."""
    books = Books()
    for fact in facts:
        books.post(fact)
    return books
