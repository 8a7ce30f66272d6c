"""Exact arithmetic of whole numbers: dividing without losing anything, and hashes that order ties."""

import numpy as np
from numpy.typing import NDArray

from podshop.maths.compiled import compiled
from podshop.nouns import Whole

Keys = NDArray[np.uint64]

_MASK = (1 << 64) - 1


def fnv1a64(text: str) -> int:
    """Hash a name the same way in every process and on every machine.

    Source: Fowler, Noll & Vo, FNV-1a, 64 bits, over UTF-8.

    >>> hex(fnv1a64("BTC"))
    '0x16014d19b0baafa0'
    """
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return value


@compiled
def mix(value: np.uint64) -> np.uint64:
    """Spread a 64-bit number over all its bits.

    Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA: the finaliser of
    SplitMix64.
    """
    z = np.uint64(value)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def _descending(values: Whole, start: int, end: int) -> None:
    """Sort values[start:end] in place, largest first.

    Source: Shell (1959), "A high-speed sorting procedure", CACM 2(7), 30-32; for the few it is an insertion sort.
    """
    gap = np.int64(1)
    while 3 * gap + 1 < end - start:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(start + gap, end):
            value = values[i]
            j = i
            while j >= start + gap and values[j - gap] < value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 3


@compiled
def largest_remainder(total: int, weights: Whole, count: int, keys: Keys, out: Whole, scratch: Whole) -> None:
    """Divide a whole number in proportion to weights, exactly: quotas rounded down, the rest to the largest remainders.

    total    >= 0, at most sum of the weights when these are wishes
    weights  (>= count,) int64 >= 0, sum > 0, total x weight below 2^63
    keys     (>= count,) uint64; equal remainders go to the larger key
    out      (>= count,) int64, receives the parts; they sum to `total`
    scratch  (>= 2 x count,) int64

    Source: Balinski & Young (1982), "Fair Representation", Hamilton's method.
    """
    whole = np.int64(0)
    for i in range(count):
        whole += weights[i]
    if total == whole:
        for i in range(count):
            out[i] = weights[i]
        return
    given = np.int64(0)
    for i in range(count):
        product = total * weights[i]
        quota = product // whole
        out[i] = quota
        scratch[i] = product - quota * whole
        scratch[count + i] = scratch[i]
        given += quota
    left = total - given
    if left == 0:
        return
    _descending(scratch, count, 2 * count)
    edge = scratch[count + left - 1]
    for i in range(count):
        if scratch[i] > edge:
            out[i] += 1
            left -= 1
    for _ in range(left):  # several stand on the edge: the larger key first
        best = -1
        for i in range(count):
            if scratch[i] == edge and (best < 0 or keys[i] > keys[best]):
                best = i
        out[best] += 1
        scratch[best] = -1
