"""Array functions that know nothing of finance: the only door to reductions, products and transcendentals on arrays.

Panels are (T, M) with time contiguous in memory. Row t of every answer follows from rows at or above t of what was
given, to the bit, whatever comes later: nothing here looks at a whole column at once. NaN and infinity are unknown.
"""

from podshop.maths import cross, rolling
from podshop.maths.cointegration import spread
from podshop.maths.elementwise import change, clip, confidence, conviction, lag, log, log_return, ratio, root

__all__ = [
    "change",
    "clip",
    "confidence",
    "conviction",
    "cross",
    "lag",
    "log",
    "log_return",
    "ratio",
    "rolling",
    "root",
    "spread",
]
