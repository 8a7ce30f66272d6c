"""What the fund asks of those who work for it."""

from typing import Any, ClassVar, Protocol, runtime_checkable

from podshop.nouns.market import Panel


@runtime_checkable
class SignalAgent(Protocol):
    """An opinion on every market, as a pure function of the columns it reads.

    bar              length of the bars it is called with, such as '1h'; its opinion holds until its next bar
    reads            the columns it is given, by keyword
    lookback_bars    row t follows from rows t - lookback_bars + 1 .. t, and from nothing else
    family           momentum | reversal | funding | onchain | sentiment
    cross_sectional  whether a market's opinion may depend on the other markets
    """

    reads: ClassVar[tuple[str, ...]]
    family: ClassVar[str]
    cross_sectional: ClassVar[bool]

    @property
    def bar(self) -> str: ...

    @property
    def lookback_bars(self) -> int: ...

    def __call__(self, *args: Any, **columns: Any) -> Panel:
        """(T, M) columns -> (T, M) conviction in [-1, 1]; NaN means no opinion, 0 means flat."""
        ...
