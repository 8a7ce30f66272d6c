"""Who gets which lots: crossing inside the fund, the venue's fill shared out, whole lots, no favourites."""

from collections.abc import Sequence

from tests.reference import venue
from tests.reference.facts import Facts, FillRow, Terms, sign

_MASK = (1 << 64) - 1


def fills(
    facts: Facts,
    terms: Terms,
    k: int,
    m: int,
    wishes: Sequence[int],
    bought: int,
    names: Sequence[str],
    made: int = 0,
    makes: Sequence[bool] = (),
) -> list[FillRow]:
    """Rows of one market: crossed lots of the minority, then of the majority, then the venue's lots; each by book.

    wishes       per book, signed lots
    bought       what the venue filled, signed, on the side of the net wish and no larger than what of it is taken
    made, makes  lots of the net wish that rest instead, unsigned, and whose they are
    """
    if facts.reference[k][m] == 0:
        return []
    side, minor = _sides(wishes)
    hashes = _hashes(facts, k, m, names)
    waiting = _makers(wishes, makes)
    taking = [max(0, side * wish) - kept for wish, kept in zip(wishes, waiting, strict=True)]
    crossed = sum(taking) - (abs(sum(wishes)) - made)
    got = largest_remainder(crossed + abs(bought), taking, hashes)
    at_venue = largest_remainder(abs(bought), got, hashes)
    price = venue.fill_price(facts, terms, k, m, side, abs(bought)) if bought else 0
    fees = largest_remainder(venue.fee(terms, abs(bought), price), at_venue, hashes)

    reference = facts.reference[k][m]
    crossed_makers = largest_remainder(sum(waiting) - made, waiting, hashes)
    inside = [side * (got[b] - at_venue[b] + crossed_makers[b] - minor[b]) for b in range(len(names))]
    outside = [side * lots for lots in at_venue]
    rows = [(b, lots, reference, 0, "cross") for b, lots in enumerate(inside) if lots and minor[b]]
    rows += [(b, lots, reference, 0, "cross") for b, lots in enumerate(inside) if lots and not minor[b]]
    rows += [(b, lots, price, fees[b], "venue") for b, lots in enumerate(outside) if lots]
    return [
        FillRow(facts.id(k), facts.names[m], names[b], lots, at, reference, paid, kind)
        for b, lots, at, paid, kind in rows
    ]


def open_wants(
    facts: Facts, k: int, m: int, wishes: Sequence[int], names: Sequence[str], made: int, makes: Sequence[bool]
) -> list[int]:
    """Per book, unsigned: what of its wish a resting order is for, once the crossing is done. Their sum is `made`."""
    waiting = _makers(wishes, makes)
    crossed = largest_remainder(sum(waiting) - made, waiting, _hashes(facts, k, m, names))
    return [lots - inside for lots, inside in zip(waiting, crossed, strict=True)]


def _sides(wishes: Sequence[int]) -> tuple[int, list[int]]:
    """The majority's side, and per book what the minority wants. An even match has no majority: all is crossed."""
    side = sign(sum(wishes)) or 1
    return side, [max(0, -side * wish) for wish in wishes]


def _makers(wishes: Sequence[int], makes: Sequence[bool]) -> list[int]:
    """Per book, unsigned lots of the majority that rest rather than take."""
    side, _ = _sides(wishes)
    return [max(0, side * wish) if makes and makes[b] else 0 for b, wish in enumerate(wishes)]


def _hashes(facts: Facts, k: int, m: int, names: Sequence[str]) -> list[int]:
    return [tie(facts.id(k), facts.names[m], name) for name in names]


def largest_remainder(n: int, weights: Sequence[int], hashes: Sequence[int]) -> list[int]:
    """Share n whole things in proportion to the weights, the rest by largest remainder, ties to the larger hash."""
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    shares = [weight * n // total for weight in weights]
    queue = sorted(range(len(weights)), key=lambda b: (weights[b] * n % total, hashes[b]), reverse=True)
    for b in queue[: n - sum(shares)]:
        shares[b] += 1
    return shares


def tie(cycle: int, market: str, book: str) -> int:
    """A number that favours no book: it changes with the cycle and the market, never with the order of the file."""
    return mix(mix(mix(cycle) ^ fnv1a64(market)) ^ fnv1a64(book))


def mix(z: int) -> int:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators")."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def fnv1a64(text: str) -> int:
    """The 64-bit FNV-1a hash of a name in UTF-8 (Fowler, Noll & Vo)."""
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 & _MASK
    return h
