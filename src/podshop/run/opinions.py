"""Ask every signal agent, chunk by chunk, and let each mandate hear the voices it listens to."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from podshop.execution.evidence import NEWEST, Record, new_record, slopes
from podshop.execution.voices import Mix, blended, new_mix, voices
from podshop.market import resample
from podshop.nouns import DAY_NS, ConfigError, Flags, Mandate, Market, Panel, Times, Whole, duration_ns
from podshop.run.chunks import Chunked, chunk_ns
from podshop.run.config.sections import Confidence, EvidenceSection, SignalSeat

THREADS = 2
Watch = Callable[[int, Panel, Panel], None]


class Seat:
    """One signal agent over time: its convictions by chunk, its voice as state.

    watchers  told (row, convictions, voice) of the rows a run has asked, in order and each once; they decide nothing
    """

    watchers: tuple[Watch, ...] = ()

    def __init__(self, seat: SignalSeat, market: Market, confidence: Confidence) -> None:
        """market: the seat's own markets on the agent's own bar."""
        self.name, self.markets = seat.name, seat.markets
        self._kind = seat.kind
        self.bar_ns = duration_ns(seat.agent.bar)
        self._agent, self.market, self._confidence = seat.agent, market, confidence
        lookback_ns = seat.agent.lookback_bars * self.bar_ns
        self._chunks = Chunked(chunk_ns(lookback_ns, f"signals.{seat.name}"), self._convictions)
        self._opened = np.zeros(len(seat.markets), np.int64)
        self._heard = -1  # row of the agent's bars up to which the voice has moved
        self._said = np.full((1, len(seat.markets)), np.nan)  # what it said there

    def convictions(self, first: int, last: int) -> Panel:
        """(last - first, m) convictions of the agent's own rows [first, last)."""
        if first >= last:
            return np.empty((0, len(self.markets)))
        length = self._chunks.length_ns
        time = self.market.time
        parts = []
        for chunk in range(int(time[first] // length), int(time[last - 1] // length) + 1):
            begin = int(np.searchsorted(time, chunk * length))
            rows = self._chunks.at(chunk)
            parts.append(rows[max(first - begin, 0) : last - begin])
        return np.concatenate(parts)

    def voice(self, time: Times) -> tuple[Panel, Whole]:
        """What it says during a stretch of cycles: rows (R, m) and, for each cycle, the row in force.

        A voice moves at the run's first cycle and then at each of the agent's bars.
        """
        row_of = np.searchsorted(self.market.time, time, side="right") - 1
        first = self._heard + 1 if self._heard >= 0 else max(int(row_of[0]), 0)
        last = int(row_of[-1]) + 1
        fresh = np.ascontiguousarray(self.convictions(first, last))
        said = voices(fresh, self._opened, self._confidence.open, self._confidence.close)
        for watch in self.watchers:
            watch(first, fresh, said)
        rows = np.concatenate([self._said, said])
        index = np.where(row_of < 0, 0, row_of - first + 1)
        if last > first:
            self._heard, self._said = last - 1, rows[-1:]
        return rows, index

    def _convictions(self, from_ns: int, until_ns: int) -> Panel:
        """Ask the agent about one chunk, on arrays that start its lookback earlier."""
        begin, end = np.searchsorted(self.market.time, [from_ns, until_ns])
        start = max(int(begin) - self._agent.lookback_bars, 0)
        part = self.market[start : int(end)].pick(self.markets)
        columns = part.reads(self._agent.reads)
        try:
            answer = np.asarray(self._agent(**columns))
        except Exception as e:
            raised = f"{type(e).__name__}: {e}"
            raise ConfigError(
                f"signals.{self.name} raised {raised} (`podshop agents check {self._kind}` shows where)"
            ) from e
        if answer.shape != (len(part), len(self.markets)) or answer.dtype != np.float64:
            raise ConfigError(
                f"signals.{self.name} answered {answer.dtype} {answer.shape}, "
                f"expected float64 {(len(part), len(self.markets))}"
            )
        if not (np.nanmax(np.abs(answer), initial=0.0) <= 1.0):
            raise ConfigError(f"signals.{self.name} answered {np.nanmax(np.abs(answer))}, expected within -1 and 1")
        return answer[int(begin) - start :]


def seats(market: Market, roster: Sequence[SignalSeat], confidence: Confidence) -> dict[str, Seat]:
    """Give every signal agent its markets on its own bar; bars of one size are made once."""
    lengths = sorted({duration_ns(seat.agent.bar) for seat in roster})
    with ThreadPoolExecutor(THREADS) as pool:
        bars = dict(zip(lengths, pool.map(lambda bar_ns: resample(market, bar_ns), lengths), strict=True))
    found = {}
    for seat in roster:
        bar_ns = duration_ns(seat.agent.bar)
        whole = bars[bar_ns]
        needed = {name: whole.columns[name] for name in (*seat.agent.reads, "close") if name in whole.columns}
        mine = Market(whole.names, whole.interval_ns, whole.time, needed).pick(seat.markets)
        found[seat.name] = Seat(seat, mine, confidence)
    return found


Voices = Mapping[str, tuple[Panel, Whole]]


class Listener:
    """One mandate: what it makes of the voices it listens to, and what its forecasts were worth."""

    def __init__(self, mandate: Mandate, families: Mapping[str, str], evidence: EvidenceSection, own: Any) -> None:
        """families: signal -> family; own: the mandate's own class, None where it blends."""
        self._mandate, self._own = mandate, own
        self._weights = np.array(list(mandate.listens.values()), dtype=np.float64)
        self._outlook_ns = duration_ns(mandate.outlook)
        self._places: dict[str, tuple[Whole, Whole]] = {}
        self._mix = new_mix(len(mandate.listens))
        self._record = new_record(len(mandate.markets), self._outlook_ns)
        self._prior_observations = evidence.prior_observations
        believed = [evidence.prior_slope.get(families.get(name, ""), 0.0) for name in mandate.listens]
        total = float(np.abs(self._weights).sum())
        self._prior = sum(abs(w) * p for w, p in zip(self._weights.tolist(), believed, strict=True)) / total

    def blend(self, time: Times, fires: Flags, roster: Mapping[str, Seat], said: Voices) -> Panel:
        """(C, m) opinion at each of the C cycles in which its cadence fires; NaN = none."""
        mandate, cycles = self._mandate, np.flatnonzero(fires)
        heard = np.full((len(mandate.listens), len(cycles), len(mandate.markets)), np.nan)
        if not len(cycles):
            return np.empty((0, len(mandate.markets)))
        for i, name in enumerate(mandate.listens):
            rows, index = said[name]
            mine, theirs = self._shared(name, roster[name].markets)
            heard[i, :, mine] = rows[index[cycles]].T[theirs]
        if self._own is not None:
            return self._ask(heard)
        day = time[cycles] // DAY_NS
        return blended(heard, self._weights, day, self._mix, float(mandate.max_diversification))

    def _shared(self, name: str, markets: tuple[str, ...]) -> tuple[Whole, Whole]:
        """Markets that both the mandate and a signal have: their places here and there."""
        if name not in self._places:
            place = {market: at for at, market in enumerate(markets)}
            mine = [m for m, market in enumerate(self._mandate.markets) if market in place]
            theirs = [place[self._mandate.markets[m]] for m in mine]
            self._places[name] = np.array(mine, np.int64), np.array(theirs, np.int64)
        return self._places[name]

    def slope(self, time: Times, opinion: Panel, reference: Whole, sigma: Panel) -> Panel:
        """(C,) what a full conviction is believed to be worth; time (C,), reference and sigma (C, m) of cadences."""
        if self._mandate.cost_factor == 0.0:
            return np.zeros(len(time))
        return slopes(
            self._record, opinion, time // self._outlook_ns, reference, sigma, self._outlook_ns / DAY_NS,
            self._prior, self._prior_observations,
        )  # fmt: skip

    @property
    def sample(self) -> int:
        """Number of the period in which the last forecast was taken; -1 before the first."""
        return int(self._record.last[0])

    def priced(self, reference: Whole) -> None:
        """The open after the last forecast's cadence, (m,): live, it is known a bar later."""
        self._record.price[NEWEST] = reference

    @property
    def memory(self) -> tuple[Mix, Record]:
        """What it remembers, changed in place: how alike its voices were, and what its forecasts were worth."""
        return self._mix, self._record

    def _ask(self, heard: Panel) -> Panel:
        """Ask the mandate's own class, and refuse what is no opinion."""
        place, expected = f"execution.{self._mandate.name}", heard.shape[1:]
        try:
            answer = np.asarray(self._own(heard, self._weights))
        except Exception as e:
            raise ConfigError(f"{place} raised {type(e).__name__}: {e}") from e
        if answer.shape != expected or answer.dtype != np.float64:
            raise ConfigError(f"{place} answered {answer.dtype} {answer.shape}, expected float64 {expected}")
        if not (np.nanmax(np.abs(answer), initial=0.0) <= 1.0):
            raise ConfigError(f"{place} answered {np.nanmax(np.abs(answer))}, expected within -1 and 1")
        return np.ascontiguousarray(answer)


def fires(time: Times, interval_ns: int, cadence_ns: int) -> Flags:
    """Cycles in which a cadence fires: floor(time / cadence) has changed since the cycle before."""
    flags: Flags = time // cadence_ns != (time - interval_ns) // cadence_ns
    return flags


Progress = Callable[[int, int, str], None]
