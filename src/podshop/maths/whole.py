"""Exact arithmetic of whole numbers: dividing without losing anything, and hashes that order ties."""

import numpy as np
from numpy.typing import NDArray

from podshop.maths.compiled import lean
from podshop.nouns import Int, Whole

Keys = NDArray[np.uint64]

_MASK = (1 << 64) - 1
SMALL = 1 << 26  # the product of two smaller numbers is a float without loss
SORTED_FROM = 512  # comparisons from which sorting is quicker than looking for the largest again and again


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


@lean
def mix(value: np.uint64) -> np.uint64:
    """Spread a 64-bit number over all its bits.

    Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA: the finaliser of
    SplitMix64.
    """
    z = np.uint64(value)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@lean
def _descending(values: Whole, start: Int, end: Int) -> None:
    """Sort values[start:end] in place, largest first.

    Source: Shell (1959), "A high-speed sorting procedure", CACM 2(7), 30-32; for the few it is an insertion sort.
    """
    gap = np.int64(1)
    while 3 * gap + 1 < end - start:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(start + gap, end):
            value = values[i]
            j: Int = i
            while j >= start + gap and values[j - gap] < value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 3


@lean
def largest_remainder(
    total: Int,
    weights: Whole,
    whole: Int,
    count: Int,
    salt: np.uint64,
    names: Whole,
    keys: Keys,
    out: Whole,
    scratch: Whole,
) -> None:
    """Divide a whole number in proportion to weights, exactly: quotas rounded down, the rest to the largest remainders.

    total    >= 0, at most sum of the weights when these are wishes
    weights  (>= count,) int64 >= 0, `whole` below 2^31.5, total below 2^63; `whole` is their sum, > 0 unless total is 0
    salt, names, keys  of equal remainders the larger mix(salt ^ keys[names[i]]) comes first
    out      (>= count,) int64, receives the parts; they sum to `total`
    scratch  (>= 2 x count,) int64

    Source: Balinski & Young (1982), "Fair Representation", Hamilton's method.
    """
    if count == 1:
        out[0] = total
        return
    if total == whole:
        for i in range(count):
            out[i] = weights[i]
        return
    if count == 2 and total < SMALL and whole < SMALL:
        quota = np.int64(total / whole * weights[0])
        rest = total * weights[0] - quota * whole
        off = np.int64(rest >= whole) - np.int64(rest < 0)  # the float may be a hair off
        rest -= off * whole
        more = 2 * rest > whole
        if 2 * rest == whole:
            more = mix(salt ^ keys[names[0]]) > mix(salt ^ keys[names[1]])
        out[0] = quota + off + np.int64(more)
        out[1] = total - out[0]
        return
    left = total
    if total < SMALL and whole < SMALL:  # products are floats without loss; multiplying is quicker than dividing
        share = total / whole
        for i in range(count):
            quota = np.int64(share * weights[i])
            rest = total * weights[i] - quota * whole
            off = np.int64(rest >= whole) - np.int64(rest < 0)  # the float may be a hair off
            out[i] = quota + off
            scratch[i] = rest - off * whole
            left -= quota + off
    else:
        every = total // whole  # apart, so that no product passes 2^63: what is left is less than `whole`
        over = total - every * whole
        for i in range(count):
            product = over * weights[i]
            quota = product // whole
            out[i] = every * weights[i] + quota
            scratch[i] = product - quota * whole
            left -= out[i]
    if left * count > SORTED_FROM:
        left = _give_to_the_clear(left, count, out, scratch)
    while left > 0:
        largest = np.int64(0)
        for i in range(count):
            largest = max(largest, scratch[i])
        equals = np.int64(0)
        for i in range(count):
            equals += np.int64(scratch[i] == largest)
        if equals > left:
            _give_to_the_tied(left, largest, count, salt, names, keys, out, scratch)
            return
        for i in range(count):
            given = scratch[i] == largest
            out[i] += np.int64(given)
            scratch[i] = -1 if given else scratch[i]
        left -= equals


@lean
def _give_to_the_clear(left: Int, count: Int, out: Whole, scratch: Whole) -> Int:
    """Give one to each remainder above the edge, by sorting: for the many. Answers how many are left for the edge."""
    for i in range(count):
        scratch[count + i] = scratch[i]
    _descending(scratch, count, 2 * count)
    edge = scratch[count + left - 1]
    for i in range(count):
        if scratch[i] > edge:
            out[i] += 1
            left -= 1
        if scratch[i] != edge:
            scratch[i] = -1
    return left


@lean
def _give_to_the_tied(
    left: Int, edge: Int, count: Int, salt: np.uint64, names: Whole, keys: Keys, out: Whole, scratch: Whole
) -> None:
    """Give one each to `left` of those whose remainder is the edge: to those of the largest keys."""
    for _ in range(left):
        best: Int = np.int64(-1)
        for i in range(count):
            if scratch[i] == edge and (best < 0 or mix(salt ^ keys[names[i]]) > mix(salt ^ keys[names[best]])):
                best = i
        out[best] += 1
        scratch[best] = -1
