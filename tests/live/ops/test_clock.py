"""A clock that is wrong: the flattener sells all the same, and the venue's stamps set the clock right."""

import pytest

from podshop.live import clock as clocks
from podshop.live import flatten
from podshop.live.clock import STEADY_NS, WallClock, follow
from podshop.live.flatten import Flattener
from podshop.nouns.venue import SECOND_NS, Card, Quote, Reading, Reply
from tests.live import virtual

HOUR_NS = 3600 * SECOND_NS
CYCLE_NS = 60 * SECOND_NS


class Follower(virtual.VirtualClock):
    """A machine's clock that can be moved; its wall is as wrong as itself, so the stamps are the only witness."""

    def __init__(self, at_ns):
        super().__init__(at_ns)
        self.stamps = clocks.Stamps()

    def follow(self, venue_ns, began_ns, ended_ns):
        moved_ns = self.stamps.off_ns(venue_ns, began_ns, ended_ns, 0)
        self.skew_ns += moved_ns
        return moved_ns


class Account:
    """Ten lots at a venue whose clock is `off_ns` later than ours; it refuses an order whose time is over."""

    def __init__(self, ours, venues, card):
        self.ours, self.venues, self.card = ours, venues, card
        self.lots, self.sends = 10, 0

    async def reading(self):
        began_ns = self.ours.now_ns()
        await self.venues.sleep(1_000_000)
        cash = None if self.lots else 10**9
        return Reading(began_ns, self.ours.now_ns(), self.venues.now_ns(), 10**9, cash, {"BTC": self.lots})

    async def mids(self):
        return {"BTC": Quote(10**6, self.ours.now_ns())}

    async def send(self, order):
        self.sends += 1
        if order.expires_ns <= self.venues.now_ns():
            return Reply("refused", code="EXPIRED")
        self.lots = 0
        return Reply("accepted", "1")


def card(**changed):
    able = {"client_ids": True, "expiry": True, "reduce_only": True, "partial_close": True} | changed
    return Card(venue="made up", reads=frozenset(), **able)


def flattened(off_ns, clock=Follower, longest_ns=HOUR_NS, **changed):
    """The account after an hour of a flattener whose clock is behind by so much, and what it said."""
    said = []

    async def main(venues):
        ours = clock(venues.now_ns() - off_ns)
        account = Account(ours, venues, card(**changed))
        task = virtual.asyncio.ensure_future(Flattener(account, ours, CYCLE_NS, say=said.append).run())
        await virtual.asyncio.wait({task}, timeout=longest_ns / SECOND_NS)
        task.cancel()
        return account

    return virtual.run(main), [one.word for one in said]


@pytest.mark.parametrize("off_s", [0, 3, 11, 100, 86_400, -11, -3_000])
def test_the_flattener_gets_flat_whatever_its_clock_shows(off_s):
    account, words = flattened(off_s * SECOND_NS)
    assert account.lots == 0
    assert words[-1] == "FLAT"


@pytest.mark.parametrize("off_s", [11, -11])
def test_what_shows_a_position_is_sold_though_no_clock_can_be_moved(off_s, monkeypatch):
    account, words = flattened(off_s * SECOND_NS, virtual.VirtualClock)
    assert account.lots == 0
    assert "FLAT" not in words  # for nothing quiet was of now
    monkeypatch.setattr(flatten, "shows", lambda reading, asked_ns, since_ns: False)
    account, words = flattened(off_s * SECOND_NS, virtual.VirtualClock)
    assert (account.sends, account.lots, set(words)) == (0, 10, {"unread"})  # the mutant


def test_where_an_order_could_open_a_position_only_a_reading_of_now_is_acted_on():
    account, _ = flattened(-11 * SECOND_NS, virtual.VirtualClock, reduce_only=False)
    assert account.sends == 0


def test_a_copy_from_before_the_account_was_flat_moves_nothing():
    shows = Reading(100, 101, 50, 10**9, None, {"BTC": 1})
    assert flatten.shows(shows, 100, 0)
    assert not flatten.shows(shows, 100, 60)  # nothing was held at 60
    assert not flatten.shows(shows._replace(began_ns=99), 100, 0)


class Machine:
    """A wall and a monotonic clock, to be set."""

    def __init__(self):
        self.wall_ns, self.steady_ns = 1_800_000_000 * SECOND_NS, 0
        self.clock = WallClock(wall=lambda: self.wall_ns, steady=lambda: self.steady_ns)

    def passes(self, ns):
        self.wall_ns, self.steady_ns = self.wall_ns + ns, self.steady_ns + ns

    def told(self, venue_ns):
        """An answer with this stamp; it takes a millisecond."""
        began_ns = self.clock.now_ns()
        self.passes(1_000_000)
        return follow(self.clock, venue_ns, began_ns, self.clock.now_ns())


def test_after_a_sleep_one_stamp_is_enough_since_the_wall_says_the_same():
    machine = Machine()
    machine.wall_ns += 60 * SECOND_NS  # asleep: the monotonic clock stood still
    assert machine.told(machine.wall_ns) == pytest.approx(60 * SECOND_NS, abs=SECOND_NS // 100)
    assert abs(machine.clock.now_ns() - machine.wall_ns) < SECOND_NS // 100
    assert machine.told(machine.wall_ns) == 0


def test_a_wall_that_a_time_server_sets_back_is_followed_back():
    machine = Machine()
    machine.wall_ns -= HOUR_NS
    assert machine.told(machine.wall_ns) == pytest.approx(-HOUR_NS, abs=SECOND_NS // 100)


def test_one_mistaken_stamp_moves_nothing():
    machine = Machine()
    assert machine.told(machine.wall_ns + HOUR_NS) == 0
    machine.passes(5 * SECOND_NS)
    assert machine.told(machine.wall_ns) == 0
    machine.passes(5 * SECOND_NS)
    assert machine.told(machine.wall_ns + HOUR_NS) == 0


def test_a_copy_that_stands_still_or_ages_moves_nothing():
    machine = Machine()
    copy_ns = machine.wall_ns - 30 * SECOND_NS
    for _ in range(300):
        assert machine.told(copy_ns) == 0
        machine.passes(5 * SECOND_NS)


def test_a_wrong_wall_is_outvoted_by_two_stamps_ahead_of_us_and_ten_minutes_of_them_behind():
    for off_ns, least_ns in ((20 * SECOND_NS, 0), (-20 * SECOND_NS, STEADY_NS)):
        machine = Machine()
        began_ns = machine.steady_ns
        while machine.told(machine.wall_ns + off_ns) == 0:
            machine.passes(3 * SECOND_NS)
        assert least_ns <= machine.steady_ns - began_ns <= least_ns + 10 * SECOND_NS


def test_replayed_history_is_not_followed():
    fast = WallClock(0, 300.0, wall=lambda: 0, steady=lambda: 0)
    assert follow(fast, HOUR_NS, 0, 1) == 0
