"""Priors: the same record as the gate's, nothing of the test period, and the rule by hand."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from podshop.nouns import HOUR_NS, Market, utc_ns
from podshop.research import priors
from podshop.research.evidence import Estimate
from podshop.research.priors import Slope, prior, worth

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cost-gate.md"


def market(close: np.ndarray) -> Market:
    """Hours that open where the one before closed."""
    time = utc_ns(datetime(2020, 1, 1, tzinfo=UTC)) + (1 + np.arange(len(close))) * HOUR_NS
    columns = {"open": np.vstack([close[:1], close[:-1]]), "close": close}
    return Market(tuple("AB"[: close.shape[1]]), HOUR_NS, time, columns)


def test_a_known_slope_is_found_whatever_the_outlook() -> None:
    """Each day's hours drift with the sign that is said of it: over a day that is a slope of 0.5."""
    rng = np.random.default_rng(1)
    days, sigma = 1500, 0.04
    said = np.repeat(rng.choice([-1.0, 1.0], (days + 1, 2)), 24, axis=0)[1:-23]  # the first close is at 01:00
    hourly = sigma * (rng.standard_normal(said.shape) / np.sqrt(24))
    hourly[1:] += sigma * 0.5 * said[:-1] / 24  # what is said at a close is about the hour after it
    found = market(1000 * np.exp(np.cumsum(hourly, axis=0)))
    for outlook, slope in (("1d", 0.5), ("1h", 0.5 / np.sqrt(24))):
        sums = worth(found, said, outlook).sum(axis=0)
        error = 1 / np.sqrt(sums[1])
        assert sums[0] / sums[1] == pytest.approx(slope, abs=4 * error)
        assert 4 * error < 0.2 * 0.5
    mute = worth(found, np.full(said.shape, np.nan), "1d")
    assert not mute.any()


def slope(outlook: str, value: float, error: float) -> Slope:
    half = 1.645 * error
    return Slope("momentum", "each agent", outlook, Estimate(value, value - half, value + half, 50, 1000), 1000)


@pytest.mark.parametrize(
    ("day", "week", "expected"),
    [
        ((0.085, 0.0), (0.16, 0.0), 0.08),
        ((0.09, 0.05), (0.16, 0.0), 0.04),  # as unsure as true slopes differ: half of it
        ((0.08, 0.0), (0.16, 0.10), 0.03),  # of a week that is hardly known little is believed
        ((-0.065, 0.0), (-0.09, 0.0), -0.06),
        ((0.08, 0.0), (-0.01, 0.0), 0.0),
        ((0.009, 0.0), (0.2, 0.0), 0.0),
        ((np.nan, np.nan), (0.2, 0.0), 0.0),
    ],
)
def test_the_rule_by_hand(day: tuple[float, float], week: tuple[float, float], expected: float) -> None:
    measured = [slope("1d", *day), slope("7d", *week), slope("1h", 9.0, 0.0)]
    found = prior("momentum", measured)
    assert found == pytest.approx(expected, abs=1e-12)
    assert str(found) != "-0.0"
    assert prior("reversal", measured) == 0.0


def test_nothing_of_the_test_period_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def read(root: Path, section: object, since_ns: int, until_ns: int, columns: object) -> None:
        asked.append(until_ns)
        raise InterruptedError

    monkeypatch.setattr(priors, "read_market", read)
    with pytest.raises(InterruptedError):
        priors.measure(Path("nowhere"))
    assert asked == [utc_ns(datetime(2022, 1, 1, tzinfo=UTC))]


@pytest.mark.soak
def test_the_page_says_what_history_says(shared_data: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for line in priors.tables(priors.measure(shared_data)).splitlines():
        assert line in page
