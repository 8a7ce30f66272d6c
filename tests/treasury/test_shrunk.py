"""Capital by belief: Bayes by hand, and floors, caps, hysteresis, turnover and cash each with a test that needs it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.treasury import Allocator, Rules
from podshop.treasury.allocator import inverse_vol
from podshop.treasury.evidence import UNCORRELATED_DAYS, evidence
from podshop.treasury.moves import moved
from podshop.treasury.shrunk import believed, shrunk

RULES = Rules()
FREE = Rules(floor=0.0, cap=100.0, band=0.0, turnover=2.0)  # belief alone


def days(sharpe: list[float], count: int = 365, seed: int = 0, volatility: float = 0.01) -> np.ndarray:
    """(D, B) daily returns whose annual Sharpe ratios are exactly these, as good as uncorrelated."""
    noise = np.random.default_rng(seed).normal(size=(count, len(sharpe)))
    noise = np.linalg.qr(noise - noise.mean(axis=0))[0]  # columns of mean 0, at right angles
    noise -= noise.mean(axis=0)
    noise /= noise.std(axis=0, ddof=1)
    return volatility * (noise + np.array(sharpe) / math.sqrt(365))


def equal(books: int) -> np.ndarray:
    return np.full(books, 1 / books)


def test_one_book_is_the_mean_of_prior_and_evidence_weighted_by_days() -> None:
    for count, sharpe, prior, worth in ((365, 2.0, 0.5, 730), (90, -3.0, 0.3, 365), (30, 1.0, 0.0, 1000)):
        found = believed(evidence(days([sharpe], count)), (prior,), worth)[0]
        assert found == pytest.approx((count * sharpe + worth * prior) / (count + worth))


def test_belief_is_what_numpy_makes_of_the_formula() -> None:
    chance = np.random.default_rng(5)
    for _ in range(20):
        common = chance.normal(size=(200, 1))
        returns = chance.normal(size=(200, 4)) + common + chance.normal(0, 0.1, 4)
        returns[:60, 1] = 0.0  # began later
        n = np.array([200, 140, 200, 200])
        s = np.array([returns[-k:, b].mean() / returns[-k:, b].std(ddof=1) for b, k in enumerate(n)]) * math.sqrt(365)
        away = np.array([np.r_[np.zeros(200 - k), returns[200 - k :, b] - returns[200 - k :, b].mean()]
                         for b, k in enumerate(n)])  # fmt: skip
        c = np.corrcoef(away) * 200 / (200 + UNCORRELATED_DAYS)
        np.fill_diagonal(c, 1)
        mu, width = np.array([0.5, 0.3, 0.5, 0.1]), np.eye(4) * 365 / 730
        expected = mu + width @ np.linalg.solve(width + c * 365 / np.sqrt(np.outer(n, n)), s - mu)
        assert believed(evidence(returns), tuple(mu), 730) == pytest.approx(expected.tolist())


def test_a_book_that_moves_with_another_is_judged_with_it() -> None:
    """Both did well on the same days, which is one piece of luck and not two: less is believed than of strangers."""
    alone = days([2.0, 2.0])
    twins = days([2.0, 2.0])
    twins[:, 1] = twins[:, 0] + 0.1 * (twins[:, 1] - twins[:, 1].mean())
    apart, together = (believed(evidence(r), (0.0, 0.0), 730)[0] for r in (alone, twins))
    assert apart == pytest.approx(2 / 3, abs=0.01)
    assert together < 0.85 * apart


def test_too_few_days_are_no_evidence() -> None:
    """Neither of a whole fund, nor of a book that began late: it keeps its prior and an equal share."""
    start = shrunk(days([9.0, -9.0], 29), equal(2), (0.5, 0.3), FREE)
    assert (start.posterior, start.weights.tolist()) == ([0.5, 0.3], [0.5, 0.5])
    assert start.bound == [("too few days",)] * 2
    late = days([1.0, 1.0, 9.0], 100)
    late[:71, 2] = 0.0
    found = shrunk(late, equal(3), (0.5, 0.5, 0.3), FREE)
    assert found.days == [100, 100, 29]
    assert (found.posterior[2], found.weights[2], found.bound[2]) == (0.3, 1 / 3, ("too few days",))
    late[70, 2] = 0.01
    assert shrunk(late, equal(3), (0.5, 0.5, 0.3), FREE).posterior[2] != 0.3


def test_better_books_get_more_and_wilder_ones_less() -> None:
    better = shrunk(days([2.0, 1.0]), equal(2), (0.5, 0.5), FREE).weights
    assert better[0] / better[1] == pytest.approx(1.0 / (2 / 3), rel=0.01)  # believed 1 and 2/3
    wild = days([1.0, 1.0])
    wild[:, 0] *= 3
    assert shrunk(wild, equal(2), (0.5, 0.5), FREE).weights.tolist() == pytest.approx([0.25, 0.75], rel=0.01)


def test_the_copy_of_a_book_is_not_paid_twice() -> None:
    """Two books that are nearly one share about what one gets of three; without correlations each would get a third."""
    returns = days([1.0, 1.0, 1.0], 365)
    returns[:, 1] = returns[:, 0] + 0.02 * (returns[:, 1] - returns[:, 1].mean())
    weights = shrunk(returns, equal(3), (0.5, 0.5, 0.5), FREE).weights
    assert weights[2] > 1.5 * max(weights[0], weights[1])
    assert weights.sum() == pytest.approx(1.0)


def test_what_nobody_deserves_stays_cash() -> None:
    none = shrunk(days([-4.0, -4.0]), equal(2), (0.5, 0.5), FREE)
    assert max(none.posterior) < 0
    assert none.weights.tolist() == [0.0, 0.0]
    assert none.bound == [("dismissed",)] * 2
    some = shrunk(days([-0.7, -0.7]), equal(2), (0.5, 0.5), FREE)
    believed_of_mix = math.sqrt(some.posterior[0] ** 2 + some.posterior[1] ** 2)
    assert 0 < some.weights.sum() == pytest.approx(believed_of_mix / 0.5, rel=0.01)
    assert some.weights.sum() < 1


def test_a_floor_keeps_an_employed_book_and_a_cap_holds_the_best() -> None:
    returns, previous = days([6.0, -0.8, 0.5]), equal(3)
    prior = (0.5, 0.5, 0.5)
    alone = shrunk(returns, previous, prior, FREE).weights
    bound = shrunk(returns, previous, prior, replace(FREE, floor=0.25, cap=2.0))
    assert alone[1] < 0.25 / 3 < 2 / 3 < alone[0]
    assert bound.weights[0] == pytest.approx(2 / 3)
    assert bound.weights[1] == pytest.approx(0.25 / 3)
    assert bound.bound[:2] == [("cap",), ("floor",)]


def test_floors_never_ask_for_more_than_there_is() -> None:
    found = shrunk(days([3.0, -0.9, -0.9, -0.9]), equal(4), (0.5,) * 4, replace(FREE, floor=0.9, cap=4.0))
    assert min(found.wanted) >= 0.9 / 4 - 1e-12
    assert math.fsum(found.wanted) == pytest.approx(1.0)


def test_a_dismissed_book_comes_back_only_from_above() -> None:
    """Belief of 0.05: enough to stay, not enough to come back; without the threshold it would come back at once."""
    returns = days([-0.85, 1.0])
    stays = shrunk(returns, np.array([0.2, 0.8]), (0.5, 0.5), FREE)
    assert 0 < stays.posterior[0] < 0.1
    assert stays.weights[0] > 0
    out = shrunk(returns, np.array([0.0, 0.8]), (0.5, 0.5), FREE)
    assert (out.weights[0], out.bound[0]) == (0.0, ("dismissed",))
    assert shrunk(returns, np.array([0.0, 0.8]), (0.5, 0.5), replace(FREE, back_from=0.0)).weights[0] > 0


def test_a_trifle_is_not_traded() -> None:
    wanted, previous = [0.52, 0.48], [0.5, 0.5]
    assert moved(wanted, previous, 0.05, 1.0) == (previous, [("hysteresis",)] * 2)
    assert moved(wanted, previous, 0.01, 1.0)[0] == pytest.approx(wanted)


def test_capital_moves_no_faster_than_allowed_and_arrives() -> None:
    wanted, weights = [0.0, 0.9, 0.1], [0.5, 0.25, 0.25]
    for day in range(200):
        before = weights
        weights, bound = moved(wanted, weights, 0.0, 0.1)
        size = math.fsum(abs(a - b) for a, b in zip(weights, before, strict=True))
        assert size <= 0.1 + 1e-12
        assert (("turnover",) in bound) == (day < 12)  # 1.3 to move, a tenth a day
    assert weights == pytest.approx(wanted, abs=1e-12)
    assert weights[0] == 0.0


def test_what_others_keep_cannot_be_given() -> None:
    """A trifle that stays with one book is missing for the other: without the rule the sum would be 1.04."""
    weights, bound = moved([0.46, 0.54, 0.0], [0.5, 0.4, 0.1], 0.05, 1.0)
    assert weights == pytest.approx([0.5, 0.5, 0.0])
    assert bound == [("hysteresis",), ("no cash",), ()]


@given(data=st.data())
def test_whatever_happened_weights_are_a_share_of_the_fund(data: st.DataObject) -> None:
    """Never negative, never more than there is, never above the cap for long, never faster than the limit; no NaN."""
    books = data.draw(st.integers(1, 6))
    count = data.draw(st.sampled_from([0, 1, 2, 29, 30, 31, 90]))
    chance = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    returns = chance.normal(chance.normal(0, 0.002, books), 0.01, (count, books))
    returns[:, chance.random(books) < 0.2] = 0.0
    returns[: count // 2, chance.random(books) < 0.2] = 0.0
    previous = chance.random(books) * (chance.random(books) < 0.8)
    previous /= max(1.0, previous.sum())
    prior = tuple(chance.normal(0.2, 0.5, books).tolist())
    found = shrunk(returns, previous, prior, RULES)
    assert np.isfinite(found.weights).all()
    assert (found.weights >= 0).all()
    assert math.fsum(found.weights.tolist()) <= 1 + 1e-12
    assert np.abs(found.weights - previous).sum() <= RULES.turnover + 1e-12
    assert max(found.wanted) <= max(1 / books, min(1, RULES.cap / books)) + 1e-12
    assert shrunk(returns.copy(order="F"), previous, prior, RULES).weights.tolist() == found.weights.tolist()


def test_the_allocator_shares_by_the_kind_it_is_told() -> None:
    returns, previous = days([1.0, -1.0, 0.5], 100), np.array([0.2, 0.3, 0.4])
    agent = Allocator(kind="shrunk", prior=(0.5, 0.3, 0.1))
    assert agent(returns, previous).tolist() == shrunk(returns, previous, (0.5, 0.3, 0.1), RULES).weights.tolist()
    assert agent(returns).tolist() == agent(returns, equal(3)).tolist() != agent(returns, previous).tolist()
    assert Allocator(kind="inverse_vol")(returns).tolist() == inverse_vol(returns[-30:]).tolist()
    assert Allocator(kind="inverse_vol")(returns[:29]).tolist() == equal(3).tolist()


def test_inverse_volatility_by_hand() -> None:
    returns = np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 6.0]]) / 100
    assert inverse_vol(returns).tolist() == pytest.approx([4 / 9, 1 / 3, 2 / 9])
    assert inverse_vol(returns[:, 1:2]).tolist() == [1.0]
