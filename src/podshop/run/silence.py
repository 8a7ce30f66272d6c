"""Who had no opinion, when and why."""

from typing import Any

import numpy as np

from podshop.nouns import Market, Panel, Whole, utc_text
from podshop.run.config.sections import SignalSeat

LEAST = 0.01  # share of the time; less silence than that is not worth a row


class Silence:
    """Counts, as an agent is asked, the bars on which it said nothing and what it lacked there."""

    def __init__(self, seat: SignalSeat, mine: Market) -> None:
        """mine: the agent's markets on its own bar."""
        self._agent, self._mine = seat.agent, mine
        markets = len(mine.names)
        self._listed, self._silent = np.zeros(markets, np.int64), np.zeros(markets, np.int64)
        self._unknown = {name: np.zeros(markets, np.int64) for name in seat.agent.reads}
        self._spoke = np.full((2, markets), -1, np.int64)  # rows of the first and the last opinion
        self._rows: tuple[int, int] | None = None

    def add(self, first: int, opinion: Panel) -> None:
        """Take in what it said on its rows from `first` on: (R, m), NaN where it had no opinion."""
        if not len(opinion):
            return
        rows = slice(first, first + len(opinion))
        spoke = ~np.isnan(opinion)
        listed = ~np.isnan(self._mine.columns["close"][rows])
        silent = listed & ~spoke
        self._listed += listed.sum(axis=0)
        self._silent += silent.sum(axis=0)
        for name in self._unknown:
            self._unknown[name] += (np.isnan(self._mine.columns[name][rows]) & silent).sum(axis=0)
        heard = spoke.any(axis=0)
        begun = self._spoke[0] >= 0
        self._spoke[0] = np.where(heard & ~begun, first + spoke.argmax(axis=0), self._spoke[0])
        self._spoke[1] = np.where(heard, rows.stop - 1 - spoke[::-1].argmax(axis=0), self._spoke[1])
        self._rows = (self._rows[0] if self._rows else first, rows.stop)

    def rows(self) -> list[dict[str, Any]]:
        """One row per market on which it was silent for at least a hundredth of its listed bars, or never listed.

        ->  market, share of its listed bars, first and last opinion (None = never), why
        """
        if self._rows is None:
            return []
        found = []
        for m, name in enumerate(self._mine.names):
            share = self._silent[m] / self._listed[m] if self._listed[m] else 1.0
            if share >= LEAST:
                first, last = (self._stamp(row) for row in self._spoke[:, m])
                found.append({"market": name, "share": float(share), "first": first, "last": last, "why": self._why(m)})
        return found

    def _stamp(self, row: Whole) -> str | None:
        return utc_text(int(self._mine.time[row])) if row >= 0 else None

    def _why(self, m: int) -> str:
        """The first reason that explains most of it: not listed, a column unknown, too little of it in the window."""
        if not self._listed[m] or self._rows is None:
            return "not listed in this period"
        start = max(self._rows[0] - self._agent.lookback_bars, 0)
        for name in self._agent.reads:
            known = ~np.isnan(self._mine.columns[name][start : self._rows[1], m])
            if not known.any():
                return f"{name} is not known"
            if self._unknown[name][m] > self._silent[m] / 2:
                return f"{name} is known for {known.mean():.0%} of the time"
        return f"too little of {', '.join(self._agent.reads)} in its {self._agent.lookback_bars} bars"
