"""Wherever the gateway dies, a new one goes on: no order twice, no fill lost, every identity exact."""

import asyncio

import pytest

from podshop.live.gateway.trading import Trading
from podshop.orders.facts import Committed
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS
from tests.live.gateway.crash import Fuse, crash_often, crash_once, fused_keeper
from tests.live.gateway.test_faults import FAULTS
from tests.live.gateway.world import World


def world_of(folder, fuse, card=WITH_IDS, **changes):
    folder.mkdir()
    return World(folder, markets=3, books=3, bars=60, card=card, keeper=fused_keeper(fuse), **changes)


def calls_of(folder, card):
    """How often one cycle touches the world."""
    fuse = Fuse()
    crash_once(world_of(folder / "count", fuse, card), fuse, 2, None, 0, late=False)
    return fuse.names


@pytest.mark.parametrize("card", [WITH_IDS, WITHOUT_IDS], ids=["ids", "no ids"])
def test_every_boundary_of_a_cycle(tmp_path, card):
    names = calls_of(tmp_path, card)
    assert {"send", "fills", "reading"} <= set(names)
    for at in range(len(names)):
        for late in (False, True):
            fuse = Fuse()
            world = world_of(tmp_path / f"{at} {late}", fuse, card)
            try:
                crash_once(world, fuse, 2, at, 3, late=late)
            except Exception as e:
                raise AssertionError(f"dead {'after' if late else 'before'} {names[at]}, call {at}") from e


def test_mutant_an_intent_that_is_written_after_its_order_has_left(tmp_path, monkeypatch):
    """Without the journal first, some death leaves an order that nobody remembers: it doubles, or the books are off."""

    async def send_first(self, legs):
        orders = [fact.order for _, fact in self.desk._facts if isinstance(fact, Committed)]
        for order in orders:
            self.asking._replies[order.intent] = asyncio.ensure_future(self.asking.venue.send(order))
        if orders:
            await asyncio.wait([self.asking._replies[order.intent] for order in orders])
        self.desk.commit()
        self.asking.replies()
        self.desk.commit()

    monkeypatch.setattr(Trading, "_send", send_first)
    names = calls_of(tmp_path, WITH_IDS)
    wrong = 0
    for at, name in enumerate(names):
        if name.startswith("append"):
            fuse = Fuse()
            try:
                crash_once(world_of(tmp_path / f"{at}", fuse), fuse, 2, at, 3, late=False)
            except AssertionError:
                wrong += 1
    assert wrong > 0


@pytest.mark.parametrize("seed", range(4))
def test_many_deaths_at_a_venue_that_lies(tmp_path, seed):
    card, fuse = (WITH_IDS, WITHOUT_IDS)[seed % 2], Fuse()
    (tmp_path / "w").mkdir()
    world = World(
        tmp_path / "w", markets=3, books=3, bars=400, card=card, keeper=fused_keeper(fuse), faults=FAULTS, seed=seed
    )
    assert crash_often(world, fuse, 8, seed) == 8


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100))
def test_a_thousand_deaths_at_a_venue_that_lies(tmp_path, seed):
    card, fuse = (WITH_IDS, WITHOUT_IDS)[seed % 2], Fuse()
    (tmp_path / "w").mkdir()
    world = World(
        tmp_path / "w", markets=3, books=3, bars=600, card=card, keeper=fused_keeper(fuse), faults=FAULTS, seed=seed
    )
    assert crash_often(world, fuse, 10, seed) == 10
