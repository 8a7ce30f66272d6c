"""Late fills to the books they were for: together, by largest remainder over what each still wants, never taken back.

Per-fill allotment would depend on the order in which fills come; allotting the sum of all fills again each time would
take lots back from a book in a quarter of cases. So what is new since the last time is divided over what is still
wanted, and what nobody wants is the house's. Lots, cash and fee are exact.
"""

from collections.abc import Sequence
from typing import NamedTuple

from podshop.maths.whole import fnv1a64

HOUSE = "house"
_MASK = (1 << 64) - 1


class New(NamedTuple):
    """A fill that is booked and not shared yet: signed lots, price and fee in micro-dollars (per lot; paid > 0)."""

    lots: int
    price_micro: int
    fee_micro: int


class Part(NamedTuple):
    """What one book gets: signed lots, what they are worth at what was paid (lots x price), and its fee."""

    book: str
    lots: int
    worth_micro: int
    fee_micro: int


def allot(new: Sequence[New], remaining: Sequence[tuple[str, int]], salt: int, house: str = HOUSE) -> tuple[Part, ...]:
    """Divide new fills of one intent among its books.

    new        fills of one side
    remaining  (book, signed lots it still wants of the intent: its want less what it was given)
    salt       of intent or cycle and market: orders equal remainders
    ->         parts in the order of `remaining`, then the house; those of no lots are left out. Their lots, worth and
               fees sum to those of `new`

    >>> allot([New(5, 100, 3), New(2, 110, 1)], [("a", 6), ("b", 3)], salt=1)
    (Part(book='a', lots=5, worth_micro=514, fee_micro=3), Part(book='b', lots=2, worth_micro=206, fee_micro=1))
    """
    lots, worth, fee = _sums(new)
    side = 1 if lots > 0 else -1
    weights = [(book, want * side) for book, want in remaining if want * side > 0]
    wanted = sum(weight for _, weight in weights)
    given = largest_remainder(min(abs(lots), wanted), weights, salt)
    left_over = abs(lots) - min(abs(lots), wanted)
    return _priced(
        [*zip((book for book, _ in weights), given, strict=True), (house, left_over)], side, worth, fee, salt
    )


def allot_held(new: Sequence[New], held: Sequence[tuple[str, int]], salt: int, house: str = HOUSE) -> tuple[Part, ...]:
    """Divide what no intent explains pro rata to the lots that the fills reduce: a liquidation, the watchdog's close.

    held  (book, signed lots it holds); no book is brought through zero, what is left over is the house's
    """
    lots, worth, fee = _sums(new)
    side = 1 if lots > 0 else -1
    weights = [(book, -have * side) for book, have in held if have * side < 0]
    reducible = sum(weight for _, weight in weights)
    given = largest_remainder(min(abs(lots), reducible), weights, salt)
    left_over = abs(lots) - min(abs(lots), reducible)
    return _priced(
        [*zip((book for book, _ in weights), given, strict=True), (house, left_over)], side, worth, fee, salt
    )


def at_prices(part: Part) -> tuple[tuple[int, int], ...]:
    """The part as one or two trades at whole prices, (signed lots, micro-dollars per lot), that sum to its worth.

    >>> at_prices(Part("a", 5, 514, 3)), at_prices(Part("b", -2, -206, 1))
    (((1, 102), (4, 103)), ((-2, 103),))
    """
    if part.lots == 0:
        return ()
    side, size = (1, part.lots) if part.lots > 0 else (-1, -part.lots)
    price, over = divmod(part.worth_micro * side, size)
    both = ((side * (size - over), price), (side * over, price + 1))
    return tuple(trade for trade in both if trade[0])


def largest_remainder(total: int, weights: Sequence[tuple[str, int]], salt: int) -> list[int]:
    """Divide a whole number in proportion to weights, exactly; of equal remainders the larger hash comes first.

    The same answers as `maths.whole.largest_remainder`, of any size and by the names of books.
    Source: Balinski & Young (1982), "Fair Representation", Hamilton's method.
    """
    whole = sum(weight for _, weight in weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for _, weight in weights]

    def first(i: int) -> tuple[int, int]:
        return total * weights[i][1] % whole, _mixed(salt ^ fnv1a64(weights[i][0]))

    for i in sorted(range(len(weights)), key=first, reverse=True)[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _sums(new: Sequence[New]) -> tuple[int, int, int]:
    lots = sum(fill.lots for fill in new)
    assert all(fill.lots * lots > 0 for fill in new), "an order fills on its own side only"
    return lots, sum(fill.lots * fill.price_micro for fill in new), sum(fill.fee_micro for fill in new)


def _priced(sizes: list[tuple[str, int]], side: int, worth: int, fee: int, salt: int) -> tuple[Part, ...]:
    """Give each size its share of worth and fee, by largest remainder over the lots."""
    got = [(book, size) for book, size in sizes if size]
    worths = largest_remainder(abs(worth), got, salt)
    fees = largest_remainder(abs(fee), got, salt)
    sign = 1 if fee >= 0 else -1
    return tuple(
        Part(book, side * size, side * w, sign * f) for (book, size), w, f in zip(got, worths, fees, strict=True)
    )


def _mixed(value: int) -> int:
    """`maths.whole.mix` in plain integers.

    Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators": SplitMix64's finaliser.
    """
    z = value & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
