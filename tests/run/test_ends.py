"""Ends of things: markets that die, data that stops, a fund that is worth nothing, books that do not add up."""

import dataclasses

import numpy as np
import pytest

from podshop.nouns import LedgerError
from podshop.run.finance import dead_price
from podshop.run.loop import Run
from tests.reference.facts import DAY_NS, HOUR_NS, Facts, Seat, Terms
from tests.reference.small_markets import roomy, still
from tests.run.given import file_of, given_run, told_by_given
from tests.run.parity import Kept

DOLLARS_50 = 50_000_000
LONG = Seat(name="long", listens={"signal": 1.0}, markets=("M0",), cadence_ns=HOUR_NS)


def dying(hours: int = 27) -> Facts:
    """M0 has no bar after the second; M1 trades on."""
    alive = [[k < 2, True] for k in range(hours)]
    return still(
        [[DOLLARS_50, DOLLARS_50]] * (hours + 1),
        {"signal": [[0.8, 0.0]] * hours},
        bar=alive,
        traded=alive,
        age=[[max(0, k - 1), 0] for k in range(hours)],
        quiet_ns=[[max(0, k - 1) * HOUR_NS, 0] for k in range(hours)],
        reference=[[DOLLARS_50 if k < 1 else 0, DOLLARS_50] for k in range(hours)],
    )


def test_a_market_that_dies_is_settled_at_five_percent_against_us() -> None:
    assert [int(dead_price(lots, 1_001)) for lots in (3, -3, 0)] == [950, 1052, 1001]
    told = told_by_given(dying(), roomy(LONG))
    bought, left = told.fills
    assert left[3:] == (-bought[3], 47_500_000, DOLLARS_50, 0, "settlement")
    assert left[0] - bought[0] == 25  # a day after its last bar


def test_no_fresh_data_no_new_risk() -> None:
    """An unfilled wish for a market whose last trade is older than three bars is refused."""
    hours = 8
    facts = dataclasses.replace(dying(hours), reference=[[0, DOLLARS_50]] * hours, age=[[k, 0] for k in range(hours)])
    codes = {row[0]: row[4] for row in told_by_given(facts, roomy(LONG)).verdicts if row[1] == "M0"}
    assert list(codes.values()) == ["OK"] * 4 + ["STALE_PRICE"] * 4


def test_a_market_without_thirty_days_of_history_is_not_bought() -> None:
    facts = still([[DOLLARS_50]] * 3, {"signal": [[0.8]] * 2}, history_ns=[[30 * DAY_NS - 1], [30 * DAY_NS]])
    assert [row[4] for row in told_by_given(facts, roomy(LONG)).verdicts] == ["NO_HISTORY", "OK"]


def ruin() -> tuple[Facts, Terms]:
    """Short five times over what there is, and the price rises by half."""
    marks = [[DOLLARS_50], [DOLLARS_50], [75_000_000], [75_000_000], [75_000_000]]
    facts = still(marks, {"signal": [[-1.0]] * 4})
    bold = dataclasses.replace(LONG, volatility_target=2.5)
    return facts, roomy(bold, max_weight=9.0, max_gross=9.0, book_gross=9.0)


def test_a_fund_worth_nothing_ends_there() -> None:
    kept = Kept()
    run = given_run(*ruin(), kept)
    nav = kept.table("nav")["nav_micro"]
    assert len(nav) == 3
    assert nav[-1] <= 0 < nav[-2]
    assert run.ended_ns == run.facts.facts.time[2]  # type: ignore[attr-defined]
    assert len(kept.table("fills")["lots"]) == 1


@pytest.mark.parametrize("what", ["lots", "cash"])
def test_books_that_do_not_sum_to_the_venue_stop_the_run(what: str) -> None:
    """The mutant: one lot, or one micro-dollar, that the venue does not have."""

    def lose(run: Run) -> None:
        run.fund.lots[0, 0] += what == "lots"
        run.fund.venue_cash[0] += what == "cash"
        deposit = run._deposit

        def deposited(first_ns: int) -> None:
            deposit(first_ns)
            run.fund.venue_cash[0] += what == "cash"

        run._deposit = deposited  # type: ignore[method-assign]

    facts, terms = still([[DOLLARS_50]] * 3, {"signal": [[0.8]] * 2}), roomy(LONG)
    given_run(facts, terms, Kept())
    with pytest.raises(LedgerError, match="books and venue differ"):
        given_run(facts, terms, Kept(), lose)


def test_crossing_never_changes_what_the_fund_is_worth() -> None:
    """Two books trade against each other at the reference: the fund's lots, cash and fees are those of the net."""
    short = dataclasses.replace(LONG, name="short", listens={"signal": -1.0})
    facts = still([[DOLLARS_50]] * 3, {"signal": [[0.8]] * 2})
    kept = Kept()
    run = given_run(facts, roomy(LONG, short), kept)
    assert set(kept.table("fills")["kind"].tolist()) == {1}
    assert np.unique(kept.table("nav")["nav_micro"]).tolist() == [100_000_000_000]
    assert kept.table("costs")["saved_micro"].sum() > 0
    assert run.fund.venue_lots.tolist() == [0]


def test_the_fund_file_made_of_terms_says_what_they_say() -> None:
    facts, terms = ruin()
    file = file_of(facts, terms)
    assert (file.limits.max_weight, file.limits.collar_bps / 1e4, file.mandates[0].cadence) == (9.0, 0.01, "1h")
