"""A market that grows bar by bar, and longer bars of it, in memory that stays where it is.

An array that a backtest would cut from history and one that grew here hold the same numbers in the same order of
memory (time contiguous), so whatever is computed on them comes out the same to the bit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from podshop.live.brain.pages import Page
from podshop.market import resample
from podshop.nouns import Market, Panel, Times

ROOM = 1.25  # what is kept free at the end, as a share of what is held
SPARE_ROWS = 1024  # and so many rows more


class Grown:
    """(T, M) numbers to which rows are added at the end and from which they are dropped at the beginning.

    page  where they are: one that workers may be handed
    """

    def __init__(self, panel: Panel) -> None:
        rows, markets = panel.shape
        self.page = Page(markets, int(rows * ROOM) + SPARE_ROWS)
        self._held: NDArray[np.float64] = self.page.numbers
        self._held[:, :rows] = panel.T
        self._first, self._last = 0, int(rows)

    def __len__(self) -> int:
        return int(self._last - self._first)

    @property
    def panel(self) -> Panel:
        """(T, M) as it is now; a view, valid until rows are dropped."""
        return self._held[:, self._first : self._last].T

    def add(self, rows: Panel) -> None:
        """Rows (R, M) at the end. What was handed out before stays as it was."""
        if self._last + len(rows) > self._held.shape[1]:
            self._move(len(rows))
        self._held[:, self._last : self._last + len(rows)] = rows.T
        self._last += len(rows)

    @property
    def first(self) -> int:
        """Place of the first row on the page."""
        return self._first

    def drop(self, rows: int) -> None:
        """Forget so many rows at the beginning."""
        self._first += rows

    def _move(self, more: int) -> None:
        """Begin a new place, so that views of the old one stay whole."""
        held = self._held[:, self._first : self._last]
        self.page = Page(len(held), int((held.shape[1] + more) * ROOM) + SPARE_ROWS)
        self._held = self.page.numbers
        self._held[:, : held.shape[1]] = held
        self._first, self._last = 0, held.shape[1]


class GrowingMarket:
    """Bars of one length. `market` is what an agent may be shown; it is made anew when a bar was added."""

    def __init__(self, market: Market) -> None:
        self.names, self.interval_ns = market.names, market.interval_ns
        self.columns = {name: Grown(panel) for name, panel in market.columns.items()}
        self._first_ns = int(market.time[0])
        self._rows = len(market)
        self.market = self._now()

    def __len__(self) -> int:
        return self._rows

    @property
    def last_ns(self) -> int:
        """Close of the last bar."""
        return self._first_ns + (self._rows - 1) * self.interval_ns

    def add(self, bars: Market) -> None:
        """Bars that follow the last one, with the same columns."""
        for name, grown in self.columns.items():
            grown.add(bars.columns[name])
        self._rows += len(bars)
        self.market = self._now()

    def drop_before(self, at_ns: int) -> int:
        """Forget bars that closed at or before this; answers how many."""
        rows = min(max((at_ns - self._first_ns) // self.interval_ns + 1, 0), self._rows - 1)
        for grown in self.columns.values():
            grown.drop(rows)
        self._first_ns += rows * self.interval_ns
        self._rows -= rows
        self.market = self._now()
        return rows

    def _now(self) -> Market:
        time: Times = self._first_ns + np.arange(self._rows, dtype=np.int64) * self.interval_ns
        return Market(self.names, self.interval_ns, time, {name: grown.panel for name, grown in self.columns.items()})


class Lengths:
    """The bars of a fund in every length that somebody reads, each made once and extended when one is complete."""

    def __init__(self, market: Market, lengths_ns: Sequence[int]) -> None:
        self.base = GrowingMarket(market)
        self._longer = {ns: GrowingMarket(resample(market, ns)) for ns in lengths_ns if ns != market.interval_ns}

    def of(self, length_ns: int) -> GrowingMarket:
        """Bars of one length."""
        return self.base if length_ns == self.base.interval_ns else self._longer[length_ns]

    def add(self, bar: Market) -> None:
        """One bar of the fund's own interval; what it completes is added too."""
        self.base.add(bar)
        for length_ns, longer in self._longer.items():
            if self.base.last_ns % length_ns == 0:
                many = length_ns // self.base.interval_ns
                longer.add(resample(self.base.market[-many:], length_ns))

    def drop_before(self, at_ns: dict[int, int]) -> dict[int, int]:
        """Forget, of each length, what closed at or before an instant; answers how many rows that was."""
        return {length_ns: self.of(length_ns).drop_before(until_ns) for length_ns, until_ns in at_ns.items()}
