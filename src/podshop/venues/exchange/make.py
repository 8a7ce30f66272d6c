"""An exchange for a fund: the terms of its [venue] table, the liquidity of its backtest."""

from typing import Protocol

from podshop.nouns import HOUR_NS, Funding, Instrument, Market
from podshop.venues.exchange.placed import Terms
from podshop.venues.exchange.tape import MarketFacts, liquid_of
from podshop.venues.exchange.truth import Exchange

MAX_LEVERAGE = {"BTC": 40, "ETH": 25, "SOL": 20}  # as Hyperliquid listed them; the others get the least of these
LEAST_LEVERAGE = 10


class VenueTable(Protocol):
    """The part of `run.config.sections.VenueSection` that is needed here."""

    @property
    def taker_fee_bps(self) -> float:
        """Fee of what is taken."""
        ...

    @property
    def maker_fee_bps(self) -> float:
        """Fee of what rested."""
        ...

    @property
    def half_spread_bps(self) -> float:
        """From the middle to the price that trades."""
        ...

    @property
    def impact(self) -> float:
        """Coefficient of the square root."""
        ...


def terms_of(venue: VenueTable, instruments: tuple[Instrument, ...]) -> Terms:
    """What a fund's simulated venue charges, in whole numbers, as its backtest reads it."""
    return Terms(
        fee_e8=round(venue.taker_fee_bps * 1e4),
        maker_fee_e8=round(venue.maker_fee_bps * 1e4),
        half_spread=venue.half_spread_bps / 1e4,
        impact=float(venue.impact),
        min_notional_micro={each.name: round(each.min_notional_usd * 1e6) for each in instruments},
        max_leverage={each.name: MAX_LEVERAGE.get(each.name, LEAST_LEVERAGE) for each in instruments},
        funding_interval_ns=HOUR_NS,
    )


def exchange_of(
    venue: VenueTable,
    instruments: tuple[Instrument, ...],
    market: Market,
    funding: Funding,
    facts: MarketFacts,
    start_ns: int,
    cash_micro: int,
) -> Exchange:
    """An exchange that fills and charges as the backtest of the same world does.

    facts  `run.backtest.market_facts(fund, market, funding)`
    """
    liquid = liquid_of(facts, start_ns)
    return Exchange(market, funding, instruments, terms_of(venue, instruments), start_ns, cash_micro, liquid)
