"""The same fund on the same history decides the same, to the byte, however the work is cut up and whoever does it."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from podshop.journal.audit import audit
from podshop.nouns import DAY_NS, HOUR_NS, utc_ns
from podshop.run import loop
from podshop.run.backtest import backtest
from podshop.run.config import Fund, starter_fund
from podshop.run.state import Rows, new_rows
from tests.run.given import quietly

SINCE_NS, UNTIL_NS = (
    utc_ns(at) for at in (datetime(2022, 5, 10, 5, tzinfo=UTC), datetime(2022, 6, 20, 11, tzinfo=UTC))
)

ALONE = """
import sys
from pathlib import Path
from podshop.run.backtest import backtest
from podshop.run.config import starter_fund
data, since, until = sys.argv[1:]
print(backtest(starter_fund(), Path(data), int(since), int(until), None, lambda *a: None)["decisions_sha256"])
"""


@pytest.fixture(scope="module")
def fund() -> Fund:
    return starter_fund()


def sha(fund: Fund, data: Path, out: Path | None = None, since_ns: int = SINCE_NS) -> str:
    return str(backtest(fund, data, since_ns, UNTIL_NS, out, quietly)["decisions_sha256"])


@pytest.fixture(scope="module")
def expected(fund: Fund, shared_data: Path) -> str:
    return sha(fund, shared_data)


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_in_another_process_with_other_hashes(shared_data: Path, expected: str, seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(shared_data), str(SINCE_NS), str(UNTIL_NS)],
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == expected


def test_with_a_record_or_without(fund: Fund, shared_data: Path, expected: str, tmp_path: Path) -> None:
    assert sha(fund, shared_data, tmp_path) == expected
    assert audit(tmp_path).first is None


@pytest.mark.parametrize("stretch_ns", [HOUR_NS, DAY_NS, 11 * DAY_NS, 90 * DAY_NS])
def test_however_long_the_stretches(
    fund: Fund, shared_data: Path, expected: str, stretch_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "stretch_ns", lambda interval_ns: stretch_ns)
    assert sha(fund, shared_data) == expected


def test_with_room_for_few_rows(
    fund: Fund, shared_data: Path, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Four cycles' rows fill the buffer: it is emptied hundreds of times, and the record stays in order."""
    made: list[Rows] = []

    def small(markets: int, books: int, cycles: int) -> Rows:
        made.append(new_rows(markets, books, cycles, least=1))
        return made[-1]

    monkeypatch.setattr(loop, "new_rows", small)
    assert sha(fund, shared_data, tmp_path) == expected
    assert len(made[0].fills) <= 4 * 4 * 5 * 4
    assert audit(tmp_path).first is None


def test_another_fund_or_period_has_another_hash(fund: Fund, shared_data: Path, expected: str) -> None:
    assert sha(fund, shared_data, since_ns=SINCE_NS + DAY_NS) != expected
