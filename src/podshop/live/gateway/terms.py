"""What the gateway is told once, by its own configuration, and no brain can change.

`terms_of` reads fund file and gateway.toml where a person starts the fund, and `Terms` travels to the gateway as JSON:
the gateway itself never imports the fund's agents.
"""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from msgspec import Meta

from podshop.maths.whole import Keys, fnv1a64
from podshop.nouns import ConfigError, Whole, duration_ns
from podshop.nouns.venue import SECOND_NS
from podshop.nouns.verdict import HOUSE

if TYPE_CHECKING:
    from podshop.live.config import Gateway as GatewayFile
    from podshop.run.config.sections import Fund as FundFile

MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 3600 * SECOND_NS
Share = Annotated[float, Meta(ge=0, le=1e6)]
Count = Annotated[int, Meta(ge=0)]


class Hard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits that no brain loosens; fractions of NAV, as `live.config.HardLimits` describes them.

    canary_micro     most gross in micro-dollars; 0 = no such limit
    variance_floor   0 = the gateway's own variances and covariance are not asked (a replay of history knows better)
    """

    max_weight: Share = 0.05
    max_gross: Share = 1.0
    max_net: Share = 1.0
    max_var: Share = 0.02
    max_order: Share = 0.05
    collar: Share = 0.01
    turnover: Share = 4.0
    daily_loss: Share = 0.05
    variance_floor: Share = 0.5
    orders_a_minute: Count = 120
    canary_micro: Count = 0


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A fund as its gateway sees it. Money micro-dollars, durations nanoseconds of the venue's clock.

    markets, books   names in the order of the fund file; lot_sizes, min_notional (M,)
    fee_e8           taker's fee in 1e-8 of notional, as the gate reserves it
    suspense_micro   unexplained differences above this halt the fund; dust_micro smaller ones are the house's
    offset_ns        more between the venue's clock and ours: no new risk
    answer_ns        how long one reply is waited for; clean_ns between the two readings that make a coin clean
    brain_reduce, brain_flatten  cycles for which the brain may be silent
    """

    fund: str
    fund_sha256: str
    interval_ns: Annotated[int, Meta(gt=0)]
    markets: tuple[str, ...]
    lot_sizes: tuple[float, ...]
    min_notional: tuple[Count, ...]
    books: tuple[str, ...]
    capital_micro: Annotated[int, Meta(gt=0)]
    fee_e8: Count
    min_order_micro: Count
    hard: Hard = Hard()
    suspense_micro: Count = 50_000_000
    dust_micro: Count = 11_000_000
    offset_ns: Count = SECOND_NS
    answer_ns: Count = 5 * SECOND_NS
    clean_ns: Count = 5 * SECOND_NS
    brain_reduce: Count = 3
    brain_flatten: Count = 12

    @cached_property
    def market_key(self) -> Keys:
        """(M,) hashes that order ties, as in a backtest."""
        return np.array([fnv1a64(name) for name in self.markets], np.uint64)

    @cached_property
    def book_key(self) -> Keys:
        """(B1,) the same of books and house."""
        return np.array([fnv1a64(name) for name in (*self.books, HOUSE)], np.uint64)

    @cached_property
    def least(self) -> Whole:
        """(M,) smallest orders."""
        return np.array(self.min_notional, np.int64)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The books, then the house."""
        return (*self.books, HOUSE)

    @property
    def reserve(self) -> float:
        """Share of the notional in flight that fees and the collar may cost."""
        return self.fee_e8 / 1e8 + self.hard.collar


def tightened(terms: Terms, gateway: "GatewayFile") -> Terms:
    """The terms under gateway.toml as it stands now: of each limit the tighter of both.

    A person's command writes the terms and so may loosen; a process that only starts again obeys what was tightened.
    Terms of a replay of history, which no gateway.toml can write (`variance_floor` 0), hold at a simulated venue.
    """
    if gateway.venue == "simulated" and terms.hard.variance_floor == 0:
        return terms
    hard, told = terms.hard, _hard(gateway)
    found = {name: min(getattr(hard, name), getattr(told, name)) for name in Hard.__struct_fields__}
    found["variance_floor"] = max(hard.variance_floor, told.variance_floor)
    found["canary_micro"] = min((each for each in (hard.canary_micro, told.canary_micro) if each > 0), default=0)
    return msgspec.structs.replace(
        terms,
        hard=Hard(**found),
        suspense_micro=min(terms.suspense_micro, round(gateway.thresholds.suspense_usd * 1e6)),
        dust_micro=min(terms.dust_micro, round(gateway.thresholds.dust_usd * 1e6)),
        offset_ns=min(terms.offset_ns, gateway.offset_ns),
        brain_reduce=min(terms.brain_reduce, gateway.heartbeats.brain_reduce),
        brain_flatten=min(terms.brain_flatten, gateway.heartbeats.brain_flatten),
    )


def terms_of(fund: "FundFile", gateway: "GatewayFile") -> Terms:
    """The terms of a fund file under a gateway.toml."""
    found = gateway.thresholds
    return Terms(
        fund=fund.name,
        fund_sha256=fund.sha256,
        interval_ns=duration_ns(fund.market.interval),
        markets=tuple(fund.market.markets),
        lot_sizes=tuple(i.lot_size for i in fund.instruments),
        min_notional=tuple(round(i.min_notional_usd * 1e6) for i in fund.instruments),
        books=tuple(mandate.name for mandate in fund.mandates),
        capital_micro=round(fund.capital_usd * 1e6),
        fee_e8=round(fund.venue.taker_fee_bps * 1e4),
        min_order_micro=round(fund.limits.min_order_usd * 1e6),
        hard=_hard(gateway),
        suspense_micro=round(found.suspense_usd * 1e6),
        dust_micro=round(found.dust_usd * 1e6),
        offset_ns=gateway.offset_ns,
        brain_reduce=gateway.heartbeats.brain_reduce,
        brain_flatten=gateway.heartbeats.brain_flatten,
    )


def _hard(gateway: "GatewayFile") -> Hard:
    limits = gateway.limits
    return Hard(
        max_weight=limits.max_weight,
        max_gross=limits.max_gross,
        max_net=limits.max_net,
        max_var=limits.max_var,
        max_order=limits.max_order,
        collar=limits.collar_bps / 1e4,
        turnover=limits.turnover,
        daily_loss=limits.daily_loss,
        variance_floor=limits.variance_floor,
        orders_a_minute=limits.orders_a_minute,
        canary_micro=round(gateway.canary_usd * 1e6),
    )


def write_terms(terms: Terms, path: Path) -> None:
    """Write the terms for the gateway's process."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(terms), indent=2) + b"\n")


def read_terms(path: Path) -> Terms:
    """The terms that a person's command wrote. Raises ConfigError where they are not whole."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Terms)
    except (OSError, msgspec.MsgspecError) as e:
        raise ConfigError(f"{path}: no terms of a gateway: {e}") from None
