"""What the gateway shall do about an event, in this order. What was journalled is in `facts.py`."""

from typing import NamedTuple, TypeAlias

from podshop.nouns.venue import Order
from podshop.orders.facts import OrderFact


class Journal(NamedTuple):
    """Commit this before anything else is done."""

    fact: OrderFact


class Send(NamedTuple):
    """Send it, once: its intent is in the journal."""

    order: Order


class Drop(NamedTuple):
    """Nothing is sent; the verdict has this code. Row 2."""

    intent: str
    code: str


class Allot(NamedTuple):
    """The intent is final: what it filled and has not been shared yet goes to books now."""

    intent: str


class External(NamedTuple):
    """Lots that no intent explains were booked: to books pro rata to lots held, or to the house. Row 14.

    lots, cash_micro  signed; cash received > 0, after the fee
    to                held | house
    """

    fill_id: str
    lots: int
    cash_micro: int
    to: str


class Suspense(NamedTuple):
    """The venue shows so many lots more than are booked, and nothing tells why; 0: no longer."""

    lots: int
    why: str


class Alarm(NamedTuple):
    """A person should know. `code` is one of the table in `rows.py`."""

    code: str
    intent: str
    text: str


class RaiseLateBound(NamedTuple):
    """Fills may be so late; make the terms anew with it."""

    late_ns: int


Effect: TypeAlias = Journal | Send | Drop | Allot | External | Suspense | Alarm | RaiseLateBound
