"""What a gateway asks a venue that does not always answer: once more where much rests on it, and nothing is skipped."""

import pytest

from podshop.live.gateway.core import Gateway
from podshop.live.gateway.desk import Desk
from podshop.nouns import VenueError
from podshop.orders.events import FillSaid
from podshop.venues.exchange.memory import MemoryVenue
from tests.live import virtual
from tests.live.gateway.world import World


def stutter(monkeypatch, how: str) -> None:
    """The first account reading of every cycle fails, or comes empty."""
    real, opens = MemoryVenue.reading, [False]

    async def open_cycle(self, cycle, real=Gateway.open_cycle):
        opens[0] = True
        return await real(self, cycle)

    async def reading(self):
        found = await real(self)
        if not opens[0]:
            return found
        opens[0] = False
        if how == "fails":
            raise VenueError("try again later")
        return found._replace(lots={}, equity_micro=0)

    monkeypatch.setattr(Gateway, "open_cycle", open_cycle)
    monkeypatch.setattr(MemoryVenue, "reading", reading)


@pytest.mark.parametrize("how", ["fails", "comes empty"])
@pytest.mark.parametrize("protected", [True, False], ids=["the gateway", "mutant: asks once"])
def test_the_account_is_asked_twice_before_a_cycle_is_given_up(tmp_path, monkeypatch, how, protected):
    if not protected:
        monkeypatch.setattr(Gateway, "_read_account", lambda self, cycle: self.asking.read(cycle))
    stutter(monkeypatch, how)
    world = World(tmp_path)
    world.run(6, check=lambda: None)
    codes = {verdict.code for report in world.reports for verdict in report.verdicts}
    assert ("NO_READING" not in codes) is protected
    assert (len(world.exchange.orders) > 10) is protected


@pytest.mark.parametrize("protected", [True, False], ids=["the gateway", "mutant: told before it is"])
def test_a_fill_that_could_not_be_told_is_told_again(tmp_path, monkeypatch, protected):
    world = World(tmp_path)
    failed = []

    def tell(self, market, event, real=Desk.tell):
        if isinstance(event, FillSaid) and not failed:
            failed.append(event.fill)
            if not protected:
                world.gateway.asking._told[event.fill.fill_id] = event.fill
            raise OSError("no room")
        return real(self, market, event)

    async def main(clock: virtual.VirtualClock) -> None:
        await world.start(clock)
        world.exchange.foreign(clock.now_ns(), "BTC", 500)
        await clock.sleep_until(world.start_ns + 1_000_000_000)
        monkeypatch.setattr(Desk, "tell", tell)
        with pytest.raises(OSError, match="no room"):
            await world.gateway.asking.hear()
        await world.gateway.asking.hear()
        assert (world.gateway.memory.line("BTC").booked == 500) is protected
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    assert len(failed) == 1
