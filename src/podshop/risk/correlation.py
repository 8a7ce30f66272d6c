"""The correlation tracker: how many things the fund really holds, and how many agents it really has.

In a crisis everything falls together, and what looked like five positions was one. So markets that move as one share
one cap; a jump of the average correlation, or too few independent bets among the agents, lowers the risk budget; and
two agents whose shadow books earn the same on the same days are named.

Sources: Meucci (2009), "Managing diversification", Risk 22(5), 74-79, for the number of bets as the exponential of an
entropy (here of the shares of the eigenvalues of the contributions' covariance, which needs no choice of a torsion);
Longin & Solnik (2001), "Extreme correlation of international equity markets", Journal of Finance 56(2), 649-676.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from podshop.nouns import Panel, Whole
from podshop.nouns.limits import Limits, RiskView
from podshop.risk.clusters import clusters, membership

NEARLY = 0.05  # days on which nobody moved change a correlation by less: pairs further from twins are not looked at
GRID = 2**20  # the factor is rounded to 1 / GRID, so that the last bit of a product decides nothing


class Together(NamedTuple):
    """What moves with what.

    markets, books  (M, M), (B, B) correlations over the long window; NaN = unknown
    label           (M,) cluster of each market
    bets            effective number of independent bets among the books; None where there are too few days
    short, long     average correlation of the markets over both windows; None where unknown
    factor          what is left of the risk budget, 0..1
    twins           pairs of books that are one agent in disguise, and their correlation
    """

    markets: Panel
    books: Panel
    label: Whole
    bets: float | None
    short: float | None
    long: float | None
    factor: float
    twins: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationTracker:
    """Count what moves as one as one.

    long_days    window of daily returns that markets and books are compared over
    short_days   window of what is happening now
    fewest_days  that two series must share in the long window
    alike_from   correlation from which average linkage joins markets
    max_cluster  largest net position of a cluster, fraction of NAV
    jump_from    rise of the average correlation, short over long, from which the budget falls: in a straight line, to
                 `least` at twice this
    fewest_bets  effective bets under which the budget falls in proportion, but not under `least`
    least        of the VaR limit that is always left, 0..1
    twin_from    correlation of two shadows that makes them one agent
    twin_days    that two books must share for that, and for bets to be counted
    """

    long_days: int = 90
    short_days: int = 20
    fewest_days: int = 30
    alike_from: float = 0.7
    max_cluster: float = 0.15
    jump_from: float = 0.2
    fewest_bets: float = 2.0
    least: float = 0.5
    twin_from: float = 0.95
    twin_days: int = 60

    def __call__(self, view: RiskView) -> Limits:
        """Publish a cap for each cluster, and a VaR limit lowered by the factor."""
        seen = self.look(view)
        members = membership(seen.label)
        caps = np.full(len(members), self.max_cluster)
        max_var = view.mandate.max_var * round(seen.factor * GRID) / GRID
        return Limits(
            reason=self._reason(seen), version=view.version, cluster=members, max_cluster=caps, max_var=max_var
        )

    def look(self, view: RiskView) -> Together:
        """Measure; see `Together`."""
        recent = np.ascontiguousarray(view.daily[-self.long_days :])
        markets = correlation(recent, self.fewest_days)
        short, long = averages(correlation(view.daily[-self.short_days :], 3 * self.short_days // 4), markets)
        earned = view.shadows.daily_return
        books = correlation(earned[-self.long_days :], self.twin_days)
        counted = (earned * view.shadows.throttle)[-self.long_days :]
        bets = effective_bets(counted) if len(counted) >= self.twin_days else None
        active = int(counted.any(axis=0).sum())
        factor = min(self._left_by_jump(short, long), self._left_by_bets(bets, active))
        twins = self._twins(earned[-self.long_days :], books, view.books)
        return Together(markets, books, clusters(markets, self.alike_from), bets, short, long, factor, twins)

    def _left_by_jump(self, short: float | None, long: float | None) -> float:
        if short is None or long is None:
            return 1.0
        beyond = (short - long) / self.jump_from - 1.0
        return max(self.least, 1.0 - (1.0 - self.least) * max(beyond, 0.0))

    def _left_by_bets(self, bets: float | None, active: int) -> float:
        """A fund of one book is one bet by its owner's wish: no more bets are asked for than there are books."""
        floor = min(self.fewest_bets, float(active))
        return 1.0 if bets is None or bets >= floor else max(self.least, bets / floor)

    def _twins(self, earned: Panel, books: Panel, names: tuple[str, ...]) -> tuple[tuple[str, str, float], ...]:
        """Pairs that earned the same; days on which neither moved say nothing and do not count."""
        found = []
        for i, j in np.argwhere(np.tril(books, -1) >= self.twin_from - NEARLY):
            moved = earned[(earned[:, i] != 0) | (earned[:, j] != 0)][:, [j, i]]
            rho = float(correlation(moved, self.twin_days)[0, 1])
            if rho >= self.twin_from:
                found.append((names[j], names[i], rho))
        return tuple(found)

    def _reason(self, seen: Together) -> str:
        parts = [f"{len(seen.label)} markets in {seen.label.max(initial=-1) + 1} clusters"]
        if seen.short is not None and seen.long is not None:
            parts.append(f"average correlation {seen.short:.2f} in {self.short_days} days, {seen.long:.2f} in more")
        if seen.bets is not None:
            parts.append(f"{seen.bets:.1f} effective bets")
        if seen.factor < 1.0:
            parts.append(f"risk budget x {seen.factor:.2f}")
        parts += [f"{a} and {b} are one agent in disguise ({rho:.2f})" for a, b, rho in seen.twins]
        return ", ".join(parts)


