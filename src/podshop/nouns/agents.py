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


class ExecutionAgent(Protocol):
    """Makes one opinion of what the signals of a mandate say: a class of your own in place of the blend.

    Everything else stays the mandate's: how large a position is, buffer, stop, longest holding, style, cost gate.
    """

    def __call__(self, voice: Panel, weights: Panel, /) -> Panel:
        """Combine voices into an opinion.

        voice    (L, C, m) in [-1, 1]: what each of L listened signals says of m markets at each of C cadences, oldest
                 first; 0 where it is not sure enough to be heard, NaN where it has no opinion
        weights  (L,) as `listens` gives them
        ->       (C, m) opinion in [-1, 1], the share of a full position that is wanted; NaN = none

        Row c follows from row c of the voices alone: no later one, and no earlier one.
        """
        ...
