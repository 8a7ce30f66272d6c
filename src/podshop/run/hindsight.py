"""What a fund's agents said and its shadow books decided, worked out again up to one moment, for one market.

Signals and shadows depend on the market alone (docs/semantics.md, section 3), so they can be asked again without the
fund: the same code over the same stretches of time gives the same answer to the bit. It stops at three kinds of
cycle: where each book last decided, and at the moment itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from podshop.execution.targets import unit_lots
from podshop.nouns import Flags, Panel, Times, Whole, duration_ns
from podshop.nouns.verdict import CODE_NAMES
from podshop.run import opinions
from podshop.run.backtest import market_facts
from podshop.run.config.sections import Fund
from podshop.run.facts import MarketFacts
from podshop.run.loop import stretch_ns
from podshop.run.opinions import Listener, Seat, Voices, seats
from podshop.run.shadows import ShadowBooks
from podshop.run.state import Facts, Shadows
from podshop.run.terms import terms_of
from podshop.run.world import World


@dataclass(frozen=True, slots=True)
class Said:
    """One signal on one market so far: at each of its bars, its conviction and the voice that gave; NaN = none."""

    time: Times
    conviction: Panel
    voice: Panel

    def at(self, at_ns: int) -> int:
        """Row in force; -1 before the first."""
        return int(np.searchsorted(self.time, at_ns, side="right")) - 1

    def since(self, at_ns: int) -> tuple[int | None, bool]:
        """Since when it speaks for this side, is silent, or has no opinion; and whether that began before the run."""
        row = self.at(at_ns)
        if row < 0:
            return None, True
        side = np.sign(self.voice[: row + 1])
        same = (side == side[row]) | (np.isnan(side) & np.isnan(side[row]))
        first = int(np.flatnonzero(~same)[-1]) + 1 if not same.all() else 0
        return int(self.time[first]), first == 0


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What the cost gate held back when the book last decided: lots at reference capital; bps, or USD (COST_BUDGET)."""

    code: str
    lots: int
    measured: float
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One book and one market at one cycle; lots are the shadow's, at reference capital.

    at_ns    of the cycle; fires: the book's cadence fires here; urgent: a stop or the longest holding struck
    opinion  blend, as it is or as it would be if it fired here; NaN = none
    multiplier  by which disagreement enlarged it
    full     lots at full conviction, band: lots of no trade on either side; NaN where the volatility is unknown
    lots     held before this cycle's trade; target: wished after it
    blocked  side that may not be opened until the blend has been 0 or turned
    slope    what a full conviction is believed to be worth, standardised; 0 where there is no cost gate
    """

    at_ns: int
    fires: bool
    urgent: bool
    opinion: float
    multiplier: float
    full: float
    band: float
    lots: int
    target: int
    blocked: int
    slope: float
    held_back: HeldBack | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """All that was known of one market at one cycle.

    said      signal -> what it said, of those that some book of this market hears
    decided   book -> where its cadence last fired; None before the first time
    now       book -> at the cycle itself, as if it fired
    facts     the cycle and the one after, where there is one: two rows
    """

    fund: Fund
    m: int
    at_ns: int
    said: Mapping[str, Said]
    decided: Mapping[str, Decision | None]
    now: Mapping[str, Decision]
    facts: Facts
    first_trade_ns: int


def look_back(fund: Fund, world: World, market: str, at_ns: int) -> Hindsight:
    """Ask signals and shadows again.

    at_ns  a decision time of the world
    """
    times = world.decision_times()
    times = times[: int(np.searchsorted(times, at_ns)) + 1]
    mine = _of_market(fund, market)
    facts = market_facts(fund, world.market, world.funding)
    past = _Past(mine, facts, world, market, times)
    decided: dict[str, Decision | None] = dict.fromkeys(past.books)
    last = {b: past.last_cadence(b) for b in past.books}
    for i, j in _parts(times, [k for k in last.values() if k is not None]):
        looked = [b for b in past.books if last[b] == i] if j == i + 1 else []
        at = past.walk(i, j, looked if i + 1 < len(times) else list(past.books))
        for b in looked:
            decided[b] = at[b]
    row = facts.row(at_ns)
    return Hindsight(
        fund=fund,
        m=past.m,
        at_ns=at_ns,
        said={name: heard.said() for name, heard in past.heard.items()},
        decided=decided,
        now=at,
        facts=facts.stretch(row, min(row + 2, len(world.market))),
        first_trade_ns=int(facts.first_trade[past.m]),
    )


def _of_market(fund: Fund, market: str) -> Fund:
    """The fund with only those books that trade this market, and only those signals that they hear."""
    mandates = tuple(m for m in fund.mandates if market in m.markets)
    heard = {name for m in mandates for name in m.listens}
    return replace(fund, mandates=mandates, signals=tuple(s for s in fund.signals if s.name in heard))


def _parts(times: Times, alone: list[int]) -> Iterator[tuple[int, int]]:
    """Cut all cycles into stretches: each cycle of `alone`, and the last, is one of its own."""
    longest = stretch_ns(int(times[1] - times[0])) // int(times[1] - times[0]) if len(times) > 1 else 1
    cuts = sorted({0, len(times) - 1, len(times)} | {k + more for k in alone for more in (0, 1)})
    for first, last in pairwise(cuts):
        for i in range(first, last, longest):
            yield i, min(i + longest, last)


class _Past:
    """The books of one market, walked from the first cycle on."""

    def __init__(self, fund: Fund, facts: MarketFacts, world: World, market: str, times: Times) -> None:
        self._fund, self._facts, self._times, self._market = fund, facts, times, market
        self._interval_ns = duration_ns(fund.market.interval)
        self.m = fund.market.markets.index(market)
        self._terms = terms_of(fund, facts.first_trade)
        self._seats = seats(world.market, fund.signals, fund.confidence)
        self.heard = {seat.name: _Ear(self._seats[seat.name], market) for seat in fund.signals}
        self._shadows = ShadowBooks(fund, facts, self._terms, self._seats)
        families = {seat.name: getattr(seat.agent, "family", "") for seat in fund.signals}
        self._listeners = [_Overheard(m, families, fund.evidence, fund.agents.get(m.name)) for m in fund.mandates]
        self._shadows.listeners = list(self._listeners)
        self._shadows.begin(int(times[0]))
        self.books = {mandate.name: b for b, mandate in enumerate(fund.mandates)}

    def last_cadence(self, book: str) -> int | None:
        """The cycle at which the book last decided."""
        cadence_ns = duration_ns(self._fund.mandates[self.books[book]].cadence)
        at = np.flatnonzero(opinions.fires(self._times, self._interval_ns, cadence_ns))
        return int(at[-1]) if len(at) else None

    def walk(self, first: int, last: int, looked: list[str]) -> dict[str, Decision]:
        """Walk all books through cycles [first, last); where that is one cycle, say what these books made of it."""
        row = self._facts.row(int(self._times[first]))
        facts = self._facts.stretch(row, row + last - first)
        before = {}
        for name in looked:
            book, place = self._shadows.books[self.books[name]], self._place(name)
            before[name] = int(book.lots[place])
            book.noted[place] = 0  # so that what is held back is noted again; it decides nothing
        targets, _ = self._shadows.decide(facts, np.zeros(len(facts.time), np.bool_))
        if last - first > 1:
            return {}
        return {name: self._decision(name, facts, targets, before[name]) for name in looked}

    def _decision(self, name: str, facts: Facts, targets: Shadows, lots: int) -> Decision:
        b, place = self.books[name], self._place(name)
        mandate, book, listener = self._fund.mandates[b], self._shadows.books[b], self._listeners[b]
        fires = bool(targets.fires[0, b])
        if not fires:
            listener.now(facts.time, self._seats)
        sigma = self._facts.sigma_own(duration_ns(mandate.volatility_half_life), facts)[facts.risk_row[0], self.m]
        mark = int(facts.mark[0, self.m])
        known = not np.isnan(sigma) and not np.isnan(facts.sigma[facts.risk_row[0], self.m]) and mark > 0
        full = (
            unit_lots(
                float(mandate.volatility_target), float(sigma), len(mandate.markets),
                float(mandate.typical_conviction), self._terms.reference_micro, mark,
            )
            if known
            else np.nan
        )  # fmt: skip
        return Decision(
            at_ns=int(facts.time[0]),
            fires=fires,
            urgent=bool(targets.urgent[0, b]),
            opinion=float(listener.opinion[-1, place]),
            multiplier=listener.multiplier,
            full=full,
            band=mandate.buffer * full,
            lots=lots,
            target=int(targets.target[b, self.m, 0]),
            blocked=int(book.blocked[place]),
            slope=listener.worth,
            held_back=self._held_back(targets, b) if book.noted[place] != 0 else None,
        )

    def _held_back(self, targets: Shadows, b: int) -> HeldBack | None:
        """What the cycle's own note says; only where its cadence fired is there one."""
        for note, real in zip(targets.notes.whole, targets.notes.real, strict=True):
            if (note[0], note[1]) == (b, self.m):
                return HeldBack(CODE_NAMES[note[2]], int(note[3]), float(real[0]), float(real[1]))
        return None

    def _place(self, name: str) -> int:
        """The market's place among the mandate's own."""
        return self._fund.mandates[self.books[name]].markets.index(self._market)


