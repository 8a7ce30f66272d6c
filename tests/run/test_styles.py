"""The three ways of trading in the fund's own cycle, by hand: takers, makers, TWAPs, and what they do to one another.

One market at 1 USD a lot, a fund of 100,000 USD, no costs but those a test names. `wishes` are lots of each book.
"""

from typing import Any

import numpy as np
import pytest

from podshop.nouns.verdict import (
    CODE_NAMES,
    CROSS_FILL,
    MAKER,
    MAKER_FILL,
    REDUCE_ONLY_STATE,
    RUNNING,
    TAKER,
    TWAP,
    VENUE_FILL,
)
from podshop.run.state import DELAY, HALF_SPREAD, IMPACT, OPPORTUNITY, Facts
from tests.run.books import BEGAN_NS, INTERVAL_NS, Cycle, Limits, World, run, terms_for

USD = 1_000_000  # micro-dollars: the price of a lot
NEVER, ALWAYS = USD, 1  # lows of bars that do not reach a buyer's limit, and that do


def fund(
    wishes: list[list[int]], styles: list[int], urgency: list[int], *, low: list[int] | None = None,
    high: list[int] | None = None, reference: list[int] | None = None, liquidity: int = 10**6, queued: int = 10**6,
    names: tuple[str, ...] = ("a", "b", "c", "d"), urgent: Any = None, throttle: Any = None, state: Any = None,
    **terms: Any,
) -> list[Cycle]:  # fmt: skip
    """Run 1, 2 or 4 books, whose share of the capital is exact; wishes (K, B). One row more ends the run."""
    books, rows = len(styles), len(wishes) + 1

    def column(given: list[int] | None, usual: int) -> np.ndarray[Any, Any]:
        values = [usual] * rows if given is None else [*given, *[usual] * rows][:rows]
        return np.array(values, np.int64)[:, None]

    one = np.ones((1, 1))
    facts = Facts(
        time=BEGAN_NS + np.arange(rows) * INTERVAL_NS, mark=column(None, USD), age=column(None, 0),
        frozen=np.zeros((rows, 1), np.int32),
        reference=column(reference, USD), mark_before=np.array([USD]), reference_before=np.array([USD]),
        low=column(low, NEVER), high=column(high, USD), carry=np.full((rows, 1), np.nan),
        dead=np.zeros((rows, 1), np.bool_), risk_row=np.zeros(rows, np.int64), covariance=np.full((1, 1, 1), 1e-6),
        sigma=1e-3 * one, depth=1e9 * one, liquidity=np.array([[liquidity]]), queued=np.array([[queued]]),
        funding_until=np.zeros(rows + 1, np.int64), funding_at=np.zeros(0, np.int64),
        funding_market=np.zeros(0, np.int64), funding_rate=np.zeros(0), funding_source=np.zeros(0, np.int64),
    )  # fmt: skip
    target = np.array([*wishes, wishes[-1]], np.int64)[:, :, None] * books
    return run(
        World(
            names[:books], terms_for(styles, urgency, names[:books], 1, **terms), Limits(np.full(1, 10.0)), facts,
            target, np.ones((rows, books), np.bool_),
            np.zeros((rows, books), np.bool_) if urgent is None else np.array([*urgent, urgent[-1]], np.bool_),
            np.ones((rows, books)) if throttle is None else np.array([*throttle, throttle[-1]], np.float64),
            np.full((rows, books), np.nan),
            np.full(rows, RUNNING) if state is None else np.array([*state, state[-1]]),
        )
    )  # fmt: skip


def lots(cycles: list[Cycle]) -> list[list[int]]:
    """What each book holds after each cycle."""
    return [each.lots[0, :-1].tolist() for each in cycles]


def rests(cycles: list[Cycle]) -> list[int]:
    return [int(each.resting.lots[0]) for each in cycles]


def codes(cycles: list[Cycle]) -> list[list[str]]:
    return [[CODE_NAMES[row.code] for row in each.verdicts] for each in cycles]


def test_a_maker_rests_at_the_touch_and_fills_where_the_bar_goes_beyond() -> None:
    """Half-spread 10 bps: the limit is 0.999. The first bar touches it, the second trades one micro-dollar below."""
    cycles = fund([[50], [50]], [MAKER], [9], low=[NEVER, 999_000, 998_999], half_spread=1e-3, maker_fee_e8=20_000)
    assert rests(cycles) == [50, 50, 0]
    assert lots(cycles) == [[0], [0], [50]]
    assert cycles[0].resting.limit[0] == 999_000
    (fill,) = cycles[2].fills
    assert (fill.kind, fill.lots, fill.price, fill.fee) == (MAKER_FILL, 50, 999_000, 9_990)
    assert cycles[2].costs[0, 0, [DELAY, HALF_SPREAD, IMPACT, OPPORTUNITY]].tolist() == [0, -50_000, 0, 0]


