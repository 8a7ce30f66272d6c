"""A risk agent fails, in the fund itself: through the desk and the compiled cycle no risk grows, and all may shrink."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from podshop.nouns import HOUR_NS
from podshop.nouns.limits import Limits, RiskView
from podshop.nouns.verdict import REDUCE_ONLY, RUNNING, TAKER
from podshop.risk import office
from podshop.run import desk
from podshop.run.config import starter_fund
from podshop.run.config.sections import Fund as FundFile
from podshop.run.config.sections import RiskSeat
from podshop.run.desk import Desk, Seen
from podshop.run.state import Facts, Fund
from tests.run.books import CAPITAL_MICRO, Cycle, Ruined, World, run
from tests.run.promises import order_of
from tests.run.worlds import random_world

SEATS = ("correlation_tracker", "drawdown_limiter", "portfolio_monitor")
FAILING = 120 if settings().max_examples <= 100 else 1_000  # cycles for each failure of each seat
WELL, ILL = 6, 6  # cycles in turn
MARKETS, BOOKS = 3, 4


def is_ill(at_ns: int) -> bool:
    return at_ns // HOUR_NS % (WELL + ILL) >= WELL


@dataclass
class Healthy:
    """It watches, and all is well."""

    def __call__(self, view: RiskView) -> Limits:
        return Limits(reason="", version=view.version, max_gross=5.0, throttle=np.ones(BOOKS))


@dataclass
class Patient:
    """Healthy for some hours, then `failure`, then healthy again."""

    failure: Callable[[RiskView], Any]

    def __call__(self, view: RiskView) -> Any:
        return self.failure(view) if is_ill(view.at_ns) else Healthy()(view)


def raising(view: RiskView) -> Any:
    raise (ValueError, ZeroDivisionError, MemoryError, SystemExit)[view.version % 4]("boo")


def late(view: RiskView) -> Any:
    """It slept, and answers a question of an hour ago."""
    return Limits(reason="", version=view.version - 1, max_gross=99.0)


def garbage(view: RiskView) -> Any:
    wrong: tuple[dict[str, Any], ...] = (
        {"max_gross": float("nan")}, {"max_var": -1.0}, {"max_weight": np.full(MARKETS + 1, 0.1)}, {"tail": 0.1},
        {"state": "RUNNING"}, {"throttle": np.full(BOOKS, np.inf)}, {"reason": None},
    )  # fmt: skip
    answer = {"reason": "", "version": view.version} | wrong[view.version % len(wrong)]
    return "anything" if view.version % 8 == 7 else Limits(**answer)


def silent(view: RiskView) -> Any:
    return None


def seats(seat: str, failure: Callable[[RiskView], Any]) -> tuple[RiskSeat, ...]:
    agents = {name: Patient(failure) if name == seat else Healthy() for name in SEATS}
    return tuple(RiskSeat(name=name, kind="given", agent=agent, cadence="1h") for name, agent in agents.items())


def file_of(world: World, risk: tuple[RiskSeat, ...]) -> FundFile:
    """The limits of a world, and its books, in a fund file."""
    starter, limits = starter_fund(), world.limits
    return replace(
        starter,
        capital_usd=CAPITAL_MICRO / 1e6,
        market=replace(starter.market, markets=tuple(f"market {m}" for m in range(MARKETS))),
        mandates=tuple(replace(starter.mandates[0], name=name) for name in world.names),
        limits=replace(
            starter.limits, max_weight=float(limits.max_weight[0]), max_gross=limits.max_gross, max_net=limits.max_net,
            max_order=limits.max_order, max_var=limits.max_var,
        ),
        risk=risk,
    )  # fmt: skip


class NoPrices:
    """Stands in for MarketFacts: nobody here looks at returns."""

    def daily_returns(self) -> Any:
        return np.zeros((0, MARKETS)), np.zeros(0, np.int64)

    def risk_returns(self, at_ns: int, days: int) -> Any:
        return np.zeros((0, MARKETS)), HOUR_NS


def of_seed(seed: int) -> World:
    """Takers alone, so that each order is decided by one look; nothing else forbids an increase."""
    world = random_world(seed, MARKETS, BOOKS, cycles=60)
    rows = len(world.facts.time)
    terms = world.terms._replace(
        style=np.full(BOOKS + 1, TAKER), patient=np.zeros(0, np.int64), min_order_micro=0,
        min_notional=np.zeros(MARKETS, np.int64),
    )  # fmt: skip
    return replace(world, terms=terms, state=np.full(rows, RUNNING), throttle=np.ones((rows, BOOKS)))


def judged(failure: Callable[[RiskView], Any], seat: str) -> Counter[str]:
    """What passed while the seat was ill, and while it was well."""
    seen: Counter[str] = Counter()
    seed = 0
    while seen["ill"] < FAILING:
        world, seed = of_seed(seed), seed + 1
        office_of = Desk(file_of(world, seats(seat, failure)), NoPrices())  # type: ignore[arg-type]
        equity = np.full(BOOKS, CAPITAL_MICRO)
        faults: list[bool] = []

        def look(facts: Facts, fund: Fund, office_of: Desk = office_of, equity: Any = equity,
                 faults: list[bool] = faults) -> None:  # fmt: skip
            office_of.look(facts, 0, fund, Seen(equity, equity, np.zeros((0, BOOKS))))
            assert office_of.ruling is not None
            faults.append(seat in office_of.ruling.faults)

        try:
            cycles = run(world, look=look)
        except Ruined:
            continue
        for each, fault in zip(cycles[:-1], faults, strict=True):
            ill = is_ill(int(world.facts.time[each.k]))
            assert fault == ill
            count(world, each, "ill" if ill else "well", seen)
    return seen


def count(world: World, each: Cycle, when: str, seen: Counter[str]) -> None:
    seen[when] += 1
    for row in each.verdicts:
        if row.book != BOOKS + 1:
            continue
        order, allowed = order_of(world, each, row.market), abs(row.allowed)
        seen[f"{when}: reductions"] += order.leg != 0
        seen[f"{when}: refused"] += allowed < abs(order.leg)
        seen[f"{when}: increases wanted"] += abs(order.change) > abs(order.leg)
        seen[f"{when}: increases passed"] += allowed > abs(order.leg)
        seen[f"{when}: told so"] += row.code == REDUCE_ONLY
    for m in range(MARKETS):
        before, after = int(each.deciding[m].sum()), int(each.venue_lots[m])
        if when == "ill":
            assert 0 <= after <= before or before <= after <= 0, "it grew"


@pytest.mark.parametrize("seat", SEATS)
@pytest.mark.parametrize("failure", [raising, late, garbage, silent])
def test_while_one_agent_fails_nothing_grows_and_every_reduction_passes(
    failure: Callable[[RiskView], Any], seat: str
) -> None:
    seen = judged(failure, seat)
    assert seen["ill"] >= FAILING
    assert (seen["ill: increases passed"], seen["ill: refused"], seen["well: refused"]) == (0, 0, 0), seen
    assert seen["ill: reductions"] > FAILING / 5, seen
    assert seen["ill: told so"] > FAILING / 5, seen
    assert seen["well: increases passed"] > FAILING / 5, seen  # a fault is over when it is over


def test_a_desk_that_passes_over_who_fails_lets_risk_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: limits are merged as if nobody had failed."""

    class Careless(office.Office):
        def __call__(self, view: RiskView, last: Any = None) -> office.Ruling:
            ruling = office.Office(self.agents, self.cadence_ns)(view, last)
            return ruling._replace(in_force=office.merge(ruling.heard, view, {}))

    monkeypatch.setattr(desk, "Office", Careless)
    with pytest.raises(AssertionError, match="it grew"):
        judged(silent, SEATS[0])
