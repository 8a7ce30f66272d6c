"""Network activity: a coin that more people use is worth more, and the price follows slowly.

Source: Liu & Tsyvinski (2021), "Risks and returns of cryptocurrency", Review of Financial Studies 34(6), 2689-2727
(network factors); Cong, Li & Wang (2021), "Tokenomics: dynamic adoption and valuation", Review of Financial Studies
34(3), 1105-1155.
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import confidence, rolling
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkActivity:
    """Long while addresses and transactions are above their usual, short while below."""

    bar: str = "1d"
    recent_bars: int = 7  # a week, so that weekends cancel
    window_bars: int = 90
    reads: ClassVar[tuple[str, ...]] = ("onchain_AdrActCnt", "onchain_TxCnt")
    family: ClassVar[str] = "onchain"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self, recent_bars=1, window_bars=3)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars + self.recent_bars - 1

    def __call__(self, onchain_AdrActCnt: Panel, onchain_TxCnt: Panel) -> Panel:
        return network_activity(onchain_AdrActCnt, onchain_TxCnt, self.recent_bars, self.window_bars)


def network_activity(addresses: Panel, transactions: Panel, recent_bars: int, window_bars: int) -> Panel:
    """Score each market by how far recent addresses and transactions stand above their usual, the average of both.

    addresses, transactions  (T, M) active addresses and transactions of the latest day known; NaN where unknown
    recent_bars              bars of the recent average, >= 1
    window_bars              such averages that make the usual, >= 3
    ->                       (T, M) conviction in [-1, 1]; NaN means no opinion

    BTC, days from 2023-05-03: more transactions, fewer addresses.

    >>> import numpy as np
    >>> addresses = np.array([[953701.0], [914598.0], [822037.0], [764917.0], [549932.0], [696710.0]])
    >>> transactions = np.array([[488518.0], [490738.0], [411057.0], [603617.0], [614264.0], [573864.0]])
    >>> network_activity(addresses, transactions, recent_bars=1, window_bars=4).round(2).ravel()
    array([  nan,   nan,   nan,  0.05, -0.26,  0.12])
    """
    people, use = (
        rolling.zscore(rolling.mean(maths.log(count), recent_bars), window_bars) for count in (addresses, transactions)
    )
    return confidence((people + use) / 2)
