"""The backtest and the gateway agree: decision for decision, dollar for dollar (docs/live.md, section 6)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from podshop.nouns import DAY_NS, utc_ns
from podshop.run.config import Fund, fifty_fund, starter_fund
from podshop.run.world import read_world
from tests.live.gateway.parity import Compared, compare, takers


def compared(fund: Fund, data: Path, since: str, days: int, folder: Path) -> Compared:
    since_ns = utc_ns(datetime.fromisoformat(since).replace(tzinfo=UTC))
    return compare(fund, read_world(fund, data, since_ns, since_ns + days * DAY_NS), folder)


def test_a_week_of_the_starter_fund(shared_data, tmp_path):
    found = compared(takers(starter_fund()), shared_data, "2022-06-10", 7, tmp_path)
    assert found.first == ""
    assert found.off == {}
    assert found.rows["fills"] > 50


@pytest.mark.soak
def test_a_year_of_the_starter_fund(shared_data, tmp_path):
    found = compared(takers(starter_fund()), shared_data, "2022-01-01", 365, tmp_path)
    assert found.first == ""
    assert found.off == {}
    assert found.rows["fills"] > 4_000


@pytest.mark.soak
def test_a_month_of_fifty_agents(shared_data, tmp_path):
    found = compared(takers(fifty_fund()), shared_data, "2023-06-10", 30, tmp_path)
    assert found.first == ""
    assert found.off == {}
