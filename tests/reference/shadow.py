"""Voices and shadow books: what every execution agent would do alone, with the reference capital and full costs.

They depend on the markets only, so they are worked through before the fund's own cycles. The fund follows a shadow's
*target*; ladders and allocation read its equity.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from tests.reference import venue
from tests.reference.facts import HOUR_NS, Facts, Terms, sign

Voices = dict[str, list[list[float]]]


@dataclass
class Shadow:
    """A shadow book's life: one row per cycle."""

    target: list[list[int]] = field(default_factory=list)  # [k][m] lots, after step 4
    urgent: list[set[int]] = field(default_factory=list)  # [k] markets the fund must leave at once
    equity: list[int] = field(default_factory=list)  # [k] micro-dollars, after step 2
    kept: list[int] = field(default_factory=list)  # [k] the last equity kept for the ladder: every hour
    peak: list[int] = field(default_factory=list)  # [k] the highest kept since the start


@dataclass
class Position:
    """One market of a shadow book."""

    lots: int = 0
    target: int = 0
    entry: float = 0.0  # average price, micro-dollars per lot
    sigma_entry: float = math.nan
    since_ns: int = 0
    blocked: int = 0  # the side a stop or the longest holding has closed
    unknown_since_ns: int | None = None  # first cadence of a run of unknown blends


def live(facts: Facts, terms: Terms, mandate: Any, voices: Voices) -> Shadow:
    """Walk one mandate through every cycle, in the page's five steps."""
    shadow = Shadow()
    held = {facts.names.index(name): Position() for name in mandate.markets}
    cash = terms.capital_micro
    for k in range(facts.cycles):
        for m, position in held.items():
            cash -= _finance(facts, k, m, position)
        shadow.equity.append(cash + sum(position.lots * facts.mark[k][m] for m, position in held.items()))
        shadow.kept.append(shadow.equity[k] if k == 0 or facts.fires(k, HOUR_NS) else shadow.kept[k - 1])
        shadow.peak.append(max(shadow.peak[k - 1], shadow.kept[k]) if k else terms.capital_micro)
        shadow.urgent.append({m for m, position in held.items() if _stopped(facts, mandate, k, m, position)})
        if facts.fires(k, mandate.cadence_ns):
            for m, position in held.items():
                _aim(facts, terms, mandate, voices, k, m, position)
        shadow.target.append([held[m].target if m in held else 0 for m in range(len(facts.names))])
        for m, position in held.items():
            cash -= _trade(facts, terms, k, m, position)
    return shadow


def speak(facts: Facts, terms: Terms) -> Voices:
    """Every signal's voice, [k][m]: its conviction while open, 0 while shut, NaN while unknown.

    A voice opens at |c| >= open, shuts below close or when the sign turns; it moves only at its agent's bar.
    """
    voices: Voices = {}
    for name, (bar_ns, convictions) in facts.convictions.items():
        open_side = [0] * len(facts.names)
        said = [math.nan] * len(facts.names)
        voices[name] = []
        for k in range(facts.cycles):
            if k == 0 or facts.time[k] % bar_ns == 0:
                for m, c in enumerate(convictions[k]):
                    said[m], open_side[m] = _move(terms, c, open_side[m])
            voices[name].append(list(said))
    return voices


def _move(terms: Terms, c: float, side: int) -> tuple[float, int]:
    """One voice hears a conviction: (what it says, the side it is open on or 0)."""
    if math.isnan(c):
        return math.nan, side
    if side != 0 and (abs(c) < terms.confidence_close or sign(c) == -side):
        side = 0
    if side == 0 and abs(c) >= terms.confidence_open:
        side = sign(c)
    return (c if side != 0 else 0.0), side


