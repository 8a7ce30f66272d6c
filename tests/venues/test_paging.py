"""Histories are walked to the end, whatever a venue cuts off, and nothing is counted twice."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podshop.nouns import VenueError
from podshop.nouns.venue import Filled
from podshop.venues.paging import one_each, together, walked

MS = 1_000_000
BASE_MS = 1_700_000_000_000


def fill(number: int, at_ms: int) -> Filled:
    return Filled(str(number), "1", None, "BTC", 1, 1, 0, at_ms * MS)


class History:
    """A venue that shows at most so many rows of a span: the oldest or the newest ones."""

    def __init__(self, stamps: list[int], most: int, newest: bool) -> None:
        self.rows = [fill(n, BASE_MS + at) for n, at in enumerate(sorted(stamps))]
        self.most, self.newest, self.widest = most, newest, 0

    async def page(self, start_ms: int, end_ms: int) -> tuple[int, list[Filled]]:
        self.widest = max(self.widest, end_ms - start_ms)
        found = [r for r in self.rows if start_ms * MS <= r.at_ns <= end_ms * MS]
        found = found[-self.most :] if self.newest else found[: self.most]
        return len(found), found[::-1] if self.newest else found


@given(
    st.lists(st.integers(0, 100_000), max_size=120),
    st.integers(0, 100_000),
    st.booleans(),
    st.sampled_from([0, 10_000]),
)
@settings(max_examples=60)
def test_every_row_is_found_once_and_in_order(stamps: list[int], since: int, newest: bool, widest: int) -> None:
    history = History(stamps, 40, newest)
    since_ns = (BASE_MS + since) * MS
    found = asyncio.run(walked(history.page, since_ns, (BASE_MS + 100_000) * MS, 40, widest))
    kept = one_each(found, lambda f: f.fill_id, since_ns)
    assert {f.fill_id for f in kept} == {f.fill_id for f in history.rows if f.at_ns >= since_ns}
    assert [f.at_ns for f in kept] == sorted(f.at_ns for f in kept)
    assert not widest or history.widest <= widest


def test_mutant_who_goes_on_after_the_last_stamp_loses_what_shares_it() -> None:
    """A page that ends in the middle of a millisecond: a big order fills in many parts at once."""
    history = History([5] * 30 + [7] * 30, 40, newest=False)

    async def naive() -> int:
        start, count = BASE_MS, 0
        while True:
            sent, rows = await history.page(start, BASE_MS + 100)
            count += sent
            if sent < 40:
                return count
            start = rows[-1].at_ns // MS + 1

    assert asyncio.run(naive()) == 40
    found = asyncio.run(walked(history.page, BASE_MS * MS, (BASE_MS + 100) * MS, 40))
    assert len(one_each(found, lambda f: f.fill_id, 0)) == 60


def test_what_cannot_be_walked_is_an_error() -> None:
    crowd = History([5] * 50, 40, newest=False)
    with pytest.raises(VenueError, match="one millisecond"):
        asyncio.run(walked(crowd.page, BASE_MS * MS, BASE_MS * MS, 40))

    async def endless(start_ms: int, end_ms: int) -> tuple[int, list[Filled]]:
        return 10**6, []

    with pytest.raises(VenueError):
        asyncio.run(walked(endless, BASE_MS * MS, (BASE_MS + 10**9) * MS, 40))
    with pytest.raises(VenueError, match="two different"):
        one_each([fill(1, 5), fill(1, 6)], lambda f: f.fill_id, 0)


def test_questions_asked_together_all_end_before_one_fails() -> None:
    ended: list[int] = []

    async def ask(number: int) -> int:
        await asyncio.sleep(0.001 * number)
        ended.append(number)
        if number == 1:
            raise VenueError("one")
        return number

    with pytest.raises(VenueError, match="one"):
        asyncio.run(together([ask(n) for n in range(10)]))
    assert sorted(ended) == list(range(10))
    assert asyncio.run(together([ask(n) for n in (2, 0, 3)])) == [2, 0, 3]
