"""What risk agents are shown, what they publish, and what holds once all have spoken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from podshop.nouns.market import Panel, Whole

Members: TypeAlias = NDArray[np.bool_]  # (C, M) which markets are in which cluster

NORMAL_95 = 1.6448536269514722  # VaR / sigma of a normal at 95 %: no tail is thinner


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadows:
    """The books as the risk office and the treasury see them: by their shadows, which no limit and no capital touches.

    equity_micro, peak_micro  (B,) now, and the highest seen
    volatility_target         (B,) annual
    throttle                  (B,) in force
    daily_return              (D, B) of the shadow at 00:00, fraction of its reference capital, oldest first
    """

    equity_micro: Whole
    peak_micro: Whole
    volatility_target: Panel
    throttle: Panel
    daily_return: Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The fund's own NAV: now, at its highest since a person last looked, and what is in force.

    day_open_micro  NAV at the last 00:00 UTC (or at the first look after a person resumed); 0 = unknown
    state           what is latched: only a person lowers it
    """

    nav_micro: int
    peak_micro: int
    throttle: float
    state: int
    day_open_micro: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one risk agent allows. None is no opinion; of several opinions the tightest holds.

    reason          for people
    version         of the view that it answers; an answer to an old view counts as none
    max_weight      (M,) largest position of each market, fraction of NAV
    max_gross       largest sum of absolute positions, fraction of NAV; max_net of their signed sum
    max_order       largest increase in one order, fraction of NAV
    max_var         largest 1-day 95 % value at risk, fraction of NAV
    tail            VaR / sigma, at least that of the normal; the largest holds
    cluster         (C, M) which markets count as one asset; max_cluster (C,) its net cap, fraction of NAV
    throttle        (B,) 0..1 per book; fund_throttle 0..1
    state           RUNNING < REDUCE_ONLY < HALTED; what an agent raises, only a person lowers
    """

    reason: str
    version: int = 0
    max_weight: Panel | None = None
    max_gross: float | None = None
    max_net: float | None = None
    max_order: float | None = None
    max_var: float | None = None
    tail: float | None = None
    cluster: Members | None = None
    max_cluster: Panel | None = None
    throttle: Panel | None = None
    fund_throttle: float | None = None
    state: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Limits as the gate applies them: every one is known. The fund file's own are the loosest that ever hold.

    Fields as in `Limits`, and
    state    now; latched is the part of it that stays until a person lowers it
    by       scalar field -> who set it, `fund file` or the name of an agent
    reason   of everybody who was heard, and what was wrong with the others
    """

    version: int
    max_weight: Panel
    max_gross: float
    max_net: float
    max_order: float
    max_var: float
    tail: float
    cluster: Members
    max_cluster: Panel
    throttle: Panel
    fund_throttle: float
    state: int
    latched: int
    reason: str = ""
    by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """All that a risk agent may read at one look. B books, M markets, D days.

    version     number of the look, which its answer must carry; it only grows
    at_ns       time of the look
    books, families  names of the B books, and the family that each belongs to
    markets     names of the M markets
    weights     (B + 1, M) positions as fractions of NAV, short < 0; the last row is the house
    covariance  (M, M) of daily returns, as the gate weighs risk; row and column of an unknown market are 0
    daily       (D, M) log returns from 00:00 to 00:00, oldest first, the last one ends today; NaN = unknown
    bars        (R, M) log returns of risk bars, oldest first, the last one just closed; NaN = unknown
    bar_ns      length of a risk bar
    mandate     limits of the fund file; in_force: those that hold until this look is answered
    """

    version: int
    at_ns: int
    books: tuple[str, ...]
    families: tuple[str, ...]
    markets: tuple[str, ...]
    shadows: Shadows
    health: Health
    weights: Panel
    covariance: Panel
    daily: Panel
    bars: Panel
    bar_ns: int
    mandate: InForce
    in_force: InForce


class RiskAgent(Protocol):
    """A user's risk agent is one class with this one method."""

    def __call__(self, view: RiskView) -> Limits:
        """Answer with whatever it has an opinion on, and the view's version."""
        ...
