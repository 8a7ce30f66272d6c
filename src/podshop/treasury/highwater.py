"""No compounding past the high-water mark unless asked.

The mark is the capital that a person agreed to put at risk: what was paid in, less what was taken out, raised to the
NAV of the day on which somebody asks for it, and otherwise never. Below the mark the books share the NAV; above it they
share the mark, and what the fund made beyond stays cash. So a fund that lost works its way back with all that it has,
and one that won risks no more dollars than it began with until somebody says that it may.
"""

from podshop.nouns import Panel


def high_water(mark_micro: int, nav_micro: int, moved_micro: int = 0, *, asked: bool = False) -> int:
    """The mark after a day.

    moved_micro  paid in (> 0) or taken out since the mark before; money taken out comes from above the mark first
    nav_micro    after that
    asked        a person lets the fund compound: the mark rises to the NAV, and never falls by it

    >>> high_water(100, 120), high_water(100, 120, asked=True), high_water(100, 80, asked=True)
    (100, 120, 100)
    >>> high_water(100, 150, 30), high_water(100, 110, -10), high_water(100, 90, -30)
    (130, 100, 90)
    """
    if moved_micro >= 0:
        mark = mark_micro + moved_micro
    else:
        above = max(0, nav_micro - moved_micro - mark_micro)  # what stood above the mark before it was taken
        mark = max(0, mark_micro - max(0, -moved_micro - above))
    return max(mark, nav_micro) if asked else mark


def base_micro(nav_micro: int, mark_micro: int) -> int:
    """What the books share: the NAV, and of what lies above the mark nothing.

    >>> base_micro(80, 100), base_micro(120, 100)
    (80, 100)
    """
    return min(nav_micro, mark_micro)


def uncompounded(weights: Panel, nav_micro: int, mark_micro: int) -> Panel:
    """Fractions of NAV that give each book its share of `base_micro`; the rest is cash.

    >>> import numpy as np
    >>> uncompounded(np.array([0.5, 0.25]), 200, 100)
    array([0.25 , 0.125])
    """
    if nav_micro <= mark_micro:
        return weights
    part: Panel = weights * (mark_micro / nav_micro)
    return part
