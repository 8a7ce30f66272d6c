"""A snapshot: what all facts up to a row lead to, so that opening folds only the rows after it.

It is a cache. It carries its own hash and the hash of its row in the journal; where either does not fit, or the file is
gone, the books are folded from the first row, with the same result.
"""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec

from podshop.journal.chain import GENESIS, Head, Raw
from podshop.journal.facts import ONCE, VENUE_KINDS, read
from podshop.journal.known import Known
from podshop.ledger.books import Books
from podshop.nouns import DataError, LedgerError

_MAGIC = b"podshop snapshot 1\n"


@dataclass(slots=True)
class State:
    """What the rows up to the one of this number and hash lead to."""

    books: Books = field(default_factory=Books)
    known: Known = field(default_factory=Known)
    seq: int = 0
    hash: bytes = GENESIS

    @property
    def head(self) -> Head:
        """The last row taken."""
        return Head(self.seq, self.hash)

    def take(self, row: Raw) -> None:
        """Fold one more row. Raises LedgerError with its number where it contradicts itself or those before."""
        seq, _, kind, v, body, _, digest = row
        try:
            fact = read(kind, v, body)
            if kind in VENUE_KINDS or kind in ONCE:
                self.known.add(kind, fact[ONCE.get(kind, 0)], body)  # type: ignore[arg-type]
            self.books.post(fact)  # type: ignore[arg-type]  # orders move nothing
        except (LedgerError, DataError) as e:
            raise LedgerError(f"row {seq}: {e}") from e
        self.seq, self.hash = seq, digest

    def sha256(self) -> str:
        """Hash of books and known ids: the same from a snapshot and from zero."""
        return sha256(self.books.sha256().encode() + self.known.packed()).hexdigest()


class _Kept(msgspec.Struct):
    seq: int
    hash: bytes
    balances: dict[str, int]
    marks: dict[str, int]
    known: bytes


def snapshot_path(journal: Path) -> Path:
    """Where the snapshot of a journal is kept."""
    return journal.with_name(journal.name + ".snapshot")


def save(state: State, journal: Path) -> None:
    """Replace the snapshot; a crash leaves the old one or the new one."""
    books = state.books
    kept = _Kept(*state.head, dict(books.balances), books.marks, state.known.packed())
    body = msgspec.msgpack.encode(kept)
    path = snapshot_path(journal)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(_MAGIC + sha256(body).digest() + body)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load(journal: Path) -> State:
    """What the snapshot says; the empty state where there is none, or it is not whole."""
    try:
        raw = snapshot_path(journal).read_bytes()
    except FileNotFoundError:
        return State()
    digest, body = raw[len(_MAGIC) : len(_MAGIC) + 32], raw[len(_MAGIC) + 32 :]
    if not raw.startswith(_MAGIC) or sha256(body).digest() != digest:
        return State()
    kept = msgspec.msgpack.decode(body, type=_Kept)
    books = Books(marks=kept.marks)
    books.balances.update(kept.balances)
    return State(books, Known(kept.known), kept.seq, kept.hash)
