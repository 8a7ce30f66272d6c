"""Rows that the compiled cycle writes: nothing here decides anything."""

from podshop.maths.compiled import compiled
from podshop.nouns import Panel, Whole
from podshop.nouns.verdict import APPROVE, SHRINK, VETO
from podshop.run.state import FILLS, FUNDING, NAV, VERDICTS


@compiled
def next_seq(seq: Whole) -> int:
    """Number of the next row; one counter over all tables."""
    number = seq[0]
    seq[0] = number + 1
    return number


@compiled
def nav(
    whole: Whole, real: Panel, count: Whole, seq: Whole, cycle: int, nav_micro: int, cash_micro: int,
    gross: float, net: float, drawdown: float, var: float,
) -> None:  # fmt: skip
    """Append to the rows of nav; after it, numbers are kept free for this cycle's rows of marks."""
    i = count[NAV]
    whole[i, 0] = cycle
    whole[i, 1] = next_seq(seq)
    whole[i, 2] = nav_micro
    whole[i, 3] = cash_micro
    real[i, 0] = gross
    real[i, 1] = net
    real[i, 2] = drawdown
    real[i, 3] = var
    count[NAV] = i + 1


@compiled
def funding(
    to: Whole, count: Whole, seq: Whole, cycle: int, event: int, m: int, b: int, lots: int, mark: int, cash: int
) -> None:
    """Append to the rows of funding."""
    i = count[FUNDING]
    to[i, 0] = cycle
    to[i, 1] = next_seq(seq)
    to[i, 2] = event
    to[i, 3] = m
    to[i, 4] = b
    to[i, 5] = lots
    to[i, 6] = mark
    to[i, 7] = cash
    count[FUNDING] = i + 1


@compiled
def fill(
    to: Whole, count: Whole, seq: Whole, cycle: int, m: int, b: int, lots: int, price: int, reference: int, fee: int,
    kind: int,
) -> None:  # fmt: skip
    """Append to the rows of fills."""
    i = count[FILLS]
    to[i, 0] = cycle
    to[i, 1] = next_seq(seq)
    to[i, 2] = m
    to[i, 3] = b
    to[i, 4] = lots
    to[i, 5] = price
    to[i, 6] = reference
    to[i, 7] = fee
    to[i, 8] = kind
    count[FILLS] = i + 1


@compiled
def verdict(
    to: Whole, real: Panel, count: Whole, seq: Whole, cycle: int, m: int, b: int, code: int, wanted: int, allowed: int,
    filled: int, measured: float, bound: float,
) -> None:  # fmt: skip
    """Append to the rows of verdicts: approve when all was allowed, veto when nothing was, else shrink."""
    i = count[VERDICTS]
    to[i, 0] = cycle
    to[i, 1] = next_seq(seq)
    to[i, 2] = m
    to[i, 3] = b
    to[i, 4] = APPROVE if allowed == wanted else (VETO if allowed == 0 else SHRINK)
    to[i, 5] = code
    to[i, 6] = wanted
    to[i, 7] = allowed
    to[i, 8] = filled
    real[i, 0] = measured
    real[i, 1] = bound
    count[VERDICTS] = i + 1
