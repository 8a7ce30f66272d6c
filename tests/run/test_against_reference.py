"""The compiled loop against the plain-Python fund, row by row: on real history, then on random small markets."""

import collections
import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings

from podshop.nouns import utc_ns
from podshop.run.backtest import market_facts
from podshop.run.config import starter_fund
from podshop.run.config.sections import EvidenceSection, Fund
from podshop.run.loop import Run
from podshop.run.opinions import seats
from podshop.run.world import read_world
from tests.reference import facts as ref
from tests.reference import fund as reference
from tests.reference.office import LADDER
from tests.reference.opinions import Moody
from tests.reference.small_markets import roomy, still
from tests.run.given import quietly, risk_seat, told_by_given
from tests.run.parity import (
    Kept,
    Told,
    compare,
    reference_facts,
    reference_terms,
    told_by_loop,
    told_by_reference,
)
from tests.run.small_worlds import World, found, worlds

EXAMPLES = 60 if settings().max_examples <= 100 else 3_000  # in `make test`, in `make soak`

LUNA = datetime(2022, 5, 1, tzinfo=UTC), datetime(2022, 6, 20, tzinfo=UTC)  # then of Celsius
FTX = datetime(2022, 11, 1, tzinfo=UTC), datetime(2022, 12, 20, tzinfo=UTC)  # hours without any trade


@pytest.mark.parametrize(("since", "until"), [LUNA, FTX], ids=("2022-05", "2022-11"))
def test_real_history_agrees_to_the_micro_dollar(shared_data: Path, since: datetime, until: datetime) -> None:
    told, reference_told = both(judged_by(starter_fund(), "tail", "clusters"), shared_data, since, until)
    assert len(told.nav) == (until - since).days * 24 + 1
    assert len(told.fills) > 300
    assert len(told.funding) > 1000
    compare(told, reference_told)


def test_real_history_agrees_for_a_fund_that_waits_slices_and_counts_its_costs(shared_data: Path) -> None:
    """The starter's three books, each with a style, a sigma and an outlook of its own, through the fall of FTX."""
    moods = "tail", "clusters", "max_order", "throttle", "failure"
    told, reference_told = both(judged_by(styled(starter_fund()), *moods), shared_data, *FTX)
    assert {row[7] for row in told.fills} >= {"venue", "cross", "maker"}
    assert {row[4] for row in told.verdicts} >= {
        "OK",
        "COST_GATE",
        "COST_BUDGET",
        "RESTING",
        "CLUSTER",
        "ORDER_SIZE",
        "REDUCE_ONLY",
    }
    assert len(told.wishes) > 300
    assert len(told.costs) > 300
    compare(told, reference_told)


def judged_by(fund: Fund, *subjects: str) -> Fund:
    """The fund with its ladder, one agent whose opinions need no statistics, and a policy of sums both sides can do.

    tests/treasury/test_shrunk_again.py holds the policy that the starter has to a second reading.
    """
    moody = ref.Agent(
        name="moody",
        cadence_ns=ref.DAY_NS,
        says=Moody("real history", len(fund.market.markets), len(fund.mandates), subjects),
    )
    ladder = next(seat for seat in fund.risk if seat.name == LADDER)
    article = dataclasses.replace(fund.allocator, kind="article")
    return dataclasses.replace(fund, risk=(risk_seat(moody), ladder), allocator=article)


def styled(fund: Fund) -> Fund:
    trend, stretch, carry = fund.mandates
    return dataclasses.replace(
        fund,
        mandates=(
            dataclasses.replace(
                trend,
                listens={"trend": 1.0, "carry": -0.5},
                max_diversification=2.0,
                typical_conviction=0.5,
                volatility_half_life="2d",
                style="maker",
                urgency="6h",
            ),
            dataclasses.replace(
                stretch, style="twap", urgency="4h", outlook="8h", cost_factor=1.5, volatility_half_life="30d"
            ),
            dataclasses.replace(carry, style="maker", urgency="3h", cadence="1h", cost_budget=0.004),
        ),
        evidence=EvidenceSection(prior_slope={"reversal": 0.06, "momentum": 0.05}, prior_observations=50),
    )


def both(fund: Fund, data: Path, since: datetime, until: datetime) -> tuple[Told, Told]:
    """What the loop and the reference tell of the same months."""
    since_ns, until_ns = utc_ns(since), utc_ns(until)
    world = read_world(fund, data, since_ns, until_ns)
    market, facts = world.market, market_facts(fund, world.market, world.funding)
    times = world.decision_times()
    kept = Kept()
    run = Run(fund, facts, seats(market, fund.signals, fund.confidence), kept)
    run.run(times, quietly)
    told = told_by_loop(kept, fund.market.markets, run.books)
    fresh = seats(market, fund.signals, fund.confidence)
    given_facts = reference_facts(fund, facts, fresh, facts.row(since_ns), facts.row(until_ns))
    return told, told_by_reference(reference.run(given_facts, reference_terms(fund)))


