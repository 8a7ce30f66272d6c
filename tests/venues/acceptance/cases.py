"""What any venue's adapter must do, numbered; each with what its card must claim for the case to apply."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from podshop.nouns import HOUR_NS, SECOND_NS, VenueError
from podshop.nouns.venue import Card, Reading
from podshop.venues.exchange.evil import ORDER_FAULTS, READ_FAULTS
from tests.venues.acceptance.worlds import BEGIN_NS, CASH_MICRO, MID, World
from tests.venues.exchange import small

Claim = Callable[[Card], bool]
Act = Callable[[World], Awaitable[None]]


class Case(NamedTuple):
    """A case: its number, what it needs of a card (and that in words), what is done and must be true."""

    number: str
    claim: Claim
    needs: str
    act: Act

    @property
    def title(self) -> str:
        return (self.act.__doc__ or "").splitlines()[0]


CASES: list[Case] = []


def case(number: str, needs: str = "", claim: Claim = lambda card: True) -> Callable[[Act], Act]:
    """Enter a case."""

    def enter(act: Act) -> Act:
        CASES.append(Case(number, claim, needs, act))
        return act

    return enter


def ids(card: Card) -> bool:
    return card.client_ids


def lots_and_limits(card: Card) -> bool:
    """A venue that takes partial reductions takes lots and limits as they are; the others round."""
    return card.partial_close


async def admissible(world: World) -> Reading | None:
    """A reading that may be believed: it came, it bears the venue's stamp and a value."""
    try:
        found = await world.venue.reading()
    except VenueError:
        return None
    return found if found.venue_ns > 0 and found.equity_micro > 0 else None


# ------------------------------------------------------------------------------------------------ reads


@case("A01")
async def _(world: World) -> None:
    """The card says what it can be asked, and that no money is at stake here."""
    card = world.venue.card
    assert {"positions", "equity", "fills", "funding", "marks"} <= card.reads
    assert card.simulated
    assert card.late_bound_ns > 0
    assert card.rounding_lots >= 0
    assert not card.expiry or card.client_ids


@case("A02")
async def _(world: World) -> None:
    """The venue's clock is told, and moves with the venue."""
    first = await world.venue.time_ns()
    world.advance(90 * SECOND_NS)
    assert abs(first - BEGIN_NS) <= 1_000_000
    assert abs(await world.venue.time_ns() - first - 90 * SECOND_NS) <= 1_000_000


@case("A03")
async def _(world: World) -> None:
    """Instruments are listed with the lots that the exchange trades."""
    found = {i.market: i for i in await world.venue.instruments()}
    assert {m: i.lot_size for m, i in found.items()} == {"BTC": 1e-5, "ETH": 1e-4}
    assert world.terse or (found["BTC"].max_leverage, found["BTC"].funding_interval_ns) == (40, HOUR_NS)
    assert not found["BTC"].delisted


@case("A04")
async def _(world: World) -> None:
    """The mark is the close of the last bar that ended, never of one that has only begun."""
    at_ns = small.START_NS + 5 * HOUR_NS
    closes = {"BTC": (500_450, at_ns), "ETH": (200_900, at_ns)}
    for now_ns in (at_ns, at_ns + SECOND_NS):
        found = await world.venue.marks(now_ns, HOUR_NS)
        assert {market: (quote.price_micro, quote.at_ns) for market, quote in found.items()} == closes


@case("A05")
async def _(world: World) -> None:
    """The mid is that of the book now."""
    await world.venue.instruments()
    found = await world.venue.mids()
    assert {m: q.price_micro for m, q in found.items()} == MID


@case("A06")
async def _(world: World) -> None:
    """A reading bears the whole envelope: clock, value, and nothing held at the start."""
    found = await world.venue.reading()
    assert abs(found.venue_ns - BEGIN_NS) <= 1_000_000
    assert found.began_ns <= found.ended_ns
    assert (found.equity_micro, dict(found.lots)) == (CASH_MICRO, {})


# ------------------------------------------------------------------------------------------------ orders


@case("A07")
async def _(world: World) -> None:
    """A purchase and a sale are accepted with the venue's id, and held as asked, but for its rounding."""
    for lots, market in ((100, "BTC"), (-200, "ETH")):
        order, reply = await world.send(lots, market)
        assert (reply.outcome, bool(reply.order_id)) == ("accepted", True)
        assert abs(world.lots(market) - order.lots) <= world.venue.card.rounding_lots
    found = await world.venue.reading()
    assert dict(found.lots) == {m: n for m, n in world.twin.truth.lots.items() if n}


