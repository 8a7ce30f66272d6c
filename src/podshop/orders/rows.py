"""The table of docs/live.md, section 3: one function a row. Each says what is written down and what is done.

No row sends what was sent before, and none ends an intent because time has passed: that takes evidence, or a person.
Alarms: UNRESOLVED, CANDIDATES, MOVED (rows 5 and 11); LATE (13); EXTERNAL, DIFFERS (14); CONTRADICTED, OVERFILLED,
MISREPORTED (the venue says what cannot be).
"""

from podshop.nouns.venue import Filled, Found, Reply
from podshop.orders.bound import ends, most, reducible
from podshop.orders.effects import Alarm, Allot, Drop, Effect, External, Journal, RaiseLateBound, Send, Suspense
from podshop.orders.events import Asked
from podshop.orders.facts import (
    Acknowledged,
    Booked,
    Committed,
    Differs,
    Ended,
    Late,
    Restricted,
    Unowned,
    Unsure,
)
from podshop.orders.line import Flight, Line
from podshop.orders.reading import agreeing, clean, differing, past_expiry, unknown_answers, without
from podshop.orders.terms import Terms

Effects = tuple[Effect, ...]

DUST = "dust"  # not a fill: what a venue that rounds shows more or less than was booked
LIQUIDATED = ("liquidation", "adl", "settlement")  # borne by those who hold the lots


def row_1(line: Line, asked: Asked, terms: Terms) -> Effects:
    """IDLE, a new target, a reading that agrees: commit the intent, send it once. Else row 2."""
    seen = agreeing(line, asked.at_ns, terms)
    wanted, lots = asked.target - line.booked, asked.order.lots
    if seen is None or line.differs:
        return row_2(asked, "NO_READING")
    if lots * wanted <= 0 or abs(lots) > abs(wanted):
        return row_2(asked, "NOT_TOWARD_TARGET")
    if line.reduce_only and not (lots * line.booked < 0 and abs(lots) <= abs(line.booked)):
        return row_2(asked, "REDUCE_ONLY")
    return _committed(line, asked, 1, seen.began_ns)


def row_2(asked: Asked, code: str) -> Effects:
    """Old, expired, repeated, too small, or without a reading: dropped, and the verdict says why."""
    return (Drop(asked.order.intent, code),)


def row_3(line: Line, flight: Flight, reply: Reply, at_ns: int) -> Effects:
    """Refused, by a word on the list of clear refusals: nothing was sent, nothing is reserved any more."""
    if flight.filled:
        return (Alarm("CONTRADICTED", flight.intent, f"refused ({reply.code}) after {flight.filled} lots filled"),)
    fact = Ended(line.market, at_ns, 3, flight.intent, "refused", 0, (), reply.code)
    return Journal(fact), Allot(flight.intent)


def row_4(line: Line, flight: Flight, order_id: str, hinted: int | None, at_ns: int) -> Effects:
    """Taken, with an order id. What the reply says was filled is a hint."""
    return (Journal(Acknowledged(line.market, at_ns, 4, flight.intent, order_id, hinted, False)),)


def row_5(line: Line, flight: Flight, code: str, at_ns: int) -> Effects:
    """Anything else, or nothing at all: it may be at the venue. Everything stays reserved."""
    return (Journal(Unsure(line.market, at_ns, flight.intent, code)),)


def row_5_alarm(flight: Flight, at_ns: int, terms: Terms) -> Effects:
    """Its fate is open for a cycle: a person should know."""
    if at_ns - flight.sent_ns < terms.cycle_ns:
        return ()
    text = f"{flight.order.lots} lots sent at {flight.sent_ns}, {flight.filled} filled, {flight.stage} for a cycle"
    return (Alarm("UNRESOLVED", flight.intent, text),)


def row_6(line: Line, flight: Flight, fill: Filled, at_ns: int, terms: Terms) -> Effects:
    """A fill of an order that is ours: booked to transit."""
    booked = Journal(Booked(line.market, at_ns, 6, flight.intent, "wants", fill))
    if abs(flight.filled + fill.lots) <= most(flight, terms):
        return (booked,)
    text = f"{flight.filled + fill.lots} lots filled of {flight.order.lots}"
    return booked, Alarm("OVERFILLED", flight.intent, text), *_restrict(line, at_ns, "filled more than asked")


