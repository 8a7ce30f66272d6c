"""Risk agents that say whatever comes to their mind: at the same instant always the same."""

import random
from dataclasses import dataclass

from tests.reference.facts import TAIL
from tests.reference.limits import Said
from tests.reference.office import AgentFailed


@dataclass(frozen=True)
class Moody:
    """An agent with opinions on some subjects, on each of them now and then.

    subjects  fields of `Said`, and `failure`
    """

    seed: str
    markets: int
    books: int
    subjects: tuple[str, ...]

    def __call__(self, at_ns: int) -> Said:
        """Raises AgentFailed: its mood is such."""
        chance = random.Random(f"{self.seed} at {at_ns}")
        said = {}
        for subject in self.subjects:
            speaks = chance.random()
            if subject == "failure" and speaks < 0.1:
                raise AgentFailed(f"no mood at {at_ns}")
            if subject == "state" and speaks < 0.04:
                said[subject] = chance.choice(("REDUCE_ONLY", "HALTED"))
            elif subject not in ("failure", "state") and speaks < 0.7:
                said[subject] = getattr(self, f"_{subject}")(chance)
        return Said(**said)

    def _weight(self, chance: random.Random) -> list[float]:
        return [chance.choice((0.0, 0.04, 0.2, 2.0)) for _ in range(self.markets)]

    def _max_gross(self, chance: random.Random) -> float:
        return chance.choice((0.0, 0.1, 0.4, 3.0))

    def _max_net(self, chance: random.Random) -> float:
        return chance.choice((0.0, 0.05, 0.2))

    def _max_order(self, chance: random.Random) -> float:
        return chance.choice((0.0, 0.01, 0.1))

    def _max_var(self, chance: random.Random) -> float:
        return chance.choice((0.001, 0.01, 0.1))

    def _tail(self, chance: random.Random) -> float:
        return chance.choice((TAIL, 2.3, 4.0))

    def _clusters(self, chance: random.Random) -> list[tuple[tuple[int, ...], float]]:
        drawn = []
        for _ in range(chance.randint(0, 3)):
            members = sorted(chance.sample(range(self.markets), k=chance.randint(1, self.markets)))
            drawn.append((tuple(members), chance.choice((0.0, 0.03, 0.1, 0.3))))
        return drawn

    def _throttle(self, chance: random.Random) -> list[float]:
        return [chance.choice((0.0, 0.5, 1.0, 1.0)) for _ in range(self.books)]

    def _fund_throttle(self, chance: random.Random) -> float:
        return chance.choice((0.3, 1.0, 1.0))
