"""What moves as one counts as one: clusters, bets, jumps and twins on fortunes made to order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.risk.correlation import CorrelationTracker, averages, correlation, effective_bets
from podshop.risk.office import judge
from tests.risk.views import view

LOOK = CorrelationTracker()


def moving(rho: float, days: int, seed: int, markets: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=(days, 1)), rng.normal(size=(days, markets))
    return 0.03 * (np.sqrt(rho) * common + np.sqrt(1 - rho) * own)


def earning(daily_return: np.ndarray, **changed: object) -> object:
    shadows = replace(view().shadows, daily_return=daily_return)
    return view(shadows=shadows, **changed)


@given(st.integers(0, 2**32 - 1))
def test_correlation_is_numpys_over_the_days_that_both_know(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = moving(0.5, 60, seed) + 0.01
    x[rng.random(x.shape) < 0.3] = np.nan
    found = correlation(x, 10)
    for i in range(4):
        for j in range(4):
            both = np.isfinite(x[:, i]) & np.isfinite(x[:, j])
            assert found[i, j] == pytest.approx(np.corrcoef(x[both, i], x[both, j])[0, 1], abs=1e-9)


def test_too_few_days_and_what_never_moved_are_unknown() -> None:
    x = moving(0.5, 40, 1)
    x[:, 1] = 0.1  # whose variance is not 0 in floating point
    x[:30, 2] = np.nan
    found = correlation(x, 30)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[2]).all()
    assert found[0, 3] > 0
    assert averages(found, np.full((4, 4), np.nan)) == (None, None)
    assert correlation(np.zeros((0, 2)), 30).shape == (2, 2)


# ------------------------------------------------------------------ bets


def test_bets_are_counted() -> None:
    rng = np.random.default_rng(3)
    one, many = rng.normal(size=(50_000, 1)), rng.normal(size=(50_000, 6))
    assert effective_bets(np.repeat(one, 6, axis=1)) == pytest.approx(1)
    assert effective_bets(many) == pytest.approx(6, rel=1e-3)
    assert effective_bets(np.append(one @ np.ones((1, 3)), many[:, :1] @ np.ones((1, 3)), axis=1)) == pytest.approx(
        2, rel=1e-3
    )
    assert effective_bets(many * [1, 1, 0, 0, 0, 0]) == pytest.approx(2, rel=1e-3)
    assert effective_bets(np.append(one, -one, axis=1)) == pytest.approx(1)  # a hedge is the same bet
    assert effective_bets(np.zeros((30, 2))) == 0.0
    assert effective_bets(np.zeros((0, 2))) == 0.0


def test_few_days_make_bets_fewer_as_the_docstring_says() -> None:
    found = [effective_bets(np.random.default_rng(seed).normal(size=(90, 20))) for seed in range(50)]
    assert 17.5 < np.mean(found) < 18.5


def test_too_few_bets_lower_the_budget() -> None:
    """Three books: one bet leaves half of the budget, one and a half three quarters, two all."""
    rng = np.random.default_rng(5)
    one = 0.01 * rng.normal(size=(90, 1))
    same = LOOK.look(earning(np.repeat(one, 3, axis=1)))
    assert same.bets == pytest.approx(1)
    assert same.factor == pytest.approx(0.5)
    nearly = LOOK.look(earning(np.append(np.repeat(one, 2, axis=1), 0.006 * rng.normal(size=(90, 1)), axis=1)))
    assert nearly.bets is not None
    assert 1 < nearly.bets < 2
    assert nearly.factor == pytest.approx(nearly.bets / 2)
    assert LOOK.look(earning(0.01 * rng.normal(size=(90, 3)))).factor == 1.0


def test_a_fund_of_one_book_is_one_bet_and_fifty_nine_days_say_nothing() -> None:
    rng = np.random.default_rng(6)
    alone = 0.01 * rng.normal(size=(90, 3)) * [1, 0, 0]
    assert LOOK.look(earning(alone)).factor == 1.0
    young = LOOK.look(earning(np.repeat(0.01 * rng.normal(size=(59, 1)), 3, axis=1)))
    assert (young.bets, young.factor, young.twins) == (None, 1.0, ())


def test_a_book_that_is_out_is_no_bet() -> None:
    rng = np.random.default_rng(7)
    one, other = 0.01 * rng.normal(size=(90, 1)), 0.01 * rng.normal(size=(90, 1))
    earned = np.concatenate([one, one, other], axis=1)
    shadows = replace(view().shadows, daily_return=earned)
    assert LOOK.look(view(shadows=shadows)).bets == pytest.approx(1.9, abs=0.15)
    out = replace(shadows, throttle=np.array([1.0, 1.0, 0.0]))
    assert LOOK.look(view(shadows=out)).bets == pytest.approx(1)


# ------------------------------------------------------------------ jumps


def test_a_jump_of_the_average_correlation_lowers_the_budget() -> None:
    calm = np.concatenate([moving(0.1, 200, 1), moving(0.1, 20, 2)])
    storm = np.concatenate([moving(0.1, 200, 1), moving(0.95, 20, 2)])
    quiet, loud = LOOK.look(view(daily=calm)), LOOK.look(view(daily=storm))
    assert quiet.factor == 1.0
    assert loud.short is not None is not loud.long
    assert loud.short - loud.long > 0.4
    assert loud.factor == 0.5
    asked = LOOK(view(daily=storm))
    assert asked.max_var == pytest.approx(0.01)
    assert "risk budget x 0.50" in asked.reason


@pytest.mark.parametrize(("short", "left"), [(0.3, 1.0), (0.5, 1.0), (0.6, 0.75), (0.7, 0.5), (0.9, 0.5)])
def test_the_budget_falls_in_a_straight_line(short: float, left: float) -> None:
    assert LOOK._left_by_jump(short, 0.3) == pytest.approx(left)
    assert LOOK._left_by_jump(None, None) == 1.0


def test_chance_alone_seldom_jumps() -> None:
    """A market of steady correlation 0.6 is called a jump on fewer than one day in fifty."""
    calls = sum(LOOK.look(view(daily=moving(0.6, 90, seed))).factor < 1 for seed in range(300))
    assert calls < 6


# ------------------------------------------------------------------ twins and clusters


def test_twins_are_named_and_brothers_are_not() -> None:
    rng = np.random.default_rng(8)
    one = 0.01 * rng.normal(size=(90, 1))
    twin = 1.7 * one + 0.003 * rng.normal(size=(90, 1))  # correlation 0.985
    brother = one + 0.0042 * rng.normal(size=(90, 1))  # 0.92: looked at, and no twin
    looked = LOOK.look(earning(np.concatenate([one, brother, twin], axis=1)))
    assert 0.9 < looked.books[0, 1] < 0.95
    found = looked.twins
    assert [(a, b) for a, b, _ in found] == [("a", "c")]
    assert found[0][2] > 0.95
    assert "a and c are one agent in disguise" in LOOK(earning(np.concatenate([one, brother, twin], axis=1))).reason


def test_days_on_which_neither_moved_do_not_make_twins() -> None:
    """Two books that traded on 59 days, alike, and slept for 31."""
    one = 0.01 * np.random.default_rng(9).normal(size=(90, 1))
    one[:31] = 0.0
    earned = np.concatenate([one, one, np.zeros((90, 1))], axis=1)
    assert LOOK.look(earning(earned)).twins == ()
    assert len(LOOK.look(earning(np.concatenate([earned[31:], earned[31:40]]))).twins) == 1


def test_markets_that_move_as_one_share_one_cap_and_the_office_takes_it() -> None:
    daily = np.concatenate([moving(0.95, 120, 1, 2), moving(0.95, 120, 2, 2)], axis=1)
    asked = LOOK(view(daily=daily))
    assert asked.cluster is not None
    assert asked.cluster.astype(int).tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    found = judge({"correlation": asked}, view()).in_force
    assert found.max_cluster.tolist() == [0.15, 0.15]


def test_a_young_fund_has_no_opinion_yet() -> None:
    asked = LOOK(view(days=0))
    assert judge({"correlation": asked}, view(days=0)).faults == {}
    assert asked.cluster is not None
    assert len(asked.cluster) == 0
    assert asked.max_var == view().mandate.max_var
