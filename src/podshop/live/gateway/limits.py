"""What the brain may ask for: its message is checked whole, its limits only tighten, its risk figures are not believed.

VaR is judged under the brain's covariance and under the gateway's own, each whole: a matrix made of the larger element
of two is of no portfolio. The brain's variances are raised to a share of what the markets really did first.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from podshop.ledger.live import Ruled
from podshop.live.gateway.memory import CLOSES_KEPT
from podshop.live.gateway.terms import Hard, Terms
from podshop.live.messages import Office, Targets
from podshop.nouns import DAY_NS, Panel
from podshop.nouns.limits import NORMAL_95
from podshop.nouns.verdict import CODE_NAMES, HALTED_STATE, RUNNING
from podshop.risk.gate import InForce
from podshop.run.state import CLUSTERS

MOST_LOTS = 1 << 31  # of one book in one market: what an allotment can carry
MOST_WHOLE = 1 << 62
MOST_SHARE = 1e9
MOST_WISHED = 100  # times NAV that all books together may wish of one market
OFF = 1e-6  # by which products of roots may differ
LEAST_DAYS = 10
OWN_DAYS = CLOSES_KEPT - 1


def wrong_with(targets: Targets, terms: Terms, cycle: int, *, allots: bool, most: Sequence[int] | None = None) -> str:
    """Why a message of the brain is refused whole; empty where it is not.

    cycle   the one that is open; allots: capital may be moved in it
    most    (M,) lots that all books together may wish, both sides counted: what they would cross is bounded too
    """
    markets, books = len(terms.markets), len(terms.books)
    if targets.cycle != cycle:
        return f"it is of cycle {targets.cycle}, expected {cycle}"
    for name, table in (("wished", targets.wished), ("raw", targets.raw)):
        if len(table) != markets or any(len(row) not in (books, books + 1) for row in table):
            return f"{name} is not {markets} markets of {books} books"  # a column for the house is left unread
        if any(not -MOST_LOTS <= lots <= MOST_LOTS for row in table for lots in row):
            return f"{name} has a number of lots beyond {MOST_LOTS}"
    for row, lots in zip(targets.raw, most or (MOST_LOTS,) * markets, strict=True):
        if sum(map(abs, row[:books])) > lots:
            return f"the books wish {sum(map(abs, row[:books]))} lots of a market, expected at most {lots}"
    of_market = (targets.sigma_day, targets.depth_lots, targets.most_lots, targets.history_ns, targets.frozen_bars)
    if any(len(column) != markets for column in of_market):
        return f"a column of the markets has not {markets} entries"
    if any(not -MOST_WHOLE <= n <= MOST_WHOLE for column in of_market[2:] for n in column):
        return f"a whole number is beyond {MOST_WHOLE}"
    if any(math.isinf(x) for column in of_market[:2] for x in column):
        return "sigma_day or depth_lots is infinite"
    if any(n < 0 for n in targets.most_lots):
        return "most_lots is below 0"
    if any(
        not (0 <= b < books and 0 <= m < markets and 0 <= code < len(CODE_NAMES)) for b, m, code, *_ in targets.notes
    ):
        return "a note is of a book, market or code that is not there"
    return _weights(targets, books, allots) or _office(targets.office, markets, books) or _covariance(targets, markets)


def _weights(targets: Targets, books: int, allots: bool) -> str:
    weights = targets.weights
    if not weights:
        return ""
    if not allots:
        return "it moves capital, and no midnight has passed"
    if len(weights) != books or not all(0.0 <= w <= 1.0 for w in weights) or math.fsum(weights) > 1.0 + OFF:
        return f"weights are not {books} shares of at most 1 together"
    return ""


def _office(office: Office, markets: int, books: int) -> str:
    if len(office.max_weight) != markets or len(office.throttle) != books or len(office.caps) != len(office.clusters):
        return "the office's limits are not of this fund's shape"
    scalars = (office.max_gross, office.max_net, office.max_order, office.max_var, office.tail)
    if not all(0.0 <= x <= MOST_SHARE for x in (*scalars, *office.max_weight, *office.caps)):
        return "a limit of the office is no number of 0 or more"
    if not all(0.0 <= x <= 1.0 for x in (office.fund_throttle, *office.throttle)):
        return "a throttle is not between 0 and 1"
    if not RUNNING <= office.state <= HALTED_STATE:
        return f"the office's state is {office.state}"
    if not 0 <= office.version < MOST_WHOLE:
        return f"the office's version is {office.version}"
    if len(office.clusters) >= CLUSTERS:
        return f"{len(office.clusters)} clusters, expected fewer than {CLUSTERS}"
    if any(not 0 <= m < markets for members in office.clusters for m in members):
        return "a cluster has a market that is not there"
    return ""


def _covariance(targets: Targets, markets: int) -> str:
    if len(targets.covariance) != markets * markets:
        return f"the covariance is not {markets} x {markets}"
    s = np.array(targets.covariance).reshape(markets, markets)
    if not np.isfinite(s).all():
        return "the covariance is not finite"
    variance = s.diagonal()
    if (variance < 0).any():
        return "a variance is below 0"
    most = np.sqrt(variance)[:, None] * np.sqrt(variance)
    if (np.abs(s - s.T) > OFF * most).any() or (np.abs(s) > (1.0 + OFF) * most).any():
        return "the covariance is that of nothing: not symmetric, or a correlation beyond 1"
    known = [h >= OWN_DAYS * DAY_NS and m > 0 for h, m in zip(targets.history_ns, targets.most_lots, strict=True)]
    if any(known) and not (variance[np.array(known)] > 0).any():
        return "every variance is 0"
    return ""


def most_wished(marks: Iterable[int], nav_micro: int) -> list[int]:
    """(M,) lots that all books together may wish of each market: more is no wish, and no whole number carries it."""
    return [min(MOST_LOTS, MOST_WISHED * max(nav_micro, 0) // mark) if mark > 0 else MOST_LOTS for mark in marks]


def ruled(office: Office, hard: Hard, cycle: int, state: int, nav_micro: int) -> Ruled:
    """The tighter of what the brain's office allows and of what the gateway does; fractions of NAV."""
    canary = hard.canary_micro / nav_micro if hard.canary_micro and nav_micro > 0 else math.inf
    markets = len(office.max_weight)
    return Ruled(
        cycle=cycle,
        version=office.version,
        max_weight=tuple(min(w, hard.max_weight) for w in office.max_weight),
        max_gross=min(office.max_gross, hard.max_gross, canary),
        max_order=min(office.max_order, hard.max_order),
        max_var=min(office.max_var, hard.max_var),
        tail=max(office.tail, NORMAL_95),
        clusters=(tuple(range(markets)), *office.clusters),
        caps=(min(office.max_net, hard.max_net), *office.caps),
        state=max(state, office.state),
    )


