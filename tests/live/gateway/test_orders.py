"""What may leave the gateway: one order for one row of the journal, nothing that increases once it is halted."""

import subprocess
import sys

import numpy as np
import pytest

from podshop.journal.facts import read
from podshop.live.latch import HALTED_STATE
from podshop.nouns import LedgerError
from podshop.nouns.verdict import RUNNING
from podshop.orders.facts import Committed, Ended
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS
from tests.live import virtual
from tests.live.gateway.world import World


class Raised:
    """A latch that a test raises."""

    def __init__(self) -> None:
        self.state, self.reason = RUNNING, ""

    def held(self) -> "Raised":
        return self

    def raise_to(self, state: int, at_ns: int, reason: str) -> "Raised":
        self.state, self.reason = max(state, self.state), reason
        return self


def facts(world, kind):
    return [read(row.kind, row.v, row.body) for row in world.keeper.rows() if row.kind == kind]


def want(world, lots):
    def brain(opened):
        world.target = np.full(world.target.shape, lots)
        return world.targets(opened, world.target)

    return brain


@pytest.mark.parametrize("protected", [True, False], ids=["the gateway", "mutant: no last look"])
def test_what_increases_stays_where_the_latch_was_raised_after_the_commit(tmp_path, protected):
    latch = Raised()
    world = World(tmp_path)
    make = world.make_gateway
    world.make_gateway = lambda *args: make(*args, latch)

    async def main(clock):
        gateway = await world.start(clock)
        gateway.trading._before_sends = lambda count: latch.raise_to(HALTED_STATE, 0, "now")
        if not protected:
            gateway.trading._may_leave = lambda order: True
        await world.cycle(clock, world.first + 1, want(world, 50))
        if protected:
            assert not world.exchange.orders
            assert all(gateway.memory.line(name).state == "IDLE" for name in world.names)
            assert {fact.reason for fact in facts(world, "ended") if isinstance(fact, Ended)} == {"NOT_SENT"}
        else:
            assert world.exchange.orders
        world.die()

    virtual.run(main, at_ns=world.start_ns)


def test_reductions_leave_in_every_state(tmp_path):
    latch = Raised()
    world = World(tmp_path)
    make = world.make_gateway
    world.make_gateway = lambda *args: make(*args, latch)

    async def main(clock):
        await world.start(clock)
        await world.cycle(clock, world.first + 1, want(world, 50))
        latch.raise_to(HALTED_STATE, 0, "now")
        await world.cycle(clock, world.first + 2, want(world, 80))
        assert set(world.exchange.lots.values()) == {250}
        await world.cycle(clock, world.first + 3, want(world, -80))  # through zero: only to it
        assert set(world.exchange.lots.values()) == {0}
        world.die()

    virtual.run(main, at_ns=world.start_ns)


def test_an_intent_is_sent_once_and_only_by_its_row(tmp_path):
    world = World(tmp_path)

    async def main(clock):
        gateway = await world.start(clock)
        await world.cycle(clock, world.first + 1, want(world, 50))
        sent = world.reports[-1].intents
        assert sent
        for intent in (*sent, "0" * 32, ""):
            with pytest.raises(LedgerError, match="no row of the journal"):
                gateway.desk.approved(intent)
        world.die()
        gateway = await world.start(clock)
        for intent in sent:  # nor by the next process
            with pytest.raises(LedgerError):
                gateway.desk.approved(intent)
        world.die()

    virtual.run(main, at_ns=world.start_ns)


@pytest.mark.parametrize("card", [WITH_IDS, WITHOUT_IDS], ids=["ids", "no ids"])
def test_a_coin_in_flight_only_reduces(tmp_path, card):
    """Row 15: an order whose fate is unknown stays reserved; what reduces in every outcome still may leave."""
    world = World(tmp_path, card=card)

    async def main(clock):
        gateway = await world.start(clock)
        await world.cycle(clock, world.first + 1, want(world, 100))
        world.evil.switch({"lost_before": 1.0})
        await world.cycle(clock, world.first + 2, want(world, 90))
        assert all(gateway.memory.line(name).state == "UNKNOWN" for name in world.names)
        low = {name: gateway.desk.ends(gateway.memory.line(name)).low for name in world.names}
        assert set(low.values()) == {450 - card.rounding_lots}
        world.evil.switch({"lost_before": 0.0})
        await world.cycle(clock, world.first + 3, want(world, 120))
        assert set(world.exchange.lots.values()) == {500}, "nothing is bought while a sale may still arrive"
        await world.cycle(clock, world.first + 4, want(world, 0))
        rows = [fact.row for fact in facts(world, "committed") if isinstance(fact, Committed)]
        if card is WITHOUT_IDS:
            assert 15 in rows
            assert set(world.exchange.lots.values()) == {500 - low["BTC"]}, "as far as it reduces in every outcome"
        for k in range(5, 25):
            await world.cycle(clock, world.first + k, want(world, 0))
        world.check_exact()
        assert set(world.exchange.lots.values()) == {0}
        world.die()

    virtual.run(main, at_ns=world.start_ns)


def test_a_minute_bears_so_many_orders(tmp_path):
    world = World(tmp_path, hard=World(tmp_path).terms.hard.__class__(
        max_weight=0.5, max_gross=3.0, max_net=3.0, max_var=0.2, max_order=0.5, turnover=1e6, daily_loss=1e6,
        variance_floor=0.0, orders_a_minute=2,
    ))  # fmt: skip

    async def main(clock):
        await world.start(clock)
        await world.cycle(clock, world.first + 1, want(world, 50))
        assert len(world.exchange.orders) == 2
        assert [verdict.code for verdict in world.reports[-1].verdicts].count("RATE") == 2
        world.die()

    virtual.run(main, at_ns=world.start_ns)


def test_the_gateway_imports_no_agents_and_no_tables():
    code = (
        "import sys, podshop.live.gateway.process\n"
        "bad = [m for m in sys.modules if m in ('polars', 'ccxt', 'pandas') or m.startswith('podshop.signals')]\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
