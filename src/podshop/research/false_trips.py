"""How often a ladder of drawdowns stops an agent by chance alone, by the agent's true Sharpe ratio.

A ladder cannot know whether a loss is bad luck or a strategy that died. The figures in docs/risk.md come from here:
`python -m podshop.research.false_trips`.

Sources: Magdon-Ismail, Atiya, Pratap & Abu-Mostafa (2004), "On the maximum drawdown of a Brownian motion", Journal of
Applied Probability 41(1), 147-161: without drift the expected worst drawdown of a year is 1.2533 annual volatilities.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from podshop.nouns import DAY_NS, Panel
from podshop.risk.drawdown import DrawdownLadder, fresh

DAYS = 365
TAIL = 4.0  # degrees of freedom of a day's return: fat, as crypto's
FIXED = DrawdownLadder(warn_from=0.05, halve_from=0.075, out_from=0.10, back_below=0.05, in_volatility=False)
UNITS = DrawdownLadder()
CASES = [
    (name, ladder, volatility)
    for name, ladder in (("units of volatility", UNITS), ("5, 7.5, 10 %", FIXED))
    for volatility in (0.05, 0.1, 0.2, 0.4)
]


class Trips(NamedTuple):
    """Share of years in which an agent was ever at a rung, and the share of its days that it spent out."""

    warned: float
    halved: float
    out: float
    days_out: float


def trips(ladder: DrawdownLadder, sharpe: float, volatility: float, years: int, seed: int) -> Trips:
    """Walk so many independent years of daily looks down a ladder.

    sharpe, volatility  true and annual
    """
    growth = fortunes(sharpe, volatility, years, seed)
    unit = np.full(years, volatility)
    standing = fresh(np.ones(years))
    warned = halved = out = np.zeros(years, np.bool_)
    days_out = 0
    for day, equity in enumerate(growth):
        standing = ladder.climb(standing, equity, unit, day * DAY_NS)
        warned = warned | (ladder.steps(equity, standing.peak, unit) >= ladder.warn_from)
        halved, out = halved | (standing.rung < 1), out | (standing.rung == 0)
        days_out += int((standing.rung == 0).sum())
    return Trips(float(warned.mean()), float(halved.mean()), float(out.mean()), days_out / growth.size)


def fortunes(sharpe: float, volatility: float, years: int, seed: int) -> Panel:
    """(DAYS, years) equity from 1 on, of independent days with fat tails and the moments asked for."""
    daily = np.random.default_rng(seed).standard_t(TAIL, (DAYS, years)) / np.sqrt(TAIL / (TAIL - 2))
    returns = volatility * (sharpe / DAYS + daily / np.sqrt(DAYS))
    return np.asarray(np.exp(np.cumsum(np.log1p(np.maximum(returns, -0.99)), axis=0)))


def bad_days(ladder: DrawdownLadder, sharpe: float, years: int, seed: int) -> float:
    """Share of years with a day that loses more than the fund's daily limit, at the volatility it is measured in."""
    growth = fortunes(sharpe, ladder.fund_volatility, years, seed)
    loss = 1.0 - growth / np.concatenate([np.ones((1, years)), growth[:-1]])
    return float((loss >= ladder.day_loss * ladder.fund_volatility).any(axis=0).mean())


def table(years: int = 20_000, seed: int = 1) -> Iterator[str]:
    """The rows of the table in docs/risk.md."""
    yield "| ladder | volatility | Sharpe | warned | halved | out | days out |"
    yield "|---|---|---|---|---|---|---|"
    for name, ladder, volatility in CASES:
        for sharpe in (0.0, 1.0, 2.0):
            shares = trips(ladder, sharpe, volatility, years, seed)
            cells = " | ".join(f"{100 * share:.1f} %" for share in shares)
            yield f"| {name} | {100 * volatility:.0f} % | {sharpe:g} | {cells} |"


if __name__ == "__main__":
    print("\n".join(table()))  # noqa: T201  it is a table for a page
    print(f"a day beyond the fund's limit: {100 * bad_days(UNITS, 1.0, 20_000, 1):.1f} % of years")  # noqa: T201
