"""The tables of a fund file, as frozen data: their fields are the keys, their defaults what a missing key means.

The docstrings below are the reference: README.md and `podshop init` show them, and a test fails when a key has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta

from podshop.nouns import ExecutionAgent, Instrument, Mandate, SignalAgent

Share = Annotated[float, Meta(ge=0, le=1)]
Cap = Annotated[float, Meta(gt=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Bps = Annotated[float, Meta(ge=0, lt=10_000)]
DAILY = "1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSection:
    """Which history is read, and what is paid where funding has no record.

    venue                   whose bars: a folder of DATA/bars, such as okx_perp
    interval                length of a cycle: divides an hour, or is whole hours that divide a day
    markets                 base assets as on Hyperliquid: BTC, PEPE; their order is the order of the arrays
    funding                 funding sources in order of preference: folders of DATA/funding
    assumed_funding_bps_8h  paid by both sides for each 8 hours that no funding record covers, bps of notional
    """

    venue: str
    interval: str
    markets: tuple[str, ...]
    funding: tuple[str, ...] = ()
    assumed_funding_bps_8h: Bps = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """When a signal's voice is heard; abs conviction 0.65 is a standardised score of 0.93.

    open   a voice opens when its conviction is at least this
    close  and shuts when it falls below this, or turns its sign
    """

    open: Share = 0.65
    close: Share = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSection:
    """What the gate enforces on every order.

    max_weight     largest position in one market, fraction of NAV
    max_gross      largest sum of absolute positions, fraction of NAV; above 1 needs margin, which is not modelled
    max_net        largest net position of the whole fund, fraction of NAV
    max_var        largest 1-day 95 % value at risk, fraction of NAV
    max_order      largest increase in one order, fraction of NAV
    min_order_usd  an increase must be larger than this, USD
    book_gross     largest sum of absolute positions of one book, fraction of its capital
    collar_bps     an order is limited this far from the price it was decided at, bps
    """

    max_weight: Cap = 0.05
    max_gross: Cap = 1.0
    max_net: Cap = 1.0
    max_var: Cap = 0.02
    max_order: Cap = 1.0
    min_order_usd: NotNegative = 100.0
    book_gross: Cap = 1.0
    collar_bps: Annotated[float, Meta(gt=0, lt=10_000)] = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatorSection:
    """How capital is shared among the books, each day at 00:00 UTC.

    kind             equal; article: weight grows with the shadow book's Sharpe ratio; inverse_vol: it falls with its
                     volatility; hrp: with the variance of groups of books that move alike (needs podshop[portfolio]);
                     shrunk: by what is believed of each book, and what nobody deserves stays cash
    compound         whether gains beyond the high-water mark are risked too: always; never: they stay cash; by_kind:
                     never under shrunk, always under the others
    window_days      article, hrp and inverse_vol: days of shadow returns that are judged; before that, equal
    prior_sharpe     shrunk: horizon or family of signals -> annual net Sharpe ratio expected before any evidence, where
                     it is not swing 0.5, intraday 0.3, scalping 0.1; a family's goes before a horizon's
    prior_days       shrunk: the prior weighs as much as so many days of evidence
    invest_all_from  shrunk: annual Sharpe ratio believed of the whole mix from which on nothing stays cash
    back_from        shrunk: a book of which less than 0 was believed is employed again from this belief
    floor            shrunk: least weight of an employed book, in equal shares
    cap              shrunk: largest weight of a book, in equal shares
    band             shrunk: a weight that would move by less stays, in equal shares
    turnover         shrunk: most capital that moves in a day, fraction of NAV, both ways counted
    """

    kind: Literal["article", "equal", "hrp", "inverse_vol", "shrunk"] = "shrunk"
    compound: Literal["always", "by_kind", "never"] = "by_kind"
    window_days: Annotated[int, Meta(ge=2, le=365)] = 30
    prior_sharpe: Mapping[str, float] = field(default_factory=dict)
    prior_days: Positive = 730.0
    invest_all_from: Positive = 0.5
    back_from: NotNegative = 0.1
    floor: Share = 0.25
    cap: Annotated[float, Meta(ge=1)] = 2.0
    band: Share = 0.2
    turnover: Annotated[float, Meta(gt=0, le=2)] = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class GraduationSection:
    """Who may hold capital: every book has a stage, by what its shadow has proved. What it does: docs/graduation.md.

    kind           off: every book gets what the allocator gives; on: what its stage lets it have, and the rest is cash
    signer         who signs a promotion to seed or full: rule, on the day it is due; person, so that it waits for
                   somebody to sign, which in a backtest nobody does. Steps down never wait
    start          stage of every book on the first day: research, paper, seed or full
    trials         agents tried for these places, those thrown away too; 0 = as many as there are books
    floor_days     days of evidence before seed, and again at seed before full
    review_days    how often a promotion is looked at, in days of evidence
    psr            least probabilistic Sharpe ratio of any capital
    seed_dsr       least deflated Sharpe ratio of seed: 0.5 = as good as the best luck to be expected
    full_dsr       least deflated Sharpe ratio of full
    seed_share     of what the allocator would give, what seed gets
    out_from       drawdown that suspends, in the book's annual volatility target
    cool_off_days  least days suspended
    alive          annual Sharpe ratio of a book that does what is hoped
    alarm          logarithm of the odds against that from which a book goes one stage down
    """

    kind: Literal["off", "on"] = "off"
    signer: Literal["person", "rule"] = "rule"
    start: Literal["full", "paper", "research", "seed"] = "research"
    trials: NotNegative = 0.0
    floor_days: Annotated[int, Meta(ge=1, le=3650)] = 90
    review_days: Annotated[int, Meta(ge=1, le=365)] = 30
    psr: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    seed_dsr: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    full_dsr: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    seed_share: Share = 0.25
    out_from: Positive = 1.25
    cool_off_days: Annotated[int, Meta(ge=0, le=3650)] = 30
    alive: Positive = 1.0
    alarm: Positive = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSection:
    """What trading costs on the simulated venue. Defaults: Hyperliquid's base tier, and what is known of impact.

    Sources: fees 0.045 % and 0.015 %, smallest order 10 USD, Hyperliquid's documentation (fees, error MinTradeNtl);
    half-spread: the usual one-tick spread of its large markets; impact: cost = coefficient x daily volatility x
    sqrt(order / daily volume), coefficient about 1 (Toth et al. 2011, Physical Review X 1, 021006).

    name              the only venue of a backtest: simulated
    taker_fee_bps     fee of a fill that takes, bps of its notional
    maker_fee_bps     fee of a fill that was waited for
    queue             share of what a bar would fill at a resting order's price that stands before us
    half_spread_bps   from the middle to the price that trades, bps
    impact            coefficient of the square-root law, in daily volatilities
    participation     most of a usual bar's volume that one order may take
    volume_window     a usual bar is the median of this long
    lots              market -> lot in base units, where it is not Hyperliquid's
    min_notional_usd  market -> smallest order, USD, where it is not 10
    """

    name: Literal["simulated"] = "simulated"
    taker_fee_bps: Bps = 4.5
    maker_fee_bps: Bps = 1.5
    queue: Share = 0.5
    half_spread_bps: Bps = 1.0
    impact: NotNegative = 1.0
    participation: Cap = 0.10
    volume_window: str = "7d"
    lots: Mapping[str, Positive] = field(default_factory=dict)
    min_notional_usd: Mapping[str, NotNegative] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSection:
    """What is believed of forecasts before any were judged; for mandates with a `cost_factor`.

    prior_slope         family of signals -> standardised return expected at full conviction, gross; 0 for the others
    prior_observations  the prior weighs as much as so many judged forecasts
    """

    prior_slope: Mapping[str, float] = field(default_factory=dict)
    prior_observations: Positive = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSeat:
    """A signal agent at its seat. Every other key of its table is a setting of the agent.

    kind        a name from `podshop agents list`, or module:Class of your own, importable or beside the fund file
    markets     base assets it has an opinion on
    calibrated  show beside each opinion how often opinions as strong were right in the year before; decides nothing
    """

    name: str
    kind: str
    agent: SignalAgent
    markets: tuple[str, ...]
    calibrated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSeat:
    """A risk agent at its seat. Every other key of its table is a setting of the agent.

    kind     module:Class of your own, importable or beside the fund file
    agent    a dataclass, as it is before its first look: a run takes a copy of its own
    cadence  how often it is asked
    off      true leaves it out
    """

    name: str
    kind: str
    agent: Any  # a RiskAgent; what it has beside its settings is what it remembers
    cadence: str = DAILY


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """A whole fund, read and checked.

    name         what the fund is called
    capital_usd  what it starts with, USD
    operator     after which time a person lets a fund that only reduces trade again, such as 30d; never, if nobody does
    """

    name: str
    capital_usd: Positive = 100_000.0
    operator: str = "never"
    market: MarketSection
    confidence: Confidence = Confidence()
    signals: tuple[SignalSeat, ...]
    mandates: tuple[Mandate, ...]
    agents: Mapping[str, ExecutionAgent] = field(default_factory=dict)  # book -> who combines, where not by the blend
    limits: LimitsSection = LimitsSection()
    risk: tuple[RiskSeat, ...] = ()
    allocator: AllocatorSection = AllocatorSection()
    graduation: GraduationSection = GraduationSection()
    venue: VenueSection = VenueSection()
    evidence: EvidenceSection = EvidenceSection()
    instruments: tuple[Instrument, ...]
    sha256: str = ""
