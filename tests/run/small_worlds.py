"""Random funds for both sides: any number of them for hypothesis, and the first that is as one wants it."""

import dataclasses
import random
from collections.abc import Callable

from hypothesis import strategies as st

from podshop.run.loop import Run
from tests.reference import facts as ref
from tests.reference.small_markets import INTERVALS_NS, funds, small_fund
from tests.run.given import told_by_given
from tests.run.parity import Told


@dataclasses.dataclass
class World:
    """A random fund, with a name short enough for a report."""

    facts: ref.Facts
    terms: ref.Terms
    stretch: int  # cycles that the loop works through at once

    def told(self) -> Told:
        def cut(run: Run) -> None:
            run.stretch_ns = self.stretch * self.facts.interval_ns

        return told_by_given(self.facts, self.terms, cut)

    def __repr__(self) -> str:
        return f"World({self.facts.cycles} cycles of {self.facts.interval_ns} ns, {len(self.facts.names)} markets)"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    return World(*draw(funds()), draw(st.sampled_from([7, 1_000])))


def found(wanted: Callable[[tuple[ref.Facts, ref.Terms]], bool]) -> tuple[ref.Facts, ref.Terms]:
    """The first random fund of which this is true; always the same one."""
    for seed in range(3_000):
        chance = random.Random(seed)
        pair = small_fund(
            seed,
            markets=chance.randint(1, 4),
            books=chance.randint(1, 4),
            interval_ns=chance.choice(INTERVALS_NS),
            cycles=chance.randint(1, 150),
        )
        if wanted(pair):
            return pair
    raise AssertionError("no random fund is like that")
