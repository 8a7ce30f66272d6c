"""The truth against the backtest: sent the same orders, the exchange ends every cycle with the same lots and cash.

Whatever the venue did in a backtest (fills at the next open with impact, one fee a fill, funding) it does here, to the
micro-dollar, in the order reductions first, as live sends them.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from podshop.nouns import DAY_NS, SECOND_NS
from podshop.nouns.verdict import FILL_KINDS
from podshop.run.backtest import facts_and_seats
from podshop.run.config import starter_fund
from podshop.run.loop import Run
from podshop.run.world import SIMULATED_SINCE_NS, read_world
from podshop.venues.exchange.make import exchange_of

DAYS = 60


class Rows:
    """What a run wrote."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Any]] = {}

    def write(self, table: str, columns: Any, /) -> None:
        self.tables.setdefault(table, []).append({name: np.array(values) for name, values in columns.items()})

    def column(self, table: str, name: str) -> list[int]:
        return [each for part in self.tables[table] for each in part[name].tolist()]


@pytest.fixture(scope="module")
def ran() -> tuple[Any, Any, Any, Rows, Run]:
    """A backtest of the starter fund, every book a taker."""
    fund = starter_fund()
    fund = replace(fund, mandates=tuple(replace(each, style="taker") for each in fund.mandates))
    world = read_world(fund, None, SIMULATED_SINCE_NS, SIMULATED_SINCE_NS + DAYS * DAY_NS)
    facts, seats = facts_and_seats(fund, world.market, world.funding)
    rows = Rows()
    run = Run(fund, facts, seats, rows)
    run.run(world.decision_times(), lambda done, total, text: None)
    return fund, world, facts, rows, run


@pytest.mark.parametrize("apart", [False, True], ids=["one price for a cycle", "mutant: every order alone"])
def test_the_same_orders_cost_what_they_cost_in_a_backtest(apart: bool, ran: tuple[Any, Any, Any, Rows, Run]) -> None:
    """The mutant settles each order when it fills, as if nothing else of the cycle were to come."""
    fund, world, facts, rows, run = ran
    times = world.decision_times()
    filled: dict[tuple[int, int], list[int]] = {}  # (time, market) -> lots, price, fee, of all books
    columns = [rows.column("fills", name) for name in ("time", "market", "lots", "price_micro", "fee_micro", "kind")]
    for at, m, lots, price, fee, kind in zip(*columns, strict=True):
        if FILL_KINDS[kind] == "venue":
            one = filled.setdefault((at, m), [0, price, 0])
            one[0], one[2] = one[0] + lots, one[2] + fee
    start, cash = int(times[0]), round(fund.capital_usd * 1e6)
    venue = exchange_of(fund.venue, fund.instruments, world.market, world.funding, facts, start, cash)
    names = fund.market.markets
    for (at, m), (lots, _, _) in filled.items():
        held, limit = venue.lots[names[m]], 10**15 if lots > 0 else 1
        first = lots if abs(lots) <= abs(held) else -held
        legs = [first, lots - first] if held * lots < 0 else [lots]
        for leg in filter(None, legs):
            if apart:
                venue.publish()
            ack = venue.submit(at + SECOND_NS, names[m], leg, limit)
            assert ack.code == "", (leg, lots, held, venue.mark_micro(names[m]))
            assert ack.order is not None
            assert ack.order.filled == leg
    end = int(times[-1])
    assert len(filled) > 500
    found: dict[tuple[int, int], list[int]] = {}
    for fill in venue.fills(end):
        one = found.setdefault((fill.at_ns - SECOND_NS, names.index(fill.market)), [0, fill.price_micro, 0])
        assert apart or one[1] == fill.price_micro  # one price for both legs
        one[0], one[2] = one[0] + fill.lots, one[2] + fill.fee_micro
    assert (found != filled) is apart
    if apart:
        return
    paid = venue.fundings(end)
    last = sum(each.cash_micro for each in paid if each.at_ns == end)  # the last NAV row is struck before it
    assert sum(each.cash_micro for each in paid) - last == sum(rows.column("funding", "cash_micro")) != 0
    assert [venue.lots[name] for name in names] == run.fund.venue_lots.tolist()
    assert venue.cash_micro() - last == int(run.fund.cash.sum())
    assert venue.equity_micro() - last == int(run.fund.nav[0])
