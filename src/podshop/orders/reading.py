"""What an account reading proves. Absence is not flatness: an answer without its envelope says nothing at all."""

from podshop.nouns.venue import Reading
from podshop.orders.line import Evidence, Flight, Line, Seen
from podshop.orders.terms import Terms

MOST_KEPT = 16  # agreeing readings, at least half of `apart` from one another: more than any rule looks back


def admissible(line: Line, reading: Reading, now_ns: int, terms: Terms) -> bool:
    """Whether a reading may be believed about this coin.

    It began after the coin's last event; it bears the venue's own time, which is that of the question and not of some
    copy; it bears an account value; and it is fresh. One without any position has no account value in positions.
    """
    skew = terms.skew_ns
    return (
        reading.began_ns > line.evidence.event_ns
        and reading.began_ns <= reading.ended_ns <= now_ns
        and reading.began_ns - skew <= reading.venue_ns <= reading.ended_ns + skew
        and now_ns - reading.began_ns <= terms.fresh_ns
        and reading.equity_micro > 0
        and (any(reading.lots.values()) or reading.cash_micro is None or reading.cash_micro == reading.equity_micro)
    )


def observed(line: Line, reading: Reading, terms: Terms) -> Line:
    """The line after an admissible reading: it agrees with what is booked, or it begins the count anew."""
    venue_lots = reading.lots.get(line.market, 0)
    evidence = line.evidence
    seen_ns = max(evidence.venue_ns, reading.venue_ns)
    if venue_lots == line.booked:
        agreed = _spaced((*evidence.agreed, Seen(reading.began_ns, reading.ended_ns)), terms.apart_ns)
        return line._replace(evidence=evidence._replace(agreed=agreed, differed=(), venue_ns=seen_ns))
    before = evidence.differed if evidence.differed and evidence.differed[0][1] == venue_lots else ()
    first_and_last = (*before[:1], (reading.began_ns, venue_lots))
    return line._replace(evidence=evidence._replace(agreed=(), differed=first_and_last, venue_ns=seen_ns))


def touched(line: Line, at_ns: int) -> Line:
    """The line after an event: what was read before it proves nothing more."""
    evidence = line.evidence
    fresh = evidence._replace(event_ns=max(at_ns, evidence.event_ns), agreed=(), differed=())
    return line._replace(evidence=fresh)


def agreeing(line: Line, now_ns: int, terms: Terms) -> Seen | None:
    """The latest reading that shows what is booked, if it is fresh and no fill waits for an owner."""
    agreed = line.evidence.agreed
    if not agreed or line.held or now_ns - agreed[-1].began_ns > terms.fresh_ns:
        return None
    return agreed[-1]


def clean(line: Line, since_ns: int, terms: Terms) -> tuple[int, ...]:
    """*Clean* since an instant: when two readings began that agree, at least 5 s apart, and no fill is unowned.

    ->  their instants; empty where that is not so
    """
    if line.held:
        return ()
    began = [seen.began_ns for seen in line.evidence.agreed if seen.began_ns >= since_ns]
    if not began or began[-1] - began[0] < terms.apart_ns:
        return ()
    return began[0], began[-1]


def unknown_answers(line: Line, flight: Flight, since_ns: int) -> set[int]:
    """Instants of the venue's clock, since then, at which it did not know the order."""
    return {venue_ns for intent, venue_ns in line.evidence.unknown if intent == flight.intent and venue_ns > since_ns}


def past_expiry(flight: Flight, terms: Terms) -> int:
    """From when on the venue's "unknown" is believed: it takes the order no more."""
    return flight.order.expires_ns + terms.grace_ns


def differing(line: Line, terms: Terms) -> int | None:
    """What the venue holds less what is booked, where two readings at least 5 s apart say the same; else None."""
    differed = line.evidence.differed
    if not differed or differed[-1][0] - differed[0][0] < terms.apart_ns:
        return None
    return differed[-1][1] - line.booked


def without(evidence: Evidence, intent: str) -> Evidence:
    """Evidence with what was gathered about an intent that is settled left out."""
    return evidence._replace(
        unknown=tuple(said for said in evidence.unknown if said[0] != intent),
        final=tuple(said for said in evidence.final if said[0] != intent),
        open=tuple(said for said in evidence.open if said != intent),
    )


def _spaced(agreed: tuple[Seen, ...], apart_ns: int) -> tuple[Seen, ...]:
    """Leave out the one before the last where its neighbours are near: what is left still spans the same time."""
    if len(agreed) >= 3 and agreed[-1].began_ns - agreed[-3].began_ns < apart_ns:
        agreed = (*agreed[:-2], agreed[-1])
    return agreed[-MOST_KEPT:]
