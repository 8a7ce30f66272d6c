"""From data in to targets out, around the last rows of a chunk. The exact figures are those of `speed.py` alone."""

from tests.live.brain.speed import fund_of, measure

GENEROUS = 4  # other processes may run beside a test


def test_fifty_agents_on_thirty_markets() -> None:
    """The demand: p99 under 100 ms where nothing else runs. One cycle in twelve completes an hour."""
    took = measure(fund_of(50, 30), cycles=60)
    assert took.share(50) < GENEROUS * 0.025
    assert took.share(99) < GENEROUS * 0.100


def test_it_asks_only_agents_whose_bar_is_complete() -> None:
    fund = fund_of(50, 2)
    asked: list[int] = []

    def ask(due):  # type: ignore[no-untyped-def]
        asked.append(len(due))
        return {one.seat.name: one.seat.compute(one.first, one.last) for one in due}

    measure(fund, cycles=24, after=2, ask=ask)
    hourly = sum(seat.agent.bar == "1h" for seat in fund.signals)
    four_hourly = sum(seat.agent.bar in ("1h", "4h") for seat in fund.signals)
    assert asked[0] == len(fund.signals)  # the first cycle hears what is in force
    assert set(asked[1:]) == {hourly, len(fund.signals)}  # a chunk ends at midnight, where every bar is complete
    assert hourly < four_hourly < len(fund.signals)