@case("A08")
async def _(world: World) -> None:
    """Fills bear the order's id, the lots, a price within the limit, every charge, and our id where it is kept."""
    order, reply = await world.send(100)
    (fill,) = await world.venue.fills(BEGIN_NS)
    assert (fill.order_id, fill.market, fill.lots, fill.kind) == (reply.order_id, "BTC", world.lots(), "trade")
    assert MID["BTC"] <= fill.price_micro <= order.limit_micro
    assert fill.fee_micro > 0
    assert fill.client_id == (order.intent if world.venue.card.client_ids and not world.terse else None)
    assert list(await world.venue.fills(fill.at_ns + SECOND_NS)) == []


@case("A09")
async def _(world: World) -> None:
    """Cash and value add up to the micro-dollar: cash is what was paid, value is cash and lots at the mark."""
    for lots, market in ((100, "BTC"), (-200, "ETH"), (50, "BTC")):
        await world.send(lots, market)
    fills = await world.venue.fills(BEGIN_NS)
    found = await world.venue.reading()
    cash = CASH_MICRO - sum(f.lots * f.price_micro + f.fee_micro for f in fills)
    assert cash == world.twin.truth.cash_micro()
    assert found.cash_micro == (None if world.terse else cash)
    marks = {m: world.twin.truth.mark_micro(m) for m in found.lots}
    assert found.equity_micro == cash + sum(n * marks[m] for m, n in found.lots.items())
    assert len({f.fill_id for f in fills}) == len(fills) == 3


@case("A10")
async def _(world: World) -> None:
    """Too small an order is refused, and nothing changes."""
    _, reply = await world.send(5)
    assert reply.outcome == "refused"
    assert reply.code
    assert world.lots() == 0


