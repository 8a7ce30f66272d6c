"""Who gets what: every lot and micro-dollar of a market's fill ends in a book, and no book is favoured."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.ledger.allot import new_parts, share_out
from podshop.maths.whole import fnv1a64, mix
from tests.reference import allot as reference

CYCLE = 456_000


def shares(wishes: Sequence[int], filled: int, fee: int, names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Book -> (crossed, from the venue, fee); the minority is filled whole, as cycle.post_fills posts it."""
    buys, sells = sum(max(w, 0) for w in wishes), sum(max(-w, 0) for w in wishes)
    side, crossed = (1 if buys >= sells else -1), min(buys, sells)
    parts = new_parts(len(wishes))
    salt = mix(mix(np.uint64(CYCLE)) ^ np.uint64(fnv1a64("BTC")))
    keys = np.array([fnv1a64(name) for name in names], np.uint64)
    seats, minors = share_out(
        np.array([wishes], np.int64), 0, side, crossed, filled, fee, np.int64(0), 0,
        np.zeros((1, len(wishes)), np.bool_), np.zeros((1, len(wishes)), np.int64), salt, keys,
        *parts,
    )  # fmt: skip
    found = {names[parts.minor[i]]: (wishes[parts.minor[i]], 0, 0) for i in range(minors)}
    for i in range(seats):
        name, got, venue = names[parts.seat[i]], int(parts.got[i]), int(parts.venue[i])
        found[name] = (got - venue, venue, int(parts.fee[i]))
    return {name: each for name, each in found.items() if any(each)}


@st.composite
def markets(draw: st.DrawFn) -> tuple[list[int], int, int]:
    """Wishes of up to twelve books, what the venue fills of the rest, and its fee."""
    lots = st.integers(-5, 5) | st.integers(-(10**6), 10**6)
    wishes = draw(st.lists(lots, min_size=1, max_size=12).filter(any))
    net = sum(wishes)
    filled = draw(st.integers(0, abs(net))) * (1 if net >= 0 else -1)
    return wishes, filled, draw(st.integers(0, 10**9)) if filled else 0


@given(markets())
def test_books_sum_to_the_venue_and_nobody_gets_more_than_he_wished(market: tuple[list[int], int, int]) -> None:
    wishes, filled, fee = market
    names = [f"book{b}" for b in range(len(wishes))]
    found = shares(wishes, filled, fee, names)
    assert sum(crossed for crossed, _, _ in found.values()) == 0
    assert sum(venue for _, venue, _ in found.values()) == filled
    assert sum(paid for _, _, paid in found.values()) == fee
    for name, wish in zip(names, wishes, strict=True):
        crossed, venue, paid = found.get(name, (0, 0, 0))
        assert crossed * wish >= 0 <= venue * wish
        assert abs(crossed + venue) <= abs(wish)
        assert paid == 0 or venue != 0
        if wish and wish * sum(wishes) < 0:
            assert (crossed, venue) == (wish, 0)  # the minority, whole


@given(markets(), st.randoms(use_true_random=False))
def test_permuting_the_books_permutes_the_result(market: tuple[list[int], int, int], chance: object) -> None:
    wishes, filled, fee = market
    names = [f"book{b}" for b in range(len(wishes))]
    order = list(range(len(wishes)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    turned = shares([wishes[b] for b in order], filled, fee, [names[b] for b in order])
    assert turned == shares(wishes, filled, fee, names)


@given(markets())
def test_the_majority_is_within_one_lot_of_its_quota(market: tuple[list[int], int, int]) -> None:
    wishes, filled, fee = market
    side = 1 if sum(wishes) >= 0 else -1
    major = [max(side * wish, 0) for wish in wishes]
    minority = sum(max(-side * wish, 0) for wish in wishes)
    found = shares(wishes, filled, fee, [f"{b}" for b in range(len(wishes))])
    for b, wish in enumerate(major):
        if wish:
            got = sum(found.get(f"{b}", (0, 0, 0))[:2]) * side
            assert abs(got - wish * (minority + abs(filled)) / sum(major)) < 1.0 + 1e-9


@given(markets())
def test_the_reference_shares_alike(market: tuple[list[int], int, int]) -> None:
    wishes, filled, fee = market
    names = [f"book{b}" for b in range(len(wishes))]
    side = 1 if sum(wishes) >= 0 else -1
    hashes = [reference.tie(CYCLE, "BTC", name) for name in names]
    major = [max(0, side * wish) for wish in wishes]
    crossed = min(sum(major), sum(max(0, -side * wish) for wish in wishes))
    got = reference.largest_remainder(crossed + abs(filled), major, hashes)
    venue = reference.largest_remainder(abs(filled), got, hashes)
    fees = reference.largest_remainder(fee, venue, hashes)
    found = shares(wishes, filled, fee, names)
    for b, name in enumerate(names):
        if major[b]:
            assert found.get(name, (0, 0, 0)) == (side * (got[b] - venue[b]), side * venue[b], fees[b])


def test_by_hand() -> None:
    """+60 +30 against -30: 30 cross, 21 of the other 60 fill. Buyers share 51 as 34 and 17; of the fill 14 and 7."""
    assert shares([60, 30, -30], 21, 21_000, ["a", "b", "c"]) == {
        "a": (20, 14, 14_000),
        "b": (10, 7, 7_000),
        "c": (-30, 0, 0),
    }


@pytest.mark.parametrize("side", [1, -1])
def test_an_even_match_fills_both_sides_whole(side: int) -> None:
    assert shares([5 * side, -3 * side, -2 * side], 0, 0, ["a", "b", "c"]) == {
        "a": (5 * side, 0, 0),
        "b": (-3 * side, 0, 0),
        "c": (-2 * side, 0, 0),
    }
