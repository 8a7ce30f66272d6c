"""What each book of the fund wishes: its shadow's target at its own size, and how far of it this cycle goes."""

import math

from tests.reference import pace
from tests.reference.books import Account, Fund
from tests.reference.facts import VerdictRow, WishRow, sign


def wish(fund: Fund, k: int, moved: set[str]) -> None:
    """Refresh the books' wishes at their cadence, or at once when a throttle moved or a shadow cries out."""
    for book, throttle in zip(fund.books, fund.limits.throttle, strict=True):
        before, target, urgent = list(book.wish), book.shadow.target[k], bool(book.shadow.urgent[k])
        due, throttled = fund.facts.fires(k, book.mandate.cadence_ns), book.name in moved
        if due or throttled:
            factor = book.capital * throttle * fund.limits.fund_throttle / fund.terms.capital_micro
            book.wish = [math.trunc(lots * factor) for lots in target]
            if due:
                _tell_notes(fund, k, book, factor)
            _limit_book(fund, k, book)
        if urgent:
            book.wish = [lots if wanted else 0 for lots, wanted in zip(book.wish, target, strict=True)]
        for m, old in enumerate(before):
            if book.wish[m] != old:
                _record(fund, k, book, m, old)
            book.wants[m].look(book.wish[m] - book.lots[m], at_once=throttled or (urgent and target[m] == 0))
            book.raw[m] = _raw(fund, book, m)


def drop(fund: Fund, k: int, m: int) -> None:
    """A dead market is no longer wished by anybody."""
    for book in fund.books:
        old, book.wish[m] = book.wish[m], 0
        if old != 0:
            _record(fund, k, book, m, old)


def _raw(fund: Fund, book: Account, m: int) -> int:
    """All of a wish, but for a TWAP's: its next slice."""
    want, d = book.wants[m], book.wish[m] - book.lots[m]
    if book.mandate.style != "twap" or want.at_once:
        return book.wish[m]
    return book.lots[m] + sign(d) * pace.piece(d, pace.patience(fund.facts, book.mandate), want.age)


def _record(fund: Fund, k: int, book: Account, m: int, old: int) -> None:
    """A wish has changed: here the old parent ends and a new one is born."""
    mark = fund.facts.mark[k][m]
    book.tally[m].replace(old, book.lots[m], mark)
    fund.result.wishes.append(WishRow(fund.facts.id(k), fund.facts.names[m], book.name, book.wish[m], mark))


def _tell_notes(fund: Fund, k: int, book: Account, factor: float) -> None:
    """Where the shadow was held back for its costs, say so at the book's own size."""
    for note in book.shadow.notes[k]:
        wanted, allowed = math.trunc(note.held_back * factor), math.trunc(note.target * factor)
        _say(fund, k, book, note.market, note.code, wanted, allowed)


def _limit_book(fund: Fund, k: int, book: Account) -> None:
    """A book's own gross limit, when its wish is made."""
    room = fund.terms.book_gross * book.capital
    gross = sum(abs(lots) * mark for lots, mark in zip(book.wish, fund.facts.mark[k], strict=True))
    if gross <= room:
        return
    for m, wanted in enumerate(book.wish):
        book.wish[m] = math.trunc(wanted * (room / gross))
        if book.wish[m] != wanted:
            _say(fund, k, book, m, "BOOK_GROSS", wanted, book.wish[m])


def _say(fund: Fund, k: int, book: Account, m: int, code: str, wanted: int, allowed: int) -> None:
    verdict = "approve" if allowed == wanted else "veto" if allowed == 0 else "shrink"
    row = VerdictRow(
        fund.facts.id(k), fund.facts.names[m], book.name, verdict, code, wanted, allowed, 0, fund.limits.number
    )
    fund.result.verdicts.append(row)
