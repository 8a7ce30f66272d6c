"""Heartbeats, and the guards of ninety days."""

import pytest

from podshop.live import guards
from podshop.live import heartbeat as beats
from podshop.live.clock import WallClock
from podshop.live.config import Thresholds
from podshop.live.guards import Notice
from podshop.live.heartbeat import Ear, Heart, Now, heard
from podshop.live.latch import REDUCE_ONLY_STATE, Latch
from podshop.live.watchdog import Watchdog, room
from podshop.nouns import DAY_NS, MINUTE_NS, SECOND_NS

NOW_NS = 1_790_000_000 * SECOND_NS


def test_silence_is_counted_by_the_monotonic_clock(tmp_path):
    now = [Now(10**12, 10**12, b"1" * 16)]
    heart, ear = Heart(tmp_path, "gateway", lambda: now[0]), Ear(tmp_path, "gateway", MINUTE_NS, 60.0, lambda: now[0])
    assert heard(tmp_path, "gateway") is None
    heart.beat(123, cycle=7)
    assert heard(tmp_path, "gateway")[:2] == (1, 123)
    assert heard(tmp_path, "gateway").cycle == 7
    now[0] = Now(10**12 + 2 * SECOND_NS, 10**12 + 2 * SECOND_NS, b"1" * 16)
    assert ear.silent_ns() == 120 * SECOND_NS  # of the venue's clock


def test_after_a_sleep_everybody_has_a_cycle_of_grace(tmp_path):
    now = [Now(10**12, 10**12, b"1" * 16)]
    ear = Ear(tmp_path, "brain", 60 * SECOND_NS, now=lambda: now[0])
    Heart(tmp_path, "brain", lambda: now[0]).beat(0)
    now[0] = Now(10**12 + 90 * SECOND_NS, 10**12 + 3690 * SECOND_NS, b"1" * 16)  # slept an hour
    assert ear.silent_ns() == 0
    now[0] = Now(10**12 + 149 * SECOND_NS, 10**12 + 3749 * SECOND_NS, b"1" * 16)
    assert ear.silent_ns() == 0
    now[0] = Now(10**12 + 151 * SECOND_NS, 10**12 + 3751 * SECOND_NS, b"1" * 16)
    assert ear.silent_ns() == 151 * SECOND_NS


def test_a_beat_of_before_the_machine_started_is_none(tmp_path):
    now = [Now(10**12, 10**12, b"1" * 16)]
    Heart(tmp_path, "brain", lambda: now[0]).beat(0)
    now[0] = Now(10**9, 10**9, b"2" * 16)
    ear = Ear(tmp_path, "brain", SECOND_NS, now=lambda: now[0])
    now[0] = Now(10**9 + 5 * SECOND_NS, 10**9 + 5 * SECOND_NS, b"2" * 16)
    assert ear.silent_ns() == 5 * SECOND_NS


@pytest.mark.parametrize("harm", [b"", b"\0" * 200, b"podshop beat"])
def test_a_torn_beat_is_none(tmp_path, harm):
    Heart(tmp_path, "brain").beat(0)
    (tmp_path / "heartbeat.brain").write_bytes(harm)
    assert heard(tmp_path, "brain") is None
    assert beats.here().monotonic_ns > 0


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (guards.disk(6_000_000_000, Thresholds()), "ok"),
        (guards.disk(4_000_000_000, Thresholds()), "warn"),
        (guards.disk(900_000_000, Thresholds()), "stop"),
        (guards.wal(65_000_000, Thresholds()), "warn"),
        (guards.wal(63_000_000, Thresholds()), "ok"),
        (guards.offset(None, SECOND_NS), "stop"),
        (guards.offset(-SECOND_NS - 1, SECOND_NS), "stop"),
        (guards.offset(SECOND_NS, SECOND_NS), "ok"),
        (guards.key("2020-01-01", NOW_NS, Thresholds()), "stop"),
        (guards.key("2030-01-01", NOW_NS, Thresholds()), "ok"),
        (guards.quota(90, 100), "stop"),
        (guards.quota(80, 100), "ok"),
        (guards.maintenance(0, []), "ok"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, Notice) else value,
)
def test_guards(found, level):
    assert found.level == level


def test_every_minute_of_a_week_is_before_in_or_out_of_a_window():
    monday_ns = 4 * DAY_NS + 1000 * 7 * DAY_NS
    levels = {
        minute: guards.maintenance(monday_ns + minute * MINUTE_NS, [(5, 30)]).level for minute in range(7 * 24 * 60)
    }
    stopped = sorted(minute for minute, level in levels.items() if level == "stop")
    assert stopped == [*range(35), *range(7 * 24 * 60 - 5, 7 * 24 * 60)]  # ten minutes before, over the week's end


def test_the_ballast_is_given_back_once(tmp_path):
    guards.fill_ballast(tmp_path / "ballast", 2)
    before = (tmp_path / "ballast").stat()
    assert before.st_size == 2_000_000
    assert before.st_blocks * 512 >= 2_000_000  # no hole
    guards.fill_ballast(tmp_path / "ballast", 2)
    assert (tmp_path / "ballast").stat().st_mtime_ns == before.st_mtime_ns
    assert guards.release_ballast(tmp_path / "ballast")
    assert not guards.release_ballast(tmp_path / "ballast")


def test_the_watchdog_reduces_a_fund_whose_disk_is_nearly_full(gateway, monkeypatch):
    monkeypatch.setattr(guards, "free_bytes", lambda folder: 900_000_000)
    dog = Watchdog(gateway.folder, None, WallClock(), MINUTE_NS, 12, disk=lambda: room(gateway))
    held = dog._look(Latch(gateway.folder, "watchdog"), Ear(gateway.folder, "gateway", MINUTE_NS))
    assert (held.state, held.by) == (REDUCE_ONLY_STATE, "watchdog")
    assert "0.9 GB free" in held.reason
    assert (gateway.folder / "ballast").stat().st_size
    monkeypatch.setattr(guards, "free_bytes", lambda folder: 1_000_000)
    room(gateway)
    assert (gateway.folder / "ballast").stat().st_size == 0
