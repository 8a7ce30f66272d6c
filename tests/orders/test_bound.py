"""Where a coin may end: exact where nothing was heard of yet, and never left by the truth, whatever is heard first."""

import random
from itertools import product

from podshop.nouns.venue import Filled, Order
from podshop.orders.bound import WHOLE, ends, reserved_lots
from podshop.orders.facts import Booked
from podshop.orders.line import Flight, Line, applied
from tests.orders.given import PRICE, START, WITHOUT, card, terms_of

NS = 1_000_000_000


def flight(name: str, lots: int, reduce_only=False, stage="UNKNOWN", whole=False) -> Flight:
    order = Order(name, "BTC", lots, PRICE, PRICE, reduce_only, whole, START + NS)
    return Flight(order, 1, START, (), stage=stage, order_id=name)


def reachable(booked: int, flights: list[Flight]) -> set[int]:
    """Every position that the venue could show: lots fill one by one, in any order, and some never do."""
    seen = set()
    todo = [(booked, tuple(abs(f.order.lots) for f in flights))]
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        position, left = state
        for i, each in enumerate(flights):
            if left[i] and (not each.reduces or position * each.side < 0):
                rest = (*left[:i], left[i] - 1, *left[i + 1 :])
                todo.append((position + each.side, rest))
    return {position for position, _ in seen}


def test_the_ends_are_reached_and_never_passed_where_nothing_was_heard_of():
    tried = 0
    for booked, sell, buy, close, cover in product(range(-3, 4), range(3), range(3), range(3), range(3)):
        orders = [("a", -sell, False), ("b", buy, False), ("c", -close, True), ("d", cover, True)]
        flights = [flight(name, lots, only) for name, lots, only in orders if lots]
        outcomes = reachable(booked, flights)
        assert ends(Line("BTC", booked, tuple(flights)), WITHOUT) == (min(outcomes), max(outcomes))
        tried += 1
    assert tried == 567


def test_the_truth_lies_between_the_ends_whatever_is_heard_first():
    """Fills happen in one order and are heard of in another: at each moment the ends hold what is and what may come."""
    chance = random.Random(1)
    moments = 0
    for _ in range(4_000):
        position = booked = chance.randint(-6, 6)
        line, flights = Line("BTC", booked), []
        for name in "abcde":
            lots = chance.choice((-5, -4, -3, -2, -1, 1, 2, 3, 4, 5))
            flights.append(flight(name, lots, chance.random() < 0.5))
        line = line._replace(flights=tuple(flights))
        left = {f.intent: abs(f.order.lots) for f in flights}
        unheard = []
        for number in range(14):
            each = chance.choice(flights)
            lots = min(left[each.intent], chance.randint(1, 4))
            if each.reduces:
                lots = min(lots, max(-position * each.side, 0))
            if lots:
                left[each.intent] -= lots
                position += lots * each.side
                fill = Filled(f"f{number}", each.intent, None, "BTC", lots * each.side, PRICE, 0, START)
                unheard.append((each, fill))
            while unheard and chance.random() < 0.4:
                owner, fill = unheard.pop(chance.randrange(len(unheard)))
                line = applied(line, Booked("BTC", START, 6, owner.intent, "wants", fill))
            low, high = ends(line, WITHOUT)
            assert low <= position <= high, (line, position)
            moments += 1
    assert moments == 56_000


def test_the_case_that_the_gates_campaign_found():
    """Long 10, a reduce-only sale of 10 filled but unheard, then a late sale of 15 booked: booked -5, the truth -15."""
    line = Line("BTC", 10, (flight("sale", -15), flight("close", -10, True)))
    fill = Filled("f", "sale", None, "BTC", -15, PRICE, 0, START)
    line = applied(line, Booked("BTC", START, 6, "sale", "wants", fill))
    assert line.booked == -5
    assert ends(line, WITHOUT) == (-15, -5)


def test_what_is_over_is_not_counted_and_what_lapsed_is():
    assert ends(Line("BTC", 3, (flight("a", 5, stage="ENDED"),)), WITHOUT) == (3, 3)
    for stage in ("SENT", "ACKED", "UNKNOWN", "LAPSED"):
        assert ends(Line("BTC", 3, (flight("a", 5, stage=stage),)), WITHOUT) == (3, 8)


def test_the_venue_may_round_up_and_a_whole_close_takes_all():
    assert ends(Line("BTC", 3, (flight("a", 5),)), terms_of(card(False, rounding=1), NS)) == (3, 9)
    line = Line("BTC", 7, (flight("a", 5), flight("close", -7, whole=True)))
    assert ends(line, WITHOUT) == (0, 12)
    assert reserved_lots(line, WITHOUT) == 5 + 7
    assert WHOLE > 10**12


def test_held_fills_and_differences_widen_the_box():
    held = Filled("f", "o", None, "BTC", -4, PRICE, 0, START)
    assert ends(Line("BTC", 3, (), (held,)), WITHOUT) == (-1, 3)
    assert ends(Line("BTC", 3, differs=2), WITHOUT) == (3, 5)