def test_a_seller_rests_above() -> None:
    cycles = fund([[-50], [-50]], [MAKER], [9], high=[USD, 1_001_000, 1_001_001], half_spread=1e-3)
    assert rests(cycles) == [-50, -50, 0]
    assert lots(cycles) == [[0], [0], [-50]]
    assert cycles[2].fills[0].price == 1_001_000


def test_a_maker_is_repriced_each_cycle() -> None:
    cycles = fund([[50], [50]], [MAKER], [9], reference=[USD, 2 * USD], half_spread=1e-3)
    assert [int(each.resting.limit[0]) for each in cycles[:2]] == [999_000, 1_998_000]


def test_a_maker_takes_after_its_patience() -> None:
    """Three cycles of waiting, then at once, with the spread."""
    cycles = fund([[50]] * 4, [MAKER], [3], half_spread=1e-3)
    assert rests(cycles) == [50, 50, 50, 0, 0]
    assert [[fill.price for fill in each.of(0, VENUE_FILL)] for each in cycles] == [[], [], [], [1_001_000], []]
    assert lots(cycles)[3] == [50]


def test_a_want_that_turns_waits_anew() -> None:
    cycles = fund([[50], [50], [-50], [-50], [-50]], [MAKER], [2], low=[NEVER] * 6)
    assert rests(cycles)[:4] == [50, 50, -50, -50]
    assert lots(cycles)[4] == [-50]


def test_what_rested_is_gone_whether_it_filled_or_not() -> None:
    cycles = fund([[50], [0], [0]], [MAKER], [9], low=[NEVER, NEVER, ALWAYS])
    assert rests(cycles) == [50, 0, 0, 0]
    assert lots(cycles)[-1] == [0]


def test_a_bar_fills_no_more_than_the_queue_leaves() -> None:
    cycles = fund([[50]] * 4, [MAKER], [9], low=[NEVER, ALWAYS, ALWAYS, ALWAYS], queued=20, half_spread=1e-3)
    assert lots(cycles) == [[0], [20], [40], [50], [50]]
    assert rests(cycles) == [50, 30, 10, 0, 0]


def test_where_the_next_bar_does_not_trade_nothing_rests() -> None:
    cycles = fund([[50], [50]], [MAKER], [9], reference=[0, USD], low=[NEVER, ALWAYS, ALWAYS], half_spread=1e-3)
    assert rests(cycles)[:2] == [0, 50]
    assert [(row.allowed, row.resting) for row in cycles[0].verdicts] == [(50, 0)]
    assert lots(cycles) == [[0], [0], [50]]


def test_a_twap_takes_even_slices() -> None:
    """10 lots in 4 cycles: ceil(10 / 4), ceil(7 / 3), ceil(4 / 2), 2."""
    cycles = fund([[10]] * 5, [TWAP], [4])
    assert lots(cycles) == [[3], [6], [8], [10], [10], [10]]
    assert all(not each.of(0, MAKER_FILL) for each in cycles)


def test_a_twap_catches_up_with_what_the_market_did_not_bear() -> None:
    cycles = fund([[10]] * 5, [TWAP], [4], liquidity=2)
    assert lots(cycles) == [[2], [4], [6], [8], [10], [10]]


def test_what_a_throttle_or_a_stop_compels_is_taken_at_once() -> None:
    """Half the capital for the TWAP, and out for the maker: neither waits nor is sliced."""
    held = [[40, 40]] * 2
    cycles = fund(
        [*held, [0, 40], [0, 40]], [MAKER, TWAP], [1, 1], throttle=[[1, 1], [1, 1], [1, 0.5], [1, 0.5]],
        urgent=[[False] * 2] * 2 + [[True, False], [False, False]],
    )  # fmt: skip
    assert lots(cycles)[1] == [40, 40]
    patient = fund(
        [*held, *held, *held, [0, 40]], [MAKER, TWAP], [3, 3],
        throttle=[[1, 1]] * 6 + [[1, 0.5]], urgent=[[False] * 2] * 6 + [[True, False]],
    )  # fmt: skip
    assert lots(patient)[5] == [40, 40]
    assert lots(patient)[6] == [0, 20]
    assert rests(patient)[6] == 0
    waits = fund([*held, *held, *held, [0, 20]], [MAKER, TWAP], [3, 3])
    assert lots(waits)[6] == [40, 33]
    assert rests(waits)[6] != 0


