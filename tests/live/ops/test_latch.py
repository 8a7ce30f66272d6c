"""The latch: whatever happens to its files, no state is ever lowered but by the operator's word."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from podshop.live import intents, latch
from podshop.live.intents import FlightFile, Flying, flight_of, in_flight
from podshop.live.latch import FLATTEN, HALTED_STATE, REDUCE_ONLY_STATE, RUNNING, WRITERS, Latch
from podshop.nouns import ConfigError

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # thousands of syncs on a disk take minutes
FILES = [*WRITERS, *(f"{writer}.mark" for writer in WRITERS)]
TICK_S = 0.012  # a file's change time is counted in the kernel's ticks: what happens within one is seen as one


@pytest.fixture
def state(tmp_path):
    latch.create(tmp_path)
    return tmp_path


class Sequences(RuleBasedStateMachine):
    """Processes raise, crash, restart; files are deleted, cut, corrupted, restored, torn; an operator resumes."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY))
        self.least = RUNNING  # what must hold at least, for a process that starts now
        self.faults = 0  # since every record was last whole
        self.copies = []

    @initialize()
    def made(self):
        latch.create(self.folder)
        self.started()

    @rule()
    def started(self):
        self.open = {writer: Latch(self.folder, writer) for writer in WRITERS}

    @rule(writer=st.sampled_from(WRITERS), state=st.integers(RUNNING, FLATTEN))
    def raised(self, writer, state):
        self.open[writer].raise_to(state, 1, "because")
        self.least = max(self.least, state)

    @rule()
    def resumed(self):
        for one in self.open.values():
            one.repair(2)
        gateway = self.open["gateway"]
        held = gateway.held()
        assert not held.damaged
        assert gateway.lower_to(RUNNING, 3, "looked at it", held.seen).state == RUNNING
        self.least, self.faults = RUNNING, 0
        self.started()

    @rule(
        file=st.sampled_from(FILES),
        how=st.sampled_from(["delete", "empty", "cut", "flip", "zero"]),
        at=st.integers(0, 1023),
    )
    def damaged(self, file, how, at):
        path = self.folder / "latch" / file
        if not path.exists() or path.stat().st_size == 0:
            return
        self.harm()
        raw = bytearray(path.read_bytes())
        if how == "delete":
            path.unlink()
        elif how == "empty":
            os.truncate(path, 0)
        elif how == "cut":
            os.truncate(path, at % len(raw))
        else:
            raw[at % len(raw)] = raw[at % len(raw)] ^ 0x10 if how == "flip" else 0
            with path.open("r+b") as file_:
                file_.write(raw)

    @rule()
    def copied(self):
        copy = {
            file: (self.folder / "latch" / file).read_bytes()
            for file in FILES
            if (self.folder / "latch" / file).exists()
        }
        self.copies.append(copy)

    @rule(which=st.integers(0, 9), only=st.sampled_from([None, *FILES]), in_place=st.booleans())
    def restored(self, which, only, in_place):
        if not self.copies:
            return
        time.sleep(TICK_S)
        for file, raw in self.copies[which % len(self.copies)].items():
            if only not in (None, file):
                continue
            self.harm()
            path = self.folder / "latch" / file
            if not in_place:
                path.unlink(missing_ok=True)
            with path.open("r+b" if path.exists() else "wb") as file_:
                file_.write(raw)
                file_.truncate()

    @rule(writer=st.sampled_from(WRITERS), state=st.integers(RUNNING, FLATTEN))
    def torn(self, writer, state):
        """A crash after the record and before its witness: the raise never returned, and need not hold."""
        path = self.folder / "latch" / f"{writer}.mark"
        before = path.read_bytes() if path.exists() else None
        self.open[writer].raise_to(state, 4, "crashed")
        if before is not None:
            path.write_bytes(before)
        self.harm()
        self.started()

    def harm(self):
        """One whole record or witness is left of a writer after one fault; after two, it counts as HALTED."""
        self.faults += 1
        if self.faults > 1:
            self.least = min(self.least, HALTED_STATE)

    @invariant()
    def nothing_was_lowered(self):
        if hasattr(self, "open"):
            assert Latch(self.folder).held().state >= self.least
            for one in self.open.values():
                assert one.held().state >= self.least

    def teardown(self):
        shutil.rmtree(self.folder)


