"""The reference itself: sums done by hand, then what must hold in every market."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.reference import allot, gate, venue
from tests.reference.facts import (
    ASSUMED,
    HOUR_NS,
    TAIL,
    BookRow,
    Facts,
    FillRow,
    FundingEvent,
    FundingRow,
    Ladder,
    Result,
    Seat,
    Terms,
    TransferRow,
    VerdictRow,
)
from tests.reference.fund import found, pay_funding, run, weights_of
from tests.reference.limits import of_file
from tests.reference.shadow import live, speak
from tests.reference.small_markets import START_NS, calm, funds, roomy, still

DOLLARS_50 = 50_000_000
ID = START_NS // HOUR_NS
LONG = Seat(name="long", listens={"signal": 1.0}, markets=("M0",), cadence_ns=HOUR_NS)


def test_one_book_in_one_market() -> None:
    """unit = 0.2 / (0.02 sqrt 365) x 100,000 / 50 = 1046.85 lots; 0.8 of it less the band of a tenth = 732.79.

    Price = ceil(50,000,000 x (1 + 2^-10)); fee = ceil(732 x 50,048,829 x 4.5 bp).
    """
    result = run(still([[DOLLARS_50], [51_000_000]], {"signal": [[0.8]]}), roomy(LONG))
    assert result.transfers == [
        TransferRow(ID - 1, "house", 100_000_000_000),
        TransferRow(ID - 1, "long", 100_000_000_000),
        TransferRow(ID - 1, "house", -100_000_000_000),
    ]
    assert result.verdicts == [VerdictRow(ID, "M0", "NET", "approve", "OK", 732, 732)]
    assert result.fills == [FillRow(ID, "M0", "long", 732, 50_048_829, DOLLARS_50, 16_486_085, "venue")]
    assert result.books[0] == BookRow(ID, "long", 100_000_000_000, 100_000_000_000, 1.0, 100_000_000_000)
    assert result.cash == {"long": 63_347_771_087, "house": 0}
    assert [row.nav_micro for row in result.nav] == [100_000_000_000, 63_347_771_087 + 732 * 51_000_000]


def test_two_books_cross_at_the_reference_and_only_the_rest_pays() -> None:
    """Half of the capital each: +366 against -183. 183 change hands inside, 183 come from the venue."""
    short = replace(LONG, name="short", listens={"signal": -1.0}, volatility_target=0.1)
    result = run(still([[DOLLARS_50], [DOLLARS_50]], {"signal": [[0.8]]}), roomy(LONG, short))
    assert result.fills == [
        FillRow(ID, "M0", "short", -183, DOLLARS_50, DOLLARS_50, 0, "cross"),
        FillRow(ID, "M0", "long", 183, DOLLARS_50, DOLLARS_50, 0, "cross"),
        FillRow(ID, "M0", "long", 183, 50_048_829, DOLLARS_50, 4_121_522, "venue"),
    ]
    assert result.verdicts == [VerdictRow(ID, "M0", "NET", "approve", "OK", 183, 183)]


def test_crossing_needs_a_market_that_trades() -> None:
    short = replace(LONG, name="short", listens={"signal": -1.0})
    result = run(still([[DOLLARS_50], [DOLLARS_50]], {"signal": [[0.8]]}, reference=[[0]]), roomy(LONG, short))
    assert (result.fills, result.verdicts) == ([], [])


def test_the_shadow_stops_and_stays_out_until_the_blend_turns() -> None:
    """Bought at 50.05 dollars; 45 is 10.09 % below, five sigmas are 10 %. Out at once, though the cadence is a day."""
    marks = [[DOLLARS_50], [45_500_000], [45_000_000], *[[45_000_000]] * 47]
    said = [[0.8]] * 25 + [[-0.8]] * 24
    daily = replace(LONG, cadence_ns=24 * HOUR_NS)
    facts = still(marks, {"signal": said})
    shadow = live(facts, roomy(daily), daily, speak(facts, roomy(daily)))
    assert [shadow.target[k][0] for k in (0, 1, 2, 3, 24, 47)] == [732, 732, 0, 0, 0, 0]
    assert [k for k, told in enumerate(shadow.urgent) if told] == [2]
    assert shadow.target[48][0] < 0
    bought, sold, turned = run(facts, roomy(daily)).fills
    assert (bought.cycle, bought.lots, sold.cycle, sold.lots) == (ID, 732, ID + 2, -732)
    assert (turned.cycle, turned.lots < 0) == (ID + 48, True)


def test_a_flip_through_zero_is_one_fill_and_a_new_entry() -> None:
    """From +732 to -732: the wish is -1464, judged as a close and an opening, filled at one price."""
    facts = still([[DOLLARS_50]] * 3, {"signal": [[0.8], [-0.8]]})
    result = run(facts, roomy(LONG))
    assert result.verdicts[1] == VerdictRow(ID + 1, "M0", "NET", "approve", "OK", -1464, -1464)
    assert result.fills[1][:5] == (ID + 1, "M0", "long", -1464, math.floor(DOLLARS_50 * (1 - 2.0**-10)))


@pytest.mark.parametrize(
    ("liquidity", "max_var", "verdict", "code", "allowed", "filled"),
    [
        (
            732,
            1.0,
            "approve",
            "OK",
            -1464,
            -732,
        ),  # the close takes all there is; the opening is allowed, and finds none
        (700, 1.0, "shrink", "LIQUIDITY", -732, -700),  # not even flat: nothing may be opened beyond
        (2000, 1e-9, "shrink", "VAR", -732, -732),  # no room for risk: the close passes alone
    ],
)
def test_a_flip_reduces_first(
    liquidity: int, max_var: float, verdict: str, code: str, allowed: int, filled: int
) -> None:
    facts = still([[DOLLARS_50]] * 3, {"signal": [[0.8], [-0.8]]}, liquidity=[[10_000], [liquidity]])
    terms = roomy(LONG)
    fund = found(facts, terms)
    order = gate.Order(held=732, wanted=-1464, d=-1464)
    (row,) = gate.judge(facts, terms, 1, [order], fund.nav(1), calm(replace(terms, max_var=max_var)))
    assert (row.verdict, row.code, row.allowed) == (verdict, code, allowed)
    rest = min(abs(order.q), liquidity - abs(order.filled))
    (fill,) = allot.fills(facts, terms, 1, 0, [-1464], order.filled - rest, ["long"])
    assert fill.lots == filled


def test_reduce_only_closes_and_opens_nothing() -> None:
    facts, terms = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}), roomy(LONG)
    for held, d, allowed, verdict in ((732, -1464, -732, "shrink"), (0, 732, 0, "veto"), (732, -100, -100, "approve")):
        (row,) = gate.judge(
            facts, terms, 0, [gate.Order(held=held, wanted=d, d=d)], 10**11, replace(calm(terms), state="REDUCE_ONLY")
        )
        assert (row.allowed, row.verdict) == (allowed, verdict)
        assert row.code == ("OK" if verdict == "approve" else "REDUCE_ONLY")


def test_the_smallest_orders() -> None:
    """An order of exactly 100 dollars is too small. The venue's own minimum spares only a full close."""
    facts, terms = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}), roomy(LONG, min_notional_micro=[60_000_000])
    for held, d, code in (
        (0, 2, "MIN_ORDER"),
        (0, 3, "OK"),
        (5, -1, "VENUE_MIN"),
        (1, -1, "OK"),
        (5, -2, "OK"),
        (1, -3, "OK"),
        (1, -2, "MIN_ORDER"),
    ):
        (row,) = gate.judge(facts, terms, 0, [gate.Order(held=held, wanted=d, d=d)], 10**11, calm(terms))
        assert row.code == code, (held, d)


