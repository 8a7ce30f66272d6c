"""The mark is the last traded close, whole, with its age."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.market import NEVER, marks
from podshop.nouns import HOUR_NS, ConfigError, Market
from podshop.nouns.symbols import instrument

NAN = float("nan")


def market(close: list[list[float]], volume: list[list[float]]) -> Market:
    """Rows of time by market."""
    names = tuple(f"M{m}" for m in range(len(close[0])))
    columns = {"close": np.array(close).T.copy().T, "volume": np.array(volume).T.copy().T}
    return Market(names, HOUR_NS, np.arange(1, len(close) + 1) * HOUR_NS, columns)


def test_a_mark_is_carried_until_the_next_trade():
    micro, age = marks(
        market([[NAN], [2.0], [NAN], [NAN], [3.0]], [[NAN], [5.0], [0.0], [NAN], [1.0]]), scale=np.array([1000.0])
    )
    assert micro.ravel().tolist() == [0, 2000, 2000, 2000, 3000]
    assert age.ravel().tolist() == [NEVER, 0, 1, 2, 0]


def test_a_close_without_volume_is_no_trade():
    micro, age = marks(market([[2.0], [9.0]], [[5.0], [0.0]]), scale=np.array([100.0]))
    assert micro.ravel().tolist() == [200, 200]
    assert age.ravel().tolist() == [0, 1]


def test_a_lot_of_bitcoin_is_worth_its_price_in_tenths_of_a_dollar():
    micro, _ = marks(market([[62_769.8]], [[1.0]]), np.array([instrument("BTC").lot_micro_scale]))
    assert micro.tolist() == [[627_698]]  # 1e-5 BTC at 62,769.8 USD is 0.627698 USD


@given(st.lists(st.lists(st.sampled_from([NAN, 0.0, 1.0, 2.5]), min_size=2, max_size=2), min_size=1, max_size=30))
def test_marks_told_again_row_by_row(volume):
    close = [[10.0 + t + m for m in range(2)] for t in range(len(volume))]
    micro, age = marks(market(close, volume), np.array([100.0, 300.0]))
    assert micro.flags.c_contiguous
    assert age.flags.c_contiguous
    for m, scale in enumerate((100.0, 300.0)):
        last, seen = 0, None
        for t in range(len(volume)):
            if volume[t][m] > 0:
                last, seen = round(close[t][m] * scale), t
            assert micro[t, m] == last
            assert age[t, m] == (NEVER if seen is None else t - seen)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e20])
def test_a_lot_whose_price_cannot_be_carried_is_refused(scale):
    """Rounded to micro-dollars it would be worthless, or falsified by a percent, or overflow."""
    with pytest.raises(ConfigError, match="a lot of M0 is worth"):
        marks(market([[2.0]], [[1.0]]), np.array([scale]))
