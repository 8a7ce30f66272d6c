"""Every fault by name: that it fires, that it is counted, what the caller sees, and what the truth says meanwhile."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from podshop.nouns import HOUR_NS, SECOND_NS, ConfigError, VenueError
from podshop.nouns.venue import Filled, Order, Reply
from podshop.venues.exchange import evil
from podshop.venues.exchange.evil import Evil, When
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS, MemoryVenue
from podshop.venues.exchange.twin import Twin
from tests.live import virtual
from tests.venues.exchange.small import START_NS, exchange

NOW = START_NS + 5 * HOUR_NS
ANY = 10**12


def order(lots: int, number: int = 0, **changes: Any) -> Order:
    limit = ANY if lots > 0 else 1
    return Order(f"{number:032x}", "BTC", lots, limit, 500_500, False, False, NOW + HOUR_NS)._replace(**changes)


def play(
    story: Callable[[MemoryVenue, virtual.VirtualClock], Awaitable[Any]], card: Any = WITH_IDS, **faults: When
) -> tuple[Any, Twin]:
    """Run a story against a venue with these faults, in virtual time."""
    twin = Twin(exchange(), Evil(1, faults, late_ns=(20 * SECOND_NS, 40 * SECOND_NS)))

    async def main(clock: virtual.VirtualClock) -> Any:
        return await story(MemoryVenue(twin, clock, card, travel_ns=SECOND_NS // 20), clock)

    return virtual.run(main, NOW), twin


async def buy(venue: MemoryVenue, clock: virtual.VirtualClock) -> tuple[Reply, int]:
    """Buy a hundred lots; what was answered, and what is held when the answer came."""
    reply = await venue.send(order(100))
    return reply, venue.twin.truth.lots["BTC"]


async def hold_and_sell(venue: MemoryVenue, clock: virtual.VirtualClock) -> Reply:
    venue.twin.truth.foreign(clock.now_ns(), "BTC", 100)
    return await venue.send(order(-60))


async def fills(venue: MemoryVenue, clock: virtual.VirtualClock) -> list[list[Filled]]:
    """Buy three times, ask at once, and a minute later."""
    for number in range(3):
        await venue.send(order(50, number))
    first = list(await venue.fills(0))
    await clock.sleep(60 * SECOND_NS)
    return [first, list(await venue.fills(0))]


@pytest.mark.parametrize(
    ("fault", "outcome", "code", "held"),
    [
        ("lost_before", "unknown", "timeout", 0),
        ("lost_after", "unknown", "timeout", 100),
        ("refused_after_fill", "unknown", "refused_after_fill", 100),
        ("busy", "refused", "rate_limited", 0),
        ("unrounded", "refused", "tick", 0),
        ("html", "unknown", "html", 100),
        ("garbage", "unknown", "garbage", 100),
        ("odd_numbers", "unknown", "odd_numbers", 100),
        ("twice_keys", "unknown", "twice_keys", 100),
        ("reset", "unknown", "reset", 100),
        ("one_lot_more", "accepted", "", 101),
    ],
)
def test_what_befalls_an_order(fault: str, outcome: str, code: str, held: int) -> None:
    (reply, seen), twin = play(buy, **{fault: [0]})
    assert (reply.outcome, reply.code, seen) == (outcome, code, held)
    assert twin.evil.fired[fault] == 1 == sum(twin.evil.fired.values())
    honest, twin = play(buy, **{fault: [1]})  # the same, at an opportunity that does not come
    assert honest == (Reply("accepted", "42000000001", hinted_lots=100), 100)
    assert not any(twin.evil.fired.values())


def test_a_late_order_fills_after_everybody_has_stopped_waiting() -> None:
    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> tuple[Any, ...]:
        reply, held = await buy(venue, clock)
        unseen = await venue.look(order(100), None)
        await clock.sleep(60 * SECOND_NS)
        found = await venue.look(order(100), None)
        return reply.outcome, held, unseen.status, found.status, found.filled_lots

    seen, twin = play(story, late=[0])
    assert seen == ("unknown", 0, "unknown_id", "final", 100)
    (fill,) = twin.fills(NOW + HOUR_NS)
    assert 20 * SECOND_NS < fill.at_ns - NOW < 41 * SECOND_NS


def test_a_late_order_that_has_expired_never_arrives() -> None:
    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> tuple[str, str, int]:
        soon = order(100, expires_ns=NOW + 15 * SECOND_NS)
        reply = await venue.send(soon)
        await clock.sleep(60 * SECOND_NS)
        venue.twin.advance(clock.now_ns())
        return reply.outcome, (await venue.look(soon, None)).status, venue.twin.truth.lots["BTC"]

    assert play(story, late=[0])[0] == ("unknown", "unknown_id", 0)
    assert play(story, WITHOUT_IDS, late=[0])[0] == ("unknown", "no_answer", 100)  # no expiry: it fills all the same


def test_a_caller_who_gives_up_does_not_stop_the_order() -> None:
    import asyncio

    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> int:
        task = asyncio.ensure_future(venue.send(order(100)))
        await clock.sleep(SECOND_NS // 100)
        task.cancel()
        await clock.sleep(SECOND_NS)
        return (await venue.reading()).lots["BTC"]

    assert play(story)[0] == 100


def test_a_partial_close_is_reported_whole() -> None:
    reply, twin = play(hold_and_sell, partial_close=[0])
    assert (reply.outcome, reply.hinted_lots, twin.truth.lots["BTC"]) == ("accepted", -60, 70)
    reply, twin = play(buy, partial_close=1.0)
    assert twin.truth.lots["BTC"] == 100
    assert not twin.evil.fired["partial_close"]


async def ask_all(venue: MemoryVenue, clock: virtual.VirtualClock) -> list[str]:
    """Ask everything once; the words of what went wrong."""
    await venue.send(order(100))
    wrong = []
    for question in (venue.time_ns, venue.instruments, venue.mids, venue.reading):
        try:
            await question()
        except VenueError as e:
            wrong.append(str(e))
    for asked in (venue.fills(0), venue.fundings(0), venue.marks(NOW, HOUR_NS)):
        try:
            await asked
        except VenueError as e:
            wrong.append(str(e))
    wrong.append((await venue.look(order(100), None)).status)
    return wrong


@pytest.mark.parametrize("fault", evil.READ_FAULTS)
def test_what_befalls_a_question(fault: str) -> None:
    wrong, twin = play(ask_all, **{fault: 1.0})
    assert len(wrong) == 8
    assert all(fault in words for words in wrong[:-1])
    assert wrong[-1] == "no_answer"
    assert twin.evil.fired[fault] == 8
    assert play(ask_all)[0] == ["final"]


def test_positions_that_are_not_what_is_held() -> None:
    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> Any:
        await venue.send(order(100))
        await venue.send(order(50, 1))
        return await venue.reading()

    honest, _ = play(story)
    assert honest.lots == {"BTC": 150}
    assert honest.venue_ns == honest.ended_ns
    assert honest.equity_micro > 0
    empty, twin = play(story, empty=[0])
    assert (empty.lots, empty.venue_ns, empty.equity_micro, empty.cash_micro) == ({}, 0, 0, None)
    assert twin.truth.lots["BTC"] == 150
    assert twin.evil.fired["empty"] == 1
    stale, twin = play(story, stale_positions=[0])
    assert stale.lots == {}
    assert 0 < stale.venue_ns < stale.began_ns
    assert twin.evil.fired["stale_positions"] == 1
    with pytest.raises(VenueError, match="database"):
        play(story, database=[0])


def test_fill_records_that_come_late_or_twice() -> None:
    (first, then), _ = play(fills)
    assert first == then
    assert len(first) == 3
    (first, later), twin = play(fills, fills_late=[1])
    assert first == [then[0], then[2]]
    assert later == then
    assert twin.evil.fired["fills_late"] == 1
    (doubled, _), twin = play(fills, fills_twice=[0])
    assert len(doubled) == 4
    assert set(doubled) == set(then)
    assert twin.evil.fired["fills_twice"] == 1


def test_a_price_of_some_bars_ago_and_a_clock_that_is_wrong() -> None:
    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> tuple[Any, int]:
        return (await venue.mids())["BTC"], await venue.time_ns() - clock.now_ns()

    (quote, off), _ = play(story)
    assert (quote.price_micro, off) == (500_500, 0)
    (quote, off), twin = play(story, stale_price=[0], skew=[0])
    assert (quote.price_micro, quote.at_ns, off) == (500_200, NOW - 3 * HOUR_NS, 5 * SECOND_NS)
    assert (twin.evil.fired["stale_price"], twin.evil.fired["skew"]) == (1, 1)


def test_a_venue_that_is_down_answers_nothing_and_takes_nothing() -> None:
    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> tuple[str, int, str]:
        venue.twin.evil.outages.append((NOW, NOW + 60 * SECOND_NS))
        reply, held = await buy(venue, clock)
        with pytest.raises(VenueError, match="down"):
            await venue.reading()
        await clock.sleep(60 * SECOND_NS)
        return reply.outcome, held, (await venue.send(order(100, 1))).outcome

    seen, twin = play(story)
    assert seen == ("unknown", 0, "accepted")
    assert twin.evil.fired["down"] == 2


def test_the_card_without_ids_gives_none() -> None:
    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> tuple[Any, ...]:
        reply = await venue.send(order(100))
        (fill,) = await venue.fills(0)
        by_theirs = await venue.look(order(100), reply.order_id)
        return fill.client_id, fill.order_id == reply.order_id, by_theirs.filled_lots

    assert play(story, WITHOUT_IDS)[0] == (None, True, 100)


def test_a_duplicate_client_id_is_no_refusal() -> None:
    """An order of that id exists: to forget it would lose a fill."""

    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> tuple[str, str]:
        await venue.send(order(100))
        reply = await venue.send(order(100))
        return reply.outcome, reply.code

    assert play(story)[0] == ("unknown", "duplicate_id")


def test_the_same_seed_does_the_same_and_one_fault_does_not_move_another() -> None:
    def drawn(seed: int, **faults: When) -> list[bool]:
        temper = Evil(seed, faults)
        return [temper.order_fault(reduces=False) == "lost_after" for _ in range(500)]

    alone = drawn(1, lost_after=0.2)
    assert alone == drawn(1, lost_after=0.2) != drawn(2, lost_after=0.2)
    assert 70 < sum(alone) < 130
    assert drawn(1, lost_after=0.2, late=1.0, html=0.5) == alone  # named before both, and drawn on its own stream
    assert drawn(1, lost_after=list(range(0, 500, 100))).count(True) == 5


def test_an_unknown_fault_is_named() -> None:
    with pytest.raises(ConfigError, match="'lost_afer' is no fault"):
        Evil(0, {"lost_afer": 0.1})
    with pytest.raises(ConfigError, match="lost_after: probability"):
        Evil(0, {"lost_after": 1.5})


@pytest.mark.parametrize("card", [WITH_IDS, WITHOUT_IDS], ids=["with ids", "without"])
def test_under_all_faults_at_once_the_truth_adds_up_and_the_day_repeats(card: Any) -> None:
    """Three hundred orders, every fault at 5 %: the hints lie, the fill history in the end does not."""
    faults = dict.fromkeys(evil.FAULTS, 0.05)

    async def story(venue: MemoryVenue, clock: virtual.VirtualClock) -> tuple[list[Reply], list[Filled]]:
        replies = []
        for number in range(300):
            lots = 30 if number % 3 else -40
            replies.append(await venue.send(order(lots, number, expires_ns=clock.now_ns() + 30 * SECOND_NS)))
            await clock.sleep(SECOND_NS)
        await clock.sleep(120 * SECOND_NS)
        venue.twin.evil.switch(dict.fromkeys(evil.FAULTS, 0.0))
        return replies, list(await venue.fills(0))

    (replies, found), twin = play(story, card, **faults)
    assert sum(fill.lots for fill in found) == twin.truth.lots["BTC"]
    assert len(found) == len({fill.fill_id for fill in found})
    assert all(twin.evil.fired[name] for name in evil.ORDER_FAULTS)
    refused = {number for number, reply in enumerate(replies) if reply.outcome == "refused"}
    filled = {int(each.tag, 16) for each in twin.truth.orders.values() if each.filled}
    assert not refused & filled  # what is said to be refused is refused
    again, _ = play(story, card, **faults)
    assert again == (replies, found)
