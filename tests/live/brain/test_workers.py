"""A bad agent loses its own vote and nothing else: within the deadline, and the next cycle finds a worker again."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from podshop.live.brain import growing
from podshop.live.brain.mind import Mind
from podshop.live.brain.seats import Asked
from podshop.live.brain.workers import Workers
from podshop.nouns import HOUR_NS, ConfigError
from podshop.run.config import Fund, starter_fund
from podshop.run.config.sections import SignalSeat
from tests.live.brain.backtests import Step, steps_of
from tests.live.brain.bad_agents import BAD, Bad, Exits, Floods, Sleeps, TooLarge, Writes
from tests.live.brain.test_mind import same, told, upto, world_of

HERE = Path(__file__).resolve().parent
DEADLINE_S = 2.0
SLACK_S = 1.0  # for a machine that does other things


def fund_with(*classes: type[Bad]) -> Fund:
    """The starter fund and, beside its three agents, one of each of these."""
    fund = starter_fund()
    bad = tuple(
        SignalSeat(name=f"bad_{i}", kind=f"bad_agents:{cls.__name__}", agent=cls(), markets=fund.market.markets)
        for i, cls in enumerate(classes)
    )
    return replace(fund, signals=fund.signals + bad)


@contextmanager
def workers(fund: Fund, **settings: object) -> Iterator[Workers]:
    made = Workers(fund, HERE, deadline_s=DEADLINE_S, **settings)  # type: ignore[arg-type]
    try:
        assert made.ready()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def history(shared_data: Path) -> tuple[Fund, object, list[Step]]:
    fund = starter_fund()
    world = world_of(fund, shared_data, "2022-05-10T05:00", 2)
    return fund, world, steps_of(fund, world.market, world.funding, world.decision_times())


def test_workers_answer_what_the_backtest_computes(history: tuple[Fund, object, list[Step]]) -> None:
    fund, world, steps = history
    with workers(fund) as ask:
        mind = Mind(fund, *upto(world, steps[0].opened.at_ns), ask=ask)
        for step, said in told(mind, world, steps):
            same(step, said)
        assert ask.faults == []


def test_asked_before_they_are_warm_nobody_is_blamed_and_nobody_lost(
    history: tuple[Fund, object, list[Step]],
) -> None:
    fund, world, steps = history
    ask = Workers(fund, HERE, deadline_s=DEADLINE_S)
    try:
        first = set(ask.pids)
        mind = Mind(fund, *upto(world, steps[0].opened.at_ns), ask=ask)
        mind.decide(steps[0].opened)
        assert ask.faults == []
        assert first <= set(ask.pids)
        assert ask.ready()
        for _ in told(mind, world, steps[1:4]):
            assert mind.silent == ()
        assert len(ask.pids) <= len(first) + 2
    finally:
        ask.close()
    time.sleep(0.1)
    assert not any(_lives(pid) for pid in first)


def test_workers_follow_when_the_pages_move(
    history: tuple[Fund, object, list[Step]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is full is left for a new one, which every worker is handed before it is asked."""
    monkeypatch.setattr(growing, "ROOM", 1.0)
    monkeypatch.setattr(growing, "SPARE_ROWS", 3)
    fund, world, steps = history
    with workers(fund) as ask:
        mind = Mind(fund, *upto(world, steps[0].opened.at_ns), ask=ask)
        pages = set()
        for step, said in told(mind, world, steps[:30]):
            pages.add(mind._lengths.base.columns["close"].page.number)
            same(step, said)
        assert len(pages) > 5
        assert ask.faults == []


def bad_ones(classes: tuple[type[Bad], ...], history: tuple[Fund, object, list[Step]], cycles: int) -> Workers:
    """Good agents keep their votes, in time, whatever these do; answers the workers, to be looked at."""
    _, world, steps = history
    fund = fund_with(*classes)
    with workers(fund, memory_bytes=3 << 30) as ask:
        mind = Mind(fund, *upto(world, steps[0].opened.at_ns), ask=ask)
        for step, _ in told(_Timed(mind), world, steps[:cycles]):  # type: ignore[arg-type]
            for seat in fund.signals[:3]:
                good = mind.seats[seat.name]
                wanted = good.compute(good._heard, good._heard + 1)
                np.testing.assert_array_equal(good._given[1], wanted)  # type: ignore[index]
            for seat in fund.signals[3:]:
                assert np.isnan(mind.seats[seat.name].voiced).all(), seat.kind
            assert step.opened.at_ns % HOUR_NS == 0
        assert {fault.seat for fault in ask.faults} == {seat.name for seat in fund.signals[3:]}
        assert all(ask.bench[seat.name].faults >= 1 for seat in fund.signals[3:])
        assert all(ask.bench[seat.name].faults == 0 for seat in fund.signals[:3])
        pids = ask.pids
    time.sleep(0.1)
    assert not any(_lives(pid) for pid in pids)
    return ask


class _Timed:
    """A mind whose every decision must come within the deadline."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    def __getattr__(self, name: str) -> object:
        return getattr(self._mind, name)

    def decide(self, opened: object) -> object:
        began = time.monotonic()
        said = self._mind.decide(opened)  # type: ignore[arg-type]
        assert time.monotonic() - began < DEADLINE_S + SLACK_S
        return said


def test_one_that_sleeps_one_that_dies_and_one_that_lies(history: tuple[Fund, object, list[Step]]) -> None:
    ask = bad_ones((Sleeps, Exits, TooLarge), history, cycles=4)
    whats = " | ".join(fault.what for fault in ask.faults)
    assert "no answer in" in whats
    assert "its worker died" in whats
    assert "expected within -1 and 1" in whats


def test_without_a_deadline_the_sleeper_takes_all_with_it(history: tuple[Fund, object, list[Step]]) -> None:
    """The mutant: asked in the brain's own process, the same agent stops the cycle."""
    _, world, steps = history
    fund = fund_with(Sleeps)
    mind = Mind(fund, *upto(world, steps[0].opened.at_ns), ask=_one_by_one(DEADLINE_S + SLACK_S))
    with pytest.raises(ConfigError, match="TimeoutError"):
        mind.decide(steps[0].opened)


def _one_by_one(patience_s: float):  # type: ignore[no-untyped-def]
    import signal

    def stop(*_: object) -> None:
        raise TimeoutError

    def ask(asked: list[Asked]) -> dict[str, object]:
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, patience_s)
        try:
            return {one.seat.name: one.seat.compute(one.first, one.last) for one in asked}
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)

    return ask


def test_who_failed_is_left_out_longer_each_time(history: tuple[Fund, object, list[Step]]) -> None:
    _, world, steps = history
    fund = fund_with(TooLarge)
    with workers(fund) as ask:
        mind = Mind(fund, *upto(world, steps[0].opened.at_ns), ask=ask)
        asked = []
        for _ in told(mind, world, steps[:20]):
            asked.append(len(ask.faults))
    assert [k for k in range(20) if asked[k] != (asked[k - 1] if k else 0)] == [0, 2, 5, 10, 19]


@pytest.mark.soak
def test_twenty_five_of_twenty_five_bad_ones(history: tuple[Fund, object, list[Step]]) -> None:
    assert len(BAD) == 25
    bad_ones(BAD, history, cycles=5)


@pytest.mark.parametrize("cls", [Floods, Writes])
def test_pages_are_for_reading_and_memory_is_bounded(cls: type[Bad], history: tuple[Fund, object, list[Step]]) -> None:
    bad_ones((cls,), history, cycles=2)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
