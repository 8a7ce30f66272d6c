"""What still leaves once the latch was raised: in FLATTEN what the venue holds to reducing, and nothing late."""

import asyncio
from dataclasses import replace

import pytest

from podshop.live.gateway.core import Gateway
from podshop.live.latch import FLATTEN
from podshop.nouns.verdict import HALTED_STATE
from podshop.venues.exchange.memory import WITH_IDS, MemoryVenue
from podshop.venues.sending import posted, refused
from podshop.venues.wire import MAY_LEAVE, NoAnswer, Wire
from tests.live import virtual
from tests.live.gateway.world import World

ORDINARY = replace(WITH_IDS, reduce_only=False, partial_close=False)


def half(world):
    return lambda opened: world.targets(opened, world.target // 2)


def sent_in(folder, monkeypatch, card, state):
    """The orders of a cycle in which the brain wants half of what it holds, under this state."""
    world, sent = World(folder, card=card), []

    async def send(self, order, real=MemoryVenue.send):
        sent.append(order)
        return await real(self, order)

    async def main(clock):
        await world.start(clock)
        for k in range(3):
            await world.cycle(clock, world.first + 1 + k)
        world.gateway.raise_state(state, "operator", "now")
        monkeypatch.setattr(MemoryVenue, "send", send)
        await world.cycle(clock, world.first + 4, half(world))
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    return sent


def test_in_flatten_the_gateway_sends_only_what_cannot_open(tmp_path, monkeypatch):
    sent = sent_in(tmp_path, monkeypatch, WITH_IDS, FLATTEN)
    assert sent
    assert all(order.reduce_only for order in sent)


def test_in_flatten_nothing_is_sent_where_no_order_is_reduce_only(tmp_path, monkeypatch):
    assert sent_in(tmp_path / "a", monkeypatch, ORDINARY, HALTED_STATE), "halted, a reduction is sent"
    assert sent_in(tmp_path / "b", monkeypatch, ORDINARY, FLATTEN) == []


def test_an_ordinary_reduction_that_was_approved_stays_when_flatten_comes(tmp_path):
    """The same at the last look alone: the latch rises between commit and send."""
    world = World(tmp_path, card=ORDINARY)

    async def main(clock):
        gateway = await world.start(clock)
        for k in range(3):
            await world.cycle(clock, world.first + 1 + k)
        before = len(world.exchange.orders)
        gateway.trading._before_sends = lambda count: gateway.raise_state(FLATTEN, "operator", "now")
        await world.cycle(clock, world.first + 4, half(world))
        assert len(world.exchange.orders) == before
        world.die()

    virtual.run(main, at_ns=world.start_ns)


class Waits(MemoryVenue):
    """A venue to which a connection takes a while; as the wire does, it asks before it writes."""

    after_s = 0

    async def send(self, order):
        await self._clock.sleep_until(self._clock.now_ns() + self.after_s * 1_000_000_000)
        may = MAY_LEAVE.get()
        assert may is not None
        return await super().send(order) if may() else refused("NOT_SENT")


@pytest.mark.parametrize(("after_s", "raised", "leave"), [(2, False, True), (2, True, False), (6, False, False)])
def test_the_last_look_is_taken_when_the_connection_is_there(tmp_path, after_s, raised, leave):
    world = World(tmp_path)

    async def main(clock):
        venue = Waits(world.twin, clock, world.card)
        venue.after_s = after_s
        gateway = await world.start(clock, venue)

        async def halt():
            await clock.sleep_until((world.first + 1) * world.terms.interval_ns + 1_000_000_000)
            gateway.raise_state(HALTED_STATE, "operator", "now")

        halting = asyncio.ensure_future(halt()) if raised else None
        await world.cycle(clock, world.first + 1)
        assert bool(world.exchange.orders) is leave
        if halting is not None:
            await halting
        world.die()

    virtual.run(main, at_ns=world.start_ns)


@pytest.mark.parametrize("protected", [True, False], ids=["the wire", "mutant: asked by nobody"])
def test_a_request_that_waited_for_its_connection_is_not_written_after_a_halt(protected):
    """Thirty orders at once to a venue that answers slowly: twenty connections, so ten wait."""
    arrived, halted = [], []

    async def serve(reader, writer):
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                arrived.append(bool(halted))
                await asyncio.sleep(0.3)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        wire = Wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        MAY_LEAVE.set((lambda: not halted) if protected else None)
        asking = [asyncio.create_task(posted(wire.ask("GET", "/"), lambda _: refused("ANSWERED"))) for _ in range(30)]
        await asyncio.sleep(0.15)
        halted.append(True)
        codes = [(await each).code for each in asking]
        if protected:
            with pytest.raises(NoAnswer) as none:
                await wire.ask("GET", "/")
            assert not none.value.sent
        await wire.close()
        server.close()
        return codes

    codes = asyncio.run(main())
    assert any(arrived) is not protected
    assert codes.count("NOT_SENT") == (30 - len(arrived))
    assert len(arrived) == (20 if protected else 30)


def test_without_the_two_looks_ordinary_orders_leave_in_flatten(tmp_path, monkeypatch):
    """The mutant: FLATTEN is like HALTED."""

    async def trade(self, targets, real=Gateway.trade):
        state = self.state
        self.state = lambda: min(state(), HALTED_STATE)
        try:
            return await real(self, targets)
        finally:
            del self.state

    monkeypatch.setattr(Gateway, "trade", trade)
    assert sent_in(tmp_path, monkeypatch, ORDINARY, FLATTEN)
