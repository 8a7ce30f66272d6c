"""The latch: how far the fund is halted, in files that outlive every process and that nothing can quietly lower.

    STATE/latch/gateway, operator, watchdog     each writer's own record; STATE/latch/WRITER.mark its witness
    STATE/latch/intents                         what is in flight (live.intents)

States rise: RUNNING < REDUCE_ONLY < HALTED < FLATTEN. What holds is the highest of all records (and of the journal,
which the gateway adds). Each writer overwrites its own record only, so raising needs no lock that a stopped process
could hold, and no space: every file was made at its full length when the fund was made.

Lowering is one act: the gateway writes that it has read records up to these numbers and overrules them. A raise that
it had not read keeps a larger number, and holds. So no resume can swallow a halt that came at the same moment.

What must not lower the state, and does not:

    deleted, cut, corrupted      a record that it and its witness do not both tell counts as HALTED, or as what is left
                                 of either says, if that is more
    an old copy put in its place the witness knows the record's inode, its change time (which no program can choose) and
                                 its words: they differ
    both replaced together       the change time of the record is then newer than the one in the old witness
    a torn write                 two copies take turns; the older one stands until the new one is on the disk

Whatever is seen to go backwards while a process watches counts as HALTED for that process too, or as what it saw.
"""

import os
import struct
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from podshop.nouns import ConfigError
from podshop.nouns.verdict import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING

FLATTEN = 3
STATES = ("RUNNING", "REDUCE_ONLY", "HALTED", "FLATTEN")
WRITERS = ("gateway", "operator", "watchdog")

_MAGIC = b"podshop latch 1\n"
_FORM = struct.Struct(">16sHQq3Q256s")  # magic, state, number, at_ns, numbers that are overruled, reason
_FILE = struct.Struct(">Qq")  # inode, change time
_SEAL = 32
_COPY = 512  # bytes from one copy to the next: a sector, written whole or not at all
_REASON = 256
_LOOKS = 3  # how often a record is read again that changes while it is read
_TRIES = 5

__all__ = ["FLATTEN", "HALTED_STATE", "REDUCE_ONLY_STATE", "RUNNING", "STATES", "WRITERS", "Held", "Latch", "create"]


class Record(NamedTuple):
    """What one writer last said.

    number     grows by one with each word of this writer
    overrules  per writer, the number up to which the gateway has read it and holds it for settled
    """

    state: int
    number: int
    at_ns: int
    overrules: tuple[int, int, int]
    reason: str


class Held(NamedTuple):
    """What holds now, since when, and why. `damaged` names the writers whose record could not be believed."""

    state: int
    by: str
    at_ns: int
    reason: str
    damaged: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The state's name."""
        return STATES[self.state]

    @property
    def seen(self) -> str:
        """What an operator has seen who wishes to lower it: `lower_to` refuses where something else holds by then.

        >>> Held(2, "operator", 17, "lunch").seen
        'HALTED operator 17'
        """
        return f"{self.name} {self.by or 'nobody'} {self.at_ns}"


def create(state: Path) -> None:
    """Make the latch of a new fund, RUNNING. Raises ConfigError where there is one already, or anything of a fund."""
    folder = state / "latch"
    if folder.exists() or (state / "journal.db").exists():
        raise ConfigError(f"{folder}: this fund has been made already; its latch is never made anew")
    folder.mkdir(parents=True)
    for writer in WRITERS:
        preallocate(folder / writer, 2 * _COPY)
        preallocate(folder / f"{writer}.mark", _COPY)
        _write(folder, writer, Record(RUNNING, 1, time.time_ns(), (0, 0, 0), "made"))
    sync_folder(folder)
    sync_folder(state)


