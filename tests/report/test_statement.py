"""Every number of a statement again by another route, and every kind of error leaves a residual."""

import json
from itertools import pairwise

import numpy as np
import pytest

from podshop.nouns import DAY_NS, DataError, utc_text
from podshop.report import accounts
from podshop.report.moves import shadow_returns
from podshop.report.statement import PNL, statement
from tests.journal.made_up import BOOKS, HOUR_NS, MARKETS
from tests.report.accounted import SINCE_NS, Columns, Slow, made, record_of

HOURS = 24 * 36 + 5  # the last day is a part of one
END_NS = SINCE_NS + HOURS * HOUR_NS
DAYS = [*range(SINCE_NS, END_NS, DAY_NS), END_NS]


@pytest.fixture(scope="module")
def tables() -> dict[str, Columns]:
    return made(HOURS)


@pytest.fixture(scope="module")
def slow(tables: dict[str, Columns]) -> Slow:
    return Slow(tables)


@pytest.fixture(scope="module")
def days(tables: dict[str, Columns]) -> list[dict]:
    record = record_of(tables)
    return [statement(record, day, day + DAY_NS) for day in DAYS[:-1]]


def cells(told: dict) -> dict[tuple[str, str], dict]:
    return {(row["name"], row["market"]): row for row in told["pnl"]["by_agent_and_market"]}


def test_every_cell_is_what_a_walk_over_the_rows_finds(days: list[dict], slow: Slow) -> None:
    seen = 0
    for told, (since, until) in zip(days, pairwise(DAYS), strict=True):
        found = cells(told)
        for b, book in enumerate(BOOKS):
            for m, market in enumerate(MARKETS):
                row = found.get((book, market), {})
                for name in ("price", "funding", "fees", "slippage", "traded", "crossed"):
                    right = slow.between(name, since, until, b, m)
                    assert row.get(f"{name}_micro", 0) == right, (told["period"]["date"], book, market, name)
                    seen += right != 0
    assert seen > 500


def test_sums_are_exact_four_ways_and_are_the_change_of_nav(days: list[dict], slow: Slow) -> None:
    for told, (since, until) in zip(days, pairwise(DAYS), strict=True):
        pnl, nav = told["pnl"], told["nav"]
        for name in PNL:
            key = f"{name}_micro"
            sums = {by: sum(row[key] for row in pnl[by]) for by in pnl if by != "total"}
            assert set(sums.values()) == {pnl["total"][key]}, (name, sums)
        for rows in (*(pnl[by] for by in pnl if by != "total"), [pnl["total"]]):
            for row in rows:
                kept = row["price_micro"] + row["funding_micro"] - row["fees_micro"] - row["slippage_micro"]
                assert row["net_micro"] == kept
        assert (nav["open_micro"], nav["close_micro"]) == (slow.at[since]["nav"], slow.at[until]["nav"])
        assert nav["close_micro"] - nav["open_micro"] == pnl["total"]["net_micro"] == nav["pnl_micro"] != 0
        assert nav["deposits_micro"] == 0  # made an hour before the first day
        assert nav["return"] == pytest.approx(slow.at[until]["nav"] / slow.at[since]["nav"] - 1, abs=1e-15)


def test_days_add_up_to_the_run(days: list[dict], tables: dict[str, Columns]) -> None:
    whole = statement(record_of(tables), SINCE_NS, END_NS)
    for name in PNL:
        key = f"{name}_micro"
        assert whole["pnl"]["total"][key] == sum(told["pnl"]["total"][key] for told in days) != 0
    assert whole["pnl"]["total"]["crossing_saved_micro"] == tables["costs"]["saved_micro"].sum()
    assert whole["moves"] == []  # of a day only
    assert whole["residuals"]["all_zero"]
    assert set(whole["residuals"]["daily_rows_micro"].values()) == {0}


