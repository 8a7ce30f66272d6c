"""What a gateway is given and what it answers: the latch, and the report of a cycle."""

from typing import NamedTuple, Protocol

from podshop.ledger.facts import Verdict
from podshop.nouns.verdict import RUNNING


class Holds(Protocol):
    """What the latch says holds; `live.latch.Held` is one."""

    @property
    def state(self) -> int:
        """RUNNING < REDUCE_ONLY < HALTED < FLATTEN."""
        ...

    @property
    def reason(self) -> str:
        """Why."""
        ...


class LatchPort(Protocol):
    """The latch, as the gateway uses it; `live.latch.Latch` is one."""

    def held(self) -> Holds:
        """What holds now."""
        ...

    def raise_to(self, state: int, at_ns: int, reason: str) -> Holds:
        """Hold at least this state."""
        ...


class NoLatch(NamedTuple):
    """A latch for a replay, that nobody raises."""

    state: int = RUNNING
    reason: str = ""

    def held(self) -> "NoLatch":
        """Nothing."""
        return self

    def raise_to(self, state: int, at_ns: int, reason: str) -> "NoLatch":
        """Nothing: the journal holds the state."""
        return self


class CycleReport(NamedTuple):
    """What came of a cycle.

    refused   why the brain's message was not followed; empty = it was
    verdicts  on every market's net order; intents what was sent
    """

    cycle: int
    refused: str
    verdicts: tuple[Verdict, ...] = ()
    intents: tuple[str, ...] = ()
