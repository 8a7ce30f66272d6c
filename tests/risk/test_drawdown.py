"""The ladder: half, out, and back only when the drawdown is small again."""

import numpy as np
import pytest

from podshop.nouns import Health, Shadows
from podshop.nouns.verdict import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING
from podshop.risk import DrawdownLimiter


def walk(steps: list[float], volatility: float = 0.2) -> list[float]:
    """Throttles after drawdowns given in units of volatility, one look after another."""
    limiter, throttle, found = DrawdownLimiter(), 1.0, []
    for step in steps:
        equity = np.array([1e9 * (1 - step * volatility)])
        throttle = float(limiter.ladder(equity, np.array([1e9]), np.array([volatility]), np.array([throttle]))[0])
        found.append(throttle)
    return found


@pytest.mark.parametrize(
    ("steps", "throttles"),
    [
        ([0.0, 0.7, 0.76, 0.6, 0.51, 0.49], [1.0, 1.0, 0.5, 0.5, 0.5, 1.0]),
        ([1.26, 0.8, 0.6, 0.4], [0.0, 0.0, 0.0, 1.0]),
        ([0.8, 1.3, 0.8, 0.4, 0.8], [0.5, 0.0, 0.0, 1.0, 0.5]),
    ],
)
def test_a_rung_is_left_only_when_the_drawdown_is_small(steps: list[float], throttles: list[float]) -> None:
    assert walk(steps) == throttles


def asked(nav: float, state: int = RUNNING, throttle: float = 1.0) -> tuple[float, int]:
    nobody = np.empty(0)
    limits = DrawdownLimiter()(
        Shadows(
            equity_micro=np.array([100]), peak_micro=np.array([100]), volatility_target=np.array([0.2]),
            throttle=np.ones(1), daily_return=nobody[:, None],
        ),
        Health(nav_micro=int(nav), peak_micro=1000, throttle=throttle, state=state),
    )  # fmt: skip
    assert limits.throttle.tolist() == [1.0]  # the book itself has lost nothing
    return limits.fund_throttle, limits.state


def test_the_funds_own_drawdown_latches_its_state() -> None:
    """Fund volatility 10 %: half from a loss of 7.5 %, out from 12.5 %."""
    assert asked(930) == (1.0, RUNNING)
    assert asked(920) == (0.5, RUNNING)
    assert asked(874) == (0.0, REDUCE_ONLY_STATE)
    assert asked(1000, REDUCE_ONLY_STATE, 0.0) == (1.0, REDUCE_ONLY_STATE)  # only a person lowers it
    assert asked(874, HALTED_STATE) == (0.0, HALTED_STATE)
