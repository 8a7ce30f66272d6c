"""The compiled loop against the plain-Python fund, row by row: on real history, then on random small markets."""

import collections
import dataclasses
import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, find, given, settings
from hypothesis import strategies as st

from podshop.nouns import utc_ns
from podshop.run.backtest import market_facts
from podshop.run.config import starter_fund
from podshop.run.loop import Run
from podshop.run.opinions import seats
from podshop.run.world import read_world
from tests.reference import allot, gate, shadow, venue
from tests.reference import facts as ref
from tests.reference import fund as reference
from tests.reference.small_markets import funds, roomy, still
from tests.run.given import quietly, told_by_given
from tests.run.parity import (
    Kept,
    compare,
    reference_facts,
    reference_terms,
    told_by_loop,
    told_by_reference,
)

EXAMPLES = 60 if settings().max_examples <= 100 else 3_000  # in `make test`, in `make soak`


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (datetime(2022, 5, 1, tzinfo=UTC), datetime(2022, 6, 20, tzinfo=UTC)),  # the fall of Luna, then of Celsius
        (datetime(2022, 11, 1, tzinfo=UTC), datetime(2022, 12, 20, tzinfo=UTC)),  # of FTX; hours without any trade
    ],
    ids=("2022-05", "2022-11"),
)
def test_real_history_agrees_to_the_micro_dollar(shared_data: Path, since: datetime, until: datetime) -> None:
    fund = starter_fund()
    since_ns, until_ns = utc_ns(since), utc_ns(until)
    world = read_world(fund, shared_data, since_ns, until_ns)
    market, facts = world.market, market_facts(fund, world.market, world.funding)
    times = world.decision_times()
    kept = Kept()
    run = Run(fund, facts, seats(market, fund.signals, fund.confidence), kept)
    run.run(times, quietly)
    told = told_by_loop(kept, fund.market.markets, run.books)
    assert len(told.nav) == (until - since).days * 24 + 1
    assert len(told.fills) > 300
    assert len(told.funding) > 1000
    fresh = seats(market, fund.signals, fund.confidence)
    given_facts = reference_facts(fund, facts, fresh, facts.row(since_ns), facts.row(until_ns))
    compare(told, told_by_reference(reference.run(given_facts, reference_terms(fund))))


@dataclasses.dataclass
class World:
    """A random fund, with a name short enough for a report."""

    facts: ref.Facts
    terms: ref.Terms

    def __repr__(self) -> str:
        return f"World({self.facts.cycles} cycles of {self.facts.interval_ns} ns, {len(self.facts.names)} markets)"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    return World(*draw(funds()))


# Every code that a random small fund may meet, but for HALTED, which only a person or live trading raises.
FIRED = {"POSITION_CAP", "VAR", "MIN_ORDER", "VENUE_MIN", "STALE_PRICE", "NO_HISTORY", "LIQUIDITY", "BOOK_GROSS", "OK"}


def test_random_funds_agree_to_the_micro_dollar() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @given(world=worlds())
    @settings(max_examples=EXAMPLES, print_blob=True, suppress_health_check=list(HealthCheck))
    def agree(world: World) -> None:
        told = told_by_reference(reference.run(world.facts, world.terms))
        met = {f"verdict {row[4]}" for row in told.verdicts} | {f"fill {row[7]}" for row in told.fills}
        met |= {f"throttle {row[4]}" for row in told.books}
        met |= {"funding assumed" for at in world.facts.funding if at[3] == ref.ASSUMED and told.funding}
        for what in sorted(met):
            event(what)
        seen.update(met)
        compare(told_by_given(world.facts, world.terms), told)

    agree()

    assert {f"verdict {code}" for code in FIRED} | {"fill cross", "fill venue", "throttle 0.5"} <= set(seen)


LONG = ref.Seat(name="long", listens={"signal": 1.0}, markets=("M0",), cadence_ns=ref.HOUR_NS)


def test_a_stop_and_a_turn_of_opinion_in_one_cycle_agree() -> None:
    """Bought at 50.05 dollars; at 45 the stop of five sigmas strikes, and the blend turns, both at the third cycle."""
    marks = [[50_000_000], [50_000_000], [45_000_000], [45_000_000], [45_000_000]]
    facts, terms = still(marks, {"signal": [[0.8], [0.8], [-0.8], [-0.8]]}), roomy(LONG)
    told = told_by_reference(reference.run(facts, terms))
    assert [(row[0] - told.nav[0][0], row[3]) for row in told.fills][:1] == [(0, 732)]
    compare(told_by_given(facts, terms), told)


def test_the_target_for_a_dead_market_that_the_shadow_does_not_hold_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """M0 dies while its target is still unfilled: nothing is held, so nothing is settled. M1 trades on."""
    hours = 27
    there = [[k == 0, True] for k in range(hours)]
    facts = still(
        [[50_000_000, 50_000_000]] * (hours + 1),
        {"signal": [[0.8, 0.8]] * hours},
        bar=there,
        traded=there,
        quiet_ns=[[k * ref.HOUR_NS, 0] for k in range(hours)],
        age=[[k, 0] for k in range(hours)],
        reference=[[0, 50_000_000]] * hours,
    )
    terms = roomy(dataclasses.replace(LONG, markets=("M0", "M1"), cadence_ns=4 * ref.HOUR_NS))
    wished = []
    original = Run.shadow_targets

    def kept(run: Run, *given: Any) -> Any:
        answer = original(run, *given)
        wished.append(answer[0].target[0].T)
        return answer

    monkeypatch.setattr(Run, "shadow_targets", kept)
    told_by_given(facts, terms)
    assert wished[0].tolist() == reference.run(facts, terms).shadow_targets["long"]