def test_the_market_cap_scales_the_majority_and_tolerates_a_passive_breach() -> None:
    """Cap = floor(0.05 x 1000 / 1) = 50 lots. +90 +30 against -20: net 100, so the buyers get 70 / 120 of theirs."""
    facts, terms = still([[1]] * 2, {"signal": [[0.8]]}), roomy(LONG, max_weight=0.05)
    capped, code = gate.cap_market(facts, calm(terms), 0, 0, [90, 30, -20], 0, 1_000)
    assert (capped, code) == ([math.trunc(90 * (70 / 120)), math.trunc(30 * (70 / 120)), -20], "POSITION_CAP")
    assert gate.cap_market(facts, calm(terms), 0, 0, [62], 62, 1_000) == (
        [62],
        "OK",
    )  # 62 <= 1.25 x 50: held, not cured
    assert gate.cap_market(facts, calm(terms), 0, 0, [90], 62, 1_000) == ([62], "POSITION_CAP")
    assert gate.cap_market(facts, calm(terms), 0, 0, [90], 63, 1_000) == ([50], "CURE")
    young = still([[1]] * 2, {"signal": [[0.8]]}, history_ns=[[60 * 24 * HOUR_NS]])
    assert gate.cap_market(young, calm(terms), 0, 0, [90], 0, 1_000) == ([25], "POSITION_CAP")