class _Overheard(Listener):
    """A listener that remembers what it said last."""

    opinion: Panel
    worth = 0.0

    @property
    def multiplier(self) -> float:
        return float(self._mix.multiplier[0])

    def blend(self, time: Times, fires: Flags, roster: Mapping[str, Seat], said: Voices) -> Panel:
        found = super().blend(time, fires, roster, said)
        if len(found):
            self.opinion = found
        return found

    def slope(self, time: Times, opinion: Panel, reference: Whole, sigma: Panel) -> Panel:
        found = super().slope(time, opinion, reference, sigma)
        if len(found):
            self.worth = float(found[-1])
        return found

    def now(self, time: Times, roster: Mapping[str, Seat]) -> None:
        """Blend at a cycle at which the cadence does not fire; nothing may be asked of it afterwards."""
        said = {name: roster[name].voice(time) for name in self._mandate.listens}
        self.blend(time, np.ones(1, np.bool_), roster, said)


@dataclass(slots=True)
class _Ear:
    """Watches a seat and keeps what it says of one market."""

    seat: Seat
    market: str
    parts: list[tuple[Times, Panel, Panel]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seat.watchers += (self,)

    def __call__(self, first: int, said: Panel, voice: Panel) -> None:
        if self.market in self.seat.markets:
            place = self.seat.markets.index(self.market)
            time = self.seat.market.time[first : first + len(said)]
            self.parts.append((time, said[:, place].copy(), voice[:, place].copy()))

    def said(self) -> Said:
        """All of it, in order."""
        if not self.parts:
            return Said(np.empty(0, np.int64), np.empty(0), np.empty(0))
        time, conviction, voice = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        return Said(time, conviction, voice)
