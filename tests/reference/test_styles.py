"""Waiting, slicing, asking what it costs and telling what it cost: sums done by hand, then what must always hold."""

import math
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.reference import allot, gate, pace, resting
from tests.reference.blend import Memory, blends
from tests.reference.evidence import Purse, Record, refuse
from tests.reference.facts import DAY_NS, HOUR_NS, CostsRow, Facts, FillRow, Result, Seat, Terms, VerdictRow, WishRow
from tests.reference.fund import run
from tests.reference.shadow import live, speak
from tests.reference.small_markets import START_NS, calm, funds, roomy, small_fund, still

DOLLARS_50 = 50_000_000
BID = 49_951_171  # floor(50,000,000 x (1 - 2^-10))
ID = START_NS // HOUR_NS
LONG = Seat(name="long", listens={"signal": 1.0}, markets=("M0",), cadence_ns=HOUR_NS)
MAKER = replace(LONG, style="maker", urgency_ns=3 * HOUR_NS)


def test_a_maker_waits_for_a_bar_that_trades_beyond_its_limit_and_then_takes() -> None:
    """732 lots rest at the bid. Bar 1 touches it: nothing. Bar 2 goes one micro-dollar beyond: the 300 lots queued for.

    Fee = ceil(300 x 49,951,171 x 1.5 bp). Bar 3 stays above; at age 3 the 432 still open are taken.
    """
    lows = [[DOLLARS_50], [BID], [BID - 1], [DOLLARS_50], [DOLLARS_50]]
    facts = still([[DOLLARS_50]] * 5, {"signal": [[0.8]] * 4}, low=lows, queued=[[300]] * 4)
    result = run(facts, roomy(MAKER))
    assert result.fills == [
        FillRow(ID + 2, "M0", "long", 300, BID, DOLLARS_50, 2_247_803, "maker"),
        FillRow(ID + 3, "M0", "long", 432, 50_048_829, DOLLARS_50, 9_729_493, "venue"),
    ]
    assert [row[3:8] for row in result.verdicts] == [
        ("approve", "OK", 732, 732, 732),
        ("approve", "OK", 732, 732, 732),
        ("approve", "OK", 432, 432, 432),
        ("approve", "OK", 432, 432, 0),
    ]
    assert result.nav[2].nav_micro == 100_000_000_000 + 300 * (DOLLARS_50 - BID) - 2_247_803


def test_a_seller_waits_above_and_a_bar_without_trading_fills_nothing() -> None:
    facts, terms = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}), roomy(LONG)
    order = resting.place(facts, terms, 0, 0, -7)
    assert order.limit == 50_048_829
    for high, lots in ((50_048_829, 0), (50_048_830, -7), (0, 0)):
        assert resting.filled(replace(facts, high=[[0], [high]]), 1, 0, order) == lots
    buy = resting.place(facts, terms, 0, 0, 7)
    assert [resting.filled(replace(facts, low=[[0], [low]]), 1, 0, buy) for low in (BID, BID - 1, 0)] == [0, 7, 0]


def test_a_twap_goes_in_equal_slices() -> None:
    """732 in four hours, then 1,464 the other way: 183 and 366 an hour. Paper and the shadow agree with the fund."""
    sliced = replace(LONG, style="twap", urgency_ns=4 * HOUR_NS)
    facts = still([[DOLLARS_50]] * 10, {"signal": [[0.8]] * 4 + [[-0.8]] * 5})
    result = run(facts, roomy(sliced))
    assert [(row.cycle - ID, row.lots) for row in result.fills] == [
        *((k, 183) for k in range(4)),
        *((k, -366) for k in range(4, 8)),
    ]
    assert [row.shadow_equity_micro for row in result.books if row.book == "long"] == [100_000_000_000]
    shadow = live(facts, roomy(sliced), sliced, speak(facts, roomy(sliced)))
    assert shadow.equity == [row.nav_micro for row in result.nav[:9]]


def test_a_slice_too_small_for_the_venue_is_raised() -> None:
    """183 lots are 9,150 dollars: where the smallest order is 20,000, the shadow takes 400."""
    sliced = replace(LONG, style="twap", urgency_ns=4 * HOUR_NS)
    facts = still([[DOLLARS_50]] * 5, {"signal": [[0.8]] * 4})
    terms = roomy(sliced, min_notional_micro=[20_000_000_000])
    shadow = live(facts, terms, sliced, speak(facts, terms))
    assert shadow.equity[0] - shadow.equity[1] == 400 * 48_829 + 9_008_790  # slippage and fee
    assert shadow.equity[1:] == shadow.equity[1:2] * 3  # the 332 still open are worth less than that