def correlation(returns: Panel, fewest: int) -> Panel:
    """(M, M) Pearson correlation over the days that both know; NaN under `fewest` of them or where one never moved.

    returns  (D, M), NaN = unknown
    """
    known = np.isfinite(returns).astype(np.float64)
    x = np.nan_to_num(np.where(known > 0, returns, 0.0))
    n, total, square = known.T @ known, x.T @ known, (x * x).T @ known
    with np.errstate(all="ignore"):
        covariance = x.T @ x / n - (total / n) * (total.T / n)
        variance = square / n - (total / n) ** 2
        moved = variance > 1e-12 * square / n
        found = covariance / np.sqrt(variance * variance.T)
    sure = (n >= max(fewest, 2)) & moved & moved.T
    return np.where(sure, np.clip(found, -1.0, 1.0), np.nan)


def averages(short: Panel, long: Panel) -> tuple[float | None, float | None]:
    """Mean correlation over the pairs that both know; None where there are none."""
    pair = np.isfinite(short) & np.isfinite(long) & ~np.eye(len(short), dtype=np.bool_)
    return (float(short[pair].mean()), float(long[pair].mean())) if pair.any() else (None, None)


def effective_bets(contribution: Panel) -> float:
    """How many independent bets of equal size would be as spread as these: exp of the entropy of the eigenvalues.

    contribution  (D, B) what each book added on each day, complete
    ->            from 1 (all the same) to B (all independent and equally large); 0 where nothing moved
    A hedge counts as the same bet as what it hedges. Few days make it smaller than it is: 20 independent books seen
    for 90 days count as about 18.

    >>> round(effective_bets(np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])), 9)
    2.0
    """
    around = contribution - contribution.mean(axis=0) if len(contribution) else contribution
    spread = np.clip(np.linalg.eigvalsh(around.T @ around), 0.0, None) if around.size else np.zeros(0)
    whole = float(spread.sum())
    if not whole > 0:
        return 0.0
    share = spread[spread > 1e-12 * whole] / whole
    return math.exp(-float((share * np.log(share)).sum()))