def run(examples=40, steps=20):
    found = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    run_state_machine_as_test(Sequences, settings=found)


def test_no_sequence_resumes_silently():
    run()


@pytest.mark.soak
def test_no_sequence_of_a_thousand_resumes_silently():
    run(1_000, 50)


def old_copy(state):
    """Raise the latch, and put the files of before in its place, byte by byte; what a new process reads."""
    before = {file: (state / "latch" / file).read_bytes() for file in FILES}
    Latch(state, "operator").raise_to(HALTED_STATE, 1, "lunch")
    time.sleep(TICK_S)
    for file, raw in before.items():
        with (state / "latch" / file).open("r+b") as file_:
            file_.write(raw)
    return Latch(state).held()


def test_an_old_copy_in_the_place_of_all_files_is_noticed(state):
    assert old_copy(state).state == HALTED_STATE


def test_without_witnesses_an_old_copy_resumes_silently(state, monkeypatch):
    """The mutant: the highest record that its seal vouches for is believed."""

    def naive(folder, writer):
        said = [one for one in latch._copies(latch._read(f"{folder}/{writer}")[0]) if one is not None]
        return max(said, key=lambda record: record.number, default=None), []

    monkeypatch.setattr(latch, "_look", naive)
    assert old_copy(state).state == RUNNING


def test_a_missing_latch_that_counted_as_running_would_resume_silently(state, monkeypatch):
    """The mutant: what cannot be read is not there."""
    Latch(state, "operator").raise_to(HALTED_STATE, 1, "lunch")
    shutil.rmtree(state / "latch")
    assert Latch(state).held().state == HALTED_STATE
    monkeypatch.setattr(latch, "HALTED_STATE", RUNNING)
    assert Latch(state).held().state == RUNNING


def test_repairing_a_record_keeps_what_its_remains_said(state):
    Latch(state, "gateway").raise_to(FLATTEN, 1, "silent brain")
    (state / "latch" / "gateway.mark").unlink()
    assert Latch(state).held().state == FLATTEN
    assert Latch(state, "gateway").raise_to(RUNNING, 2, "nothing").state == FLATTEN
    assert Latch(state).held()[4] == ()


def test_a_raise_does_not_lean_on_anothers_remains(state):
    Latch(state, "gateway").raise_to(FLATTEN, 1, "silent brain")
    (state / "latch" / "gateway.mark").unlink()
    Latch(state, "watchdog").raise_to(FLATTEN, 2, "silent gateway")
    (state / "latch" / "gateway").unlink()
    assert Latch(state).held()[:2] == (FLATTEN, "watchdog")


def test_a_raise_holds_for_every_process_at_once(state):
    watching = Latch(state)
    assert watching.held()[:2] == (RUNNING, "")
    Latch(state, "watchdog").raise_to(FLATTEN, 7, "the gateway is silent")
    assert watching.held() == (FLATTEN, "watchdog", 7, "the gateway is silent", ())


def test_raising_never_lowers(state):
    Latch(state, "operator").raise_to(HALTED_STATE, 7, "lunch")
    Latch(state, "gateway").raise_to(REDUCE_ONLY_STATE, 8, "no brain")
    assert Latch(state).held()[:3] == (HALTED_STATE, "operator", 7)


def test_a_halt_that_comes_during_a_resume_holds(state, monkeypatch):
    gateway, operator = Latch(state, "gateway"), Latch(state, "operator")
    seen = operator.raise_to(REDUCE_ONLY_STATE, 1, "look at it").seen
    write = latch._write

    def slow(folder, writer, record):
        if writer == "gateway":
            write(folder, "watchdog", latch.Record(FLATTEN, 2, 9, (0, 0, 0), "at the same moment"))
        write(folder, writer, record)

    monkeypatch.setattr(latch, "_write", slow)
    assert gateway.lower_to(RUNNING, 10, "fine", seen).state == FLATTEN


