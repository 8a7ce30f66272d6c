"""The comparison with the reference is not blind: whichever rule is broken on one side, some random fund shows it."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest

from podshop.run.loop import Run
from tests.reference import allot, blend, costs, evidence, gate, ladder, office, pace, resting, shadow, venue
from tests.reference import facts as ref
from tests.reference import fund as reference
from tests.reference.limits import Limits
from tests.run.given import told_by_given
from tests.run.parity import compare, told_by_reference
from tests.run.small_worlds import found


def all_filled(
    limits: Limits, orders: Sequence[gate.Order], f: float, nav: int, rho: float, covariance: Any, value: Any
) -> str:
    """The gate's bound as a hopeful mind would have it: every order fills whole."""
    low = nav - f * rho * sum(abs(order.q) * v for order, v in zip(orders, value, strict=True))
    x = [(order.after + f * order.q) * v for order, v in zip(orders, value, strict=True)]
    if not sum(map(abs, x)) <= limits.max_gross * low:
        return "GROSS"
    variance = sum(a * s * b for a, row in zip(x, covariance, strict=True) for s, b in zip(row, x, strict=True))
    return "" if limits.tail * math.sqrt(max(0.0, variance)) <= limits.max_var * low else "VAR"


def filled_at_a_touch(facts: ref.Facts, k: int, m: int, order: resting.Resting) -> int:
    if order.lots > 0:
        return min(order.lots, order.most) if 0 < facts.low[k][m] <= order.limit else 0
    return -min(-order.lots, order.most) if facts.high[k][m] >= order.limit else 0


breach, refuse, look = gate.breach, evidence.refuse, pace.Want.look


def as_if_what_rests_had_filled(limits: Limits, orders: Sequence[gate.Order], *rest: Any) -> str:
    gone = [dataclasses.replace(o, held=o.held + o.leg_made, leg_made=0) for o in orders]
    return breach(limits, gone, *rest)


def never_at_once(want: pace.Want, d: int, **forced: bool) -> None:
    look(want, d)


def never_open(*given: Any, purse: evidence.Purse, **more: Any) -> Any:
    purse.passed = False
    return refuse(*given, purse=purse, **more)


def a_day_early(rung: ladder.Rung, rule: ref.Ladder, now_ns: int, *rest: Any) -> tuple[float, str]:
    return climb(rung, rule, now_ns + ref.DAY_NS * (rung.throttle == ladder.OUT), *rest)


def poorer(rung: ladder.Rung, *given: Any) -> tuple[float, str]:
    """Back as soon as the time is over, won back or not."""
    rung.left_at = 0
    return climb(rung, *given)


def half_for_no_time(rung: ladder.Rung, rule: ref.Ladder, *rest: Any) -> tuple[float, str]:
    return climb(rung, dataclasses.replace(rule, half_days=0), *rest)


def last_first(fund: Any, k: int, nav: int, wanted: Any, steps: Sequence[float]) -> list[float]:
    return paced(fund, k, nav, wanted, [-step for step in steps])


def without_pace(fund: Any, k: int, nav: int, peak: int, day_open: int) -> tuple[float, str]:
    fund.terms = dataclasses.replace(fund.terms, ladder=dataclasses.replace(fund.terms.ladder, most_gross=1e9))
    return look_at_fund(fund, k, nav, peak, day_open)


def deaf_to(*subjects: str) -> Any:
    """Merge as if nobody had said anything of this."""

    def merge(file: Limits, heard: Any, *rest: Any) -> Limits:
        deaf = {name: dataclasses.replace(said, **dict.fromkeys(subjects)) for name, said in heard.items()}
        return tightest(file, deaf, *rest)

    return merge


def forgiving(file: Limits, heard: Any, asked: str, failing: bool, before: Limits) -> Limits:
    return tightest(file, heard, asked, False, before)


def by_the_look_before(fund: Any, k: int) -> None:
    """VaR by the fund file's tail."""
    now, fund.limits = fund.limits, dataclasses.replace(fund.limits, tail=ref.TAIL)
    strike_nav(fund, k)
    fund.limits = now


def ends_as_it_is(order: gate.Order, side: int) -> int:
    return order.after


def unmoved_number(office_: Any, fund: Any, k: int, before: Limits) -> set[str]:
    moved: set[str] = put(office_, fund, k, before)
    fund.limits = dataclasses.replace(fund.limits, number=1)
    return moved


climb, paced, look_at_fund = ladder.Rung.climb, ladder.pace, ladder.look_at_fund
tightest, strike_nav, put = office.tightest, reference.strike_nav, office.Office._put

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
    "nobody ever resumes": (office.Office, "_person_lowers", lambda *a: False),
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
    "a cluster is ignored": (office, "tightest", deaf_to("clusters")),
    "net and clusters are ignored": (gate, "_clip_cluster", lambda *a: None),
    "a cluster's reduction has filled": (gate, "_end", ends_as_it_is),
    "the size of orders is ignored": (gate, "_limit_size", lambda *a: None),
    "a frozen price is as good as any": (gate, "frozen", lambda *a: False),
    "a tail is ignored": (office, "tightest", deaf_to("tail")),
    "a cap of one market is ignored": (office, "tightest", deaf_to("weight")),
    "what agents say of throttles is ignored": (office, "tightest", deaf_to("throttle", "fund_throttle")),
    "who fails does no harm": (office, "tightest", forgiving),
    "VaR is told by the normal": (reference, "strike_nav", by_the_look_before),
    "limits keep their number": (office.Office, "_put", unmoved_number),
    "back a day early": (ladder.Rung, "climb", a_day_early),
    "back without having won it back": (ladder.Rung, "climb", poorer),
    "half for no time": (ladder.Rung, "climb", half_for_no_time),
    "nobody is paced": (ladder, "pace", lambda fund, k, nav, wanted, steps: list(wanted)),
    "the least deep goes first": (ladder, "pace", last_first),
    "the fund is not paced": (ladder, "look_at_fund", without_pace),
    "families are ignored": (ladder, "families_of", lambda terms: [seat.name for seat in terms.mandates]),
    "a family's unit is its books'": (ladder, "unit_of", lambda fund, k, *a: fund.terms.mandates[0].volatility_target),
    "everybody is asked at every look": (office.Office, "_due", lambda *a: True),
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


@pytest.mark.parametrize("field", ["fee_e8", "collar", "min_order_micro", "book_gross", "maker_fee_e8"])
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


@pytest.mark.parametrize("field", ["max_weight", "max_gross", "max_order", "max_var", "tail", "caps"])
def test_a_spoilt_limit_is_told_apart(field: str) -> None:
    """And one of the limits in force, which the office writes and compiled code reads."""

    def spoil(run: Run) -> None:
        put = run.desk._put

        def put_wrong(now: Any, fund: Any) -> None:
            put(now, fund)
            getattr(fund.limits, field)[:] *= 1.001

        run.desk._put = put_wrong  # type: ignore[method-assign]

    def shows(pair: tuple[ref.Facts, ref.Terms]) -> bool:
        right = told_by_reference(reference.run(*pair))
        return told_by_given(*pair) == right != told_by_given(*pair, spoil)

    found(shows)
