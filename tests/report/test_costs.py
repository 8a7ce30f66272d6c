"""What trading cost adds up, and is what paper made more, to the micro-dollar."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from podshop.nouns import DAY_NS
from podshop.nouns.verdict import COST_GATE
from podshop.report.aggregate import Aggregator, ReportData
from podshop.report.costs import by_month, tables, tca
from podshop.report.shortfall import PARTS
from tests.journal.made_up import BOOKS, HOUR_NS, MARKETS, MadeUp

SINCE_NS = 19_723 * DAY_NS  # 2024-01-01
HOURS = 24 * 40 + 5
BUDGET = {"trend": 0.05, "carry": 0.04}
Columns = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def tables_of() -> dict[str, Columns]:
    return MadeUp(seed=11).run(SINCE_NS, cycles=HOURS)


def gathered(tables: dict[str, Columns], *cuts: float) -> ReportData:
    aggregator = Aggregator(BOOKS[:-1], MARKETS, SINCE_NS, SINCE_NS + HOURS * HOUR_NS)
    for a, b in pairwise([0.0, *cuts, 1.0]):
        for table, columns in tables.items():
            if table != "markets":
                count = len(columns["seq"])
                aggregator.add(table, {n: column[round(a * count) : round(b * count)] for n, column in columns.items()})
    return aggregator.gather()


def test_paper_less_the_book_is_the_shortfall(tables_of: dict[str, Columns]) -> None:
    """Against a plain loop over every wish and fill, which knows no shortfall."""
    lots, cash, wished, paper = (defaultdict(int) for _ in range(4))
    rows = [("wishes", i) for i in range(len(tables_of["wishes"]["seq"]))]
    rows += [("fills", i) for i in range(len(tables_of["fills"]["seq"]))]
    rows.sort(key=lambda row: tables_of[row[0]]["seq"][row[1]])
    for table, i in rows:
        row = {name: int(column[i]) for name, column in tables_of[table].items() if name != "price"}
        key = row["book"], row["market"]
        if table == "wishes":
            paper[key] -= (row["wished_lots"] - wished[key]) * row["mark_micro"]
            wished[key] = row["wished_lots"]
        else:
            lots[key] += row["lots"]
            cash[key] += row["cash_micro"]
    marks = tables_of["marks"]
    mark = dict(zip(marks["market"][-3:].tolist(), marks["mark_micro"][-3:].tolist(), strict=True))
    more = dict.fromkeys(range(2), 0)
    for b, m in wished:
        more[b] += paper[b, m] + wished[b, m] * mark[m] - cash[b, m] - lots[b, m] * mark[m]
    told = tca(gathered(tables_of), BUDGET)
    assert told["residual_micro"] == 0
    for b, name in enumerate(BOOKS[:2]):
        assert round(told["by_agent"][name]["shortfall"] * 1e6) == more[b] != 0


@pytest.mark.parametrize(
    ("table", "column"),
    [("wishes", "wished_lots"), ("wishes", "mark_micro"), ("fills", "price_micro"), ("fills", "fee_micro"),
     ("fills", "lots"), ("costs", "shortfall_micro")],
)  # fmt: skip
def test_one_micro_dollar_or_lot_elsewhere_leaves_a_residual(
    tables_of: dict[str, Columns], table: str, column: str
) -> None:
    moved = {name: values.copy() for name, values in tables_of[table].items()}
    moved[column][17] += 1
    assert tca(gathered(tables_of | {table: moved}), BUDGET)["residual_micro"] > 0


def test_a_wish_is_followed_across_chunks(tables_of: dict[str, Columns]) -> None:
    whole = tca(gathered(tables_of), BUDGET)
    assert tca(gathered(tables_of, 0.01, 0.2, 0.2, 0.77), BUDGET) == whole
    assert whole["residual_micro"] == 0


def test_parts_agents_markets_and_days_come_to_the_same_sum(tables_of: dict[str, Columns]) -> None:
    data = gathered(tables_of)
    told = tca(data, BUDGET)
    total = told["total"]
    assert total["shortfall"] == pytest.approx(sum(total[part] for part in PARTS), abs=1e-6)
    for key in (*PARTS, "shortfall", "funding", "crossing_saved", "traded"):
        assert total[key] != 0
        for by in ("by_agent", "by_market"):
            assert sum(row[key] for row in told[by].values()) == pytest.approx(total[key], abs=1e-6)
    for name, each in data.trading.by_day.items():
        assert np.array_equal(each.sum(axis=0), data.trading.by_market[name].sum(axis=1)), name
    assert total["fee"] == pytest.approx(data.costs_usd()["fees"])
    assert total["half_spread"] + total["impact"] == pytest.approx(data.costs_usd()["slippage"])
    assert total["funding"] == pytest.approx(-data.costs_usd()["funding"])
    assert total["bps"] == pytest.approx(1e4 * total["shortfall"] / total["traded"])
    assert told["days"] == 41


def test_a_row_of_midnight_belongs_to_the_day_that_ends(tables_of: dict[str, Columns]) -> None:
    """Day by day, the fees of the rows of costs are the fees of that day's fills."""
    data = gathered(tables_of)
    assert np.array_equal(data.trading.by_day["fee"], data.fees)
    assert np.array_equal(data.trading.by_day["funding"], -data.funding)
    assert np.count_nonzero(data.fees.sum(axis=1)) > 30


def test_a_budget_is_spent_by_fees_and_slippage_of_the_capital_and_the_time_there_was(
    tables_of: dict[str, Columns],
) -> None:
    """By hand: capital of each midnight, held for its day, the last for five hours."""
    told = tca(gathered(tables_of), BUDGET)
    for b, name in enumerate(BOOKS[:2]):
        row, of = told["by_agent"][name], tables_of["books"]["book"] == b
        capital = tables_of["books"]["capital_micro"][of] / 1e6
        years = np.append(np.full(40, 1.0), 5 / 24) / 365
        spent = row["fee"] + row["half_spread"] + row["impact"]
        assert row["spent"] == pytest.approx(spent / (capital * years).sum())
        assert row["cost_budget"] == BUDGET[name]
    shown = tables({"tca": told})
    assert shown is not None
    assert [row["share"] for row in shown["agents"]] == [
        pytest.approx(told["by_agent"][name]["spent"] / BUDGET[name]) for name in BUDGET
    ]


def test_orders_held_back_are_counted_for_their_agent(tables_of: dict[str, Columns]) -> None:
    verdicts = {name: column.copy() for name, column in tables_of["verdicts"].items()}
    verdicts["book"][[3, 5, 8]] = (0, 1, 1)
    verdicts["code"][[3, 5, 8]] = COST_GATE
    told = tca(gathered(tables_of | {"verdicts": verdicts}), BUDGET)
    assert told["by_agent"]["trend"]["held_back"] == {"COST_GATE": 1, "COST_BUDGET": 0}
    assert told["by_agent"]["carry"]["held_back"]["COST_GATE"] == 2


def test_months_are_drawn_as_boxes_and_a_line(tables_of: dict[str, Columns]) -> None:
    drawn = by_month(gathered(tables_of))
    boxes, line = drawn.shapes
    assert boxes.path.count("Z") == 2
    assert line.path.count("L") == 1
    assert [shape.label for shape in drawn.shapes] == ["fees, half-spread and impact", "whole shortfall"]
