"""A fund driven one cycle at a time: given desires straight into the cycle, and everything that it did kept.

There are no signals and no shadows here: what each book wants is said. `COMPILED` is the machine code of the run; the
same sources without the compiler are in plain.py.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from podshop.maths.whole import fnv1a64
from podshop.nouns import DAY_NS, HOUR_NS
from podshop.nouns.limits import NORMAL_95
from podshop.nouns.verdict import TAKER
from podshop.run import cycle, wishes
from podshop.run.rows import place
from podshop.run.state import (
    FILLS,
    FUNDING,
    VERDICTS,
    WISHES,
    Facts,
    Fund,
    Notes,
    Resting,
    Shadows,
    Terms,
    new_fund,
    new_rows,
    new_work,
)

INTERVAL_NS = HOUR_NS
BEGAN_NS = 19_500 * DAY_NS + 5 * HOUR_NS
CAPITAL_MICRO = 100_000_000_000


class Limits(NamedTuple):
    """What the risk office would have set, as fractions of NAV; clusters are rows of markets with their own cap."""

    max_weight: np.ndarray[Any, Any]  # (M,)
    max_gross: float = 20.0
    max_var: float = 5.0
    max_order: float = 20.0
    max_net: float = 20.0
    tail: float = NORMAL_95
    members: np.ndarray[Any, Any] | None = None  # (C, M)
    caps: tuple[float, ...] = ()

    def put(self, fund: Fund) -> None:
        """Write them where compiled code reads them."""
        now = fund.limits
        now.version[0], now.max_weight[:] = 1, self.max_weight
        now.max_gross[0], now.max_var[0], now.max_order[0] = self.max_gross, self.max_var, self.max_order
        now.tail[0], now.clusters[0] = self.tail, 1 + len(self.caps)
        now.members[0], now.caps[0] = True, self.max_net
        if self.members is not None:
            now.members[1 : 1 + len(self.caps)], now.caps[1 : 1 + len(self.caps)] = self.members, self.caps


@dataclass(frozen=True)
class World:
    """A market of K cycles and M markets, and what B books want in it."""

    names: tuple[str, ...]  # of the books
    terms: Terms
    limits: Limits
    facts: Facts
    target: np.ndarray[Any, Any]  # (K, B, M) lots at reference capital
    fires: np.ndarray[Any, Any]  # (K, B)
    urgent: np.ndarray[Any, Any]  # (K, B)
    throttle: np.ndarray[Any, Any]  # (K, B)
    weight: np.ndarray[Any, Any]  # (K, B) share of NAV that is the book's capital; NaN = as it was
    state: np.ndarray[Any, Any]  # (K,) RUNNING, REDUCE_ONLY, HALTED

    def permuted(self, order: Sequence[int]) -> "World":
        """The same books in another order of the file, each with its name and all it wants."""
        of = list(order)
        terms = self.terms._replace(
            style=self.terms.style[[*of, -1]], urgency=self.terms.urgency[[*of, -1]],
            book_key=self.terms.book_key[[*of, -1]],
        )  # fmt: skip
        return replace(
            self, names=tuple(self.names[b] for b in of),
            terms=terms._replace(patient=np.flatnonzero(terms.style != TAKER)), target=self.target[:, of],
            fires=self.fires[:, of], urgent=self.urgent[:, of], throttle=self.throttle[:, of],
            weight=self.weight[:, of],
        )  # fmt: skip


class Ruined(Exception):
    """The fund has lost all it had: the run ends, and there is nothing more to judge."""


class Fill(NamedTuple):
    """A row of fills."""

    market: int
    book: int
    kind: int
    lots: int
    price: int
    fee: int


class Verdict(NamedTuple):
    """A row of verdicts; book B1 is the fund's net order."""

    market: int
    book: int
    verdict: int
    code: int
    wanted: int
    allowed: int
    filled: int
    resting: int
    limits: int