def _finance(facts: Facts, k: int, m: int, position: Position) -> int:
    """Step 1: funding since the last cycle, then at t_k, then the end of a dead market. -> micro-dollars paid."""
    paid = 0
    for event in facts.funding_before(k):
        if event.market == m and position.lots != 0:
            paid += venue.funding_paid(event, position.lots, facts.mark[k - 1][m])
    for event in facts.funding_at(k):
        if event.market == m and position.lots != 0:
            paid += venue.funding_paid(event, position.lots, facts.mark[k][m])
    if position.lots != 0 and facts.dead(k, m):
        paid -= position.lots * venue.settlement_price(position.lots, facts.mark[k][m])
        position.lots = position.target = 0  # what is settled is no longer wished
    return paid


def _stopped(facts: Facts, mandate: Any, k: int, m: int, position: Position) -> bool:
    """Step 3: close what has lost too much or is held too long. True when the fund has to hear of it, once."""
    if position.lots == 0 or facts.mark[k][m] == 0:
        return False
    mark, room = facts.mark[k][m], mandate.stop * position.sigma_entry
    lost = mark <= position.entry * (1.0 - room) if position.lots > 0 else mark >= position.entry * (1.0 + room)
    overdue = facts.time[k] - position.since_ns >= mandate.longest_holding_ns
    if not (lost or overdue):
        return False
    news = position.blocked != sign(position.lots)
    position.target, position.blocked = 0, sign(position.lots)
    return news


def _aim(facts: Facts, terms: Terms, mandate: Any, voices: Voices, k: int, m: int, position: Position) -> None:
    """Step 4, at the mandate's cadence: from the voices to a target in lots."""
    sigma, mark = facts.sigma_day[k][m], facts.mark[k][m]
    blend = _blend(mandate, voices, k, m)
    if math.isnan(blend) or not sigma > 0.0 or mark == 0:
        if position.unknown_since_ns is None:
            position.unknown_since_ns = facts.time[k]
        patience_ns = min(mandate.longest_holding_ns, 3 * mandate.cadence_ns)
        waited_ns = facts.time[k] - position.unknown_since_ns
        position.target = 0 if waited_ns >= patience_ns or position.blocked != 0 else position.lots
        return
    position.unknown_since_ns = None
    if blend == 0.0 or sign(blend) == -position.blocked:
        position.blocked = 0
    if position.blocked != 0 or blend == 0.0:
        position.target = 0
        return
    markets = len(mandate.markets)
    unit = mandate.volatility_target / (sigma * math.sqrt(365.0) * markets) * terms.capital_micro / mark
    band, ideal = mandate.buffer * unit, blend * unit
    if ideal > position.lots + band:
        position.target = math.trunc(ideal - band)
    elif ideal < position.lots - band:
        position.target = math.trunc(ideal + band)
    else:
        position.target = position.lots


def _blend(mandate: Any, voices: Voices, k: int, m: int) -> float:
    """Weighted mean of the voices; a missing one shrinks it, half of the weight missing silences it."""
    total = said = known = 0.0
    for name, weight in mandate.listens.items():
        voice = voices[name][k][m]
        total += abs(weight)
        if not math.isnan(voice):
            said += weight * voice
            known += abs(weight)
    return said / total if known >= 0.5 * total else math.nan


def _trade(facts: Facts, terms: Terms, k: int, m: int, position: Position) -> int:
    """Step 5: go to the target at open k+1, as far as liquidity allows. -> micro-dollars paid, fee included."""
    d = position.target - position.lots
    too_small = abs(d) * facts.mark[k][m] < terms.min_notional_micro[m] and position.target != 0
    q = min(abs(d), facts.liquidity[k][m])
    if q == 0 or too_small or facts.reference[k][m] == 0:
        return 0
    price = venue.fill_price(facts, terms, k, m, sign(d), q)
    old, new = position.lots, position.lots + sign(d) * q
    if old == 0 or sign(new) == -sign(old):
        position.entry, position.sigma_entry, position.since_ns = float(price), facts.sigma_day[k][m], facts.time[k]
    elif sign(d) == sign(old):
        position.entry = (position.entry * abs(old) + price * q) / abs(new)
    position.lots = new
    return sign(d) * q * price + venue.fee(terms, q, price)
