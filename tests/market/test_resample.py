"""Coarser bars: complete at their close, made of what was there, the same in every run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.market import resample
from podshop.nouns import BAR_COLUMNS, HOUR_NS, ConfigError, Market

START_NS = 19_000 * 24 * HOUR_NS
NAN = float("nan")


def market(bars: list[list[float]], first_hour: int = 0, rate: list[float] | None = None) -> Market:
    """One market of hourly bars (open, high, low, close, volume), the first opening `first_hour` after midnight."""
    values = np.array(bars, dtype=float).reshape(-1, 5)
    time = START_NS + (first_hour + 1 + np.arange(len(values))) * HOUR_NS
    columns = {name: values[:, i : i + 1] for i, name in enumerate(BAR_COLUMNS)}
    if rate is not None:
        columns["funding_per_hour"] = np.array(rate)[:, None]
    return Market(("BTC",), HOUR_NS, time, columns)


def told(found: Market) -> list[list[float]]:
    return np.column_stack([found.columns[name][:, 0] for name in BAR_COLUMNS]).tolist()


def test_a_long_bar_is_first_highest_lowest_last_and_the_sum():
    found = resample(market([[1, 4, 1, 2, 10], [2, 3, 0.5, 3, 20], [3, 3, 2, 2, 5], [2, 9, 2, 8, 1]]), 2 * HOUR_NS)
    assert told(found) == [[1, 4, 0.5, 3, 30], [3, 9, 2, 8, 6]]
    assert found.time.tolist() == [START_NS + 2 * HOUR_NS, START_NS + 4 * HOUR_NS]
    assert found.interval_ns == 2 * HOUR_NS
    assert all(panel.T.flags.c_contiguous for panel in found.columns.values())


def test_missing_parts_are_left_out_and_a_bar_missing_whole_is_unknown():
    gone, silent = [NAN] * 5, [NAN, NAN, NAN, NAN, 0.0]
    found = resample(market([gone, [2, 3, 1, 2, 7], silent, [4, 5, 4, 5, 1], gone, gone, silent, silent]), 2 * HOUR_NS)
    np.testing.assert_equal(told(found), [[2, 3, 1, 2, 7], [4, 5, 4, 5, 1], gone, silent])


def test_bars_begin_at_whole_multiples_and_unfinished_ones_are_not_there():
    found = resample(market([[h, h, h, h, 1] for h in range(1, 12)], first_hour=1), 4 * HOUR_NS)
    assert found.time.tolist() == [START_NS + 8 * HOUR_NS, START_NS + 12 * HOUR_NS]
    assert told(found) == [[4, 7, 4, 7, 4], [8, 11, 8, 11, 4]]


def test_an_observation_is_what_was_known_at_the_close():
    found = resample(market([[1] * 5] * 4, rate=[1.0, NAN, 3.0, 4.0]), 2 * HOUR_NS)
    np.testing.assert_equal(found.columns["funding_per_hour"][:, 0], [NAN, 4.0])


def test_a_length_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="bars of 90m cannot be made from bars of 1h"):
        resample(market([[1] * 5]), HOUR_NS * 3 // 2)


_PRICE = st.floats(0.01, 100.0)


@given(
    bars=st.lists(st.one_of(st.just([NAN] * 5), st.lists(_PRICE, min_size=5, max_size=5)), max_size=60),
    first=st.integers(0, 23),
    hours=st.sampled_from([2, 4, 24]),
    end=st.integers(0, 60),
)
def test_a_row_follows_from_the_bars_before_its_close_to_the_bit(bars, first, hours, end):
    whole = resample(market(bars, first), hours * HOUR_NS)
    past = resample(market(bars, first)[:end], hours * HOUR_NS)
    np.testing.assert_array_equal(past.time, whole.time[: len(past)])
    for name in BAR_COLUMNS:
        assert past.columns[name].tobytes() == whole.columns[name][: len(past)].tobytes()
    assert len(past) == 0 or past.time[-1] <= START_NS + (first + min(end, len(bars))) * HOUR_NS
