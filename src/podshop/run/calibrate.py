"""`calibrated = true`: the hit probability of every opinion of one signal agent, at each of its bars, as known then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from podshop import maths
from podshop.execution.calibration import EDGES, WINDOW_DAYS, hit_probability, new_calibration, reliability
from podshop.nouns import ASSUMED, DAY_NS, Funding, Market, Panel, SignalAgent, Whole, duration_ns
from podshop.run.config.sections import Fund, SignalSeat
from podshop.run.opinions import Seat

Write = Callable[[Mapping[str, np.ndarray[Any, Any]]], None]
LONGEST_HORIZON_NS = 30 * DAY_NS


@dataclass(frozen=True, slots=True)
class Calibrated:
    """(R, M) each, of the rows asked for: NaN where there is no opinion, or nothing as strong was ever judged.

    hit_probability  share of right ones among forecasts as strong in the window
    low, high        its 90 % interval, which counts instants
    count            forecasts behind it
    """

    hit_probability: Panel
    low: Panel
    high: Panel
    count: Panel


class Calibrator:
    """Keeps what one agent's past has taught; asked in order, in stretches of any length."""

    def __init__(self, seat: SignalSeat, mine: Market, funding: Funding, names: tuple[str, ...]) -> None:
        """mine: the seat's own markets on the agent's own bar; names: the markets that `funding` counts by."""
        self.horizon_bars = horizon_bars(seat.agent)
        self._number = mine.time // mine.interval_ns
        self._worth = worth(mine, funding, [names.index(name) for name in mine.names])
        window_bars = WINDOW_DAYS * DAY_NS // mine.interval_ns
        self._state = new_calibration(len(mine.names), self.horizon_bars, window_bars)

    def rows(self, first: int, said: Panel) -> Calibrated:
        """Judge what has come due and answer for `said`, the agent's convictions from its row `first` on."""
        part = slice(first, first + len(said))
        found = hit_probability(
            self._state,
            np.ascontiguousarray(said),
            np.ascontiguousarray(self._worth[part]),
            self._number[part],
            self.horizon_bars,
        )
        return Calibrated(*found)

    def reliability(self) -> Panel:
        """(4, BINS) what is known by now: see `execution.calibration.reliability`."""
        return reliability(self._state)


class Shown:
    """Writes beside each opinion of a run how often opinions as strong were right. A watcher of `opinions.Seat`."""

    def __init__(self, calibrator: Calibrator, mine: Market, markets: Whole, signal: int, write: Write) -> None:
        """markets: (m,) numbers of the seat's markets in the record, signal: the seat's; write takes columns."""
        self._calibrator, self._mine, self._write = calibrator, mine, write
        self._markets, self._signal = markets, signal
        self._rows = 0

    def __call__(self, first: int, said: Panel, voice: Panel) -> None:
        """Take in its rows from `first` on, and write those with an opinion; the voice is none of its business."""
        found = self._calibrator.rows(first, said)
        row, m = np.nonzero(found.count >= 0)
        self._rows += len(row)
        if len(row):
            self._write(
                {
                    "time": self._mine.time[first + row],
                    "signal": np.full(len(row), self._signal),
                    "market": self._markets[m],
                    "conviction": said[row, m],
                    "hit_probability": found.hit_probability[row, m],
                    "low": found.low[row, m],
                    "high": found.high[row, m],
                    "count": found.count[row, m].astype(np.int64),
                }
            )

    def summary(self) -> dict[str, Any]:
        """For people: at each strength how many forecasts the window holds, and how many of them were right."""
        found = self._calibrator.reliability()
        return {
            "rows": self._rows,
            "window_days": WINDOW_DAYS,
            "horizon_bars": self._calibrator.horizon_bars,
            "reliability": [
                {"from": low, "to": high, "hit_rate": p, "low": least, "high": most, "count": int(count)}
                for (low, high), (p, least, most, count) in zip(pairwise(EDGES), found.T.tolist(), strict=True)
            ],
        }


def show(fund: Fund, roster: Mapping[str, Seat], funding: Funding, write: Write) -> dict[str, Shown]:
    """Watch every seat that says `calibrated = true`; `write` takes the rows of the table `calibration`."""
    names, shown = fund.market.markets, {}
    for i, seat in enumerate(fund.signals):
        if seat.calibrated:
            mine = roster[seat.name].market
            at = np.array([names.index(name) for name in mine.names])
            shown[seat.name] = Shown(Calibrator(seat, mine, funding, names), mine, at, i, write)
            roster[seat.name].watchers += (shown[seat.name],)
    return shown


def horizon_bars(agent: SignalAgent) -> int:
    """Over how many of its bars an agent is judged.

    The agent's own `horizon_bars`, else its `recent_bars`, else half its `window_bars`: an average of n rows is about
    n / 2 rows old. At least a bar, at most 30 days; a day for an agent that has neither.
    """
    bar_ns = duration_ns(agent.bar)
    own = getattr(agent, "horizon_bars", None) or getattr(agent, "recent_bars", None)
    half = getattr(agent, "window_bars", 2 * (DAY_NS // bar_ns)) // 2
    return int(min(max(own or half, 1), max(LONGEST_HORIZON_NS // bar_ns, 1)))


def worth(mine: Market, funding: Funding, at: list[int]) -> Panel:
    """(T, M) log price less the sum of all rates that a long had paid by each close; differences are what it earned.

    at  the markets' places in `funding`. What nobody recorded is left out: agents never see an assumed rate.
    """
    columns = []
    for m in at:
        rows = (funding.market == m) & (funding.source != ASSUMED)
        total = np.concatenate([[0.0], np.cumsum(funding.rate[rows])])
        columns.append(total[np.searchsorted(funding.at_ns[rows], mine.time, side="right")])
    return np.asarray(maths.log(mine.columns["close"]) - np.array(columns).T)
