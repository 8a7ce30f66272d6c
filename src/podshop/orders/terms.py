"""How long is long enough: every duration of the state table, in nanoseconds of the venue's time."""

from typing import NamedTuple

from podshop.nouns.time import HOUR_NS, SECOND_NS
from podshop.nouns.venue import Card


class Terms(NamedTuple):
    """What a coin's life depends on at one venue, with one cycle length. docs/live.md, section 3.

    quarantine_ns  Q: from then on after its send an order whose fate cannot be proven may lapse
    watch_ns       W: so long after its send what lapsed stays reserved, and what ended is recognised
    apart_ns       between the two readings of *clean*
    settle_ns      after the reply, before a clean account means that no fill is to come
    grace_ns       after an order's expiry, before the venue's "unknown" is believed
    skew_ns        how far the venue's clock may be from ours; a reading that is further off is none
    fresh_ns       oldest reading on which an order is sent
    cycle_ns       one cycle: what is unknown for longer is alarmed
    client_ids .. rounding_lots  as the venue's card says; asks: the venue can be asked after an order
    """

    quarantine_ns: int
    watch_ns: int
    apart_ns: int
    settle_ns: int
    grace_ns: int
    skew_ns: int
    fresh_ns: int
    cycle_ns: int
    late_bound_ns: int
    client_ids: bool
    expiry: bool
    reduce_only: bool
    partial_close: bool
    asks: bool
    rounding_lots: int


def terms_of(card: Card, interval_ns: int, late_bound_ns: int = 0) -> Terms:
    """Terms of a venue by its card.

    interval_ns    length of a cycle
    late_bound_ns  the longest that a fill was really late, where that is known to be more than the card claims

    >>> card = Card(venue="x", client_ids=False, expiry=False, reduce_only=True, partial_close=True, reads=frozenset())
    >>> terms = terms_of(card, 300 * SECOND_NS)
    >>> terms.quarantine_ns // SECOND_NS, terms.watch_ns // SECOND_NS
    (600, 3600)
    """
    late_ns = max(card.late_bound_ns, late_bound_ns)
    quarantine_ns = max(2 * interval_ns, late_ns + 30 * SECOND_NS)
    settle_ns = 10 * SECOND_NS
    return Terms(
        quarantine_ns=quarantine_ns,
        watch_ns=max(HOUR_NS, 2 * quarantine_ns),
        apart_ns=5 * SECOND_NS,
        settle_ns=settle_ns,
        grace_ns=5 * SECOND_NS,
        skew_ns=SECOND_NS,
        fresh_ns=max(interval_ns, settle_ns),
        cycle_ns=interval_ns,
        late_bound_ns=late_ns,
        client_ids=card.client_ids,
        expiry=card.expiry,
        reduce_only=card.reduce_only,
        partial_close=card.partial_close,
        asks="orders" in card.reads,
        rounding_lots=card.rounding_lots,
    )