def test_what_a_stop_compels_does_not_wait() -> None:
    """Bought at the bid; five sigmas below, 44.956 dollars, it is sold at once. A mere change of mind would rest."""
    marks = [[DOLLARS_50], [DOLLARS_50], [44_900_000], [44_900_000]]
    lows = [[DOLLARS_50], [BID - 1], [44_900_000], [44_900_000]]
    facts = still(marks, {"signal": [[0.8]] * 3}, low=lows)
    bought, sold = run(facts, roomy(MAKER)).fills
    assert (bought.cycle, bought.kind, bought.lots) == (ID + 1, "maker", 732)
    assert (sold.cycle, sold.kind, sold.lots) == (ID + 2, "venue", -732)
    lows[2:] = [[DOLLARS_50]] * 2
    changed = still([[DOLLARS_50]] * 4, {"signal": [[0.8], [0.0], [0.0]]}, low=lows)
    result = run(changed, roomy(MAKER))
    assert [row.kind for row in result.fills] == ["maker"]
    assert result.verdicts[-1].resting == -732


def test_a_want_ages_until_its_side_changes() -> None:
    want, seen = pace.Want(), []
    for d, forced in ((0, False), (5, False), (9, False), (1, True), (7, False), (-2, False), (-1, False), (4, True)):
        want.look(d, at_once=forced)
        seen.append((want.age, want.at_once))
    assert seen[1:] == [(0, False), (1, False), (2, True), (3, True), (0, False), (1, False), (0, True)]


@pytest.mark.parametrize(
    ("wishes", "waiting", "made", "makes"),
    [
        ([6, 4], [True, False], 6, [True, False]),
        ([1, 9], [True, False], 0, [False, False]),  # 50 dollars would be refused: it is taken with the rest
        ([9, 1], [True, False], 10, [True, True]),  # the same the other way round
        ([6, 4, -5], [True, False, True], 5, [True, True, True]),  # 3 made leave 2 to take, exactly 100 dollars
        ([1, 9, -5], [True, False, False], 0, [True, False, False]),  # its one lot is crossed
        ([6, -6], [True, True], 0, [False, False]),
    ],
)
def test_one_order_for_each_way_where_both_are_large_enough(
    wishes: list[int], waiting: list[bool], made: int, makes: list[bool]
) -> None:
    facts, terms = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}), roomy(LONG)
    assert pace.ways(facts, terms, 0, 0, wishes, waiting) == (made, makes)


def test_who_waits_shares_the_crossing_and_what_rests_is_what_is_left() -> None:
    """+6 waiting, +4 taking, -5: of the net 5, 3 rest and 2 are taken. Inside, 3 go to the one and 2 to the other."""
    facts, terms, names = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}), roomy(LONG), ["a", "b", "c"]
    wishes, makes = [6, 4, -5], [True, False, False]
    rows = allot.fills(facts, terms, 0, 0, wishes, 2, names, 3, makes)
    assert [(row.book, row.lots, row.kind) for row in rows] == [
        ("c", -5, "cross"),
        ("a", 3, "cross"),
        ("b", 2, "cross"),
        ("b", 2, "venue"),
    ]
    assert allot.open_wants(facts, 0, 0, wishes, names, 3, makes) == [3, 0, 0]


@pytest.mark.parametrize(
    ("made", "verdict", "code", "allowed", "rests"),
    [
        (1464, "shrink", "RESTING", -732, -732),  # the close waits: nothing may be opened beyond it
        (500, "approve", "OK", -1464, -500),  # the close is taken; of the opening, 232 are taken and 500 wait
        (0, "approve", "OK", -1464, 0),
    ],
)
def test_through_zero(made: int, verdict: str, code: str, allowed: int, rests: int) -> None:
    facts, terms = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}), roomy(LONG)
    order = gate.Order(held=732, wanted=-1464, d=-1464, made=made)
    (row,) = gate.judge(facts, terms, 0, [order], 10**11, calm(terms))
    assert row == VerdictRow(ID, "M0", "NET", verdict, code, -1464, allowed, rests)
    assert order.q_taken == {1464: 0, 500: 232, 0: 732}[made]


