"""All shadow books of a fund, stretch by stretch: each asks its voices, decides, and leaves its targets to the fund.

Books share nothing, so they are spread over the cores; each writes to places of its own.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from podshop.nouns import Flags, Panel, Times, Whole, duration_ns
from podshop.run import opinions
from podshop.run.config.sections import Fund as FundFile
from podshop.run.facts import MarketFacts
from podshop.run.opinions import Listener, Seat, Voices
from podshop.run.shadow import run_shadow
from podshop.run.shadow_state import Notes as Room
from podshop.run.shadow_state import Orders, Shadow, new_notes, new_shadow
from podshop.run.state import Facts, Notes, Shadows, Terms
from podshop.run.terms import orders_of


class ShadowBooks:
    """The execution agents' own books at reference capital."""

    threads = 2

    def __init__(self, file: FundFile, facts: MarketFacts, terms: Terms, seats: Mapping[str, Seat]) -> None:
        self._file, self._facts, self._terms, self._seats = file, facts, terms, seats
        families = {seat.name: getattr(seat.agent, "family", "") for seat in file.signals}
        self.listeners = [Listener(m, families, file.evidence, file.agents.get(m.name)) for m in file.mandates]
        self.books = [new_shadow(len(m.markets), terms.reference_micro) for m in file.mandates]
        self._orders: list[Orders] = []
        self.watchers: list[Callable[[Times, Voices], None]] = []  # told what was said, stretch by stretch

    def begin(self, first_ns: int) -> None:
        """Say when the first decision is made: budgets of costs count from there."""
        self._orders = [
            orders_of(mandate, self._file, self._terms, b, first_ns) for b, mandate in enumerate(self._file.mandates)
        ]

    def decide(self, facts: Facts, strike: Flags) -> tuple[Shadows, Whole]:
        """Run every book over the stretch.

        strike  (K,) cycles whose equity is kept
        ->      targets, and equity (K, B) micro-dollars
        """
        cycles, books, markets = len(facts.time), len(self.books), facts.mark.shape[1]
        target = np.zeros((books, markets, cycles), np.int64)
        fires, urgent = np.zeros((books, cycles), np.bool_), np.zeros((books, cycles), np.bool_)
        equity = np.zeros((books, cycles), np.int64)
        lives = {duration_ns(mandate.volatility_half_life) for mandate in self._file.mandates}
        sigma = {half_life_ns: self._facts.sigma_own(half_life_ns, facts) for half_life_ns in lives}
        said = {name: seat.voice(facts.time) for name, seat in self._seats.items()}
        for watch in self.watchers:
            watch(facts.time, said)

        def run(b: int) -> Room:
            own = sigma[duration_ns(self._file.mandates[b].volatility_half_life)]
            return self._run(b, facts, own, said, strike, target[b], fires[b], urgent[b], equity[b])

        with ThreadPoolExecutor(self.threads) as pool:
            rooms = list(pool.map(run, range(books)))
        shadows = Shadows(
            target=target,
            fires=np.ascontiguousarray(fires.T),
            urgent=np.ascontiguousarray(urgent.T),
            notes=in_order(rooms, cycles),
        )
        return shadows, np.ascontiguousarray(equity.T)

    def _run(
        self, b: int, facts: Facts, sigma: Panel, said: Voices, strike: Flags, target: Whole,
        fires: Flags, urgent: Flags, equity: Whole,
    ) -> Room:  # fmt: skip
        """Run one book; answers what it held back."""
        fires[:] = opinions.fires(facts.time, self._terms.interval_ns, duration_ns(self._file.mandates[b].cadence))
        heard = self.hear(b, facts, sigma, fires, said)
        return self.walk(b, self.books[b], facts, sigma, heard, fires, strike, target, urgent, equity)

    def hear(self, b: int, facts: Facts, sigma: Panel, fires: Flags, said: Voices) -> tuple[Panel, Panel]:
        """(C, m) opinions at each of a book's cadences, and (C,) what a full conviction is believed to be worth."""
        opinion = self.listeners[b].blend(facts.time, fires, self._seats, said)
        return opinion, self._slope(b, facts, np.flatnonzero(fires), opinion, sigma)

    def walk(
        self, b: int, book: Shadow, facts: Facts, sigma: Panel, heard: tuple[Panel, Panel], fires: Flags,
        strike: Flags, target: Whole, urgent: Flags, equity: Whole,
    ) -> Room:  # fmt: skip
        """Walk book b from a state through the stretch, in place; answers what it held back."""
        opinion, slope = heard
        room = new_notes(opinion.size)
        events = np.empty(int(facts.funding_until[-1] - facts.funding_until[0]), np.int64)
        run_shadow(
            book, self._orders[b], self._terms, facts, sigma, opinion, slope, fires, strike,
            target, urgent, equity, room, events,
        )  # fmt: skip
        return room

    def _slope(self, b: int, facts: Facts, at: Whole, opinion: Panel, sigma: Panel) -> Panel:
        """(C,) what the book's forecasts are believed to be worth at each cadence."""
        if self._file.mandates[b].cost_factor == 0.0:
            return np.zeros(len(at))
        markets = self._orders[b].markets
        reference = facts.reference[at][:, markets]
        own = sigma[facts.risk_row[at]][:, markets]
        return self.listeners[b].slope(facts.time[at], opinion, reference, own)


def in_order(rooms: list[Room], cycles: int) -> Notes:
    """What all books held back, by cycle, book and market."""
    counts = [int(room.used[0]) for room in rooms]
    whole = np.concatenate([room.whole[:n] for room, n in zip(rooms, counts, strict=True)])
    real = np.concatenate([room.real[:n] for room, n in zip(rooms, counts, strict=True)])
    book = np.repeat(np.arange(len(rooms)), counts)
    order = np.lexsort((whole[:, 1], book, whole[:, 0]))
    until = np.searchsorted(whole[order, 0], np.arange(cycles + 1), side="left")
    rows = np.column_stack([book, whole[:, 1:]])[order]
    return Notes(until=until, whole=np.ascontiguousarray(rows), real=np.ascontiguousarray(real[order]))
