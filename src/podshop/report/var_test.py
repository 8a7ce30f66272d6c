"""Is the value at risk true? Days that lost more than it, held against what it claims.

A VaR at 95 % promises that one day in twenty loses more, and that such days come when they like, not in a row. Losses
are those of clean P&L: the lots held at 00:00, frozen for a day, so that the model is judged and not the day's trading.

Sources: Kupiec (1995), "Techniques for verifying the accuracy of risk measurement models", Journal of Derivatives 3(2),
73-84: how many; Christoffersen (1998), "Evaluating interval forecasts", International Economic Review 39(4), 841-862:
whether in a row, and both at once; Basel Committee (1996), "Supervisory framework for the use of backtesting": zones.
Likelihood ratios are held against the chi-square distribution, which few exceedances follow only roughly.
"""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import DAY_NS, Panel
from podshop.report.aggregate import ReportData

RECORDED = 0.95  # the level of the VaR in the NAV rows
LEVELS = (0.95, 0.99)
DOUBT = 0.05  # a test rejects where chance alone does as badly less often than this
POWER = 0.9  # enough days = a VaR that is exceeded twice as often as it claims is caught this often
BASEL_DAYS = 250
YELLOW_FROM, RED_FROM = 0.95, 0.9999  # share of true models with so many exceedances or fewer
CONTROL = 0.7  # a VaR this much too small must be rejected by the same test
PASSES, REJECTED, TOO_FEW = "passes", "rejected", "too few days to tell"
ALL = "all"  # the name of the period of all days

Flags = NDArray[np.bool_]


def var_test(data: ReportData, scale: float = 1.0) -> dict[str, Any]:
    """Test the VaR of a run, by calendar year, over the last 250 days and in all.

    scale  multiplies the VaR: what would a model have scored that is wrong by so much?
    ->     levels: for 0.95 and 0.99 the days needed to tell, the periods (see `period_test`, and `name`), and the
           control: what a VaR x 0.7 comes to on all days; dirty_exceedances: days whose change of NAV, trades and
           costs and all, lost more than the VaR at 95 %
    The VaR at 99 % is the recorded one at 95 % under the same normal distribution. Only whole days count that began
    with lots held and a known VaR.
    """
    known = data.var_micro > 0
    var = np.where(known, data.var_micro, np.nan) * scale
    return {
        "levels": [_level(data, known, var, level) for level in LEVELS],
        "dirty_exceedances": int((-_dirty_pnl(data)[known] > var[known]).sum()),
    }


def verdict(level: Mapping[str, Any]) -> str:
    """The verdict on all days in words.

    level  one of `levels` of `var_test`
    """
    (whole,) = (period for period in level["periods"] if period["name"] == ALL)
    name = f"{100 * level['level']:.0f} % "
    if whole["verdict"] == REJECTED:
        return f"{name}rejected ({', '.join(whole['why'])})"
    if whole["verdict"] == TOO_FEW:
        return f"{name}too few days to tell ({whole['days']:,} of {level['days_needed']:,})"
    return f"{name}passes"


def _level(data: ReportData, known: Flags, var: Panel, level: float) -> dict[str, Any]:
    one_day = var * (NormalDist().inv_cdf(level) / NormalDist().inv_cdf(RECORDED))
    beyond = known & (-data.clean_pnl > one_day)
    too_small = known & (-data.clean_pnl > CONTROL * one_day)
    periods = [
        {"name": name} | period_test(known & inside, beyond, 1 - level) for name, inside in _periods(data, known)
    ]
    control = period_test(known, too_small, 1 - level)
    return {
        "level": level,
        "days_needed": days_needed(1 - level),
        "periods": periods,
        "control": {"scale": CONTROL} | {key: control[key] for key in ("exceedances", "why", "verdict")},
    }


def period_test(known: Flags, beyond: Flags, tail: float) -> dict[str, Any]:
    """Test one stretch of days.

    known   (D,) days that count
    beyond  (D,) days that lost more than the VaR
    tail    what the VaR claims: the chance of such a day
    ->      days, exceedances, expected, accepted (fewest and most exceedances that Kupiec's test lets pass), kupiec,
            independence and joint (likelihood ratio `lr` and `p`, the chance that a true model does as badly), zone
            (None under 250 days), power (chance that a VaR exceeded twice as often as it claims is caught), why (what
            rejects it), verdict: passes, rejected, or too few days to tell
    """
    days, exceedances = int(known.sum()), int((beyond & known).sum())
    frequency = kupiec(days, exceedances, tail)
    cluster = independence(known, beyond)
    p = {"kupiec": chi2_tail(frequency, 1), "independence": chi2_tail(cluster, 1)}
    both = {"lr": frequency + cluster, "p": chi2_tail(frequency + cluster, 2)}
    power = power_to_notice(days, tail)
    why = []
    if p["kupiec"] < DOUBT:
        why.append("too many" if exceedances > days * tail else "too few")
    if p["independence"] < DOUBT:
        why.append("in a row")
    if both["p"] < DOUBT and not why:
        why.append("both together")
    return {
        "days": days,
        "exceedances": exceedances,
        "expected": days * tail,
        "accepted": list(accepted(days, tail)),
        "kupiec": {"lr": frequency, "p": p["kupiec"]},
        "independence": {"lr": cluster, "p": p["independence"]},
        "joint": both,
        "zone": zone(days, exceedances, tail) if days >= BASEL_DAYS else None,
        "power": power,
        "why": why,
        "verdict": REJECTED if why else PASSES if days >= days_needed(tail) else TOO_FEW,
    }


