"""Whom the watchdog takes for silent: who beats and does no cycle is, who starts with it is not."""

import asyncio

import pytest

from podshop.live.clock import WallClock
from podshop.live.heartbeat import STARTS_NS, Ear, Heart, Now
from podshop.live.latch import FLATTEN, Latch
from podshop.live.watchdog import Watchdog
from podshop.nouns import HOUR_NS, MINUTE_NS, SECOND_NS

MOST = 12  # cycles of silence


class Machine:
    """Its clock, a gateway's heart and a watchdog's ear, a minute a cycle."""

    def __init__(self, folder, **ear):
        self.folder, self.at_ns, self.settings = folder, 10**15, {"cycles": True, "listener": "watchdog", **ear}
        self.gateway, self.watchdog = Heart(folder, "gateway", self.now), Heart(folder, "watchdog", self.now)

    def now(self):
        return Now(self.at_ns, self.at_ns, b"1" * 16)

    def listens(self):
        self.ear = Ear(self.folder, "gateway", MINUTE_NS, now=self.now, **self.settings)

    def minutes(self, count, beat=None):
        """Most minutes of silence in so many minutes; beat(minute) is the gateway's cycle, None = no beat."""
        most = 0
        for minute in range(count):
            self.at_ns += MINUTE_NS
            self.watchdog.beat(0)
            cycle = beat(minute) if beat else None
            if cycle is not None:
                self.gateway.beat(0, cycle)
            most = max(most, self.ear.silent_ns())
        return most / MINUTE_NS


def test_who_goes_through_cycles_is_not_silent(tmp_path):
    machine = Machine(tmp_path)
    machine.listens()
    assert machine.minutes(100, lambda minute: minute) < 2


@pytest.mark.parametrize("protected", [True, False], ids=["the watchdog", "mutant: a heart is enough"])
def test_a_loop_that_hangs_is_silent_however_its_heart_beats(tmp_path, protected):
    machine = Machine(tmp_path, cycles=protected)
    machine.listens()
    assert (machine.minutes(30, lambda minute: min(minute, 10)) > MOST) is protected


@pytest.mark.parametrize("protected", [True, False], ids=["the watchdog", "mutant: a heart is enough"])
def test_a_gateway_that_begins_again_and_again_is_silent(tmp_path, protected):
    machine = Machine(tmp_path, cycles=protected)
    machine.listens()
    assert machine.minutes(5, lambda minute: minute) < 2
    starts = STARTS_NS // MINUTE_NS
    assert (machine.minutes(MOST + starts + 2, lambda minute: -1) > MOST) is protected


def test_a_start_may_take_its_time(tmp_path):
    machine = Machine(tmp_path)
    machine.listens()
    assert machine.minutes(MOST + 1, lambda minute: -1) <= MOST


@pytest.mark.parametrize("protected", [True, False], ids=["the watchdog", "mutant: no grace"])
def test_after_a_stop_of_everybody_the_gateway_may_start_beside_the_watchdog(tmp_path, protected):
    machine = Machine(tmp_path, listener="watchdog" if protected else "")
    machine.gateway.beat(0, 7)
    machine.watchdog.beat(0)
    machine.at_ns += HOUR_NS
    machine.listens()
    machine.at_ns += 20 * SECOND_NS
    assert (machine.ear.silent_ns() == 0) is protected
    if protected:
        assert machine.minutes(20, lambda minute: 67 + minute) < 2
        assert machine.minutes(MOST + 1) > MOST


def test_after_a_stop_of_everybody_a_gateway_that_stays_away_is_silent_after_a_cycle(tmp_path):
    machine = Machine(tmp_path)
    machine.gateway.beat(0, 7)
    machine.at_ns += HOUR_NS
    machine.listens()
    assert machine.minutes(1) > MOST


def test_a_watchdog_that_restarts_alone_forgets_nothing(tmp_path):
    machine = Machine(tmp_path)
    machine.gateway.beat(0, 7)
    machine.at_ns += HOUR_NS
    machine.watchdog.beat(0)
    machine.at_ns += 5 * SECOND_NS
    machine.listens()
    assert machine.ear.silent_ns() > MOST * MINUTE_NS


def test_the_watchdog_listens_for_cycles(gateway, monkeypatch):
    """As it runs: a gateway that beats and stands still is flattened."""
    made = []

    def look(self, latch, ear):
        made.append(ear)
        raise KeyError("seen")

    monkeypatch.setattr(Watchdog, "_look", look)
    dog = Watchdog(gateway.folder, None, WallClock(), MINUTE_NS, MOST)
    with pytest.raises(KeyError, match="seen"):
        asyncio.run(dog.run())
    assert made[0].cycles
    assert made[0].listener == "watchdog"
    monkeypatch.undo()
    machine = Machine(gateway.folder)
    machine.listens()
    machine.minutes(MOST + 2, lambda minute: 3)
    assert dog._look(Latch(gateway.folder, "watchdog"), machine.ear).state == FLATTEN
