"""What netting, the buffer and the cost gate save: by hand on a few fills, and as a whole on the simulated exchange."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podshop.nouns import DAY_NS
from podshop.nouns.verdict import CROSS_FILL, HOUSE_FILL, MAKER_FILL, SETTLEMENT_FILL, VENUE_FILL
from podshop.research.costs_page import fees_table, found_in, gate_table
from podshop.research.netting import costs, fee_alone
from podshop.run.backtest import market_facts
from podshop.run.config import starter_fund
from podshop.run.config.sections import Fund
from podshop.run.loop import Run
from podshop.run.opinions import seats
from podshop.run.world import SIMULATED_SINCE_NS, World, read_world

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "costs.md"
PAYING = (VENUE_FILL, CROSS_FILL, MAKER_FILL)


def quiet(done: int, total: int, text: str) -> None:
    """Progress that nobody watches."""


def gated() -> Fund:
    """The starter, with one book that waits; the others ask whether a trade is worth it."""
    fund = starter_fund()
    first, *others = fund.mandates
    asking = [replace(m, cost_factor=1.5, cost_budget=0.02, buffer=0.2) for m in others]
    return replace(fund, mandates=(replace(first, style="maker", buffer=0.2), *asking))


@pytest.fixture(scope="module")
def world() -> World:
    """A hundred days of the simulated exchange."""
    return read_world(starter_fund(), None, SIMULATED_SINCE_NS, SIMULATED_SINCE_NS + 100 * DAY_NS)


@pytest.fixture(scope="module")
def found(world: World) -> dict[str, Any]:
    return costs(gated(), world, quiet)


def test_alone_every_lot_pays_the_takers_fee() -> None:
    """4.5 bps of 2 USD is 900 micro-dollars; a fraction of a micro-dollar is paid whole, once for each fill."""
    kinds = (VENUE_FILL, CROSS_FILL, MAKER_FILL, SETTLEMENT_FILL, HOUSE_FILL)
    fills = {"kind": np.array(kinds), "lots": np.array([2, -2, 2, 2, 2]), "price_micro": np.full(5, 1_000_000)}
    assert fee_alone(fills, 4.5) == 3 * 900
    assert fee_alone(fills | {"price_micro": np.full(5, 1_000_001)}, 4.5) == 3 * 901
    assert fee_alone({name: column[3:] for name, column in fills.items()}, 4.5) == 0


def test_fees_without_netting_are_those_of_a_plain_loop_over_the_fills(world: World, found: dict[str, Any]) -> None:
    fund, times, fills = gated(), world.decision_times(), []

    class Fills:
        def write(self, table: str, columns: Any, /) -> None:
            if table == "fills":
                names = ("kind", "lots", "price_micro", "fee_micro")
                fills.extend(zip(*(columns[name].tolist() for name in names), strict=True))

    facts = market_facts(fund, world.market, world.funding)
    Run(fund, facts, seats(world.market, fund.signals, fund.confidence), Fills()).run(times, quiet)
    alone = -sum(-abs(lots) * price * 45_000 // 10**8 for kind, lots, price, _ in fills if kind in PAYING)
    assert {kind for kind, *_ in fills} >= set(PAYING)
    assert round(found["fees"]["with_gate"]["buffer_alone"]["fees"] * 1e6) == alone
    assert round(found["fees"]["with_gate"]["netting_and_buffer"]["fees"] * 1e6) == sum(fee for *_, fee in fills)


@pytest.mark.parametrize("gate", ["with_gate", "without_gate"])
def test_each_saves_and_both_save_most(found: dict[str, Any], gate: str) -> None:
    cases = found["fees"][gate]
    fees = {case: row["fees"] for case, row in cases.items()}
    assert fees["netting_and_buffer"] < fees["buffer_alone"] < fees["neither"]
    assert fees["netting_and_buffer"] < fees["netting_alone"] < fees["neither"]
    for case, row in cases.items():
        assert row["times"] == pytest.approx(fees[case] / fees["netting_and_buffer"])
    assert cases["neither"]["traded"] > cases["buffer_alone"]["traded"]


def test_books_and_the_fund_tell_the_same(found: dict[str, Any]) -> None:
    """But for the house, which here has only the rounding of funding."""
    for gate in ("with_gate", "without_gate"):
        for total, book in (("net", "book_net"), ("costs", "book_costs")):
            assert sum(row[gate][book] for row in found["mandates"]) == pytest.approx(
                found["totals"][gate][total], abs=0.01
            )


def test_the_gate_holds_back_and_keeps_to_the_budget(found: dict[str, Any]) -> None:
    """The book that never asks trades alike with and without; the others spend less, and what they may."""
    never, *asking = found["mandates"]
    for key in ("shadow_net", "shadow_costs", "held_back"):
        assert never["with_gate"][key] == never["without_gate"][key]
    for row in asking:
        assert row["with_gate"]["held_back"] > 0 == row["without_gate"]["held_back"]
        assert row["with_gate"]["shadow_costs"] < row["without_gate"]["shadow_costs"]
        assert row["with_gate"]["within_budget"]
    assert found["totals"]["with_gate"]["costs"] < found["totals"]["without_gate"]["costs"]


def test_a_budget_that_is_too_small_is_seen(world: World) -> None:
    """Without the gate, costs are held against the budget that the fund file names."""
    fund = starter_fund()
    poor = replace(fund, mandates=tuple(replace(m, cost_budget=1e-6) for m in fund.mandates))
    rows = costs(poor, world, quiet)["mandates"]
    assert not any(row["without_gate"]["within_budget"] for row in rows if row["without_gate"]["shadow_costs"] > 0)


def test_tables_say_who_spent_too_much(found: dict[str, Any]) -> None:
    assert "Over their budget with the gate: nobody; without:" in gate_table(found)
    over = found["mandates"][1]["with_gate"] | {"within_budget": False}
    name = found["mandates"][1]["name"]
    spoilt = [found["mandates"][0], found["mandates"][1] | {"with_gate": over}, *found["mandates"][2:]]
    assert f"with the gate: {name};" in gate_table(found | {"mandates": spoilt})
    times = found["fees"]["with_gate"]["neither"]["times"]
    assert f"would pay {times:.1f} times its fees" in fees_table(found)


def test_the_worked_example_of_the_page_adds_up() -> None:
    """Every figure of its table, traded on paper and by the book, and taken apart by hand."""
    section = PAGE.read_text(encoding="utf-8").partition("## One day of one agent")[2].partition("## Where")[0]
    rows = [
        [cell.strip().replace(",", "") for cell in line.split("|")[1:-1]]
        for line in section.splitlines()
        if "|" in line
    ]
    paper = wished = held = book = slip = fees = half = opportunity = 0
    decided = 0
    for _, what, lots, price, reference, fee in rows[2:]:
        if what.startswith("wishes"):
            opportunity += (wished - held) * (int(price) - decided)
            paper -= (int(lots) - wished) * int(price)
            wished, decided = int(lots), int(price)
        else:
            held += int(lots)
            book -= int(lots) * int(price) + int(fee)
            slip += int(lots) * (int(price) - int(reference))
            fees += int(fee)
            at_mid = abs(int(lots)) * int(reference) // 10_000
            half += int(lots) * (int(price) - int(reference)) if "maker" in what else at_mid if "venue" in what else 0
            assert int(reference) == decided  # so that there is no delay
    assert (wished, held) == (0, 0)
    assert paper - book == slip + fees + opportunity
    told = {int(figure.replace(",", "")) for figure in re.findall(r"-?\d[\d,]*\d", section)}
    assert {paper, book, paper - book, half, slip - half, fees, opportunity} <= told


@pytest.mark.soak
def test_the_page_says_what_was_measured(shared_data: Path) -> None:
    """Real history: both tables of docs/costs.md, and that with the gate nobody spends more than its budget."""
    found = found_in(ROOT / "funds" / "fifty.toml", shared_data)
    page = PAGE.read_text(encoding="utf-8")
    assert fees_table(found) in page
    assert gate_table(found) in page
    assert "with the gate: nobody" in gate_table(found)
