"""What a mandate makes of the voices it listens to.

Voices that say different things average to less than one of them says, though together they know more. The
diversification multiplier (Carver 2015, "Systematic Trading", ch. 8) gives that back: 1 / sqrt(h' rho h), with rho the
correlations of the voices' own past, shrunk toward 1.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from tests.reference.facts import DAY_NS, Facts, sign

Voices = dict[str, list[list[float]]]

DECAY = 2.0 ** (-1 / 90)  # of a day's sample: half of it is left after ninety days
PRIOR_DAYS = 30  # what full correlation is believed as much as


@dataclass
class Memory:
    """How the voices went together: products of each pair, what they weigh, and the last day sampled."""

    products: dict[tuple[str, str], float] = field(default_factory=dict)
    weight: float = 0.0
    day: int | None = None


def blends(facts: Facts, mandate: Any, voices: Voices, memory: Memory, k: int) -> dict[int, float]:
    """The blend of each of the mandate's markets at a cadence; NaN where too little is known."""
    markets = [facts.names.index(name) for name in mandate.markets]
    today = facts.time[k] // DAY_NS
    if memory.day != today:
        memory.day = today
        _sample(mandate, voices, memory, k, markets)
    enlarged = multiplier(mandate, memory)
    return {m: _cut(enlarged * base(mandate, voices, k, m)) for m in markets}


def base(mandate: Any, voices: Voices, k: int, m: int) -> float:
    """Weighted mean of the voices; a missing one shrinks it, half of the weight missing silences it."""
    total = said = known = 0.0
    for name, weight in mandate.listens.items():
        voice = voices[name][k][m]
        total += abs(weight)
        if not math.isnan(voice):
            said += weight * voice
            known += abs(weight)
    return said / total if known >= 0.5 * total else math.nan


def multiplier(mandate: Any, memory: Memory) -> float:
    """1 where all voices say the same, more where they differ, at most `max_diversification`."""
    if len(mandate.listens) == 1 or mandate.max_diversification == 1.0 or memory.weight == 0.0:
        return 1.0
    total = sum(abs(weight) for weight in mandate.listens.values())
    share = {name: abs(weight) / total for name, weight in mandate.listens.items()}
    q = 0.0
    for i in mandate.listens:
        for j in mandate.listens:
            q += share[i] * share[j] * _correlation(memory, i, j)
    most: float = mandate.max_diversification
    return max(1.0, min(most, 1.0 / math.sqrt(q)))


def _correlation(memory: Memory, i: str, j: str) -> float:
    if i == j:
        return 1.0
    size = math.sqrt(memory.products[i, i] * memory.products[j, j])
    rho = memory.products[i, j] / size if size != 0.0 else 1.0
    return max((memory.weight * rho + PRIOR_DAYS) / (memory.weight + PRIOR_DAYS), 0.0)


def _sample(mandate: Any, voices: Voices, memory: Memory, k: int, markets: list[int]) -> None:
    """Once a day: the products of all pairs, each voice turned the way the mandate listens to it."""
    for i, weight_i in mandate.listens.items():
        for j, weight_j in mandate.listens.items():
            s = 0.0
            for m in markets:
                x, y = voices[i][k][m], voices[j][k][m]
                if not (math.isnan(x) or math.isnan(y)):
                    s += (sign(weight_i) * x) * (sign(weight_j) * y)
            memory.products[i, j] = DECAY * memory.products.get((i, j), 0.0) + s / len(markets)
    memory.weight = DECAY * memory.weight + 1.0


def _cut(x: float) -> float:
    return math.nan if math.isnan(x) else min(max(x, -1.0), 1.0)