def test_one_market_fills_its_gross_limit_and_keeps_room_for_costs() -> None:
    """max_gross 0.1, rho = 0.01045: (b + f q) v <= 0.1 (NAV - rho f q v) gives f q = 10,000 / 1.001045 dollars."""
    facts, terms = still([[1_000_000]] * 2, {"signal": [[0.8]]}), roomy(LONG, max_gross=0.1)
    (row,) = gate.judge(facts, terms, 0, [gate.Order(wanted=20_000, d=20_000)], 100_000_000_000, calm(terms))
    assert (row.verdict, row.code, row.allowed) == ("shrink", "GROSS", 9_989)


def test_var_is_judged_on_the_worst_outcome() -> None:
    """Two opposite legs of a perfect hedge: VaR is nil if both fill, but either may fill alone."""
    facts = still([[1_000_000] * 2] * 2, {"signal": [[0.8] * 2]}, covariance=lambda _: [[4e-4, 4e-4], [4e-4, 4e-4]])
    terms = roomy(LONG, max_var=0.01)
    orders = [gate.Order(wanted=90_000, d=90_000), gate.Order(wanted=-90_000, d=-90_000)]
    rows = gate.judge(facts, terms, 0, orders, 200_000_000_000, calm(terms))
    one_alone = TAIL * 0.02 * rows[0].allowed
    assert {row.code for row in rows} == {"VAR"}
    assert rows[0].allowed == -rows[1].allowed
    assert 0.5 * 0.01 * 200_000 < one_alone <= 0.01 * 200_000


def test_closing_one_side_of_a_hedge_passes_by_its_name() -> None:
    facts = still([[1_000_000] * 2] * 2, {"signal": [[0.8] * 2]}, covariance=lambda _: [[4e-4, 4e-4], [4e-4, 4e-4]])
    terms = roomy(LONG, max_var=0.01)
    orders = [gate.Order(held=90_000, wanted=-90_000, d=-90_000), gate.Order(held=-90_000)]
    (row,) = gate.judge(facts, terms, 0, orders, 200_000_000_000, calm(terms))
    assert row == VerdictRow(ID, "M0", "NET", "approve", "REDUCES_COIN_RAISES_VAR", -90_000, -90_000)


def test_largest_remainder() -> None:
    """5 over 3, 3, 1: quotas 2 1/7, 2 1/7, 5/7."""
    assert allot.largest_remainder(5, [3, 3, 1], [9, 8, 7]) == [2, 2, 1]
    assert allot.largest_remainder(1, [4, 4], [1, 2]) == [0, 1]
    assert allot.largest_remainder(1, [4, 4], [2, 1]) == [1, 0]
    assert allot.largest_remainder(0, [0, 0], [2, 1]) == [0, 0]


def test_hashes_match_published_values() -> None:
    """FNV-1a: draft-eastlake-fnv. SplitMix64: the first output from seed 0, whose state is then the golden gamma."""
    assert (allot.fnv1a64("a"), allot.fnv1a64("foobar")) == (0xAF63DC4C8601EC8C, 0x85944171F73967E8)
    assert allot.mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


def test_funding_rounds_to_the_house() -> None:
    """One lot each at half a micro-dollar a lot: each book rounds to nothing, the account owes one, the house pays."""
    at = START_NS + HOUR_NS
    facts = still([[2**20]] * 2, {"signal": [[0.8]]}, funding=[(at - 1, 0, 2.0**-21, 1)])
    fund = found(facts, roomy(LONG, replace(LONG, name="too")))
    for book in fund.books:
        book.lots[0] = 1
    pay_funding(fund, 1, inside=True)
    assert fund.result.funding == [
        FundingRow(ID + 1, at - 1, "M0", "long", 1, 0),
        FundingRow(ID + 1, at - 1, "M0", "too", 1, 0),
        FundingRow(ID + 1, at - 1, "M0", "house", 0, -1),
    ]


def test_an_assumed_rate_is_paid_by_both_sides() -> None:
    real, assumed = FundingEvent(0, 0, 0.01, 1), FundingEvent(0, 0, 0.01, ASSUMED)
    assert [venue.funding_paid(real, lots, 100) for lots in (3, -3)] == [3, -3]
    assert [venue.funding_paid(assumed, lots, 100) for lots in (3, -3)] == [3, 3]


def test_funding_of_the_last_moment_is_not_charged() -> None:
    last = START_NS + HOUR_NS
    facts = still([[DOLLARS_50]] * 2, {"signal": [[0.8]]}, funding=[(last - 1, 0, 1e-4, 1), (last, 0, 1e-4, 1)])
    assert [row.at_ns for row in run(facts, roomy(LONG)).funding] == [last - 1]


