"""What may happen to a portfolio whose orders may fill, or not: the bound that the gate judges by.

Every market may end anywhere between nothing and all of its open orders filling. With c the middle of these ends and r
half their distance, VaR over all of them is at most tail sqrt(c'Sc + 2 r'|Sc| + r'|S|r): docs/live.md, section 4.
"""

import math

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Int, Panel, Whole
from podshop.nouns.verdict import GROSS, VAR

HALVINGS = 20


@lean
def times_matrix(matrix: Panel, x: Panel, out: Panel) -> None:
    """out = matrix x, for a symmetric matrix, each sum in the order of the columns and the inner loop over rows."""
    n = x.shape[0]
    for i in range(n):
        out[i] = 0.0
    for j in range(n):
        value = x[j]
        if value != 0.0:
            for i in range(n):
                out[i] += matrix[j, i] * value


@lean
def value_at_risk(covariance: Panel, x: Panel, tail: float, scratch: Panel) -> float:
    """Loss over one day that is passed with the tail's probability, in the unit of x; plain parametric VaR.

    covariance  (M, M) daily
    x           (M,) signed notional
    tail        VaR / sigma, 1.645 for a normal 95 %
    """
    times_matrix(covariance, x, scratch)
    variance = 0.0
    for i in range(x.shape[0]):
        variance += x[i] * scratch[i]
    return tail * math.sqrt(max(variance, 0.0))


@lean
def common_factor(
    nav: Int, reserve: float, asked: float, gross: float, max_gross: float, max_var: float, tail: float,
    held: Panel, step: Panel, risk_of_held: Panel, risk_of_step: Panel, risk_of_box: Panel,
    box: Panel, risk_of_rest: Panel,
) -> tuple[float, int, float]:  # fmt: skip
    """The largest share of all increases that breaches nothing: 1, else found by bisection, else 0.

    ->  the share, the limit that asked for less (0: none), and the VaR if all were sent
    """
    cause, var = fails(
        1.0, nav, reserve, asked, gross, max_gross, max_var, tail, held, step, risk_of_held, risk_of_step, risk_of_box,
        box, risk_of_rest,
    )  # fmt: skip
    if cause == 0:
        return 1.0, cause, var
    at_rest, _ = fails(
        0.0, nav, reserve, asked, gross, max_gross, max_var, tail, held, step, risk_of_held, risk_of_step, risk_of_box,
        box, risk_of_rest,
    )  # fmt: skip
    if at_rest != 0:
        return 0.0, at_rest, var
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        failed, _ = fails(
            middle, nav, reserve, asked, gross, max_gross, max_var, tail,
            held, step, risk_of_held, risk_of_step, risk_of_box, box, risk_of_rest,
        )  # fmt: skip
        if failed == 0:
            low = middle
        else:
            high, cause = middle, failed
    return low, cause, var


@lean
def times_both(matrix: Panel, x: Panel, out: Panel, absolute: Panel) -> None:
    """out = matrix x and absolute = |matrix| |x|, in one walk over a symmetric matrix."""
    n = x.shape[0]
    for i in range(n):
        out[i] = 0.0
        absolute[i] = 0.0
    for j in range(n):
        value = x[j]
        if value != 0.0:
            size = abs(value)
            for i in range(n):
                out[i] += matrix[j, i] * value
                absolute[i] += abs(matrix[j, i]) * size


@lean
def fails(
    factor: float,
    nav: Int,
    reserve: float,
    asked: float,
    base_gross: float,
    max_gross: float,
    max_var: float,
    tail: float,
    held: Panel,
    step: Panel,
    risk_of_held: Panel,
    risk_of_step: Panel,
    risk_of_box: Panel,
    box: Panel,
    risk_of_rest: Panel,
) -> tuple[int, float]:
    """The limit that some outcome of `factor` x the increases would breach (0: none), and the VaR bound.

    c = held + factor x step and r = box + factor x |step|. `step` is half of the increase; where a reduction rests,
    `held` is the middle of its ends and `box` half their distance. base_gross counts it as if it never filled.
    risk_of_held = S held, risk_of_step = S step, risk_of_box = |S| |step|, risk_of_rest = |S| box.
    """
    nav_low = nav - factor * reserve * asked
    variance = 0.0
    for m in range(held.shape[0]):
        risk = risk_of_held[m] + factor * risk_of_step[m]
        radius = box[m] + factor * abs(step[m])
        beside = risk_of_rest[m] + factor * risk_of_box[m]
        variance += (held[m] + factor * step[m]) * risk + radius * (2.0 * abs(risk) + beside)
    var = tail * math.sqrt(max(variance, 0.0))
    if not (base_gross + factor * asked <= max_gross * nav_low):
        return GROSS, var
    if not (var <= max_var * nav_low):
        return VAR, var
    return 0, var


@lean
def recheck(
    second: Whole,
    mark: Whole,
    covariance: Panel,
    nav: Int,
    gross: float,
    max_gross: float,
    max_var: float,
    tail: float,
    reserve: float,
    held: Panel,
    step: Panel,
    risk_of_held: Panel,
    risk_of_step: Panel,
    risk_of_box: Panel,
    box: Panel,
    risk_of_rest: Panel,
) -> None:
    """Judge the whole lots that would be sent once more, from scratch; send nothing if that fails."""
    asked = 0.0
    for m in range(second.shape[0]):
        step[m] = 0.5 * np.float64(second[m] * mark[m])
        asked += 2.0 * abs(step[m])
    times_both(covariance, step, risk_of_step, risk_of_box)
    failed, _ = fails(
        1.0, nav, reserve, asked, gross, max_gross, max_var, tail, held, step, risk_of_held, risk_of_step, risk_of_box,
        box, risk_of_rest,
    )  # fmt: skip
    if failed != 0:
        for m in range(second.shape[0]):
            second[m] = 0
