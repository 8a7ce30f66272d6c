"""Small differences at a venue that rounds: the house takes them, shown, and no day takes so many as would halt us."""

from podshop.ledger.facts import HOUSE, Deposit
from podshop.ledger.live import Suspense
from podshop.live.gateway.desk import Desk
from podshop.live.gateway.memory import DUST
from podshop.nouns import DAY_NS
from podshop.nouns.venue import Filled
from podshop.orders import rows
from podshop.orders.events import FillSaid


def is_dust(desk: Desk, micro: int, now_ns: int) -> bool:
    """Whether a difference of so many micro-dollars may be the venue's rounding."""
    taken, terms = desk.memory.dust.get(now_ns // DAY_NS, 0), desk.terms
    small = 0 < abs(micro) <= terms.dust_micro and taken + abs(micro) <= terms.suspense_micro
    return desk.card.rounding_lots > 0 and small


def take_lots(desk: Desk, now_ns: int) -> None:
    """Book to the house, at the mark, lots that differ for Q with nothing in flight: no fill explains them any more."""
    for market in desk.terms.markets:
        line, mark = desk.memory.line(market), desk.keeper.books.marks.get(market, 0)
        differed = line.evidence.differed
        if not line.differs or line.held or any(flight.stage != "ENDED" for flight in line.flights):
            continue
        if not differed or now_ns - differed[0][0] < desk.order_terms.quarantine_ns or mark <= 0:
            continue
        if differed[-1][1] - line.booked == line.differs and is_dust(desk, line.differs * mark, now_ns):
            name = f"{DUST}{market}-{desk.keeper.head.seq}"
            fill = Filled(name, name, None, market, line.differs, mark, 0, now_ns, rows.DUST)
            desk.tell(market, FillSaid(now_ns, fill))
            desk.commit()


def take_cash(desk: Desk, off_micro: int, now_ns: int) -> None:
    """Book cash to the house that differs; what was in suspense goes with it."""
    desk.note(now_ns, Deposit(f"{DUST}{desk.keeper.head.seq}", HOUSE, off_micro))
    if desk.memory.suspense_micro:
        desk.note(now_ns, Suspense(0, "dust is the house's"))
    desk.alarm(now_ns, "DUST", "", "", f"{off_micro / 1e6:,.6f} USD of cash that rounding left go to the house")
    desk.commit()
