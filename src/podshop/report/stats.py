"""What a NAV earned, and how little a Sharpe ratio of so many days proves.

Sources: Lo (2002), "The statistics of Sharpe ratios", Financial Analysts Journal 58(4), 36-52, for returns that are
normal; Mertens (2002), "Comments on variance of the IID estimator in Lo (2002)", for skewed and fat-tailed ones.
"""

from collections.abc import Mapping

import numpy as np

from podshop.nouns import DAY_NS, Panel, Times, Whole

DAYS_A_YEAR = 365
FEWEST_DAYS = 30  # below it the interval of a Sharpe ratio is None
CONFIDENCE = 0.90
_Z = 1.6448536269514722  # 90 % of a normal lie within +-_Z standard deviations

Stats = dict[str, float | None]


def stats(time: Times, nav_micro: Whole) -> Stats:
    """Measures of a NAV, net of whatever the NAV is net of.

    time       (K,) UTC ns, rising
    nav_micro  (K,) > 0
    ->         return (whole period), annual_return (compounded), volatility (annual), sharpe (annual, over a rate of
               0), sharpe_low, sharpe_high (90 % interval), max_drawdown (over all rows), days (daily returns used);
               fractions; None where there is too little to say
    """
    daily = daily_returns(time, nav_micro)
    deviation = float(daily.std(ddof=1)) if len(daily) > 1 else 0.0
    low, high = sharpe_interval(daily)
    known = low is not None and int(nav_micro.min()) > 0  # nobody has a Sharpe ratio who has nothing, or no interval
    total = nav_micro[-1] / nav_micro[0] - 1
    days = (time[-1] - time[0]) / DAY_NS
    return {
        "return": float(total),
        "annual_return": float((1 + total) ** (DAYS_A_YEAR / days) - 1) if days >= FEWEST_DAYS and total > -1 else None,
        "volatility": deviation * DAYS_A_YEAR**0.5 if len(daily) > 1 else None,
        "sharpe": float(daily.mean()) / deviation * DAYS_A_YEAR**0.5 if known else None,
        "sharpe_low": low if known else None,
        "sharpe_high": high if known else None,
        "max_drawdown": float((1 - nav_micro / np.maximum.accumulate(nav_micro)).max()),
        "days": len(daily),
    }


def daily_returns(time: Times, nav_micro: Whole) -> Panel:
    """(D,) simple returns between the rows at 00:00 UTC."""
    midnight = nav_micro[time % DAY_NS == 0].astype(np.float64)
    returns: Panel = midnight[1:] / midnight[:-1] - 1
    return returns


def sharpe_interval(daily: Panel) -> tuple[float | None, float | None]:
    """90 % interval of the annual Sharpe ratio; (None, None) under 30 days or without any variation.

    With s the daily ratio, g3 the skewness, g4 the kurtosis (3 for a normal) and n the days (Mertens):

        variance of s = (1 - g3 s + (g4 - 1) / 4 s^2) / n

    which for a normal is Lo's (1 + s^2 / 2) / n. Returns are taken as independent from day to day.
    """
    n = len(daily)
    if n < FEWEST_DAYS or not daily.std() > 0:
        return None, None
    ratio = daily.mean() / daily.std(ddof=1)
    z = (daily - daily.mean()) / daily.std()
    skewness, kurtosis = (z**3).mean(), (z**4).mean()
    error = np.sqrt((1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2) / n)
    year = DAYS_A_YEAR**0.5
    return float((ratio - _Z * error) * year), float((ratio + _Z * error) * year)


def gross_return(nav_start: float, nav_end: float, costs: Mapping[str, float]) -> float:
    """Return before fees, slippage and funding, all in USD; funding received > 0."""
    return float(nav_end + costs["fees"] + costs["slippage"] - costs["funding"]) / nav_start - 1
