"""Rows that the compiled cycle writes: nothing here decides anything."""

import numpy as np

from podshop.maths.compiled import lean
from podshop.nouns import Int, Panel, Whole
from podshop.nouns.verdict import APPROVE, SHRINK, VETO
from podshop.run.state import FUNDING, NAV, VERDICTS, WISHES


@lean
def next_seq(seq: Whole) -> np.int64:
    """Number of the next row; one counter over all tables."""
    number: np.int64 = seq[0]
    seq[0] = number + 1
    return number


@lean
def nav(
    whole: Whole, real: Panel, count: Whole, seq: Whole, cycle: Int, nav_micro: Int, cash_micro: Int,
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


@lean
def funding(
    to: Whole, count: Whole, seq: Whole, cycle: Int, event: Int, m: Int, b: Int, lots: Int, mark: Int, cash: Int
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


@lean
def fill(
    to: Whole, row: Int, number: Int, k: Int, m: Int, b: Int, lots: Int, price: Int, fee: Int, kind: Int
) -> np.int64:
    """Write a row of fills, the most written: its place is packed into one number, and 0 lots leave no row.

    row, number  where to write; number + row is its seq
    ->           the next row
    """
    to[row, 0] = ((k << 16 | m) << 16 | b) << 8 | kind
    to[row, 1] = number + row
    to[row, 2] = lots
    to[row, 3] = price
    to[row, 4] = fee
    return row + np.int64(lots != 0)


def place(packed: Whole) -> tuple[Whole, Whole, Whole, Whole]:
    """Row of the stretch, market, book and kind that a row of fills packs."""
    return packed >> 40, packed >> 24 & 0xFFFF, packed >> 8 & 0xFFFF, packed & 0xFF


@lean
def wish(to: Whole, count: Whole, seq: Whole, k: Int, m: Int, b: Int, lots: Int) -> None:
    """Append to the rows of wishes: the place is packed as in a row of fills."""
    i = count[WISHES]
    to[i, 0] = ((k << 16 | m) << 16 | b) << 8
    to[i, 1] = next_seq(seq)
    to[i, 2] = lots
    count[WISHES] = i + 1


@lean
def verdict(
    to: Whole, real: Panel, count: Whole, seq: Whole, cycle: Int, m: Int, b: Int, code: Int, wanted: Int, allowed: Int,
    filled: Int, resting: Int, limits: Int, measured: float, bound: float,
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
    to[i, 9] = resting
    to[i, 10] = limits
    real[i, 0] = measured
    real[i, 1] = bound
    count[VERDICTS] = i + 1
