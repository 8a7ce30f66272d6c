"""Who gets what: opposite wishes cross inside, venue fills are shared pro rata, in whole lots and whole micro-dollars.

The minority side of a market is filled whole by crossing; the majority shares what was crossed and what the venue
filled, by largest remainder. No book is favoured by its place: ties go by a hash of cycle, market and book.
"""

import numpy as np

from podshop.maths.compiled import compiled
from podshop.maths.whole import largest_remainder, mix
from podshop.nouns import Whole

SEAT, WISH, GOT, VENUE, FEE = range(5)  # rows of `parts`


@compiled
def share_out(  # noqa: PLR0913
    want: Whole,
    crossed: int,
    filled: int,
    fee_micro: int,
    cycle: int,
    market_key: int,
    book_key: Whole,
    parts: Whole,
    scratch: Whole,
    keys: Whole,
) -> int:
    """Divide one market's crossing and venue fill among its books.

    want     (B1,) signed change each book wished
    crossed  lots crossed inside, >= 0; filled: signed lots filled at the venue; fee_micro for those
    parts    (5, B1) receives per seat 0..n-1, in the order of books: SEAT = book, GOT = signed lots in all, VENUE = signed lots of these from
             the venue, FEE = its share of the fee
    scratch  (2 x B1,), keys (B1,) uint64: scratch
    ->       n, the number of seats
    """
    buys = np.int64(0)
    sells = np.int64(0)
    for b in range(want.shape[0]):
        if want[b] > 0:
            buys += want[b]
        else:
            sells -= want[b]
    side = 1 if buys > sells or (buys == sells and filled >= 0) else -1
    salt = mix(mix(np.uint64(cycle)) ^ market_key)
    seats = np.int64(0)
    for b in range(want.shape[0]):
        if want[b] != 0:
            parts[SEAT, seats] = b
            parts[WISH, seats] = max(want[b] * side, 0)  # the minority has no part in what is shared out
            keys[seats] = mix(salt ^ book_key[b])
            seats += 1
    largest_remainder(crossed + abs(filled), parts[WISH], seats, keys, parts[GOT], scratch)
    if filled != 0:
        largest_remainder(abs(filled), parts[GOT], seats, keys, parts[VENUE], scratch)
        largest_remainder(fee_micro, parts[VENUE], seats, keys, parts[FEE], scratch)
    for i in range(seats):
        change = want[parts[SEAT, i]]
        if filled == 0:
            parts[VENUE, i] = 0
            parts[FEE, i] = 0
        parts[GOT, i] = parts[GOT, i] * side if change * side > 0 else change
        parts[VENUE, i] *= side
    return seats
