"""A heat map of correlations as squares of a drawing."""

import math
from collections.abc import Sequence
from typing import Any

CELL = 26  # units of the drawing
STRONGEST = 0.85  # opacity of a correlation of 1


def heat_map(names: Sequence[str], correlations: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    """Squares of the drawing, one per pair that is known: blue agrees, red disagrees, the stronger the surer.

    >>> heat_map(["a", "b"], [[1.0, -0.5], [-0.5, None]])["squares"][1]["text"]
    '−0.5'
    """
    squares = [
        {
            "x": CELL * j,
            "y": CELL * i,
            "style": "agree" if value >= 0 else "differ",
            "opacity": round(STRONGEST * abs(value), 3),
            "title": f"{names[i]} and {names[j]}: {_text(value, 2)}",
            "text": _text(value, 1) if abs(value) >= 0.3 and i != j else "",
        }
        for i, row in enumerate(correlations)
        for j, value in enumerate(row)
        if value is not None and not math.isnan(value)
    ]
    return {"side": CELL * len(names), "cell": CELL, "names": list(names), "squares": squares}


def _text(value: float, digits: int) -> str:
    return f"{value:z.{digits}f}".replace("-", "−")