@dataclass(slots=True)
class Latch:
    """The latch as one process sees it. `writer` is whose record it may write; None only reads.

    Every question opens the files again: whoever replaces one is seen.
    """

    state: Path
    writer: str | None = None
    _seen: dict[str, Record] = field(default_factory=dict, init=False)  # the latest of each writer that was ever read

    def held(self) -> Held:
        """What holds now."""
        found, remains = self._records()
        damaged = tuple(writer for writer in WRITERS if writer not in found)
        holds = Held(RUNNING, "", 0, "", damaged)
        if damaged:
            holds = Held(
                HALTED_STATE, damaged[0], 0, f"what {' and '.join(damaged)} said is missing or damaged", damaged
            )
        gateway = found.get("gateway") or remains.get("gateway")
        settled = (0, 0, 0) if gateway is None else gateway.overrules
        for i, writer in enumerate(WRITERS):
            said = found.get(writer) or remains.get(writer)
            if said is not None and said.state > holds.state and said.number > settled[i]:
                holds = Held(said.state, writer, said.at_ns, said.reason, damaged)
        return holds

    def raise_to(self, state: int, at_ns: int, reason: str) -> Held:
        """Hold at least this state from now on; on the disk when this returns. Never lowers anything.

        Raises OSError only where the disk takes not one byte; what holds in memory is then the caller's to keep.
        """
        if self.writer is None:
            raise ConfigError(f"{self._folder}: opened for reading only")
        holds = self.held()
        if holds.state >= state and not holds.damaged:
            return holds
        for _ in range(_TRIES):  # another process with this pen may be writing
            found, remains = self._records()
            said = found.get(self.writer) or remains.get(self.writer) or Record(RUNNING, 0, 0, (0, 0, 0), "")
            gateway = found.get("gateway") or remains.get("gateway") or said
            number = 1 + max(said.number, gateway.overrules[WRITERS.index(self.writer)])
            # Where a record is damaged, what holds may stand in its remains only, which this one may overwrite.
            worst = max(state, holds.state) if holds.damaged else state
            _write(self._folder, self.writer, Record(worst, number, at_ns, said.overrules, reason))
            if self.writer in self._records()[0]:
                break
        return self.held()

    def repair(self, at_ns: int) -> Held:
        """Make one's own record readable again where it is not: as HALTED, or as what holds where that is more."""
        holds = self.held()
        if self.writer in holds.damaged:
            return self.raise_to(max(holds.state, HALTED_STATE), at_ns, holds.reason)
        return holds

    def lower_to(self, state: int, at_ns: int, reason: str, seen: str) -> Held:
        """An operator lowers what holds, having seen it (`Held.seen`); only the gateway writes that, at his word.

        Raises ConfigError where what holds is no longer what he saw, or where a record cannot be believed: its writer
        repairs it first.
        """
        if self.writer != "gateway":
            raise ConfigError(f"{self._folder}: only the gateway lowers a state, not {self.writer}")
        found, _ = self._records()  # before what holds is looked at: a raise in between is not overruled
        holds = self.held()
        if holds.damaged:
            raise ConfigError(
                f"{self._folder}: {holds.reason}; each process repairs its own when it starts, then resume"
            )
        if holds.seen != seen:
            raise ConfigError(
                f"{self._folder}: {holds.seen} holds ({holds.reason}), not {seen}; look again, then resume"
            )
        gateway, operator, watchdog = (found[writer].number for writer in WRITERS)
        _write(self._folder, "gateway", Record(state, gateway + 1, at_ns, (gateway, operator, watchdog), reason))
        return self.held()

    @property
    def _folder(self) -> Path:
        return self.state / "latch"

    def _records(self) -> tuple[dict[str, Record], dict[str, Record]]:
        """Each writer's record where it can be believed, and what is left of those that cannot."""
        found, remains = {}, {}
        for writer in WRITERS:
            record, left = _look(self._folder, writer)
            last = self._seen.get(writer)
            if record is not None and (last is None or record.number >= last.number):
                self._seen[writer] = found[writer] = record
            else:  # it cannot be read, or went backwards while we watched
                left = [one for one in (*left, record, last) if one is not None]
                if left:
                    remains[writer] = max(left, key=lambda one: one.number)
        gateway = found.get("gateway") or remains.get("gateway")
        if gateway is not None:  # which has read each record up to a number: one before that is an old one
            for writer, number in zip(WRITERS, gateway.overrules, strict=True):
                if writer in found and found[writer].number < number:
                    remains[writer] = found.pop(writer)
        return found, remains


