"""The gateway's own variances rest on midnights that stand in its journal: a restart and a replay have the same."""

import msgspec
import numpy as np
import pytest

from podshop.journal.facts import read
from podshop.ledger.live import Closes
from podshop.live import replay as replaying
from podshop.live.replay import replay
from podshop.nouns import DAY_NS
from podshop.venues.exchange.memory import WITH_IDS, MemoryVenue
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, LOOSE, World

DAY = DAY_NS // BAR_NS  # cycles
DAYS, BEFORE, AFTER = 13, 3, 5
TIGHT = msgspec.structs.replace(LOOSE, variance_floor=4.0, max_var=0.03)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Some cycles on both sides of a midnight, and a restart between; the venue forgets what it was asked before."""
    world = World(
        tmp_path_factory.mktemp("closes"), hard=TIGHT, bars=DAY * DAYS + 2 * AFTER, first_row=DAY * DAYS - BEFORE - 1
    )
    asked, own = [], []

    class Forgets(MemoryVenue):
        async def marks(self, at_ns, interval_ns):
            if at_ns % DAY_NS == 0:
                asked.append(at_ns)
            return await super().marks(at_ns, interval_ns)

    async def main(clock: virtual.VirtualClock) -> None:
        for k in range(BEFORE + AFTER):
            if k in (0, BEFORE + 2):
                if k:
                    world.die()
                await world.start(clock, Forgets(world.twin, clock, world.card))
                own.append(world.gateway.own)
            await world.cycle(clock, world.first + 1 + k)
        own.append(world.gateway.own)
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    return world, asked, own


def facts(world):
    with replaying.reading(world.folder / "journal.db") as db:
        return [read(row.kind, row.v, row.body) for row in replaying.rows(db)]


def test_each_midnight_is_written_once_and_never_asked_again(ran):
    world, asked, own = ran
    written = [fact.midnight_ns for fact in facts(world) if isinstance(fact, Closes)]
    assert len(written) == len(set(written)) > DAYS - 2
    last = (world.first + BEFORE) // DAY * DAY_NS
    assert last in written, "the midnight that passed while it ran"
    known = [at_ns for at_ns in asked if at_ns in written]
    assert len(known) == len(set(known)), "after a restart the journal knows them"
    assert np.isfinite(own[1].covariance()).all()


def test_a_cycle_is_decided_again_from_the_journal_alone(ran):
    world, _, _ = ran
    compared = 0
    for report in world.reports:
        found = replay(world.folder / "journal.db", world.terms, WITH_IDS, report.cycle)
        assert found.differs == (), "\n".join(map(str, found.differs))
        compared += found.rows
    assert compared > 20


def test_mutant_without_the_midnights_it_is_decided_otherwise(ran, monkeypatch):
    world, _, _ = ran
    monkeypatch.setattr(replaying._Past, "closes", lambda self: iter(()))
    found = [replay(world.folder / "journal.db", world.terms, WITH_IDS, report.cycle) for report in world.reports]
    assert any(one.differs for one in found)
