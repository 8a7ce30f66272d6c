"""The drawdown ladder: books, families of books and the fund are made smaller while they lose."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.reference.books import Fund
from tests.reference.facts import DAY_NS, Ladder, Terms
from tests.reference.limits import Said

OUT, HALF, WHOLE = 0.0, 0.5, 1.0


@dataclass
class Rung:
    """Where one book's or family's ladder stands."""

    peak: int
    throttle: float = WHOLE
    until_ns: int = 0  # not back, or not whole again, before
    left_at: int = 0  # equity when it went out

    def climb(self, ladder: Ladder, now_ns: int, equity: int, unit: float) -> tuple[float, str]:
        """Read an equity. -> (drawdown in units, what came of it)"""
        self.peak = max(self.peak, equity)
        step = (1.0 - equity / self.peak) / unit
        if self.throttle > OUT and step >= ladder.out_from:
            self.throttle, self.left_at = OUT, equity
            self.until_ns = now_ns + ladder.cool_off_days * DAY_NS
            return step, "out"
        if self.throttle == WHOLE and step >= ladder.halve_from:
            self.throttle = HALF
            return step, "half"
        if self.throttle == OUT and now_ns >= self.until_ns and equity >= self.left_at:
            self.throttle, self.peak = HALF, equity
            self.until_ns = now_ns + ladder.half_days * DAY_NS
            return 0.0, "again"
        if self.throttle == HALF and now_ns >= self.until_ns and step < ladder.back_below:
            self.throttle = WHOLE
            return step, "back"
        return step, ""


@dataclass
class Ladders:
    """All of them, from their first look on."""

    books: list[Rung] = field(default_factory=list)
    families: dict[str, Rung] = field(default_factory=dict)

    def look(self, fund: Fund, k: int, nav: int, peak: int, day_open: int) -> Said:
        """peak: the highest NAV' at a look; day_open: NAV' at the last look at 00:00."""
        throttle = pace(fund, k, nav, *self._wanted(fund, k))
        fund_throttle, state = look_at_fund(fund, k, nav, peak, day_open)
        return Said(throttle=throttle, fund_throttle=fund_throttle, state=state)

    def _wanted(self, fund: Fund, k: int) -> tuple[list[float], list[float]]:
        """What each book's own ladder and its family's want together: (throttles, the deeper of both steps)."""
        ladder, now_ns, met = fund.terms.ladder, fund.facts.time[k], fund.result.met
        equity = [book.shadow.equity[k] for book in fund.books]
        families = families_of(fund.terms)
        if not self.books:
            self.books = [Rung(max(book.shadow.equity[: k + 1])) for book in fund.books]
            self.families = {name: Rung(sum(_of(name, families, equity))) for name in sorted(set(families))}
        steps = []
        for rung, worth, book in zip(self.books, equity, fund.books, strict=True):
            step, event = rung.climb(ladder, now_ns, worth, book.mandate.volatility_target)
            steps.append(step)
            met[f"book {event}"] += 1
        family_step = {}
        for name, rung in self.families.items():
            worth = sum(_of(name, families, equity))
            family_step[name], event = rung.climb(ladder, now_ns, worth, unit_of(fund, k, name, families))
            if families.count(name) > 1:
                met[f"family {event}"] += 1
        wanted = [
            min(own.throttle, self.families[name].throttle) for own, name in zip(self.books, families, strict=True)
        ]
        return wanted, [max(own, family_step[name]) for own, name in zip(steps, families, strict=True)]


def pace(fund: Fund, k: int, nav: int, wanted: Sequence[float], steps: Sequence[float]) -> list[float]:
    """Up at once; down the deepest first, until enough have moved in one look."""
    ladder, now = fund.terms.ladder, list(fund.limits.throttle)
    down = [b for b, want in enumerate(wanted) if want < now[b]]
    given_up = 0.0
    throttle = [max(want, have) for want, have in zip(wanted, now, strict=True)]
    for n, b in enumerate(sorted(down, key=lambda b: (-steps[b], b))):
        lots = zip(fund.books[b].lots, fund.facts.mark[k], strict=True)
        given_up += sum(abs(each * mark) for each, mark in lots) / nav * (1.0 - wanted[b] / now[b])
        if n + 1 > ladder.most_books or (n > 0 and given_up > ladder.most_gross):
            fund.result.met["paced by number" if n + 1 > ladder.most_books else "paced by gross"] += 1
            break
        throttle[b] = wanted[b]
    return throttle


def look_at_fund(fund: Fund, k: int, nav: int, peak: int, day_open: int) -> tuple[float, str]:
    """The fund's own ladder. -> (throttle, state)"""
    ladder, now, met = fund.terms.ladder, fund.limits.fund_throttle, fund.result.met
    step = (1.0 - nav / peak) / ladder.fund_volatility
    today = (1.0 - nav / day_open) / ladder.fund_volatility
    rung = OUT if step >= ladder.out_from else HALF if step >= ladder.halve_from else WHOLE
    if now < WHOLE and step >= ladder.back_below:
        rung = min(rung, now)
    marks = fund.facts.mark[k]
    gross = sum(abs(fund.net(m) * mark) for m, mark in enumerate(marks)) / nav
    throttle = max(rung, now - ladder.most_gross / gross) if gross > 0.0 else rung
    state = "RUNNING"
    if step >= ladder.halt_from:
        state = "HALTED"
    elif rung == OUT or today >= ladder.day_loss:
        state = "REDUCE_ONLY"
    met[f"fund {rung if rung in (OUT, HALF, WHOLE) else 'between'}"] += 1
    met["fund paced"] += throttle > rung
    met[f"fund {state}"] += 1
    met["fund day loss"] += state == "REDUCE_ONLY" and rung > OUT
    return throttle, state


def families_of(terms: Terms) -> list[str]:
    """Of each book, the family of signals it gives most weight to; of equals the first by name."""
    families = []
    for mandate in terms.mandates:
        weight: Counter[str] = Counter()
        for name, w in mandate.listens.items():
            weight[terms.family.get(name, name)] += abs(w)  # type: ignore[assignment]
        families.append(min(weight, key=lambda family: (-weight[family], family)))
    return families


def unit_of(fund: Fund, k: int, family: str, families: Sequence[str]) -> float:
    """A family's volatility as measured over a year, between all of its books alike and all independent."""
    books = _of(family, families, fund.books)
    alike = sum(book.mandate.volatility_target for book in books) / len(books)
    midnights = [i for i in range(k + 1) if fund.facts.midnight(i)]
    days = []
    for before, after in pairwise(midnights):
        earned = [(b.shadow.equity[after] - b.shadow.equity[before]) / fund.terms.capital_micro for b in books]
        days.append(sum(earned) / len(earned))
    if len(days) < 60:
        return alike
    days = days[-365:]
    mean = math.fsum(days) / len(days)
    measured = math.sqrt(365.0) * math.sqrt(math.fsum((day - mean) ** 2 for day in days) / len(days))
    least = alike / math.sqrt(len(books))
    if len(books) > 1:
        fund.result.met["unit " + ("least" if measured < least else "most" if measured > alike else "measured")] += 1
    return min(max(measured, least), alike)


def _of(family: str, families: Sequence[str], things: Sequence[Any]) -> list[Any]:
    """Of things in the order of the books, those of one family."""
    return [thing for thing, its in zip(things, families, strict=True) if its == family]
