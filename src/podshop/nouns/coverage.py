"""What the data at hand covers, market by market, and what it does not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that should be there and are not.

    start_ns  close of the last bar before the gap
    end_ns    open of the first bar after it
    bars      how many are missing
    """

    start_ns: int
    end_ns: int
    bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCoverage:
    """What was read of one market.

    first_ns, last_ns  open of its first bar and close of its last one; None when it has no bar in the period
    bars               bars read; those of them without trading are `zero_volume_bars`
    missing_bars       sum over `gaps`
    assumed_share      share of its hours that no funding record covers, 0 to 1
    """

    name: str
    first_ns: int | None
    last_ns: int | None
    bars: int
    missing_bars: int
    zero_volume_bars: int
    gaps: tuple[Gap, ...]
    assumed_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReport:
    """What was read, in the bars it is stored in (`stored_ns` long), before any were joined to longer ones."""

    venue: str
    stored_ns: int
    funding: tuple[str, ...]
    markets: tuple[MarketCoverage, ...]