def test_a_dead_market_is_left_at_five_percent_less() -> None:
    day = 24
    marks = [[DOLLARS_50, DOLLARS_50]] * (day + 3)
    alive = [[k == 0, True] for k in range(day + 2)]
    facts = still(
        marks,
        {"signal": [[0.8, 0.0]] * (day + 2)},
        bar=alive,
        traded=alive,
        quiet_ns=[[k * HOUR_NS, 0] for k in range(day + 2)],
        reference=[[DOLLARS_50 if k == 0 else 0, DOLLARS_50] for k in range(day + 2)],
    )
    bought, left = run(facts, roomy(LONG)).fills
    assert left == FillRow(ID + day, "M0", "long", -bought.lots, 47_500_000, DOLLARS_50, 0, "settlement")


def test_the_fund_ladder_takes_everything_off_until_a_person_says_so() -> None:
    """A fall of 20 % with most of NAV invested passes 1.25 x 10 %. The ladder never comes back by itself."""
    marks = [[DOLLARS_50]] * 2 + [[40_000_000]] * 10
    facts = still(marks, {"signal": [[1.0]] * 11})
    bold = replace(LONG, volatility_target=0.4, stop=99.0)
    limits = roomy(bold, ladder=Ladder(most_gross=9.0), max_gross=2.0, max_weight=2.0, book_gross=2.0)
    never, after = run(facts, limits), run(facts, replace(limits, operator=5 * HOUR_NS))
    assert never.lots["long"] == [0]
    assert {row.code for row in never.verdicts if row.cycle >= ID + 2} == {"OK"}
    assert [row.cycle for row in never.fills if row.lots < 0] == [ID + 2]
    assert [row.cycle for row in after.fills if row.lots > 0] == [ID, ID + 7]


def test_capital_follows_sharpe_however_steady_the_returns() -> None:
    """Sharpes of sqrt 2 and -sqrt 2 share as e^(2 sqrt 2) to 1. Nearly equal losses, a Sharpe of -10^9, get nothing."""
    facts = still([[DOLLARS_50]] * 49, {"signal": [[0.0]] * 48}, time=[START_NS + k * 24 * HOUR_NS for k in range(49)])
    fund = found(facts, roomy(LONG, replace(LONG, name="too"), allocator="article", window_days=2))
    up, down, steady = [0, 1, 4], [0, -1, -4], [0, -(10**9), -2 * 10**9 - 1]
    for pair, ratio in (((up, down), math.exp(2 * math.sqrt(2))), ((up, steady), math.inf), ((down, down), 1.0)):
        for book, equity in zip(fund.books, pair, strict=True):
            book.shadow.equity = equity
        first, second = weights_of(fund, 2)
        assert first + second == pytest.approx(1.0)
        assert (first / second if second else math.inf) == pytest.approx(ratio)
    assert weights_of(fund, 1) == [0.5, 0.5]


@given(world=funds())
@settings(max_examples=60)
def test_every_micro_dollar_is_accounted_for(world: tuple[Facts, Terms]) -> None:
    """Books' cash and lots follow from the rows alone; crossing sums to zero; NAV moves as the identity says."""
    facts, terms = world
    result = run(facts, terms)
    cash: dict[str, int] = defaultdict(int)
    lots: dict[tuple[str, str], int] = defaultdict(int)
    crossed: dict[tuple[int, str], int] = defaultdict(int)
    for transfer in result.transfers:
        cash[transfer.book] += transfer.cash_micro
    for paid in result.funding:
        cash[paid.book] += paid.cash_micro
    for fill in result.fills:
        cash[fill.book] -= fill.lots * fill.price_micro + fill.fee_micro
        lots[fill.book, fill.market] += fill.lots
        crossed[fill.cycle, fill.market] += fill.lots * (fill.kind == "cross")
    assert {book: cash[book] for book in result.cash} == result.cash
    assert {(b, m): n for b, row in result.lots.items() for m, n in zip(facts.names, row, strict=True) if n} == {
        key: n for key, n in lots.items() if n
    }
    assert not any(crossed.values())
    assert [row.nav_micro for row in result.nav] == list(_nav_by_identity(facts, terms, result))


