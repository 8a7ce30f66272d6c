"""A backtest, and the same fund traded through the real gateway over the loopback exchange: what differs?

The brain's part is the backtest's own (`tests.live.brain.backtests`) or the real `Mind`; the gateway, its journal, the
ledger and the exchange are the real ones, in one process and in virtual time.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from podshop.journal.facts import read
from podshop.journal.keeper import Keeper
from podshop.ledger.facts import FundingShare, Nav, Share, Transfer, Verdict
from podshop.live.gateway.core import Gateway
from podshop.live.gateway.terms import Hard, Terms
from podshop.live.messages import Opened, Targets
from podshop.nouns import ASSUMED, SECOND_NS, duration_ns
from podshop.nouns.venue import Paid
from podshop.nouns.verdict import CODE_NAMES, FILL_KINDS, HOUSE, VERDICTS
from podshop.run.backtest import facts_and_seats
from podshop.run.config import Fund
from podshop.run.facts import MarketFacts
from podshop.run.loop import Run
from podshop.run.world import World
from podshop.venues.exchange.memory import WITH_IDS, MemoryVenue
from podshop.venues.exchange.placed import Terms as ExchangeTerms
from podshop.venues.exchange.tape import liquid_of
from podshop.venues.exchange.truth import Exchange
from podshop.venues.exchange.twin import Twin
from tests.live import virtual
from tests.live.brain.backtests import Step, Stepped

ENDLESS = 1e6
Row = tuple[Any, ...]


class Rows:
    """A sink that keeps what a backtest writes, told as the journal tells it."""

    def __init__(self, markets: tuple[str, ...], books: tuple[str, ...]) -> None:
        self._deposit_ns = 0
        self._markets, self._books = markets, (*books, HOUSE, "NET")
        self.verdicts: list[Row] = []
        self.fills: list[Row] = []
        self.funding: list[Row] = []
        self.transfers: list[Row] = []
        self.nav: list[Row] = []

    def write(self, table: str, columns: Any, /) -> None:
        if table in ("verdicts", "fills", "funding", "transfers", "nav"):
            names = list(columns)
            for row in zip(*(columns[name].tolist() for name in names), strict=True):
                getattr(self, f"_{table}")(dict(zip(names, row, strict=True)))

    def _verdicts(self, r: dict[str, Any]) -> None:
        if self._books[r["book"]] == "NET":
            known = [None if x != x else x for x in (r["measured"], r["bound"])]
            self.verdicts.append(
                (r["cycle"], self._markets[r["market"]], VERDICTS[r["verdict"]], CODE_NAMES[r["code"]],
                 r["wanted_lots"], r["allowed_lots"], r["filled_lots"], *known)
            )  # fmt: skip

    def _fills(self, r: dict[str, Any]) -> None:
        names = self._markets[r["market"]], FILL_KINDS[r["kind"]], self._books[r["book"]]
        self.fills.append((r["cycle"], *names, r["lots"], r["price_micro"], r["reference_micro"], r["fee_micro"]))

    def _funding(self, r: dict[str, Any]) -> None:
        names = self._markets[r["market"]], self._books[r["book"]]
        self.funding.append((r["time"], *names, r["lots"], r["mark_micro"], r["rate"], r["cash_micro"]))

    def _transfers(self, r: dict[str, Any]) -> None:
        """Those of midnights; the first, of the deposit, every opening is compared with."""
        self._deposit_ns = self._deposit_ns or r["time"]
        if r["time"] != self._deposit_ns:
            self.transfers.append((r["time"], self._books[r["book"]], r["cash_micro"]))

    def _nav(self, r: dict[str, Any]) -> None:
        self.nav.append((r["cycle"], r["nav_micro"], r["cash_micro"]))


class Compared(NamedTuple):
    """What was compared.

    first       the first cycle at which the books differed before its decision, and how; empty = never
    rows        table -> rows of the backtest; off: table -> rows that only one of both has, some of them
    seconds     of the live path
    """

    cycles: int
    first: str
    rows: dict[str, int]
    off: dict[str, list[Row]]
    seconds: float


class ParityVenue(MemoryVenue):
    """The exchange's account, and beside it what a backtest knows of funding and no venue's history of an account has.

    Books that hold opposite lots settle funding between them; where they sum to zero the account pays nothing, and a
    venue has no row of it.
    """

    async def fundings(self, since_ns: int) -> list[Paid]:
        tape, now_ns = self.twin.truth.tape, self._clock.now_ns()
        assumed = tape.funding.source == ASSUMED
        paid = list(await super().fundings(since_ns))
        rows = np.flatnonzero((tape.funding.at_ns >= since_ns) & (tape.funding.at_ns <= now_ns))
        known = {each.paid_id for each in paid}
        for event in rows.tolist():
            if f"F{event}" not in known and int(tape.funding.at_ns[event]) > self.began_ns:
                name = tape.names[int(tape.funding.market[event])]
                at_ns = int(tape.funding.at_ns[event])
                rate = float(tape.funding.rate[event])
                paid.append(Paid(f"F{event}", name, 0, rate, 0, at_ns, bool(assumed[event])))
        return sorted(paid, key=lambda each: (each.at_ns, int(each.paid_id[1:])))

    began_ns = 0


class LongClock(virtual.VirtualClock):
    """A virtual clock for years: an asyncio loop tells time in floats, which know no single nanosecond by then."""

    def __init__(self, at_ns: int) -> None:
        super().__init__(at_ns)
        self._loop._clock_resolution = 1e-7

    async def sleep_until(self, at_ns: int) -> None:
        while (left_ns := at_ns - self.now_ns()) > 0:
            await asyncio.sleep(max(left_ns, 64) / SECOND_NS)


def takers(fund: Fund) -> Fund:
    """The fund with its makers as takers: in live a maker's want is taken at once."""
    mandates = tuple(replace(m, style="taker") if m.style == "maker" else m for m in fund.mandates)
    return replace(fund, mandates=mandates)


