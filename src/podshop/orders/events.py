"""What can happen to a coin's line, as plain tuples. `at_ns` is our clock, which follows the venue's."""

from typing import NamedTuple, TypeAlias

from podshop.nouns.venue import Filled, Found, Order, Reading, Reply


class Asked(NamedTuple):
    """The gate passed an order for this coin: rows 1, 2 and 15.

    cycle, wave   of the target it comes from; together they only grow
    target        lots that books and house together wish to hold
    order         as it would be sent; its lots are target - booked, as far as the gate and this wave let them pass
    wants         (book, signed lots) it is for
    minimum_lots  smallest order of now; 0 where it closes the position
    """

    at_ns: int
    cycle: int
    wave: int
    target: int
    order: Order
    wants: tuple[tuple[str, int], ...]
    minimum_lots: int


class Sending(NamedTuple):
    """The first byte is about to leave, later than the commit where sends queue: Q and W count from here."""

    at_ns: int
    intent: str


class Replied(NamedTuple):
    """What `send` came back with, whatever it was: rows 3, 4 and 5."""

    at_ns: int
    intent: str
    reply: Reply


class FoundSaid(NamedTuple):
    """The venue's answer about one of our orders: rows 7, 8 and 9."""

    at_ns: int
    intent: str
    found: Found


class FillSaid(NamedTuple):
    """One row of the venue's fill history: rows 6, 10, 11, 13 and 14. The same row may come again.

    watchdog  its client id has the watchdog's prefix
    """

    at_ns: int
    fill: Filled
    watchdog: bool = False


class ReadingSaid(NamedTuple):
    """The account as the independent source shows it: rows 7, 9, 11, 12 and 14."""

    at_ns: int
    reading: Reading


class Tick(NamedTuple):
    """Time passed: what is unknown for a cycle is alarmed, what was watched long enough is forgotten."""

    at_ns: int


class Restarted(NamedTuple):
    """The process began anew. Every order without an outcome is UNKNOWN: row 5."""

    at_ns: int


class Resolved(NamedTuple):
    """A person decides, having looked at the venue's own page.

    intent    of an UNKNOWN order; empty: the coin itself, whose REDUCE_ONLY is lifted
    order_id  of the held fills that belong to it, or, where the intent is empty, to nobody of ours; empty: it never
              arrived, and is watched as one that lapsed
    """

    at_ns: int
    intent: str
    order_id: str
    by: str
    reason: str


Event: TypeAlias = Asked | Sending | Replied | FoundSaid | FillSaid | ReadingSaid | Tick | Restarted | Resolved