def row_7(line: Line, flight: Flight, at_ns: int, terms: Terms) -> Effects:
    """It is over: filled whole, or the venue says so and every lot it speaks of is booked, or the account is clean.

    Clean 10 s after the reply is enough where what is claimed to be filled is what is booked. Where nobody says, or
    the books say otherwise, a fill may be on its way: that is row 12. What the venue calls open is not over.
    """
    if flight.order_id is None or flight.stage == "ENDED":
        return ()
    finals = dict(line.evidence.final)
    final_said, claimed = flight.intent in finals, finals.get(flight.intent)
    asked_all = not flight.order.whole and not terms.rounding_lots and flight.filled == flight.order.lots
    if asked_all or (final_said and claimed == flight.filled):
        return _over(line, flight, 7, "final", (), at_ns)
    if flight.intent in line.evidence.open:
        return ()
    if claimed is None:  # the reply's figure is a hint; over, and nobody says by how much: the account does
        claimed = flight.filled if final_said else flight.hinted
    if claimed is not None and abs(claimed) == abs(flight.filled):
        proof = clean(line, flight.known_ns + terms.settle_ns, terms)
        return _over(line, flight, 7, "clean", proof, at_ns) if proof else ()
    proof = clean(line, flight.sent_ns + terms.quarantine_ns, terms)
    if not proof or flight.stage == "LAPSED":
        return ()
    over = _over(line, flight, 12, "lapsed", proof, at_ns)
    if claimed is None:
        return over
    return *over, Alarm("MISREPORTED", flight.intent, f"said to have filled {claimed} lots, {flight.filled} did")


def row_8(line: Line, flight: Flight, order_id: str, at_ns: int) -> Effects:
    """The venue knows our client id: its order id is ours."""
    return (Journal(Acknowledged(line.market, at_ns, 8, flight.intent, order_id, None, False)),)


def row_9(line: Line, flight: Flight, at_ns: int, terms: Terms) -> Effects:
    """Never arrived: past its expiry the venue twice knew no such order, and the account is clean."""
    if flight.stage != "UNKNOWN" or flight.order_id is not None or not (terms.client_ids and terms.expiry):
        return ()
    since_ns = past_expiry(flight, terms)
    proof = clean(line, since_ns, terms)
    if not proof or len(unknown_answers(line, flight, since_ns)) < 2:
        return ()
    return _over(line, flight, 9, "never_arrived", proof, at_ns)


def row_10(line: Line, flight: Flight, fill: Filled, at_ns: int) -> Effects:
    """The one order that it can be: adopted without proof."""
    return (Journal(Acknowledged(line.market, at_ns, 10, flight.intent, fill.order_id, None, True)),)


def row_11(line: Line, fill: Filled, at_ns: int, many: bool) -> Effects:
    """A fill that cannot be placed: not booked, until its owner shows or a person says."""
    new = all(held.fill_id != fill.fill_id for held in line.held)
    kept: Effects = (Journal(Unowned(line.market, at_ns, fill)),) if new else ()
    if not many:
        return kept
    text = f"{fill.lots} lots of order {fill.order_id} may be ours, and that cannot be told"
    return *kept, Alarm("CANDIDATES", fill.order_id, text)


def row_11_moved(line: Line, terms: Terms) -> Effects:
    """The position has moved, within what is in flight, and no fill says so: nothing is booked."""
    off = differing(line, terms)
    if not off or not _explained(line, off, terms):
        return ()
    episode = f"{line.market}:{line.evidence.differed[0][0]}"
    return (Alarm("MOVED", episode, f"the venue shows {off} lots more than are booked, without a fill"),)


def row_12(line: Line, flight: Flight, at_ns: int, terms: Terms) -> Effects:
    """No proof is possible, Q is over and the account clean: it lapses, and stays reserved until W."""
    if flight.stage != "UNKNOWN" or flight.order_id is not None:
        return ()
    since_ns = flight.sent_ns + terms.quarantine_ns
    if terms.client_ids and (terms.expiry or len(unknown_answers(line, flight, flight.sent_ns)) < 2):
        since_ns = flight.sent_ns + terms.watch_ns  # the venue could tell: it has so long to do so
    proof = clean(line, since_ns, terms)
    return _over(line, flight, 12, "lapsed", proof, at_ns) if proof else ()