@dataclass(frozen=True)
class Cycle:
    """What one cycle found and left. Arrays are copies; lots (M, B1), cash (B1,)."""

    k: int
    before: np.ndarray[Any, Any]  # lots
    rested: Resting  # what rested through the bar that closes now
    lots: np.ndarray[Any, Any]
    cash: np.ndarray[Any, Any]
    wished: np.ndarray[Any, Any]
    raw: np.ndarray[Any, Any]
    want: np.ndarray[Any, Any]
    age: np.ndarray[Any, Any]
    resting: Resting  # what rests now
    venue_lots: np.ndarray[Any, Any]
    venue_cash: int
    nav: int
    costs: np.ndarray[Any, Any]  # (M, B1, 7) since the start
    residual: np.ndarray[Any, Any]
    fills: list[Fill]
    verdicts: list[Verdict]
    wishes: list[tuple[int, int, int]]  # market, book, lots
    funding: list[tuple[int, int, int, int, int, int]]  # event, market, book, lots, mark, cash

    @functools.cached_property
    def deciding(self) -> np.ndarray[Any, Any]:
        """(M, B1) lots held when books wish: after what rested and what was settled."""
        lots = self.before.copy()
        for fill in self.fills:
            if fill.kind in (2, 4):
                lots[fill.market, fill.book] += fill.lots
        return lots

    def of(self, market: int, *kinds: int) -> list[Fill]:
        """The fills of a market, of these kinds."""
        return [fill for fill in self.fills if fill.market == market and fill.kind in kinds]


COMPILED = SimpleNamespace(span=cycle.span, open_cycle=cycle.open_cycle)


@contextmanager
def quiet() -> Iterator[None]:
    """Numbers of a hash wrap, and a division by nothing is infinite: as in machine code."""
    with np.errstate(all="ignore"):
        yield


def run(world: World, machine: Any = COMPILED, look: Callable[[Facts, Fund], None] | None = None) -> list[Cycle]:
    """Every cycle of a world, and one more row in which only what rested is settled and the NAV is struck.

    look  called in the middle of every cycle, as the risk desk is
    """
    terms, facts = world.terms, world.facts
    books, markets = len(world.names), facts.mark.shape[1]
    fund, work, out = new_fund(markets, books), new_work(markets, books), new_rows(markets, books, 4, least=64)
    fund.cash[:books] = fund.capital[:books] = CAPITAL_MICRO // books
    fund.cash[books] = fund.capital[books] = CAPITAL_MICRO - CAPITAL_MICRO // books * books
    fund.venue_cash[0] = fund.nav[0] = fund.peak[0] = CAPITAL_MICRO
    world.limits.put(fund)
    kept = []
    cycles = len(facts.time)
    with quiet():
        for k in range(cycles):
            before, rested = fund.lots.copy(), Resting(*(each.copy() for each in fund.resting))
            last = k == cycles - 1
            one, shadows = one_cycle(world, k)
            if last:
                machine.open_cycle(fund, work, terms, one, out, 0)
                wishes.close_wishes(fund.wished, fund.lots, fund.decision, fund.costs, one.mark[0])
            else:
                _python(world, fund, k)
                due = np.full(1, look is not None)
                _, why = machine.span(fund, work, terms, one, shadows, due, out, 0, False)
                if why == cycle.DUE and look is not None:
                    look(one, fund)
                    _, why = machine.span(fund, work, terms, one, shadows, due, out, 0, True)
                if why == cycle.RUINED:
                    raise Ruined
            used = out.used.tolist()
            out.used[:] = 0
            kept.append(
                Cycle(
                    k=k, before=before, rested=rested, lots=fund.lots.copy(), cash=fund.cash.copy(),
                    wished=fund.wished.copy(), raw=fund.raw.copy(), want=work.want.copy(), age=fund.age.copy(),
                    resting=Resting(*(each.copy() for each in fund.resting)), venue_lots=fund.venue_lots.copy(),
                    venue_cash=int(fund.venue_cash[0]), nav=int(fund.nav[0]), costs=fund.costs.copy(),
                    residual=fund.residual.copy(),
                    fills=[
                        Fill(*where, *row[2:])
                        for where, row in zip(_places(out.fills[: used[FILLS]]), out.fills[: used[FILLS]].tolist(),
                                              strict=True)
                    ],
                    verdicts=[Verdict(*row[2:]) for row in out.verdicts[: used[VERDICTS]].tolist()],
                    wishes=[
                        (m, b, lots)
                        for (m, b, _), lots in zip(_places(out.wishes[: used[WISHES]]),
                                                   out.wishes[: used[WISHES], 2].tolist(), strict=True)
                    ],
                    funding=[tuple(row[2:]) for row in out.funding[: used[FUNDING]].tolist()],
                )
            )  # fmt: skip
    return kept


