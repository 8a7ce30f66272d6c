"""What happens around the books while a fund trades by itself: facts that move neither lots nor cash.

With those of `ledger.facts` and `orders.facts` they tell a live cycle whole: what was seen, who asked for what, which
limits held, which orders might be sent and what became of each. A gateway that dies is made again from them, and a
cycle is replayed.
"""

from typing import NamedTuple, TypeAlias


class Opening(NamedTuple):
    """A cycle has begun.

    state       RUNNING, REDUCE_ONLY or HALTED, the highest of journal, latch and configuration
    peak_micro  highest NAV row so far
    offset_ns   the venue's clock less ours
    """

    cycle: int
    state: int
    peak_micro: int
    offset_ns: int


class Seen(NamedTuple):
    """An account reading: what the venue's independent source showed, with its envelope.

    markets, lots  signed lots of every market held; cash_micro None = not said
    """

    cycle: int
    began_ns: int
    ended_ns: int
    venue_ns: int
    equity_micro: int
    cash_micro: int | None
    markets: tuple[str, ...]
    lots: tuple[int, ...]


class Mids(NamedTuple):
    """Mids at which a cycle decides, crosses and limits its orders; micro-dollars per lot."""

    cycle: int
    markets: tuple[str, ...]
    reference_micro: tuple[int, ...]


class Closes(NamedTuple):
    """The fund's markets at a midnight, as the gateway found them itself: what its own variances are made of.

    midnight_ns  UTC; mark_micro micro-dollars per lot, 0 = unknown
    """

    midnight_ns: int
    markets: tuple[str, ...]
    mark_micro: tuple[int, ...]


class Asked(NamedTuple):
    """The brain's message of a cycle, as it came.

    body     canonical msgpack of `live.messages.Targets`; sha256 of these bytes
    refused  why none of it was followed; empty = it was
    """

    cycle: int
    sha256: str
    body: bytes
    refused: str


class Ruled(NamedTuple):
    """Limits in force from this cycle on: the tighter of the brain's office and the gateway's own; fractions of NAV.

    version   of the brain's office
    clusters  market numbers of each cluster, caps their net caps; the first is the whole fund
    """

    cycle: int
    version: int
    max_weight: tuple[float, ...]
    max_gross: float
    max_order: float
    max_var: float
    tail: float
    clusters: tuple[tuple[int, ...], ...]
    caps: tuple[float, ...]
    state: int


class Netted(NamedTuple):
    """One market's wishes of a cycle, before its orders: what its fills are shared by.

    crossed  lots that change hands inside, >= 0; wants (book, lots) each book wished after the market's cap
    """

    cycle: int
    market: str
    crossed: int
    reference_micro: int
    wants: tuple[tuple[str, int], ...]


class Shared(NamedTuple):
    """All that an intent has filled until now has gone to books; without an intent: the market's cycle is closed.

    given  (book, signed lots) of it since the last time
    """

    market: str
    intent: str
    given: tuple[tuple[str, int], ...]


class Suspense(NamedTuple):
    """The venue's account holds so much more than the books say, and nothing explains it; 0 = it is explained now.

    Lots that nothing explains are `orders.facts.Differs`.
    """

    cash_micro: int
    why: str


class StateChanged(NamedTuple):
    """What may be traded has changed, by whom and why.

    state  RUNNING, REDUCE_ONLY or HALTED; scope fund, market or agent; name of the market or book, else empty
    """

    state: int
    scope: str
    name: str
    by: str
    reason: str


class Listing(NamedTuple):
    """A market as the venue lists it from now on. Lots of two versions are never added."""

    venue: str
    market: str
    version: int
    venue_name: str
    lot_size: float
    funding_interval_ns: int
    max_leverage: int
    delisted: bool


class Alarm(NamedTuple):
    """Something that a person should look at; market and intent are empty where it is about neither."""

    code: str
    market: str
    intent: str
    text: str


class Standing(NamedTuple):
    """What the gateway remembers beside the books, at the end of a cycle, so that a restart reads on from here.

    body  canonical msgpack
    """

    cycle: int
    body: bytes


LiveFact: TypeAlias = (
    Opening
    | Seen
    | Mids
    | Closes
    | Asked
    | Ruled
    | Netted
    | Shared
    | Suspense
    | StateChanged
    | Listing
    | Alarm
    | Standing
)
