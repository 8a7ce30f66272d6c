"""The hash chain: every row carries the hash of the row before, so that no row can be changed, moved or left out.

    hash = SHA-256(prev, seq, at_ns, v, length of kind, kind, body)

All parts but the last have a fixed or a stated length, so no two rows give the same bytes. The chain finds what disks
and accidents do. Against somebody who may write the file and hashes every later row again, only a hash kept elsewhere
helps: `podshop ledger verify` prints the last one.
"""

import struct
from hashlib import sha256
from typing import NamedTuple

GENESIS = bytes(32)  # prev of the first row

_head = struct.Struct(">32sqqiB").pack


class Row(NamedTuple):
    """A row of the journal, as it stands in its table."""

    seq: int
    at_ns: int
    kind: str
    v: int
    body: bytes
    prev: bytes
    hash: bytes


def row_hash(prev: bytes, seq: int, at_ns: int, kind: str, v: int, body: bytes) -> bytes:
    """The 32 bytes that seal a row."""
    name = kind.encode()
    return sha256(_head(prev, seq, at_ns, v, len(name)) + name + body).digest()


def chained(prev: bytes, seq: int, at_ns: int, kind: str, v: int, body: bytes) -> Row:
    """The row that follows the one whose hash is `prev`."""
    return Row(seq, at_ns, kind, v, body, prev, row_hash(prev, seq, at_ns, kind, v, body))


def broken(row: Row, seq: int, prev: bytes) -> str | None:
    """What is wrong with a row that should have this number and follow this hash; None where nothing is."""
    if row[0] != seq:
        return f"the row after {seq - 1} is {row[0]}, expected {seq}"
    if row[5] != prev:
        return "it does not follow the row before: prev is not that row's hash"
    try:
        hashed = row_hash(prev, *row[:5])
    except (TypeError, AttributeError, struct.error) as e:
        return f"a column is not of its type: {e}"
    return None if hashed == row[6] else "its hash is not that of its contents"
