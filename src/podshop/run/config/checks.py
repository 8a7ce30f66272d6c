"""What one table cannot see: that names meet, that lengths of time fit one another, that ladders rise."""

from collections.abc import Collection, Sequence
from importlib.util import find_spec

from podshop.nouns import DAY_NS, HOUR_NS, ConfigError, Mandate, SignalAgent, duration_ns, duration_text
from podshop.nouns.symbols import VENUES, locate
from podshop.run.config.reading import Place
from podshop.run.config.sections import (
    AllocatorSection,
    Confidence,
    EvidenceSection,
    Fund,
    LimitsSection,
    MarketSection,
    SignalSeat,
)
from podshop.treasury.hrp import MISSING

LONGEST_LOOKBACK_NS = 365 * DAY_NS  # docs/semantics.md, section 7: the longest chunk of an agent
RESERVED_BOOKS = ("house", "NET")  # the record uses these two for the house book and for the net order
HORIZONS = ("scalping", "intraday", "swing")
STYLES = ("taker", "maker", "twap")
BLEND = "blend"
MOST_DIVERSIFICATION = 2.5  # Carver (2015), "Systematic Trading", chapter 8
HALF_LIVES = 5  # of a mandate's returns are what its risk is measured over: docs/semantics.md, section 9
LARGEST_CAPITAL_USD = (
    1e12  # in micro-dollars far inside int64; how many lots that may be is checked as prices are known
)


def check_market(place: Place, market: MarketSection) -> int:
    """Refuse a market section that no history can answer; gives the interval in nanoseconds."""
    if market.venue not in VENUES:
        raise place.at("venue").wrong(market.venue, f"one of {', '.join(VENUES)}")
    check_names(place.at("markets"), market.markets)
    for base in market.markets:
        try:
            locate(base, market.venue)
        except ConfigError as e:
            raise ConfigError(f"{place.at('markets')}: {e}") from None
    if market.funding:
        check_names(place.at("funding"), market.funding)
    for source in market.funding:
        if source not in VENUES:
            raise place.at("funding").wrong(source, f"one of {', '.join(VENUES)}")
    interval = place.at("interval").duration(market.interval)
    if DAY_NS % interval or HOUR_NS % min(interval, HOUR_NS) or interval % min(interval, HOUR_NS):
        raise place.at("interval").wrong(
            market.interval, "a length that divides an hour, or whole hours that divide a day"
        )
    return interval


def check_names(place: Place, names: Sequence[str], among: Collection[str] = ()) -> None:
    """A list of names is not empty, says nothing twice, and knows only those of `among` (if given)."""
    if not names:
        raise place.wrong([], "at least one name")
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{place} names {name!r} twice")
        if among and name not in among:
            raise place.unknown(name, among)


def check_agent(place: Place, agent: SignalAgent, interval_ns: int) -> None:
    """An agent's bar is made of whole cycles, and its memory is at most a year."""
    bar = place.at("bar").duration(agent.bar)
    if bar < interval_ns:
        raise place.at("bar").wrong(agent.bar, f"at least the cycle's {duration_text(interval_ns)}")
    if bar % interval_ns:
        raise place.at("bar").wrong(agent.bar, f"a multiple of the cycle's {duration_text(interval_ns)}")
    if not 1 <= agent.lookback_bars * bar <= LONGEST_LOOKBACK_NS:
        raise ConfigError(f"{place} looks back {agent.lookback_bars} bars of {agent.bar}, expected at most 365 days")


def check_mandate(place: Place, mandate: Mandate, seats: Sequence[SignalSeat], interval_ns: int) -> None:
    """A mandate listens to signals that are there, about markets they cover, in sane numbers."""
    seat_of = {seat.name: seat for seat in seats}
    if mandate.name in RESERVED_BOOKS:
        raise ConfigError(f"{place}: a book cannot be called {mandate.name!r}, the record uses that name itself")
    check_names(place.at("listens"), tuple(mandate.listens), tuple(seat_of))
    for name, weight in mandate.listens.items():
        if weight == 0:
            raise place.at("listens").at(name).wrong(weight, "a weight other than 0")
    for market in mandate.markets:
        if not any(market in seat_of[name].markets for name in mandate.listens):
            raise ConfigError(f"{place} trades {market!r}, which no signal it listens to covers")
    if mandate.horizon not in HORIZONS:
        raise place.at("horizon").wrong(mandate.horizon, f"one of {', '.join(map(repr, HORIZONS))}")
    if mandate.style not in STYLES:
        raise place.at("style").wrong(mandate.style, f"one of {', '.join(map(repr, STYLES))}")
    for key, low, high in (("volatility_target", 0.0, 5.0), ("typical_conviction", 0.0, 1.0), ("stop", 0.0, 1000.0)):
        if not low < getattr(mandate, key) <= high:
            raise place.at(key).wrong(getattr(mandate, key), f"a number > {low:g} and <= {high:g}")
    if not 0 <= mandate.buffer < 1:
        raise place.at("buffer").wrong(mandate.buffer, "a number >= 0 and < 1")
    if not 1 <= mandate.max_diversification <= MOST_DIVERSIFICATION:
        raise place.at("max_diversification").wrong(
            mandate.max_diversification, f"a number >= 1 and <= {MOST_DIVERSIFICATION:g}"
        )
    if mandate.kind != BLEND and mandate.max_diversification != 1:
        raise place.at("max_diversification").wrong(
            mandate.max_diversification, "1, since a class of your own says itself how large its opinion is"
        )
    if mandate.cost_factor < 0:
        raise place.at("cost_factor").wrong(mandate.cost_factor, "a number >= 0")
    if mandate.cost_budget <= 0:
        raise place.at("cost_budget").wrong(mandate.cost_budget, "a number > 0")
    check_times(place, mandate, interval_ns)