def test_what_crossing_saved_goes_to_the_day_of_the_crossing(tables: dict[str, Columns], days: list[dict]) -> None:
    """As the made-up fund reckons it: six basis points of what crossed, each side."""
    fills = tables["fills"]
    crossed = fills["kind"] == 1
    assert (crossed & (fills["time"] % DAY_NS == 0)).any()  # after the row of costs of that midnight
    for told, (since, until) in zip(days, pairwise(DAYS), strict=True):
        now = np.flatnonzero(crossed & (fills["time"] >= since) & (fills["time"] < until))
        saved = sum(round(abs(int(fills["lots"][i])) * int(fills["reference_micro"][i]) * 6e-4) for i in now)
        assert told["pnl"]["total"]["crossing_saved_micro"] == saved


def test_books_go_from_equity_to_equity(days: list[dict], slow: Slow) -> None:
    for told, (since, until) in zip(days, pairwise(DAYS), strict=True):
        for b, row in enumerate(told["books"]):
            assert row["name"] == BOOKS[b]
            assert (row["open_micro"], row["close_micro"]) == (slow.at[since]["equity"][b], slow.at[until]["equity"][b])
            assert row["transfers_micro"] == slow.at[until]["moved"].get(b, 0) - slow.at[since]["moved"].get(b, 0)
            assert row["close_micro"] == row["open_micro"] + row["transfers_micro"] + row["net_micro"]


def test_families_are_their_agents(days: list[dict]) -> None:
    for told in days:
        by_agent = {row["name"]: row["net_micro"] for row in told["pnl"]["by_agent"]}
        by_family = {row["name"]: row["net_micro"] for row in told["pnl"]["by_family"]}
        assert by_family == {
            "momentum": by_agent["trend"], "funding": by_agent["carry"], "house": by_agent["house"],
        }  # fmt: skip


def test_exposure_is_that_of_the_lots_at_the_end(days: list[dict], slow: Slow) -> None:
    for told, until in zip(days, DAYS[1:], strict=True):
        now = slow.at[until]
        value = {MARKETS[m]: lots * now["mark"][m] for m, lots in now["lots"].items() if lots}
        assert {row["name"]: row["value_micro"] for row in told["exposure"]["markets"]} == value
        assert [abs(row["value_micro"]) for row in told["exposure"]["markets"]] == sorted(map(abs, value.values()))[
            ::-1
        ]
        assert told["exposure"]["gross"] == pytest.approx(sum(map(abs, value.values())) / now["nav"])
        assert told["exposure"]["net"] == pytest.approx(sum(value.values()) / now["nav"])


def test_limits_are_used_at_the_end_and_at_most(days: list[dict], slow: Slow, tables: dict[str, Columns]) -> None:
    for told, (since, until) in zip(days, pairwise(DAYS), strict=True):
        limits = {row["name"]: row for row in told["limits"]}
        assert set(limits) == {"max_var", "max_gross", "max_weight"}
        shares = {
            (at, MARKETS[m]): abs(lots * slow.at[at]["mark"][m]) / slow.at[at]["nav"]
            for at in range(since, until + 1, HOUR_NS)
            for m, lots in slow.at[at]["lots"].items()
        }
        highest = max(shares, key=lambda key: shares[key])
        row = limits["max_weight"]
        assert (row["highest"], row["highest_of"]) == (pytest.approx(shares[highest]), highest[1])
        assert row["used"] == pytest.approx(max(shares[until, market] for market in MARKETS))
        assert row["share"] == pytest.approx(row["highest"] / 0.05)
        gross = [sum(shares[at, market] for market in MARKETS) for at in range(since, until + 1, HOUR_NS)]
        assert limits["max_gross"]["highest"] == pytest.approx(max(gross))
        assert limits["max_gross"]["used"] == pytest.approx(gross[-1])
        nav = tables["nav"]
        inside = (nav["time"] >= since) & (nav["time"] <= until)
        assert limits["max_var"]["highest"] == nav["var"][inside].max()


def test_high_water_mark_and_drawdown(days: list[dict], tables: dict[str, Columns]) -> None:
    time, nav = tables["nav"]["time"].tolist(), tables["nav"]["nav_micro"].tolist()
    for told, (since, until) in zip(days, pairwise(DAYS), strict=True):
        high, at, deepest = 0, 0, 0.0
        for t, worth in zip(time, nav, strict=True):
            if t <= until:
                high, at = (worth, t) if worth > high else (high, at)
                deepest = max(deepest, 1 - worth / high) if t >= since else deepest
        assert told["nav"]["high_water_mark_micro"] == high
        assert told["nav"]["high_water_mark_at"] == utc_text(at)
        assert told["nav"]["drawdown"] == 1 - nav[time.index(until)] / high
        assert told["nav"]["deepest_drawdown"] == pytest.approx(deepest, abs=1e-15)


