"""A record of all forecasts: by hand, point in time, forgetting, and the same whatever way it is called."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podshop.execution.evidence import Record, new_record, slopes
from podshop.maths.compiled import original
from podshop.nouns import DAY_NS, HOUR_NS

ROWS, MARKETS, BAR, OUTLOOK = 400, 3, HOUR_NS, 4 * HOUR_NS
DAYS = OUTLOOK / DAY_NS
PRIOR, WEIGHT = 0.05, 20.0


def past(seed: int = 0, rows: int = ROWS):
    rng = np.random.default_rng(seed)
    opinion = rng.uniform(-1, 1, (rows, MARKETS))
    opinion[rng.random(opinion.shape) < 0.1] = np.nan
    opinion[rng.random(opinion.shape) < 0.2] = 0.0
    price = np.rint(1e6 * np.exp(0.01 * rng.standard_normal((rows, MARKETS)).cumsum(axis=0))).astype(np.int64)
    price[rng.random(price.shape) < 0.05] = 0
    sigma = 0.04 * np.exp(0.2 * rng.standard_normal((rows, MARKETS)))
    sigma[rng.random(sigma.shape) < 0.05] = np.nan
    return opinion, 490_000 * HOUR_NS + np.arange(rows) * BAR, price, sigma


def small(slots: int) -> Record:
    """A record that forgets sooner."""
    record = new_record(MARKETS, OUTLOOK)
    return record._replace(ring=np.zeros((slots, 3)))


def ask(opinion, time, price, sigma, record=None, outlook=OUTLOOK, function=slopes):
    record = small(12) if record is None else record
    return function(record, opinion, time // outlook, price, sigma, outlook / DAY_NS, PRIOR, WEIGHT)


def slow(opinion, time, price, sigma, outlook, slots):
    """The same by looking back from every row: (R,) slope, in plain Python, from the letter of the rule."""
    period = time // outlook
    sampled = [r for r in range(len(time)) if r == 0 or period[r] != period[r - 1]]
    out = []
    for row in range(len(time)):
        known = [r for r in sampled if r <= row]
        fy = ff = n = 0.0
        for old, new, judge in zip(known, known[1:], known[2:], strict=False):
            begun = range(period[judge] + 1, period[known[-1]] + 1)
            forgotten = any((p - period[new]) % slots == 0 for p in begun)
            for m in range(opinion.shape[1]):
                f, s = opinion[old, m], sigma[old, m]
                if forgotten or not abs(f) > 0 or math.isnan(s) or price[old, m] == 0 or price[new, m] == 0:
                    continue
                y = (price[new, m] / price[old, m] - 1) / (s * math.sqrt(outlook / DAY_NS))
                fy, ff, n = fy + f * y, ff + f * f, n + 1
        u = ff / n if n else 1.0
        out.append((fy + WEIGHT * u * PRIOR) / (ff + WEIGHT * u))
    return np.array(out)


def test_by_hand():
    """One market, one sample a row: 100 -> 110 after a long of 0.5, known two rows later."""
    opinion = np.array([[0.5], [-1.0], [np.nan], [0.2]])
    price = np.array([[100], [110], [99], [99]])
    sigma = np.full((4, 1), 0.05)
    record = new_record(1, DAY_NS)
    found = slopes(record, opinion, np.arange(4) + 19_000, price, sigma, 1.0, 0.1, 200.0)
    y0, y1 = 0.1 / 0.05, -0.1 / 0.05
    assert found[:2].tolist() == [0.1, 0.1]  # what came of the first is not known before the third sample
    u = 0.25
    assert found[2] == pytest.approx((0.5 * y0 + 200 * u * 0.1) / (0.25 + 200 * u))
    u = 1.25 / 2
    assert found[3] == pytest.approx((0.5 * y0 - y1 + 200 * u * 0.1) / (1.25 + 200 * u))
    assert record.total.tolist() == pytest.approx([0.5 * y0 - y1, 1.25, 2.0])
    assert len(record.ring) == 365
    assert len(new_record(1, 400 * DAY_NS).ring) == 1


def test_a_longer_outlook_is_measured_in_its_own_deviations():
    opinion, price = np.ones((3, 1)), np.array([[100], [110], [110]])
    record = new_record(1, 4 * DAY_NS)
    slopes(record, opinion, np.arange(3), price, np.full((3, 1), 0.05), 4.0, 0.0, 200.0)
    assert record.total[0] == pytest.approx(0.1 / (0.05 * 2))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 15), st.booleans())
def test_it_is_what_looking_back_from_every_row_finds(seed, hours, slots, holes):
    opinion, time, price, sigma = past(seed, rows=80)
    if holes:  # cadences need not be even
        keep = np.random.default_rng(seed).random(80) < 0.4
        opinion, time, price, sigma = opinion[keep], time[keep], price[keep], sigma[keep]
    outlook = hours * HOUR_NS
    fast = ask(opinion, time, price, sigma, small(slots), outlook)
    np.testing.assert_allclose(fast, slow(opinion, time, price, sigma, outlook, slots), rtol=1e-9, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(1, ROWS - 1), max_size=6))
def test_a_record_carries_over_any_cut(cuts):
    whole = past()
    record = small(12)
    parts = [ask(*(x[a:b] for x in whole), record) for a, b in pairwise([0, *sorted(cuts), ROWS])]
    assert np.concatenate(parts).tobytes() == ask(*whole).tobytes()


def changes_before(row, seen=lambda price: price):
    """Whether any slope up to `row` changes with what comes after it, its own reference included: it is not past."""
    opinion, time, price, sigma = past()
    rng = np.random.default_rng(9)
    other = price.copy()
    other[row:] = rng.integers(900_000, 1_100_000, other[row:].shape)
    said, risk = opinion.copy(), sigma.copy()
    said[row + 1 :] = rng.uniform(-1, 1, said[row + 1 :].shape)
    risk[row + 1 :] = 0.03
    one = ask(opinion, time, seen(price), sigma)[: row + 1]
    two = ask(said, time, seen(other), risk)[: row + 1]
    return one.tobytes() != two.tobytes()


@pytest.mark.parametrize("row", [0, 3, 4, 8, 100, 203, 204, 398])
def test_no_slope_knows_what_comes(row):
    assert not changes_before(row)
    whole = past()
    assert ask(*(x[: row + 1] for x in whole)).tobytes() == ask(*whole)[: row + 1].tobytes()


def test_the_test_above_sees_a_forecast_that_is_judged_a_sample_early():
    """The mutant: the references of the sample after."""
    early = 4
    assert any(changes_before(row, lambda price: np.vstack([price[early:], price[-early:]])) for row in range(200, 208))


def test_the_plain_python_of_it_agrees_to_the_bit():
    whole = past(rows=90)
    plain, fast = small(7), small(7)
    assert ask(*whole, plain, function=original(slopes)).tobytes() == ask(*whole, fast).tobytes()
    for a, b in zip(plain, fast, strict=True):
        assert a.tobytes() == b.tobytes()


def test_it_finds_a_true_slope_and_the_prior_fades():
    rng = np.random.default_rng(5)
    days, truth = 365, 0.3
    opinion = rng.choice([-0.8, 0.8], (days, 20))
    y = truth * opinion + rng.standard_normal(opinion.shape)
    price = np.rint(1e9 * np.cumprod(np.vstack([np.ones(20), 1 + 0.02 * y]), axis=0)[:days]).astype(np.int64)
    record = new_record(20, DAY_NS)
    found = slopes(record, opinion, np.arange(days), price, np.full(opinion.shape, 0.02), 1.0, -0.2, 200.0)
    assert found[0] == -0.2
    standard_error = 1 / (0.8 * math.sqrt(20 * days))
    assert found[-1] == pytest.approx(truth - 0.5 * 200 / (20 * days), abs=4 * standard_error)


def test_what_is_older_than_the_window_is_forgotten():
    """Right for a year, wrong since: after another year the first is gone."""
    days = 800
    up = np.where(np.arange(days) < 400, 1.01, 0.99)
    price = np.rint(1e12 * np.cumprod(up)).astype(np.int64)[:, None]
    opinion, sigma = np.full((days, 1), 0.9), np.full((days, 1), 0.05)
    found = slopes(new_record(1, DAY_NS), opinion, np.arange(days), price, sigma, 1.0, 0.0, 5.0)
    assert found[399] > 0.2 > 0 > found[790]
    forever = new_record(1, DAY_NS)._replace(ring=np.zeros((2000, 3)))  # the mutant
    assert slopes(forever, opinion, np.arange(days), price, sigma, 1.0, 0.0, 5.0)[790] > -0.1
