"""What an order at rest has filled, divided among the books it was for; and who waits when orders go two ways."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.ledger.allot import new_parts, share_out, share_rested
from podshop.maths.whole import fnv1a64, mix
from tests.reference import allot as reference

CYCLE = 456_001
SALT = mix(mix(np.uint64(CYCLE)) ^ np.uint64(fnv1a64("BTC")))


def keys(names: Sequence[str]) -> np.ndarray:
    return np.array([fnv1a64(name) for name in names], np.uint64)


def rested(wants: Sequence[int], filled: int, fee: int, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Book -> (lots, fee); `filled` >= 0 lots on the side of the wants, in the second of two markets."""
    parts = new_parts(len(wants))
    side = 1 if sum(wants) > 0 else -1
    want = np.array([[99] * len(wants), wants], np.int64)
    seats = share_rested(
        want, 1, side, filled, fee, SALT, keys(names), parts.seat, parts.wish, parts.got, parts.fee, parts.scratch
    )
    return {names[parts.seat[i]]: (int(parts.got[i]), int(parts.fee[i])) for i in range(seats)}


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[int], int, int]:
    side = draw(st.sampled_from((1, -1)))
    lots = st.integers(0, 5) | st.integers(0, 10**6)
    wants = [side * each for each in draw(st.lists(lots, min_size=1, max_size=12).filter(any))]
    return wants, draw(st.integers(1, abs(sum(wants)))), draw(st.integers(0, 10**9))


def names_of(wants: Sequence[int]) -> list[str]:
    return [f"book{b}" for b in range(len(wants))]


def test_by_hand() -> None:
    """30 and 10 still wanted, 21 fill: 15.75 and 5.25, so 16 and 5. The fee of 210 by lots filled: 160 and 50."""
    assert rested([30, 0, 10], 21, 210, ["a", "b", "c"]) == {"a": (16, 160), "c": (5, 50)}
    assert rested([-30, 0, -10], 21, 210, ["a", "b", "c"]) == {"a": (-16, 160), "c": (-5, 50)}
    assert rested([30, 0, 10], 40, 7, ["a", "b", "c"]) == {"a": (30, 5), "c": (10, 2)}


@given(orders())
def test_every_lot_and_micro_dollar_and_nobody_beyond_what_he_wanted(order: tuple[list[int], int, int]) -> None:
    wants, filled, fee = order
    judge(order, rested(wants, filled, fee, names_of(wants)))


def judge(order: tuple[list[int], int, int], found: dict[str, tuple[int, int]]) -> None:
    wants, filled, fee = order
    assert abs(sum(lots for lots, _ in found.values())) == filled
    assert sum(paid for _, paid in found.values()) == fee
    for name, want in zip(names_of(wants), wants, strict=True):
        lots, paid = found.get(name, (0, 0))
        assert lots * want >= 0
        assert abs(lots) <= abs(want)
        assert paid == 0 or lots != 0
        assert abs(abs(lots) - abs(want) * filled / abs(sum(wants))) < 1.0 + 1e-9


@pytest.mark.parametrize(
    "found",
    [
        {"book0": (5, 7)},  # order of arrival
        {"book0": (3, 4), "book1": (2, 3)},
        {"book0": (1, 2), "book1": (1, 2), "book2": (1, 2)},  # rounded down: two lots and a fee are lost
        {"book0": (2, 3), "book1": (2, 3), "book2": (1, 2)},  # each fee rounded by itself
    ],
)
def test_a_worse_division_is_seen(found: dict[str, tuple[int, int]]) -> None:
    order = ([4, 4, 4], 5, 7)
    judge(order, rested(*order, names_of(order[0])))
    with pytest.raises(AssertionError):
        judge(order, found)


