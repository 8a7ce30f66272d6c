"""The risk office and what its limits do at the gate: sums done by hand."""

from dataclasses import replace
from typing import Any

import pytest

from tests.reference import gate, ladder
from tests.reference.facts import DAY_NS, HOUR_NS, TAIL, Agent, Ladder, Result, Seat, Terms, VerdictRow
from tests.reference.fund import found, run
from tests.reference.ladder import Rung, families_of, unit_of
from tests.reference.limits import Limits, Said
from tests.reference.office import AgentFailed
from tests.reference.small_markets import START_NS, calm, roomy, still

DOLLAR = 1_000_000
NAV = 100_000_000_000
ID = START_NS // HOUR_NS
LONG = Seat(name="long", listens={"signal": 1.0}, markets=("M0",), cadence_ns=HOUR_NS)


def test_one_ladder_down_and_back() -> None:
    """Unit 0.2. Out at a fall of a quarter; a day later as rich as then: half for three days; whole below 0.5 units."""
    rule, rung = Ladder(cool_off_days=1, half_days=3), Rung(peak=1000)
    looks = [
        (0, 860, 1.0, ""),  # 0.7 units
        (1, 850, 0.5, "half"),  # 0.75
        (2, 899, 0.5, ""),  # 0.505: not yet
        (3, 750, 0.0, "out"),  # 1.25
        (26, 800, 0.0, ""),  # rich enough, but a day is not over
        (27, 749, 0.0, ""),  # a day is over, but poorer than when it went
        (28, 750, 0.5, "again"),  # its drawdown is counted anew from here
        (99, 750, 0.5, ""),  # three days are not over
        (100, 674, 0.5, ""),  # 0.507
        (101, 676, 1.0, "back"),  # 0.493
    ]
    for hour, equity, throttle, event in looks:
        assert rung.climb(rule, hour * HOUR_NS, equity, 0.2)[1] == event, hour
        assert rung.throttle == throttle, hour


def paced(wanted: list[float], steps: list[float], now: list[float], **rule: Any) -> list[float]:
    """Three books of 10,000, 20,000 and 30,000 dollars in a fund of 100,000."""
    facts = still([[DOLLAR]] * 2, {"signal": [[0.0]]})
    seats = [replace(LONG, name=name) for name in ("a", "b", "c")]
    fund = found(facts, roomy(*seats, ladder=Ladder(**rule)))
    fund.limits = replace(fund.limits, throttle=now)
    for book, lots in zip(fund.books, (10_000, 20_000, 30_000), strict=True):
        book.lots[0] = lots
    return ladder.pace(fund, 0, NAV, wanted, steps)


@pytest.mark.parametrize(
    ("wanted", "steps", "now", "rule", "throttle"),
    [
        ([0.5, 0.5, 0.5], [0.8, 0.9, 1.0], [1.0, 1.0, 1.0], {}, [1.0, 0.5, 0.5]),  # 0.15 + 0.1; 0.05 more is too much
        ([0.5, 0.5, 0.5], [0.8, 0.9, 1.0], [1.0, 1.0, 1.0], {"most_gross": 0.31}, [0.5, 0.5, 0.5]),
        (
            [0.5, 0.5, 0.5],
            [1.0, 1.0, 1.0],
            [1.0, 1.0, 1.0],
            {"most_books": 2},
            [0.5, 0.5, 1.0],
        ),  # the first in the file
        ([0.5, 0.0, 0.0], [0.8, 1.4, 1.5], [1.0, 1.0, 1.0], {}, [1.0, 1.0, 0.0]),  # one always moves: 0.3
        ([1.0, 0.5, 0.0], [0.1, 0.8, 1.3], [0.5, 0.5, 0.5], {"most_books": 1}, [1.0, 0.5, 0.0]),  # up at once
        (
            [0.5, 0.5, 0.0],
            [0.8, 0.8, 1.3],
            [1.0, 1.0, 0.5],
            {"most_gross": 0.34},
            [1.0, 1.0, 0.0],
        ),  # c: 0.3 of what is left
    ],
)
def test_down_in_paces(
    wanted: list[float], steps: list[float], now: list[float], rule: dict[str, Any], throttle: list[float]
) -> None:
    assert paced(wanted, steps, now, **rule) == throttle