def test_verdicts_are_counted_by_code(days: list[dict], tables: dict[str, Columns]) -> None:
    rows = tables["verdicts"]
    for told, (since, until) in zip(days, pairwise(DAYS), strict=True):
        now = [i for i, at in enumerate(rows["time"]) if since <= at < until]
        verdicts = told["verdicts"]
        assert verdicts["wanted"] == len(now) == sum(verdicts[name] for name in ("approve", "shrink", "veto"))
        by_code = {row["code"]: row for row in verdicts["by_code"]}
        assert sum(row["count"] for row in by_code.values()) == len(now)
        assert by_code["VAR"]["veto"] == sum(rows["verdict"][i] == 2 for i in now) if "VAR" in by_code else True
    assert sum(told["verdicts"]["veto"] for told in days) == (rows["verdict"] == 2).sum() > 0


def test_what_a_book_was_held_back_from_stands_apart(tables: dict[str, Columns]) -> None:
    verdicts = tables["verdicts"] | {"book": tables["verdicts"]["book"].copy()}
    verdicts["book"][:3] = 0
    told = statement(record_of(tables | {"verdicts": verdicts}), SINCE_NS, END_NS)["verdicts"]
    assert sum(row["count"] for row in told["books"]) == 3
    assert told["wanted"] == len(verdicts["book"]) - 3


def test_moves_are_the_transfers_and_their_parts(days: list[dict], tables: dict[str, Columns]) -> None:
    for told, (since, until) in zip(days, pairwise(DAYS), strict=True):
        rows = tables["transfers"]
        right = rows["cash_micro"][(rows["time"] >= since) & (rows["time"] < until)].tolist()
        assert [move["cash_micro"] for move in told["moves"]] == right
        for move in told["moves"]:
            assert move["by_weight_micro"] + move["to_share_micro"] == move["cash_micro"]
    second = days[1]["moves"][0]
    side = "above" if second["cash_micro"] < 0 else "below"
    assert (second["by_weight_micro"], second["reason"]) == (0, f"same weight: stood {side} its share of NAV")
    assert days[-1]["moves"][0]["shadow_return"] == 0.0  # thirty days of a shadow that does not move
    assert days[20]["moves"][0]["shadow_return"] is None  # twenty


def test_a_change_of_weight_is_told_with_its_evidence(tables: dict[str, Columns]) -> None:
    books = {name: column.copy() for name, column in tables["books"].items()}
    rng = np.random.default_rng(1)
    own = books["book"] == 0
    books["shadow_equity_micro"][own] += rng.normal(50_000_000, 400_000_000, own.sum()).cumsum().astype(np.int64)
    day = 33
    changed = own & (books["time"] == DAYS[day])
    books["weight"][changed] = 0.6
    record = record_of(tables | {"books": books})
    move = statement(record, DAYS[day], DAYS[day + 1])["moves"][0]
    equity = books["equity_micro"][books["time"] == DAYS[day]].sum()
    assert move["by_weight_micro"] == pytest.approx(0.1 * equity, abs=1)
    assert (move["weight_before"], move["weight"]) == (0.5, 0.6)
    shadow = books["shadow_equity_micro"][own & (books["time"] <= DAYS[day])][-31:] / 1e11
    change = shadow[1:] - shadow[:-1]
    sharpe = change.mean() / change.std(ddof=1) * 365**0.5
    assert move["shadow_sharpe"] == pytest.approx(sharpe)
    assert move["shadow_return"] == pytest.approx(shadow[-1] - shadow[0])
    earlier = books["shadow_equity_micro"][own & (books["time"] < DAYS[day])][-31:] / 1e11
    change = earlier[1:] - earlier[:-1]
    yesterday = change.mean() / change.std(ddof=1) * 365**0.5
    assert move["shadow_sharpe_before"] == pytest.approx(yesterday)
    assert move["best_sharpe"] == pytest.approx(sharpe)  # the other shadow does not move
    told = f"more weight: 30-day Sharpe of its shadow {sharpe:.2f}, the day before {yesterday:.2f}, best {sharpe:.2f}"
    assert move["reason"] == told.replace("-", "−").replace("30−day", "30-day")
    assert len(shadow_returns(record, 0, DAYS[day])) == 30


