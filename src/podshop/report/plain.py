"""Results as JSON can hold them."""

import math
from typing import Any


def plain(value: Any) -> Any:
    """Make a result fit for JSON, which has no NaN: what is unknown is null.

    >>> plain({"sharpe": float("nan"), "days": (1, 2)})
    {'sharpe': None, 'days': [1, 2]}
    """
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "item"):  # a number of numpy's
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
