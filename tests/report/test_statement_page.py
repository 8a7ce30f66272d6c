"""A statement as a page and as CSV, and a tear sheet as a page: whole, readable, and saying what they are."""

import csv
import io
import re

import pytest

from podshop.nouns import DAY_NS
from podshop.report import statement_page, tear_page
from podshop.report.plain import plain
from podshop.report.statement import PNL, statement
from podshop.report.tear import tear
from tests.journal.made_up import HOUR_NS
from tests.report.accounted import SINCE_NS, Columns, made, record_of
from tests.report.test_page import Tags

HOURS = 24 * 100
SIGNATURE = {
    "inputs_sha256": "a" * 64, "figures_sha256": "b" * 64, "record_package_sha256": "c" * 64,
    "package_sha256": "d" * 64,
}  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> dict[str, Columns]:
    return made(HOURS)


@pytest.fixture(scope="module")
def told(tables: dict[str, Columns]) -> dict:
    return statement(record_of(tables), SINCE_NS + 40 * DAY_NS, SINCE_NS + 41 * DAY_NS) | {"signature": SIGNATURE}


def sheet(tables: dict[str, Columns], since: int, until: int) -> dict:
    record = record_of(tables)
    found = statement(record, since, until)
    more = {"signature": SIGNATURE, "title": "since inception", "trials": "not counted before the trials ledger"}
    return found | more | {"tear": plain(tear(record, found, since, until))}


def text_of(page: str) -> str:
    body = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(body.split())


def test_the_page_is_one_whole_file(told: dict) -> None:
    page = statement_page.page(told)
    tags = Tags(page)
    assert tags.open == []
    assert not {"script", "link", "img", "iframe"} & {name for name, _ in tags.seen}
    assert "made up &lt;&amp;&gt; whole" in page
    assert not re.search(r"nan|None|inf\b|Undefined", text_of(page))


def test_the_page_says_what_it_is(told: dict) -> None:
    text = text_of(statement_page.page(told))
    assert "SIMULATED DATA: not performance" in text
    assert "Saturday 2024-02-10" in text
    assert "1h bars" in text
    assert "Every figure is net of fees, slippage and funding" in text
    assert "The books close" in text
    assert f"${told['nav']['close_micro'] / 1e6:,.2f}" in text
    for value in SIGNATURE.values():
        assert value in text
    assert "SIMULATED" not in statement_page.page(told | {"simulated": False})


def test_books_that_do_not_close_are_said_first(told: dict) -> None:
    broken = told | {"residuals": told["residuals"] | {"nav_micro": 7, "all_zero": False}}
    text = text_of(statement_page.page(broken))
    assert "THE BOOKS DO NOT CLOSE" in text
    assert "7 micro-dollars" in text


def test_an_agent_that_did_nothing_is_named_in_a_line(told: dict) -> None:
    idle = {**dict.fromkeys((f"{name}_micro" for name in PNL), 0), "name": "sleeper", "family": "x", "horizon": None}
    pnl = told["pnl"] | {"by_agent": [*told["pnl"]["by_agent"], idle]}
    assert "Nothing held and nothing traded: house, sleeper." in text_of(statement_page.page(told | {"pnl": pnl}))


def test_the_csv_holds_every_figure_exactly(told: dict) -> None:
    rows = list(csv.DictReader(io.StringIO(statement_page.csv(told))))
    found = {(row["section"], row["name"], row["market"], row["measure"]): row["value"] for row in rows}
    assert len(found) == len([row for row in rows if row["section"] != "move"]) + len(
        {(row["name"], row["measure"]) for row in rows if row["section"] == "move"}
    )
    pnl = told["pnl"]
    for part in PNL:
        assert int(found["pnl by fund", "", "", part]) == pnl["total"][f"{part}_micro"]
        for section in ("agent", "family", "market", "agent and market"):
            values = [
                int(row["value"]) for row in rows if row["section"] == f"pnl by {section}" and row["measure"] == part
            ]
            assert sum(values) == pnl["total"][f"{part}_micro"], section
    assert int(found["nav", "", "", "close"]) == told["nav"]["close_micro"]
    assert float(found["nav", "", "", "drawdown"]) == told["nav"]["drawdown"]
    assert found["run", "", "", "fund"] == "made up <&> whole"
    assert found["agent", "trend", "", "family"] == "momentum"
    assert {row["unit"] for row in rows if row["section"].startswith("pnl")} == {"micro-USD"}
    assert found["residual", "trend", "", "books"] == "0"


def test_a_cell_with_a_comma_is_quoted(told: dict) -> None:
    rows = list(csv.DictReader(io.StringIO(statement_page.csv(told | {"fund": 'a, "b"'}))))
    assert [row["value"] for row in rows if (row["section"], row["measure"]) == ("run", "fund")] == ['a, "b"']


def test_a_tear_sheet_is_whole_and_says_period_interval_and_net_beside_every_figure(tables: dict[str, Columns]) -> None:
    page = tear_page.page(sheet(tables, SINCE_NS, SINCE_NS + HOURS * HOUR_NS))
    tags = Tags(page)
    assert tags.open == []
    assert not re.search(r"nan|None|inf\b|Undefined", text_of(page))
    tiles = re.findall(r'<div class="figure[^"]*">(.*?)</div>', page, re.DOTALL)
    assert len(tiles) == 10
    for tile in tiles:
        assert "2024-01-01 to 2024-04-10, 1h bars" in tile
        assert "net" in tile or "Turnover" in tile or "Capacity" in tile
    text = text_of(page)
    assert "SIMULATED DATA: not performance" in text
    assert "90 % interval" in text
    assert "trials: not counted before the trials ledger" in text
    assert page.count("<svg") == 5
    assert "K = C (G / 2I)" in text


def test_a_short_stretch_says_what_it_cannot_know(tables: dict[str, Columns]) -> None:
    text = text_of(tear_page.page(sheet(tables, SINCE_NS, SINCE_NS + 20 * DAY_NS)))
    assert "no interval: fewer than 30 daily returns" in text
    assert "The run has fewer than 90 days until here" in text


def test_hours_have_no_daily_returns(tables: dict[str, Columns]) -> None:
    text = text_of(tear_page.page(sheet(tables, SINCE_NS + HOUR_NS, SINCE_NS + 5 * HOUR_NS)))
    assert "Days – up" in text
