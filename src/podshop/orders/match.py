"""Whose a fill is. What cannot be told is not guessed: the fill waits, and is not booked.

By our client id, or by an order id that the venue gave for an intent, a fill is *own*. Else, where the venue keeps no
client ids, it is *inferred* to be of an intent whose fate is unknown, if there is but one way to read it. What can be
of no intent is *external*.
"""

from typing import Literal, NamedTuple

from podshop.nouns.venue import Filled
from podshop.orders.bound import most
from podshop.orders.line import Flight, Line
from podshop.orders.terms import Terms


class Owner(NamedTuple):
    """Whose a fill is.

    how  own | inferred | wait (an answer is due that will tell) | many (row 11: a person may have to) | external
    """

    how: Literal["own", "inferred", "wait", "many", "external"]
    intent: str = ""


def owner(line: Line, fill: Filled, now_ns: int, terms: Terms) -> Owner:
    """Whose this fill is, as far as can be told now; `line.held` may already hold it."""
    for flight in line.flights:
        if fill.order_id == flight.order_id or (fill.client_id is not None and fill.client_id == flight.intent):
            return Owner("own", flight.intent)
    if fill.kind != "trade" or fill.client_id is not None:
        return Owner("external")
    lots = _of_order(line, fill)
    could_be = [f for f in line.flights if f.order_id is None and _follows(f, fill, terms)]
    fitting = [f for f in could_be if abs(f.filled + lots) <= most(f, terms)]
    if any(f.stage == "SENT" for f in fitting):
        return Owner("wait")  # its reply will tell
    unknown = [f for f in fitting if f.stage == "UNKNOWN"]
    if unknown:
        return Owner("wait") if terms.client_ids else _inferred(line, fill, unknown, now_ns, terms)
    lapsed = [f for f in fitting if f.stage == "LAPSED"]
    if lapsed:
        return Owner("inferred", lapsed[-1].intent)  # the newest
    if any(f.stage in ("SENT", "UNKNOWN") for f in could_be):
        return Owner("many")  # more than was asked: some of it may be ours
    return Owner("external")


def _inferred(line: Line, fill: Filled, unknown: list[Flight], now_ns: int, terms: Terms) -> Owner:
    """One order id for one intent is adopted. Where both are several, all must have had the time to show up first."""
    orders = _unowned_orders(line, fill, unknown, terms)
    if len(orders) == 1 and len(unknown) == 1:
        return Owner("inferred", unknown[0].intent)
    waited = all(now_ns - flight.sent_ns >= terms.quarantine_ns for flight in unknown)
    if waited and len(orders) <= len(unknown):
        return Owner("inferred", unknown[min(orders.index(fill.order_id), len(unknown) - 1)].intent)
    return Owner("many")


def _unowned_orders(line: Line, fill: Filled, flights: list[Flight], terms: Terms) -> list[str]:
    """Order ids of fills without owner that may be of one of these intents, as they first filled."""
    rows = [f for f in (*line.held, fill) if any(_follows(flight, f, terms) for flight in flights)]
    first: dict[str, int] = {}
    for row in rows:
        first[row.order_id] = min(row.at_ns, first.get(row.order_id, row.at_ns))
    return sorted(first, key=lambda order_id: (first[order_id], order_id))


def _follows(flight: Flight, fill: Filled, terms: Terms) -> bool:
    """Same side, and not from before the send."""
    return flight.stage != "ENDED" and flight.side * fill.lots > 0 and fill.at_ns >= flight.sent_ns - terms.skew_ns


def _of_order(line: Line, fill: Filled) -> int:
    """Signed lots of this fill and of all that are held of the same order."""
    held = sum(f.lots for f in line.held if f.order_id == fill.order_id and f.fill_id != fill.fill_id)
    return held + fill.lots
