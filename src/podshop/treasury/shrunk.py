"""Capital by what is believed of each book: its net Sharpe ratio, shrunk toward what was expected before any evidence.

A year's Sharpe ratio has a standard error of 1, so most of what it says is luck. Belief is the mean of a normal prior
and a normal error, for all books at once, since books that move together are wrong together:

    theta = mu + T (T + E)^-1 (s - mu),   T = 365 / prior_days on the diagonal,   E_ij = C_ij 365 / sqrt(n_i n_j)

with s the annual net Sharpe ratios of the shadows, n their days, C their correlation and mu the prior: with one book,
the mean of s and mu, weighted by days. Capital then goes to the best mix that sells no book short, and what nobody
deserves stays cash.

Sources: Lo (2002), "The statistics of Sharpe ratios", Financial Analysts Journal 58(4), 36-52 (error of s, without its
s^2 / 2, which at s = 2 a year is half a percent); Black & Litterman (1992), "Global portfolio optimization", Financial
Analysts Journal 48(5), 28-43 (belief from prior and evidence); Garleanu & Pedersen (2013), "Dynamic trading with
predictable returns and transaction costs", Journal of Finance 68(6), 2309-2340 (trade part of the way, not at once).
"""

import math
from dataclasses import dataclass
from operator import mul
from typing import NamedTuple

import numpy as np

from podshop.maths.small import best_holding, solve
from podshop.nouns import Panel
from podshop.treasury.evidence import DAYS_A_YEAR, Evidence, evidence
from podshop.treasury.moves import CAP, DISMISSED, FLOOR, TOO_FEW_DAYS, moved

EVIDENCE_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How belief becomes capital; floor, cap and band are multiples of an equal share.

    prior_days       the prior weighs as much as so many days of evidence
    invest_all_from  annual Sharpe ratio believed of the mix from which on nothing stays cash
    back_from        a dismissed book is employed again when this is believed of it, annual Sharpe ratio
    floor            least share of an employed book
    cap              largest share of any
    band             a share that would move by less stays
    turnover         most that moves in a day, fraction of NAV, both ways counted
    """

    prior_days: float = 730.0
    invest_all_from: float = 0.5
    back_from: float = 0.1
    floor: float = 0.25
    cap: float = 2.0
    band: float = 0.2
    turnover: float = 0.05


class Allocation(NamedTuple):
    """Weights and how they came about, one entry for each book; Sharpe ratios annual.

    wanted  what belief, floor and cap ask for; weights  after hysteresis and turnover
    bound   what bound each weight, in words, in the order in which it did
    """

    days: list[int]
    sharpe: list[float]
    prior: list[float]
    posterior: list[float]
    wanted: list[float]
    weights: Panel
    bound: list[tuple[str, ...]]


def shrunk(daily_return: Panel, previous: Panel, prior: tuple[float, ...], rules: Rules) -> Allocation:
    """Capital of each book, from what it earned in the last year and what was expected of it.

    daily_return  (D, B) of the shadows net of costs, fraction of their reference capital, oldest first
    previous      (B,) the weights until now: a book is dismissed when it has none
    prior         (B,) annual net Sharpe ratio expected before any evidence
    ->            weights >= 0, sum at most 1: the rest is cash
    """
    seen = evidence(daily_return[-EVIDENCE_DAYS:])
    posterior = believed(seen, prior, rules.prior_days)
    before = previous.tolist()
    employed = [theta >= (0.0 if was > 0.0 else rules.back_from) for theta, was in zip(posterior, before, strict=True)]
    wanted, why = _wanted(seen, posterior, employed, rules)
    weights, bound = moved(wanted, before, rules.band / len(before), rules.turnover)
    return Allocation(
        days=seen.days,
        sharpe=seen.sharpe,
        prior=list(prior),
        posterior=posterior,
        wanted=wanted,
        weights=np.array(weights),
        bound=[first + then for first, then in zip(why, bound, strict=True)],
    )


def believed(seen: Evidence, prior: tuple[float, ...], prior_days: float) -> list[float]:
    """(B,) annual Sharpe ratio believed of each book: the prior where there are too few days."""
    books = [b for b, enough in enumerate(seen.enough) if enough]
    width = DAYS_A_YEAR / prior_days
    days = np.array([float(seen.days[b]) for b in books])
    spread = seen.correlation[np.ix_(books, books)] * DAYS_A_YEAR / np.sqrt(days[:, None] * days) + np.diag(
        np.full(len(books), width)
    )
    surprise = solve(spread, np.array([seen.sharpe[b] - prior[b] for b in books]))
    answer = list(prior)
    for b, part in zip(books, surprise.tolist(), strict=True):
        answer[b] += width * part
    return answer


def _wanted(
    seen: Evidence, posterior: list[float], employed: list[bool], rules: Rules
) -> tuple[list[float], list[tuple[str, ...]]]:
    """What belief asks for within floor and cap, and why it is not what belief alone would give.

    Books with too few days get an equal share each. The others divide what is left: u >= 0 is the best mix in units of
    risk, capital u / deviation; sqrt(theta'u) is the Sharpe ratio believed of it and decides how much is invested.
    """
    count = len(posterior)
    equal = 1.0 / count
    enough = seen.enough
    judged = [b for b in range(count) if enough[b] and employed[b]]
    theta = [posterior[b] for b in judged]
    risk = best_holding(seen.correlation[np.ix_(judged, judged)], np.array(theta)).tolist()
    money = [u / seen.deviation[b] for u, b in zip(risk, judged, strict=True)]
    total, mix = math.fsum(money), math.sqrt(math.fsum(map(mul, risk, theta)))
    room = sum(enough) * equal
    invested = room * min(1.0, mix / rules.invest_all_from)
    floor, cap = rules.floor * equal, min(1.0, rules.cap * equal)
    wanted = [0.0 if known else equal for known in enough]
    why: list[tuple[str, ...]] = [() if known else (TOO_FEW_DAYS,) for known in enough]
    for b, part in zip(judged, money, strict=True):
        asked = invested * part / total if total > 0.0 else 0.0
        wanted[b] = min(max(asked, floor), cap)
        why[b] = (FLOOR,) if asked < floor else (CAP,) if asked > cap else ()
    _fit(wanted, judged, floor, room)
    for b in range(count):
        if enough[b] and not employed[b]:
            why[b] = (DISMISSED,)
    return wanted, why


def _fit(wanted: list[float], judged: list[int], floor: float, room: float) -> None:
    """Where floors have asked for more than there is, take it from what stands above its floor, in proportion."""
    above = math.fsum(wanted[b] - floor for b in judged)
    too_much = math.fsum(wanted[b] for b in judged) - room
    if too_much > 0.0 and above > 0.0:
        keep = max(0.0, 1.0 - too_much / above)
        for b in judged:
            wanted[b] = floor + (wanted[b] - floor) * keep
