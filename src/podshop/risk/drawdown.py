"""The drawdown limiter: trade smaller while losing.

Three ladders, for books, families and fund, with re-entry by rule, a limit on the loss of a day, and de-risking that is
paced.

Steps are in units of annual volatility, because a fixed percentage trips almost every fund that takes real risk
(docs/semantics.md, section 5). Source of the ladder: Grossman & Zhou (1993), "Optimal investment strategies for
controlling drawdowns", Mathematical Finance 3(3), 241-276, made discrete.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np

from podshop.nouns import DAY_NS, Health, Limits, Panel, Shadows, Whole
from podshop.nouns.limits import RiskView
from podshop.nouns.verdict import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING


class Standing(NamedTuple):
    """Where each of K ladders stands: books, then families. State: the loop keeps it, journals it and gives it back.

    rung      1, 0.5 or 0
    peak      equity that the drawdown counts from
    until_ns  before this the rung is not left upwards
    left_at   equity at which it went out; what it earns on paper is counted from here
    family_of (B,) family of each book, at the last look; None before it
    """

    rung: Panel
    peak: Panel
    until_ns: Whole
    left_at: Panel
    family_of: Whole | None = None


@dataclass(slots=True, kw_only=True)
class DrawdownLadder:
    """Warn, halve and stop books, families of books and the fund; let them back by rule; never all at once.

    warn_from        drawdown from the peak, in units of annual volatility, from which a book or family is named
    halve_from       from here it trades half
    out_from         from here it is out, and the fund only reduces
    back_below       below this one that was halved trades in full again
    in_volatility    False: all of these, `halt_from` and `day_loss` are plain fractions of the peak (docs/risk.md shows
                     how often either trips by chance)
    cool_off_days    a book or family that is out trades on paper for so long at least, and until it has won back there
                     what it had when it went out; then it is back at half size, its drawdown counted from then on
    half_days        at half size for so long at least after being out
    fund_volatility  annual, the unit of the fund's own drawdown; its states are lowered by nobody but a person
    halt_from        the fund is halted from here; at `out_from` it may only reduce
    day_loss         loss since 00:00 from which the fund may only reduce
    most_books       at most so many books are made smaller at one look, the deepest first; one always is
    most_gross       and they, or the fund's own throttle, give up at most so much gross, fraction of NAV
    standing         where each stands; None before the first look
    """

    warn_from: float = 0.5
    halve_from: float = 0.75
    out_from: float = 1.25
    back_below: float = 0.5
    in_volatility: bool = True
    cool_off_days: int = 30
    half_days: int = 30
    fund_volatility: float = 0.10
    halt_from: float = 1.75
    day_loss: float = 0.4
    most_books: int = 3
    most_gross: float = 0.25
    standing: Standing | None = None
    _units: tuple[int, Panel] | None = field(default=None, init=False, repr=False)  # day, annual volatilities
    _calm: Panel | None = field(default=None, init=False, repr=False)  # throttles of a look with nobody off rung 1

    def __call__(self, view: RiskView) -> Limits:
        """Look at every book's shadow, every family's shadows together, and the fund's NAV."""
        family_of, names = _families(view.families)
        shadows, books = view.shadows, len(view.books)
        together = _sums(shadows.equity_micro, family_of, len(names))
        equity = np.concatenate([shadows.equity_micro, together])
        if self.standing is None:
            self.standing = fresh(np.concatenate([shadows.peak_micro, together]))
        if self._units is None or self._units[0] != view.at_ns // DAY_NS:  # measured on days: new once a day
            units = np.concatenate([shadows.volatility_target, family_volatility(shadows, family_of, len(names))])
            self._units = view.at_ns // DAY_NS, units
        climbed = self.climb(self.standing, equity, self._units[1], view.at_ns)
        self.standing = climbed._replace(family_of=family_of)
        step = self.steps(equity, self.standing.peak, self._units[1])
        wanted = np.minimum(self.standing.rung[:books], self.standing.rung[books:][family_of])
        depth = np.maximum(step[:books], step[books:][family_of])
        gross = np.abs(view.weights[:books]).sum(axis=1)
        throttle = self.paced(wanted, shadows.throttle, depth, gross)
        self._calm = None
        fund_throttle, state, told = self._fund(view.health, float(np.abs(view.weights.sum(axis=0)).sum()))
        labels = [*view.books, *(f"family {name}" for name in names)]
        return Limits(
            reason=", ".join([*self._told(labels, step, self.standing.rung), *told]) or "no drawdown to speak of",
            version=view.version,
            throttle=throttle,
            fund_throttle=fund_throttle,
            state=state,
        )

    def stands(self, books_micro: Whole, health: Health, throttle: Panel, at_ns: int) -> bool:
        """Whether a look would change nothing; peaks are kept as a look would keep them.

        books_micro  (B,) equity of the shadows; throttle (B,) in force
        """
        s = self.standing
        if s is None or s.family_of is None or self._units is None or self._units[0] != at_ns // DAY_NS:
            return False
        books = len(books_micro)
        equity = np.concatenate([books_micro, _sums(books_micro, s.family_of, len(s.rung) - books)])
        peak = np.maximum(s.peak, equity)
        step = self.steps(equity, peak, self._units[1])
        if self._calm is throttle and step.max() >= self.halve_from:
            return False
        if self._calm is not throttle and not self._rungs_stand(s, equity, step, throttle, at_ns):
            return False
        fund_throttle, state, _ = self._fund(health, 0.0)
        if fund_throttle != health.throttle or state > health.state:
            return False
        self.standing = s._replace(peak=peak)
        return True

    def _rungs_stand(self, s: Standing, equity: Panel, step: Panel, throttle: Panel, at_ns: int) -> bool:
        """Whether nobody moves, and what is wanted is in force."""
        books = len(throttle)
        late = at_ns >= s.until_ns
        down = ((s.rung > 0) & (step >= self.out_from)) | ((s.rung == 1) & (step >= self.halve_from))
        up = late & (((s.rung == 0.5) & (step < self.back_below)) | ((s.rung == 0) & (equity >= s.left_at)))
        wanted = np.minimum(s.rung[:books], s.rung[books:][s.family_of])
        if down.any() or up.any() or (wanted != throttle).any():
            return False
        if (s.rung == 1).all():
            self._calm = throttle
        return True

    def climb(self, before: Standing, equity: Panel, volatility: Panel, at_ns: int) -> Standing:
        """One look at K ladders: down as the drawdown says, up by rule and one rung at a time."""
        peak = np.maximum(before.peak, equity)
        step = self.steps(equity, peak, volatility)
        rung, late = before.rung, at_ns >= before.until_ns
        to_out = (rung > 0) & (step >= self.out_from)
        to_half = (rung == 1) & (step >= self.halve_from) & ~to_out
        to_full = (rung == 0.5) & late & (step < self.back_below)
        back = (rung == 0) & late & (equity >= before.left_at)
        until = np.where(back, at_ns + self.half_days * DAY_NS, before.until_ns)
        return Standing(
            rung=np.where(to_out, 0.0, np.where(to_half | back, 0.5, np.where(to_full, 1.0, rung))),
            peak=np.where(back, equity, peak),
            until_ns=np.where(to_out, at_ns + self.cool_off_days * DAY_NS, until),
            left_at=np.where(to_out, equity, before.left_at),
        )

    def steps(self, equity: Panel, peak: Panel, volatility: Panel) -> Panel:
        """Drawdown in the unit of the rungs."""
        return np.asarray((1.0 - equity / peak) / (volatility if self.in_volatility else 1.0))

    def paced(self, wanted: Panel, before: Panel, depth: Panel, gross: Panel) -> Panel:
        """Throttles (B,) on the way to what is wanted: up at once, down the deepest first and not all at one look.

        gross  (B,) of each book now, fraction of NAV

        >>> ladder = DrawdownLadder(most_books=2)
        >>> ladder.paced(np.zeros(3), np.ones(3), np.array([1.3, 1.5, 1.4]), np.full(3, 0.1))
        array([1., 0., 0.])
        """
        now = np.maximum(wanted, before)
        given_up, moved = 0.0, 0
        for b in np.argsort(-depth, kind="stable"):
            if wanted[b] < before[b]:
                cost = gross[b] * (1.0 - wanted[b] / before[b])
                if moved == self.most_books or (moved and given_up + cost > self.most_gross):
                    break
                now[b] = wanted[b]
                given_up, moved = given_up + cost, moved + 1
        return now

    def _fund(self, health: Health, gross: float) -> tuple[float, int, list[str]]:
        """The fund's throttle, the state that it asks for, and what to say of it."""
        unit = self.fund_volatility if self.in_volatility else 1.0
        step = (1.0 - health.nav_micro / health.peak_micro) / unit
        today = (1.0 - health.nav_micro / health.day_open_micro) / unit if health.day_open_micro > 0 else 0.0
        rung = 0.0 if step >= self.out_from else 0.5 if step >= self.halve_from else 1.0
        if health.throttle < 1.0 and step >= self.back_below:
            rung = min(rung, health.throttle)
        least = health.throttle - self.most_gross / gross if gross > 0 else 0.0
        state = HALTED_STATE if step >= self.halt_from else RUNNING
        if rung == 0.0 or today >= self.day_loss:
            state = max(state, REDUCE_ONLY_STATE)
        told = [f"the fund is {self._size(step)} below its peak"] if step >= self.warn_from else []
        told += [f"it lost {self._size(today)} today"] if today >= self.day_loss else []
        return max(rung, least), state, told

    def _told(self, names: list[str], step: Panel, rung: Panel) -> list[str]:
        """A few words on whoever is not well."""
        told = {0.0: "is out", 0.5: "is halved", 1.0: "is warned"}
        return [
            f"{names[k]} {told[float(rung[k])]} at {self._size(step[k])}"
            for k in np.argsort(-step, kind="stable")
            if rung[k] < 1.0 or step[k] >= self.warn_from
        ]

    def _size(self, step: float) -> str:
        return f"{step:.2f} of its volatility" if self.in_volatility else f"{100 * step:.1f} %"


