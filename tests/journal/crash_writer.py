"""A process that writes a journal until it is killed: `python crash_writer.py JOURNAL HOW`.

Batch n is a Signals that says how many facts follow, and these. After each batch that `append` returned from, the
process prints its number. HOW is honest, or one of the mutants: `single` writes each fact in a transaction of its own,
`early` prints before it writes.
"""

import os
import sys
from itertools import count
from pathlib import Path

from podshop.journal.keeper import Keeper
from podshop.journal.store import reading, rows
from podshop.ledger.facts import Deposit, Signals


def batch(n: int) -> list:
    """1 to 40 facts, of up to some kilobytes, so that a batch may fill several pages."""
    size = 1 + n * 7 % 40
    text = "x" * (n * 131 % 300)
    return [(n, Signals(n, str(size))), *((n, Deposit(f"{n}-{i}-{text}", "house", n + i)) for i in range(size))]


def main(path: Path, how: str) -> None:
    with Keeper(path, create=not path.exists()) as journal:
        with reading(path) as db:
            first = max((row.at_ns for row in rows(db)), default=0) + 1
        os.write(1, b"ready\n")
        for n in count(first):
            if how == "early":
                os.write(1, b"%d\n" % n)
            if how == "single":
                for fact in batch(n):
                    journal.append([fact])
            else:
                journal.append(batch(n))
            if how != "early":
                os.write(1, b"%d\n" % n)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
