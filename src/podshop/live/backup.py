"""Backups of the books: hourly by SQLite's own backup call, verified row by row, kept 24 hours and 30 days.

A backup is taken beside the writer, in small steps that hold no long read transaction, and is believed only after its
whole hash chain was walked. It holds the journal, its head, gateway.toml and the terms; no latch and no key.

A restore never makes anything safe again by itself: the latch stays where it is and is raised to HALTED before the
first file is touched, so the fund starts HALTED, compares its books with the venue's fills and waits for a person.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from podshop.journal.chain import NOTHING, Head, walk
from podshop.journal.head import create_head, head_path
from podshop.journal.store import check_shape, raw_rows
from podshop.live.config import GATEWAY_TOML, Gateway
from podshop.live.latch import HALTED_STATE, Latch, sync_folder
from podshop.nouns import DAY_NS, HOUR_NS, ConfigError, LedgerError, utc_text

HOURS, DAYS = 24, 30
PAGES = 256  # copied at a time: a megabyte, and then the writer may
BESIDE = (GATEWAY_TOML, "terms.json")


class Backup(NamedTuple):
    """One backup; at_ns is UTC of this machine, seq and sha256 those of the journal's last row."""

    folder: Path
    at_ns: int
    seq: int
    sha256: str


def backup(gateway: Gateway, at_ns: int) -> Backup:
    """Copy the books, verify the copy, and only then give it its name. Raises LedgerError where it is not whole."""
    name = utc_text(at_ns).replace(":", "").replace("-", "")
    gateway.backups.mkdir(parents=True, exist_ok=True)
    part, folder = gateway.backups / f".{name}.part", gateway.backups / name
    if folder.exists():
        raise ConfigError(f"{folder}: is there already")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        copy = part / "journal.db"
        _copy_database(gateway.journal, copy)
        head = verify(copy)
        create_head(copy, head)
        for beside in BESIDE:
            if (gateway.folder / beside).exists():
                shutil.copyfile(gateway.folder / beside, part / beside)
        made = Backup(folder, at_ns, head.seq, head.hash.hex())
        (part / "backup.json").write_text(json.dumps([made.at_ns, made.seq, made.sha256]), encoding="ascii")
        _sync_files(part)
        part.rename(folder)
        sync_folder(gateway.backups)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return made


def restore(gateway: Gateway, folder: Path, at_ns: int, writer: str = "operator") -> Backup:
    """Put a backup in the place of the books. The fund starts HALTED; what happened since is booked from the venue.

    Raises LedgerError where the backup is not whole, or where a process still writes the books; then nothing changed
    but that the latch says HALTED.
    """
    wanted = read(folder)
    head = verify(folder / "journal.db")
    if (head.seq, head.hash.hex()) != (wanted.seq, wanted.sha256):
        raise LedgerError(f"{folder}: ends with row {head.seq}, and row {wanted.seq} was backed up")
    Latch(gateway.folder, writer).raise_to(HALTED_STATE, at_ns, f"restored {folder.name}: compare, then resume")
    lock = _lock(gateway.journal)
    try:
        aside = gateway.folder / f"replaced-{utc_text(at_ns).replace(':', '').replace('-', '')}"
        aside.mkdir()
        for old in (gateway.journal, head_path(gateway.journal), *_beside(gateway.journal)):
            if old.exists():
                old.rename(aside / old.name)
        shutil.copyfile(folder / "journal.db", gateway.journal)
        create_head(gateway.journal, head)
        _sync_files(gateway.folder)
        sync_folder(gateway.folder)
    finally:
        os.close(lock)
    return wanted


def read(folder: Path) -> Backup:
    """What a backup says of itself. Raises ConfigError where it is none."""
    try:
        at_ns, seq, sha256 = json.loads((folder / "backup.json").read_text(encoding="ascii"))
    except (OSError, ValueError) as e:
        raise ConfigError(f"{folder}: no backup: {e}") from None
    return Backup(folder, at_ns, seq, sha256)


def backups(gateway: Gateway) -> list[Backup]:
    """All that are whole, oldest first."""
    if not gateway.backups.is_dir():
        return []
    found = (one for one in sorted(gateway.backups.iterdir()) if (one / "backup.json").is_file())
    return sorted((read(one) for one in found), key=lambda one: one.at_ns)


def verify(path: Path) -> Head:
    """Walk the whole chain of a journal; its last row. Raises LedgerError with the first that is wrong."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        check_shape(db, path)
        try:
            (said,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.Error as e:
            said = str(e)
        if said != "ok":
            raise LedgerError(f"{path}: {said}")
        last, wrong = walk(raw_rows(db), NOTHING, NOTHING)
    if wrong is not None:
        raise LedgerError(f"{path}: row {last.seq + 1}: {wrong}")
    return last


def spare(made: Iterable[Backup], now_ns: int) -> list[Backup]:
    """Those that need not be kept: the last of each of 24 hours and of each of 30 days are, and the newest always.

    >>> hourly = [Backup(Path(str(h)), h * HOUR_NS, h, "") for h in range(80)]
    >>> kept = set(hourly) - set(spare(hourly, 80 * HOUR_NS))
    >>> sorted(one.seq for one in kept)[:4], len(kept)
    ([23, 47, 57, 58], 25)
    """
    ordered = sorted(made, key=lambda one: one.at_ns)
    last_of_hour = {one.at_ns // HOUR_NS: one for one in ordered if now_ns - one.at_ns < HOURS * HOUR_NS}
    last_of_day = {one.at_ns // DAY_NS: one for one in ordered if now_ns - one.at_ns < DAYS * DAY_NS}
    kept = {*last_of_hour.values(), *last_of_day.values(), *ordered[-1:]}
    return [one for one in ordered if one not in kept]


def prune(gateway: Gateway, now_ns: int) -> int:
    """Remove what need not be kept; how many that were."""
    gone = spare(backups(gateway), now_ns)
    for one in gone:
        shutil.rmtree(one.folder)
    return len(gone)


def due(gateway: Gateway, now_ns: int) -> bool:
    """Whether an hour has passed since the last."""
    made = backups(gateway)
    return not made or now_ns - made[-1].at_ns >= HOUR_NS


def _copy_database(source: Path, copy: Path) -> None:
    if not source.is_file():
        raise LedgerError(f"{source}: no such journal")
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as reads,
            closing(sqlite3.connect(copy)) as writes,
        ):
            reads.backup(writes, pages=PAGES, sleep=0.005)
            writes.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as e:
        raise LedgerError(f"{source}: cannot be copied: {e}") from e


def _beside(journal: Path) -> list[Path]:
    """What belongs to the old journal and to no other: its write-ahead log, its snapshot."""
    return [journal.with_name(journal.name + end) for end in ("-wal", "-shm", ".snapshot")]


def _lock(journal: Path) -> int:
    """The writer's lock (`journal.store`), so that nobody writes meanwhile."""
    import fcntl

    lock = os.open(journal.with_name(journal.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise LedgerError(f"{journal}: the gateway is writing it; stop the fund first") from None
    return lock


def _sync_files(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
