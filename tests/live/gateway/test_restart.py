"""What a restart reads from the journal is what the dead process knew; and the journal's own tools read it too."""

import sqlite3

import pytest

from podshop.journal import projections
from podshop.journal.keeper import Keeper, rebuild
from podshop.journal.verify import verify
from podshop.live.gateway import core
from podshop.live.gateway.memory import Memory, remembered
from podshop.venues.exchange.memory import WITHOUT_IDS
from tests.live import virtual
from tests.live.gateway.test_faults import FAULTS
from tests.live.gateway.world import World


def plain(memory: Memory) -> Memory:
    """Without what was only observed of the coins."""
    memory.lines = {name: line.durable() for name, line in memory.lines.items()}
    return memory


@pytest.mark.parametrize("every", [7, 1 << 40], ids=["standing", "no standing"])
def test_a_restart_knows_what_the_dead_process_knew(tmp_path, monkeypatch, every):
    monkeypatch.setattr(core, "STANDING_EVERY", every)
    world = World(tmp_path, card=WITHOUT_IDS, faults=FAULTS, seed=4, travel_ns=20_000_000)

    async def main(clock: virtual.VirtualClock) -> None:
        await world.start(clock)
        for k in range(24):
            await world.cycle(clock, world.first + 1 + k)
            live = world.gateway.memory
            again = remembered(world.keeper)
            flights = {name: again.line(name).flights for name in world.names}
            for name in world.names:  # what is too old to matter was left out by the running process alone
                alive = {flight.intent for flight in live.line(name).flights}
                again.lines[name] = again.line(name)._replace(
                    flights=tuple(f for f in flights[name] if f.intent in alive), fills=live.line(name).fills
                )
            again.forget(clock.now_ns())
            live.forget(clock.now_ns())
            live.commits = again.commits = {}
            mine, theirs = plain(live), plain(again)
            for field in mine.__struct_fields__:
                assert getattr(theirs, field) == getattr(mine, field), field
        world.die()

    virtual.run(main, at_ns=world.start_ns)


def test_the_journal_of_a_gateway_is_a_journal(tmp_path):
    """`podshop ledger verify`, `export` and `project` read it: every sum and identity, from the first row."""
    world = World(tmp_path, faults=FAULTS, seed=2)
    world.run(20)
    path = tmp_path / "journal.db"
    found = verify(path)
    assert found.first_bad is None, found.why
    assert found.rows > 500
    with Keeper(path) as keeper:
        assert keeper.books.sha256() == rebuild(path).books.sha256()
    assert projections.run(path, str(tmp_path / "tables.db")) == found.rows
    db = sqlite3.connect(tmp_path / "tables.db")
    sent = {intent for (intent,) in db.execute("SELECT intent FROM departed")}
    assert sent <= {intent for (intent,) in db.execute("SELECT intent FROM committed")}
    assert {order.tag for order in world.exchange.orders.values()} <= sent
