"""Whether what a fund file wrote into an agent's fields makes sense."""

from typing import Any

from podshop.nouns import ConfigError, duration_ns


def check(agent: Any, **least: float) -> None:
    """Refuse fields below the least that makes sense: `check(self, window_bars=2)`; the bar must be a length of time.

    A whole number as the least asks for a whole number in the field.
    """
    kind = type(agent).__name__
    duration_ns(agent.bar)
    for name, bound in least.items():
        value = getattr(agent, name)
        whole = isinstance(bound, int)
        fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not (fits and value >= bound):
            expected = f"a whole number of at least {bound}" if whole else f"a number of at least {bound}"
            raise ConfigError(f"{kind}: {name} is {value!r}, expected {expected}")
