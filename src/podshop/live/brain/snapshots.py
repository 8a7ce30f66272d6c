"""What the brain was fed, kept cycle by cycle: rows appended to a file a day, so that any cycle can be decided again.

    STATE/bars/2026-11-22.bars     frames of msgpack: Fed, Asked

A frame that was cut by a crash is the last of its file, and is left out; what comes after a start goes on in a new
frame, for the file is first cut back to its last whole one.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from podshop.nouns import DAY_NS, DataError, Funding, Market, Panel, utc_text

LENGTH = struct.Struct(">I")
MOST_BYTES = 64 << 20


class Fed(msgspec.Struct, frozen=True, array_like=True, tag="fed"):
    """One bar of all markets and what was settled since the bar before: little-endian numbers.

    columns  name -> (M,) float64; funding: at_ns, market, rate, source of each settlement
    """

    at_ns: int
    interval_ns: int
    names: tuple[str, ...]
    columns: dict[str, bytes]
    paid_at: bytes
    paid_market: bytes
    paid_rate: bytes
    paid_source: bytes
    sources: tuple[str, ...]
    inputs_sha256: str


class Decided(msgspec.Struct, frozen=True, array_like=True, tag="decided"):
    """What the gateway opened, as it was framed, and what was answered: SHA-256 of the frame; who had no vote."""

    at_ns: int
    opened: bytes
    targets_sha256: str
    silent: tuple[str, ...] = ()


class Snapshots:
    """The files of one fund's bars folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._day = -1
        self._file = -1

    def add(self, row: Fed | Decided) -> None:
        """Append, and have it on the disk before this answers."""
        day = row.at_ns // DAY_NS
        if day != self._day:
            self._open(day)
        body = msgspec.msgpack.encode(row)
        os.write(self._file, LENGTH.pack(len(body)) + body)
        os.fdatasync(self._file)

    def read(self, since_ns: int = 0, until_ns: int = 1 << 62) -> Iterator[Fed | Decided]:
        """Rows stamped in [since, until], oldest first."""
        first, last = _name(since_ns // DAY_NS), _name(min(until_ns, 1 << 61) // DAY_NS)
        for path in sorted(self._folder.glob("*.bars")):
            if first <= path.stem <= last:
                for row, _ in rows_of(path):
                    if since_ns <= row.at_ns <= until_ns:
                        yield row

    def close(self) -> None:
        """Give back the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file, self._day = -1, -1

    def _open(self, day: int) -> None:
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{_name(day)}.bars"
        whole = max((end for _, end in rows_of(path)), default=0) if path.exists() else 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        os.ftruncate(self._file, whole)
        os.lseek(self._file, whole, os.SEEK_SET)
        self._day = day


def rows_of(path: Path) -> Iterator[tuple[Fed | Decided, int]]:
    """Every whole frame of a file, and where it ends. Raises DataError for one that is no row."""
    decode = msgspec.msgpack.Decoder(Fed | Decided).decode
    with path.open("rb") as file:
        end = 0
        while len(head := file.read(LENGTH.size)) == LENGTH.size:
            (length,) = LENGTH.unpack(head)
            body = file.read(length) if length <= MOST_BYTES else b""
            if len(body) < length or length > MOST_BYTES:
                return
            end += LENGTH.size + length
            try:
                yield decode(body), end
            except (msgspec.MsgspecError, UnicodeDecodeError) as e:
                raise DataError(f"{path}: the row that ends at byte {end} is none: {e}") from None


def fed(bar: Market, paid: Funding, inputs_sha256: str) -> Fed:
    """A bar as a row."""
    return Fed(
        at_ns=int(bar.time[0]),
        interval_ns=bar.interval_ns,
        names=bar.names,
        columns={name: np.ascontiguousarray(panel[0]).astype("<f8").tobytes() for name, panel in bar.columns.items()},
        paid_at=paid.at_ns.astype("<i8").tobytes(),
        paid_market=paid.market.astype("<i8").tobytes(),
        paid_rate=paid.rate.astype("<f8").tobytes(),
        paid_source=paid.source.astype("<i8").tobytes(),
        sources=paid.sources,
        inputs_sha256=inputs_sha256,
    )


def unfed(rows: Sequence[Fed]) -> tuple[Market, Funding]:
    """Rows that follow one another, as bars and funding. Raises DataError where they do not."""
    for a, b in pairwise(rows):
        if b.at_ns != a.at_ns + a.interval_ns or a.names != b.names or list(a.columns) != list(b.columns):
            raise DataError(f"the bar of {utc_text(b.at_ns)} does not follow that of {utc_text(a.at_ns)}")
    first = rows[0]

    def column(name: str) -> Panel:
        return np.ascontiguousarray(np.array([np.frombuffer(row.columns[name], "<f8") for row in rows]).T).T

    def numbers(of: str, kind: str) -> np.ndarray:
        parts = [np.frombuffer(getattr(row, of), "<" + kind) for row in rows]
        return np.concatenate(parts).astype(kind)

    time = np.array([row.at_ns for row in rows], np.int64)
    market = Market(first.names, first.interval_ns, time, {name: column(name) for name in first.columns})
    paid = Funding(
        numbers("paid_at", "i8"), numbers("paid_market", "i8"), numbers("paid_rate", "f8"),
        numbers("paid_source", "i8"), rows[-1].sources, {},
    )  # fmt: skip
    return market, paid


def _name(day: int) -> str:
    return utc_text(day * DAY_NS)[:10]
