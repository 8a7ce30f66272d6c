"""The comparison with the reference is not blind: whichever rule is broken on one side, some random fund shows it."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest

from podshop.run.loop import Run
from tests.reference import allot, blend, costs, evidence, gate, pace, resting, shadow, venue
from tests.reference import facts as ref
from tests.reference import fund as reference
from tests.run.given import told_by_given
from tests.run.parity import compare, told_by_reference
from tests.run.small_worlds import found


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


def filled_at_a_touch(facts: ref.Facts, k: int, m: int, order: resting.Resting) -> int:
    if order.lots > 0:
        return min(order.lots, order.most) if 0 < facts.low[k][m] <= order.limit else 0
    return -min(-order.lots, order.most) if facts.high[k][m] >= order.limit else 0


breach, refuse, look = gate.breach, evidence.refuse, pace.Want.look


def as_if_what_rests_had_filled(terms: ref.Terms, orders: Sequence[gate.Order], *rest: Any) -> str:
    gone = [dataclasses.replace(o, held=o.held + o.leg_made, leg_made=0) for o in orders]
    return breach(terms, gone, *rest)


def never_at_once(want: pace.Want, d: int, **forced: bool) -> None:
    look(want, d)


def never_open(*given: Any, purse: evidence.Purse, **more: Any) -> Any:
    purse.passed = False
    return refuse(*given, purse=purse, **more)


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
    "a touch fills": (resting, "filled", filled_at_a_touch),
    "whoever waits pays as a taker": (venue, "maker_fee", venue.fee),
    "what rests has filled": (gate, "breach", as_if_what_rests_had_filled),
    "both ways are always used": (pace, "_small", lambda *a: False),
    "a throttle waits": (pace.Want, "look", never_at_once),
    "slices are rounded down": (pace, "piece", lambda d, n, age: max(abs(d) // max(n - age, 1), d != 0)),
    "voices are never enlarged": (blend, "multiplier", lambda mandate, memory: 1.0),
    "no forecast is ever judged": (evidence.Record, "slope", lambda record, terms, mandate: mandate.prior),
    "the cost gate forgets that it was open": (evidence, "refuse", never_open),
    "nothing is ever spent": (evidence.Purse, "pay", lambda *a: None),
    "crossing saves nothing": (costs, "saved_by_crossing", lambda *a: 0),
    "wishes end without a cost": (costs.Tally, "replace", lambda *a: None),
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


@pytest.mark.parametrize(
    "field", ["fee_e8", "tail", "collar", "min_order_micro", "max_var", "book_gross", "maker_fee_e8"]
)
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
