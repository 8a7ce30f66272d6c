"""What only the market decides, made on whole arrays before the loop: marks, references, risk, liquidity."""

import numpy as np

from podshop import maths
from podshop.market import marks, resample
from podshop.nouns import DAY_NS, HOUR_NS, Funding, Instrument, Market, Panel, Times, Whole
from podshop.risk import covariance as risk
from podshop.run.chunks import CHUNKS_NS, Chunked
from podshop.run.state import Facts, Flags
from podshop.venues.simulated.fills import liquidity

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
    ) -> None:
        self.market, self._funding = market, funding
        self._lot_size = np.array([i.lot_size for i in instruments])
        self.scale = np.array([i.lot_micro_scale for i in instruments])
        self.mark, self.age = marks(market, self.scale)
        self._reference = _references(market, self.scale)
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
            reference=self._reference[first:last],
            dead=self._dead[first:last],
            risk_row=np.maximum(bar - max(begin, 0), 0),
            covariance=covariance,
            sigma=sigma,
            depth=depth,
            liquidity=liquidity(depth, sigma, interval_ns, **self._costs),
            funding_until=np.searchsorted(self._funding.at_ns, before, side="right"),
            funding_at=self._funding.at_ns,
            funding_market=self._funding.market,
            funding_rate=self._funding.rate,
            funding_source=self._funding.source,
        )

    def _covariance_rows(self, begin: int, end: int) -> Panel:
        time = self._bars.time
        parts = []
        for chunk in range(int(time[begin] // COVARIANCE_CHUNK_NS), int(time[end - 1] // COVARIANCE_CHUNK_NS) + 1):
            at = int(np.searchsorted(time, chunk * COVARIANCE_CHUNK_NS))
            parts.append(self._covariances.at(chunk)[max(begin - at, 0) : end - at])
        return np.concatenate(parts)

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
