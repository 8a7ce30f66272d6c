"""What a mandate's forecasts were worth: the record behind the cost gate, of all of them, traded or not.

A record of own trades shuts itself: a gate that has closed on bad luck never sees another trade. So every forecast
counts, gross of cost, at the price that a decision could have got and over the mandate's own outlook. The slope is the
return, in standard deviations of that outlook, that followed a full conviction; it starts from what is known of the
family and moves from there as evidence comes in.

Forecasts are taken an outlook apart, so that no return counts twice, and forgotten after a year. What one made at t_k
was worth is the move from the open after t_k to the open after the next sample, and is known only at the sample after
that: three samples make one judgement.

Source of the shrinkage: Lindley & Smith (1972), "Bayes estimates for the linear model", Journal of the Royal
Statistical Society B 34, 1-41: a prior that weighs as much as so many observations.
"""

import math
from typing import NamedTuple

import numpy as np

from podshop.maths.compiled import compiled
from podshop.nouns import DAY_NS, Panel, Whole

_WINDOW_DAYS = 365
_OLD, _NEW = 0, 1
NEWEST = _NEW  # place of the latest sample
_FY, _FF, _N = 0, 1, 2


class Record(NamedTuple):
    """What one mandate's past has taught so far. Changed in place.

    opinion, sigma, price  (2, m) of the sample before last and of the last: blend, daily volatility, reference
    last                   (1,) number of the last sample's period, -1 before the first
    ring                   (S, 3) of each of the last S periods: sums of f y and f f, and count of forecasts judged
    total                  (3,) their sum
    """

    opinion: Panel
    sigma: Panel
    price: Whole
    last: Whole
    ring: Panel
    total: Panel


def new_record(markets: int, outlook_ns: int) -> Record:
    """A past in which nothing was said yet; it remembers a year, and one outlook at least."""
    slots = max(1, _WINDOW_DAYS * DAY_NS // outlook_ns)
    unknown = np.full((2, markets), np.nan)
    price, last = np.zeros((2, markets), np.int64), np.full(1, -1, np.int64)
    return Record(unknown, unknown.copy(), price, last, np.zeros((slots, 3)), np.zeros(3))


@compiled
def slopes(
    record: Record,
    opinion: Panel,
    period: Whole,
    price: Whole,
    sigma: Panel,
    outlook_days: float,
    prior: float,
    prior_observations: float,
) -> Panel:
    """At each cadence, the standardised return over the outlook that a full conviction is believed to bring.

    record              carried from call to call, changed in place
    opinion             (C, m) the blend at each cadence, in order; NaN = none
    period              (C,) time // outlook; a cadence with another than the one before is a sample
    price               (C, m) reference: the open after the cadence, micro-dollars a lot; 0 = unknown. Row c is
                        first read a sample after c, when it is past
    sigma               (C, m) standard deviation of a day's return; NaN = unknown
    outlook_days        length of the outlook, days
    prior               slope believed before any forecast was judged
    prior_observations  weight of that belief, in judged forecasts of the record's own mean square
    ->                  (C,) slope in force from each cadence on
    """
    rows, markets = opinion.shape
    out = np.empty(rows)
    for row in range(rows):
        if period[row] != record.last[0]:
            _forget(record, period[row])
            _judge(record, outlook_days)
            for m in range(markets):
                record.opinion[_OLD, m], record.opinion[_NEW, m] = record.opinion[_NEW, m], opinion[row, m]
                record.sigma[_OLD, m], record.sigma[_NEW, m] = record.sigma[_NEW, m], sigma[row, m]
                record.price[_OLD, m], record.price[_NEW, m] = record.price[_NEW, m], price[row, m]
            record.last[0] = period[row]
        out[row] = _slope(record.total, prior, prior_observations)
    return out


@compiled
def _slope(total: Panel, prior: float, prior_observations: float) -> float:
    """Regression of returns on forecasts through the origin, with the prior as so many forecasts more."""
    usual = total[_FF] / total[_N] if total[_N] > 0.0 else 1.0
    weight = prior_observations * usual
    slope: float = (total[_FY] + weight * prior) / (total[_FF] + weight)
    return slope


@compiled
def _forget(record: Record, period: int) -> None:
    """Empty the places of the periods that have begun since the last sample."""
    slots = len(record.ring)
    begun = min(period - record.last[0], slots) if record.last[0] >= 0 else 0
    for p in range(period - begun + 1, period + 1):
        for i in range(3):
            record.total[i] -= record.ring[p % slots, i]
            record.ring[p % slots, i] = 0.0


@compiled
def _judge(record: Record, outlook_days: float) -> None:
    """Hold the sample before last against the price of the last, in the place of the last one's period."""
    slot = record.last[0] % len(record.ring)
    for m in range(record.opinion.shape[1]):
        f, sigma = record.opinion[_OLD, m], record.sigma[_OLD, m]
        before, after = record.price[_OLD, m], record.price[_NEW, m]
        if math.isnan(f) or f == 0.0 or math.isnan(sigma) or before == 0 or after == 0:
            continue
        y = (after / before - 1.0) / (sigma * math.sqrt(outlook_days))
        _gain(record, slot, f * y, f * f)


@compiled
def _gain(record: Record, slot: int, fy: float, ff: float) -> None:
    record.ring[slot, _FY] += fy
    record.ring[slot, _FF] += ff
    record.ring[slot, _N] += 1.0
    record.total[_FY] += fy
    record.total[_FF] += ff
    record.total[_N] += 1.0
