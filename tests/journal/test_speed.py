"""How quick the journal is; the figures of docs/ledger.md come from a year of it, made the same way."""

from pathlib import Path
from time import perf_counter, process_time

import pytest

from podshop.journal.chain import NOTHING
from podshop.journal.keeper import Keeper
from podshop.journal.verify import _books_error, _silent, chain_error, verify
from tests.ledger.fund_facts import Telling

MARKETS = tuple(f"M{n}" for n in range(12))
BOOKS = tuple(f"agent_{n}" for n in range(20))


def told(path: Path, cycles: int) -> tuple[int, float]:
    """Write a fund of 12 markets and 20 books, a commit each cycle; answers facts and the seconds they took."""
    facts, spent = 0, 0.0
    with Keeper(path, create=True) as books:
        for batch in Telling(1, MARKETS, BOOKS).cycles(cycles):
            began = perf_counter()
            facts = books.append(batch)
            spent += perf_counter() - began
    return facts, spent


def test_two_thousand_facts_a_second_are_written_cycle_by_cycle(tmp_path):
    facts, spent = told(tmp_path / "j", 100)
    assert facts > 5_000
    assert facts / spent > 2_000


@pytest.mark.soak
def test_a_million_rows_are_verified_at_two_hundred_thousand_a_second(tmp_path):
    """Each of the two processes that share the work is held to the figure, by the time it computes."""
    path = tmp_path / "j"
    facts, _ = told(path, 12_000)
    assert facts > 1_000_000
    found = verify(path)
    assert (found.rows, found.first_bad) == (facts, None)
    began = process_time()
    assert chain_error(path, facts, NOTHING) is None
    hashed = process_time()
    assert _books_error(path, facts, _silent)[0] is None
    assert facts / (hashed - began) > 200_000
    assert facts / (process_time() - hashed) > 200_000
    began = perf_counter()
    Keeper(path).close()
    assert perf_counter() - began < 3