def test_a_book_is_of_the_family_it_gives_most_weight_to() -> None:
    family = {"s": "trend", "t": "trend", "u": "carry", "v": "basis"}
    listens = [{"s": 0.5, "t": -0.6, "u": 1.0}, {"s": 1.0, "u": 1.0}, {"u": 1.0, "v": -1.0}, {"w": 1.0, "s": 0.5}]
    terms = roomy(*(replace(LONG, name=f"{n}", listens=heard) for n, heard in enumerate(listens)), family=family)
    assert families_of(terms) == ["trend", "carry", "basis", "w"]


@pytest.mark.parametrize(
    ("days", "swing", "unit"), [(59, 0.02, 0.25), (60, 0.02, 0.19105), (60, 0.03, 0.25), (60, 0.01, 0.17678)]
)
def test_a_family_is_measured_after_sixty_days(days: int, swing: float, unit: float) -> None:
    """Two books of 20 % and 30 %; one earns +swing and -swing by turns, the other nothing: sqrt(365) x swing / 2 a
    year, at least 0.25 / sqrt 2, at most 0.25.
    """
    time = [START_NS + k * DAY_NS for k in range(days + 2)]
    facts = still([[DOLLAR]] * len(time), {"signal": [[0.0]] * (len(time) - 1)}, time=time)
    fund = found(facts, roomy(LONG, replace(LONG, name="too", volatility_target=0.3)))
    equity = [NAV]
    for day in range(days):
        equity.append(equity[-1] + round(NAV * swing * (-1) ** day))
    fund.books[0].shadow.equity, fund.books[1].shadow.equity = equity, [NAV] * (days + 1)
    assert unit_of(fund, days, "signal", ["signal", "signal"]) == pytest.approx(unit, abs=1e-5)


def order(lots: int, held: int = 0, **more: Any) -> gate.Order:
    return gate.Order(held=held, wanted=lots, d=lots, **more)


def judged(orders: list[gate.Order], limits: Limits, **facts: Any) -> list[VerdictRow]:
    """Markets at one dollar a lot in a fund of 100,000 dollars."""
    n = len(orders)
    world = still([[DOLLAR] * n] * 2, {"signal": [[0.8] * n]}, **facts)
    return gate.judge(world, roomy(LONG), 0, orders, NAV, limits)


CALM = replace(calm(roomy(LONG)), max_gross=9.0)


def test_a_full_cluster_blocks_nobody_else() -> None:
    """M0 and M1 may be 10,000 long together: 4,000 are held, so 6,000 less costs are left for 9,000.

    low = 100,000 - 0.01045 x (6,000 + 3,000 + 5,000 + 1,000) = 99,843.25; 0.1 of it less 4,000 is 5,984.325.
    """
    limits = replace(CALM, clusters=[((0, 1), 0.1)])
    rows = judged([order(6_000), order(3_000, held=4_000), order(5_000), order(-1_000)], limits)
    part = 5_984.325 / 9_000
    assert [row.allowed for row in rows] == [int(6_000 * part), int(3_000 * part), 5_000, -1_000]
    assert [row.code for row in rows] == ["CLUSTER", "CLUSTER", "OK", "OK"]


def test_what_is_sold_gives_a_cluster_no_room() -> None:
    """A buy and a sell of one cluster may fill alone; what rests and reduces may not fill."""
    limits = replace(CALM, clusters=[((0, 1), 0.05)])
    rows = judged([order(6_000), order(-6_000)], limits)
    assert [row.code for row in rows] == ["CLUSTER", "CLUSTER"]
    assert rows[0].allowed == -rows[1].allowed == int(0.05 * (100_000 - 0.01045 * 12_000))
    leaving = [order(-5_000, held=5_000, made=5_000), order(6_000)]
    assert [row.allowed for row in judged(leaving, limits)] == [-5_000, 0]
    gone = [order(-5_000, held=5_000), order(6_000)]
    assert judged(gone, limits)[1].allowed == int(0.05 * (100_000 - 0.01045 * 6_000))