def row_13(line: Line, flight: Flight, fill: Filled, at_ns: int) -> Effects:
    """A fill of an order that had lapsed, or was over: its own wants get it, and the venue is later than we thought."""
    facts: Effects = ()
    if flight.order_id is None:
        inferred = fill.client_id != flight.intent
        facts = (Journal(Acknowledged(line.market, at_ns, 13, flight.intent, fill.order_id, None, inferred)),)
    late_ns = at_ns - flight.sent_ns
    return (
        *facts,
        Journal(Booked(line.market, at_ns, 13, flight.intent, "wants", fill)),
        Journal(Late(line.market, at_ns, flight.intent, late_ns)),
        Alarm("LATE", f"{flight.intent}:{fill.fill_id}", f"{fill.lots} lots {late_ns / 1e9:.0f} s after the send"),
        RaiseLateBound(late_ns),
    )


def row_14(line: Line, fill: Filled, watchdog: bool, at_ns: int) -> Effects:
    """Nobody's order explains it: booked at once; the coin only reduces until a person resolves it, but for dust."""
    to = "held" if watchdog or fill.kind in LIQUIDATED else "house"
    cash = -fill.lots * fill.price_micro - fill.fee_micro
    return (
        Journal(Booked(line.market, at_ns, 14, "", to, fill)),
        *(() if fill.kind == DUST else _restrict(line, at_ns, f"{fill.kind} {fill.fill_id}")),
        External(fill.fill_id, fill.lots, cash, to),
        Alarm("EXTERNAL", fill.fill_id, f"{fill.kind} of {fill.lots} lots that no order of ours explains, to {to}"),
    )


def row_14_differs(line: Line, at_ns: int, terms: Terms) -> Effects:
    """The position has moved beyond all that is in flight: a difference that is shown, never traded on."""
    if line.evidence.agreed and line.differs:
        return Journal(Differs(line.market, at_ns, 0)), Suspense(0, "the account agrees again")
    off = differing(line, terms)
    if not off or off == line.differs or _explained(line, off, terms):
        return ()
    text = f"the venue shows {off} lots more than are booked, and nothing in flight explains it"
    return (
        Journal(Differs(line.market, at_ns, off)),
        Suspense(off, text),
        Alarm("DIFFERS", f"{line.market}:{off}:{at_ns}", text),
    )


def row_15(line: Line, asked: Asked, terms: Terms) -> Effects:
    """Not IDLE, and a wish to reduce: an intent of its own, which reduces whatever becomes of the others."""
    lots = asked.order.lots
    room = reducible(line, asked.target, terms)
    if lots * line.booked >= 0:
        return row_2(asked, "BUSY")
    if abs(lots) > abs(room):
        return row_2(asked, "IN_FLIGHT" if room == 0 else "TOO_LARGE")
    if terms.reduce_only and not asked.order.reduce_only:
        return row_2(asked, "NOT_REDUCE_ONLY")
    return _committed(line, asked, 15, 0)


def _committed(line: Line, asked: Asked, row: int, reading_ns: int) -> Effects:
    fact = Committed(
        line.market, asked.at_ns, row, asked.cycle, asked.wave, asked.order, asked.wants, line.booked, reading_ns
    )
    return Journal(fact), Send(asked.order)


def _over(line: Line, flight: Flight, row: int, how: str, proof: tuple[int, ...], at_ns: int) -> Effects:
    fact = Ended(line.market, at_ns, row, flight.intent, how, flight.filled, proof)
    return Journal(fact), Allot(flight.intent)


def _restrict(line: Line, at_ns: int, reason: str) -> Effects:
    if line.reduce_only:
        return ()
    return (Journal(Restricted(line.market, at_ns, True, "row 14", reason)),)


def _explained(line: Line, off: int, terms: Terms) -> bool:
    """Whether what is in flight may have moved the position by so much."""
    low, high = ends(line._replace(differs=0), terms)
    return low <= line.booked + off <= high


def said_unknown(line: Line, flight: Flight, found: Found) -> Line:
    """Keep that the venue does not know the order, with the latest time that the venue is known to have shown."""
    venue_ns = found.venue_ns if found.venue_ns is not None else line.evidence.venue_ns
    said = (flight.intent, venue_ns)
    others = tuple(known for known in line.evidence.unknown if known != said)
    return line._replace(evidence=line.evidence._replace(unknown=(*others[-7:], said)))


def said_known(line: Line, flight: Flight, found: Found) -> Line:
    """Keep that the venue says the order is open, or over and with how much."""
    evidence = without(line.evidence, flight.intent)
    if found.status == "final":
        return line._replace(evidence=evidence._replace(final=(*evidence.final, (flight.intent, found.filled_lots))))
    return line._replace(evidence=evidence._replace(open=(*evidence.open, flight.intent)))
