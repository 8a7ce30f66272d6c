"""The brain's silence: nonsense is silence, a stop of the gateway is none; and a halt lowers nothing."""

import pytest

from podshop.live.control import Halt
from podshop.live.gateway.core import Gateway
from podshop.live.gateway.operator import Operator
from podshop.live.latch import FLATTEN, Latch, create
from podshop.nouns.verdict import HALTED_STATE, RUNNING
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, World

BEFORE = 5  # cycles in which all is well


def after(folder, then):
    """A world after some cycles, and what `then(world, clock, next cycle)` does with it."""
    world = World(folder)

    async def main(clock):
        await world.start(clock)
        for k in range(BEFORE):
            await world.cycle(clock, world.first + 1 + k)
        found = await then(world, clock, world.first + 1 + BEFORE)
        world.die()
        return found

    return virtual.run(main, at_ns=world.start_ns)


def nonsense(world):
    return lambda opened: world.targets(opened, world.target, sigma_day=(float("inf"),) * len(world.names))


async def silence(world, clock, k, cycles):
    for _ in range(cycles):
        await clock.sleep_until(k * BAR_NS)
        await world.gateway.open_cycle(k)
        k += 1
    return k


def test_a_brain_whose_messages_are_all_refused_is_silent(tmp_path):
    async def then(world, clock, k):
        states = []
        for _ in range(14):
            assert (await world.cycle(clock, k, nonsense(world))).refused
            states.append(world.gateway.state())
            k += 1
        return states

    states = after(tmp_path, then)
    assert states[:12] == [RUNNING] * 12
    assert states[12:] == [FLATTEN] * 2


@pytest.mark.parametrize(("silent", "only_reduces"), [(2, False), (3, True), (8, True)])
@pytest.mark.parametrize("how", ["nothing", "nonsense"])
def test_after_three_silent_cycles_the_next_message_only_reduces(tmp_path, silent, only_reduces, how):
    async def then(world, clock, k):
        for _ in range(silent):
            if how == "nothing":
                await silence(world, clock, k, 1)
            else:
                await world.cycle(clock, k, nonsense(world))
            k += 1
        held = dict(world.exchange.lots)

        def more(opened):
            return world.targets(opened, world.target * 2)

        first = await world.cycle(clock, k, more)
        grew = [name for name in world.names if abs(world.exchange.lots[name]) > abs(held[name])]
        assert {"REDUCE_ONLY"} & {verdict.code for verdict in first.verdicts} or not only_reduces
        await world.cycle(clock, k + 1, more)
        later = [name for name in world.names if abs(world.exchange.lots[name]) > abs(held[name])]
        assert later, "the cycle after is like any other"
        return grew

    assert bool(after(tmp_path, then)) is not only_reduces


def test_a_new_funds_brain_may_take_its_time(tmp_path):
    world = World(tmp_path)

    async def main(clock):
        await world.start(clock)
        k = await silence(world, clock, world.first + 1, 20)
        await world.cycle(clock, k)
        assert any(world.exchange.lots.values())
        world.die()

    virtual.run(main, at_ns=world.start_ns)


@pytest.mark.parametrize("protected", [True, False], ids=["the gateway", "mutant: its absence counts"])
def test_a_stop_of_the_gateway_is_no_silence_of_the_brain(tmp_path, monkeypatch, protected):
    if not protected:
        monkeypatch.setattr(Gateway, "_brain_silent", lambda self: self.cycle - self.memory.spoke)

    async def then(world, clock, k):
        world.die()
        k += 13
        await clock.sleep_until(k * BAR_NS - BAR_NS // 2)
        await world.start(clock)
        k = await silence(world, clock, k, 1)
        first = world.gateway.state()
        await silence(world, clock, k, 13)
        return first, world.gateway.state()

    first, last = after(tmp_path, then)
    assert first == (RUNNING if protected else FLATTEN)
    assert last == FLATTEN, "from its first cycle on the silence counts"


def test_a_halt_lowers_neither_journal_nor_reason(tmp_path):
    create(tmp_path)

    async def then(world, clock, k):
        gateway = world.gateway
        operator = Operator(gateway, Latch(tmp_path, "gateway"))
        gateway.desk.hold(clock.now_ns(), HALTED_STATE, "fund", "", "gateway", "lost 6 %")
        gateway.desk.commit()
        said = await operator.answer(Halt(scope="fund", state="REDUCE_ONLY", reason="careful", by="ann"))
        return gateway.memory.state, gateway.memory.reason, said.standing.state

    assert after(tmp_path, then) == (HALTED_STATE, "lost 6 %", "HALTED")
