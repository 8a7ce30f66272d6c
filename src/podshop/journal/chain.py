"""The hash chain: every row carries the hash of the row before, so that no row can be changed, moved or left out.

    hash = SHA-256(prev, seq, at_ns, v, length of kind, kind, body)

All parts but the last have a fixed or a stated length, so no two rows give the same bytes. The chain finds what disks
and accidents do. Against somebody who may write the file and hashes every later row again, only a hash kept elsewhere
helps: `podshop ledger verify` prints the last one.
"""

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from podshop.nouns import LedgerError

GENESIS = bytes(32)  # prev of the first row

_head = struct.Struct(">32sqqiB").pack

Raw: TypeAlias = tuple[int, int, str, int, bytes, bytes, bytes]  # a Row, before it has names


class Row(NamedTuple):
    """A row of the journal, as it stands in its table."""

    seq: int
    at_ns: int
    kind: str
    v: int
    body: bytes
    prev: bytes
    hash: bytes


class Head(NamedTuple):
    """How far a journal reaches: number and hash of its last row; seq 0 = none."""

    seq: int
    hash: bytes


NOTHING = Head(0, GENESIS)


def row_hash(prev: bytes, seq: int, at_ns: int, kind: str, v: int, body: bytes) -> bytes:
    """The 32 bytes that seal a row."""
    name = kind.encode()
    return sha256(_head(prev, seq, at_ns, v, len(name)) + name + body).digest()


def chained(prev: bytes, seq: int, at_ns: int, kind: str, v: int, body: bytes) -> Row:
    """The row that follows the one whose hash is `prev`."""
    return Row(seq, at_ns, kind, v, body, prev, row_hash(prev, seq, at_ns, kind, v, body))


def walk(rows: Iterable[Raw], last: Head, known: Head = NOTHING) -> tuple[Head, str | None]:
    """Follow the chain from `last`.

    known  a row whose hash somebody remembers; it is compared when it comes by
    ->     the last good row, and what is wrong with the one after it; None where nothing is
    """
    seq, prev = last
    known_seq, known_hash = known
    try:
        for number, at_ns, kind, v, body, before, digest in rows:
            if number != seq + 1:
                return Head(seq, prev), f"the row after {seq} is {number}, expected {seq + 1}"
            if before != prev:
                return Head(seq, prev), "it does not follow the row before: prev is not that row's hash"
            name = kind.encode()
            if sha256(_head(prev, number, at_ns, v, len(name)) + name + body).digest() != digest:
                return Head(seq, prev), "its hash is not that of its contents"
            if number == known_seq and digest != known_hash:
                return Head(seq, prev), "its hash is not the one that the head remembers"
            seq, prev = number, digest
    except (TypeError, AttributeError, struct.error) as e:
        return Head(seq, prev), f"a column is not of its type: {e}"
    except LedgerError as e:  # of whoever reads the rows
        return Head(seq, prev), str(e)
    return Head(seq, prev), None
