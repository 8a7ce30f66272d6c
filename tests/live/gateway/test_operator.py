"""What a person says about an order goes into the books once, and what he cannot know is refused."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from podshop.ledger.facts import HOUSE
from podshop.live.control import Resolve, Status
from podshop.live.gateway.core import Gateway
from podshop.live.gateway.operator import Operator
from podshop.live.latch import Latch, create
from podshop.nouns import SECOND_NS
from podshop.nouns.venue import Filled
from podshop.orders.events import FillSaid
from podshop.venues.exchange.memory import WITH_IDS
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, World


def quarantined(world: World, then) -> None:
    """An order of 100 that was lost, and a fill of 40 that nobody's id is on: nobody can tell whose."""

    def buys(opened):
        target = np.zeros((len(world.names), len(world.books)), np.int64)
        target[0, 0] = 100
        return world.targets(opened, target)

    async def main(clock: virtual.VirtualClock) -> None:
        await world.start(clock)
        cycle = world.first + 1
        await clock.sleep_until(cycle * BAR_NS)
        world.evil.switch({"lost_before": 1.0})
        opened = await world.gateway.open_cycle(cycle)
        trading = asyncio.ensure_future(world.gateway.trade(buys(opened)))
        await clock.sleep_until(cycle * BAR_NS + SECOND_NS)
        world.exchange.foreign(clock.now_ns(), "BTC", 40)
        await trading
        world.evil.switch({"lost_before": 0.0})
        await world.gateway.tend((cycle + 1) * BAR_NS - SECOND_NS)
        line = world.gateway.memory.line("BTC")
        assert [fill.lots for fill in line.held] == [40]
        assert line.booked == 0
        await then(clock, Operator(world.gateway, Latch(world.folder)), line)
        world.die()

    create(world.folder)
    virtual.run(main, at_ns=world.start_ns)


def filled(line, **fields):
    base = {"market": "BTC", "intent": line.flights[0].intent, "outcome": "filled", "reason": "seen", "by": "ann"}
    return Resolve(**(base | fields))


@pytest.mark.parametrize("whose", ["book0", HOUSE])
def test_held_fills_get_the_owner_that_a_person_names(tmp_path, whose):
    world = World(tmp_path)

    async def then(clock, operator, line):
        named = {} if whose == "book0" else {"intent": ""}
        assert not (await operator.answer(filled(line, order_id=line.held[0].order_id, **named))).error
        assert world.gateway.memory.line("BTC").booked == 40
        for cycle in range(world.first + 2, world.first + 12):
            await world.cycle(clock, cycle, world.still)
        world.check_exact()
        assert world.keeper.books.lots(whose, "BTC") == 40

    quarantined(world, then)


@pytest.mark.parametrize("fields", [
    {"lots": 40, "price_micro": 10_000_000},
    {"order_id": "nobody's"},
    {"order_id": "", "lots": 40, "price_micro": 10_000_000, "intent": ""},
    {"order_id": "held", "lots": 40, "price_micro": 10_000_000},
    {"order_id": "held", "outcome": "never"},
    {"order_id": "held", "outcome": "seen"},
])  # fmt: skip
def test_no_fill_is_made_up_beside_one_that_is_held(tmp_path, fields):
    world = World(tmp_path)

    async def then(clock, operator, line):
        said = fields | ({"order_id": line.held[0].order_id} if fields.get("order_id") == "held" else {})
        assert (await operator.answer(filled(line, **said))).error
        assert world.gateway.memory.line("BTC") == line

    quarantined(world, then)


def test_mutant_a_made_up_fill_counts_twice(tmp_path, monkeypatch):
    def made_up(self, now_ns, line, flight, said):
        fill = Filled("x", "x", said.intent, "BTC", said.lots, said.price_micro, 0, now_ns)
        self.gateway.desk.tell("BTC", FillSaid(now_ns, fill))

    monkeypatch.setattr(Operator, "_held", made_up)
    world = World(tmp_path)

    async def then(clock, operator, line):
        assert not (await operator.answer(filled(line, lots=40, price_micro=10_000_000))).error
        for cycle in range(world.first + 2, world.first + 12):
            await world.cycle(clock, cycle, world.still)
        with pytest.raises(AssertionError):
            world.check_exact()

    quarantined(world, then)


def test_the_venues_maintenance_is_in_the_status(tmp_path):
    card = replace(WITH_IDS, maintenance=((1440, 30),))
    world = World(tmp_path, card=card)
    create(tmp_path)

    async def main(clock):
        gateway: Gateway = await world.start(clock)
        standing = (await Operator(gateway, Latch(tmp_path)).answer(Status())).standing
        assert standing.windows == ((1440, 30),)
        world.die()

    virtual.run(main, at_ns=world.start_ns)
