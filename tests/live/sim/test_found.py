"""What the simulation found, in its shortest form."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from podshop.live.gateway.desk import Desk
from tests.live import virtual
from tests.live.gateway.crash import Crash, Fuse, FusedVenue, fused_keeper
from tests.live.gateway.world import BAR_NS, World

BEFORE = 4


def test_a_death_while_a_liquidation_is_booked_leaves_nothing_in_transit(tmp_path: Path) -> None:
    """Seed 1017: the fill was committed, then its shares; between the two nobody could open the journal any more."""
    assert deaths(tmp_path) >= 6


def test_mutant_shares_in_a_transaction_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(self: Desk, market: str) -> list[tuple[str, int]]:
        self.commit()
        return real(self, market)

    real: Callable[[Desk, str], list[tuple[str, int]]] = Desk.held
    monkeypatch.setattr(Desk, "held", held)
    with pytest.raises(Exception, match="in transit"):
        deaths(tmp_path)


def deaths(folder: Path) -> int:
    """Die before and after each of the commits of a cycle that hears of two liquidations; how often that was."""
    names = touched(folder / "whole", None)
    commits = [i for i, name in enumerate(names) if name.startswith("append")][:6]
    for at in commits:
        for late in (False, True):
            touched(folder / f"{at}{late}", at, late=late)
    return 2 * len(commits)


def touched(folder: Path, at: int | None, *, late: bool = False) -> list[str]:
    """The calls of that cycle, which dies at one of them; in the end all of it is exact."""
    folder.mkdir()
    fuse = Fuse()
    world = World(folder, markets=2, keeper=fused_keeper(fuse))
    names: list[str] = []

    async def main(clock: virtual.VirtualClock) -> None:
        await world.start(clock, FusedVenue(world.venue(clock), fuse))
        k = world.first + BEFORE
        for cycle in range(world.first + 1, k + 1):
            await world.cycle(clock, cycle)
        for name, lots in world.exchange.lots.items():
            world.exchange.foreign((k + 1) * BAR_NS - BAR_NS // 3, name, -(lots // 2), "liquidation")
            world.exchange.foreign((k + 1) * BAR_NS - BAR_NS // 3, name, -(lots // 4), "adl")
        fuse.arm(at, after=late)
        with contextlib.suppress(Crash):
            await world.cycle(clock, k + 1, world.still)
        names.extend(fuse.names)
        if fuse.burnt:
            world.die()
            fuse.arm(None)
            await world.start(clock)
        for cycle in range(k + 2, k + 6):
            await world.cycle(clock, cycle, world.still)
        world.check_exact()
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    return names