# What three-score random small funds meet; what is rarer is looked for below.
FIRED = {"POSITION_CAP", "VAR", "MIN_ORDER", "VENUE_MIN", "STALE_PRICE", "NO_HISTORY", "LIQUIDITY", "BOOK_GROSS", "OK"}
FIRED |= {"RESTING", "COST_GATE", "COST_BUDGET", "ORDER_SIZE", "CLUSTER"}


def test_random_funds_agree_to_the_micro_dollar() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @given(world=worlds())
    @settings(max_examples=EXAMPLES, print_blob=True, suppress_health_check=list(HealthCheck))
    def agree(world: World) -> None:
        result = reference.run(world.facts, world.terms)
        told = told_by_reference(result)
        met = {f"verdict {row[4]}" for row in told.verdicts} | {f"fill {row[7]}" for row in told.fills}
        met |= {f"office: {what}" for what, times in result.met.items() if times}
        met |= {f"throttle {row[4]}" for row in told.books}
        met |= {"funding assumed" for at in world.facts.funding if at[3] == ref.ASSUMED and told.funding}
        for what in sorted(met):
            event(what)
        seen.update(met)
        compare(world.told(), told)

    agree()

    fills = {"fill cross", "fill venue", "fill maker"}
    office = {"office: book half", "office: book out", "office: family half", "office: fund 0.5"}
    assert {f"verdict {code}" for code in FIRED} | fills | office | {"throttle 0.5"} <= set(seen)


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
    terms = roomy(bold, ladder=ref.Ladder(most_gross=9.0), book_gross=0.8, operator=6 * ref.HOUR_NS)
    told = told_by_reference(reference.run(facts, terms))
    cuts = {row[0] - told.nav[0][0] for row in told.verdicts if row[4] == "BOOK_GROSS"}
    assert cuts == {0, 3}
    compare(told_by_given(facts, terms), told)


RARE = "CURE", "GROSS", "NET", "FROZEN_PRICE", "REDUCE_ONLY", "HALTED", "REDUCES_COIN_RAISES_VAR"


@pytest.mark.parametrize("code", RARE)
def test_a_rare_code_is_met_and_agreed_on(code: str) -> None:
    def meets(pair: tuple[ref.Facts, ref.Terms]) -> bool:
        return any(row.code == code for row in reference.run(*pair).verdicts)

    facts, terms = found(meets)
    compare(told_by_given(facts, terms), told_by_reference(reference.run(facts, terms)))


RARE_LOOKS = (
    *("book again", "book back", "family out", "family again", "family back", "unit measured", "unit least"),
    *("paced by number", "paced by gross", "fund between", "fund paced", "fund day loss", "fund HALTED"),
    *("a person lowers", "agent failed"),
)


@pytest.mark.parametrize("what", RARE_LOOKS)
def test_a_rare_look_of_the_risk_office_is_met_and_agreed_on(what: str) -> None:
    facts, terms = found(lambda pair: reference.run(*pair).met[what] > 0)
    compare(told_by_given(facts, terms), told_by_reference(reference.run(facts, terms)))


STEPS = (
    *("research to paper", "paper to seed", "seed to full", "full to seed", "seed to paper"),
    *("full to suspended", "seed to suspended", "suspended to paper", "above the mark"),
)


def test_every_step_of_the_treasury_is_met_and_agreed_on() -> None:
    """Of the random funds, in their order, those that take a step which none before them took."""
    unmet = set(STEPS)

    def takes(pair: tuple[ref.Facts, ref.Terms]) -> bool:
        new = unmet & set(+treasury_of(pair))
        if new:
            compare(told_by_given(*pair), told_by_reference(reference.run(*pair)))
        unmet.difference_update(new)
        return not unmet

    assert found(takes)


def treasury_of(pair: tuple[ref.Facts, ref.Terms]) -> collections.Counter[str]:
    """What the reference's treasury met; nothing in funds that have neither stages nor a mark."""
    facts, terms = pair
    if terms.graduation is None and terms.compound:
        return collections.Counter()
    return reference.run(facts, terms).met


SPOILT = "research to paper", "full to suspended", "above the mark"


@pytest.mark.parametrize("what", SPOILT)
def test_mutant_of_the_treasury_disagrees(what: str) -> None:
    """The mark forgotten, the stages forgotten, or who is suspended left in until its cadence: each is seen."""

    def spoil(run: Run) -> None:
        treasurer = run.treasurer
        if what == "above the mark":
            treasurer.high_water_micro = None
        elif what == "full to suspended":
            share = treasurer.share

            def late(*given: Any) -> Any:
                weights = share(*given)
                treasurer.suspended[:] = False
                return weights

            treasurer.share = late  # type: ignore[method-assign]
        else:
            treasurer._treasury = treasurer._asked

    def differs(pair: tuple[ref.Facts, ref.Terms]) -> bool:
        if not treasury_of(pair)[what]:
            return False
        return told_by_given(*pair, spoil) != told_by_reference(reference.run(*pair))

    facts, terms = found(differs)
    compare(told_by_given(facts, terms), told_by_reference(reference.run(facts, terms)))


def test_a_dead_market_is_met_and_agreed_on() -> None:
    facts, terms = found(lambda pair: any(row.kind == "settlement" for row in reference.run(*pair).fills))
    compare(told_by_given(facts, terms), told_by_reference(reference.run(facts, terms)))