@given(world=funds())
@settings(max_examples=30)
def test_what_happened_does_not_depend_on_what_comes(world: tuple[Facts, Terms]) -> None:
    facts, terms = world
    half = facts.cycles // 2
    cut = replace(facts, time=facts.time[: half + 1], mark=facts.mark[: half + 1])
    if half == 0:
        return
    whole, part = run(facts, terms), run(cut, terms)
    until = facts.id(half)
    assert part.nav[:half] == whole.nav[:half]
    for table in ("fills", "verdicts", "wishes"):
        cut_off, kept = ([row for row in getattr(result, table) if row.cycle < until] for result in (part, whole))
        assert cut_off == kept


@given(world=funds())
@settings(max_examples=60)
def test_no_increase_breaches_a_limit(world: tuple[Facts, Terms]) -> None:
    facts, terms = world
    assert _breaches(facts, terms, run(facts, terms)) == 0


def test_without_the_bound_an_increase_breaches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant of the test above: the same count is not zero when the bound is taken away."""
    facts = still([[DOLLARS_50]] * 3, {"signal": [[0.8], [0.8]]})
    terms = roomy(LONG, max_var=0.005)
    assert _breaches(facts, terms, run(facts, terms)) == 0
    monkeypatch.setattr(gate, "breach", lambda *_: "")
    assert _breaches(facts, terms, run(facts, terms)) > 0


def _nav_by_identity(facts: Facts, terms: Terms, result: Result) -> Iterator[int]:
    """Change of NAV = lots held x change of mark + traded x (next mark - reference) + funding - fees - slippage."""
    nav = terms.capital_micro
    held: dict[str, int] = defaultdict(int)
    row_of = {facts.id(k): k for k in range(facts.cycles + 1)}
    for k in range(len(result.nav)):
        at, mark = facts.id(k), dict(zip(facts.names, facts.mark[k], strict=True))
        nav += sum(row.cash_micro for row in result.funding if row.cycle == at and row.at_ns < facts.time[k])
        for fill in (fill for fill in result.fills if fill.cycle == at and fill.kind == "maker"):
            held[fill.market] += fill.lots  # it rested through bar k: the next mark is that of t_k
            nav += fill.lots * (mark[fill.market] - fill.price_micro) - fill.fee_micro
        yield nav
        if k == facts.cycles:
            return
        following = dict(zip(facts.names, facts.mark[k + 1], strict=True))
        nav += sum(row.cash_micro for row in result.funding if row.cycle == at and row.at_ns == facts.time[k])
        nav += sum(n * (following[m] - mark[m]) for m, n in held.items())
        for fill in (fill for fill in result.fills if row_of[fill.cycle] == k and fill.kind != "maker"):
            held[fill.market] += fill.lots
            nav += fill.lots * (following[fill.market] - fill.reference_micro)
            nav -= fill.fee_micro + fill.lots * (fill.price_micro - fill.reference_micro)


def _breaches(facts: Facts, terms: Terms, result: Result) -> int:
    """Cycles whose orders, taken or resting, raised a position and left a limit breached at the marks of t_k."""
    held, found_so_far = [0] * len(facts.names), 0
    navs = {row.cycle: row.nav_micro for row in result.nav}
    for k in range(len(result.nav) - 1):
        before = list(held)
        nav = navs[facts.id(k)] + sum(
            row.cash_micro for row in result.funding if row.cycle == facts.id(k) and row.at_ns == facts.time[k]
        )
        for fill in (fill for fill in result.fills if fill.cycle - (fill.kind == "maker") == facts.id(k)):
            m = facts.names.index(fill.market)
            held[m] += fill.lots
            if fill.kind == "settlement":
                nav -= fill.lots * (fill.price_micro - facts.mark[k][m])
                before[m] += fill.lots
        grown = [
            m for m, (old, new) in enumerate(zip(before, held, strict=True)) if abs(new) > abs(old) or old * new < 0
        ]
        if grown:
            value = [float(mark) for mark in facts.mark[k]]
            now = [gate.Order(held=lots) for lots in held]
            limits = of_file(terms, len(held))
            over = any(abs(held[m]) * value[m] > limits.cap(m, facts.history_ns[k][m]) * nav for m in grown)
            found_so_far += over or _gross_or_var(facts, terms, k, now, nav, value)
    return found_so_far


def _gross_or_var(facts: Facts, terms: Terms, k: int, now: list[gate.Order], nav: int, value: list[float]) -> bool:
    x = [order.held * v for order, v in zip(now, value, strict=True)]
    s = facts.covariance(k)
    variance = sum(x[i] * s[i][j] * x[j] for i in range(len(x)) for j in range(len(x)))
    var = TAIL * math.sqrt(max(0.0, variance))
    return sum(abs(y) for y in x) > terms.max_gross * nav or var > terms.max_var * nav
