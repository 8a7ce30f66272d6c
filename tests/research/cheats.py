"""Agents that cheat or err, one way each, around one honest agent; and a leak that can be planted into any agent.

Source: none; they are what people write by accident.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import bottleneck
import numpy as np

from podshop import maths
from podshop.maths import confidence, conviction, rolling
from podshop.nouns import Panel, SignalAgent

WINDOW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Honest:
    """Lean the way the column stands beside its average.

    close  (T, M) any column -> (T, M) conviction

    >>> Honest().lookback_bars
    20
    """

    bar: str = "1h"
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "momentum"
    cross_sectional: ClassVar[bool] = False

    @property
    def lookback_bars(self) -> int:
        return WINDOW

    def __call__(self, close: Panel) -> Panel:
        return confidence(rolling.zscore(maths.log(close), WINDOW))


class Undocumented(Honest):
    """Nothing to see."""


Undocumented.__module__ = "builtins"


class PeeksOneBar(Honest):
    def __call__(self, close: Panel) -> Panel:
        ahead = np.vstack([close[1:], close[-1:]])
        return confidence(rolling.zscore(maths.log(ahead), WINDOW))


class PeeksRarely(Honest):
    """Honest but for every hundredth row."""

    every: ClassVar[int] = 100

    def __call__(self, close: Panel) -> Panel:
        answer, early = Honest.__call__(self, close), PeeksOneBar.__call__(PeeksOneBar(), close)
        answer[:: self.every] = early[:: self.every]
        return answer


class PeeksVeryRarely(PeeksRarely):
    every = 500


class PeeksRarelyAcross(PeeksVeryRarely):
    cross_sectional = True


class WholeSample(Honest):
    def __call__(self, close: Panel) -> Panel:
        price = maths.log(close)
        return confidence((price - np.nanmean(price, axis=0)) / np.nanstd(price, axis=0))


class EndlessAverage(Honest):
    def __call__(self, close: Panel) -> Panel:
        price = maths.log(close)
        average = price.copy()
        for t in range(1, len(price)):
            before = average[t - 1]
            step = 0.9 * before + 0.1 * price[t]
            average[t] = np.where(np.isnan(step), np.where(np.isnan(before), price[t], before), step)
        return confidence((price - average) / 0.02)


class SameBarFunding(Honest):
    reads = ("funding_per_hour",)
    family = "funding"

    def __call__(self, funding_per_hour: Panel) -> Panel:
        settling = np.vstack([funding_per_hour[1:], np.full_like(funding_per_hour[:1], np.nan)])
        return confidence(-settling * 8e4)


class OnchainBeforeKnown(Honest):
    reads = ("onchain_AdrActCnt",)
    family = "onchain"

    def __call__(self, onchain_AdrActCnt: Panel) -> Panel:
        day_it_is_about = np.vstack([onchain_AdrActCnt[1:], np.full_like(onchain_AdrActCnt[:1], np.nan)])
        return confidence(rolling.zscore(maths.log(day_it_is_about), WINDOW))


class WritesIntoColumns(Honest):
    def __call__(self, close: Panel) -> Panel:
        answer = Honest.__call__(self, close)
        close[close > np.nanmedian(close)] = np.nan
        return answer


class FirstMarketFirst(Honest):
    cross_sectional = True

    def __call__(self, close: Panel) -> Panel:
        return conviction(Honest.__call__(self, close) / (1.0 + np.arange(close.shape[1])))


class LooksAtOthers(Honest):
    def __call__(self, close: Panel) -> Panel:
        return conviction(Honest.__call__(self, close) - maths.cross.rank(maths.log_return(close)))


class FillsGaps(Honest):
    def __call__(self, close: Panel) -> Panel:
        return np.asarray(np.nan_to_num(Honest.__call__(self, close)))


class OutOfRange(Honest):
    def __call__(self, close: Panel) -> Panel:
        return rolling.zscore(maths.log(close), WINDOW)


class Unrounded(Honest):
    def __call__(self, close: Panel) -> Panel:
        return np.asarray(np.tanh(rolling.zscore(maths.log(close), WINDOW)))


class TossesACoin(Honest):
    def __call__(self, close: Panel) -> Panel:
        return conviction(Honest.__call__(self, close) * np.random.default_rng().random(close.shape))


class Fourier(Honest):
    """A moving average by FFT: right to 1e-12, but every bit depends on the length of the history."""

    def __call__(self, close: Panel) -> Panel:
        price = np.nan_to_num(maths.log(close))
        kernel = np.zeros(len(price))
        kernel[:WINDOW] = 1.0 / WINDOW
        wide = 2 * len(price)
        average = np.fft.irfft(np.fft.rfft(price, wide, axis=0) * np.fft.rfft(kernel, wide)[:, None], wide, axis=0)
        return np.asarray(np.clip(price - average[: len(price)], -1.0, 1.0))


class PriceDifference(Honest):
    def __call__(self, close: Panel) -> Panel:
        return confidence(maths.change(close, WINDOW - 1))


class RunningSums(Honest):
    def __call__(self, close: Panel) -> Panel:
        close = np.where(np.isfinite(close), close, np.nan)
        average = bottleneck.move_mean(close, WINDOW, axis=0, min_count=2)
        deviation = bottleneck.move_std(close, WINDOW, axis=0, min_count=2)
        return confidence(maths.ratio(close - average, deviation))


class WrongShape(Honest):
    def __call__(self, close: Panel) -> Panel:
        return Honest.__call__(self, close)[:, :1]


class Undeclared(Honest):
    family = "astrology"


class Slow(Honest):
    def __call__(self, close: Panel) -> Panel:
        for row in close:
            for price in row:
                np.isfinite(price).mean()
        return Honest.__call__(self, close)


CHEATS: dict[type[Honest], str] = {
    Undeclared: "declared",
    Undocumented: "documented",
    WrongShape: "shaped",
    EndlessAverage: "finite_memory",
    PeeksOneBar: "no_peek",
    PeeksRarely: "no_future",
    PeeksVeryRarely: "no_future",
    PeeksRarelyAcross: "no_future",
    WholeSample: "no_whole_sample",
    SameBarFunding: "settled_funding",
    OnchainBeforeKnown: "known_at",
    WritesIntoColumns: "kept",
    FirstMarketFirst: "order_of_markets",
    LooksAtOthers: "one_market_alone",
    FillsGaps: "unknown_stays",
    OutOfRange: "in_range",
    Unrounded: "in_range",
    TossesACoin: "deterministic",
    Fourier: "prefix_stable",
    PriceDifference: "unit_free",
    RunningSums: "robust",
    Slow: "fast",
}


@dataclass(frozen=True)
class Leaky:
    """Any agent, fed one of its columns a row early."""

    honest: SignalAgent
    column: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.honest, name)

    def __call__(self, **columns: Panel) -> Panel:
        early = columns[self.column]
        return self.honest(**columns | {self.column: np.vstack([early[1:], early[-1:]])})


def leaks(agent: SignalAgent) -> Iterator[Leaky]:
    """The agent, leaking each column that it reads."""
    yield from (Leaky(agent, column) for column in agent.reads)