def test_who_resumes_must_have_seen_what_holds(state):
    gateway, operator = Latch(state, "gateway"), Latch(state, "operator")
    seen = operator.raise_to(REDUCE_ONLY_STATE, 1, "look at it").seen
    operator.raise_to(HALTED_STATE, 2, "worse")
    with pytest.raises(ConfigError, match=r"HALTED operator 2 holds \(worse\), not REDUCE_ONLY operator 1"):
        gateway.lower_to(RUNNING, 3, "fine", seen)


def test_only_the_gateway_lowers(state):
    with pytest.raises(ConfigError, match="only the gateway lowers"):
        Latch(state, "operator").lower_to(RUNNING, 3, "fine", Latch(state).held().seen)
    with pytest.raises(ConfigError, match="reading only"):
        Latch(state).raise_to(HALTED_STATE, 1, "no pen")


def test_the_latch_of_a_fund_is_made_once(state):
    with pytest.raises(ConfigError, match="made already"):
        latch.create(state)
    shutil.rmtree(state / "latch")
    (state / "journal.db").touch()
    with pytest.raises(ConfigError, match="made already"):
        latch.create(state)


def test_raising_needs_no_space(tmp_path):
    """A disk that refuses every new file and every byte behind the end of an old one."""
    latch.create(tmp_path)
    intents.create(tmp_path)
    script = """
import errno, os, sys
from pathlib import Path
from podshop.live.latch import Latch, FLATTEN
from podshop.live.intents import FlightFile, Flying, flight_of
real_open, real_pwrite = os.open, os.pwrite
def full_open(path, flags, *mode, **more):
    if flags & os.O_CREAT and not os.path.exists(path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))
    return real_open(path, flags, *mode, **more)
def full_pwrite(file, data, at):
    if at + len(data) > os.fstat(file).st_size:
        raise OSError(errno.ENOSPC, "No space left on device")
    return real_pwrite(file, data, at)
os.open, os.pwrite = full_open, full_pwrite
folder = Path(sys.argv[1])
print(Latch(folder, "watchdog").raise_to(FLATTEN, 5, "full").state)
FlightFile(folder).write(flight_of(1, 2, 3, [Flying("a" * 32, "BTC", 4, 2)]))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3"]
    assert Latch(tmp_path).held().state == FLATTEN
    assert in_flight(tmp_path).many == 1


def test_intents_survive_a_torn_write(tmp_path):
    latch.create(tmp_path)
    intents.create(tmp_path)
    assert in_flight(tmp_path) == (0, 0, 0, 0, ())
    pen = FlightFile(tmp_path)
    pen.write(flight_of(10, 20, 30, [Flying("a" * 32, "BTC", 4, 19)]))
    pen.write(flight_of(11, 21, 30, [Flying("b" * 32, "ETH", -4, 20)]))
    path = tmp_path / "latch" / "intents"
    raw = bytearray(path.read_bytes())
    raw[intents.HALF + 40] ^= 1  # the half written last
    assert in_flight(tmp_path).at_ns == 11
    path.write_bytes(raw)
    assert in_flight(tmp_path).at_ns in (10, 11)
    path.unlink()
    assert in_flight(tmp_path) is None
    pen.write(flight_of(12, 22, 30, []))
    assert FlightFile(tmp_path)._number == 4
    assert in_flight(tmp_path) == (12, 22, 30, 0, ())


def test_more_intents_than_fit_are_counted(tmp_path):
    latch.create(tmp_path)
    intents.create(tmp_path)
    FlightFile(tmp_path).write(flight_of(1, 2, 3, [Flying(f"{i:032x}", "BTC", 1, i) for i in range(5_000)]))
    found = in_flight(tmp_path)
    assert found.many == 5_000
    assert 1_000 < len(found.flying) < 5_000
    assert found.flying[0].sent_ns == 4_999