def test_takers_and_makers_share_the_crossing_and_split_the_order() -> None:
    """Buyers 60 taken and 40 made, a seller of 50: 50 cross, and of the other 50 lots 20 are made, 30 taken."""
    cycles = fund([[60, 40, -50, 0]], [TAKER, MAKER, TAKER, TAKER], [1, 9, 1, 1], low=[NEVER, ALWAYS], half_spread=1e-3)
    first = cycles[0]
    assert {fill.book: fill.lots for fill in first.of(0, CROSS_FILL)} == {0: 30, 1: 20, 2: -50}
    assert {fill.book: fill.lots for fill in first.of(0, VENUE_FILL)} == {0: 30}
    assert first.resting.want[0].tolist() == [0, 20, 0, 0, 0]
    (verdict,) = first.verdicts
    assert (verdict.wanted, verdict.allowed, verdict.filled, verdict.resting) == (50, 50, 30, 20)
    assert lots(cycles)[1] == [60, 40, -50, 0]


def test_makers_share_what_rested_over_what_each_still_wanted() -> None:
    """30 and 10 at rest, 21 fill: 15.75 and 5.25, so 16 and 5; the fee of 2.1 cents over the lots."""
    cycles = fund([[30, 10]], [MAKER, MAKER], [9, 9], low=[NEVER, 1], queued=21, half_spread=1e-3, maker_fee_e8=100_000)
    assert [(fill.book, fill.lots) for fill in cycles[1].fills] == [(0, 16), (1, 5)]
    assert sum(fill.fee for fill in cycles[1].fills) == 20_979


@pytest.mark.parametrize(
    ("taken", "made", "rested", "filled"), [(900, 100, 0, 1000), (100, 900, 1000, 0), (500, 500, 500, 500)]
)
def test_a_part_too_small_for_an_order_of_its_own_joins_the_other(
    taken: int, made: int, rested: int, filled: int
) -> None:
    """Smallest order: more than 100 USD. Alone, each would be refused."""
    cycles = fund([[taken, made]], [TAKER, MAKER], [1, 9], min_order_micro=100 * USD)
    assert rests(cycles)[0] == rested
    assert int(cycles[0].venue_lots[0]) == filled


def test_a_taker_that_joins_an_order_at_rest_gets_its_share_of_it() -> None:
    cycles = fund([[100, 900]], [TAKER, MAKER], [1, 9], min_order_micro=100 * USD, low=[NEVER, ALWAYS], queued=500,
                  half_spread=1e-3)  # fmt: skip
    assert lots(cycles)[1] == [50, 450]


def test_a_maker_that_turns_is_flat_first() -> None:
    """From +40 to -60: the 40 rest, the 60 wait until they are gone; then they rest."""
    high = [USD, USD, USD, 2 * USD, USD, 2 * USD]
    cycles = fund([[40], [40], [-60], [-60], [-60]], [MAKER], [9], low=[NEVER, ALWAYS], high=high, half_spread=1e-3)
    assert rests(cycles) == [40, 0, -40, -60, -60, 0]
    assert codes(cycles)[2] == ["RESTING"]
    assert lots(cycles) == [[0], [40], [40], [0], [0], [-60]]
    (verdict,) = cycles[2].verdicts
    assert (verdict.wanted, verdict.allowed, verdict.filled, verdict.resting) == (-100, -40, 0, -40)


def test_a_taker_that_turns_is_flat_first_where_the_market_does_not_bear_both() -> None:
    cycles = fund([[40], [-60], [-60], [-60]], [TAKER], [1], liquidity=40)
    assert lots(cycles)[:3] == [[40], [0], [-40]]
    thin = fund([[20], [40], [-60], [-60], [-60]], [TAKER], [1], liquidity=30)
    assert lots(thin) == [[20], [40], [10], [-20], [-50], [-50]]
    assert codes(thin)[2] == ["LIQUIDITY"]


def test_a_fund_that_may_only_reduce_lets_a_reduction_rest() -> None:
    state = [RUNNING, RUNNING, REDUCE_ONLY_STATE, REDUCE_ONLY_STATE]
    cycles = fund([[40], [40], [10], [90]], [MAKER], [9], low=[NEVER, ALWAYS, NEVER, NEVER],
                  high=[USD] * 3 + [2 * USD], state=state, half_spread=1e-3)  # fmt: skip
    assert rests(cycles) == [40, 0, -30, 0, 0]
    assert lots(cycles)[3] == [10]
    assert codes(cycles)[3] == ["REDUCE_ONLY"]


def test_an_exit_of_one_book_crosses_with_another_that_still_waits() -> None:
    """The maker would have waited; the seller meets it inside at the mid, and nothing reaches the venue."""
    cycles = fund([[50, 0], [50, 50], [50, 0]], [TAKER, MAKER], [1, 9])
    assert lots(cycles)[2] == [50, 0]
    both = fund([[50, 0], [0, 50]], [TAKER, MAKER], [1, 9], fee_e8=50_000, half_spread=1e-3)
    assert {fill.book: (fill.lots, fill.price, fill.fee) for fill in both[1].fills} == {
        0: (-50, USD, 0),
        1: (50, USD, 0),
    }
    assert rests(both)[1] == 0