def compare(
    fund: Fund, world: World, folder: Path, mind: Callable[[], Any] | None = None, until: int | None = None
) -> Compared:
    """Run both.

    mind   makes the brain that decides (step, opened -> targets); None = the backtest's own decisions are told
    until  so many cycles of the live path
    """
    times = world.decision_times()
    facts, seats = facts_and_seats(fund, world.market, world.funding)
    books = tuple(mandate.name for mandate in fund.mandates)
    rows = Rows(fund.market.markets, books)
    Run(fund, facts, seats, rows).run(times, lambda *_: None)
    facts, seats = facts_and_seats(fund, world.market, world.funding)
    stepped = Stepped(fund, facts, seats, Rows(fund.market.markets, books))
    stepped.steps = []
    stepped.run(times, lambda *_: None)
    steps = stepped.steps[:until]
    started = time.perf_counter()
    first, live = _live(fund, world, facts, steps, folder, mind)
    seconds = time.perf_counter() - started
    end = steps[-1].opened.cycle
    before = {name: [row for row in getattr(rows, name) if _until(row, end, fund)] for name in live}
    off = {}
    for name, found in live.items():
        want, have = before[name], found
        if sorted(map(repr, want)) != sorted(map(repr, have)):
            missing = sorted(set(want) - set(have), key=repr)[:5]
            extra = sorted(set(have) - set(want), key=repr)[:5]
            off[name] = [("backtest only", *row) for row in missing] + [("live only", *row) for row in extra]
    return Compared(len(steps), first, {name: len(found) for name, found in before.items()}, off, seconds)


