"""The portfolio risk monitor: what today's positions may lose in a day, by three methods on one volatility.

The gate weighs every order by sigma x tail: sigma is the exponentially weighted volatility of the portfolio, tail says
how much larger than sigma a bad day is. All three methods start from that same sigma and differ in the tail only:

- parametric: a normal, its covariance shrunk by Ledoit & Wolf's formula; it cannot see fat tails;
- historical: each past day's return of *today's* positions over the sigma that was expected of that day, so that a
  calm year and a wild one are alike; the share of the worst of these, times today's sigma. Source: Hull & White (1998),
  "Incorporating volatility updating into the historical simulation method", Journal of Risk 1(1), 5-19; on the
  portfolio's own series, Barone-Adesi, Giannopoulos & Vosper (1999), "VaR without correlations", Journal of Futures
  Markets 19(5), 583-602;
- cornish_fisher: a normal bent to the skewness and kurtosis of the same days (Maillard 2012), and where no such bend
  exists a Student t of their kurtosis.

docs/risk.md shows how each did on real history, and what was tried before.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import DAY_NS, Panel, Whole
from podshop.nouns.limits import NORMAL_95, Limits, RiskView
from podshop.risk import var
from podshop.risk.covariance import HALF_LIFE_DAYS, KNOWN_FROM_DAYS, WINDOW_DAYS, covariances

LEVELS = (0.95, 0.99)
LIMIT_LEVEL = 0.95  # of the fund's VaR limit
METHODS = ("parametric", "historical", "cornish_fisher")
KNOWN_SHARE = 0.5  # of what is held must have a price for a past day to count
GRID = 2**20  # what is published is rounded to 1 / GRID, so that the last bit of a product decides nothing


class Measured(NamedTuple):
    """What a portfolio may lose in a day; losses are fractions of NAV.

    sigma      of its day, by the covariance that it was judged by
    tails      method -> level -> VaR and ES; None where there is too little history to tell
    tail       VaR / sigma at 95 %, the largest of the methods, never below the normal's
    marginal   (M,) change of tail x sigma for each unit of NAV more in a market. By Euler's theorem weights x marginal
               sum to tail x sigma: of the net weights by market, of a book's own by book
    shrinkage  how much of the parametric covariance is Ledoit & Wolf's target; None where unknown
    days       past days that count
    """

    sigma: float
    tails: dict[str, dict[float, var.Tail | None]]
    tail: float
    marginal: Panel
    shrinkage: float | None
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioMonitor:
    """Answer how fat the tail of what is held is.

    history_days  past days that the historical method and the shape are taken from
    """

    history_days: int = 500

    def __call__(self, view: RiskView) -> Limits:
        """Publish the tail. A fund that holds nothing is judged as if it held every known market alike."""
        weights = view.weights.sum(axis=0)
        if not weights.any():
            weights = (np.diagonal(view.covariance) > 0) / max(len(weights), 1)
        found = self.measure(weights, view.covariance, view.bars, view.daily, view.bar_ns, view.at_ns)
        worst = largest(found.tails, LIMIT_LEVEL)
        tail = max(round(found.tail * GRID) / GRID, NORMAL_95)
        reason = "nothing is known yet" if worst is None else f"the largest of {len(METHODS)} methods is {worst[0]}"
        return Limits(reason=f"tail {tail:.2f}: {reason}", version=view.version, tail=tail)

    def measure(
        self, weights: Panel, covariance: Panel, bars: Panel, daily: Panel, bar_ns: int, at_ns: int
    ) -> Measured:
        """Measure net weights (M,), fractions of NAV; the rest as in `RiskView`."""
        bars, daily = np.ascontiguousarray(bars), np.ascontiguousarray(daily)
        sigma = var.deviation(weights, covariance)
        scores = standardised(weights, bars, daily[-self.history_days :], bar_ns, at_ns)
        sample = shrunk_covariance(bars, DAY_NS / bar_ns)
        matrix = covariance if sample is None else sample.covariance
        known = sigma > 0 and var.deviation(weights, matrix) > 0
        tails: dict[str, dict[float, var.Tail | None]] = {method: {} for method in METHODS}
        for level in LEVELS:
            tails["parametric"][level] = var.parametric(weights, matrix, level) if known else None
            past = var.historical(np.array([sigma]), scores[:, None], level)
            tails["historical"][level] = past
            tails["cornish_fisher"][level] = None if past is None else bent(sigma, scores, level)
        worst = largest(tails, LIMIT_LEVEL)
        tail = max(NORMAL_95, worst[1] / sigma if worst and sigma > 0 else 0.0)
        marginal = var.marginal_var(weights, covariance, tail)
        return Measured(sigma, tails, tail, marginal, None if sample is None else sample.intensity, len(scores))


def standardised(weights: Panel, bars: Panel, daily: Panel, bar_ns: int, at_ns: int) -> Panel:
    """(S,) what today's positions would have earned on each past day, over the sigma expected at its start.

    bars   (R, M) log returns of risk bars; the last closed at floor(at / bar)
    daily  (D, M) log returns of days; the last ended at floor(at / day)
    Days count from ten days of known bars on, where at least half of what is held had a price.
    """
    per_day = DAY_NS / bar_ns
    path = held_return(weights, bars)
    decay = 0.5 ** (1.0 / (HALF_LIFE_DAYS * per_day))
    window = max(round(WINDOW_DAYS * per_day), 1)
    variance = covariances(np.ascontiguousarray(path[:, None]), 0, window, decay, per_day)[:, 0, 0]
    last_bar, last_day = at_ns // bar_ns * bar_ns, at_ns // DAY_NS * DAY_NS
    start = last_day - DAY_NS * np.arange(len(daily), 0, -1)
    row: Whole = len(bars) - 1 + (start - last_bar) // bar_ns
    seen = row >= 0
    seen[seen] = np.isfinite(path).cumsum()[row[seen]] >= KNOWN_FROM_DAYS * per_day
    sigma = np.sqrt(np.maximum(variance[row[seen]], 0.0))
    earned = held_return(weights, np.ascontiguousarray(np.expm1(daily[seen])))
    counts = np.isfinite(earned) & (sigma > 0)
    return np.asarray(earned[counts] / sigma[counts])


def shrunk_covariance(bars: Panel, per_day: float) -> var.Shrunk | None:
    """(M, M) of a day, with the gate's half-life and window, shrunk; None under ten days of complete bars."""
    recent = bars[-max(round(WINDOW_DAYS * per_day), 1) :]
    known = np.isfinite(recent).all(axis=1)
    if known.sum() < KNOWN_FROM_DAYS * per_day or not recent.shape[1]:
        return None
    weight = var.ewma_weights(len(recent), HALF_LIFE_DAYS * per_day)[known]
    found = var.shrunk(recent[known], weight / weight.sum())
    return var.Shrunk(found.covariance * per_day, found.intensity)


