"""Halting: after the gate has closed nothing adds risk, the account gets flat, and FLAT is said of no other account."""

from collections import Counter

import pytest

from podshop.live import flatten
from podshop.live.flatten import Flattener
from podshop.nouns.venue import SECOND_NS
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS
from tests.live.ops.halts import TROUBLE, halt

HALVES = 2  # two tests of fifty, for two cores


def halts(seeds):
    """Many halts; what they came to, and how often each fault was met."""
    fired, took = Counter(), []
    for seed in seeds:
        found = halt(seed)
        assert found.increases == 0, seed
        assert found.false_flat == 0, seed
        assert found.flat, seed
        fired.update(found.fired)
        took.append(found.halt_to_flat_ns // SECOND_NS)
    return fired, sorted(took)


@pytest.mark.parametrize("half", range(HALVES))
def test_a_hundred_halts_end_flat_and_say_so_only_then(half):
    fired, _ = halts(range(half, 100, HALVES))
    assert set(fired) == set(TROUBLE)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10))
def test_a_thousand_halts_end_flat_and_say_so_only_then(part, record_property):
    fired, took = halts(range(100 * part, 100 * part + 100))
    record_property("halts", 100)
    record_property("flat_after_s", {"half": took[50], "p90": took[90], "longest": took[-1]})
    record_property("fired", dict(fired))


@pytest.mark.parametrize("seed", range(5))
def test_an_empty_answer_is_never_flat(seed):
    found = halt(seed, faults={"empty": 1.0}, longest_ns=1800 * SECOND_NS)
    assert found.held
    assert not found.flat
    assert "flat now" not in found.words


@pytest.mark.parametrize("seed", range(5))
def test_believing_an_empty_answer_is_a_false_flat(seed, monkeypatch):
    """The mutant: what shows no position is flat."""
    monkeypatch.setattr(flatten, "believed", lambda reading, asked_ns, after_ns, skew_ns: "")
    found = halt(seed, faults={"empty": 1.0}, longest_ns=1800 * SECOND_NS)
    assert found.held
    assert found.false_flat


@pytest.mark.parametrize("seed", range(5))
def test_close_all_is_a_false_flat(seed, monkeypatch):
    """The mutant: the venue's own emergency exit, which marks rows in its database, and its word that all is closed."""

    async def close_all(self):
        assert self.venue.twin.evil.fires("close_all")  # the server answers: Close-all executed, and sends nothing
        self._tell("FLAT", "Close-all executed: positions closed")

    async def run(self):
        await self._read()
        await close_all(self)

    monkeypatch.setattr(Flattener, "run", run)
    found = halt(seed, faults={"close_all": 1.0}, longest_ns=1800 * SECOND_NS)
    assert found.held
    assert found.false_flat


@pytest.mark.parametrize("card", [WITH_IDS, WITHOUT_IDS], ids=lambda card: card.venue)
def test_a_quiet_venue_is_flat_within_seconds(card):
    found = halt(1, kind="operator", card=card, faults={}, most=10**9)
    assert found.flat
    assert found.halt_to_flat_ns < 10 * SECOND_NS
    assert found.sends == found.held


def test_a_gateway_that_does_not_look_at_the_latch_goes_on(monkeypatch):
    """The mutant: a halt that is only remembered by whoever halted."""
    monkeypatch.setattr("tests.live.ops.halts.HALTED_STATE", 99)
    assert halt(1, kind="operator", faults={}).increases > 0


def test_the_flattener_says_so_where_it_has_no_price(monkeypatch):
    async def nothing(self):
        return {}

    monkeypatch.setattr(Flattener, "_quotes", nothing)
    found = halt(1, kind="operator", card=WITH_IDS, faults={}, longest_ns=600 * SECOND_NS)
    assert not found.flat
    assert "stuck" in found.words


def test_orders_are_marked_as_the_flatteners():
    names = {Flattener(None, None, 1).intent() for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == 32 and name.startswith(flatten.PREFIX) and int(name, 16) for name in names)