def _until(row: Row, end: int, fund: Fund) -> bool:
    interval_ns = duration_ns(fund.market.interval)
    return bool((row[0] if row[0] < 1 << 40 else row[0] // interval_ns) <= end)


def _live(
    fund: Fund, world: World, facts: MarketFacts, steps: list[Step], folder: Path, mind: Callable[[], Any] | None
) -> tuple[str, dict[str, list[Row]]]:
    """The same cycles through the gateway; the first difference, and what its journal tells."""
    interval_ns = duration_ns(fund.market.interval)
    terms = terms_of(fund)
    start_ns = steps[0].opened.at_ns - interval_ns
    exchange = Exchange(
        world.market, world.funding, fund.instruments,
        ExchangeTerms(
            fee_e8=round(fund.venue.taker_fee_bps * 1e4), half_spread=fund.venue.half_spread_bps / 1e4,
            impact=float(fund.venue.impact), min_notional_micro=dict.fromkeys(fund.market.markets, 0),
            max_leverage=dict.fromkeys(fund.market.markets, 1000),
        ),
        start_ns, round(fund.capital_usd * 1e6), liquid_of(facts, start_ns),
    )  # fmt: skip
    found = {"first": ""}
    brain: Callable[[Step, Opened], Targets] = _Told(facts, steps) if mind is None else mind()

    async def main(short: virtual.VirtualClock) -> None:
        clock = LongClock(short.now_ns())
        venue = ParityVenue(Twin(exchange), clock, WITH_IDS)
        venue.began_ns = start_ns
        with Keeper(folder / "journal.db", create=True) as keeper:
            gateway = Gateway(terms, venue, keeper, clock)
            await gateway.begin()
            for step in steps:
                await clock.sleep_until(step.opened.at_ns)
                opened = await gateway.open_cycle(step.opened.cycle)
                if opened != step.opened and not found["first"]:
                    found["first"] = differs(step.opened, opened)
                report = await gateway.trade(brain(step, opened))
                if report.refused and not found["first"]:
                    found["first"] = f"cycle {report.cycle}: refused: {report.refused}"
                await gateway.tend(step.opened.at_ns + interval_ns - SECOND_NS)
            gateway.stop()

    virtual.run(main, at_ns=start_ns)
    return found["first"], told_by(folder / "journal.db", fund)


def differs(want: Opened, have: Opened) -> str:
    """The first field in which two openings differ."""
    for name in want.__struct_fields__:
        a, b = getattr(want, name), getattr(have, name)
        if a != b:
            return f"cycle {want.cycle}: {name}: backtest {a}, live {b}"
    return ""


class _Told:
    """The backtest's own answers as the brain's."""

    def __init__(self, facts: MarketFacts, steps: list[Step]) -> None:
        row = facts.row(steps[0].opened.at_ns)
        self._facts = facts.stretch(row, row + len(steps))
        self._first_trade = facts.first_trade
        self._k = -1

    def __call__(self, step: Step, opened: Opened) -> Targets:
        self._k += 1
        facts, k = self._facts, self._k
        h = facts.risk_row[k]
        return Targets(
            cycle=opened.cycle, wished=step.wished, raw=step.raw, weights=step.weights, office=step.office,
            covariance=step.covariance, sigma_day=tuple(facts.sigma[h].tolist()),
            depth_lots=tuple(facts.depth[h].tolist()), most_lots=tuple(facts.liquidity[h].tolist()),
            history_ns=tuple((facts.time[k] - self._first_trade).tolist()),
            frozen_bars=tuple(facts.frozen[k].tolist()), convictions_sha256="", inputs_sha256="",
            shadow_equity_micro=step.shadow_equity,
        )  # fmt: skip


def terms_of(fund: Fund) -> Terms:
    """A gateway that binds nothing the fund file does not: its own limits are wide open, as parity wants it."""
    limits = fund.limits
    return Terms(
        fund=fund.name,
        fund_sha256=fund.sha256,
        interval_ns=duration_ns(fund.market.interval),
        markets=fund.market.markets,
        lot_sizes=tuple(i.lot_size for i in fund.instruments),
        min_notional=tuple(round(i.min_notional_usd * 1e6) for i in fund.instruments),
        books=tuple(m.name for m in fund.mandates),
        capital_micro=round(fund.capital_usd * 1e6),
        fee_e8=round(fund.venue.taker_fee_bps * 1e4),
        min_order_micro=round(limits.min_order_usd * 1e6),
        hard=Hard(
            max_weight=ENDLESS, max_gross=ENDLESS, max_net=ENDLESS, max_var=ENDLESS, max_order=ENDLESS,
            collar=limits.collar_bps / 1e4, turnover=ENDLESS, daily_loss=ENDLESS, variance_floor=0.0,
            orders_a_minute=1 << 30,
        ),
    )  # fmt: skip


def told_by(path: Path, fund: Fund) -> dict[str, list[Row]]:
    """What the gateway's journal tells, as the backtest tells it: table -> rows."""
    interval_ns = duration_ns(fund.market.interval)
    verdicts, fills, funding, transfers, nav = [], [], [], [], []
    cycle = 0
    with Keeper(path) as keeper:
        for row in keeper.rows():
            fact = read(row.kind, row.v, row.body)
            if row.kind == "asked":
                cycle = fact.cycle  # type: ignore[union-attr]
            if isinstance(fact, Verdict) and fact.book == "NET":
                lots = fact.wanted_lots, fact.allowed_lots, fact.filled_lots
                verdicts.append((cycle, fact.market, fact.verdict, fact.code, *lots, fact.measured, fact.bound))
            elif isinstance(fact, Share):
                at = row.at_ns // interval_ns
                fills.append(
                    (at, fact.market, fact.kind, fact.book, fact.lots, fact.price_micro, fact.reference_micro,
                     fact.fee_micro)
                )  # fmt: skip
            elif isinstance(fact, FundingShare):
                money = fact.lots, fact.mark_micro, fact.rate, fact.cash_micro
                funding.append((row.at_ns, fact.market, fact.book, *money))
            elif isinstance(fact, Transfer) and row.seq > 5:
                transfers += [(row.at_ns, book, cash) for book, cash in fact.moves]
            elif isinstance(fact, Nav):
                nav.append((fact.cycle, fact.nav_micro, fact.cash_micro))
    return {"verdicts": verdicts, "fills": fills, "funding": funding, "transfers": transfers, "nav": nav}
