"""The same fund given to the compiled loop and to the plain-Python reference: the bridge between the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from podshop.nouns import Mandate, duration_ns
from podshop.nouns.verdict import CODE_NAMES, FILL_KINDS, HOUSE, NET, VERDICTS
from podshop.run.allocator import compounds
from podshop.run.config.sections import Fund as FundFile
from podshop.run.config.sections import GraduationSection
from podshop.run.facts import MarketFacts
from podshop.run.opinions import Seat
from tests.reference import facts as ref
from tests.reference.office import LADDER

Columns = Mapping[str, np.ndarray[Any, Any]]


class Kept:
    """A sink that keeps every row."""

    def __init__(self) -> None:
        self.parts: dict[str, list[dict[str, np.ndarray[Any, Any]]]] = {}

    def write(self, table: str, columns: Columns, /) -> None:
        self.parts.setdefault(table, []).append({name: np.asarray(c) for name, c in columns.items()})

    def table(self, name: str) -> dict[str, np.ndarray[Any, Any]]:
        parts = self.parts.get(name, [])
        return {c: np.concatenate([p[c] for p in parts]) for c in parts[0]} if parts else {}

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        table = self.table(name)
        return list(zip(*(table[c].tolist() for c in columns), strict=True)) if table else []


@dataclass(frozen=True)
class Told:
    """Everything the two funds must agree on, as plain rows."""

    nav: list[tuple[int, int, int, float, float, float, float]]
    fills: list[tuple[Any, ...]]
    funding: list[tuple[Any, ...]]
    transfers: list[tuple[Any, ...]]
    verdicts: list[tuple[Any, ...]]
    books: list[tuple[Any, ...]]
    wishes: list[tuple[Any, ...]]
    costs: list[tuple[Any, ...]]


def told_by_loop(kept: Kept, markets: Sequence[str], agents: Sequence[str]) -> Told:
    books = (*agents, HOUSE, NET)
    lots = ("wanted_lots", "allowed_lots", "resting_lots")
    numbers = dense([number for (number,) in kept.rows("verdicts", "limits_version")])
    return Told(
        nav=kept.rows("nav", "cycle", "nav_micro", "cash_micro", "gross", "net", "drawdown", "var"),
        fills=[
            (c, markets[m], books[b], lots, price, reference, fee, FILL_KINDS[kind])
            for c, m, b, lots, price, reference, fee, kind in kept.rows(
                "fills", "cycle", "market", "book", "lots", "price_micro", "reference_micro", "fee_micro", "kind"
            )
        ],
        funding=[
            (c, at, markets[m], books[b], lots, cash)
            for c, at, m, b, lots, cash in kept.rows("funding", "cycle", "time", "market", "book", "lots", "cash_micro")
        ],
        transfers=[(c, books[b], cash) for c, b, cash in kept.rows("transfers", "cycle", "book", "cash_micro")],
        verdicts=[
            (c, markets[m], books[b], VERDICTS[v], CODE_NAMES[code], wanted, allowed, resting, number)
            for (c, m, b, v, code, wanted, allowed, resting), number in zip(
                kept.rows("verdicts", "cycle", "market", "book", "verdict", "code", *lots), numbers, strict=True
            )
        ],
        books=[
            (c, books[b], capital, equity, throttle, shadow)
            for c, b, capital, equity, throttle, shadow in kept.rows(
                "books", "cycle", "book", "capital_micro", "equity_micro", "throttle", "shadow_equity_micro"
            )
        ],
        wishes=[
            (c, markets[m], books[b], lots, mark)
            for c, m, b, lots, mark in kept.rows("wishes", "cycle", "market", "book", "wished_lots", "mark_micro")
        ],
        costs=[
            (c, markets[m], books[b], *numbers)
            for c, m, b, *numbers in kept.rows(
                "costs", "cycle", "market", "book", *(f"{name}_micro" for name in ref.CostsRow._fields[3:])
            )
        ],
    )


def told_by_reference(result: ref.Result) -> Told:
    told = Told(*([tuple(row) for row in getattr(result, t)] for t in Told.__dataclass_fields__))
    numbers = dense([row.limits for row in result.verdicts])
    told.verdicts[:] = [(*row[:-1], number) for row, number in zip(told.verdicts, numbers, strict=True)]
    return told


def dense(numbers: Sequence[int]) -> list[int]:
    """Number the limits that verdicts name 0, 1, ... as they come: new limits have any new number."""
    first: dict[int, int] = {}
    return [first.setdefault(number, len(first)) for number in numbers]


def reference_facts(file: FundFile, facts: MarketFacts, seats: Mapping[str, Seat], first: int, last: int) -> ref.Facts:
    """What rows [first, last) of a market look like to the reference; row `last` is the last NAV row."""
    stretch = facts.stretch(first, last + 1)
    market = facts.market
    bar = ~np.isnan(market.columns["volume"])
    traded = market.columns["volume"] > 0
    rows = np.arange(len(market))[:, None]
    last_bar = np.maximum.accumulate(np.where(bar, rows, -(10**6)), axis=0)
    quiet_ns = (rows - last_bar) * market.interval_ns
    at = slice(first, last)
    by_row = stretch.risk_row
    convictions = {}
    for name, seat in seats.items():
        index = np.searchsorted(seat.market.time, stretch.time[:-1], side="right") - 1
        whole = seat.convictions(0, int(index[-1]) + 1)
        full = np.full((len(index), len(file.market.markets)), np.nan)
        full[:, [file.market.markets.index(m) for m in seat.markets]] = whole[index]
        convictions[name] = (seat.bar_ns, full.tolist())
    since_ns = int(stretch.time[0]) - market.interval_ns
    return ref.Facts(
        interval_ns=market.interval_ns,
        names=file.market.markets,
        time=stretch.time.tolist(),
        mark=stretch.mark.tolist(),
        age=stretch.age.tolist(),
        frozen=frozen_rows(facts.mark.tolist())[at],
        bar=bar[at].tolist(),
        traded=traded[at].tolist(),
        quiet_ns=quiet_ns[at].tolist(),
        reference=stretch.reference.tolist(),
        sigma_day=stretch.sigma[by_row].tolist(),
        covariance=lambda k: stretch.covariance[by_row[k]].tolist(),
        history_ns=(stretch.time[:, None] - facts.first_trade).tolist(),
        liquidity=stretch.liquidity[by_row].tolist(),
        depth=stretch.depth[by_row].tolist(),
        funding=[
            event
            for event in zip(
                stretch.funding_at.tolist(),
                stretch.funding_market.tolist(),
                stretch.funding_rate.tolist(),
                stretch.funding_source.tolist(),
                strict=True,
            )
            if event[0] > since_ns
        ],
        convictions=convictions,
        low=stretch.low.tolist(),
        high=stretch.high.tolist(),
        queued=stretch.queued[by_row].tolist(),
        carry=stretch.carry.tolist(),
        sigma_own={
            m.name: facts.sigma_own(duration_ns(m.volatility_half_life), stretch)[by_row].tolist()
            for m in file.mandates
        },
    )


def frozen_rows(mark: Sequence[Sequence[int]]) -> list[list[int]]:
    """Bars since each market's mark last changed, from the first bar there is."""
    rows = [[0 for _ in mark[0]]]
    for before, now in pairwise(mark):
        rows.append([0 if a != b or b == 0 else n + 1 for a, b, n in zip(before, now, rows[-1], strict=True)])
    return rows


