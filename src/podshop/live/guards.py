"""What ninety days alone do to a fund, each judged by one small function: disk, clock, key, quota, windows.

A notice of level `stop` means no new risk (REDUCE_ONLY) for as long as it holds; `warn` is for a person's eye.
"""

import errno
import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from podshop.live.config import Thresholds
from podshop.nouns import DAY_NS, MINUTE_NS, SECOND_NS

Level = Literal["ok", "warn", "stop"]
BEFORE_NS = 10 * MINUTE_NS  # no increases so long before a maintenance window
QUOTA = 0.8  # of the venue's requests: the last fifth is kept for reductions and readings
_MONDAY_NS = 4 * DAY_NS  # 1970-01-05 was a Monday
_WEEK_NS = 7 * DAY_NS
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


class Notice(NamedTuple):
    """One thing that was looked at."""

    what: str
    level: Level
    text: str


def disk(free_bytes: int, terms: Thresholds) -> Notice:
    """Room on the disk.

    >>> disk(700_000_000, Thresholds())
    Notice(what='disk', level='stop', text='0.7 GB free, less than 1 GB: the fund only reduces')
    """
    free_gb = free_bytes / 1e9
    if free_gb < terms.disk_stop_gb:
        return Notice(
            "disk", "stop", f"{free_gb:.1f} GB free, less than {terms.disk_stop_gb:g} GB: the fund only reduces"
        )
    if free_gb < terms.disk_warn_gb:
        return Notice("disk", "warn", f"{free_gb:.1f} GB free, less than {terms.disk_warn_gb:g} GB")
    return Notice("disk", "ok", f"{free_gb:.1f} GB free")


def wal(size_bytes: int, terms: Thresholds) -> Notice:
    """The journal's write-ahead log: it only grows for long while somebody holds a read transaction."""
    size_mb = size_bytes / 1e6
    if size_mb > terms.wal_mb:
        return Notice("wal", "warn", f"{size_mb:.0f} MB, more than {terms.wal_mb} MB: who holds a read transaction?")
    return Notice("wal", "ok", f"{size_mb:.0f} MB")


def offset(offset_ns: int | None, most_ns: int) -> Notice:
    """The venue's clock less ours; unknown is too much.

    >>> offset(-1_400_000_000, 1_000_000_000)
    Notice(what='clock', level='stop', text='1.40 s behind ours, more than 1.00 s: no new risk')
    """
    if offset_ns is None:
        return Notice("clock", "stop", "nobody knows the venue's time: no new risk")
    side = "ahead of" if offset_ns > 0 else "behind"
    text = f"{abs(offset_ns) / SECOND_NS:.2f} s {side} ours"
    if abs(offset_ns) > most_ns:
        return Notice("clock", "stop", f"{text}, more than {most_ns / SECOND_NS:.2f} s: no new risk")
    return Notice("clock", "ok", text)


def key(expires: str, now_ns: int, terms: Thresholds) -> Notice:
    """Days until the older key expires.

    >>> key("2026-12-01", 1_795_000_000_000_000_000, Thresholds())
    Notice(what='key', level='warn', text='expires in 13 days, on 2026-12-01: make a new one')
    """
    if not expires:
        return Notice("key", "ok", "does not expire")
    left = (date.fromisoformat(expires) - datetime.fromtimestamp(now_ns // SECOND_NS, UTC).date()).days
    if left < 0:
        return Notice("key", "stop", f"expired on {expires}: no new risk")
    if left < terms.key_days:
        return Notice("key", "warn", f"expires in {left} days, on {expires}: make a new one")
    return Notice("key", "ok", f"expires in {left} days")


def quota(used: int, allowed: int) -> Notice:
    """Requests of this minute; 0 allowed = no limit."""
    if not allowed:
        return Notice("requests", "ok", f"{used} a minute, no limit")
    text = f"{used} of {allowed} a minute"
    return Notice("requests", "stop" if used > QUOTA * allowed else "ok", text)


def maintenance(now_ns: int, windows: Sequence[tuple[int, int]]) -> Notice:
    """Whether the venue is down for maintenance, or soon will be.

    windows  (minute of the UTC week from Monday 00:00, minutes)

    >>> tuesday_ns = 1_700_524_800 * SECOND_NS  # 2023-11-21T00:00Z
    >>> maintenance(tuesday_ns - 8 * MINUTE_NS, [(1440, 30)])
    Notice(what='maintenance', level='stop', text='in 8 minutes, for 30: no increases')
    """
    into_ns = (now_ns - _MONDAY_NS) % _WEEK_NS
    for minute, minutes in windows:
        ahead_ns = (minute * MINUTE_NS - into_ns) % _WEEK_NS
        since_ns = (into_ns - minute * MINUTE_NS) % _WEEK_NS
        if since_ns < minutes * MINUTE_NS:
            return Notice(
                "maintenance", "stop", f"now, for {minutes - since_ns // MINUTE_NS} more minutes: no increases"
            )
        if ahead_ns <= BEFORE_NS:
            return Notice("maintenance", "stop", f"in {ahead_ns // MINUTE_NS} minutes, for {minutes}: no increases")
    return Notice("maintenance", "ok", "none soon" if windows else "the venue announces none")


def free_bytes(folder: Path) -> int:
    """Room for us on the disk of a folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def full(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is that of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) in _FULL:
            return True
        error = error.__cause__
    return False


def fill_ballast(path: Path, megabytes: int) -> None:
    """Keep some of the disk for the day it is full; written out, since a hole in a file keeps nothing."""
    if path.exists() and path.stat().st_size >= megabytes * 1_000_000:
        return
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        for _ in range(megabytes):
            file.write(b"\1" * 1_000_000)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def release_ballast(path: Path) -> bool:
    """Give the reserve back, to finish bookings on a full disk; whether there was any.

    The file is emptied and stays: that needs the right to write it, and none to its folder.
    """
    try:
        if path.stat().st_size == 0:
            return False
        os.truncate(path, 0)
    except OSError:
        return False
    return True
