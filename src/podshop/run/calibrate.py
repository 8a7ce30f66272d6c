"""`calibrated = true`: the hit probability of every opinion of one signal agent, at each of its bars, as known then."""

from dataclasses import dataclass

import numpy as np

from podshop import maths
from podshop.execution.calibration import WINDOW_DAYS, hit_probability, new_calibration
from podshop.nouns import ASSUMED, DAY_NS, Funding, Market, Panel, SignalAgent, duration_ns
from podshop.run.config.sections import SignalSeat

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
        self._bars = horizon_bars(seat.agent)
        self._number = mine.time // mine.interval_ns
        self._worth = worth(mine, funding, [names.index(name) for name in mine.names])
        window_bars = WINDOW_DAYS * DAY_NS // mine.interval_ns
        self._state = new_calibration(len(mine.names), self._bars, window_bars)

    def rows(self, first: int, said: Panel) -> Calibrated:
        """Judge what has come due and answer for `said`, the agent's convictions from its row `first` on."""
        part = slice(first, first + len(said))
        found = hit_probability(
            self._state,
            np.ascontiguousarray(said),
            np.ascontiguousarray(self._worth[part]),
            self._number[part],
            self._bars,
        )
        return Calibrated(*found)


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
