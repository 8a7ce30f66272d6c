"""The signal layer's promise: 25 agents, a year of 5-minute bars, under 2 seconds and 1.5 GB, growing linearly."""

import resource

import pytest

from podshop.run import bench_signals
from podshop.signals.roster import ROSTER


@pytest.mark.soak
def test_a_year_of_all_agents_takes_under_two_seconds_and_grows_linearly():
    found = bench_signals.curves(rounds=2)["signals"]
    assert found["agents_25_year_5m_seconds"] < 2.0
    for axis in ("rows", "markets", "agents"):
        assert found[axis]["power"] < 1.2, axis
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1.5e6


def test_the_bench_asks_every_shipped_agent_about_ten_to_fifteen_markets():
    seats = bench_signals.seats_over(25, None)
    assert [seat.agent for seat in seats] == list(ROSTER.values())
    assert all(10 <= len(set(seat.markets)) <= 15 for seat in seats)
    market = bench_signals.made_up(3 * 288, bench_signals.MARKETS)
    bars = {"1h": 72, "4h": 18, "1d": 3}
    expected = sum(bars[seat.agent.bar] * len(seat.markets) for seat in seats)
    assert bench_signals.ask(market, seats, threads=2) == expected
