"""Double entry: what each fact does to which account, in whole units, summing to zero per asset.

Source: Luca Pacioli (1494), "Summa de arithmetica", on Venetian double entry. The venue's accounts count up what it
holds for the fund; a book's accounts count down what it is owed, so that all accounts of an asset sum to zero exactly
when books + house = venue. Plain-text accounting writes claims with the same sign.

    venue:lots:BTC           lots at the venue              venue:cash               cash at the venue, micro-dollars
    book:NAME:lots:BTC       - lots of the book             book:NAME:capital        - cash given to the book
    book:NAME:trades         - cash its trades brought      book:NAME:fees           + fees it paid
    book:NAME:funding        - funding it received
    transit:lots:BTC         venue fills not yet shared     transit:cash:BTC         their cash, and funding's

The cash of a book is minus the sum of its capital, trades, fees and funding: the accounts are its statement.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from podshop.ledger.facts import (
    Deposit,
    Fee,
    Fill,
    Funding,
    FundingShare,
    Share,
    Transfer,
)
from podshop.nouns import LedgerError

Posting: TypeAlias = tuple[str, int]  # account, units: lots where the account has ':lots:', else micro-dollars

VENUE_CASH = "venue:cash"
CASH_PARTS = ("capital", "trades", "fees", "funding")  # of a book
USD = "USD"
KNOWN_NAMES = 1 << 16  # accounts whose names are kept ready


def postings(fact: object) -> tuple[Posting, ...]:
    """What the fact does to the accounts; nothing where it moves neither lots nor cash.

    Raises LedgerError where the fact itself cannot balance: a transfer whose moves do not sum to zero.

    >>> postings(Deposit("wire-1", "house", 5_000_000))
    (('venue:cash', 5000000), ('book:house:capital', -5000000))
    """
    post = POSTS.get(type(fact))
    return post(fact) if post is not None else ()


def imbalance(posted: tuple[Posting, ...]) -> dict[str, int]:
    """What the postings of each asset fail to sum to zero by; empty where they balance.

    >>> imbalance((("venue:lots:BTC", 3), ("book:trend:lots:BTC", -2), ("venue:cash", 7), ("book:trend:fees", -7)))
    {'BTC': 1}
    """
    sums: dict[str, int] = {}
    for account, units in posted:
        asset = asset_of(account)
        sums[asset] = sums.get(asset, 0) + units
    return {asset: units for asset, units in sums.items() if units}


@lru_cache(KNOWN_NAMES)
def asset_of(account: str) -> str:
    """The base asset whose lots the account counts, else USD.

    >>> asset_of("book:trend:lots:BTC"), asset_of("book:trend:fees")
    ('BTC', 'USD')
    """
    _, lots, asset = account.partition(":lots:")
    return asset if lots else USD


@lru_cache(KNOWN_NAMES)
def venue_lots(market: str) -> str:
    """Account of the lots at the venue."""
    return f"venue:lots:{market}"


@lru_cache(KNOWN_NAMES)
def book_lots(book: str, market: str) -> str:
    """Account of a book's lots."""
    return f"book:{book}:lots:{market}"


@lru_cache(KNOWN_NAMES)
def book_cash(book: str, part: str) -> str:
    """Account of one of the CASH_PARTS of a book."""
    return f"book:{book}:{part}"


@lru_cache(KNOWN_NAMES)
def transit_lots(market: str) -> str:
    """Account of lots filled and not yet shared."""
    return f"transit:lots:{market}"


@lru_cache(KNOWN_NAMES)
def transit_cash(market: str) -> str:
    """Account of their cash."""
    return f"transit:cash:{market}"


def _fill(fact: Fill) -> tuple[Posting, ...]:
    _, _, market, lots, price, fee = fact
    paid = lots * price + fee
    return (
        (venue_lots(market), lots),
        (transit_lots(market), -lots),
        (VENUE_CASH, -paid),
        (transit_cash(market), paid),
    )


def _share(fact: Share) -> tuple[Posting, ...]:
    _, book, market, lots, price, _, fee, _ = fact
    from_transit, held, paid_by, trades, fees = _share_accounts(book, market)
    worth = lots * price
    if fee:
        return (from_transit, lots), (held, -lots), (paid_by, -worth - fee), (trades, worth), (fees, fee)
    return (from_transit, lots), (held, -lots), (paid_by, -worth), (trades, worth)


@lru_cache(KNOWN_NAMES)
def _share_accounts(book: str, market: str) -> tuple[str, str, str, str, str]:
    """The accounts that a book's part of a fill moves: most facts of a journal are such parts, found in one look."""
    return (
        transit_lots(market),
        book_lots(book, market),
        transit_cash(market),
        book_cash(book, "trades"),
        book_cash(book, "fees"),
    )


def _funding(fact: Funding) -> tuple[Posting, ...]:
    _, market, cash = fact
    return (VENUE_CASH, cash), (transit_cash(market), -cash)


def _funding_share(fact: FundingShare) -> tuple[Posting, ...]:
    cash = fact.cash_micro
    return (transit_cash(fact.market), cash), (book_cash(fact.book, "funding"), -cash)


def _fee(fact: Fee) -> tuple[Posting, ...]:
    return (VENUE_CASH, -fact.fee_micro), (book_cash(fact.book, "fees"), fact.fee_micro)


def _deposit(fact: Deposit) -> tuple[Posting, ...]:
    return (VENUE_CASH, fact.cash_micro), (book_cash(fact.book, "capital"), -fact.cash_micro)


def _transfer(fact: Transfer) -> tuple[Posting, ...]:
    rest = sum(cash for _, cash in fact.moves)
    if rest:
        raise LedgerError(f"a transfer for {fact.reason} makes {rest} micro-USD out of nothing, expected 0")
    return tuple((book_cash(book, "capital"), -cash) for book, cash in fact.moves)


POSTS: dict[type, Callable[[Any], tuple[Posting, ...]]] = {
    Fill: _fill,
    Share: _share,
    Funding: _funding,
    FundingShare: _funding_share,
    Fee: _fee,
    Deposit: _deposit,
    Transfer: _transfer,
}
