"""Dividing whole numbers without losing one, and hashes that mean the same everywhere."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.maths.whole import fnv1a64, largest_remainder, mix
from tests.reference import allot as reference

LOTS = st.one_of(st.integers(0, 9), st.integers(0, 10**6), st.integers(2**26 - 3, 2**31))


def shared(total: int, weights: Sequence[int], keys: Sequence[int], salt: int = 0) -> list[int]:
    """The compiled division; seat i bears the name i."""
    count = len(weights)
    out, scratch = np.zeros(count + 1, np.int64), np.zeros(2 * count + 2, np.int64)
    names = np.arange(count, dtype=np.int64)
    largest_remainder(
        total, np.array(weights, np.int64), sum(weights), count, np.uint64(salt), names, np.array(keys, np.uint64),
        out, scratch,
    )  # fmt: skip
    return out[:count].tolist()


def ties(keys: Sequence[int], salt: int = 0) -> list[int]:
    return [reference.mix(salt ^ key) for key in keys]


@st.composite
def divisions(draw: st.DrawFn) -> tuple[int, list[int]]:
    weights = draw(st.lists(LOTS, min_size=1, max_size=60).filter(any))
    return draw(st.integers(0, min(sum(weights), 2**31))), weights


@given(divisions(), st.integers(0, 2**64 - 1))
def test_parts_sum_to_the_whole_and_stay_within_one_of_their_quota(division: tuple[int, list[int]], salt: int) -> None:
    total, weights = division
    keys = [fnv1a64(f"book{i}") for i in range(len(weights))]
    parts = shared(total, weights, keys, salt)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(w * total // whole <= part <= -(-w * total // whole) for part, w in zip(parts, weights, strict=True))
    assert parts == reference.largest_remainder(total, weights, ties(keys, salt))


@given(divisions(), st.randoms(use_true_random=False))
def test_the_order_of_seats_does_not_matter(division: tuple[int, list[int]], chance: object) -> None:
    total, weights = division
    keys = [fnv1a64(f"book{i}") for i in range(len(weights))]
    order = list(range(len(weights)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    turned = shared(total, [weights[i] for i in order], [keys[i] for i in order], 5)
    straight = shared(total, weights, keys, 5)
    assert turned == [straight[i] for i in order]


def test_rounding_each_part_for_itself_would_lose_some() -> None:
    """The mutant: half up does not sum to the whole."""

    def half_up(total: int, weights: Sequence[int]) -> list[int]:
        return [(2 * w * total + sum(weights)) // (2 * sum(weights)) for w in weights]

    lost = [
        (total, weights)
        for weights in itertools.product(range(1, 5), repeat=3)
        for total in range(sum(weights))
        if sum(half_up(total, weights)) != total
    ]
    assert len(lost) > 50
    for total, weights in lost:
        assert sum(shared(total, weights, [1, 2, 3])) == total


def test_equal_remainders_go_by_hash_and_every_book_wins_its_share() -> None:
    """One lot among four equal wishes, in 4,000 cycles: about a thousand times each, whatever the order."""
    keys = [fnv1a64(name) for name in ("a", "b", "c", "d")]
    won = np.sum([shared(1, [7] * 4, keys, int(mix(np.uint64(cycle)))) for cycle in range(4000)], axis=0)
    assert won.sum() == 4000
    assert won.min() > 880  # four standard deviations below a thousand
    assert won.max() < 1120


@pytest.mark.parametrize("count", [2, 3, 50, 400])
def test_many_seats_take_the_sorted_way_to_the_same_parts(count: int) -> None:
    chance = np.random.default_rng(count)
    for _ in range(50):
        weights = chance.choice([1, 2, 3, 1000, 12_345], count).tolist()
        total = int(chance.integers(0, sum(weights) + 1))
        keys = chance.integers(0, 2**63, count).tolist()
        assert shared(total, weights, keys, 9) == reference.largest_remainder(total, weights, ties(keys, 9))


def test_hashes_match_published_values() -> None:
    """FNV-1a: draft-eastlake-fnv, 64 bits. SplitMix64: the first outputs from seed 0."""
    assert (fnv1a64(""), fnv1a64("a"), fnv1a64("foobar")) == (
        0xCBF29CE484222325,
        0xAF63DC4C8601EC8C,
        0x85944171F73967E8,
    )
    golden = 0x9E3779B97F4A7C15
    seen = [int(mix(np.uint64(golden * n & (2**64 - 1)))) for n in (1, 2, 3)]
    assert seen == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert fnv1a64("é") == reference.fnv1a64("é")
