"""How facts are written: a kind, a version, and a body of canonical msgpack.

A body is an array of the fact's fields in their order, whole numbers in their shortest form, so the same fact is always
the same bytes. When a kind must change, its new shape gets the next version; `READERS` keeps a reader for every version
ever written, which answers the fact as it is today. Rows are never rewritten: that is the migration.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from podshop.ledger import facts, live
from podshop.ledger.facts import Fact as BookFact
from podshop.nouns import DataError
from podshop.orders import facts as orders
from podshop.orders.facts import OrderFact

Fact: TypeAlias = BookFact | OrderFact

KINDS: dict[str, tuple[type, int]] = {  # kind -> what it is, and the version written today
    "start": (facts.Start, 1),
    "signals": (facts.Signals, 1),
    "decision": (facts.Decision, 1),
    "verdict": (facts.Verdict, 1),
    "intent": (facts.Intent, 1),
    "fill": (facts.Fill, 1),
    "share": (facts.Share, 1),
    "funding": (facts.Funding, 1),
    "funding_share": (facts.FundingShare, 1),
    "fee": (facts.Fee, 1),
    "deposit": (facts.Deposit, 1),
    "transfer": (facts.Transfer, 1),
    "marks": (facts.Marks, 1),
    "nav": (facts.Nav, 1),
    "capital": (facts.Capital, 1),
    "staged": (facts.Staged, 1),
    "tried": (facts.Tried, 1),
    "opening": (live.Opening, 1),
    "seen": (live.Seen, 1),
    "mids": (live.Mids, 1),
    "closes": (live.Closes, 1),
    "asked": (live.Asked, 1),
    "ruled": (live.Ruled, 1),
    "netted": (live.Netted, 1),
    "shared": (live.Shared, 1),
    "suspense": (live.Suspense, 1),
    "state_changed": (live.StateChanged, 1),
    "listing": (live.Listing, 1),
    "alarm": (live.Alarm, 1),
    "standing": (live.Standing, 1),
    "began": (orders.Began, 1),
    "committed": (orders.Committed, 1),
    "departed": (orders.Left, 1),
    "acknowledged": (orders.Acknowledged, 1),
    "unsure": (orders.Unsure, 1),
    "booked": (orders.Booked, 1),
    "unowned": (orders.Unowned, 1),
    "ended": (orders.Ended, 1),
    "differs": (orders.Differs, 1),
    "restricted": (orders.Restricted, 1),
    "late": (orders.Late, 1),
}
ONCE = {"departed": 2}  # kinds that are told once for each id of ours: an intent is sent once; which field is the id
VENUE_KINDS = ("fill", "funding", "fee", "deposit")  # those that carry the venue's own id, in their first field

_WRITTEN = {type_: (kind, v) for kind, (type_, v) in KINDS.items()}
_encode = msgspec.msgpack.Encoder().encode

READERS: dict[tuple[str, int], Callable[[bytes], Any]] = {
    (kind, v): msgspec.msgpack.Decoder(type_).decode for kind, (type_, v) in KINDS.items()
}


def written(fact: Fact) -> tuple[str, int, bytes]:
    """Kind, version and body of a fact. Raises DataError where a field is not of its type."""
    kind, v = _WRITTEN[type(fact)]
    try:
        body = _encode(fact)
        READERS[kind, v](body)
    except (msgspec.ValidationError, OverflowError, UnicodeEncodeError) as e:
        raise DataError(f"{fact} is no {kind}: {e}") from e
    return kind, v, body


def read(kind: str, v: int, body: bytes) -> Fact:
    """The fact of a row. Raises DataError where this program does not know its kind, or the body is not of it."""
    reader = READERS.get((kind, v))
    if reader is None:
        raise DataError(f"a {kind!r} of version {v}, which this program does not know: it was written by a newer one")
    try:
        fact: Fact = reader(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise DataError(f"the body is no {kind} of version {v}: {e}") from e
    return fact
