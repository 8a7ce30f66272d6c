"""The bookkeeper: the journal's one writer, with the books that its facts lead to always at hand."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from podshop.journal.chain import Head, Row, row_hash
from podshop.journal.facts import Fact, written
from podshop.journal.snapshot import State, load, save
from podshop.journal.store import Journal, raw_rows, reading
from podshop.ledger.books import Books
from podshop.ledger.facts import Deposit, Fee, Fill, Funding
from podshop.nouns import LedgerError

SNAPSHOT_EVERY = 50_000  # rows: folded in a fifth of a second

VenueFact = Fill | Funding | Fee | Deposit


class Keeper:
    """Opens a journal with its books, appends to both, and keeps snapshots."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.state = load(path) if not create else State()
        try:
            self._journal = Journal(path, create=create, trusted=self.state.head)
        except LedgerError:
            if not self.state.seq:
                raise
            self.state = State()  # a snapshot of another journal, such as one restored from a backup, proves nothing
            self._journal = Journal(path)
        try:
            self._kept = self.state.seq
            self._fold()
        except BaseException:
            self._journal.close()
            raise

    @property
    def books(self) -> Books:
        """What the facts so far lead to."""
        return self.state.books

    def append(self, facts: Sequence[tuple[int, Fact]]) -> int:
        """Write facts, all or none, then take them into the books; answers the number of the last row.

        Raises LedgerError where the disk refused them, or where they are written and contradict the books: what is in
        the journal stays there, and `podshop ledger verify` names it.
        """
        last = self._journal.append(facts)
        self._fold()
        return last

    def absorb(self, facts: Iterable[tuple[int, VenueFact]]) -> int:
        """Write those facts of the venue's history that are not in the journal yet; answers how many were new.

        Raises LedgerError, having written nothing, where the venue now says something else of an id it used before.
        """
        new: dict[tuple[str, str], tuple[int, VenueFact]] = {}
        for at_ns, fact in facts:
            kind, _, body = written(fact)
            if not self.state.known.has(kind, fact.venue_id, body):
                _, first = new.setdefault((kind, fact.venue_id), (at_ns, fact))
                if first != fact:
                    raise LedgerError(f"{kind} {fact.venue_id!r} is two things in one history: {first} and {fact}")
        self.append(list(new.values()))
        return len(new)

    @property
    def head(self) -> Head:
        """Number and hash of the last row."""
        return self._journal.head

    def row(self, seq: int) -> Row:
        """A row as it is on the disk, its seal checked. Raises LedgerError where it is not there or broken."""
        raw = next(iter(self._journal.raw_rows(seq - 1, seq)), None)
        row = None if raw is None else Row._make(raw)
        if row is None or row.seq != seq or row.hash != row_hash(row.prev, *row[:5]):
            raise LedgerError(f"row {seq} of the journal cannot be read back")
        return row

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Rows as they are on the disk, in order, from the one after `after`."""
        return map(Row._make, self._journal.raw_rows(after))

    def last(self, kind: str) -> Row | None:
        """The latest row of a kind, looked for from the end."""
        return self._journal.last(kind)

    def close(self) -> None:
        """Keep a snapshot and let the next writer in."""
        if self.state.seq > self._kept:
            save(self.state, self._journal.path)
        self._journal.close()

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            self._journal.close()

    def _fold(self) -> None:
        """Take the rows that are in the journal and not yet in the books."""
        if self.state.seq < self._journal.head.seq:
            for row in self._journal.raw_rows(self.state.seq):
                self.state.take(row)
        if self.state.seq >= self._kept + SNAPSHOT_EVERY:
            save(self.state, self._journal.path)
            self._kept = self.state.seq


def rebuild(path: Path) -> State:
    """The books from the first row, without any snapshot, beside a writer."""
    state = State()
    with reading(path) as db:
        for row in raw_rows(db):
            state.take(row)
    return state