def check_times(place: Place, mandate: Mandate, interval_ns: int) -> None:
    """How long a position is held and a forecast looks ahead is at least a cycle; a shorter cadence means every one."""
    for key in ("cadence", "urgency"):
        place.at(key).duration(getattr(mandate, key))
    for key in ("outlook", "longest_holding"):
        if place.at(key).duration(getattr(mandate, key)) < interval_ns:
            raise place.at(key).wrong(getattr(mandate, key), f"at least the cycle's {duration_text(interval_ns)}")
    shortest_ns, longest_ns = max(HOUR_NS, interval_ns), LONGEST_LOOKBACK_NS // HALF_LIVES
    if not shortest_ns <= place.at("volatility_half_life").duration(mandate.volatility_half_life) <= longest_ns:
        raise place.at("volatility_half_life").wrong(
            mandate.volatility_half_life,
            f"at least {duration_text(shortest_ns)} and at most {duration_text(longest_ns)}",
        )


def check_confidence(place: Place, confidence: Confidence) -> None:
    """A voice shuts below where it opens."""
    if not (confidence.close <= confidence.open and confidence.open > 0):
        raise ConfigError(
            f"{place}: open {confidence.open} and close {confidence.close}, expected 0 <= close <= open, open > 0"
        )


def check_allocator(place: Place, allocator: AllocatorSection, seats: Sequence[SignalSeat]) -> None:
    """A prior is one of a horizon, or of a family that some signal of the fund belongs to; hrp needs its library."""
    if allocator.kind == "hrp" and find_spec("skfolio") is None:
        raise ConfigError(f"{place.at('kind')}: {MISSING}")
    families = _families(seats)
    for name in allocator.prior_sharpe:
        if name not in HORIZONS and name not in families:
            raise place.at("prior_sharpe").unknown(name, (*HORIZONS, *families))


def check_evidence(place: Place, evidence: EvidenceSection, seats: Sequence[SignalSeat]) -> None:
    """What is believed beforehand is believed of a family that some signal of the fund belongs to."""
    for name in evidence.prior_slope:
        if name not in _families(seats):
            raise place.at("prior_slope").unknown(name, _families(seats))


def _families(seats: Sequence[SignalSeat]) -> tuple[str, ...]:
    return tuple(
        sorted({getattr(seat.agent, "family", "") for seat in seats} - {""})
    )  # one's own agents need have none


def check_limits(place: Place, limits: LimitsSection, capital_usd: float, half_spread_bps: float) -> None:
    """Some order must be possible at all."""
    if half_spread_bps > limits.collar_bps:
        raise place.at("collar_bps").wrong(limits.collar_bps, f"at least [venue].half_spread_bps, {half_spread_bps:g}")
    if limits.min_order_usd >= limits.max_weight * capital_usd:
        raise place.at("min_order_usd").wrong(
            limits.min_order_usd, f"less than the largest position, {limits.max_weight * capital_usd:g} USD"
        )
    if limits.min_order_usd >= limits.max_order * capital_usd:
        raise place.at("min_order_usd").wrong(
            limits.min_order_usd, f"less than the largest order, {limits.max_order * capital_usd:g} USD"
        )


def coarse(fund: Fund) -> list[str]:
    """A line for each mandate that is meant to decide more often than there are bars."""
    interval = fund.market.interval
    return [
        f"{m.name} is meant to decide every {m.cadence}; on bars of {interval} it decides every {interval}"
        for m in fund.mandates
        if duration_ns(m.cadence) < duration_ns(interval)
    ]
