"""What of a coin's life is written down. A line is rebuilt from these alone (`line.fold`); each is also an effect.

The gateway journals them in the order given, those of one step in one transaction, before it acts on the effects
that follow. `market` is in every fact, so that one journal serves all lines.
"""

from typing import NamedTuple, TypeAlias

from podshop.nouns.venue import Filled, Order


class Began(NamedTuple):
    """Lots of all books, house and transit together, where no order tells: at the start, after a conversion."""

    market: str
    at_ns: int
    lots: int


class Committed(NamedTuple):
    """An intent, with all that made it: rows 1 and 15. From now on it counts as sent.

    booked, reading_ns  lots and the instant of the reading that it rests on (0: of row 15, which needs none)
    """

    market: str
    at_ns: int
    row: int
    cycle: int
    wave: int
    order: Order
    wants: tuple[tuple[str, int], ...]
    booked: int
    reading_ns: int


class Left(NamedTuple):
    """An intent's only send begins: written before the first byte."""

    market: str
    at_ns: int
    intent: str


class Acknowledged(NamedTuple):
    """The venue's order id for an intent: by its reply (row 4), by our client id (8), inferred from fills (10, 13).

    hinted_lots  what the reply claims was filled, signed; None = it says nothing
    """

    market: str
    at_ns: int
    row: int
    intent: str
    order_id: str
    hinted_lots: int | None
    inferred: bool


class Unsure(NamedTuple):
    """No clear answer to a send: row 5."""

    market: str
    at_ns: int
    intent: str
    code: str


class Booked(NamedTuple):
    """A fill moved to our books, by way of transit: rows 6, 10, 13 and 14.

    intent  it belongs to; empty where none of ours explains it
    to      wants (of its intent) | held (pro rata to lots held) | house
    """

    market: str
    at_ns: int
    row: int
    intent: str
    to: str
    fill: Filled


class Unowned(NamedTuple):
    """A fill that may be ours and cannot be placed yet: row 11. It is not booked."""

    market: str
    at_ns: int
    fill: Filled


class Ended(NamedTuple):
    """An intent's fate.

    how       refused (row 3) | final | clean (7) | never_arrived (9) | lapsed (12) | resolved (a person)
    filled    signed lots booked to it until now
    evidence  instants at which the readings or answers began that prove it
    """

    market: str
    at_ns: int
    row: int
    intent: str
    how: str
    filled: int
    evidence: tuple[int, ...]
    reason: str = ""


class Differs(NamedTuple):
    """Venue less booked, where no order in flight explains it; 0: they agree again. Row 14."""

    market: str
    at_ns: int
    lots: int


class Restricted(NamedTuple):
    """The coin may only reduce from now on, or (on=False) no longer, by whom and why. Row 14."""

    market: str
    at_ns: int
    on: bool
    by: str
    reason: str


class Late(NamedTuple):
    """A fill came so long after its send, which is longer than was thought possible: row 13."""

    market: str
    at_ns: int
    intent: str
    late_ns: int


OrderFact: TypeAlias = (
    Began | Committed | Left | Acknowledged | Unsure | Booked | Unowned | Ended | Differs | Restricted | Late
)
