"""The clock of the loopback exchange: history replayed so many times faster than the wall, or moved by hand."""

import asyncio
import time

from podshop.nouns import ConfigError


class ServedClock:
    """The exchange's time.

    at_ns  where history begins;  rate  times faster than the wall;  manual  it stands still until `advance`
    """

    def __init__(self, at_ns: int, rate: float = 1.0, *, manual: bool = False) -> None:
        if rate <= 0.0:
            raise ConfigError(f"the exchange would run at a rate of {rate:g}, expected more than 0")
        self.rate, self.manual = rate, manual
        self._from_ns = at_ns
        self._began_ns = time.monotonic_ns()
        self._moved = asyncio.Event()

    def now_ns(self) -> int:
        """UTC nanoseconds of the exchange."""
        if self.manual:
            return self._from_ns
        return self._from_ns + int((time.monotonic_ns() - self._began_ns) * self.rate)

    def advance(self, to_ns: int) -> None:
        """Move a manual clock; it never runs back. Raises ConfigError for one that runs by itself."""
        if not self.manual:
            raise ConfigError(
                "this exchange's clock runs by itself; `podshop venue serve --manual` has one to be moved"
            )
        self._from_ns = max(self._from_ns, to_ns)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep_until(self, at_ns: int) -> None:
        """Wait for an instant."""
        while (left_ns := at_ns - self.now_ns()) > 0:
            if self.manual:
                await self._moved.wait()
            else:
                await asyncio.sleep(left_ns / self.rate / 1e9)
