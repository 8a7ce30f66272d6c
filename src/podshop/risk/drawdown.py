"""The drawdown limiter: trade smaller while losing.

Steps are in units of annual volatility, because a fixed percentage trips almost every fund that takes real risk
(docs/semantics.md, section 5). Source of the ladder: Grossman & Zhou (1993), "Optimal investment strategies for
controlling drawdowns", Mathematical Finance 3(3), 241-276, made discrete.
"""

from dataclasses import dataclass

import numpy as np

from podshop.nouns import Health, Limits, Panel, Shadows
from podshop.nouns.verdict import REDUCE_ONLY_STATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttles(Limits):
    """Limits that have an opinion on throttles and the state."""

    throttle: Panel
    fund_throttle: float
    state: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawdownLimiter:
    """Halve, then stop, a book (or the fund) that has fallen from its peak; let it back when it has recovered.

    halve_from, out_from, back_below  drawdown in units of annual volatility
    fund_volatility                   the annual volatility that the fund's own drawdown is measured in
    """

    halve_from: float = 0.75
    out_from: float = 1.25
    back_below: float = 0.5
    fund_volatility: float = 0.10

    def __call__(self, shadows: Shadows, health: Health) -> Throttles:
        """Answer throttles to each shadow's drawdown (B,) and the fund's; `out` of the fund also latches its state."""
        rungs = self.ladder(
            np.append(shadows.equity_micro, health.nav_micro),
            np.append(shadows.peak_micro, health.peak_micro),
            np.append(shadows.volatility_target, self.fund_volatility),
            np.append(shadows.throttle, health.throttle),
        )
        state = max(health.state, REDUCE_ONLY_STATE) if rungs[-1] == 0.0 else health.state
        return Throttles(
            throttle=rungs[:-1],
            fund_throttle=float(rungs[-1]),
            state=state,
            reason="drawdown in units of annual volatility",
        )

    def ladder(self, equity: Panel, peak: Panel, volatility: Panel, before: Panel) -> Panel:
        """The rung each stands on: 1, 0.5 or 0; one below 1 is left only when the drawdown is small again.

        >>> limiter = DrawdownLimiter()
        >>> limiter.ladder(np.array([80.0, 87.0]), np.full(2, 100.0), np.full(2, 0.2), np.array([1.0, 0.5]))
        array([0.5, 0.5])
        """
        step = (1.0 - equity / peak) / volatility
        rung = np.where(step >= self.out_from, 0.0, np.where(step >= self.halve_from, 0.5, 1.0))
        kept: Panel = np.where((before < 1.0) & (step >= self.back_below), np.minimum(before, rung), rung)
        return kept
