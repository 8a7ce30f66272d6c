"""History is worked through in fixed calendar chunks, so that backtest and live compute on identical prefixes.

Every chunk's arrays start `lookback` rows earlier. Which rows an agent sees at t therefore depends on the calendar
alone, never on when a run began or ends, and running sums agree to the bit.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from podshop.nouns import DAY_NS, ConfigError, duration_text

T = TypeVar("T")

CHUNKS_NS = (DAY_NS, 28 * DAY_NS, 90 * DAY_NS, 365 * DAY_NS)


def chunk_ns(lookback_ns: int, who: str) -> int:
    """The shortest calendar chunk that is at least the lookback; longer than a year is refused.

    >>> chunk_ns(3 * DAY_NS, "x") // DAY_NS
    28
    """
    for length in CHUNKS_NS:
        if lookback_ns <= length:
            return length
    raise ConfigError(f"{who} looks back {duration_text(lookback_ns)}, expected at most {duration_text(CHUNKS_NS[-1])}")


class Chunked(Generic[T]):
    """Keeps the answer of the latest chunk, so that a stretch can ask for its part of it."""

    def __init__(self, length_ns: int, work: Callable[[int, int], T]) -> None:
        self.length_ns, self._work = length_ns, work
        self._kept: tuple[int, T] | None = None

    def at(self, chunk: int) -> T:
        """The answer for [chunk x length, (chunk + 1) x length)."""
        if self._kept is None or self._kept[0] != chunk:
            self._kept = (chunk, self._work(chunk * self.length_ns, (chunk + 1) * self.length_ns))
        return self._kept[1]

    def forget(self) -> None:
        """Work the latest chunk out anew when it is asked for: there is more of it."""
        self._kept = None
