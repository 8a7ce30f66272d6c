"""The ladder of books, families and fund: down by drawdown, back by rule, never all at once."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.nouns.limits import Limits, RiskView
from podshop.nouns.time import DAY_NS
from podshop.nouns.verdict import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING
from podshop.risk.drawdown import DrawdownLadder, family_volatility, fresh
from podshop.risk.office import judge
from tests.risk.views import view


def walk(path: list[tuple[int, float]], **changed: Any) -> list[float]:
    """Rungs of one book of volatility 20 % after looks at (day, equity), from a peak of 100."""
    ladder, standing, rungs = DrawdownLadder(**changed), fresh(np.array([100.0])), []
    for day, equity in path:
        standing = ladder.climb(standing, np.array([equity]), np.array([0.2]), day * DAY_NS)
        rungs.append(float(standing.rung[0]))
    return rungs


def test_half_from_three_quarters_of_a_volatility_and_back_below_a_half() -> None:
    assert walk([(1, 100.0), (2, 85.2), (3, 84.9), (4, 89.0), (5, 90.1)]) == [1.0, 1.0, 0.5, 0.5, 1.0]
    assert walk([(1, 84.9), (2, 74.9)]) == [0.5, 0.0]
    assert walk([(1, 74.9)]) == [0.0]


def test_out_for_thirty_days_then_half_then_after_thirty_more_whole() -> None:
    """What it lost before counts no more: the drawdown is counted from its return."""
    path = [(0, 74.0), (29, 99.0), (30, 74.0), (59, 75.0), (60, 75.0)]
    assert walk(path) == [0.0, 0.0, 0.5, 0.5, 1.0]


def test_who_loses_on_paper_stays_out() -> None:
    assert walk([(0, 74.0), (30, 73.9), (300, 73.0), (301, 74.0)]) == [0.0, 0.0, 0.0, 0.5]


def test_who_falls_again_after_a_return_is_out_again_and_waits_again() -> None:
    """A quarter below 74 is 55.5; at half size it is not whole before it is nearly back."""
    assert walk([(0, 74.0), (30, 74.0), (40, 55.4), (69, 60.0), (70, 60.0)]) == [0.0, 0.5, 0.0, 0.0, 0.5]
    assert walk([(0, 74.0), (30, 74.0), (60, 66.0), (61, 66.7)]) == [0.0, 0.5, 0.5, 1.0]


def test_plain_percentages_are_an_option() -> None:
    fixed = {"warn_from": 0.05, "halve_from": 0.075, "out_from": 0.1, "back_below": 0.05, "in_volatility": False}
    assert walk([(0, 93.0), (1, 92.4), (2, 89.9)], **fixed) == [1.0, 0.5, 0.0]


# ------------------------------------------------------------------ one look at a fund


def losing(steps: list[float], **changed: Any) -> RiskView:
    """Three books of volatility 20 % that are so many units below their peaks."""
    equity = np.array([round(10**9 * (1 - 0.2 * step)) for step in steps])
    shadows = replace(view().shadows, equity_micro=equity, **changed.pop("shadows", {}))
    return view(shadows=shadows, **changed)


def look(ladder: DrawdownLadder, seen: RiskView) -> Limits:
    asked = ladder(seen)
    assert judge({"drawdown": asked}, seen).faults == {}
    return asked


def test_each_book_by_its_own_shadow_and_the_office_takes_it() -> None:
    asked = look(DrawdownLadder(), losing([1.3, 0.6, 0.8]))
    assert asked.throttle is not None
    assert asked.throttle.tolist() == [0.0, 1.0, 0.5]
    assert (asked.fund_throttle, asked.state) == (1.0, RUNNING)
    assert asked.reason.startswith("a is out at 1.30 of its volatility, c is halved at 0.80")
    assert "b is warned at 0.60" in asked.reason
    assert look(DrawdownLadder(), losing([0.0, 0.0, 0.0])).reason == "no drawdown to speak of"


def test_a_family_falls_together() -> None:
    """Two books of a family, neither of them in trouble alone, but never wrong at different times: both are halved."""
    rng = np.random.default_rng(1)
    alone = {"daily_return": 0.003 * rng.normal(size=(120, 3))}  # so quiet together that the unit is the smallest
    seen = losing([0.0, 0.0, 0.0], shadows=alone)
    ladder = DrawdownLadder()
    look(ladder, seen)
    asked = look(ladder, losing([0.6, 0.6, 0.0], shadows=alone))
    assert asked.throttle is not None
    assert asked.throttle.tolist() == [0.5, 0.5, 1.0]
    assert "family trend is halved at 0.85" in asked.reason  # 0.6 x sqrt 2


def test_the_unit_of_a_family_lies_between_all_alike_and_all_apart() -> None:
    rng = np.random.default_rng(2)
    of, one = np.array([0, 0, 1]), rng.normal(size=(200, 1))
    sigma = 0.2 / np.sqrt(365)

    def unit(days: np.ndarray) -> list[float]:
        return family_volatility(replace(view().shadows, daily_return=days), of, 2).tolist()

    assert unit(sigma * np.repeat(one, 3, axis=1)) == pytest.approx([0.2, 0.2], rel=0.15)
    assert unit(9 * sigma * np.repeat(one, 3, axis=1)) == [0.2, 0.2]
    assert unit(0.1 * sigma * one @ np.ones((1, 3))) == pytest.approx([0.2 / np.sqrt(2), 0.2])
    assert unit(sigma * one[:59] @ np.ones((1, 3))) == [0.2, 0.2]


# ------------------------------------------------------------------ pace


def all_at_once(ladder: DrawdownLadder, books: int = 10, gross: float = 0.05) -> list[int]:
    """How many books are made smaller at each look when all are out at once."""
    throttle, moved = np.ones(books), []
    while throttle.any():
        now = ladder.paced(np.zeros(books), throttle, np.linspace(1.3, 1.4, books), np.full(books, gross))
        moved.append(int((now < throttle).sum()))
        throttle = now
    return moved


def test_many_agents_are_not_sold_at_once() -> None:
    assert all_at_once(DrawdownLadder()) == [3, 3, 3, 1]
    assert all_at_once(DrawdownLadder(most_books=99), gross=0.1) == [2, 2, 2, 2, 2]
    assert all_at_once(DrawdownLadder(most_books=99), gross=0.4) == [1] * 10  # one always is
    assert all_at_once(DrawdownLadder(most_books=99, most_gross=99.0)) == [10]  # the mutant: no pace


@given(st.integers(0, 2**32 - 1))
def test_pace_only_delays(seed: int) -> None:
    """Never above what holds nor below what is wanted; up at once; the deepest first; in the end as wanted."""
    rng = np.random.default_rng(seed)
    wanted, now = rng.choice([0.0, 0.5, 1.0], 8), rng.choice([0.25, 0.5, 1.0], 8)
    depth, gross = rng.uniform(0, 2, 8), rng.uniform(0, 0.3, 8)
    ladder = DrawdownLadder()
    for _ in range(8):
        before, now = now, ladder.paced(wanted, now, depth, gross)
        assert np.all(now >= wanted)
        assert np.all(now <= np.maximum(before, wanted))
        assert np.all(now[wanted >= before] == wanted[wanted >= before])
        moved, waits = (now < before), (now > wanted)
        assert moved.sum() <= 3
        assert moved.any() or not waits.any()
        if moved.any() and waits.any():
            assert depth[moved].min() >= depth[waits].max()
        assert (
            moved.sum() == 1 or (gross * (before - now) / np.where(before > 0, before, 1))[moved].sum() <= 0.25 + 1e-9
        )
    assert now.tolist() == wanted.tolist()


# ------------------------------------------------------------------ the fund


def fund(nav: float, throttle: float = 1.0, day_open: float = 0.0, **changed: Any) -> tuple[float, int]:
    """Fund volatility 10 %, peak 1,000."""
    health = replace(
        view().health, nav_micro=int(nav), peak_micro=1000, throttle=throttle, day_open_micro=int(day_open)
    )
    asked = look(DrawdownLadder(**changed), view(health=health))
    assert asked.fund_throttle is not None is not asked.state
    return asked.fund_throttle, asked.state


def test_the_funds_ladder_throttles_reduces_and_halts() -> None:
    assert fund(926) == (1.0, RUNNING)
    assert fund(924) == (0.5, RUNNING)
    assert fund(874) == (0.0, REDUCE_ONLY_STATE)
    assert fund(824) == (0.0, HALTED_STATE)
    assert fund(940, throttle=0.5) == (0.5, RUNNING)
    assert fund(951, throttle=0.5) == (1.0, RUNNING)


def test_a_day_that_loses_too_much_ends_in_reductions() -> None:
    """Four tenths of 10 %: four percent since midnight."""
    assert fund(1000 * 0.961, day_open=1000) == (1.0, RUNNING)
    assert fund(1000 * 0.959, day_open=1000) == (1.0, REDUCE_ONLY_STATE)
    assert fund(955, day_open=960) == (1.0, RUNNING)
    assert fund(955, day_open=0) == (1.0, RUNNING)  # nobody knows what it was at midnight


def test_the_funds_throttle_gives_up_no_more_gross_than_the_pace() -> None:
    weights = np.zeros((4, 4))
    weights[0] = 0.25  # gross 100 %
    health = replace(view().health, nav_micro=870, peak_micro=1000)
    throttles = []
    for _ in range(5):
        asked = look(DrawdownLadder(), view(health=health, weights=weights))
        assert asked.fund_throttle is not None
        throttles.append(asked.fund_throttle)
        health = replace(health, throttle=asked.fund_throttle)
    assert throttles == [0.75, 0.5, 0.25, 0.0, 0.0]


@pytest.mark.parametrize(
    ("steps", "throttles"),
    [
        ([0.0, 0.7, 0.76, 0.6, 0.51, 0.49], [1.0, 1.0, 0.5, 0.5, 0.5, 1.0]),
        ([1.26, 0.8, 0.6, 0.4], [0.0, 0.0, 0.0, 1.0]),
        ([0.8, 1.3, 0.8, 0.4, 0.8], [0.5, 0.0, 0.0, 1.0, 0.5]),
    ],
)
def test_a_rung_of_the_fund_is_left_only_when_its_drawdown_is_small(steps: list[float], throttles: list[float]) -> None:
    """Fund volatility 10 %: half from a loss of 7.5 %, out from 12.5 %, and out asks for REDUCE_ONLY."""
    ladder, health, found = DrawdownLadder(most_gross=99.0, halt_from=99.0, day_loss=99.0), view().health, []
    for step in steps:
        health = replace(health, nav_micro=round(1e9 * (1 - 0.1 * step)))
        limits = ladder(view(health=health))
        assert limits.fund_throttle is not None
        assert (limits.state == REDUCE_ONLY_STATE) == (limits.fund_throttle == 0.0)
        health = replace(health, throttle=limits.fund_throttle)
        found.append(limits.fund_throttle)
    assert found == throttles


def test_a_restart_goes_on_where_it_stood() -> None:
    """All that a ladder remembers is its standing."""
    rng = np.random.default_rng(4)
    whole, first = DrawdownLadder(), DrawdownLadder()
    equity = np.full(3, 1.0)
    said: list[list[Any]] = [[], []]
    for day in range(300):
        equity = equity * (1 + 0.03 * rng.standard_t(4, 3))
        seen = view(
            at_ns=day * DAY_NS, shadows=replace(view().shadows, equity_micro=np.rint(1e9 * equity).astype(np.int64))
        )
        if day == 150:
            first = DrawdownLadder(standing=first.standing)
        said[0].append(look(whole, seen).throttle.tolist())  # type: ignore[union-attr]
        said[1].append(look(first, seen).throttle.tolist())  # type: ignore[union-attr]
    assert said[0] == said[1]
    assert {tuple(row) for row in said[0]} > {(1.0, 1.0, 1.0)}