@given(orders(), st.randoms(use_true_random=False))
def test_permuting_the_books_permutes_the_result(order: tuple[list[int], int, int], chance: object) -> None:
    wants, filled, fee = order
    names, turn = names_of(wants), list(range(len(wants)))
    chance.shuffle(turn)  # type: ignore[attr-defined]
    turned = rested([wants[b] for b in turn], filled, fee, [names[b] for b in turn])
    assert turned == rested(wants, filled, fee, names)


@given(orders())
def test_the_reference_shares_alike(order: tuple[list[int], int, int]) -> None:
    wants, filled, fee = order
    names = names_of(wants)
    hashes = [reference.tie(CYCLE, "BTC", name) for name in names]
    got = reference.largest_remainder(filled, [abs(want) for want in wants], hashes)
    fees = reference.largest_remainder(fee, got, hashes)
    side = 1 if sum(wants) > 0 else -1
    found = rested(wants, filled, fee, names)
    assert [found.get(name, (0, 0)) for name in names] == [(side * n, f) for n, f in zip(got, fees, strict=True)]


def test_a_tie_goes_by_name_not_by_place() -> None:
    names = ["north", "south", "east", "west"]
    winners = {
        next(name for name, (lots, _) in rested([1, 1, 1, 1], 1, 0, turned).items() if lots)
        for turned in (names, names[::-1], names[2:] + names[:2])
    }
    assert len(winners) == 1
    assert winners == {max(names, key=lambda name: reference.tie(CYCLE, "BTC", name))}


@st.composite
def two_ways(draw: st.DrawFn) -> tuple[list[int], list[bool], int]:
    """Wishes of one side and who makes; what the other side crosses with; none of it small."""
    wishes = draw(st.lists(st.integers(0, 7) | st.integers(0, 10**5), min_size=1, max_size=10).filter(any))
    makes = [draw(st.booleans()) for _ in wishes]
    return wishes, makes, draw(st.integers(0, sum(wishes)))


@given(two_ways(), st.sampled_from((1, -1)), st.floats(0.0, 1.0))
def test_makers_are_crossed_in_the_same_measure_and_wait_for_the_rest(
    given_: tuple[list[int], list[bool], int], side: int, bears: float
) -> None:
    """Of W wished and C crossed, makers are crossed W_m less floor((W - C) W_m / W); none of the fill is theirs."""
    wishes, makes, crossed = given_
    total, waiting = sum(wishes), sum(w for w, waits in zip(wishes, makes, strict=True) if waits)
    order = total - crossed
    made = order * waiting // total
    filled = int((order - made) * bears)
    parts = new_parts(len(wishes) + 1)
    want = np.array([[side * w for w in wishes] + [-side * crossed]], np.int64)
    makers = np.array([[waits and w > 0 for w, waits in zip(wishes, makes, strict=True)] + [False]])
    still = np.zeros_like(want)
    seats, minors = share_out(
        want, 0, side, crossed, np.int64(side * filled), 1000 if filled else 0, np.int64(waiting), made, makers, still,
        SALT, keys([f"{b}" for b in range(len(wishes) + 1)]), *parts,
    )  # fmt: skip
    assert minors == (crossed > 0)
    taken = {int(parts.seat[i]): (int(parts.got[i]) * side, int(parts.venue[i]) * side) for i in range(seats)}
    of_makers = [b for b in taken if makers[0, b]]
    assert sum(got for got, _ in taken.values()) == crossed + filled
    assert sum(taken[b][0] for b in of_makers) == waiting - made
    assert all(taken[b][1] == 0 for b in of_makers)
    assert sum(venue for _, venue in taken.values()) == filled
    assert int(parts.fee[:seats].sum()) == (1000 if filled else 0)
    for b, (got, venue) in taken.items():
        assert 0 <= venue <= got <= wishes[b]
        if b in of_makers:
            assert int(still[0, b]) * side == wishes[b] - got
            assert abs(got - wishes[b] * (waiting - made) / waiting) < 1.0 + 1e-9
    assert int(still.sum()) * side == (made if waiting else 0)