def test_the_whole_fund_is_a_cluster() -> None:
    rows = judged([order(6_000), order(6_000)], replace(CALM, max_net=0.05))
    assert [row.code for row in rows] == ["NET", "NET"]
    assert sum(row.allowed for row in rows) <= 5_000


def test_an_order_has_a_size() -> None:
    """0.05 x (100,000 - 0.01045 x 6,000) = 4,996.865; a reduction has none."""
    (row,) = judged([order(6_000)], replace(CALM, max_order=0.05))
    assert (row.allowed, row.code) == (4_996, "ORDER_SIZE")
    assert judged([order(-6_000, held=6_000)], replace(CALM, max_order=0.05))[0].code == "OK"


@pytest.mark.parametrize(
    ("bars", "interval_ns", "code"),
    [(11, HOUR_NS, "OK"), (12, HOUR_NS, "FROZEN_PRICE"), (12, HOUR_NS // 4, "OK"), (24, HOUR_NS // 4, "FROZEN_PRICE")],
)
def test_nothing_is_added_on_a_frozen_price(bars: int, interval_ns: int, code: str) -> None:
    assert judged([order(6_000)], CALM, frozen=[[bars]], interval_ns=interval_ns)[0].code == code
    assert judged([order(-6_000, held=6_000)], CALM, frozen=[[bars]], interval_ns=interval_ns)[0].code == "OK"


def test_a_fat_tail_leaves_less_room() -> None:
    """max_var 0.01, daily volatility 2 %: q <= 0.01 low(q) / (tail x 0.02)."""
    for tail in (TAIL, 4.0):
        (row,) = judged([order(90_000)], replace(CALM, max_var=0.01, tail=tail))
        assert row.code == "VAR"
        assert row.allowed == pytest.approx(0.01 * (NAV / 1e6 - 0.01045 * row.allowed) / (tail * 0.02), rel=1e-3)


def governed(say: Any, hours: int = 6, cadence_ns: int = 2 * HOUR_NS, **terms: Any) -> Result:
    """A fund that buys 732 lots as soon as it may and wants no more, and one agent that speaks by the hour."""

    def says(at_ns: int) -> Said:
        said: Said = say((at_ns - START_NS) // HOUR_NS)
        return said

    facts = still([[50 * DOLLAR]] * (hours + 1), {"signal": [[0.8]] * hours})
    chosen: Terms = roomy(LONG, agents=[Agent(name="agent", cadence_ns=cadence_ns, says=says)], **terms)
    return run(facts, chosen)


def test_what_was_said_stands_until_the_agent_is_due() -> None:
    """Half from the second hour on, as said at the second; what it would have said at the first, nobody asked."""
    result = governed(lambda hour: Said(throttle=[(1.0, 0.0, 0.5, 0.0, 1.0, 1.0)[hour]]))
    assert [(row.cycle - ID, row.lots) for row in result.fills] == [(0, 732), (2, -366), (4, 366)]
    assert [row.limits for row in result.verdicts] == [1, 2, 3]


def test_who_fails_stops_increases_and_is_asked_at_every_look() -> None:
    """It fails at hour 2 and speaks at hour 3, when the ladder looks. Nothing is loosened meanwhile."""

    def say(hour: int) -> Said:
        if hour == 2:
            raise AgentFailed
        return Said(throttle=[0.5 if hour == 0 else 1.0])

    result = governed(say)
    assert [(row.cycle - ID, row.lots) for row in result.fills] == [(0, 366), (3, 366)]
    assert result.met["agent failed"] == 1


def test_a_state_stays_until_a_person_lowers_it() -> None:
    """Asked for at the first hour and never again. The person comes three hours later, and everybody is asked anew."""
    never = governed(lambda hour: Said(state="REDUCE_ONLY" if hour == 0 else None))
    after = governed(lambda hour: Said(state="REDUCE_ONLY" if hour == 0 else None), operator=3 * HOUR_NS)
    assert never.fills == []
    assert [row.cycle - ID for row in after.fills] == [3]