def test_a_person_who_resumes_moves_no_throttle_that_is_already_1() -> None:
    """A fall that nobody could trade in passes, and the ladder lets go long before the person comes.

    Then nothing is wished anew before the cadence, though the book's gross limit would now cut it elsewhere.
    """
    hours = 20
    marks = [[26_000_000 if k == 2 else 50_000_000, 50_000_000 + 400_000 * max(0, k - 4)] for k in range(hours + 1)]
    facts = still(
        marks, {"signal": [[0.8, 0.8]] * hours}, reference=[[0, 0] if k == 2 else m for k, m in enumerate(marks[:-1])]
    )
    bold = dataclasses.replace(
        LONG, markets=("M0", "M1"), cadence_ns=24 * ref.HOUR_NS, volatility_target=2.0, stop=99.0
    )
    terms = roomy(bold, ladder=ref.Ladder(), book_gross=0.8, operator=6 * ref.HOUR_NS)
    told = told_by_reference(reference.run(facts, terms))
    cuts = {row[0] - told.nav[0][0] for row in told.verdicts if row[4] == "BOOK_GROSS"}
    assert cuts == {0, 3}
    compare(told_by_given(facts, terms), told)


@pytest.mark.parametrize("code", ["CURE", "GROSS", "REDUCE_ONLY", "REDUCES_COIN_RAISES_VAR"])
def test_a_rare_code_is_met_and_agreed_on(code: str) -> None:
    def meets(pair: tuple[ref.Facts, ref.Terms]) -> bool:
        return any(row.code == code for row in reference.run(*pair).verdicts)

    facts, terms = found(meets)
    compare(told_by_given(facts, terms), told_by_reference(reference.run(facts, terms)))


def test_a_dead_market_is_met_and_agreed_on() -> None:
    facts, terms = found(lambda pair: any(row.kind == "settlement" for row in reference.run(*pair).fills))
    compare(told_by_given(facts, terms), told_by_reference(reference.run(facts, terms)))


def found(wanted: Callable[[tuple[ref.Facts, ref.Terms]], bool]) -> tuple[ref.Facts, ref.Terms]:
    """The first random fund of which this is true; always the same one."""
    quick = settings(max_examples=1500, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    return find(funds(), wanted, settings=quick, random=random.Random(7))


def all_filled(
    terms: ref.Terms, orders: Sequence[gate.Order], f: float, nav: int, rho: float, covariance: Any, value: Any
) -> str:
    """The gate's bound as a hopeful mind would have it: every order fills whole."""
    low = nav - f * rho * sum(abs(order.q) * v for order, v in zip(orders, value, strict=True))
    x = [(order.after + f * order.q) * v for order, v in zip(orders, value, strict=True)]
    if not sum(map(abs, x)) <= terms.max_gross * low:
        return "GROSS"
    variance = sum(a * s * b for a, row in zip(x, covariance, strict=True) for s, b in zip(row, x, strict=True))
    return "" if ref.TAIL * math.sqrt(max(0.0, variance)) <= terms.max_var * low else "VAR"


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "the fee is rounded down": (venue, "fee", lambda terms, lots, price: lots * price * terms.fee_e8 // 100_000_000),
    "funding is rounded down": (venue, "funding_paid", lambda e, lots, mark: math.floor(lots * mark * e.rate)),
    "a dead market costs 4 %": (venue, "settlement_price", lambda lots, mark: math.floor(mark * 0.96)),
    "ties go by position": (allot, "tie", lambda cycle, market, book: 0),
    "nothing is reserved": (gate, "_reserved", lambda orders, value: 0.0),
    "19 halvings": (gate, "HALVINGS", 19),
    "all orders are hoped to fill": (gate, "breach", all_filled),
    "stops are not looked at": (shadow, "_stopped", lambda *a: False),
    "capital never moves": (reference, "weights_of", lambda fund, k: [1.0 / len(fund.books)] * len(fund.books)),
    "nobody ever resumes": (reference, "_person_lowers", lambda fund, k: False),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_spoilt_reference_is_told_apart(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule, broken in one of the two, shows within a few hundred random funds: the comparison is not blind."""

    def shows(pair: tuple[ref.Facts, ref.Terms]) -> bool:
        right = told_by_reference(reference.run(*pair))
        with monkeypatch.context() as m:
            m.setattr(*MUTANTS[mutant])
            wrong = told_by_reference(reference.run(*pair))
        if right == wrong:
            return False
        ours = told_by_given(*pair)
        with pytest.raises(AssertionError):
            compare(ours, wrong)
        return True

    found(shows)


@pytest.mark.parametrize("field", ["fee_e8", "tail", "collar", "min_order_micro", "max_var", "book_gross"])
def test_a_spoilt_loop_is_told_apart(field: str) -> None:
    """The same the other way round: one number of the loop's terms is a little wrong."""

    def spoil(run: Run) -> None:
        value = getattr(run.terms, field)
        wrong = value + 1_000_000 if isinstance(value, int) else value * 1.001
        run.terms = run.terms._replace(**{field: wrong})

    def shows(pair: tuple[ref.Facts, ref.Terms]) -> bool:
        right = told_by_reference(reference.run(*pair))
        return told_by_given(*pair) == right != told_by_given(*pair, spoil)

    found(shows)
