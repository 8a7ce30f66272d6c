"""What was known of the markets, as columns of time by market."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from podshop.nouns.errors import ConfigError

Panel: TypeAlias = NDArray[np.float64]  # (T, M), NaN = unknown; time is contiguous in memory (M, T transposed)
Times: TypeAlias = NDArray[np.int64]  # (T,) UTC nanoseconds
Whole: TypeAlias = NDArray[np.int64]  # lots, micro-dollars, indices
Flags: TypeAlias = NDArray[np.bool_]
Int: TypeAlias = int | np.int64  # one of these, given to a compiled function: to the machine they are the same

BAR_COLUMNS = ("open", "high", "low", "close", "volume")
NEWS_COUNT, NEWS_TONE = "news_count", "news_tone"  # of one bar: longer bars add the one up and average the other


@dataclass(frozen=True, slots=True)
class Market:
    """Columnar view of what was known, on a regular grid of bar closes.

    names        M base assets, in the order of the fund file
    interval_ns  length of a bar
    time         (T,) bar close, UTC ns, regular: every step is interval_ns (a gap is a row of NaN)
    columns      name -> (T, M) float64; row t holds only what was known at time[t]; NaN = unknown
                 A bar without trading (zero volume) has NaN prices and volume 0; no bar at all is NaN in all five.
    """

    names: tuple[str, ...]
    interval_ns: int
    time: Times
    columns: Mapping[str, Panel]

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: slice) -> "Market":
        return Market(self.names, self.interval_ns, self.time[rows], {k: v[rows] for k, v in self.columns.items()})

    def pick(self, names: tuple[str, ...]) -> "Market":
        """The same rows, these markets only, in this order."""
        if names == self.names:
            return self
        at = [self.names.index(name) for name in names]
        return Market(names, self.interval_ns, self.time, {k: v.T[at].T for k, v in self.columns.items()})

    def reads(self, names: tuple[str, ...]) -> dict[str, Panel]:
        """The columns an agent declared, by name."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise ConfigError(f"no column {missing[0]!r} in this market, expected one of {sorted(self.columns)}")
        return {name: self.columns[name] for name in names}


ASSUMED = 0  # source index of a settlement nobody recorded
ASSUMED_SOURCE = "ASSUMED"  # and its name in the record


@dataclass(frozen=True, slots=True)
class Funding:
    """Settlements of funding in the order of (at_ns, market).

    at_ns    (N,) settlement time, UTC ns
    market   (N,) index into the Market's names
    rate     (N,) fraction of notional paid by longs to shorts; for ASSUMED rows, paid by both sides (>= 0)
    source   (N,) index into `sources`; 0 is ASSUMED
    assumed_share  market name -> share of its listed hours that no record covers
    """

    at_ns: Times
    market: Whole
    rate: NDArray[np.float64]
    source: Whole
    sources: tuple[str, ...]
    assumed_share: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Instrument:
    """How a market trades: the rules of its venue.

    lot_size          base units per lot (BTC on Hyperliquid: 1e-5)
    min_notional_usd  smallest order, USD
    """

    name: str
    lot_size: float
    min_notional_usd: float

    @property
    def lot_micro_scale(self) -> float:
        """Price in quote currency x this = micro-dollars per lot."""
        return self.lot_size * 1e6
