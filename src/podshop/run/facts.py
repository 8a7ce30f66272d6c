"""What only the market decides, made on whole arrays before the loop: marks, references, risk, liquidity."""

import numpy as np

from podshop import maths
from podshop.execution.volatility import HALF_LIVES, volatilities
from podshop.market import marks, ranges, references, resample
from podshop.nouns import ASSUMED, DAY_NS, HOUR_NS, Flags, Funding, Instrument, Market, Panel, Times, Whole
from podshop.risk import covariance as risk
from podshop.run.chunks import CHUNKS_NS, Chunked, chunk_ns
from podshop.run.state import Counts, Facts
from podshop.venues.simulated.fills import liquidity, queued

COVARIANCE_CHUNK_NS = CHUNKS_NS[2]


class MarketFacts:
    """Facts of a whole run, handed out in stretches."""

    def __init__(
        self,
        market: Market,
        funding: Funding,
        instruments: tuple[Instrument, ...],
        *,
        volume_window_ns: int,
        participation: float,
        collar: float,
        half_spread: float,
        impact: float,
        queue: float,
    ) -> None:
        self.market, self.funding = market, funding
        self.lot_size = np.array([i.lot_size for i in instruments])
        self.scale = np.array([i.lot_micro_scale for i in instruments])
        self.mark, self.age = marks(market, self.scale)
        self._reference = references(market, self.scale)
        self._low, self._high = ranges(market, self.scale)
        self.frozen = _frozen(self.mark)
        self.carry = _carry(funding, market)
        self.queue = queue
        self._dead, self.first_trade = _dead(market)
        self.costs = {
            "participation": participation,
            "collar": collar,
            "half_spread": half_spread,
            "impact": impact,
        }
        self.bars = resample(market, max(HOUR_NS, market.interval_ns))
        self.per_day = DAY_NS / self.bars.interval_ns
        self.log_return = maths.log_return(self.bars.columns["close"])
        self.volume_window_ns = volume_window_ns
        volume = self.bars.columns["volume"]
        self.depth = usual_volume(volume, volume_window_ns, self.bars.interval_ns) * self.per_day / self.lot_size
        self._covariances = Chunked(COVARIANCE_CHUNK_NS, self._covariance)
        self._volatilities: dict[int, Chunked[Panel]] = {}
        self._daily: tuple[Panel, Times] | None = None

    def row(self, at_ns: int) -> int:
        """The market's row that closes at this time."""
        return int(np.searchsorted(self.market.time, at_ns))

    def stretch(self, first: int, last: int) -> Facts:
        """Facts of the cycles that decide at rows [first, last)."""
        market, interval_ns = self.market, self.market.interval_ns
        time = market.time[first:last]
        before = np.concatenate([[time[0] - interval_ns], time])
        bar = np.searchsorted(self.bars.time, time, side="right") - 1
        begin, end = int(bar[0]), int(bar[-1]) + 1
        covariance = self._covariance_rows(max(begin, 0), max(end, 1))
        variance = np.einsum("hii->hi", covariance)
        sigma = np.sqrt(np.where(variance > 0, variance, np.nan))
        depth = np.ascontiguousarray(self.depth[max(begin, 0) : max(end, 1)])
        return Facts(
            time=time,
            mark=self.mark[first:last],
            age=self.age[first:last],
            frozen=self.frozen[first:last],
            reference=self._reference[first:last],
            mark_before=self.mark[max(first - 1, 0)],
            reference_before=self._reference[max(first - 1, 0)],
            low=self._low[first:last],
            high=self._high[first:last],
            carry=self.carry[first:last],
            dead=self._dead[first:last],
            risk_row=np.maximum(bar - max(begin, 0), 0),
            covariance=covariance,
            sigma=sigma,
            depth=depth,
            liquidity=liquidity(depth, sigma, interval_ns, **self.costs),
            queued=queued(depth, interval_ns, self.costs["participation"], self.queue),
            funding_until=np.searchsorted(self.funding.at_ns, before, side="right"),
            funding_at=self.funding.at_ns,
            funding_market=self.funding.market,
            funding_rate=self.funding.rate,
            funding_source=self.funding.source,
        )

    def sigma_own(self, half_life_ns: int, facts: Facts) -> Panel:
        """Daily volatility that a mandate with this half-life sizes by, at the risk rows of a stretch."""
        if half_life_ns == risk.HALF_LIFE_DAYS * DAY_NS:
            return facts.sigma
        if half_life_ns not in self._volatilities:
            length = chunk_ns(HALF_LIVES * half_life_ns, "volatility_half_life")
            self._volatilities[half_life_ns] = Chunked(length, lambda a, b: self._volatility(half_life_ns, a, b))
        begin = max(int(np.searchsorted(self.bars.time, facts.time[0], side="right")) - 1, 0)
        own = self._rows(self._volatilities[half_life_ns], begin, begin + len(facts.sigma))
        return np.where(np.isnan(facts.sigma), np.nan, own)

    def daily_returns(self) -> tuple[Panel, Times]:
        """(D, M) log return of each whole day, 00:00 to 00:00, and when it ended; NaN where nothing traded in it."""
        if self._daily is None:
            at = np.flatnonzero(self.market.time % DAY_NS == 0)
            close = daily_close(self.mark[at], self.age[at], self.market.interval_ns)
            self._daily = maths.log_return(close)[1:], self.market.time[at][1:]
        return self._daily

    def risk_returns(self, at_ns: int, days: int) -> tuple[Panel, int]:
        """(R, M) log returns of the risk bars of the last `days` days, the last one closed by then; length of a bar."""
        end = int(np.searchsorted(self.bars.time, at_ns, side="right"))
        return self.log_return[max(end - round(days * self.per_day), 0) : end], self.bars.interval_ns

    def _covariance_rows(self, begin: int, end: int) -> Panel:
        return self._rows(self._covariances, begin, end)

    def _rows(self, chunks: Chunked[Panel], begin: int, end: int) -> Panel:
        """Risk rows [begin, end) of something that is made by calendar chunks."""
        time, length = self.bars.time, chunks.length_ns
        parts = []
        for chunk in range(int(time[begin] // length), int(time[end - 1] // length) + 1):
            at = int(np.searchsorted(time, chunk * length))
            parts.append(chunks.at(chunk)[max(begin - at, 0) : end - at])
        return np.concatenate(parts)

    def _volatility(self, half_life_ns: int, from_ns: int, until_ns: int) -> Panel:
        """Volatilities of the risk bars of one chunk, on returns that start a window earlier."""
        begin, end = (int(row) for row in np.searchsorted(self.bars.time, [from_ns, until_ns]))
        return volatility_of(self.log_return[:end], begin, begin, half_life_ns, self.bars.interval_ns)

    def _covariance(self, from_ns: int, until_ns: int) -> Panel:
        """Covariances of the risk bars of one chunk, on returns that start a window earlier."""
        begin, end = (int(row) for row in np.searchsorted(self.bars.time, [from_ns, until_ns]))
        age = risk.age_days(self.bars.time[begin:end], self.first_trade)
        return covariance_of(self.log_return[:end], begin, begin, age, self.bars.interval_ns)


def daily_close(mark: Whole, age: Whole, interval_ns: int) -> Panel:
    """Marks at 00:00 as numbers; NaN where nothing traded in the day before."""
    return np.where((mark > 0) & (age * interval_ns < DAY_NS), mark, np.nan)


def usual_volume(volume: Panel, window_ns: int, bar_ns: int) -> Panel:
    """(R, M) median volume of a risk bar over the window, base units; NaN before a day of it is known."""
    import bottleneck

    window = max(window_ns // bar_ns, 1)
    least = min(max(round(DAY_NS / bar_ns), 1), window)
    if len(volume) < window:
        pad = np.full((window - len(volume), volume.shape[1]), np.nan)
        usual = bottleneck.move_median(np.concatenate([pad, volume]), window, min_count=least, axis=0)
        return np.asarray(usual[len(pad) :])
    return np.asarray(bottleneck.move_median(volume, window, min_count=least, axis=0))


def volatility_of(log_return: Panel, begin: int, first: int, half_life_ns: int, bar_ns: int) -> Panel:
    """A mandate's volatility at the risk bars from `first` on, in a chunk whose first row is `begin`.

    log_return  (R, M) of risk bars, from a window and a row before the chunk, or from the first there is
    ->          (R - first, M)
    """
    window = max(HALF_LIVES * half_life_ns // bar_ns, 1)
    start = max(begin - window - 1, 0)
    decay = 0.5 ** (bar_ns / half_life_ns)
    returns = np.ascontiguousarray(log_return[start:])
    return volatilities(returns, first - start, window, decay, decay**window, DAY_NS / bar_ns)


def covariance_of(log_return: Panel, begin: int, first: int, age_days: Panel, bar_ns: int) -> Panel:
    """Daily covariance at the risk bars from `first` on, in a chunk whose first row is `begin`.

    log_return  (R, M) of risk bars, from a window and a row before the chunk, or from the first there is
    age_days    (R - first, M) since the first trade
    ->          (R - first, M, M), the young judged by their elders
    """
    per_day = DAY_NS / bar_ns
    window = round(risk.WINDOW_DAYS * per_day)
    start = max(begin - window - 1, 0)
    decay = 0.5 ** (1.0 / (risk.HALF_LIFE_DAYS * per_day))
    found = risk.covariances(np.ascontiguousarray(log_return[start:]), first - start, window, decay, per_day)
    risk.fit_the_young(found, age_days)
    return found


def _carry(funding: Funding, market: Market) -> Panel:
    """(T, M) rate per hour of the latest recorded settlement; NaN where there is none of the last 16 hours."""
    out = np.full((len(market), len(market.names)), np.nan)
    for m in range(len(market.names)):
        mine = (funding.market == m) & (funding.source != ASSUMED)
        at_ns, rate = funding.at_ns[mine], funding.rate[mine]
        if len(at_ns):
            span_ns = np.minimum(np.diff(at_ns, prepend=at_ns[0] - 8 * HOUR_NS), 8 * HOUR_NS)
            per_hour = rate / (span_ns / HOUR_NS)
            latest = np.searchsorted(at_ns, market.time, side="right") - 1
            fresh = (latest >= 0) & (market.time - at_ns[latest] <= 16 * HOUR_NS)
            out[:, m] = np.where(fresh, per_hour[latest], np.nan)
    return out


def _frozen(mark: Whole) -> Counts:
    """(T, M) bars since each mark last changed."""
    rows = np.arange(len(mark), dtype=np.int32)[:, None]
    changed = np.ones(mark.shape, np.bool_)
    changed[1:] = mark[1:] != mark[:-1]
    since: Counts = rows - np.maximum.accumulate(np.where(changed | (mark == 0), rows, 0), axis=0)
    return since


def _dead(market: Market) -> tuple[Flags, Times]:
    """(T, M) no bar for a day while another market trades in this one; (M,) close of the first traded bar."""
    volume = market.columns["volume"].T  # (M, T)
    is_bar, trades = ~np.isnan(volume), volume > 0
    rows = np.arange(len(market))
    last_bar = np.maximum.accumulate(np.where(is_bar, rows, -1), axis=1)
    quiet_ns = (rows - last_bar) * market.interval_ns
    dead = (last_bar >= 0) & (quiet_ns >= DAY_NS) & trades.any(axis=0)
    never = np.iinfo(np.int64).max // 2
    first = np.where(trades.any(axis=1), market.time[np.argmax(trades, axis=1)], never)
    return np.ascontiguousarray(dead.T), first
