"""Who may hold capital: the stages of the books, day by day, as section 9 says them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from tests.reference.facts import Graduation

NORMAL = NormalDist()
LADDER = ("research", "paper", "seed", "full")


@dataclass
class Place:
    """Where one book stands. Rows count days since the run began."""

    stage: str
    since: int = 0
    clock: int = 0
    equity: float = 1.0
    peak: float = 1.0
    odds: float = 0.0
    noise: float = 0.0

    def put(self, stage: str, row: int) -> None:
        """Into a stage in which everything begins anew, but what is known of its noise."""
        self.stage, self.since, self.clock = stage, row, row
        self.equity, self.peak, self.odds = 1.0, 1.0, 0.0

    def step(self, stage: str, row: int) -> None:
        """Into a stage in which its evidence goes on."""
        self.stage, self.since, self.odds = stage, row, 0.0


def look(place: Place, days: Sequence[float], volatility: float, books: int, gate: Graduation) -> None:
    """One day more: the last of `days`, all that its shadow has earned since the run began."""
    d, x = len(days) - 1, days[-1]
    if place.stage == "research":
        if x == 0.0:
            place.since = place.clock = d + 1
            return
        place.put("paper", d)
    place.equity += x
    place.peak = max(place.peak, place.equity)
    n, held = d + 1 - place.clock, d + 1 - place.since
    due = n % gate.review_days == 0
    found = None
    if n >= 30 and (due or place.noise == 0.0):
        found = weigh(days[place.clock :])
        place.noise = found[2] if found else 0.0
    sunk = 1.0 - place.equity / place.peak >= gate.out_from * volatility
    if place.stage == "suspended":
        if held >= gate.cool_off_days and not sunk:
            place.stage, place.since = "paper", d + 1
        return
    if place.stage in ("seed", "full"):
        if sunk:
            place.put("suspended", d + 1)
            return
        a = gate.alive / math.sqrt(365)
        if place.noise > 0.0:
            place.odds = max(0.0, place.odds + a * (a / 2.0 - x / place.noise))
        if place.odds >= gate.alarm:
            place.stage = LADDER[LADDER.index(place.stage) - 1]
            place.since = place.clock = d + 1
            place.odds = 0.0
            return
    if due and found and not sunk and gate.signer == "rule":
        s, c, _ = found
        z = s * math.sqrt(n - 1) / c
        trials = gate.trials or books
        if place.stage == "paper" and n >= gate.floor_days and z >= hurdle(gate.psr, gate.seed_dsr, trials):
            place.step("seed", d + 1)
        elif place.stage == "seed" and min(n, held) >= gate.floor_days and z >= hurdle(gate.psr, gate.full_dsr, trials):
            place.step("full", d + 1)


def weigh(days: Sequence[float]) -> tuple[float, float, float] | None:
    """s, c and noise of a record; None where nothing is known of it."""
    n = len(days)
    mean = sum(days) / n
    away = [x - mean for x in days]
    q2, q3, q4 = (sum(one**power for one in away) for power in (2, 3, 4))
    if not q2 > 1e-18 * n * mean * mean:
        return None
    s = mean / math.sqrt(q2 / (n - 1))
    lags = max(lag for lag in range(1, n + 1) if lag**3 <= n)
    v = 1.0
    for lag in range(1, lags + 1):
        together = sum(now * then for now, then in zip(away[lag:], away, strict=False))
        v += 2.0 * (1.0 - lag / (lags + 1)) * together / q2
    v = max(1.0, v)
    variance = q2 / n
    skewness, kurtosis = q3 / n / variance**1.5, q4 / n / variance**2
    c2 = v - skewness * s + (kurtosis - 1.0) / 4.0 * s * s
    return (s, math.sqrt(c2), math.sqrt(q2 / (n - 1) * v)) if c2 > 0.0 else None


def hurdle(psr: float, dsr: float, trials: float) -> float:
    """z that a record must reach, of which so many were tried."""
    best = 0.0
    if trials > 1:
        g = 0.5772156649015329
        best = (1 - g) * NORMAL.inv_cdf(1 - 1 / trials) + g * NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return max(NORMAL.inv_cdf(psr), best + NORMAL.inv_cdf(dsr))


def share(stage: str, gate: Graduation) -> float:
    """Of the allocator's weight, what a stage lets a book have."""
    return {"seed": gate.seed_share, "full": 1.0}.get(stage, 0.0)
