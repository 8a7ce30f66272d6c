"""Voices and shadow books: what every execution agent would do alone, with the reference capital and full costs.

They depend on the markets only, so they are worked through before the fund's own cycles. The fund follows a shadow's
*target*; ladders and allocation read its equity.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from tests.reference import evidence, pace, resting, venue
from tests.reference.blend import Memory, Voices, blends
from tests.reference.facts import Facts, Terms, sign


@dataclass
class Shadow:
    """A shadow book's life: one row per cycle."""

    target: list[list[int]] = field(default_factory=list)  # [k][m] lots, after step 4
    urgent: list[set[int]] = field(default_factory=list)  # [k] markets the fund must leave at once
    notes: list[list[evidence.Note]] = field(default_factory=list)  # [k] why positions were not enlarged, by market
    equity: list[int] = field(default_factory=list)  # [k] micro-dollars, after step 2


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
    want: pace.Want = field(default_factory=pace.Want)
    rests: resting.Resting | None = None  # through the next bar
    purse: evidence.Purse = field(default_factory=evidence.Purse)


def live(facts: Facts, terms: Terms, mandate: Any, voices: Voices) -> Shadow:
    """Walk one mandate through every cycle, in the page's five steps."""
    shadow, memory, record = Shadow(), Memory(), evidence.Record()
    held = {facts.names.index(name): Position() for name in mandate.markets}
    cash = terms.capital_micro
    for k in range(facts.cycles):
        for m, position in held.items():
            cash -= _finance(facts, terms, mandate, k, m, position)
        shadow.equity.append(cash + sum(position.lots * facts.mark[k][m] for m, position in held.items()))
        shadow.urgent.append({m for m, position in held.items() if _stopped(facts, mandate, k, m, position)})
        notes = []
        if facts.fires(k, mandate.cadence_ns):
            blend = blends(facts, mandate, voices, memory, k)
            record.hear(facts, mandate, blend, k)
            slope = record.slope(terms, mandate)
            for m, position in sorted(held.items()):
                target = _aim(facts, terms, mandate, blend[m], k, m, position)
                notes += _enlarge(facts, terms, mandate, blend[m], slope, k, m, position, target)
        shadow.notes.append(notes)
        shadow.target.append([held[m].target if m in held else 0 for m in range(len(facts.names))])
        for m, position in held.items():
            cash -= _trade(facts, terms, mandate, k, m, position)
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


def _finance(facts: Facts, terms: Terms, mandate: Any, k: int, m: int, position: Position) -> int:
    """Step 1: funding since the last cycle, what rested through the bar, funding at t_k, the end of a dead market.

    -> micro-dollars paid
    """
    paid = 0
    for event in facts.funding_before(k):
        if event.market == m and position.lots != 0:
            paid += venue.funding_paid(event, position.lots, facts.mark[k - 1][m])
    order, position.rests = position.rests, None
    if order is not None:
        lots = resting.filled(facts, k, m, order)
        fee = venue.maker_fee(terms, abs(lots), order.limit)
        paid += _fill(facts, mandate, k, m, position, lots, order.limit, order.reference, fee)
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


def _aim(facts: Facts, terms: Terms, mandate: Any, blend: float, k: int, m: int, position: Position) -> int:
    """Step 4, at the mandate's cadence: from the blend to a target in lots, before anybody asks what it costs."""
    sigma, mark = facts.sigma(mandate.name, k, m), facts.mark[k][m]
    if math.isnan(blend) or not sigma > 0.0 or math.isnan(facts.sigma_day[k][m]) or mark == 0:
        if position.unknown_since_ns is None:
            position.unknown_since_ns = facts.time[k]
        patience_ns = min(mandate.longest_holding_ns, 3 * mandate.cadence_ns)
        waited_ns = facts.time[k] - position.unknown_since_ns
        return 0 if waited_ns >= patience_ns or position.blocked != 0 else position.lots
    position.unknown_since_ns = None
    if blend == 0.0 or sign(blend) == -position.blocked:
        position.blocked = 0
    if position.blocked != 0 or blend == 0.0:
        return 0
    markets = len(mandate.markets)
    share = sigma * math.sqrt(365.0) * markets * mandate.typical_conviction
    unit: float = mandate.volatility_target / share * terms.capital_micro / mark
    band: float = mandate.buffer * unit
    ideal = blend * unit
    if ideal > position.lots + band:
        return math.trunc(ideal - band)
    if ideal < position.lots - band:
        return math.trunc(ideal + band)
    return position.lots


def _enlarge(
    facts: Facts,
    terms: Terms,
    mandate: Any,
    blend: float,
    slope: float,
    k: int,
    m: int,
    position: Position,
    target: int,
) -> list[evidence.Note]:
    """Take the target; where it enlarges the position, only if that is worth its cost. -> a note, where it is new."""
    lots, purse, position.target = position.lots, position.purse, target
    before, purse.held = purse.held, ("", 0)
    if abs(target) <= abs(lots) and target * lots >= 0:
        return []
    refused = evidence.refuse(
        facts, terms, mandate, k, m, lots=lots, target=target, blend=blend, slope=slope, purse=purse
    )
    if refused is None:
        return []
    code, measured, bound = refused
    position.target = lots if target * lots >= 0 else 0
    purse.held = (code, sign(target))
    return [] if purse.held == before else [evidence.Note(m, code, target, position.target, measured, bound)]


def _trade(facts: Facts, terms: Terms, mandate: Any, k: int, m: int, position: Position) -> int:
    """Step 5: toward the target in the mandate's style, as far as liquidity allows. -> micro-dollars paid"""
    d = position.target - position.lots
    position.want.look(d)
    compelled = position.target == 0 and position.blocked != 0  # by a stop or the longest holding
    reference = facts.reference[k][m]
    too_small = abs(d) * facts.mark[k][m] < terms.min_notional_micro[m] and position.target != 0
    if d == 0 or reference == 0 or too_small:
        return 0
    if pace.waits(facts, mandate, position.want) and not compelled:
        position.rests = resting.place(facts, terms, k, m, d)
        return 0
    lots = abs(d) if compelled else _slice(facts, terms, mandate, k, m, position.want, d)
    q = min(lots, facts.liquidity[k][m])
    if q == 0:
        return 0
    price = venue.fill_price(facts, terms, k, m, sign(d), q)
    return _fill(facts, mandate, k, m, position, sign(d) * q, price, reference, venue.fee(terms, q, price))


def _slice(facts: Facts, terms: Terms, mandate: Any, k: int, m: int, want: pace.Want, d: int) -> int:
    """All of it, but for a TWAP's: the next slice, or more where the venue would refuse so little."""
    if mandate.style != "twap":
        return abs(d)
    mark, least = facts.mark[k][m], terms.min_notional_micro[m]
    lots = pace.piece(d, pace.patience(facts, mandate), want.age)
    if lots * mark < least:
        lots = -(-least // mark)
    return min(lots, abs(d))


def _fill(
    facts: Facts, mandate: Any, k: int, m: int, position: Position, lots: int, price: int, reference: int, fee: int
) -> int:
    """Book a fill of signed lots. -> micro-dollars paid, fee included"""
    if lots == 0:
        return 0
    old, new = position.lots, position.lots + lots
    if old == 0 or sign(new) == -sign(old):
        position.entry, position.since_ns = float(price), facts.time[k]
        position.sigma_entry = facts.sigma(mandate.name, k, m)
    elif sign(lots) == sign(old):
        position.entry = (position.entry * abs(old) + price * abs(lots)) / abs(new)
    position.lots = new
    position.purse.pay(lots, price, reference, fee)
    return lots * price + fee