def bent(sigma: float, scores: Panel, level: float) -> var.Tail:
    """A normal bent to the shape of the scores, or a Student t of their kurtosis; as wide as they are, times sigma."""
    skewness, kurtosis = var.shape(scores)
    width = sigma * float(scores.std())
    return var.cornish_fisher(width, skewness, kurtosis, level) or var.student_t(width, kurtosis, level)


def largest(tails: dict[str, dict[float, var.Tail | None]], level: float) -> tuple[str, float] | None:
    """The method with the largest VaR at a level, and that VaR; None where no method knows one."""
    known = {method: tail.var for method, by_level in tails.items() if (tail := by_level[level]) is not None}
    return max(known.items(), key=lambda one: one[1]) if known else None


@compiled
def held_return(weights: Panel, returns: Panel) -> Panel:
    """(T,) return of the weights (M,), unknown ones counting 0; NaN where less than half of what is held is known."""
    out = np.empty(returns.shape[0])
    size = 0.0
    for m in range(weights.shape[0]):
        size += abs(weights[m])
    for t in range(returns.shape[0]):
        known = 0.0
        value = 0.0
        for m in range(weights.shape[0]):
            if not math.isnan(returns[t, m]):
                known += abs(weights[m])
                value += weights[m] * returns[t, m]
        out[t] = value if size > 0.0 and known >= KNOWN_SHARE * size else math.nan
    return out
