"""What a mandate's forecasts have been worth, and whether that pays for a trade.

The record is of all forecasts, traded or not: what has shut the gate can open it again.
"""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.reference import pace
from tests.reference.facts import DAY_NS, HOUR_NS, Facts, Terms, sign

YEAR_NS = 365 * DAY_NS


class Sample(NamedTuple):
    """What was forecast at one cadence, per market, and at which prices one could have followed."""

    period: int
    blend: dict[int, float]
    sigma: dict[int, float]
    reference: dict[int, int]


class Sums(NamedTuple):
    """Over forecasts f and what came of them, y: both in units where f = 1 is a move of one sigma."""

    fy: float = 0.0
    ff: float = 0.0
    n: float = 0.0


@dataclass
class Record:
    """A year of forecasts, one slot for each period as long as the outlook."""

    slots: dict[int, Sums] = field(default_factory=dict)
    total: Sums = field(default_factory=Sums)
    old: Sample | None = None
    new: Sample | None = None

    def hear(self, facts: Facts, mandate: Any, blend: dict[int, float], k: int) -> None:
        """At a cadence: where a period has begun, judge the last pair of samples and take another."""
        period = facts.time[k] // mandate.outlook_ns
        if self.new is not None and self.new.period == period:
            return
        slots = max(1, YEAR_NS // mandate.outlook_ns)
        if self.new is not None:
            for begun in range(max(self.new.period + 1, period - slots + 1), period + 1):
                gone = self.slots.pop(begun % slots, Sums())
                self.total = Sums(*(t - g for t, g in zip(self.total, gone, strict=True)))
        if self.old is not None and self.new is not None:
            self._judge(mandate, self.old, self.new, self.new.period % slots)
        sigma = {m: facts.sigma(mandate.name, k, m) for m in blend}
        self.old, self.new = self.new, Sample(period, blend, sigma, {m: facts.reference[k][m] for m in blend})

    def _judge(self, mandate: Any, old: Sample, new: Sample, slot: int) -> None:
        for m, f in old.blend.items():
            then, now = old.reference[m], new.reference[m]
            if math.isnan(f) or f == 0.0 or math.isnan(old.sigma[m]) or then == 0 or now == 0:
                continue
            y = (now / then - 1.0) / (old.sigma[m] * math.sqrt(mandate.outlook_ns / DAY_NS))
            gain = (f * y, f * f, 1.0)
            self.slots[slot] = Sums(*(a + b for a, b in zip(self.slots.get(slot, Sums()), gain, strict=True)))
            self.total = Sums(*(a + b for a, b in zip(self.total, gain, strict=True)))

    def slope(self, terms: Terms, mandate: Any) -> float:
        """What a forecast of 1 is worth, in sigmas over the outlook, shrunk to what its family is held to be worth."""
        total = self.total
        usual = total.ff / total.n if total.n else 1.0
        worth = terms.prior_observations * usual
        prior: float = mandate.prior
        return (total.fy + worth * prior) / (total.ff + worth)


class Note(NamedTuple):
    """Why a shadow did not enlarge a position."""

    market: int
    code: str  # COST_GATE | COST_BUDGET
    held_back: int  # the target that was not allowed, lots
    target: int
    measured: float  # of COST_GATE in bps, of COST_BUDGET in dollars
    bound: float


@dataclass
class Purse:
    """One market of a shadow book: what its trading has cost, and what was last said of it.

    passed  whether the cost gate let it pass when it was last asked
    held    code and side of what was held back at the last cadence; ("", 0) where nothing was
    """

    spent: int = 0  # micro-dollars
    passed: bool = False
    held: tuple[str, int] = ("", 0)

    def pay(self, lots: int, price: int, reference: int, fee: int) -> None:
        self.spent += fee + (price - reference) * lots


def refuse(
    facts: Facts,
    terms: Terms,
    mandate: Any,
    k: int,
    m: int,
    *,
    lots: int,
    target: int,
    blend: float,
    slope: float,
    purse: Purse,
) -> tuple[str, float, float] | None:
    """Say why a position may not grow to `target`: (code, measured, bound), or None where it may."""
    side = cost_of_one_side(facts, terms, mandate, k, m, abs(target - lots))
    outlook = mandate.outlook_ns
    if mandate.cost_factor > 0.0:
        carry = facts.carry[k][m]
        if math.isnan(carry):
            holding = terms.assumed_funding_bps_8h / 1e4 * outlook / (8 * HOUR_NS)
        else:
            holding = sign(target) * carry * outlook / HOUR_NS
        cost = 2.0 * side + holding
        edge = slope * abs(blend) * facts.sigma(mandate.name, k, m) * math.sqrt(outlook / DAY_NS)
        needed = cost if purse.passed or cost < 0.0 else mandate.cost_factor * cost
        purse.passed = edge >= needed
        if not purse.passed:
            return "COST_GATE", edge * 1e4, needed * 1e4

    until_flat = purse.spent + (abs(target - lots) + abs(target)) * facts.mark[k][m] * side
    run_ns = facts.time[k] - facts.time[0] + 30 * DAY_NS
    budget = mandate.cost_budget * terms.capital_micro / len(mandate.markets) * run_ns / YEAR_NS
    return None if until_flat <= budget else ("COST_BUDGET", until_flat / 1e6, budget / 1e6)


def cost_of_one_side(facts: Facts, terms: Terms, mandate: Any, k: int, m: int, lots: int) -> float:
    """Half the spread, the fee and the impact of trading `lots` in the mandate's style, as a fraction of their worth.

    A maker earns the half-spread where it is filled, and gives it back in what the price then does. NaN where the depth
    is unknown: who takes cannot know the cost, and nothing that asks for it passes.
    """
    fee, impact, depth = terms.fee_e8 / 1e8, 0.0, facts.depth[k][m]
    if mandate.style == "maker":
        fee = terms.maker_fee_e8 / 1e8
    else:
        piece = pace.piece(lots, pace.patience(facts, mandate), 0) if mandate.style == "twap" else lots
        impact = terms.impact * facts.sigma_day[k][m] * math.sqrt(piece / depth if depth != 0.0 else math.inf)
    return terms.half_spread + fee + impact
