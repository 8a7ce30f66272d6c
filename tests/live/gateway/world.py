"""A made-up market at the loopback exchange, a brain that wants random things, and the real gateway between them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from podshop.journal.facts import read
from podshop.journal.keeper import Keeper
from podshop.journal.store import reading, rows
from podshop.live.gateway.core import CycleReport, Gateway
from podshop.live.gateway.terms import Hard, Terms
from podshop.live.messages import Office, Opened, Targets
from podshop.nouns import DAY_NS, MINUTE_NS, Funding, Instrument, Market
from podshop.nouns.limits import NORMAL_95
from podshop.nouns.venue import Card
from podshop.orders.facts import Committed
from podshop.venues.exchange.evil import Evil
from podshop.venues.exchange.memory import WITH_IDS, MemoryVenue
from podshop.venues.exchange.placed import Terms as ExchangeTerms
from podshop.venues.exchange.tape import Liquid
from podshop.venues.exchange.truth import Exchange
from podshop.venues.exchange.twin import Twin
from tests.live import virtual

BAR_NS = 5 * MINUTE_NS
START_NS = 19_358 * DAY_NS
NAMES = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "UNI")
CAPITAL = 100_000_000_000
LOOSE = Hard(
    max_weight=0.5, max_gross=3.0, max_net=3.0, max_var=0.2, max_order=0.5, turnover=1e6, daily_loss=1e6,
    variance_floor=0.0, orders_a_minute=1 << 30,
)  # fmt: skip
FIRST_ROW = 12
OUTSIDE = ("trade", "settlement", "liquidation", "adl")  # tags of what happened at the exchange without us


def market_of(markets: int, bars: int, seed: int) -> Market:
    """A random walk of 5-minute bars, about 0.1 % a bar."""
    draw = np.random.default_rng(seed)
    names = NAMES[:markets] if markets <= len(NAMES) else tuple(f"M{i:02}" for i in range(markets))
    close = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.001, (bars, markets)), axis=0))
    opened = np.concatenate([np.full((1, markets), 100.0), close[:-1]]) * (1.0 + draw.normal(0, 1e-5, close.shape))
    columns = {
        "open": opened,
        "high": np.maximum(opened, close) * 1.0005,
        "low": np.minimum(opened, close) * 0.9995,
        "close": close,
        "volume": np.full(close.shape, 1e6),
    }
    time = START_NS + (np.arange(bars, dtype=np.int64) + 1) * BAR_NS
    return Market(names, BAR_NS, time, {name: np.asfortranarray(values) for name, values in columns.items()})


def funding_of(markets: int, bars: int) -> Funding:
    """A settlement an hour in every market."""
    at = np.repeat(np.arange(START_NS, START_NS + bars * BAR_NS, 12 * BAR_NS, dtype=np.int64), markets)
    rate = np.where(np.arange(len(at)) % 3 == 0, 1e-4, -3e-5)
    which = np.tile(np.arange(markets, dtype=np.int64), len(at) // markets)
    return Funding(at, which, rate, np.ones(len(at), np.int64), ("ASSUMED", "made up"), {})


class World:
    """One fund in virtual time. `cycles` runs it; between the lines a test looks at everything.

    brain   cycle, what was opened -> targets; None = a random one
    """

    def __init__(
        self, folder: Path, *, markets: int = 4, books: int = 5, bars: int = 160, seed: int = 1, most: int = 20_000,
        hard: Hard = LOOSE, card: Card = WITH_IDS, faults: Mapping[str, Any] | None = None, travel_ns: int = 0,
        gateway: Callable[..., Gateway] = Gateway, keeper: Callable[..., Keeper] = Keeper, late_ns: Any = None,
        first_row: int = FIRST_ROW,
    ) -> None:  # fmt: skip
        self.market = market_of(markets, bars, seed)
        self.names, self.books = self.market.names, tuple(f"book{b}" for b in range(books))
        self.instruments = tuple(Instrument(name, 0.1, 10.0) for name in self.names)
        rows = np.zeros(bars, np.int64)
        whole = np.full((1, markets), most, np.int64)
        depth, sigma = np.full((1, markets), 1e7), np.full((1, markets), 0.02)
        liquid = Liquid(0, rows, depth, sigma, whole, whole)
        exchange_terms = ExchangeTerms(max_leverage=dict.fromkeys(self.names, 50))
        start_ns = START_NS + first_row * BAR_NS
        self.exchange = Exchange(
            self.market, funding_of(markets, bars), self.instruments, exchange_terms, start_ns, CAPITAL, liquid
        )
        kept = {} if late_ns is None else {"late_ns": late_ns}
        self.evil = Evil(seed, faults, **kept)
        self.twin = Twin(self.exchange, self.evil)
        self.card, self.travel_ns, self.start_ns = card, travel_ns, start_ns
        self.draw = np.random.default_rng(seed + 1)
        self.folder, self.most = folder, most
        self.make_gateway, self.make_keeper = gateway, keeper
        self.terms = Terms(
            fund="made-up",
            fund_sha256="00",
            interval_ns=BAR_NS,
            markets=self.names,
            lot_sizes=(0.1,) * markets,
            min_notional=(10_000_000,) * markets,
            books=self.books,
            capital_micro=CAPITAL,
            fee_e8=45_000,
            min_order_micro=0,
            hard=hard,
        )
        self.first = start_ns // BAR_NS
        self.target = np.zeros((markets, books), np.int64)
        self.allotted = False
        self.reports: list[CycleReport] = []
        self.opened: list[Opened] = []
        self.keeper: Keeper | None = None
        self.gateway: Gateway | None = None

    # ---------------------------------------------------------------- processes

    def venue(self, clock: Any) -> MemoryVenue:
        return MemoryVenue(self.twin, clock, self.card, travel_ns=self.travel_ns)

    async def start(self, clock: Any, venue: Any = None) -> Gateway:
        """A gateway process begins; the one before is gone."""
        path = self.folder / "journal.db"
        self.keeper = self.make_keeper(path, create=not path.exists())
        self.gateway = self.make_gateway(self.terms, venue or self.venue(clock), self.keeper, clock)
        await self.gateway.begin()
        return self.gateway

    def die(self) -> None:
        """The process is gone: its journal is closed, its tasks are cancelled."""
        if self.gateway is not None:
            self.gateway.stop()
        if self.keeper is not None:
            self.keeper._journal.close()
        self.gateway = self.keeper = None

    async def cycle(self, clock: Any, cycle: int, brain: Any = None) -> CycleReport:
        """Open, ask the brain, trade, tend."""
        await clock.sleep_until(cycle * BAR_NS)
        assert self.gateway is not None
        opened = await self.gateway.open_cycle(cycle)
        self.opened.append(opened)
        targets = (brain or self.random_targets)(opened)
        report = await self.gateway.trade(targets)
        self.reports.append(report)
        await self.gateway.tend((cycle + 1) * BAR_NS - 1_000_000_000)
        return report

    def run(self, cycles: int, brain: Any = None, check: Any = None) -> "World":
        """So many cycles in virtual time, each checked."""

        async def main(clock: virtual.VirtualClock) -> None:
            await self.start(clock)
            for k in range(cycles):
                await self.cycle(clock, self.first + 1 + k, brain)
                (check or self.check)()
            self.die()

        virtual.run(main, at_ns=self.start_ns)
        return self

    # ---------------------------------------------------------------- brain

    def random_targets(self, opened: Opened) -> Targets:
        """Books change their minds now and then, through zero too."""
        draw, books = self.draw, self.target.shape[1]
        moves = draw.random(self.target.shape) < 0.4
        size = 300 * 20 // books
        self.target = np.where(moves, draw.integers(-size, size + 1, self.target.shape), self.target)
        return self.targets(opened, self.target)

    def still(self, opened: Opened) -> Targets:
        """Nobody wants anything but what he holds."""
        self.target = np.array([row[:-1] for row in opened.lots], np.int64)
        return self.targets(opened, self.target)

    def targets(self, opened: Opened, target: Any, **changes: Any) -> Targets:
        """What a brain would send that wishes this."""
        markets, books = target.shape
        wished = tuple(tuple(int(x) for x in row) for row in target)
        midnight = not self.allotted or opened.at_ns % DAY_NS == 0
        self.allotted = True
        sigma = 0.0005 + 0.02 * np.ones(markets)
        office = Office(
            version=1, max_weight=(0.4,) * markets, max_gross=2.0, max_net=2.0, max_order=0.4, max_var=0.1,
            tail=NORMAL_95, clusters=(), caps=(), throttle=(1.0,) * books, fund_throttle=1.0, state=0,
        )  # fmt: skip
        settings: dict[str, Any] = {
            "cycle": opened.cycle,
            "wished": wished,
            "raw": wished,
            "weights": (1.0 / books,) * books if midnight else (),
            "office": office,
            "covariance": tuple(float(x) for x in (np.outer(sigma, sigma) * (0.5 + 0.5 * np.eye(markets))).ravel()),
            "sigma_day": tuple(float(x) for x in sigma),
            "depth_lots": (1e7,) * markets,
            "most_lots": (self.most,) * markets,
            "history_ns": (400 * DAY_NS,) * markets,
            "frozen_bars": (0,) * markets,
            "convictions_sha256": "ab",
            "inputs_sha256": "cd",
            "shadow_equity_micro": (CAPITAL,) * books,
        }
        return Targets(**(settings | changes))

    # ---------------------------------------------------------------- what must hold

    def check(self) -> None:
        """Books + house + transit = venue, to the lot and the micro-dollar; NAV = equity."""
        assert self.gateway is not None
        assert self.keeper is not None
        books = self.keeper.books
        books.balance()
        for name in self.names:
            line = self.gateway.memory.line(name)
            assert books.balances.get(f"venue:lots:{name}", 0) == line.booked
            watched = any(flight.stage == "LAPSED" for flight in line.flights)
            if line.state == "IDLE" and not line.held and not watched and not self.evil.faults:
                assert line.booked == self.exchange.lots[name], name

    def check_sent_once(self) -> None:
        """No order at the exchange twice for one intent, none that the journal does not approve."""
        tags = [order.tag for order in self.exchange.orders.values() if order.tag not in OUTSIDE]
        assert len(tags) == len(set(tags)), "an intent was sent twice"
        assert set(tags) <= self.approved(), "an order without an intent row"

    def approved(self) -> set[str]:
        """Every intent in the journal."""
        with reading(self.folder / "journal.db") as db:
            facts = (read(row.kind, row.v, row.body) for row in rows(db) if row.kind == "committed")
            return {fact.order.intent for fact in facts if isinstance(fact, Committed)}

    def check_exact(self) -> None:
        """The same where the venue tells the truth: nothing open, all of it equal."""
        assert self.gateway is not None
        assert self.keeper is not None
        books = self.keeper.books
        books.agree()
        for name in self.names:
            line = self.gateway.memory.line(name)
            assert line.state == "IDLE"
            assert books.balances.get(f"venue:lots:{name}", 0) == line.booked == self.exchange.lots[name], name
        assert books.balances.get("venue:cash", 0) == self.exchange.cash_micro()
        assert self.gateway.memory.suspense_micro == 0
        self.check_sent_once()