def test_the_first_day_may_begin_with_the_deposit() -> None:
    """Decisions from 01:00: the deposit is stamped 00:00, and nothing was before."""
    tables = made(30, since_ns=SINCE_NS + HOUR_NS)
    told = statement(record_of(tables), SINCE_NS, SINCE_NS + DAY_NS)
    assert (told["nav"]["open_micro"], told["nav"]["deposits_micro"]) == (0, 100_000_000_000)
    assert told["nav"]["close_micro"] == 100_000_000_000 + told["pnl"]["total"]["net_micro"]
    assert told["period"]["since"] == utc_text(SINCE_NS + HOUR_NS)
    assert not told["period"]["whole"]
    assert told["residuals"]["all_zero"]
    assert told["moves"][0]["reason"] == "deposit from outside"
    assert {move["book"]: move["reason"] for move in told["moves"][1:]}["trend"] == "first capital"


def test_a_settlement_of_midnight_is_of_the_day_that_begins(tables: dict[str, Columns], days: list[dict]) -> None:
    """It comes after the NAV row and before the books' rows of its instant: both lines are held."""
    fills = tables["fills"]
    died = np.flatnonzero((fills["kind"] == 2) & (fills["time"] % DAY_NS == 0))
    assert len(died)
    day = (int(fills["time"][died[0]]) - SINCE_NS) // DAY_NS
    assert cells(days[day])[BOOKS[fills["book"][died[0]]], "XRP"]["slippage_micro"] != 0
    assert days[day]["residuals"]["all_zero"]
    assert days[day - 1]["residuals"]["all_zero"]


def test_the_books_close_every_day(days: list[dict]) -> None:
    for told in days:
        assert told["residuals"]["all_zero"]
        assert set(told["residuals"]["books_micro"].values()) == {0}
    assert days[-1]["residuals"]["daily_rows_micro"] is None
    assert set(days[-2]["residuals"]["daily_rows_micro"].values()) == {0}


ROWS = {
    "cash of a fill": ("fills", "cash_micro", 0), "its price": ("fills", "price_micro", 0),
    "its fee": ("fills", "fee_micro", 0), "its lots": ("fills", "lots", 0), "funding": ("funding", "cash_micro", 0),
    "equity of a book": ("books", "equity_micro", 1), "capital of a book": ("books", "capital_micro", 0),
    "a mark of midnight": ("marks", "mark_micro", 1), "NAV": ("nav", "nav_micro", 1), "cash": ("nav", "cash_micro", 1),
    "a transfer": ("transfers", "cash_micro", 0),
}  # fmt: skip


@pytest.mark.parametrize("what", ROWS)
def test_one_micro_dollar_or_lot_elsewhere_is_left_over(tables: dict[str, Columns], what: str) -> None:
    """On the day it was changed, wherever it was changed."""
    table, column, at_end = ROWS[what]
    day = 12
    rows = {name: values.copy() for name, values in tables[table].items()}
    time = DAYS[day + 1] if at_end else None
    where = rows["time"] == time if at_end else (rows["time"] >= DAYS[day]) & (rows["time"] < DAYS[day + 1])
    (first, *_) = np.flatnonzero(where)
    rows[column][first] += 1
    told = statement(record_of(tables | {table: rows}), DAYS[day], DAYS[day] + DAY_NS)
    assert not told["residuals"]["all_zero"], what


def test_a_held_market_without_a_mark_is_said(tables: dict[str, Columns]) -> None:
    marks = {name: column[tables["marks"]["time"] != DAYS[5]] for name, column in tables["marks"].items()}
    with pytest.raises(DataError, match="which is held, at 2024-01-06"):
        accounts.position(record_of(tables | {"marks": marks}), DAYS[5])


def test_a_statement_is_plain_json(days: list[dict]) -> None:
    assert json.loads(json.dumps(days[3], allow_nan=False)) == days[3]
