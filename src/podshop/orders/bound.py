"""Where a coin may end, whatever becomes of its orders: docs/live.md, section 4. Whole lots, exact.

    lo = max(min(b, -s), b - R_s) - S        hi = min(max(b, o), b + R_b) + B

b is what is booked; S and B what ordinary orders may still sell and buy, R_s and R_b the reduce-only ones; s and o what
others sold and bought, as booked, since the oldest reduce-only order of that side was sent: it may have filled first.
"""

from typing import NamedTuple

from podshop.orders.line import LIVE, RESERVED, Flight, Line
from podshop.orders.terms import Terms

WHOLE = 1 << 40  # a whole close takes what there is: more lots than anybody holds


class Ends(NamedTuple):
    """The least and the most lots that the coin may hold."""

    low: int
    high: int


def ends(line: Line, terms: Terms) -> Ends:
    """Every outcome of what is in flight lies between these: any subset, any part, in any order, heard of or not.

    Fills that are held count as if nobody's order explained them, and an unexplained difference as if it were real.
    """
    sells = buys = reduces_sell = reduces_buy = sold = bought = 0
    for flight in line.flights:
        if flight.stage not in RESERVED:
            continue
        left = unfilled(flight, terms)
        if not flight.reduces:
            buys += left * (flight.side > 0)
            sells += left * (flight.side < 0)
        elif flight.side > 0:
            reduces_buy += left
            bought = max(bought, flight.beside)
        else:
            reduces_sell += left
            sold = max(sold, flight.beside)
    for fill in line.held:
        buys += max(fill.lots, 0)
        sells += max(-fill.lots, 0)
    b = line.booked
    low = max(min(b, -sold), b - reduces_sell) - sells
    high = min(max(b, bought), b + reduces_buy) + buys
    return Ends(low + min(line.differs, 0), high + max(line.differs, 0))


def reserved_lots(line: Line, terms: Terms) -> int:
    """Lots (>= 0) whose fee and collar are taken from NAV before the gate judges: all that may still fill."""
    here = abs(line.booked)
    in_flight = sum(min(unfilled(f, terms), here) if f.reduces else unfilled(f, terms) for f in open_flights(line))
    return in_flight + sum(abs(fill.lots) for fill in line.held)


def reducible(line: Line, target: int, terms: Terms) -> int:
    """Signed lots that a coin which is not IDLE may be asked to reduce by, toward a target: row 15. 0: nothing.

    It reduces as if what is live on that side will fill, so nothing is reduced twice: an ordinary sale that comes
    after reduce-only ones have brought the coin flat would go through zero. Where flat is wanted and every live order
    of that side is reduce-only, those of unknown fate are left out: however many of them fill, they stop at flat.
    """
    b = line.booked
    side = -1 if b > 0 else 1
    goal = min(max(target, 0), b) if b > 0 else max(min(target, 0), b)
    same_side = [flight for flight in line.flights if flight.stage in LIVE and flight.side == side]
    harmless = goal == 0 and terms.reduce_only and all(flight.reduces for flight in same_side)
    coming = 0
    for flight in same_side:
        if not (harmless and flight.stage == "UNKNOWN"):
            coming += min(unfilled(flight, terms), abs(b))
    lots = max(abs(b - goal) - coming, 0)
    if not terms.reduce_only:
        low, high = ends(line, terms)
        lots = min(lots, max(low, 0) if b > 0 else max(-high, 0))
    return side * lots


def unfilled(flight: Flight, terms: Terms) -> int:
    """Lots (>= 0) that it may still fill: asked, and what the venue may round up by, less what was booked."""
    return max(most(flight, terms) - abs(flight.filled), 0)


def most(flight: Flight, terms: Terms) -> int:
    """asked+: the most lots (>= 0) that it may fill in all."""
    return WHOLE if flight.order.whole else abs(flight.order.lots) + terms.rounding_lots


def open_flights(line: Line) -> tuple[Flight, ...]:
    """Those that may still fill."""
    return tuple(flight for flight in line.flights if flight.stage in RESERVED)
