"""From yesterday's weights toward the wanted ones: not for a trifle, not more than there is, and not all at once."""

import math

TOO_FEW_DAYS = "too few days"
DISMISSED = "dismissed"
FLOOR = "floor"
CAP = "cap"
HYSTERESIS = "hysteresis"
NO_CASH = "no cash"
TURNOVER = "turnover"


def moved(
    wanted: list[float], previous: list[float], band: float, turnover: float
) -> tuple[list[float], list[tuple[str, ...]]]:
    """The weights of today, and what kept each from being what is wanted.

    wanted, previous  (B,) fractions of NAV, each sum at most 1
    band              a weight that would move by less stays, but for one that goes to 0
    turnover          most that moves, sum of absolute changes

    >>> moved([0.0, 0.9], [0.5, 0.5], band=0.1, turnover=0.45)
    ([0.25, 0.7], [('turnover',), ('turnover',)])
    """
    step = [w - p if abs(w - p) >= band or w == 0.0 else 0.0 for w, p in zip(wanted, previous, strict=True)]
    bound: list[tuple[str, ...]] = [
        (HYSTERESIS,) if s == 0.0 and w != p else () for s, w, p in zip(step, wanted, previous, strict=True)
    ]
    ups, downs = math.fsum(max(s, 0.0) for s in step), math.fsum(min(s, 0.0) for s in step)
    free = 1.0 - math.fsum(previous) - downs
    if ups > free:  # what others did not give back, because it was a trifle, cannot be given
        for b, s in enumerate(step):
            if s > 0.0:
                step[b] = s * max(0.0, free) / ups
                bound[b] += (NO_CASH,)
    size = math.fsum(map(abs, step))
    share = 1.0 if size <= turnover else turnover / size
    if share < 1.0:
        bound = [(*b, TURNOVER) if s != 0.0 else b for b, s in zip(bound, step, strict=True)]
    weights = [max(0.0, p + s * share) for p, s in zip(previous, step, strict=True)]
    total = math.fsum(weights)
    return ([w / total for w in weights] if total > 1.0 else weights), bound
