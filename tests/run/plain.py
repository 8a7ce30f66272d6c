"""The cycle's sources as plain Python, in which a test may replace a function: to take a protection away."""

import functools
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from podshop.execution import netting, pace
from podshop.ledger import allot, settle
from podshop.maths import whole
from podshop.risk import bound, gate
from podshop.run import cycle, finance, posting, rows, wishes
from podshop.venues.simulated import fills

MODULES = (cycle, finance, wishes, posting, rows, netting, pace, allot, settle, gate, bound, whole, fills)


class Plain:
    """The cycle's sources without the compiler, in name spaces of their own: whatever is replaced, is here alone."""

    def __init__(self) -> None:
        self._spaces = {module.__name__: dict(vars(module)) for module in MODULES}
        plain: dict[Any, Any] = {}
        for space in self._spaces.values():
            for name, value in space.items():
                if isinstance(value, ModuleType) and value.__name__ in self._spaces:
                    space[name] = _Names(self._spaces[value.__name__])
                elif hasattr(value, "py_func") and value.py_func.__module__ in self._spaces:
                    function = value.py_func
                    if function not in plain:
                        plain[function] = FunctionType(
                            function.__code__, self._spaces[function.__module__], function.__name__
                        )
                    space[name] = plain[function]

    def __getattr__(self, name: str) -> Any:
        return self._spaces[cycle.__name__][name]

    def spoil(self, module: ModuleType, name: str, spoilt: Callable[..., Any]) -> "Plain":
        """Call `spoilt(original, *arguments)` wherever the function was called."""
        original = self._spaces[module.__name__][name]
        instead = functools.partial(spoilt, original)
        for space in self._spaces.values():
            for each, value in space.items():
                if value is original:
                    space[each] = instead
        return self


class _Names:
    """A module whose names are looked up when they are asked for."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names

    def __getattr__(self, name: str) -> Any:
        return self._names[name]
