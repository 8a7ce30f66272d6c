"""The head: how far the journal was known to reach, kept beside it, so that a lost end is noticed.

A chain cannot show that its last rows are missing: what is left is a valid chain. So after every commit the writer
overwrites one small file with the number and the hash of the last row. The journal is on the disk by then, so the head
may be older than the journal, never newer: a head that points past the end means that acknowledged rows are lost.
"""

import os
import struct
from hashlib import sha256
from pathlib import Path

from podshop.journal.chain import Head
from podshop.nouns import LedgerError

_MAGIC = b"podshop journal head 1\n"
_SAID = len(_MAGIC) + 8 + 32  # bytes before the seal
_WAY_OUT = "`podshop ledger verify --accept` checks every row and writes it again"


def head_path(journal: Path) -> Path:
    """Where the head of a journal is kept."""
    return journal.with_name(journal.name + ".head")


def read_head(journal: Path) -> Head:
    """What the file says. Raises LedgerError where it is missing or damaged."""
    path = head_path(journal)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise LedgerError(f"{path}: missing, so nobody knows how far {journal.name} reached; {_WAY_OUT}") from None
    said, seal = raw[:_SAID], raw[_SAID:]
    if not raw.startswith(_MAGIC) or sha256(said).digest() != seal:
        raise LedgerError(f"{path}: damaged, so nobody knows how far {journal.name} reached; {_WAY_OUT}")
    seq, digest = struct.unpack(">q32s", said[len(_MAGIC) :])
    return Head(seq, digest)


def create_head(journal: Path, head: Head) -> None:
    """Write a head that is on the disk, name and all, when this returns."""
    path = head_path(journal)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(_packed(head))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class HeadWriter:
    """Overwrites the head in place: no new file, no sync, one write smaller than a sector."""

    def __init__(self, journal: Path) -> None:
        self._file = os.open(head_path(journal), os.O_WRONLY)

    def write(self, head: Head) -> None:
        """From now on rows up to this one are missed when they are gone."""
        os.pwrite(self._file, _packed(head), 0)

    def close(self) -> None:
        """Make what was written last, and give the file back."""
        os.fsync(self._file)
        os.close(self._file)


def _packed(head: Head) -> bytes:
    said = _MAGIC + struct.pack(">q32s", *head)
    return said + sha256(said).digest()
