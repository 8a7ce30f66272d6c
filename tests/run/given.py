"""A fund whose market facts are given as plain numbers: the reference's facts and terms, fed to the compiled loop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from podshop.nouns import HOUR_NS, Instrument, Mandate, Market, Panel, Times, duration_text
from podshop.nouns.limits import Limits, RiskView
from podshop.risk.drawdown import DrawdownLadder
from podshop.run.config import sections
from podshop.run.loop import Run
from podshop.run.opinions import Seat
from podshop.run.state import Facts
from podshop.run.tables import Sink
from tests.reference import facts as ref
from tests.reference.limits import STATES, Said
from tests.reference.office import LADDER
from tests.run.parity import Kept, Told, told_by_loop


class GivenFacts:
    """Stands in for MarketFacts: every cycle is a risk bar of its own."""

    def __init__(self, facts: ref.Facts, mandates: Sequence[str]) -> None:
        self.facts = facts
        self.time = np.array(facts.time, np.int64)
        self.mark = np.array(facts.mark, np.int64)
        self.scale = np.ones(len(facts.names))
        shape = self.mark.shape
        self._low, self._high = np.array(facts.low, np.int64), np.array(facts.high, np.int64)
        self._queued = padded(facts.queued)
        self._carry = padded(facts.carry, np.float64)
        self._own = {
            half_life_ns(at): padded(facts.sigma_own.get(name, facts.sigma_day), np.float64)
            for at, name in enumerate(mandates)
        }
        self._age = padded(facts.age)
        self._frozen = padded(facts.frozen, np.int32)
        self._reference = padded(facts.reference)
        self._liquidity = padded(facts.liquidity)
        self._sigma = padded(facts.sigma_day, np.float64)
        self._depth = padded(facts.depth, np.float64)
        self._dead = np.zeros(shape, np.bool_)
        for k in range(facts.cycles):
            for m in range(shape[1]):
                self._dead[k, m] = facts.dead(k, m)
        self._covariance = np.array([facts.covariance(min(k, facts.cycles - 1)) for k in range(shape[0])])
        never = np.iinfo(np.int64).max // 2
        history = np.array(facts.history_ns, np.int64)
        # a market without a trade has 0 or less; while it has traded, time less history is the same instant
        first = [[facts.time[k] - h for k, h in enumerate(column) if h > 0] for column in history.T.tolist()]
        self.first_trade = np.array([min(each, default=never) for each in first], np.int64)
        self.funding = list(facts.funding)

    def row(self, at_ns: int) -> int:
        return int(np.searchsorted(self.time, at_ns))

    def stretch(self, first: int, last: int) -> Facts:
        at = slice(first, last)
        time = self.time[at]
        stamped = np.array([event[0] for event in self.funding], np.int64)
        before = np.concatenate([[time[0] - self.facts.interval_ns], time])
        return Facts(
            time=time,
            mark=self.mark[at],
            age=self._age[at],
            frozen=self._frozen[at],
            reference=self._reference[at],
            mark_before=self.mark[max(first - 1, 0)],
            reference_before=self._reference[max(first - 1, 0)],
            low=self._low[at],
            high=self._high[at],
            carry=self._carry[at],
            dead=self._dead[at],
            risk_row=np.arange(len(time)),
            covariance=self._covariance[at],
            sigma=self._sigma[at],
            depth=self._depth[at],
            liquidity=self._liquidity[at],
            queued=self._queued[at],
            funding_until=np.searchsorted(stamped, before, side="right"),
            funding_at=stamped,
            funding_market=np.array([event[1] for event in self.funding], np.int64),
            funding_rate=np.array([event[2] for event in self.funding], np.float64),
            funding_source=np.array([event[3] for event in self.funding], np.int64),
        )

    def risk_returns(self, at_ns: int, days: int) -> tuple[Panel, int]:
        """None: no risk agent here looks at prices."""
        return np.zeros((0, len(self.facts.names))), HOUR_NS

    def daily_returns(self) -> tuple[Panel, Times]:
        return np.zeros((0, len(self.facts.names))), np.zeros(0, np.int64)

    def sigma_own(self, half_life_ns: int, facts: Facts) -> Panel:
        """At the rows of a stretch, what the mandate with this half-life sizes by."""
        first = self.row(int(facts.time[0]))
        rows: Panel = self._own[half_life_ns][first : first + len(facts.time)]
        return rows


def half_life_ns(at: int) -> int:
    """Each mandate has a half-life of its own, so that it is given a sigma of its own."""
    return (at + 1) * HOUR_NS


@dataclass(frozen=True)
class GivenAgent:
    """Stands in for a signal agent."""

    family: str


@dataclass(frozen=True)
class GivenRiskAgent:
    """Stands in for a risk agent: says what the reference is told by the same voice, whatever it is shown."""

    says: Callable[[int], Said]

    def __call__(self, view: RiskView) -> Limits:
        """Raises AgentFailed: so does the voice."""
        said, members = self.says(view.at_ns), None
        if said.clusters is not None:
            members = np.zeros((len(said.clusters), len(view.markets)), np.bool_)
            for row, (markets, _) in zip(members, said.clusters, strict=True):
                row[list(markets)] = True
        return Limits(
            reason="so it is given",
            version=view.version,
            max_weight=numbers(said.weight),
            max_gross=said.max_gross,
            max_net=said.max_net,
            max_order=said.max_order,
            max_var=said.max_var,
            tail=said.tail,
            cluster=members,
            max_cluster=None if said.clusters is None else numbers([cap for _, cap in said.clusters]),
            throttle=numbers(said.throttle),
            fund_throttle=said.fund_throttle,
            state=None if said.state is None else STATES.index(said.state),
        )


def numbers(values: Sequence[float] | None) -> Panel | None:
    return None if values is None else np.array(values, np.float64)


class GivenSeat(Seat):
    """A seat whose convictions are given: the voice is the real one."""

    def __init__(self, name: str, facts: ref.Facts, confidence: sections.Confidence) -> None:
        self.name, self.markets = name, tuple(facts.names)
        self.bar_ns, said = facts.convictions[name]
        at = [k for k, t in enumerate(facts.time[:-1]) if k == 0 or t % self.bar_ns == 0]
        closes = np.array([facts.time[k] // self.bar_ns * self.bar_ns for k in at], np.int64)
        self.market = Market(self.markets, self.bar_ns, closes, {})
        self._rows = np.array([said[k] for k in at], np.float64)
        self._confidence = confidence
        self._opened = np.zeros(len(self.markets), np.int64)
        self._heard = -1
        self._said = np.full((1, len(self.markets)), np.nan)

    def convictions(self, first: int, last: int) -> Panel:
        return self._rows[first:last]


def padded(rows: Any, kind: Any = np.int64) -> Any:
    """K rows and a copy of the last: the row of the last NAV, at which nothing is decided."""
    return np.array([*rows, rows[-1]], kind)


def file_of(facts: ref.Facts, terms: ref.Terms) -> sections.Fund:
    """The fund file that says what the reference's terms say."""
    return sections.Fund(
        name="given",
        capital_usd=terms.capital_usd,
        operator=terms.operator if isinstance(terms.operator, str) else duration_text(terms.operator),
        market=sections.MarketSection(
            venue="given",
            interval=duration_text(facts.interval_ns),
            markets=tuple(facts.names),
            assumed_funding_bps_8h=terms.assumed_funding_bps_8h,
        ),
        confidence=sections.Confidence(open=terms.confidence_open, close=terms.confidence_close),
        signals=tuple(
            sections.SignalSeat(
                name=name, kind="given", agent=GivenAgent(terms.family.get(name, name)), markets=tuple(facts.names)
            )  # type: ignore[arg-type]
            for name in facts.convictions
        ),
        mandates=tuple(
            Mandate(
                name=seat.name,
                horizon="swing",
                listens=seat.listens,
                markets=tuple(seat.markets),
                cadence=duration_text(seat.cadence_ns),
                volatility_target=seat.volatility_target,
                typical_conviction=seat.typical_conviction,
                buffer=seat.buffer,
                stop=seat.stop,
                longest_holding=duration_text(seat.longest_holding_ns),
                volatility_half_life=duration_text(half_life_ns(at)),
                max_diversification=seat.max_diversification,
                style=seat.style,
                urgency=duration_text(seat.urgency_ns),
                outlook=duration_text(seat.outlook_ns),
                cost_factor=seat.cost_factor,
                cost_budget=seat.cost_budget,
            )
            for at, seat in enumerate(terms.mandates)
        ),
        limits=sections.LimitsSection(
            max_weight=terms.max_weight,
            max_gross=terms.max_gross,
            max_net=terms.max_net,
            max_order=terms.max_order,
            max_var=terms.max_var,
            min_order_usd=terms.min_order_usd,
            book_gross=terms.book_gross,
            collar_bps=terms.collar * 1e4,
        ),
        risk=(*(risk_seat(agent) for agent in terms.agents), ladder_seat(terms.ladder)),
        allocator=sections.AllocatorSection(
            kind=terms.allocator,  # type: ignore[arg-type]
            compound="always" if terms.compound else "never",
            window_days=terms.window_days,
        ),
        graduation=graduation_of(terms.graduation),
        venue=sections.VenueSection(
            taker_fee_bps=terms.fee_e8 / 1e4,
            maker_fee_bps=terms.maker_fee_e8 / 1e4,
            half_spread_bps=terms.half_spread * 1e4,
            impact=terms.impact,
        ),
        evidence=sections.EvidenceSection(
            prior_slope={terms.family.get(name, name): slope for name, slope in terms.prior_slope.items()},
            prior_observations=terms.prior_observations,
        ),
        instruments=tuple(
            Instrument(name, 1e-6, micro / 1e6)
            for name, micro in zip(facts.names, terms.min_notional_micro, strict=False)
        ),
    )