def _periods(data: ReportData, known: Flags) -> Iterator[tuple[str, Flags]]:
    """Calendar years, the last 250 days that count where there are as many, and all."""
    year = data.day.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970
    for each in np.unique(year[known]):
        yield str(each), year == each
    counted = np.flatnonzero(known)
    if len(counted) >= BASEL_DAYS:
        yield f"last {BASEL_DAYS} days", np.arange(len(known)) >= counted[-BASEL_DAYS]
    yield ALL, np.ones(len(known), np.bool_)


def _dirty_pnl(data: ReportData) -> Panel:
    """(D,) change of NAV from each 00:00 to the next, micro-dollars; NaN where one of the two is not there."""
    nav = np.full(len(data.day) + 1, np.nan)
    midnight = data.nav["time"] % DAY_NS == 0
    nav[(data.nav["time"][midnight] - data.day[0]) // DAY_NS] = data.nav["nav_micro"][midnight]
    return np.diff(nav)


def kupiec(days: int, exceedances: int, tail: float) -> float:
    """Likelihood ratio of the share of exceedances that was seen to the one that was claimed; chi-square, 1 degree.

    >>> round(kupiec(250, 7, 0.01), 2)
    5.5
    """
    claimed = _log_likelihood(exceedances, days - exceedances, tail)
    seen = _log_likelihood(exceedances, days - exceedances, exceedances / days if days else 0.0)
    return max(2 * (seen - claimed), 0.0)


def independence(known: Flags, beyond: Flags) -> float:
    """Likelihood ratio of "a day depends on the day before" to "it does not"; chi-square, 1 degree.

    Only pairs of neighbouring days count of which both are known.
    """
    pair = known[1:] & known[:-1]
    before, after = beyond[:-1][pair], beyond[1:][pair]
    n01, n11 = int((~before & after).sum()), int((before & after).sum())
    n00, n10 = int((~before & ~after).sum()), int((before & ~after).sum())
    hits, misses = n01 + n11, n00 + n10
    alike = _log_likelihood(hits, misses, hits / (hits + misses) if hits else 0.0)
    quiet = _log_likelihood(n01, n00, n01 / (n00 + n01) if n01 else 0.0)
    struck = _log_likelihood(n11, n10, n11 / (n10 + n11) if n11 else 0.0)
    return max(2 * (quiet + struck - alike), 0.0)


def chi2_tail(value: float, degrees: int) -> float:
    """Chance that a chi-square of 1 or 2 degrees of freedom is larger.

    >>> round(chi2_tail(3.841459, 1), 6), round(chi2_tail(5.991465, 2), 6)
    (0.05, 0.05)
    """
    return math.erfc(math.sqrt(value / 2)) if degrees == 1 else math.exp(-value / 2)


def zone(days: int, exceedances: int, tail: float) -> str:
    """Green, yellow or red, by Basel's own rule for 250 days at 99 %: how many true models have so many or fewer.

    >>> [zone(250, n, 0.01) for n in (4, 5, 9, 10)]
    ['green', 'yellow', 'yellow', 'red']
    """
    share = math.fsum(binomial(days, n, tail) for n in range(exceedances + 1))
    return "red" if share >= RED_FROM else "yellow" if share >= YELLOW_FROM else "green"


@lru_cache(maxsize=4096)
def accepted(days: int, tail: float) -> tuple[int, int]:
    """Fewest and most exceedances that Kupiec's test does not reject; the likelihood ratio has one valley."""

    def passes(n: int) -> bool:
        return 0 <= n <= days and chi2_tail(kupiec(days, n, tail), 1) >= DOUBT

    fewest = most = round(days * tail)
    while passes(fewest - 1):
        fewest -= 1
    while passes(most + 1):
        most += 1
    return fewest, most


def power_to_notice(days: int, tail: float, factor: float = 2.0) -> float:
    """Chance that Kupiec's test rejects a VaR that is exceeded `factor` times as often as it claims."""
    fewest, most = accepted(days, tail)
    return 1 - math.fsum(binomial(days, n, factor * tail) for n in range(fewest, most + 1))


@lru_cache(maxsize=16)
def days_needed(tail: float) -> int:
    """Fewest days on which a VaR that is exceeded twice as often as it claims is caught nine times in ten.

    Power falls a little wherever one more exceedance is let pass: a few days later it may be a percent less.
    """
    days = 1
    while power_to_notice(days, tail) < POWER:
        days += 1
    return days


def binomial(trials: int, hits: int, chance: float) -> float:
    """Chance of exactly so many hits; 0 < chance < 1.

    >>> round(binomial(4, 2, 0.5), 12)
    0.375
    """
    ways = math.lgamma(trials + 1) - math.lgamma(hits + 1) - math.lgamma(trials - hits + 1)
    return math.exp(ways + hits * math.log(chance) + (trials - hits) * math.log1p(-chance))


def _log_likelihood(hits: int, misses: int, chance: float) -> float:
    """Logarithm of chance^hits (1 - chance)^misses, where 0^0 is 1."""
    return (hits * math.log(chance) if hits else 0.0) + (misses * math.log1p(-chance) if misses else 0.0)
