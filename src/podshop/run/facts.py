"""What only the market decides, made on whole arrays before the loop: marks, references, risk, liquidity."""

import numpy as np

from podshop import maths
from podshop.execution.volatility import HALF_LIVES, volatilities
from podshop.market import marks, resample
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
        self.market, self._funding = market, funding
        self._lot_size = np.array([i.lot_size for i in instruments])
        self.scale = np.array([i.lot_micro_scale for i in instruments])
        self.mark, self.age = marks(market, self.scale)
        self._reference = _references(market, self.scale)
        self._low, self._high = _ranges(market, self.scale)
        self._frozen = _frozen(self.mark)
        self._carry = _carry(funding, market)
        self._queue = queue
        self._dead, self.first_trade = _dead(market)
        self._costs = {
            "participation": participation,
            "collar": collar,
            "half_spread": half_spread,
            "impact": impact,
        }
        self._bars = resample(market, max(HOUR_NS, market.interval_ns))
        self._per_day = DAY_NS / self._bars.interval_ns
        self._log_return = maths.log_return(self._bars.columns["close"])
        self._depth = self._usual_volume(volume_window_ns) * self._per_day / self._lot_size
        self._covariances = Chunked(COVARIANCE_CHUNK_NS, self._covariance)
        self._volatilities: dict[int, Chunked[Panel]] = {}

    def row(self, at_ns: int) -> int:
        """The market's row that closes at this time."""
        return int(np.searchsorted(self.market.time, at_ns))

    def stretch(self, first: int, last: int) -> Facts:
        """Facts of the cycles that decide at rows [first, last)."""
        market, interval_ns = self.market, self.market.interval_ns
        time = market.time[first:last]
        before = np.concatenate([[time[0] - interval_ns], time])
        bar = np.searchsorted(self._bars.time, time, side="right") - 1
        begin, end = int(bar[0]), int(bar[-1]) + 1
        covariance = self._covariance_rows(max(begin, 0), max(end, 1))
        variance = np.einsum("hii->hi", covariance)
        sigma = np.sqrt(np.where(variance > 0, variance, np.nan))
        depth = np.ascontiguousarray(self._depth[max(begin, 0) : max(end, 1)])
        return Facts(
            time=time,
            mark=self.mark[first:last],
            age=self.age[first:last],
            frozen=self._frozen[first:last],
            reference=self._reference[first:last],
            mark_before=self.mark[max(first - 1, 0)],
            reference_before=self._reference[max(first - 1, 0)],
            low=self._low[first:last],
            high=self._high[first:last],
            carry=self._carry[first:last],
            dead=self._dead[first:last],
            risk_row=np.maximum(bar - max(begin, 0), 0),
            covariance=covariance,
            sigma=sigma,
            depth=depth,
            liquidity=liquidity(depth, sigma, interval_ns, **self._costs),
            queued=queued(depth, interval_ns, self._costs["participation"], self._queue),
            funding_until=np.searchsorted(self._funding.at_ns, before, side="right"),
            funding_at=self._funding.at_ns,
            funding_market=self._funding.market,
            funding_rate=self._funding.rate,
            funding_source=self._funding.source,
        )

    def sigma_own(self, half_life_ns: int, facts: Facts) -> Panel:
        """Daily volatility that a mandate with this half-life sizes by, at the risk rows of a stretch."""
        if half_life_ns == risk.HALF_LIFE_DAYS * DAY_NS:
            return facts.sigma
        if half_life_ns not in self._volatilities:
            length = chunk_ns(HALF_LIVES * half_life_ns, "volatility_half_life")
            self._volatilities[half_life_ns] = Chunked(length, lambda a, b: self._volatility(half_life_ns, a, b))
        begin = max(int(np.searchsorted(self._bars.time, facts.time[0], side="right")) - 1, 0)
        own = self._rows(self._volatilities[half_life_ns], begin, begin + len(facts.sigma))
        return np.where(np.isnan(facts.sigma), np.nan, own)

    def daily_returns(self) -> tuple[Panel, Times]:
        """(D, M) log return of each whole day, 00:00 to 00:00, and when it ended; NaN where nothing traded in it."""
        at = np.flatnonzero(self.market.time % DAY_NS == 0)
        fresh = (self.mark[at] > 0) & (self.age[at] * self.market.interval_ns < DAY_NS)
        close = np.where(fresh, self.mark[at], np.nan)
        return maths.log_return(close)[1:], self.market.time[at][1:]

    def risk_returns(self, at_ns: int, days: int) -> tuple[Panel, int]:
        """(R, M) log returns of the risk bars of the last `days` days, the last one closed by then; length of a bar."""
        end = int(np.searchsorted(self._bars.time, at_ns, side="right"))
        return self._log_return[max(end - round(days * self._per_day), 0) : end], self._bars.interval_ns

    def _covariance_rows(self, begin: int, end: int) -> Panel:
        return self._rows(self._covariances, begin, end)

    def _rows(self, chunks: Chunked[Panel], begin: int, end: int) -> Panel:
        """Risk rows [begin, end) of something that is made by calendar chunks."""
        time, length = self._bars.time, chunks.length_ns
        parts = []
        for chunk in range(int(time[begin] // length), int(time[end - 1] // length) + 1):
            at = int(np.searchsorted(time, chunk * length))
            parts.append(chunks.at(chunk)[max(begin - at, 0) : end - at])
        return np.concatenate(parts)

    def _volatility(self, half_life_ns: int, from_ns: int, until_ns: int) -> Panel:
        """Volatilities of the risk bars of one chunk, on returns that start a window earlier."""
        begin, end = (int(row) for row in np.searchsorted(self._bars.time, [from_ns, until_ns]))
        window = max(HALF_LIVES * half_life_ns // self._bars.interval_ns, 1)
        start = max(begin - window - 1, 0)
        decay = 0.5 ** (self._bars.interval_ns / half_life_ns)
        returns = np.ascontiguousarray(self._log_return[start:end])
        return volatilities(returns, begin - start, window, decay, decay**window, self._per_day)

    def _covariance(self, from_ns: int, until_ns: int) -> Panel:
        """Covariances of the risk bars of one chunk, on returns that start a window earlier."""
        begin, end = (int(row) for row in np.searchsorted(self._bars.time, [from_ns, until_ns]))
        window = round(risk.WINDOW_DAYS * self._per_day)
        start = max(begin - window - 1, 0)
        decay = 0.5 ** (1.0 / (risk.HALF_LIFE_DAYS * self._per_day))
        returns = np.ascontiguousarray(self._log_return[start:end])
        found = risk.covariances(returns, begin - start, window, decay, self._per_day)
        risk.fit_the_young(found, risk.age_days(self._bars.time[begin:end], self.first_trade))
        return found

    def _usual_volume(self, window_ns: int) -> Panel:
        """Median volume of a risk bar over the window, base units; NaN before a day of it is known."""
        import bottleneck

        window = max(window_ns // self._bars.interval_ns, 1)
        least = min(max(round(self._per_day), 1), window)
        volume = self._bars.columns["volume"]
        if len(volume) < window:
            pad = np.full((window - len(volume), volume.shape[1]), np.nan)
            usual = bottleneck.move_median(np.concatenate([pad, volume]), window, min_count=least, axis=0)
            return np.asarray(usual[len(pad) :])
        return np.asarray(bottleneck.move_median(volume, window, min_count=least, axis=0))


def _references(market: Market, scale: Panel) -> Whole:
    """(T, M) the next bar's open in micro-dollars per lot; 0 where it does not trade, and in the last row."""
    price = market.columns["open"].T
    traded = (market.columns["volume"].T > 0) & (price > 0)
    micro = np.rint(np.where(traded, price, 0.0) * scale[:, None]).astype(np.int64).T
    return np.ascontiguousarray(np.concatenate([micro[1:], np.zeros((1, len(scale)), np.int64)]))


def _ranges(market: Market, scale: Panel) -> tuple[Whole, Whole]:
    """(T, M) low and high of each bar that traded, micro-dollars per lot, rounded inward; 0 where none did."""
    low, high = market.columns["low"].T, market.columns["high"].T
    traded = (market.columns["volume"].T > 0) & (low > 0) & (high > 0)
    low_micro = np.ceil(np.where(traded, low, 0.0) * scale[:, None]).astype(np.int64)
    high_micro = np.floor(np.where(traded, high, 0.0) * scale[:, None]).astype(np.int64)
    return np.ascontiguousarray(low_micro.T), np.ascontiguousarray(high_micro.T)


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