def graduation_of(gate: ref.Graduation | None) -> sections.GraduationSection:
    if gate is None:
        return sections.GraduationSection()
    return sections.GraduationSection(kind="on", **{each.name: getattr(gate, each.name) for each in fields(gate)})


def risk_seat(agent: ref.Agent) -> sections.RiskSeat:
    voice, cadence = GivenRiskAgent(agent.says), duration_text(agent.cadence_ns)
    return sections.RiskSeat(name=agent.name, kind="given", agent=voice, cadence=cadence)


def ladder_seat(ladder: ref.Ladder) -> sections.RiskSeat:
    agent = DrawdownLadder(
        **{each.name: getattr(ladder, each.name) for each in fields(ladder) if each.name != "cadence_ns"}
    )
    return sections.RiskSeat(name=LADDER, kind=LADDER, agent=agent, cadence=duration_text(ladder.cadence_ns))


def given_run(facts: ref.Facts, terms: ref.Terms, sink: Sink, change: Callable[[Run], None] | None = None) -> Run:
    """Run the compiled loop over given facts. `change` may spoil the run before it starts."""
    file = file_of(facts, terms)
    seats: dict[str, Seat] = {name: GivenSeat(name, facts, file.confidence) for name in facts.convictions}
    given: Any = GivenFacts(facts, [seat.name for seat in terms.mandates])
    run = Run(file, given, seats, sink)
    if change is not None:
        change(run)
    times: Times = given.time
    run.run(times, quietly)
    return run


def told_by_given(facts: ref.Facts, terms: ref.Terms, change: Callable[[Run], None] | None = None) -> Told:
    kept = Kept()
    run = given_run(facts, terms, kept, change)
    return told_by_loop(kept, run.file.market.markets, run.books)


def quietly(done: int, total: int, text: str) -> None:
    """Progress that nobody watches."""
