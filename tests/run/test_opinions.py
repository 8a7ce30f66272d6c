"""Signal agents asked in chunks: a row never depends on what comes later, nor on where the history begins."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from podshop.nouns import DAY_NS, ConfigError, Market, Panel, utc_ns
from podshop.run.chunks import chunk_ns
from podshop.run.config import Confidence, Fund, SignalSeat, load
from podshop.run.opinions import Seat, fires, seats
from podshop.run.world import read_world

SINCE_NS, UNTIL_NS = (utc_ns(at) for at in (datetime(2022, 4, 1, tzinfo=UTC), datetime(2022, 10, 5, 7, tzinfo=UTC)))
CUTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Peeks:
    """Says where the price goes next."""

    bar: str = "1h"
    lookback_bars: int = 24
    ahead: int = 1
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "momentum"
    cross_sectional: ClassVar[bool] = False

    def __call__(self, close: Panel) -> Panel:
        said = np.full(close.shape, np.nan)
        said[: -self.ahead] = np.sign(close[self.ahead :] - close[: -self.ahead])
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages(Peeks):
    """Compares with the mean of everything it is shown."""

    def __call__(self, close: Panel) -> Panel:
        return np.asarray(np.tanh(close / np.nanmean(close, axis=0) - 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembers(Peeks):
    """Never forgets: the sum of all returns it has been shown."""

    def __call__(self, close: Panel) -> Panel:
        return np.asarray(np.tanh(np.log(close / close[0])))


@pytest.fixture(scope="module")
def fund() -> Fund:
    return load(Path(__file__).resolve().parents[2] / "funds" / "starter.toml")


@pytest.fixture(scope="module")
def market(fund: Fund, shared_data: Path) -> Market:
    return read_world(fund, shared_data, SINCE_NS, UNTIL_NS).market


def one(agent: Any, market: Market) -> Seat:
    seat = SignalSeat(name="planted", kind="x:X", agent=agent, markets=market.names)
    return seats(market, (seat,), Confidence())["planted"]


def rows_to_try(market: Market) -> list[int]:
    """Rows spread over the period, and those either side of every boundary of a calendar chunk."""
    spread = np.linspace(np.searchsorted(market.time, SINCE_NS), len(market) - 2, CUTS).astype(int)
    edges = [np.searchsorted(market.time, d * DAY_NS) for d in (19_152, 19_180, 19_170, 19_260)]
    near = [e + o for e in edges for o in (-1, 0, 1)]
    return sorted({int(row) for row in (*spread, *near) if row < len(market) - 1})


def differing(make: Any, market: Market) -> list[int]:
    """Rows whose convictions differ, to the bit, between the whole history and one that ends at them."""
    whole = make(market)
    found = []
    for row in rows_to_try(market):
        cut = make(market[: row + 1])
        last = len(cut.market) - 1
        at = int(np.searchsorted(whole.market.time, cut.market.time[last]))
        if cut.convictions(last, last + 1).tobytes() != whole.convictions(at, at + 1).tobytes():
            found.append(row)
    return found


@pytest.mark.parametrize("name", ["trend", "stretch", "carry"])
def test_a_starter_agent_says_the_same_on_history_cut_at_any_bar(fund: Fund, market: Market, name: str) -> None:
    (seat,) = (s for s in fund.signals if s.name == name)

    def make(part: Market) -> Seat:
        return seats(part, (seat,), fund.confidence)[name]

    assert differing(make, market) == []
    said = make(market).convictions(int(np.searchsorted(market.time, SINCE_NS)), len(market))
    assert np.isfinite(said).mean() > 0.9  # it has opinions to compare


@pytest.mark.parametrize("name", ["trend", "stretch", "carry"])
def test_a_starter_agent_says_the_same_wherever_history_begins(fund: Fund, market: Market, name: str) -> None:
    """As much as the chunk of the first decision needs, and no more: what live trading loads when it starts."""
    (seat,) = (s for s in fund.signals if s.name == name)
    whole = seats(market, (seat,), fund.confidence)[name]
    lookback = seat.agent.lookback_bars
    for since in rows_to_try(market)[::6]:
        length = chunk_ns(lookback * whole.bar_ns, name)
        begin = int(np.searchsorted(market.time, market.time[since] // length * length)) - lookback
        part = seats(market[max(begin, 0) :], (seat,), fund.confidence)[name]
        at = int(np.searchsorted(part.market.time, market.time[since]))
        assert part.convictions(at, at + 1).tobytes() == whole.convictions(since, since + 1).tobytes()


@pytest.mark.parametrize("agent", [Peeks(), Peeks(ahead=20), Averages()], ids=("one bar", "twenty bars", "mean of all"))
def test_a_planted_peek_is_caught(market: Market, agent: Any) -> None:
    assert len(differing(lambda part: one(agent, part), market)) > CUTS // 6


def test_endless_memory_is_cut_at_the_lookback(market: Market) -> None:
    """Arrays start a lookback before the chunk, so even an agent that never forgets has forgotten by the next one."""
    seat = one(Remembers(), market)
    day = int(np.searchsorted(market.time, SINCE_NS))
    said = seat.convictions(day, day + 48)
    close = market.columns["close"]
    assert said[0].tobytes() == np.tanh(np.log(close[day] / close[day - 24])).tobytes()
    assert said[24].tobytes() == np.tanh(np.log(close[day + 24] / close[day])).tobytes()


def test_convictions_beyond_one_or_of_another_shape_are_refused(market: Market) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Loud(Peeks):
        def __call__(self, close: Panel) -> Panel:
            return np.full(close.shape, 1.5)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Short(Peeks):
        def __call__(self, close: Panel) -> Panel:
            return np.zeros((3, 1))

    for agent, said in ((Loud(), "answered 1.5, expected within -1 and 1"), (Short(), r"answered float64 \(3, 1\)")):
        with pytest.raises(ConfigError, match=said):
            one(agent, market).convictions(100, 101)


def test_a_cadence_fires_when_its_number_changes_and_never_counts_from_the_start() -> None:
    hour = 3_600 * 10**9
    time = np.arange(5, 15) * hour
    assert [int(t // hour) for t in time[fires(time, hour, 4 * hour)]] == [8, 12]
    assert [int(t // hour) for t in time[fires(time + hour // 2, hour, 4 * hour)]] == [8, 12]


def test_a_voice_is_carried_from_stretch_to_stretch(fund: Fund, market: Market) -> None:
    """However the hours are cut, the same is said."""
    time = market.time[np.searchsorted(market.time, SINCE_NS) :]
    for name in ("trend", "carry"):
        whole, parts = (seats(market, fund.signals, fund.confidence)[name] for _ in range(2))
        said, index = whole.voice(time)
        heard = []
        for at in range(0, len(time), 100):
            rows, where = parts.voice(time[at : at + 100])
            heard.append(rows[where])
        assert np.concatenate(heard).tobytes() == said[index].tobytes()
        assert (np.abs(said[index]) > 0).any()
