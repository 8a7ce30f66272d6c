"""Shadow books in two halves: what a cycle decides is asked at once, how it fills is known with the next bar's open.

At t_k the row before is finished first, with the open that it could have traded at; the state that leaves is kept.
Then row k is walked on a copy with no open at all, for its targets, which do not depend on it; the copy is thrown away.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from podshop.live.brain.facts import Row
from podshop.live.brain.seats import LiveSeat
from podshop.nouns import Flags, Panel, Whole, duration_ns
from podshop.run import opinions
from podshop.run.config.sections import Fund as FundFile
from podshop.run.facts import MarketFacts
from podshop.run.shadow_state import Shadow
from podshop.run.shadows import ShadowBooks, in_order
from podshop.run.state import Facts, Shadows, Terms

NEW = 1  # place of the newest sample in a forecast record


class Heard(NamedTuple):
    """A row that is decided and not yet finished: opinions and slopes by book, who fires, and who took a sample."""

    at_ns: int
    heard: tuple[tuple[Panel, Panel], ...]
    fires: Flags  # (B, 1)
    sampled: tuple[bool, ...]


class HalfShadows(ShadowBooks):
    """The shadow books of a fund that decides bar by bar."""

    def __init__(self, file: FundFile, facts: MarketFacts, terms: Terms, seats: Mapping[str, LiveSeat]) -> None:
        super().__init__(file, facts, terms, seats)
        self._trial = [copied(book) for book in self.books]
        self._lives = [duration_ns(mandate.volatility_half_life) for mandate in file.mandates]
        self._cadences = [duration_ns(mandate.cadence) for mandate in file.mandates]
        self.open: Heard | None = None
        self.told: Shadows | None = None

    def decide_row(self, row: Row, strike: bool) -> tuple[Shadows, Whole]:
        """First half: hear and decide row k. Answers targets and, where `strike`, equity (B,)."""
        facts = row.facts
        said = {name: seat.voice(facts.time) for name, seat in self._seats.items()}
        books = len(self.books)
        fires = np.zeros((books, 1), np.bool_)
        before = [int(listener.sample) for listener in self.listeners]
        heard = []
        for b, cadence_ns in enumerate(self._cadences):
            fires[b] = opinions.fires(facts.time, self._terms.interval_ns, cadence_ns)
            heard.append(self.hear(b, facts, row.sigma[self._lives[b]], fires[b], said))
        sampled = tuple(int(one.sample) != was for one, was in zip(self.listeners, before, strict=True))
        self.open = Heard(int(facts.time[0]), tuple(heard), fires, sampled)
        for book, trial in zip(self.books, self._trial, strict=True):
            for kept, part in zip(book, trial, strict=True):
                np.copyto(part, kept)
        target, urgent, equity, rooms = self._walk_all(self._trial, row, np.full(1, strike))
        notes = in_order(rooms, 1)
        flat = np.ascontiguousarray
        self.told = Shadows(target=target, fires=flat(fires.T), urgent=flat(urgent.T), notes=notes)
        return self.told, equity[:, 0]

    def finish_row(self, facts: Facts, sigma: Mapping[int, Panel]) -> None:
        """Second half: the same row with the open that is known now; what it leaves is the state."""
        if self.open is None or self.open.at_ns != int(facts.time[0]):
            raise ValueError("the row to be finished is not the one that was decided")
        self._walk_all(self.books, Row(facts, dict(sigma)), np.zeros(1, np.bool_))
        for b, sampled in enumerate(self.open.sampled):
            if sampled:
                self.listeners[b].priced(facts.reference[0, self._orders[b].markets])
        self.open = None

    def _walk_all(self, books: list[Shadow], row: Row, strike: Flags) -> tuple[Whole, Flags, Whole, list]:  # type: ignore[type-arg]
        """Walk every book through one row, in place."""
        assert self.open is not None
        count, markets = len(books), row.facts.mark.shape[1]
        target = np.zeros((count, markets, 1), np.int64)
        urgent, equity = np.zeros((count, 1), np.bool_), np.zeros((count, 1), np.int64)
        rooms = [
            self.walk(
                b, books[b], row.facts, row.sigma[self._lives[b]], self.open.heard[b], self.open.fires[b], strike,
                target[b], urgent[b], equity[b],
            )
            for b in range(count)
        ]  # fmt: skip
        return target, urgent, equity, rooms


def copied(book: Shadow) -> Shadow:
    """A book of its own."""
    return Shadow._make(part.copy() for part in book)