@pytest.mark.parametrize(("made", "allowed"), [(0, 60_000), (60_000, 39_586)])
def test_a_reduction_that_rests_gives_no_room(made: int, allowed: int) -> None:
    """60,000 of 100,000 dollars leave M0 and 60,000 want into M1. While the first may still be there, the room is
    40,000 less what the fee and the collar may take: 60,000 + q <= 100,000 - 0.01045 q, so q = 40,000 / 1.01045.
    """
    facts, terms = still([[1_000_000] * 2] * 2, {"signal": [[0.8] * 2]}), roomy(LONG)
    orders = [gate.Order(held=60_000, wanted=-60_000, d=-60_000, made=made), gate.Order(wanted=60_000, d=60_000)]
    rows = gate.judge(facts, terms, 0, orders, 100_000_000_000, calm(terms))
    assert rows[1].allowed == allowed
    assert rows[1].code == ("GROSS" if made else "OK")


COST = 2 * (2.0**-10 + 4.5e-4)  # 28.53 bp to and fro


@pytest.mark.parametrize(
    ("prior", "factor", "carry", "passed", "refused"),
    [
        (0.3, 1.0, 0.0, False, None),  # 0.3 x 0.8 x 2 % = 48 bp over a day, against 28.53
        (0.1, 1.0, 0.0, False, ("COST_GATE", 16.0, COST * 1e4)),
        (0.3, 2.0, 0.0, False, ("COST_GATE", 48.0, COST * 2e4)),
        (0.3, 2.0, 0.0, True, None),  # once open it shuts only below cost
        (0.3, 1.0, 1e-4, True, ("COST_GATE", 48.0, COST * 1e4 + 24.0)),  # a long pays a basis point an hour
        (0.15, 1.0, math.nan, True, ("COST_GATE", 24.0, COST * 1e4 + 3.0)),  # unknown: one for every eight hours
        (0.0, 3.0, -1e-3, False, None),  # funding pays for it all: three times as much is not asked
        (0.0, 0.0, 0.0, False, None),  # who does not ask is not refused
    ],
)
def test_the_cost_gate(
    prior: float, factor: float, carry: float, passed: bool, refused: tuple[str, float, float] | None
) -> None:
    facts, seat = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}, carry=[[carry]]), replace(LONG, cost_factor=factor)
    purse = Purse(passed=passed)
    answer = refuse(facts, roomy(seat), seat, 0, 0, lots=0, target=732, blend=0.8, slope=prior, purse=purse)
    assert (answer is None) == (refused is None)
    if answer is not None and refused is not None:
        assert answer[0] == refused[0]
        assert answer[1:] == pytest.approx(refused[1:])
        assert not purse.passed


def test_a_note_is_left_once_and_again_after_a_turn() -> None:
    """Worthless forecasts of both signs, and an hour of silence: a note at each turn, and nothing is bought."""
    careful = replace(LONG, cost_factor=1.0)
    facts = still([[DOLLARS_50]] * 8, {"signal": [[0.8]] * 3 + [[-0.8]] * 2 + [[0.0], [-0.8]]})
    result = run(facts, roomy(careful))
    assert result.verdicts == [
        VerdictRow(ID, "M0", "long", "veto", "COST_GATE", 732, 0),
        VerdictRow(ID + 3, "M0", "long", "veto", "COST_GATE", -732, 0),
        VerdictRow(ID + 6, "M0", "long", "veto", "COST_GATE", -732, 0),
    ]
    assert result.fills == []


def test_a_budget_that_binds() -> None:
    """In and out, 1,464 lots of 50 dollars at 14.27 bp: 104.42 dollars. A month's budget is 30 / 365 of a year's.

    1.28 % of 100,000 is enough for it; then 52.23 dollars are spent, and 1.30 % is not enough to go short as well: back
    to flat it may.
    """
    for budget, lots in ((0.0127, []), (0.0128, [732])):
        facts, seat = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}), replace(LONG, cost_budget=budget)
        assert [row.lots for row in run(facts, roomy(seat)).fills] == lots
    facts, seat = still([[DOLLARS_50]] * 3, {"signal": [[0.8], [-0.8]]}), replace(LONG, cost_budget=0.0130)
    result = run(facts, roomy(seat))
    assert [row.lots for row in result.fills] == [732, -732]
    assert result.verdicts[1] == VerdictRow(ID + 1, "M0", "long", "veto", "COST_BUDGET", -732, 0)
    shadow = live(facts, roomy(seat), seat, speak(facts, roomy(seat)))
    (note,) = shadow.notes[1]
    spent = 52_228_913 / 1e6
    assert (note.measured, note.bound) == pytest.approx((spent + 2196 * 50 * COST / 2, 1300 * (30 + 1 / 24) / 365))


