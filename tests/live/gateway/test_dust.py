"""What a venue that rounds leaves goes to the house; what is larger, or too often, or of another venue, does not."""

import pytest

from podshop.ledger.facts import HOUSE
from podshop.live.gateway import dust
from podshop.nouns.verdict import HALTED_STATE, RUNNING
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS
from tests.live import virtual
from tests.live.gateway.world import World

CENTS = 500_000


def rounded(tmp_path, card, *, lots=0, cash=0, times=1, cycles=16):
    """Nobody trades; the venue shows some lots and some cash more than its fills say, so many times."""
    world = World(tmp_path, card=card)

    async def main(clock: virtual.VirtualClock) -> None:
        await world.start(clock)
        for k in range(cycles * times):
            if k % cycles == 2:
                world.exchange.lots["BTC"] += lots
                world.exchange.account.cash_micro += cash
            await world.cycle(clock, world.first + 1 + k, world.still)
        world.found = {
            "booked": world.gateway.memory.line("BTC").booked,
            "differs": world.gateway.memory.line("BTC").differs,
            "house": world.keeper.books.lots(HOUSE, "BTC"),
            "only": world.gateway.memory.line("BTC").reduce_only,
            "suspense": world.gateway.memory.suspense_micro,
            "state": world.gateway.state(),
            "off": world.exchange.cash_micro() - world.keeper.books.balances["venue:cash"],
        }
        world.keeper.books.balance()
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    return world.found


@pytest.mark.parametrize("lots", [1, -1])
def test_a_lot_that_rounding_left_is_the_houses(tmp_path, lots):
    found = rounded(tmp_path, WITHOUT_IDS, lots=lots)
    assert (found["booked"], found["house"], found["differs"]) == (lots, lots, 0)
    assert not found["only"]
    assert (found["suspense"], found["off"], found["state"]) == (0, 0, RUNNING)


def test_cash_that_rounding_left_is_the_houses(tmp_path):
    found = rounded(tmp_path, WITHOUT_IDS, cash=-CENTS)
    assert (found["suspense"], found["off"]) == (0, 0)


@pytest.mark.parametrize("how", ["another venue", "too much", "mutant: nobody takes it"])
def test_what_is_no_dust_stays_unexplained(tmp_path, monkeypatch, how):
    card = WITH_IDS if how == "another venue" else WITHOUT_IDS
    if how.startswith("mutant"):
        monkeypatch.setattr(dust, "is_dust", lambda desk, micro, now_ns: False)
    found = rounded(tmp_path, card, lots=3 if how == "too much" else 1)
    assert found["booked"] == found["house"] == 0
    assert found["differs"] == (3 if how == "too much" else 1)


@pytest.mark.parametrize("bounded", [True, False], ids=["the gateway", "mutant: no bound of a day"])
def test_a_leak_in_small_drops_is_no_dust(tmp_path, monkeypatch, bounded):
    if not bounded:
        monkeypatch.setattr(dust, "DAY_NS", 1)
    found = rounded(tmp_path, WITHOUT_IDS, cash=-10_000_000, times=14, cycles=4)
    assert (found["state"] == HALTED_STATE) is bounded
