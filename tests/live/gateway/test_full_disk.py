"""A disk that is full in the middle of a cycle: the ballast is given back, and the next process finishes the books."""

import asyncio

import pytest

from podshop.live import guards
from podshop.live.gateway import process
from podshop.live.latch import RUNNING, Latch, create
from podshop.nouns import LedgerError
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


@pytest.mark.parametrize("what", ["full", "unbalanced"])
def test_a_full_disk_gives_the_ballast_back_and_halts_nobody(tmp_path, monkeypatch, what):
    world = tmp_path / "world"
    world.mkdir()
    error = cut_off(World(world), 2) if what == "full" else LedgerError("the books do not balance")

    async def run(state, key):
        raise error

    create(tmp_path)
    guards.fill_ballast(tmp_path / "ballast", 1)
    monkeypatch.setattr(process, "_run", run)
    if what == "full":
        assert asyncio.run(process.run(tmp_path, None)) == 1
        assert (tmp_path / "ballast").stat().st_size == 0
        assert Latch(tmp_path).held().state == RUNNING
        return
    with pytest.raises(LedgerError):
        asyncio.run(process.run(tmp_path, None))
    assert (tmp_path / "ballast").stat().st_size == 1_000_000


def test_what_is_a_full_disk_and_what_is_not():
    assert guards.full(OSError(28, "No space left on device"))
    assert not guards.full(OSError(5, "Input/output error"))
    assert not guards.full(LedgerError("row 7: it is not the one"))