def _places(packed: np.ndarray[Any, Any]) -> list[tuple[int, ...]]:
    """Market, book and kind of rows."""
    _, market, book, kind = place(packed[:, 0])
    return list(zip(market.tolist(), book.tolist(), kind.tolist(), strict=True))


def one_cycle(world: World, k: int) -> tuple[Facts, Shadows]:
    """A stretch of the one cycle k."""
    facts, at = world.facts, slice(k, k + 1)
    one = facts._replace(
        time=facts.time[at], mark=facts.mark[at], age=facts.age[at], frozen=facts.frozen[at],
        reference=facts.reference[at],
        mark_before=facts.mark[k - 1] if k else facts.mark_before,
        reference_before=facts.reference[k - 1] if k else facts.reference_before,
        low=facts.low[at], high=facts.high[at], carry=facts.carry[at], dead=facts.dead[at],
        risk_row=facts.risk_row[at], funding_until=facts.funding_until[k : k + 2],
    )  # fmt: skip
    notes = Notes(np.zeros(2, np.int64), np.zeros((0, 5), np.int64), np.zeros((0, 2)))
    target = np.ascontiguousarray(world.target[k][:, :, None])
    return one, Shadows(target, np.ascontiguousarray(world.fires[at]), np.ascontiguousarray(world.urgent[at]), notes)


def _python(world: World, fund: Any, k: int) -> None:
    """What the treasury and the risk office do in the middle of a cycle: capital, throttles, the fund's state."""
    books = len(world.names)
    fund.state[0] = world.state[k]
    moved = world.throttle[k] != fund.throttle[:books]
    fund.refresh[:books] |= moved
    fund.throttle[:books] = world.throttle[k]
    if not np.isnan(world.weight[k]).any():
        capital = np.floor(world.weight[k] * fund.nav[0]).astype(np.int64)
        transfer = capital - (fund.cash + fund.lots.T @ world.facts.mark[k])[:books]
        fund.cash[:books] += transfer
        fund.cash[books] -= transfer.sum()
        fund.capital[:books] = capital


def keys(names: Sequence[str]) -> np.ndarray[Any, Any]:
    """Hashes of names, as the loop has them."""
    return np.array([fnv1a64(name) for name in names], np.uint64)


def terms_for(styles: Sequence[int], urgency: Sequence[int], names: Sequence[str], markets: int, **other: Any) -> Terms:
    """Terms of a fund whose limits bind nobody, unless `other` says so."""
    style = np.array([*styles, TAKER], np.int64)
    terms = Terms(
        reference_micro=CAPITAL_MICRO, book_gross=100.0, collar=0.01, half_spread=0.0, impact=0.0, fee_e8=0,
        maker_fee_e8=0, assumed_funding_8h=1e-4,
        style=style, urgency=np.array([*urgency, 1], np.int64), patient=np.flatnonzero(style != TAKER),
        min_order_micro=0, min_notional=np.zeros(markets, np.int64),
        first_trade=np.full(markets, BEGAN_NS - 400 * DAY_NS),
        market_key=keys([f"market {m}" for m in range(markets)]), book_key=keys([*names, "house"]),
        interval_ns=INTERVAL_NS,
    )  # fmt: skip
    return terms._replace(**other)
