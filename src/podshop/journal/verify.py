"""Everything there is to check of a journal: the chain, every sum and every identity, each row from the first.

Two processes share the work, since both have to look at every row: one hashes, one keeps the books.
"""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from podshop.journal.chain import NOTHING, Head, walk
from podshop.journal.head import create_head, read_head
from podshop.journal.snapshot import State
from podshop.journal.store import check_shape, raw_rows, reading
from podshop.nouns import LedgerError

ALONE = 300_000  # rows up to which a second process takes longer to start than it saves
AGREE_EVERY = 20_000  # rows between two looks at all accounts at once; the identities of a cycle are held at every one
Show: TypeAlias = Callable[[int, int], None]
_Bad: TypeAlias = tuple[int, str]  # number of a row, what is wrong with it


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked.

    rows       how many there are
    sha256     hash of the last row, hex: kept elsewhere, it shows that nobody hashed the chain anew
    books      hash of the books that the facts lead to, hex; None where a row is bad
    first_bad  number of the first bad row, None where all are good; 0 = the file as a whole
    why        what is wrong with it
    """

    rows: int
    sha256: str
    books: str | None
    first_bad: int | None
    why: str


def _silent(done: int, total: int) -> None:
    """Show nothing."""


def verify(path: Path, show: Show = _silent) -> Verified:
    """Check a journal from its first row, beside a writer if there is one. Raises LedgerError where there is none."""
    with reading(path) as db:
        try:
            check_shape(db, path)
            known = read_head(path)
            last = _last(db)
        except LedgerError as e:
            return Verified(0, "", None, 0, str(e))
    if last <= ALONE:
        bad_link, bad_fact = chain_error(path, last, known), _books_error(path, last, show)
    else:
        with ProcessPoolExecutor(1, get_context("spawn")) as other:
            waiting = other.submit(chain_error, path, last, known)
            bad_fact = _books_error(path, last, show)
            bad_link = waiting.result()
    wrong, state = bad_fact
    found = [bad for bad in (bad_link, wrong) if bad is not None]
    if found:
        first = min(found, key=lambda bad: bad[0])
        return Verified(last, state.hash.hex(), None, *first)
    return Verified(last, state.hash.hex(), state.books.sha256(), None, "")


def accept(path: Path) -> Verified:
    """Where every row is good and only the head is missing, damaged or ahead, remember the rows that there are.

    A person does this, knowing that rows at the end may be lost. Raises LedgerError where a row itself is bad.
    """
    with reading(path) as db:
        check_shape(db, path)
        last = _last(db)
    bad_link, (bad_fact, state) = chain_error(path, last, NOTHING), _books_error(path, last, _silent)
    if wrong := bad_link or bad_fact:
        raise LedgerError(f"{path}: row {wrong[0]}: {wrong[1]}: only an older copy of the file helps")
    create_head(path, state.head)
    return verify(path)


def chain_error(path: Path, last: int, known: Head) -> _Bad | None:
    """The first row that does not follow from the one before, or is missing though the head remembers it."""
    with reading(path) as db:
        head, wrong = walk(raw_rows(db, 0, last), NOTHING, known)
    if wrong is None and head.seq < known.seq:
        wrong = f"missing, and {known.seq} rows were once on the disk"
    return None if wrong is None else (head.seq + 1, wrong)


def _books_error(path: Path, last: int, show: Show) -> tuple[_Bad | None, State]:
    """The first fact that contradicts itself or those before, and the books up to there."""
    state, agreed = State(), 0
    try:
        with reading(path) as db:
            for row in raw_rows(db, 0, last):
                state.take(row)
                if row[2] == "nav" and row[0] >= agreed + AGREE_EVERY:
                    state.books.agree()
                    agreed = row[0]
                    show(agreed, last)
            state.books.balance()
    except LedgerError as e:
        return (state.seq + 1, str(e)), state
    return None, state


def _last(db: sqlite3.Connection) -> int:
    """Number of the last row that can be read. Raises LedgerError where none can."""
    try:
        return int(db.execute("SELECT max(seq) FROM journal").fetchone()[0] or 0)
    except (sqlite3.Error, ValueError) as e:
        raise LedgerError(f"the file cannot be read: {e}") from e