def _look(folder: Path, writer: str) -> tuple[Record | None, list[Record]]:
    """A record, where it and its witness agree, and all that either says; a disagreement is looked at again."""
    said: list[Record] = []
    path = f"{folder}/{writer}"
    for attempt in range(_LOOKS):
        if attempt:
            time.sleep(0.001)  # its writer may be at work
        raw, inode, changed_ns = _read(path)
        witness, of_inode, of_ns = _mark(_read(f"{path}.mark")[0])
        copies = _copies(raw)
        said = [record for record in (*copies, witness) if record is not None]
        if len(raw) == 2 * _COPY and witness is not None and witness in copies:
            last = max(said, key=lambda record: record.number)
            if (last, inode, changed_ns) == (witness, of_inode, of_ns):
                return last, []
    return None, said


def _read(path: str) -> tuple[bytes, int, int]:
    """What a file holds, its inode and its change time; nothing where it is not there."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b"", 0, 0
    try:
        raw = os.read(file, 2 * _COPY + 1)
        about = os.fstat(file)
        return raw, about.st_ino, about.st_ctime_ns
    except OSError:
        return b"", 0, 0
    finally:
        os.close(file)


def _write(folder: Path, writer: str, record: Record) -> None:
    """Overwrite the older copy, then the witness; both are on the disk when this returns.

    A file that is gone is made again, which a full disk may refuse: then nothing was lost, since gone counts as HALTED.
    """
    reason = record.reason.encode()[:_REASON].decode(errors="ignore")
    record = record._replace(reason=reason.rstrip("\0"))
    file = os.open(folder / writer, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if os.fstat(file).st_size != 2 * _COPY:
            os.ftruncate(file, 0)
            os.pwrite(file, bytes(2 * _COPY), 0)
        numbers = [-1 if copy is None else copy.number for copy in _copies(os.pread(file, 2 * _COPY, 0))]
        place = numbers.index(min(numbers))
        for i, number in enumerate(numbers):
            if number >= record.number and i != place:  # a copy from elsewhere must not outlive this one
                os.pwrite(file, bytes(_COPY), i * _COPY)
        os.pwrite(file, _packed(record), place * _COPY)
        about = os.fstat(file)
        mark = _packed(record)[:-_SEAL] + _FILE.pack(about.st_ino, about.st_ctime_ns)
        witness = os.open(folder / f"{writer}.mark", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(witness, mark + sha256(mark).digest(), 0)
            os.fsync(file)
            os.fsync(witness)
        finally:
            os.close(witness)
    finally:
        os.close(file)


def _packed(record: Record) -> bytes:
    said = _FORM.pack(_MAGIC, record.state, record.number, record.at_ns, *record.overrules, record.reason.encode())
    return said + sha256(said).digest()


def _copies(raw: bytes) -> list[Record | None]:
    """Both copies; None for one that its seal does not vouch for."""
    return [_record(raw[start : start + _FORM.size + _SEAL]) for start in (0, _COPY)]


def _record(raw: bytes, more: int = 0) -> Record | None:
    """Bytes -> what they say, if the seal behind them (and behind `more` bytes) is theirs."""
    said, seal = raw[: _FORM.size + more], raw[_FORM.size + more : _FORM.size + more + _SEAL]
    if not said.startswith(_MAGIC) or sha256(said).digest() != seal:
        return None
    _, state, number, at_ns, gateway, operator, watchdog, reason = _FORM.unpack(said[: _FORM.size])
    if state >= len(STATES):
        return None
    return Record(state, number, at_ns, (gateway, operator, watchdog), reason.rstrip(b"\0").decode(errors="replace"))


def _mark(raw: bytes) -> tuple[Record | None, int, int]:
    """What the witness says, and of which inode and change time."""
    record = _record(raw, more=_FILE.size)
    if record is None:
        return None, 0, 0
    inode, changed_ns = _FILE.unpack(raw[_FORM.size : _FORM.size + _FILE.size])
    return record, inode, changed_ns


def preallocate(path: Path, size: int) -> None:
    """Make a file of so many zeros, on the disk; never over another."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.write(file, bytes(size))
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