def reference_terms(file: FundFile) -> ref.Terms:
    """Raises AttributeError: a risk agent beside the ladder is none whose voice the reference can hear."""
    limits, venue = file.limits, file.venue
    (limiter,) = (seat for seat in file.risk if seat.name == LADDER)
    ladder = limiter.agent
    slopes = {seat.name: file.evidence.prior_slope.get(getattr(seat.agent, "family", ""), 0.0) for seat in file.signals}
    return ref.Terms(
        mandates=[reference_seat(m, slopes) for m in file.mandates],
        min_notional_micro=[round(i.min_notional_usd * 1e6) for i in file.instruments],
        capital_usd=file.capital_usd,
        confidence_open=file.confidence.open,
        confidence_close=file.confidence.close,
        max_weight=limits.max_weight,
        max_gross=limits.max_gross,
        max_net=limits.max_net,
        max_order=limits.max_order,
        max_var=limits.max_var,
        min_order_usd=limits.min_order_usd,
        book_gross=limits.book_gross,
        collar=limits.collar_bps / 1e4,
        half_spread=venue.half_spread_bps / 1e4,
        impact=venue.impact,
        fee_e8=round(venue.taker_fee_bps * 1e4),
        maker_fee_e8=round(venue.maker_fee_bps * 1e4),
        assumed_funding_bps_8h=file.market.assumed_funding_bps_8h,
        prior_observations=file.evidence.prior_observations,
        prior_slope=slopes,
        ladder=ref.Ladder(
            cadence_ns=duration_ns(limiter.cadence),
            **{each: getattr(ladder, each) for each in ref.Ladder.__dataclass_fields__ if each != "cadence_ns"},
        ),
        family={seat.name: getattr(seat.agent, "family", "own") for seat in file.signals},
        agents=[
            ref.Agent(name=seat.name, cadence_ns=duration_ns(seat.cadence), says=seat.agent.says)
            for seat in file.risk
            if seat.name != LADDER
        ],
        allocator=file.allocator.kind,
        window_days=file.allocator.window_days,
        compound=compounds(file.allocator),
        graduation=None if file.graduation.kind == "off" else reference_gate(file.graduation),
        operator="never" if file.operator == "never" else duration_ns(file.operator),
    )


def reference_gate(section: GraduationSection) -> ref.Graduation:
    return ref.Graduation(**{each: getattr(section, each) for each in ref.Graduation.__dataclass_fields__})


def reference_seat(m: Mandate, slopes: Mapping[str, float]) -> ref.Seat:
    weight = sum(abs(w) for w in m.listens.values())
    return ref.Seat(
        name=m.name,
        listens=m.listens,
        markets=m.markets,
        cadence_ns=duration_ns(m.cadence),
        volatility_target=m.volatility_target,
        typical_conviction=m.typical_conviction,
        buffer=m.buffer,
        stop=m.stop,
        longest_holding_ns=duration_ns(m.longest_holding),
        style=m.style,
        urgency_ns=duration_ns(m.urgency),
        max_diversification=m.max_diversification,
        outlook_ns=duration_ns(m.outlook),
        cost_factor=m.cost_factor,
        cost_budget=m.cost_budget,
        prior=sum(abs(w) * slopes[name] for name, w in m.listens.items()) / weight,
    )


def compare(loop: Told, reference: Told) -> None:
    """Assert row by row, so that the first difference is what one reads."""
    for table in Told.__dataclass_fields__:
        ours, theirs = getattr(loop, table), getattr(reference, table)
        for i, (a, b) in enumerate(zip(ours, theirs, strict=False)):
            assert a == b, f"{table} row {i}: the loop says {a}, the reference {b}"
        assert len(ours) == len(theirs), f"{table}: {len(ours)} rows in the loop, {len(theirs)} in the reference"
