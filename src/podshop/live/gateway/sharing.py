"""Who gets what of a market's cycle: as `run/posting.py` shares it where all is final, to the lot and the micro-dollar.

A venue may fill an order at several prices. Each book's lots from the venue are settled first, as if there were one
price; then every price's lots go to those who still lack some of theirs, so that lots, cash and fees are exact.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from podshop.ledger.allot import new_parts, share_out
from podshop.ledger.facts import HOUSE, Fill, Share
from podshop.ledger.live import Netted
from podshop.live.gateway.terms import Terms
from podshop.maths.compiled import original
from podshop.maths.whole import largest_remainder, mix
from podshop.nouns import Whole

_mix = original(mix)


def shares_of(netted: Netted, fills: Sequence[Fill], terms: Terms) -> list[Share]:
    """The crossing and the venue's fills of one market in one cycle, as shares of books; lots of 0 leave none.

    fills  final, in the order of their ids; what the venue filled beyond the order (its rounding) is the house's
    """
    books, m = len(terms.names), terms.markets.index(netted.market)
    want = np.zeros((1, books), np.int64)
    for book, lots in netted.wants:
        want[0, terms.names.index(book)] = lots
    buys, sells = int(want[want > 0].sum()), -int(want[want < 0].sum())
    side = 1 if buys >= sells else -1
    filled = sum(fill.lots for fill in fills)
    most = (max(buys, sells) - netted.crossed) * side
    for_books = filled if filled * side <= most * side else most
    beyond = filled - for_books
    parts = new_parts(books)
    salt = salt_of(netted.cycle, terms, m)
    seats, minors = share_out(
        want, 0, side, netted.crossed, np.int64(for_books), 0, np.int64(0), 0, np.zeros((1, books), np.bool_),
        want.copy(), salt, terms.book_key,
        parts.seat, parts.wish, parts.got, parts.venue, parts.fee, parts.minor, parts.inside, parts.scratch,
    )  # fmt: skip
    names, reference = terms.names, netted.reference_micro
    found = []
    if netted.crossed:
        minority = [(int(b), int(want[0, b])) for b in parts.minor[:minors]]
        majority = [(int(parts.seat[i]), int(parts.got[i] - parts.venue[i])) for i in range(seats)]
        found += [
            Share("", names[b], netted.market, lots, reference, reference, 0, "cross")
            for b, lots in (*minority, *majority)
            if lots
        ]
    to_books = [(int(parts.seat[i]), int(parts.venue[i])) for i in range(seats)]
    if beyond:
        to_books.append((books - 1, beyond))
    return [*found, *spread(fills, to_books, reference, salt, terms)]


def spread(
    fills: Sequence[Fill], to_books: Sequence[tuple[int, int]], reference: int, salt: np.uint64, terms: Terms
) -> list[Share]:
    """Divide fills among books whose lots of them are settled: each price, then the fees over the lots.

    to_books  (book, signed lots), which sum to the fills'
    """
    seats = [(b, lots) for b, lots in to_books if lots]
    if not seats or not fills:
        return []
    fee = sum(fill.fee_micro for fill in fills)
    fees = _parts(abs(fee), [abs(lots) for _, lots in seats], [b for b, _ in seats], salt, terms)
    owed = [part if fee >= 0 else -part for part in fees]
    lacks = [lots for _, lots in seats]
    found: list[Share] = []
    by_price = [(price, list(some)) for price, some in groupby(fills, key=lambda fill: fill.price_micro)]
    for i, (price, some) in enumerate(by_price):
        lots = sum(fill.lots for fill in some)
        last = i == len(by_price) - 1
        got = lacks if last else _signed(lots, lacks, [b for b, _ in seats], salt, terms)
        for s, (b, _) in enumerate(seats):
            if got[s]:
                share = Share(
                    some[0].intent, terms.names[b], some[0].market, got[s], price, reference, owed[s], "venue"
                )
                found.append(share)
                owed[s] = 0
        lacks = [lack - part for lack, part in zip(lacks, got, strict=True)]
    return found


def late_shares(
    fills: Sequence[Fill], remaining: Iterable[tuple[str, int]], reference: int, cycle: int, terms: Terms
) -> list[Share]:
    """Fills of one intent that came after its cycle: over what its books still lack, the rest to the house.

    remaining  (book, signed lots) that each still lacks of the intent's wants
    """
    lots = sum(fill.lots for fill in fills)
    m = terms.markets.index(fills[0].market)
    seats = [(terms.names.index(book), lack) for book, lack in remaining if lack * lots > 0]
    lack = sum(part for _, part in seats)
    for_books = lots if abs(lots) <= abs(lack) else lack
    salt = salt_of(cycle, terms, m)
    got = _signed(for_books, [part for _, part in seats], [b for b, _ in seats], salt, terms)
    to_books = [(b, part) for (b, _), part in zip(seats, got, strict=True)]
    if lots != for_books:
        to_books.append((len(terms.names) - 1, lots - for_books))
    return spread(fills, to_books, reference, salt, terms)


def held_shares(fill: Fill, held: Iterable[tuple[str, int]], cycle: int, terms: Terms) -> list[Share]:
    """A fill that no order of ours explains, such as a liquidation: pro rata to lots held, one price for all.

    held  (book, signed lots); what is beyond them is the house's
    """
    m = terms.markets.index(fill.market)
    holders = [(terms.names.index(book), lots) for book, lots in held if lots]
    net = sum(lots for _, lots in holders)
    if fill.lots == -net:
        to_books = [(b, -lots) for b, lots in holders]
    else:
        with_it = [(b, lots) for b, lots in holders if lots * fill.lots < 0]
        most = sum(lots for _, lots in with_it)
        for_books = fill.lots if abs(fill.lots) <= abs(most) else -most
        salt = salt_of(cycle, terms, m)
        got = _signed(for_books, [-lots for _, lots in with_it], [b for b, _ in with_it], salt, terms)
        to_books = [(b, part) for (b, _), part in zip(with_it, got, strict=True)]
        if fill.lots != for_books:
            to_books.append((len(terms.names) - 1, fill.lots - for_books))
    shares = spread([fill], to_books, fill.price_micro, salt_of(cycle, terms, m), terms)
    if not shares:  # books that cancel out: the account held nothing, so the house takes it
        shares = house_shares(fill, terms)
    return [share._replace(kind="settlement") for share in shares]


def house_shares(fill: Fill, terms: Terms) -> list[Share]:
    """A foreign trade stays with the house."""
    return [
        Share(fill.intent, HOUSE, fill.market, fill.lots, fill.price_micro, fill.price_micro, fill.fee_micro, "venue")
    ]


def portion(lots: int, wants: Sequence[tuple[str, int]], salt: np.uint64, terms: Terms) -> tuple[tuple[str, int], ...]:
    """So many lots of what is wanted, by largest remainder over the wants; signed, those of 0 left out."""
    seats = [(terms.names.index(book), want) for book, want in wants if want * lots > 0]
    most = sum(want for _, want in seats)
    got = _signed(lots if abs(lots) <= abs(most) else most, [w for _, w in seats], [b for b, _ in seats], salt, terms)
    return tuple((terms.names[b], part) for (b, _), part in zip(seats, got, strict=True) if part)


def salt_of(cycle: int, terms: Terms, m: int) -> np.uint64:
    """What orders equal remainders in a market and cycle, as in a backtest."""
    with np.errstate(over="ignore"):
        return np.uint64(_mix(np.uint64(_mix(np.uint64(cycle))) ^ terms.market_key[m]))


def _signed(total: int, weights: Sequence[int], seats: Sequence[int], salt: np.uint64, terms: Terms) -> list[int]:
    parts = _parts(abs(total), [abs(weight) for weight in weights], seats, salt, terms)
    return [part if total > 0 else -part for part in parts]


def _parts(total: int, weights: Sequence[int], seats: Sequence[int], salt: np.uint64, terms: Terms) -> list[int]:
    """Largest remainder, by the machine code of the backtest."""
    count = len(weights)
    if count == 0 or total == 0:
        return [0] * count
    out, scratch = np.zeros(count, np.int64), np.zeros(2 * count, np.int64)
    largest_remainder(
        total, _whole(weights), sum(weights), count, salt, _whole(seats), terms.book_key, out, scratch
    )  # fmt: skip
    return [int(part) for part in out]


def _whole(values: Sequence[int]) -> Whole:
    return np.array(values, np.int64)
