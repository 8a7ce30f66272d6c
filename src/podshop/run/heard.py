"""What a run heard of its signal agents: sums kept as it goes, so that nobody is asked twice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from podshop.nouns import HOUR_NS, Market, Panel, Times
from podshop.run.config.sections import SignalSeat
from podshop.run.opinions import Seat
from podshop.run.silence import Silence

SAMPLE_NS = 3 * HOUR_NS  # how often a conviction is kept for the correlations, at first
SAMPLES = 2000  # at most; then every other one goes
FEWEST_CELLS = 60  # that two agents must share


class Heard:
    """What one seat said so far. A watcher of `podshop.run.opinions.Seat`."""

    def __init__(self, seat: SignalSeat, mine: Market) -> None:
        self.seat, self.mine = seat, mine
        self.silence = Silence(seat, mine)
        self._listed = self._opinions = self._known = self._open = 0
        self._size = 0.0
        self.step_ns = SAMPLE_NS
        self._time: Times = np.empty(0, np.int64)
        self._said: Panel = np.empty((0, len(mine.names)))

    def __call__(self, first: int, said: Panel, voice: Panel) -> None:
        """Take in rows from `first` on: convictions and the voice they gave, (R, m) each."""
        rows = slice(first, first + len(said))
        listed = ~np.isnan(self.mine.columns["close"][rows])
        said = np.where(listed, said, np.nan)
        self.silence.add(first, said)
        self._listed += int(listed.sum())
        self._opinions += int(np.isfinite(said).sum())
        self._size += float(np.nansum(np.abs(said)))
        self._known += int(np.isfinite(voice).sum())
        self._open += int(np.count_nonzero(np.nan_to_num(voice)))
        self._sample(self.mine.time[rows], said)

    def _sample(self, time: Times, said: Panel) -> None:
        """Keep the rows that are in force at a multiple of the step; double the step where they become too many."""
        kept = self._in_force(time)
        self._time, self._said = np.concatenate([self._time, time[kept]]), np.concatenate([self._said, said[kept]])
        while len(self._time) > SAMPLES and self.step_ns >= self.mine.interval_ns:
            self.step_ns *= 2
            kept = self._in_force(self._time)
            self._time, self._said = self._time[kept], self._said[kept]

    def _in_force(self, time: Times) -> np.ndarray[Any, np.dtype[np.bool_]]:
        at_end = (time + self.mine.interval_ns - 1) // self.step_ns
        in_force: np.ndarray[Any, np.dtype[np.bool_]] = at_end > (time - 1) // self.step_ns
        return in_force

    def at(self, times: Times, names: Sequence[str]) -> Panel:
        """(len(times) x M,) the conviction in force at each time; NaN for markets it does not cover."""
        whole = np.full((len(times), len(names)), np.nan)
        row = np.searchsorted(self._time, times, side="right") - 1
        for m, name in enumerate(self.mine.names):
            if len(self._time):
                whole[:, names.index(name)] = np.where(row >= 0, self._said[np.maximum(row, 0), m], np.nan)
        return whole.ravel()

    def card(self) -> dict[str, Any]:
        """How much it said: shares of its listed bars, and the mean strength of its opinions."""
        return {
            "name": self.seat.name,
            "kind": self.seat.kind,
            "family": self.seat.agent.family,
            "bar": self.seat.agent.bar,
            "markets": len(self.seat.markets),
            "coverage": self._opinions / self._listed if self._listed else 0.0,
            "open_share": self._open / self._known if self._known else 0.0,
            "mean_conviction": self._size / self._opinions if self._opinions else np.nan,
        }


def listen_in(signals: Sequence[SignalSeat], roster: Mapping[str, Seat]) -> list[Heard]:
    """Watch every seat from now on."""
    heard = [Heard(seat, roster[seat.name].market) for seat in signals]
    for one in heard:
        roster[one.seat.name].watchers += (one,)
    return heard


def no_opinion(heard: Sequence[Heard]) -> list[dict[str, Any]]:
    """For every agent and market that it was silent about: see `Silence.rows`, and `agent`."""
    return [{"agent": one.seat.name, **row} for one in heard for row in one.silence.rows()]


def signals(heard: Sequence[Heard], names: tuple[str, ...], since_ns: int, until_ns: int) -> dict[str, Any]:
    """What the run heard of its agents, and how they agree.

    ->  agents (one card each), correlations (A, A) of convictions in force at multiples of `step_hours`, their count
    """
    step_ns = max(one.step_ns for one in heard)
    times = np.arange(-(-since_ns // step_ns), until_ns // step_ns + 1) * step_ns
    found = correlations([one.at(times, names) for one in heard])
    return {
        "agents": [one.card() for one in heard],
        "correlations": found.round(4).tolist(),
        "samples": len(times),
        "step_hours": step_ns / HOUR_NS,
    }


def correlations(said: Sequence[Panel]) -> Panel:
    """(A, A) correlation of every two agents over the cells that both have an opinion on; NaN under 60 of them.

    >>> a = np.arange(60.0)
    >>> correlations([a, -a]).round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    x = np.stack(said)
    known = np.isfinite(x).astype(np.float64)
    x = np.nan_to_num(x)
    n, total, square = known @ known.T, x @ known.T, (x * x) @ known.T
    with np.errstate(all="ignore"):
        covariance = n * (x @ x.T) - total * total.T
        variance = n * square - total * total
        found = covariance / np.sqrt(variance * variance.T)
    return np.where((n >= FEWEST_CELLS) & np.isfinite(found), np.clip(found, -1.0, 1.0), np.nan)