def fresh(peak: Panel) -> Standing:
    """Everybody on the first rung."""
    return Standing(np.ones(len(peak)), peak, np.zeros(len(peak), np.int64), np.zeros(len(peak)))


FAMILY_DAYS, FAMILY_WINDOW = 60, 365


def family_volatility(shadows: Shadows, family_of: Whole, families: int) -> Panel:
    """(F,) annual volatility of each family's shadows held alike: what was measured over up to a year, where that is
    between their mean target over the root of their number (all independent) and their mean target (all the same)."""
    count = np.bincount(family_of, minlength=families)
    most = _sums(shadows.volatility_target, family_of, families) / count
    days = shadows.daily_return[-FAMILY_WINDOW:]
    if len(days) < FAMILY_DAYS:
        return np.asarray(most)
    together = np.array([days[:, family_of == f].mean(axis=1) for f in range(families)])
    return np.asarray(np.clip(together.std(axis=1) * np.sqrt(365.0), most / np.sqrt(count), most))


@cache
def _families(of: tuple[str, ...]) -> tuple[Whole, list[str]]:
    """(B,) number of each book's family, and the names by number."""
    names = sorted(set(of))
    return np.array([names.index(name) for name in of], np.int64), names


def _sums(values: Panel | Whole, family_of: Whole, families: int) -> Panel:
    return np.asarray(np.bincount(family_of, weights=values, minlength=families))
