"""A disk that is full in the middle of a cycle: the ballast is given back, and the next process finishes the books."""

import asyncio
from types import SimpleNamespace

import pytest

from podshop.live import control, guards, intents
from podshop.live.clock import WallClock
from podshop.live.gateway import process
from podshop.live.gateway.terms import write_terms
from podshop.live.latch import HALTED_STATE, RUNNING, Latch, create
from podshop.nouns import LedgerError
from podshop.venues.exchange.memory import MemoryVenue
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, World


def cut_off(world: World, pages: int) -> Exception:
    """The journal may grow by so few pages more; what the gateway dies of. Started again with room, it is exact."""
    found = []

    async def main(clock: virtual.VirtualClock) -> None:
        await world.start(clock)
        for k in range(3):
            await world.cycle(clock, world.first + 1 + k)
        db = world.keeper._journal._db
        (used,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {used + pages}")
        k = 3
        while not found:
            k += 1
            try:
                await world.cycle(clock, world.first + k)
            except LedgerError as e:
                found.append(e)
        world.die()
        k += 1
        await clock.sleep_until((world.first + k) * BAR_NS - BAR_NS // 2)
        await world.start(clock)
        for i in range(6):
            await world.cycle(clock, world.first + k + i, world.still)
        world.check_exact()
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    return found[0]


@pytest.mark.parametrize("pages", range(1, 8))
def test_what_could_not_be_written_is_finished_by_the_next_process(tmp_path, pages):
    assert guards.full(cut_off(World(tmp_path), pages))


@pytest.mark.parametrize("how", ["full", "unbalanced", "mutant: a full disk is a book that does not balance"])
def test_a_full_disk_gives_the_ballast_back_and_halts_nobody(tmp_path, monkeypatch, how):
    """The process itself, at the exchange in memory; its first cycle meets the error."""
    (tmp_path / "before").mkdir()
    error = LedgerError("the books do not balance") if how == "unbalanced" else cut_off(World(tmp_path / "before"), 2)
    if how.startswith("mutant"):
        monkeypatch.setattr(guards, "full", lambda error: False)
    create(tmp_path)
    intents.create(tmp_path)
    guards.fill_ballast(tmp_path / "ballast", 1)
    control.make_token(tmp_path / "token")
    world = World(tmp_path)
    clock = WallClock(world.start_ns, 1.0)
    write_terms(world.terms, tmp_path / "terms.json")
    found = SimpleNamespace(
        state="RUNNING", venue="simulated",
        journal=tmp_path / "journal.db", heartbeats=SimpleNamespace(watchdog_reduce=3), users=SimpleNamespace(brain=""),
        targets_socket=tmp_path / "targets", control_socket=tmp_path / "control", operator_token=tmp_path / "token",
    )  # fmt: skip

    class Venue(MemoryVenue):
        async def close(self):
            pass

    async def reached(found, key):
        return SimpleNamespace(clock=clock, venue=Venue(world.twin, clock, world.card), rate=1.0)

    async def cycles(*_):
        raise error

    monkeypatch.setattr(process.config, "read", lambda state: found)
    monkeypatch.setattr(process, "reach", reached)
    monkeypatch.setattr(process, "cycles", cycles)
    assert asyncio.run(process.run(tmp_path, None)) == 1
    assert Latch(tmp_path).held().state == (RUNNING if how == "full" else HALTED_STATE)
    assert (tmp_path / "ballast").stat().st_size == (0 if how == "full" else 1_000_000)


def test_what_is_a_full_disk_and_what_is_not():
    assert guards.full(OSError(28, "No space left on device"))
    assert not guards.full(OSError(5, "Input/output error"))
    assert not guards.full(LedgerError("row 7: it is not the one"))
