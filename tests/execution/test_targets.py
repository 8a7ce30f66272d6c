"""Sizing, the no-trade band, the stop, and the average entry."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.execution.targets import buffered, entry_after, stop_price, unit_lots


def test_a_full_position_by_hand() -> None:
    """20 % a year over 2 % a day: 0.5234 of 100,000 dollars; two markets share it; lots of 50 dollars."""
    unit = unit_lots(0.2, 0.02, 2, 1.0, 100_000_000_000, 50_000_000)
    assert unit == pytest.approx(0.2 / (0.02 * math.sqrt(365) * 2) * 2000)
    assert math.isnan(unit_lots(0.2, math.nan, 2, 1.0, 100_000_000_000, 50_000_000))


OPINION, LOTS = st.floats(-1.0, 1.0), st.integers(-(10**6), 10**6)


@given(OPINION, st.floats(0.1, 1e6), st.floats(0.0, 0.9), LOTS)
def test_a_target_lies_within_the_band_and_is_stayed_at(opinion: float, unit: float, buffer: float, lots: int) -> None:
    target = int(buffered(opinion, unit, buffer, lots))
    if opinion == 0.0:
        assert target == 0
        return
    ideal, band = opinion * unit, buffer * unit
    if abs(ideal - lots) <= band:
        assert target == lots
    else:
        assert abs(target - ideal) <= band + 1.0
        assert abs(target - ideal) <= abs(lots - ideal) + 1.0  # toward the band, never away
    if abs(target - ideal) <= band:
        assert buffered(opinion, unit, buffer, target) == target


def test_a_stop_is_a_price() -> None:
    assert (stop_price(1, 1000.0, 2.0, 0.05), stop_price(-1, 1000.0, 2.0, 0.05)) == (900.0, 1100.0)


@pytest.mark.parametrize(
    ("lots", "traded", "entry"),
    [
        (0, 10, 120.0),  # opened
        (10, 10, 110.0),  # grown: averaged
        (10, -5, 100.0),  # shrunk: as it was
        (10, -25, 120.0),  # through zero: anew
        (-10, -30, 115.0),
        (-10, 4, 100.0),
    ],
)
def test_the_average_entry(lots: int, traded: int, entry: float) -> None:
    assert entry_after(lots, traded, 100.0, 120) == pytest.approx(entry)
