"""A gateway that was away, or a venue that was silent, for longer than anything is late: nothing of it is lost."""

import pytest

from podshop.live.gateway import asking
from podshop.nouns import HOUR_NS
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, World

HOUR = HOUR_NS // BAR_NS  # in cycles


def after_a_silence(world: World, hours: int, *, dead: bool) -> World:
    """Some cycles, hours of silence in which everybody holds what he holds and one market is liquidated, then more."""

    async def main(clock: virtual.VirtualClock) -> None:
        await world.start(clock)
        k = world.first + 1
        for _ in range(5):
            await world.cycle(clock, k)
            k += 1
        silent_ns = k * BAR_NS
        if dead:
            world.die()
        else:
            world.evil.outages = [(silent_ns, silent_ns + hours * HOUR_NS)]
        market = max(world.names, key=lambda name: abs(world.exchange.lots[name]))
        await clock.sleep_until(silent_ns + HOUR_NS // 2)
        world.exchange.foreign(clock.now_ns(), market, -world.exchange.lots[market], "liquidation")
        if dead:
            k += hours * HOUR
            await clock.sleep_until(k * BAR_NS - BAR_NS // 2)
            await world.start(clock)
        else:
            for _ in range(hours * HOUR):
                k += 1
                await world.cycle(clock, k, world.still)
        for _ in range(6):
            k += 1
            await world.cycle(clock, k, world.still)
        world.check_exact()
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    return world


@pytest.mark.parametrize(("hours", "dead"), [(9, True), (9, False), (30, True)])
def test_what_was_settled_and_liquidated_meanwhile_is_booked(tmp_path, hours, dead):
    world = after_a_silence(World(tmp_path, bars=HOUR * (hours + 6)), hours, dead=dead)
    assert len(world.exchange.account.paid) > 3 * hours


@pytest.mark.parametrize("dead", [True, False])
def test_asking_for_a_few_hours_only_loses_settlements(tmp_path, monkeypatch, dead):
    """The mutant: what is older than four hours is never asked for."""

    async def paid(self, at_ns, real=asking.Asking.paid):
        self._settled_ns = at_ns
        return await real(self, at_ns)

    monkeypatch.setattr(asking.Asking, "paid", paid)
    with pytest.raises(AssertionError):
        after_a_silence(World(tmp_path, bars=HOUR * 15), 9, dead=dead)
