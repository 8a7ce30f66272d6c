"""A live day is held against the backtest; the first decision that differs is named, with its cause."""

from pathlib import Path

import numpy as np
import pytest

from podshop.live.brain.mind import Mind, of_time
from podshop.live.brain.process import Told
from podshop.live.brain.seats import InThreads
from podshop.live.brain.snapshots import Decided, Snapshots, fed
from podshop.live.frames import canonical
from podshop.live.messages import Opened, Targets
from podshop.live.shadow import Shadowed, shadow
from podshop.nouns import DAY_NS, DataError
from podshop.run.config import starter_fund
from podshop.run.world import World
from tests.live.brain.backtests import Step
from tests.live.brain.test_mind import upto, world_of
from tests.live.gateway.parity import compare, takers

SINCE = "2022-06-12T06:00"


class Keeping:
    """A mind that keeps what it is fed and asked, as the process does; in `deaf` cycles one agent has no vote."""

    def __init__(self, world: World, first_ns: int, folder: Path, deaf: set[int]) -> None:
        self._world, self._deaf, self._folder = world, deaf, Snapshots(folder)
        self._at = 0
        self._mind = Mind(takers(starter_fund()), *upto(world, first_ns), ask=self._ask)

    def _ask(self, asked):  # type: ignore[no-untyped-def]
        answers = dict(InThreads()(asked))
        return {**answers, asked[0].seat.name: None} if self._at in self._deaf else answers

    def __call__(self, step: Step, opened: Opened) -> Targets:
        world, mind = self._world, self._mind
        self._at = opened.at_ns
        rows = np.flatnonzero((world.market.time > mind.last_ns) & (world.market.time <= opened.at_ns))
        for row in rows.tolist():
            bar = world.market[row : row + 1]
            paid = of_time(world.funding, mind.last_ns, int(bar.time[0]))
            self._folder.add(fed(bar, paid, mind.feed(bar, paid)))
        targets = mind.decide(opened)
        self._folder.add(Decided(opened.at_ns, canonical(opened)[0], canonical(targets)[1], mind.silent))
        return targets


def shadowed(data: Path, folder: Path, deaf_hours: tuple[int, ...] = ()) -> tuple[Shadowed, Shadowed]:
    """The rest of the first day, and the second, of a fund through brain and gateway."""
    fund = takers(starter_fund())
    world = world_of(fund, data, SINCE, 2)
    times = world.decision_times()
    first_ns = int(times[0])
    deaf = {int(times[hour]) for hour in deaf_hours}
    compare(fund, world, folder, mind=lambda: Keeping(world, first_ns, folder / "bars", deaf))
    told = Told(fund="", data=str(data), venue="simulated")
    day_ns = first_ns // DAY_NS * DAY_NS
    one, two = (shadow(fund, told, folder / "bars", folder / "journal.db", day) for day in (day_ns, day_ns + DAY_NS))
    with pytest.raises(DataError, match="nothing was decided"):
        shadow(fund, told, folder / "bars", folder / "journal.db", day_ns - DAY_NS)
    return one, two


def test_days_that_do_not_differ(shared_data: Path, tmp_path: Path) -> None:
    one, two = shadowed(shared_data, tmp_path)
    assert (one.cycles, one.differ, one.first) == (18, 0, None)
    assert (two.cycles, two.differ, two.first) == (24, 0, None)


def test_an_agent_without_a_vote_is_named(shared_data: Path, tmp_path: Path) -> None:
    """From its eighth bar on, where the trend follower decides, the agent it hears is silent for two cadences."""
    one, _ = shadowed(shared_data, tmp_path, deaf_hours=tuple(range(2, 18)))
    assert one.first is not None
    assert one.first["cause"].startswith(("no vote of trend", "the books were others"))
    assert one.differ > 0
