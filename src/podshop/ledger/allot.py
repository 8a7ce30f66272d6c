"""Who gets what: opposite wishes cross inside, venue fills are shared pro rata, in whole lots and whole micro-dollars.

The minority side of a market is filled whole by crossing; the majority shares what was crossed and what the venue
filled, by largest remainder. No book is favoured by its place: ties go by a hash of cycle, market and book.
"""

from typing import NamedTuple

import numpy as np

from podshop.maths.compiled import lean
from podshop.maths.whole import Keys, largest_remainder
from podshop.nouns import Flags, Int, Whole


class Parts(NamedTuple):
    """What each book of one market gets; as long as the books, and one more."""

    seat: Whole  # books of the majority
    wish: Whole  # lots each of them wished, > 0
    got: Whole  # lots each gets in all: signed
    venue: Whole  # of these from the venue: signed
    fee: Whole  # share of the fee, micro-dollars
    minor: Whole  # books of the minority
    inside: Whole  # lots crossed to those who wait at the venue, >= 0
    scratch: Whole  # twice as long


def new_parts(books: int) -> Parts:
    """Scratch for this many books, the house counted."""

    def whole(n: int = books + 1) -> Whole:
        return np.zeros(n, np.int64)

    return Parts(
        seat=whole(),
        wish=whole(),
        got=whole(),
        venue=whole(),
        fee=whole(),
        minor=whole(),
        inside=whole(),
        scratch=whole(2 * (books + 1)),
    )


@lean
def share_out(
    want: Whole,
    m: Int,
    side: Int,
    crossed: Int,
    filled: np.int64,
    fee_micro: Int,
    waiting: np.int64,
    made: Int,
    makers: Flags,
    still_wanted: Whole,
    salt: np.uint64,
    book_key: Keys,
    seat: Whole,
    wish: Whole,
    got: Whole,
    from_venue: Whole,
    fee: Whole,
    minor: Whole,
    inside: Whole,
    scratch: Whole,
) -> tuple[np.int64, np.int64]:
    """Divide one market's crossing and venue fill among the books of its majority; the minority is filled whole.

    want, m  (M, B1) signed change each book wished; the market
    side     1 when buyers are the majority, -1 when sellers are
    crossed  lots crossed inside, >= 0; filled: signed lots taken at the venue; fee_micro for those
    waiting  lots that the majority's makers wish, of which `made` were left to the venue: makers share the crossing
             as all do, and no fill of now
    makers   (M, B1) who they are; still_wanted (M, B1) receives what they want after crossing, signed
    salt     of cycle and market: orders equal remainders
    seat .. scratch  as in Parts: receive what each gets, in the order of books
    ->       seats of the majority, seats of the minority
    """
    seats = np.int64(0)
    minors = np.int64(0)
    wishes = np.int64(0)
    wanting = np.int64(0)
    for b in range(want.shape[1]):  # few want anything: list them first, without a branch
        scratch[wanting] = b
        wanting += np.int64(want[m, b] != 0)
    for i in range(wanting):
        wished = want[m, scratch[i]] * side
        seat[seats] = scratch[i]
        wish[seats] = wished
        minor[minors] = scratch[i]
        wishes += max(wished, 0)
        seats += np.int64(wished > 0)
        minors += np.int64(wished < 0)
    venue = abs(filled)
    crossed_to_takers: Int = crossed
    if waiting > 0:
        crossed_to_takers = crossed - (waiting - made)
        for i in range(seats):
            if makers[m, seat[i]]:
                wish[i] = 0
    total = crossed_to_takers + venue
    largest_remainder(total, wish, wishes - waiting, seats, salt, seat, book_key, got, scratch)
    largest_remainder(venue, got, total, seats, salt, seat, book_key, from_venue, scratch)
    largest_remainder(fee_micro, from_venue, venue, seats, salt, seat, book_key, fee, scratch)
    if waiting > 0:
        for i in range(seats):
            wish[i] = want[m, seat[i]] * side if makers[m, seat[i]] else 0
        largest_remainder(waiting - made, wish, waiting, seats, salt, seat, book_key, inside, scratch)
        for i in range(seats):
            got[i] += inside[i]
            still_wanted[m, seat[i]] = (wish[i] - inside[i]) * side
    for i in range(seats):
        got[i] *= side
        from_venue[i] *= side
    return seats, minors


@lean
def share_rested(
    want: Whole,
    m: Int,
    side: Int,
    filled: Int,
    fee_micro: Int,
    salt: np.uint64,
    book_key: Keys,
    seat: Whole,
    wish: Whole,
    got: Whole,
    fee: Whole,
    scratch: Whole,
) -> np.int64:
    """Divide what an order that rested has filled among the books it was for, over what each still wanted of it.

    want, m  (M, B1) signed lots still wanted when it was placed; the market
    filled   lots >= 0, at most the sum of the wants; the rest as in `share_out`
    ->       seats; `got` is signed
    """
    seats = np.int64(0)
    wishes = np.int64(0)
    for b in range(want.shape[1]):
        if want[m, b] != 0:
            seat[seats] = b
            wish[seats] = want[m, b] * side
            wishes += want[m, b] * side
            seats += 1
    largest_remainder(filled, wish, wishes, seats, salt, seat, book_key, got, scratch)
    largest_remainder(fee_micro, got, filled, seats, salt, seat, book_key, fee, scratch)
    for i in range(seats):
        got[i] *= side
    return seats
