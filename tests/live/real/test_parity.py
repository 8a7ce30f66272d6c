"""A week through real processes and HTTP: verdict for verdict, fill for fill, dollar for dollar the backtest's.

The exchange replays history, an hour in two seconds, to a fund of a taker and a TWAP; brain, gateway and watchdog are
the programs that a user starts. Afterwards the same fund is backtested over the same data, from its first decision on.
No market is both books': where they hold opposite lots of one they settle funding between them, and of what the account
does not pay a venue has no row.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from podshop.journal.facts import read
from podshop.journal.keeper import Keeper
from podshop.ledger.live import Asked
from podshop.nouns import HOUR_NS
from podshop.run.backtest import facts_and_seats
from podshop.run.config import Fund, load
from podshop.run.loop import Run
from podshop.run.world import read_world
from tests.live.gateway.parity import Row, Rows, terms_of, told_by
from tests.live.real.fund import Real

FUND = """
name = "week"
capital_usd = 100_000
operator = "never"

[market]
venue = "okx_perp"
interval = "1h"
markets = ["BTC", "ETH", "XRP", "LTC", "ADA"]
funding = ["binance_perp", "hyperliquid_perp"]

[confidence]
open = 0.30
close = 0.15

[signals.stretch]
kind = "reversal"
window_bars = 24
markets = ["BTC", "ETH", "XRP"]

[signals.trend]
kind = "momentum"
window_bars = 48
markets = ["LTC", "ADA"]

[execution.back]
horizon = "intraday"
style = "taker"
listens = { stretch = 1.0 }
markets = ["BTC", "ETH", "XRP"]
cadence = "1h"
volatility_target = 0.20
buffer = 0.05

[execution.on]
horizon = "intraday"
style = "twap"
listens = { trend = 1.0 }
markets = ["LTC", "ADA"]
cadence = "4h"
volatility_target = 0.20
buffer = 0.05

[limits]
max_weight = 0.1
max_gross = 1.0
max_var = 0.03
min_order_usd = 100
"""
HOUR_S = 2.0  # of the wall
WEEK = 7 * 24


class Week(NamedTuple):
    """What was compared.

    skipped  cycles in which the brain was not followed in time
    rows     table -> rows of the backtest;  off  table -> rows that only one of both has, the first of them
    """

    cycles: int
    skipped: int
    rows: dict[str, int]
    off: dict[str, list[Row]]


def lived(folder: Path, data: Path, since: str, cycles: int) -> Week:
    """Run a fund for so many cycles, then compare its journal with a backtest."""
    with Real(folder, FUND, rate=HOUR_NS / 1e9 / HOUR_S, data=str(data), since=since, terms=terms_of) as real:
        _, first_ns = real.until(lambda: real.last("asked"), 120)
        until_ns = first_ns + cycles * HOUR_NS
        real.until(lambda: real.last("asked")[1] > until_ns, HOUR_S * cycles + 60, every_s=0.5)
        real.stop()
    return compared(real.fund, data, real.gateway.journal)


def compared(fund: Fund, data: Path, journal: Path) -> Week:
    """Every row of a fund's journal against a backtest that begins with its first decision; the last cycle left out."""
    followed = followed_in(journal)
    first, last = followed[0], followed[-1] - 1
    world = read_world(fund, data, first * HOUR_NS, (last + 1) * HOUR_NS)
    facts, seats = facts_and_seats(fund, world.market, world.funding)
    rows = Rows(fund.market.markets, tuple(mandate.name for mandate in fund.mandates))
    Run(fund, facts, seats, rows).run(world.decision_times(), lambda *_: None)
    counted: dict[str, int] = {}
    off: dict[str, list[Row]] = {}
    for name, found in told_by(journal, fund).items():
        want = [row for row in getattr(rows, name) if first <= cycle_of(row) <= last]
        have = [row for row in found if first <= cycle_of(row) <= last]
        counted[name] = len(want)
        if sorted(map(repr, want)) != sorted(map(repr, have)):
            sides = ("backtest only", set(want) - set(have)), ("live only", set(have) - set(want))
            off[name] = [(side, *row) for side, some in sides for row in sorted(some, key=repr)[:5]]
    cycles = last - first + 1
    return Week(cycles, cycles - sum(cycle <= last for cycle in followed), counted, off)


def cycle_of(row: Row) -> int:
    """The cycle of a row, which tells its cycle or its time."""
    return int(row[0] if row[0] < 1 << 40 else row[0] // HOUR_NS)


def followed_in(journal: Path) -> list[int]:
    """Cycles in which the brain was followed."""
    with Keeper(journal) as keeper:
        facts = [read(row.kind, row.v, row.body) for row in keeper.rows() if row.kind == "asked"]
    return [fact.cycle for fact in facts if isinstance(fact, Asked) and not fact.refused]


@pytest.mark.soak
def test_a_week_through_real_processes_is_the_backtests(
    shared_data: Path, tmp_path: Path, record_property: Any
) -> None:
    found = lived(tmp_path, shared_data, "2022-06-10", WEEK)
    for name, value in found._asdict().items():
        record_property(name, value)
    assert found.skipped == 0
    assert found.off == {}
    assert found.cycles >= WEEK
    assert found.rows["fills"] > WEEK
    assert found.rows["transfers"] > 0
    dearer = tmp_path / "dearer.toml"  # the mutant: a backtest that pays a tenth of a basis point more
    dearer.write_text(FUND + '\n[venue]\nname = "simulated"\ntaker_fee_bps = 4.6\n')
    other = compared(load(dearer), shared_data, tmp_path / "s" / "journal.db")
    assert {"fills", "transfers", "nav"} <= set(other.off)
