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
from podshop.run.shadow_state import Notes as Room
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
        fires = np.zeros((len(self.books), 1), np.bool_)
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
        walked = [self._walk(b, book, row, np.full(1, strike)) for b, book in enumerate(self._trial)]
        target, urgent, equity, rooms = zip(*walked, strict=True)
        self.told = Shadows(
            target=np.stack(target),
            fires=np.ascontiguousarray(fires.T),
            urgent=np.array(urgent).T.copy(),
            notes=in_order(list(rooms), 1),
        )
        return self.told, np.concatenate(equity)

    def finish_row(self, facts: Facts, sigma: Mapping[int, Panel]) -> None:
        """Second half: the same row with the open that is known now; what it leaves is the state."""
        if self.open is None or self.open.at_ns != int(facts.time[0]):
            raise ValueError("the row to be finished is not the one that was decided")
        strike = np.zeros(1, np.bool_)
        for b, trial in enumerate(self._trial):
            if trial.side.any():  # it wants to trade: the open decides what becomes of that
                self._walk(b, self.books[b], Row(facts, dict(sigma)), strike)
            else:  # it did not look at the open: what was tried is what happened
                self.books[b], self._trial[b] = trial, self.books[b]
        for b, sampled in enumerate(self.open.sampled):
            if sampled:
                self.listeners[b].priced(facts.reference[0, self._orders[b].markets])
        self.open = None

    def memory(self) -> tuple[list[Shadow], list[Shadow], Heard | None]:
        """The books, the copies that were tried, and the row that is not finished."""
        return self.books, self._trial, self.open

    def remember(self, memory: tuple[list[Shadow], list[Shadow], Heard | None]) -> None:
        """Take back what `memory` told."""
        self.books, self._trial, self.open = memory

    def _walk(self, b: int, book: Shadow, row: Row, strike: Flags) -> tuple[Whole, Flags, Whole, Room]:
        """Walk book b through one row, in place: targets (M, 1), urgent (1,), equity (1,) and what was held back."""
        assert self.open is not None
        target = np.zeros((row.facts.mark.shape[1], 1), np.int64)
        urgent, equity = np.zeros(1, np.bool_), np.zeros(1, np.int64)
        sigma, heard, fires = row.sigma[self._lives[b]], self.open.heard[b], self.open.fires[b]
        return (
            target,
            urgent,
            equity,
            self.walk(b, book, row.facts, sigma, heard, fires, strike, target, urgent, equity),
        )


def copied(book: Shadow) -> Shadow:
    """A book of its own."""
    return Shadow._make(part.copy() for part in book)
