"""Whose a fill is. What cannot be told is not guessed: the fill waits, and is not booked.

By our client id, or by an order id that the venue gave for an intent, a fill is *own*. Else, where the venue keeps no
client ids, it is *inferred* to be of an intent whose fate is unknown, if there is but one way to read it. What can be
of no intent is *external*.
"""

from typing import Literal, NamedTuple

from podshop.nouns.venue import Filled
from podshop.orders.bound import most
from podshop.orders.line import Flight, Line
from podshop.orders.reading import past_expiry, unknown_answers
from podshop.orders.terms import Terms


class Owner(NamedTuple):
    """Whose a fill is.

    how  own | inferred | wait (an answer is due that will tell) | many (row 11: a person may have to) | external
    """

    how: Literal["own", "inferred", "wait", "many", "external"]
    intent: str = ""


MANY = Owner("many")


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
    unknown = [f for f in fitting if f.stage == "UNKNOWN" and not _never_known(line, f, terms)]
    if unknown:
        return Owner("wait") if terms.client_ids else _inferred(line, fill, unknown, now_ns, terms)
    lapsed = [f for f in fitting if f.stage == "LAPSED"]
    if lapsed:
        return Owner("inferred", lapsed[-1].intent)  # the newest
    if any(f.stage == "SENT" for f in could_be):
        return Owner("wait")
    return Owner("external")  # an order is of one sender: of one that filled more than was asked no part is ours


def _never_known(line: Line, flight: Flight, terms: Terms) -> bool:
    """Past its expiry the venue twice knew no such order: it has not filled, and never will.

    Row 9 says so too, once the account is clean; but a fill that waits for this order keeps it from being clean.
    """
    return terms.client_ids and terms.expiry and len(unknown_answers(line, flight, past_expiry(flight, terms))) >= 2


def _inferred(line: Line, fill: Filled, unknown: list[Flight], now_ns: int, terms: Terms) -> Owner:
    """One order for one intent is adopted. Where both are several, all had the time to show up and all must fit."""
    orders = _unowned_orders(line, fill, unknown, terms)
    if len(orders) > 1 or len(unknown) > 1:
        if any(now_ns - flight.sent_ns < terms.quarantine_ns for flight in unknown):
            return MANY
        intent = _paired(orders, unknown, terms).get(fill.order_id)
        return Owner("inferred", intent) if intent is not None else MANY
    return Owner("inferred", unknown[0].intent)


def _paired(orders: list[list[Filled]], flights: list[Flight], terms: Terms) -> dict[str, str]:
    """Order id -> intent, each its own, oldest to oldest where several ways fit; empty where some order fits none.

    Source: Kuhn (1955), "The Hungarian method", Naval Research Logistics 2, 83-97: augmenting paths.
    """
    owner_of: dict[int, int] = {}  # flight -> order

    def place(i: int, tried: set[int]) -> bool:
        lots = sum(row.lots for row in orders[i])
        for j, flight in enumerate(flights):
            fits = all(_follows(flight, row, terms) for row in orders[i])
            if j not in tried and fits and abs(flight.filled + lots) <= most(flight, terms):
                tried.add(j)
                if j not in owner_of or place(owner_of[j], tried):
                    owner_of[j] = i
                    return True
        return False

    if not all(place(i, set()) for i in range(len(orders))):
        return {}
    return {orders[i][0].order_id: flights[j].intent for j, i in owner_of.items()}


def _unowned_orders(line: Line, fill: Filled, flights: list[Flight], terms: Terms) -> list[list[Filled]]:
    """Fills without owner that may be of one of these intents, by order, in the order in which they first filled."""
    others = [held for held in line.held if held.fill_id != fill.fill_id]
    found: dict[str, list[Filled]] = {}
    for row in sorted((*others, fill), key=lambda row: (row.at_ns, row.fill_id)):
        if any(_follows(flight, row, terms) for flight in flights):
            found.setdefault(row.order_id, []).append(row)
    return list(found.values())


def _follows(flight: Flight, fill: Filled, terms: Terms) -> bool:
    """Same side, and not from before the send."""
    return flight.stage != "ENDED" and flight.side * fill.lots > 0 and fill.at_ns >= flight.sent_ns - terms.skew_ns


def _of_order(line: Line, fill: Filled) -> int:
    """Signed lots of this fill and of all that are held of the same order."""
    held = sum(f.lots for f in line.held if f.order_id == fill.order_id and f.fill_id != fill.fill_id)
    return held + fill.lots
