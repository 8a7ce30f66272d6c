"""One event of one coin: which rows of the table it meets, in which order.

    line, effects = step(line, event, terms)

The line returned already holds what the effects journal. Whoever calls must commit those facts before it acts on the
other effects; if it dies between, a line folded from the journal and told `Restarted` goes on safely.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from podshop.orders import rows
from podshop.orders.effects import Alarm, Effect, Journal
from podshop.orders.events import (
    Asked,
    Event,
    FillSaid,
    FoundSaid,
    ReadingSaid,
    Replied,
    Resolved,
    Restarted,
    Sending,
    Tick,
)
from podshop.orders.facts import Ended, Left, Restricted
from podshop.orders.line import LIVE, RESERVED, Flight, Line, applied, pruned
from podshop.orders.match import owner
from podshop.orders.reading import admissible, observed, touched, without
from podshop.orders.rows import Effects
from podshop.orders.terms import Terms


def step(line: Line, event: Event, terms: Terms) -> tuple[Line, tuple[Effect, ...]]:
    """What an event makes of a line, and what is to be done, in order."""
    line, effects = STEPS[type(event)](pruned(line, event.at_ns, terms), event, terms)
    line, more = _settled(line, event.at_ns, terms)
    line, effects = _alarmed_once(line, (*effects, *more))
    return pruned(line, event.at_ns, terms), effects


class Wanted(NamedTuple):
    """What would help a line on: intents to ask the venue after, and whether readings and fills are needed."""

    look: tuple[str, ...]
    reading: bool


def wanted(line: Line, terms: Terms) -> Wanted:
    """What to ask the venue between two cycles."""
    live = [f for f in line.flights if f.stage in ("ACKED", "UNKNOWN", "LAPSED")]
    look = tuple(f.intent for f in live if terms.asks and (terms.client_ids or f.order_id is not None))
    return Wanted(look, bool(live or line.held or line.differs or line.evidence.differed))


def _asked(line: Line, event: Asked, terms: Terms) -> tuple[Line, Effects]:
    """Rows 1, 2 and 15."""
    lots = event.order.lots
    if event.order.expires_ns <= event.at_ns:
        effects = rows.row_2(event, "EXPIRED")
    elif (event.cycle, event.wave) <= line.asked:
        effects = rows.row_2(event, "REPEATED")
    elif lots == 0 or abs(lots) < event.minimum_lots:
        effects = rows.row_2(event, "TOO_SMALL")
    elif line.state == "IDLE":
        effects = rows.row_1(line, event, terms)
    else:
        effects = rows.row_15(line, event, terms)
    after = after_facts(line, effects)
    return (touched(after, event.at_ns) if after is not line else line), effects


def _sending(line: Line, event: Sending, terms: Terms) -> tuple[Line, Effects]:
    """The clock of Q and W starts when the bytes leave."""
    flight = line.flight(event.intent)
    if flight is None or flight.stage != "SENT":
        return line, ()
    effects = (Journal(Left(line.market, event.at_ns, event.intent)),)
    return touched(after_facts(line, effects), event.at_ns), effects


def _replied(line: Line, event: Replied, terms: Terms) -> tuple[Line, Effects]:
    """Rows 3, 4 and 5. A clear answer to the one request that was made is as good late as early."""
    flight, reply = line.flight(event.intent), event.reply
    if flight is None:
        return line, ()
    effects: Effects = ()
    if flight.stage == "ENDED":
        pass
    elif reply.outcome == "accepted" and reply.order_id is not None and flight.order_id in (None, reply.order_id):
        effects = rows.row_4(line, flight, reply.order_id, reply.hinted_lots, event.at_ns)
    elif reply.outcome != "unknown" and flight.order_id is not None:
        text = f"{reply.outcome} {reply.order_id} {reply.code}, but it is known as order {flight.order_id}"
        effects = (Alarm("CONTRADICTED", flight.intent, text),)
    elif reply.outcome == "refused":
        effects = rows.row_3(line, flight, reply, event.at_ns)
    elif flight.stage == "SENT":
        effects = rows.row_5(line, flight, reply.code or reply.outcome, event.at_ns)
    return touched(after_facts(line, effects), event.at_ns), effects


def _found(line: Line, event: FoundSaid, terms: Terms) -> tuple[Line, Effects]:
    """Row 8, and what rows 7 and 9 will want to know. `no_answer` is not an answer."""
    flight, found = line.flight(event.intent), event.found
    if flight is None or flight.stage == "ENDED" or found.status == "no_answer":
        return line, ()
    if found.status == "unknown_id":
        return (rows.said_unknown(line, flight, found) if flight.order_id is None else line), ()
    effects: Effects = ()
    if flight.order_id is None and found.order_id is not None:
        effects = rows.row_8(line, flight, found.order_id, event.at_ns)
    before = line.evidence
    line = rows.said_known(after_facts(line, effects), flight, found)
    news = effects or (before.final, before.open) != (line.evidence.final, line.evidence.open)
    return (touched(line, event.at_ns) if news else line), effects  # what was read before may lack a fill


def _fill(line: Line, event: FillSaid, terms: Terms) -> tuple[Line, Effects]:
    """Rows 6, 10, 11, 13 and 14. A fill that is known changes nothing."""
    fill_id = event.fill.fill_id
    if any(known == fill_id for _, known in line.fills) or any(held.fill_id == fill_id for held in line.held):
        return line, ()
    return _place(line, event, terms)


def _place(line: Line, event: FillSaid, terms: Terms) -> tuple[Line, Effects]:
    """Book a fill to its owner, or hold it."""
    fill, at_ns = event.fill, event.at_ns
    found = owner(line, fill, at_ns, terms)
    flight = line.flight(found.intent)
    if event.watchdog or flight is None:
        if event.watchdog or found.how == "external":
            effects = rows.row_14(line, fill, event.watchdog, at_ns)
        else:
            effects = rows.row_11(line, fill, at_ns, found.how == "many")
    elif flight.stage not in LIVE:
        effects = rows.row_13(line, flight, fill, at_ns)
    else:
        adopted: Effects = ()
        if flight.order_id is None and found.how == "own":
            adopted = rows.row_8(line, flight, fill.order_id, at_ns)
        elif flight.order_id is None:
            adopted = rows.row_10(line, flight, fill, at_ns)
        effects = (*adopted, *rows.row_6(line, flight, fill, at_ns, terms))
    after = after_facts(line, effects)
    return (touched(after, at_ns) if after is not line else line), effects


def _reading(line: Line, event: ReadingSaid, terms: Terms) -> tuple[Line, Effects]:
    """Evidence for rows 1, 7, 9 and 12; rows 11 and 14 where it shows something else than the books."""
    if not admissible(line, event.reading, event.at_ns, terms):
        return line, ()
    line = observed(line, event.reading, terms)
    effects = (*rows.row_11_moved(line, terms), *rows.row_14_differs(line, event.at_ns, terms))
    return after_facts(line, effects), effects


def _tick(line: Line, event: Tick, terms: Terms) -> tuple[Line, Effects]:
    """Row 5 for what was sent and never answered."""
    effects: Effects = ()
    for flight in line.flights:
        if flight.stage == "SENT" and event.at_ns - flight.sent_ns >= terms.cycle_ns:
            effects = (*effects, *rows.row_5(line, flight, "NO_REPLY", event.at_ns))
    return after_facts(line, effects), effects


def _restarted(line: Line, event: Restarted, terms: Terms) -> tuple[Line, Effects]:
    """Row 5 for every intent without outcome; nothing that was read before counts."""
    effects: Effects = ()
    for flight in line.flights:
        if flight.stage == "SENT":
            effects = (*effects, *rows.row_5(line, flight, "RESTART", event.at_ns))
    return touched(after_facts(line.durable(), effects), event.at_ns), effects


def _resolved(line: Line, event: Resolved, terms: Terms) -> tuple[Line, Effects]:
    """A person decides whose held fills are, that an order never arrived, or that the coin is well again."""
    held = tuple(fill for fill in line.held if fill.order_id == event.order_id)
    flight = line.flight(event.intent) if event.intent else None
    effects: Effects = ()
    if event.intent == "" and event.order_id == "":
        if line.reduce_only:
            effects = (Journal(Restricted(line.market, event.at_ns, False, event.by, event.reason)),)
    elif flight is None:
        for fill in held if event.intent == "" else ():
            effects = (*effects, *rows.row_14(line, fill, False, event.at_ns))
    elif held:
        effects = rows.row_10(line, flight, held[0], event.at_ns)
        for fill in held:
            effects = (*effects, *rows.row_6(after_facts(line, effects), flight, fill, event.at_ns, terms))
    elif event.order_id == "" and flight.stage == "UNKNOWN":
        reason = f"{event.by}: {event.reason}"
        fact = Ended(line.market, event.at_ns, 11, flight.intent, "resolved", flight.filled, (), reason)
        effects = (Journal(fact),)
    return touched(after_facts(line, effects), event.at_ns), effects


def _settled(line: Line, at_ns: int, terms: Terms) -> tuple[Line, Effects]:
    """After every event: place what is held, end what is proven to be over, alarm what is overdue."""
    done: Effects = ()
    changed = True
    while changed:
        changed = False
        for fill in line.held:
            after, effects = _place(line, FillSaid(at_ns, fill), terms)
            done = (*done, *effects)
            if after is not line:
                line, changed = after, True
                break
        for flight in line.flights:
            effects = _ends(line, flight, at_ns, terms) if flight.stage in RESERVED else ()
            if effects:
                line, done, changed = after_facts(line, effects), (*done, *effects), True
                line = line._replace(evidence=without(line.evidence, flight.intent))
    for flight in line.flights:
        if flight.stage in LIVE:
            done = (*done, *rows.row_5_alarm(flight, at_ns, terms))
    return line, done


def _ends(line: Line, flight: Flight, at_ns: int, terms: Terms) -> Effects:
    """Rows 7, 9 and 12."""
    if flight.stage == "ACKED" or (flight.stage == "LAPSED" and flight.order_id is not None):
        return rows.row_7(line, flight, at_ns, terms)
    if flight.stage == "UNKNOWN":
        return rows.row_9(line, flight, at_ns, terms) or rows.row_12(line, flight, at_ns, terms)
    return ()


def after_facts(line: Line, effects: Effects) -> Line:
    """The line after what these effects journal; the same object where they journal nothing."""
    for effect in effects:
        if isinstance(effect, Journal):
            line = applied(line, effect.fact)
    return line


def _alarmed_once(line: Line, effects: Effects) -> tuple[Line, Effects]:
    """Leave out alarms that were given before; a restart gives them again."""
    if not any(isinstance(effect, Alarm) for effect in effects):
        return line, effects
    alarmed = line.evidence.alarmed
    kept = []
    for effect in effects:
        if isinstance(effect, Alarm):
            key = f"{effect.code}:{effect.intent}"
            if key in alarmed:
                continue
            alarmed = (*alarmed[-63:], key)
        kept.append(effect)
    return line._replace(evidence=line.evidence._replace(alarmed=alarmed)), tuple(kept)


STEPS: dict[type, Callable[[Line, Any, Terms], tuple[Line, Effects]]] = {
    Asked: _asked,
    Sending: _sending,
    Replied: _replied,
    FoundSaid: _found,
    FillSaid: _fill,
    ReadingSaid: _reading,
    Tick: _tick,
    Restarted: _restarted,
    Resolved: _resolved,
}