@case("A11", "lots and limits as they are", lots_and_limits)
async def _(world: World) -> None:
    """A limit that meets nobody is refused, or taken and over with nothing filled; one that is met is never passed."""
    mid = MID["BTC"]
    _, reply = await world.send(100, limit_micro=mid - mid // 50)
    assert reply.outcome == "refused" or (reply.outcome, reply.hinted_lots) == ("accepted", 0)
    assert (world.lots(), list(await world.venue.fills(BEGIN_NS))) == (0, [])


@case("A12", "client_ids", ids)
async def _(world: World) -> None:
    """An order is found by our id, and by the venue's, with what was filled and the venue's clock."""
    order, reply = await world.send(100)
    for order_id in (None, reply.order_id):
        found = await world.venue.look(order, order_id)
        assert (found.status, found.order_id, found.filled_lots) == ("final", reply.order_id, 100)
        assert found.venue_ns is not None
        assert found.venue_ns <= world.clock.now_ns()


@case("A13", "client_ids", ids)
async def _(world: World) -> None:
    """An id that the venue never saw is said to be unknown, by the venue and with its clock."""
    found = await world.venue.look(world.order(100), None)
    assert found.status == "unknown_id"
    assert found.venue_ns is not None


@case("A14", "no client_ids", lambda card: not card.client_ids)
async def _(world: World) -> None:
    """Without ids there is nothing to ask by until the venue gave one; then its fate is told."""
    order, reply = await world.send(100)
    assert (await world.venue.look(order, None)).status == "no_answer"
    found = await world.venue.look(order, reply.order_id)
    assert (found.status, found.filled_lots) == ("final", world.lots())


@case("A15", "expiry", lambda card: card.expiry)
async def _(world: World) -> None:
    """An order that arrives after its expiry is not taken, and the venue does not know it."""
    world.evil(late=[0])
    world.twin.evil.late_ns = (2 * HOUR_NS, 3 * HOUR_NS)
    order = world.order(100, expires_ns=world.clock.now_ns() + SECOND_NS)
    reply = await world.venue.send(order)
    assert reply.outcome == "unknown"
    world.advance(4 * HOUR_NS)
    assert world.lots() == 0
    order = world.order(100, expires_ns=world.clock.now_ns())
    assert (await world.venue.send(order)).outcome != "accepted"
    assert (await world.venue.look(order, None)).status == "unknown_id"


@case("A16", "reduce_only and partial_close", lambda card: card.reduce_only and card.partial_close)
async def _(world: World) -> None:
    """A reduce-only order never opens a position and never turns one round."""
    _, reply = await world.send(100, reduce_only=True)
    assert (reply.outcome, world.lots()) == ("refused", 0)
    await world.send(100)
    await world.send(50, reduce_only=True)
    assert world.lots() == 100
    await world.send(-40, reduce_only=True)
    assert world.lots() == 60
    await world.send(-500, reduce_only=True)
    assert world.lots() == 0


@case("A17")
async def _(world: World) -> None:
    """A whole close leaves nothing, whatever made the position; a second one opens nothing."""
    await world.send(100)
    await world.send(60)
    held = world.lots()
    _, reply = await world.closing()
    assert reply.outcome == "accepted"
    assert world.lots() == 0
    await world.send(-held, whole=True, reduce_only=True)
    assert world.lots() == 0
    assert dict((await world.venue.reading()).lots) == {}


@case("A18")
async def _(world: World) -> None:
    """Through zero by two orders: the position and its fills follow."""
    await world.send(100)
    held = world.lots()
    await world.send(-held - 150)
    assert abs(world.lots() + 150) <= world.venue.card.rounding_lots
    fills = await world.venue.fills(BEGIN_NS)
    assert sum(f.lots for f in fills) == world.lots()


@case("A19", "client_ids", ids)
async def _(world: World) -> None:
    """What is over is not taken back; a cancellation that was not confirmed says so."""
    order, reply = await world.send(100)
    assert await world.venue.cancel(order, reply.order_id or "") is False
    assert world.lots() == 100


# ------------------------------------------------------------------------------------------------ misbehaviour


@case("A20")
async def _(world: World) -> None:
    """Reply lost after acceptance: unknown; the truth is found by our id, or stands among the fills."""
    world.evil(lost_after=[0])
    order, reply = await world.send(100)
    assert (reply.outcome, reply.order_id) == ("unknown", None)
    assert abs(world.lots() - 100) <= world.venue.card.rounding_lots
    (fill,) = await world.venue.fills(BEGIN_NS)
    if world.venue.card.client_ids:
        found = await world.venue.look(order, None)
        assert (found.status, found.order_id) == ("final", fill.order_id)
    assert fill.lots == world.lots()


@case("A21")
async def _(world: World) -> None:
    """Reply lost before acceptance: unknown all the same; nothing is held, nothing was filled."""
    world.evil(lost_before=[0])
    order, reply = await world.send(100)
    assert reply.outcome == "unknown"
    assert (world.lots(), list(await world.venue.fills(BEGIN_NS))) == (0, [])
    if world.venue.card.client_ids:
        assert (await world.venue.look(order, None)).status == "unknown_id"


@case("A22")
async def _(world: World) -> None:
    """An order that is answered with 400 and filled is not forgotten."""
    world.evil(refused_after_fill=[0])
    _, reply = await world.send(100)
    assert reply.outcome == "unknown"
    assert (await world.venue.reading()).lots["BTC"] == world.lots() != 0


@case("A23")
async def _(world: World) -> None:
    """HTML in a 200, JSON cut short, NaN, keys twice, a reset: each leaves the order unknown, though it was taken."""
    for number, fault in enumerate(("html", "garbage", "odd_numbers", "twice_keys", "reset")):
        world.evil(**{fault: [number]})
        before = world.lots()
        _, reply = await world.send(50)
        assert world.twin.evil.fired[fault] == 1
        assert reply.outcome == "unknown", fault
        assert world.lots() != before


@case("A24")
async def _(world: World) -> None:
    """The same faults in answers to questions: the truth or VenueError, never anything else."""
    await world.venue.instruments()
    await world.send(100)
    held = dict(world.twin.truth.lots)
    fills = len(world.twin.truth.fills(world.clock.now_ns(), 0))
    for fault in READ_FAULTS:
        if fault == "read_timeout":
            continue
        world.evil(**dict.fromkeys(READ_FAULTS, 0.0))
        world.evil(**{fault: 1.0})
        for _ in range(3):
            with suppress(VenueError):
                assert dict((await world.venue.reading()).lots) == {m: n for m, n in held.items() if n}
            with suppress(VenueError):
                assert len(await world.venue.fills(BEGIN_NS)) == fills
        assert world.twin.evil.fired[fault] > 0


@case("A25")
async def _(world: World) -> None:
    """429 without Retry-After is never a yes."""
    world.evil(busy=1.0)
    _, reply = await world.send(100)
    assert reply.outcome in ("refused", "unknown")
    assert world.lots() == 0


@case("A26")
async def _(world: World) -> None:
    """Positions that are empty though something is held make no admissible reading."""
    await world.send(100)
    world.evil(empty=1.0)
    assert await admissible(world) is None
    assert world.twin.evil.fired["empty"] == 1
    world.evil(empty=0.0)
    found = await admissible(world)
    assert found is not None
    assert found.lots["BTC"] == world.lots()


@case("A27")
async def _(world: World) -> None:
    """Positions out of the server's own database are not read."""
    await world.send(100)
    world.evil(database=1.0)
    found = await admissible(world)
    assert found is None or found.lots["BTC"] == world.lots()


@case("A28")
async def _(world: World) -> None:
    """A close that fills in part and is reported whole: the reading shows what is left."""
    await world.send(100)
    world.evil(partial_close=1.0)
    await world.closing()
    assert world.lots() != 0
    assert (await world.venue.reading()).lots["BTC"] == world.lots()


@case("A29")
async def _(world: World) -> None:
    """Pages that overlap count nothing twice, and a record that is late comes later."""
    world.evil(fills_twice=1.0)
    for _ in range(6):
        await world.send(50)
    found = await world.venue.fills(BEGIN_NS)
    truth = world.twin.truth.fills(world.clock.now_ns(), 0)
    assert {f.fill_id.split(":")[-1]: f.lots for f in found} == {f.fill_id: f.lots for f in truth}
    if not world.venue.card.venue.startswith("memory"):  # that one leaves repeats to the gateway, to try it
        assert len(found) == len(truth)


@case("A30")
async def _(world: World) -> None:
    """Funding is the cash that came in, once an hour, to the micro-dollar."""
    await world.send(400)
    world.advance(3 * HOUR_NS)
    found = await world.venue.fundings(BEGIN_NS)
    truth = world.twin.truth.fundings(world.clock.now_ns(), BEGIN_NS)
    assert [(p.market, p.cash_micro, p.at_ns) for p in found] == [(p.market, p.cash_micro, p.at_ns) for p in truth]
    assert world.terse or [p.lots for p in found] == [p.lots for p in truth]
    assert len(found) == 3
    assert all(p.cash_micro < 0 for p in found)
    assert len({p.paid_id for p in found}) == 3


@case("A31")
async def _(world: World) -> None:
    """What somebody else did to the account is seen: in the reading, and among the fills with its kind."""
    await world.send(100)
    for kind in ("liquidation", "adl", "trade"):
        world.twin.truth.foreign(world.clock.now_ns(), "BTC", -10, kind, None)
    kinds = [f.kind for f in await world.venue.fills(BEGIN_NS)]
    assert sorted(kinds) == (["trade"] * 4 if world.terse else ["adl", "liquidation", "trade", "trade"])
    assert (await world.venue.reading()).lots["BTC"] == world.lots()


@case("A32")
async def _(world: World) -> None:
    """No fault makes `send` raise, and none makes it say no to an order that was taken."""
    for fault in ORDER_FAULTS:
        if fault == "late":
            continue  # A15
        world.evil(**dict.fromkeys(ORDER_FAULTS, 0.0))
        world.evil(**{fault: 1.0})
        before = world.lots()
        _, reply = await world.send(-60)
        moved = world.lots() != before
        assert not (moved and reply.outcome == "refused"), fault
        assert not (reply.outcome == "accepted" and not moved), fault


@case("A33", "a limit of sends a minute", lambda card: 0 < card.sends_per_minute < 100)
async def _(world: World) -> None:
    """More than the venue bears in a minute is never a yes that was none."""
    for _ in range(world.venue.card.sends_per_minute + 10):
        before = world.lots()
        _, reply = await world.send(30)
        assert (world.lots() != before) == (reply.outcome == "accepted")


@case("A34")
async def _(world: World) -> None:
    """A clock that is wrong is seen to be."""
    world.evil(skew=1.0)
    assert await world.venue.time_ns() - world.clock.now_ns() >= 4 * SECOND_NS


@case("A35")
async def _(world: World) -> None:
    """An order for a market that is not there is refused."""
    _, reply = await world.send(100)
    order = world.order(100)._replace(market="NOPE")
    assert (await world.venue.send(order)).outcome in ("refused", "unknown")
    assert set(world.twin.truth.lots) <= {"BTC", "ETH"}
    assert reply.outcome == "accepted"
