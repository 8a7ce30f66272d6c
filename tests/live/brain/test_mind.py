"""The brain decides what a backtest of the same history decides: every wish, weight and limit, bit for bit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from podshop.live.brain.mind import Mind, of_time
from podshop.live.brain.shadows import copied
from podshop.live.messages import Targets
from podshop.nouns import DAY_NS, HOUR_NS, DataError, Funding, Market, utc_ns
from podshop.run.config import Fund, fifty_fund, starter_fund
from podshop.run.world import World, read_world
from tests.live.brain.backtests import Step, steps_of


def world_of(fund: Fund, data: Path, since: str, days: int) -> World:
    since_ns = utc_ns(datetime.fromisoformat(since).replace(tzinfo=UTC))
    return read_world(fund, data, since_ns, since_ns + days * DAY_NS)


def upto(world: World, at_ns: int) -> tuple[Market, Funding]:
    """History up to the bar that closed then."""
    return world.market[: int(np.searchsorted(world.market.time, at_ns)) + 1], of_time(world.funding, 0, at_ns)


def told(mind: Mind, world: World, steps: list[Step]) -> Iterator[tuple[Step, Targets]]:
    """Feed bar by bar and ask for every cycle."""
    for step in steps:
        at_ns = step.opened.at_ns
        if at_ns > mind.last_ns:
            rows = (world.market.time > mind.last_ns) & (world.market.time <= at_ns)
            first, last = np.flatnonzero(rows)[[0, -1]]
            mind.feed(world.market[int(first) : int(last) + 1], of_time(world.funding, mind.last_ns, at_ns))
        yield step, mind.decide(step.opened)


def same(step: Step, said: Targets) -> None:
    assert said.cycle == step.opened.cycle
    assert said.weights == step.weights
    assert said.office == step.office
    assert said.covariance == step.covariance
    assert said.shadow_equity_micro == step.shadow_equity
    assert said.wished == step.wished
    assert said.raw == step.raw
    assert len(said.notes) == step.notes


@pytest.fixture(scope="module")
def starter(shared_data: Path) -> tuple[Fund, World, list[Step]]:
    """The starter fund over ten weeks: a chunk of signals, of covariance, and many of days begin in them."""
    fund = starter_fund()
    world = world_of(fund, shared_data, "2022-05-10T05:00", 70)
    return fund, world, steps_of(fund, world.market, world.funding, world.decision_times())


def test_ten_weeks_of_the_starter_fund(starter: tuple[Fund, World, list[Step]]) -> None:
    fund, world, steps = starter
    mind = Mind(fund, *upto(world, steps[0].opened.at_ns))
    for step, said in told(mind, world, steps):
        same(step, said)
    assert len({said for step in steps for said in step.wished}) > 100
    assert max(step.opened.state for step in steps) >= 0


def test_fifty_agents(shared_data: Path) -> None:
    fund = fifty_fund()
    world = world_of(fund, shared_data, "2023-12-25T07:00", 12)
    steps = steps_of(fund, world.market, world.funding, world.decision_times())
    mind = Mind(fund, *upto(world, steps[0].opened.at_ns))
    for step, said in told(mind, world, steps):
        same(step, said)


def test_it_may_begin_in_the_middle_of_a_chunk(starter: tuple[Fund, World, list[Step]]) -> None:
    """Voices and shadows are made anew from history; what is of the fund alone is restored."""
    fund, world, steps = starter
    half = len(steps) // 2
    first = Mind(fund, *upto(world, steps[0].opened.at_ns))
    for _ in told(first, world, steps[:half]):
        pass
    again = Mind(fund, *upto(world, steps[half - 1].opened.at_ns), since_ns=steps[0].opened.at_ns)
    for name, seat in again.seats.items():
        seat.grow()
        assert name in first.seats
    again.restore(first.save())
    for step, said in told(again, world, steps[half:]):
        same(step, said)


def test_history_makes_the_same_voices_and_shadows(starter: tuple[Fund, World, list[Step]]) -> None:
    fund, world, steps = starter
    mind = Mind(fund, *upto(world, steps[0].opened.at_ns))
    for _ in told(mind, world, steps[:500]):
        pass
    at_ns = steps[499].opened.at_ns
    anew = Mind(fund, *upto(world, at_ns), since_ns=steps[0].opened.at_ns)
    anew.decide(steps[499].opened)
    assert_same_memory(mind, anew)


def assert_same_memory(a: Mind, b: Mind) -> None:
    for mine, theirs in zip(a.shadows.books, b.shadows.books, strict=True):
        for x, y in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(x, y)
    for one, other in zip(a.shadows.listeners, b.shadows.listeners, strict=True):
        for part, same_part in zip(one.memory, other.memory, strict=True):
            for x, y in zip(part, same_part, strict=True):
                np.testing.assert_array_equal(x, y)
    for name in a.seats:
        for x, y in zip(a.seats[name].state(), b.seats[name].state(), strict=True):
            np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(a._daily_return, b._daily_return)
    np.testing.assert_array_equal(a._equity_peak, b._equity_peak)


def test_targets_do_not_read_the_open_that_is_not_known_yet(starter: tuple[Fund, World, list[Step]]) -> None:
    """The state that is kept is that before the fill; with another open in its place the targets are the same."""
    fund, world, steps = starter
    mind = Mind(fund, *upto(world, steps[0].opened.at_ns))
    for step, said in told(mind, world, steps[:300]):
        row = mind.facts.waiting[0]
        kept = [[part.copy() for part in book] for book in mind.shadows.books]
        for reference in (row.facts.mark, row.facts.mark * 2, np.maximum(row.facts.mark // 3, 1)):
            tried = [copied(book) for book in mind.shadows._trial]
            for book, trial in zip(mind.shadows.books, mind.shadows._trial, strict=True):
                for part, copy in zip(book, trial, strict=True):
                    np.copyto(copy, part)
            odd = row._replace(facts=row.facts._replace(reference=reference))
            for b, trial in enumerate(mind.shadows._trial):
                target, urgent, _, _ = mind.shadows._walk(b, trial, odd, np.zeros(1, np.bool_))
                np.testing.assert_array_equal(target, mind.shadows.told.target[b])
                assert urgent[0] == mind.shadows.told.urgent[0, b]
            mind.shadows._trial = tried
        for before, book in zip(kept, mind.shadows.books, strict=True):
            for x, y in zip(before, book, strict=True):
                np.testing.assert_array_equal(x, y)
        assert said.cycle == step.opened.cycle


def test_a_missed_cycle_is_walked_by_the_shadows(starter: tuple[Fund, World, list[Step]]) -> None:
    fund, world, steps = starter
    all_of_them = Mind(fund, *upto(world, steps[0].opened.at_ns))
    for _ in told(all_of_them, world, steps[:200]):
        pass
    some = Mind(fund, *upto(world, steps[0].opened.at_ns))
    for _ in told(some, world, [*steps[:100], *steps[117:200]]):
        pass
    assert_same_memory(all_of_them, some)


def test_bars_before_the_first_question_are_history(starter: tuple[Fund, World, list[Step]]) -> None:
    fund, world, steps = starter
    early = Mind(fund, *upto(world, steps[0].opened.at_ns - 50 * HOUR_NS))
    for step, said in told(early, world, steps[:60]):
        same(step, said)


def test_a_cycle_is_decided_once_and_only_with_its_bar(starter: tuple[Fund, World, list[Step]]) -> None:
    fund, world, steps = starter
    mind = Mind(fund, *upto(world, steps[0].opened.at_ns))
    mind.decide(steps[0].opened)
    with pytest.raises(DataError, match="decided is"):
        mind.decide(steps[0].opened)
    with pytest.raises(DataError, match="asked for"):
        mind.decide(steps[1].opened)
    with pytest.raises(DataError, match="expected the one of"):
        mind.feed(world.market[-1:], of_time(world.funding, 0, 0))