def test_two_opposite_voices_are_enlarged_but_only_so_far() -> None:
    """After one day rho = (30 - 1) / 31 and q = 30 / 31; when the shrinkage is used up rho = 0, and the multiplier
    sqrt 2. Weights and voices both turned: the same.
    """
    days = 60
    facts = still([[1]] * (days + 1), {"signal": [[0.0]] * days}, time=[START_NS + k * DAY_NS for k in range(days + 1)])
    facts = replace(facts, interval_ns=DAY_NS)
    voices = {"a": [[0.9]] * days, "b": [[0.5]] * days}
    for most, last in ((3.0, math.sqrt(2.0)), (1.2, 1.2), (1.0, 1.0)):
        seat, memory = replace(LONG, listens={"a": 1.0, "b": -1.0}, max_diversification=most), Memory()
        said = [blends(facts, seat, voices, memory, k)[0] for k in range(days)]
        assert said[0] == pytest.approx(0.2 * min(most, math.sqrt(31 / 30)))
        assert said[-1] == pytest.approx(0.2 * last)
        same, memory = replace(seat, listens={"a": 1.0, "b": 1.0}), Memory()
        assert blends(facts, same, voices, memory, 0)[0] == pytest.approx(0.7)
    loud = {"a": [[1.0]] * days, "b": [[1.0 if k % 2 else -1.0] for k in range(days)]}
    seat, memory = replace(LONG, listens={"a": 1.0, "b": 1.0}, max_diversification=3.0), Memory()
    assert max(blends(facts, seat, loud, memory, k)[0] for k in range(days)) == 1.0


def test_a_forecast_is_judged_a_sample_late_and_forgotten_after_a_year() -> None:
    """Conviction 0.5, then two percent at two percent a day: f y = 0.5 and f f = 0.25; 200 such f f are the prior's."""
    days = 370
    prices = [[100]] + [[102]] * days
    facts = still(prices, {"signal": [[0.0]] * days}, time=[START_NS + k * DAY_NS for k in range(days + 1)])
    facts, terms = replace(facts, interval_ns=DAY_NS), roomy(LONG)
    seat, record, slopes, sums = replace(LONG, prior=0.1), Record(), [], []
    for k in range(days):
        record.hear(facts, seat, {0: 0.5}, k)
        slopes.append(record.slope(terms, seat))
        sums.append(record.total)
    assert slopes[:2] == [0.1, 0.1]
    assert slopes[2] == pytest.approx((0.5 + 50 * 0.1) / (0.25 + 50))
    assert (sums[365].fy, sums[366].fy) == pytest.approx((0.5, 0.0))
    assert (sums[365].n, sums[366].n, sums[369].n) == (364, 364, 364)


def test_the_costs_of_one_purchase() -> None:
    """Decided at 50, open at 50.5, price ceil(50.5 x (1 + 2^-10)) = 50.549317, and 52 at the end: 32 lots missed it."""
    facts = still([[DOLLARS_50], [52_000_000]], {"signal": [[0.8]]}, reference=[[50_500_000]], liquidity=[[700]])
    result = run(facts, roomy(LONG))
    assert result.wishes == [WishRow(ID, "M0", "long", 732, DOLLARS_50)]
    fee = -(-700 * 50_549_317 * 45_000 // 10**8)
    half_spread = math.trunc(700 * 50_500_000 / 1024)
    assert result.costs == [
        CostsRow(
            ID + 1, "M0", "long", 700 * 500_000, half_spread, 700 * 49_317 - half_spread, fee, 32 * 2_000_000, 0, 0
        )
    ]


def test_crossing_says_what_it_saved() -> None:
    """183 lots of 50 dollars, each side, would have paid half a spread and the fee: 13.05 dollars."""
    short = replace(LONG, name="short", listens={"signal": -1.0}, volatility_target=0.1)
    costs = {row.book: row for row in run(still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}), roomy(LONG, short)).costs}
    saved = round(183 * DOLLARS_50 * (2.0**-10 + 45_000 / 1e8))
    assert (costs["long"].saved, costs["short"].saved) == (saved, saved)
    assert costs["short"][3:-1] == (0, 0, 0, 0, 0, 0)


