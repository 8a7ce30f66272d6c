"""The contract of risk agents: one that keeps it passes every check, and each check catches its cheat."""

import time
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import Any

import numpy as np
import pytest

from podshop.nouns.limits import Limits, RiskView
from podshop.research.risk_contract import CHECKS, LOOKS, check, made_up
from podshop.run.config.risk import standard


@dataclass
class Honest:
    """Half of the gross after a bad day of the fund; remembers how many there were."""

    bad: int = field(default=0, init=False)

    def __call__(self, view: RiskView) -> Limits:
        lost = view.health.day_open_micro - view.health.nav_micro
        self.bad += lost > 0
        return Limits(reason=f"{self.bad} bad days", version=view.version, max_gross=0.5 if lost > 0 else None)


class Undocumented(Honest):
    pass


class SaysNothing(Honest):
    """Answers only after a bad day."""

    def __call__(self, view: RiskView) -> Limits:
        said = super().__call__(view)
        return said if said.max_gross else None  # type: ignore[return-value]


class NotANumber(Honest):
    """Divides by a loss that may be none."""

    def __call__(self, view: RiskView) -> Limits:
        return replace(super().__call__(view), max_var=float("nan") if view.health.nav_micro > 10**11 else 0.02)


class Stale(Honest):
    """Repeats its first answer."""

    first: Limits | None = None

    def __call__(self, view: RiskView) -> Limits:
        self.first = self.first or super().__call__(view)
        return self.first


class WrongShape(Honest):
    """Knows three markets."""

    def __call__(self, view: RiskView) -> Limits:
        return replace(super().__call__(view), max_weight=np.full(3, 0.05))


class NeedsPositions(Honest):
    """Divides by the gross."""

    def __call__(self, view: RiskView) -> Limits:
        gross = float(np.abs(view.weights).sum())
        share = float(np.abs(view.weights).max()) / gross if view.version > 1 else 1.0 / int(gross * 1e6)
        return replace(super().__call__(view), max_order=min(share, 1.0))


class NeedsYesterday(Honest):
    """Looks at the last day without asking whether there is one."""

    def __call__(self, view: RiskView) -> Limits:
        return replace(super().__call__(view), max_net=min(abs(float(view.daily[-1].sum())), 1.0))


class NeedsPrices(Honest):
    """Lets the NaN of a market without a price reach its limit."""

    def __call__(self, view: RiskView) -> Limits:
        return replace(super().__call__(view), max_var=float(0.01 + np.abs(view.daily).sum() * 0.0))


class Spoils(Honest):
    """Sorts the days that it was shown."""

    def __call__(self, view: RiskView) -> Limits:
        if view.daily.flags.writeable:
            view.daily.sort(axis=0)
        return super().__call__(view)


CALLS = count()


class Counts(Honest):
    """Remembers in its module what belongs to itself."""

    def __call__(self, view: RiskView) -> Limits:
        return replace(super().__call__(view), max_order=1.0 / (1 + next(CALLS)))


class Shares(Honest):
    """Copies of it remember together."""

    seen: dict[str, int] = {}  # noqa: RUF012  that is the cheat

    def __call__(self, view: RiskView) -> Limits:
        self.seen["looks"] = self.seen.get("looks", 0) + 1
        return replace(super().__call__(view), max_order=1.0 / self.seen["looks"])


class Forgets(Honest):
    """A copy of it starts anew."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Forgets":
        return Forgets()


class Slow(Honest):
    """Waits."""

    def __call__(self, view: RiskView) -> Limits:
        time.sleep(0.06 if len(view.markets) > 4 else 0.0)
        return super().__call__(view)


def test_an_honest_agent_passes_every_check_and_stays_as_it_was() -> None:
    agent = Honest()
    findings = check(agent)
    assert [finding.check for finding in findings] == list(CHECKS)
    assert [(finding.check, finding.found) for finding in findings if not finding.passed] == []
    assert agent.bad == 0


@pytest.mark.parametrize("name", standard())
def test_the_standard_risk_agents_pass(name: str) -> None:
    assert [(finding.check, finding.found) for finding in check(standard()[name]()) if not finding.passed] == []


CHEATS: list[tuple[str, type[Any], str]] = [
    ("documented", Undocumented, "no docstring"),
    ("answers", SaysNothing, "it said nothing"),
    ("answers", NotANumber, "max_var is nan, expected a finite number >= 0"),
    ("answers", Stale, "version is 1, expected at least 2: too old (at look 2 of 40)"),
    ("answers", WrongShape, "max_weight is float64 of shape (3,), expected 4 numbers"),
    ("empty", NeedsPositions, "it raised ZeroDivisionError"),
    ("empty", NeedsYesterday, "it raised IndexError"),
    ("unknown", NeedsPrices, "max_var is nan"),
    ("kept", Spoils, "changed daily of what it was shown"),
    ("deterministic", Counts, "max_order at look 1 is not the same"),
    ("deterministic", Shares, "max_order at look 1 is not the same"),
    ("resumes", Forgets, "reason at look 21 is not what a copy of it says"),
    ("fast", Slow, "ms for 20 books on 30 markets, expected at most 50 ms"),
]


@pytest.mark.parametrize(("name", "cheat", "said"), CHEATS, ids=[cheat.__name__ for _, cheat, _ in CHEATS])
def test_a_check_catches_its_cheat(name: str, cheat: type[Any], said: str) -> None:
    (finding,) = check(cheat(), only=name)
    assert said in finding.found
    assert finding.fix


def test_every_check_has_a_cheat() -> None:
    assert {name for name, _, _ in CHEATS} == set(CHECKS)


def test_what_is_shown_is_a_fund_through_good_and_bad_days() -> None:
    story = made_up(seed=3)
    depth = [1 - view.health.nav_micro / view.health.peak_micro for view in story]
    assert len(story) == LOOKS
    assert max(depth) > 0.2
    assert depth[-1] < 0.1
    assert [view.version for view in story] == list(range(1, LOOKS + 1))
    assert all(a.at_ns < b.at_ns for a, b in pairwise(story))
