"""What risk agents are shown, and what they publish."""

from dataclasses import dataclass

from podshop.nouns.market import Panel, Whole


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
    """The fund's own NAV: now, at its highest since a person last looked, and what is in force."""

    nav_micro: int
    peak_micro: int
    throttle: float
    state: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a risk agent allows.

    throttle       (B,) 0..1 per book; fund_throttle 0..1
    state          RUNNING < REDUCE_ONLY < HALTED
    reason         for people
    """

    throttle: Panel
    fund_throttle: float
    state: int
    reason: str