def put(rules: Ruled, limits: InForce) -> None:
    """Write limits where compiled code reads them."""
    limits.version[0] = rules.version
    limits.max_weight[:] = rules.max_weight
    limits.max_gross[0], limits.max_order[0] = rules.max_gross, rules.max_order
    limits.max_var[0], limits.tail[0] = rules.max_var, rules.tail
    limits.clusters[0] = len(rules.clusters)
    limits.members[:] = False
    for c, (members, cap) in enumerate(zip(rules.clusters, rules.caps, strict=True)):
        limits.members[c, list(members)] = True
        limits.caps[c] = cap


def same(a: Ruled | None, b: Ruled) -> bool:
    """Whether both allow the same."""
    return a is not None and a._replace(cycle=0) == b._replace(cycle=0)


def floored(covariance: Panel, own_variance: Panel, factor: float) -> Panel:
    """A covariance none of whose variances is below a share of the markets' own.

    covariance    (M, M) the brain's; own_variance (M,), NaN = unknown
    ->            a row and its column scaled alike, so it stays a covariance; a variance of 0 is raised alone
    """
    least = np.where(np.isnan(own_variance), 0.0, factor * own_variance)
    variance = covariance.diagonal()
    low = variance < least
    if not low.any():
        return covariance
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(low & (variance > 0), np.sqrt(least / variance), 1.0)
    out: Panel = np.ascontiguousarray(covariance * scale[:, None] * scale)
    for m in np.flatnonzero(low):
        out[m, m] = least[m]
    return out


class Own:
    """What the gateway knows of its markets by itself: closes of the last days, and since when a price stands still."""

    def __init__(self, markets: int) -> None:
        self._closes: dict[int, Panel] = {}
        self._mark = np.zeros(markets, np.int64)
        self._since = np.zeros(markets, np.int64)
        self._seen = -1
        self._markets = markets

    def close(self, midnight_ns: int, mark_micro: Iterable[int]) -> None:
        """Take the marks of a midnight; 0 = unknown."""
        mark = np.array(list(mark_micro), np.float64)
        self._closes[midnight_ns] = np.where(mark > 0, mark, np.nan)
        for old in sorted(self._closes)[:-CLOSES_KEPT]:
            del self._closes[old]

    def missing(self, midnight_ns: int) -> list[int]:
        """Midnights of the last days whose marks are not known, oldest first."""
        days = [midnight_ns - i * DAY_NS for i in range(OWN_DAYS, -1, -1)]
        return [day for day in days if day not in self._closes]

    def covariance(self) -> Panel:
        """(M, M) of daily log returns about 0; rows of markets known for fewer than LEAST_DAYS are NaN."""
        days = sorted(self._closes)
        if len(days) < 2:
            return np.full((self._markets, self._markets), np.nan)
        closes = np.array([self._closes[day] for day in days])
        returns = np.diff(np.log(closes), axis=0)
        whole_day = np.diff(days) == DAY_NS
        known = ~np.isnan(returns) & whole_day[:, None]
        r = np.where(known, returns, 0.0)
        count = known.sum(axis=0).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            s = np.einsum("di,dj->ij", r, r) / np.sqrt(count[:, None] * count)
        young = count < LEAST_DAYS
        s[young, :] = np.nan
        s[:, young] = np.nan
        return np.ascontiguousarray(s)

    def frozen(self, cycle: int, mark: Sequence[int]) -> Any:
        """(M,) cycles since each mark last changed, as far as this process has seen."""
        now = np.array(mark, np.int64)
        if cycle != self._seen:
            self._since = np.where((now != self._mark) | (self._seen < 0), cycle, self._since)
            self._mark, self._seen = now, cycle
        return cycle - self._since