@given(world=funds())
@settings(max_examples=60)
def test_costs_are_what_paper_earned_more_than_the_book(world: tuple[Facts, Terms]) -> None:
    """Paper holds each wish from its mark to the mark of the next; the book paid what its fills say.

    Per book and market, to the micro-dollar; and what the costs call funding is what the funding rows say.
    """
    facts, terms = world
    result = run(facts, terms)
    told: dict[tuple[str, str], int] = defaultdict(int)
    funding: dict[str, int] = defaultdict(int)
    for row in result.costs:
        told[row.book, row.market] += row.delay + row.half_spread + row.impact + row.fee + row.opportunity
        funding[row.book] -= row.funding
    assert {key: n for key, n in told.items() if n} == {
        key: n for key, n in _shortfall_by_hand(facts, result).items() if n
    }
    paid: dict[str, int] = defaultdict(int)
    for settled in result.funding:
        paid[settled.book] += settled.cash_micro
    assert {b: n for b, n in paid.items() if n} == {b: n for b, n in funding.items() if n}


def _shortfall_by_hand(facts: Facts, result: Result) -> dict[tuple[str, str], int]:
    row_of = {facts.id(k): k for k in range(facts.cycles + 1)}
    last = facts.mark[row_of[result.nav[-1].cycle]]
    ends = dict(zip(facts.names, last, strict=True))
    more: dict[tuple[str, str], int] = defaultdict(int)
    wish: dict[tuple[str, str], tuple[int, int]] = {}
    for row in result.wishes:
        lots, mark = wish.get((row.book, row.market), (0, 0))
        more[row.book, row.market] += lots * (row.mark_micro - mark)
        wish[row.book, row.market] = (row.lots, row.mark_micro)
    for (book, market), (lots, mark) in wish.items():
        more[book, market] += lots * (ends[market] - mark)
    for fill in result.fills:
        more[fill.book, fill.market] -= fill.lots * (ends[fill.market] - fill.price_micro) - fill.fee_micro
    return more


@given(world=funds())
@settings(max_examples=60)
def test_what_rests_fills_as_its_bar_says_and_never_more(world: tuple[Facts, Terms]) -> None:
    """From the rows alone: every verdict's resting lots against the next bar's range."""
    facts, terms = world
    result = run(facts, terms)
    made: dict[tuple[int, str], int] = defaultdict(int)
    for fill in result.fills:
        made[fill.cycle, fill.market] += fill.lots * (fill.kind == "maker")
    expected: dict[tuple[int, str], int] = defaultdict(int)
    for row in (row for row in result.verdicts if row.resting):
        k, m = row.cycle - facts.id(0), facts.names.index(row.market)
        order = resting.place(facts, terms, k, m, row.resting)
        expected[row.cycle + 1, row.market] = resting.filled(facts, k + 1, m, order)
        assert abs(row.resting) <= abs(row.allowed)
    assert {key: n for key, n in made.items() if n} == {key: n for key, n in expected.items() if n}


def test_every_new_branch_occurs_in_the_random_funds() -> None:
    """Else the comparisons with the compiled loop would be blind to it."""
    seen: set[str] = set()
    for seed in range(40):
        result = run(*small_fund(seed, markets=3, books=3, interval_ns=HOUR_NS, cycles=100))
        seen |= {row.code for row in result.verdicts} | {row.kind for row in result.fills}
        seen |= {"both ways" for row in result.verdicts if row.resting not in (0, row.allowed)}
        seen |= {f"{row.code} {row.verdict}" for row in result.verdicts if row.book != "NET"}
        for name in ("delay", "half_spread", "impact", "fee", "opportunity", "funding", "saved"):
            seen |= {name for row in result.costs if getattr(row, name)}
    wanted = {"maker", "venue", "cross", "settlement", "RESTING", "both ways", "COST_GATE veto", "COST_GATE shrink"}
    wanted |= {"COST_BUDGET veto", "COST_BUDGET shrink", "delay", "half_spread", "impact", "fee", "opportunity"}
    assert wanted | {"funding", "saved"} <= seen
