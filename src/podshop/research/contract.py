"""What the fund asks of every signal agent, as checks with names: built in, or yours.

`check(agent)` tries the agent on made-up columns and answers one finding per check. Each check has a cheat that it is
there to catch; tests plant that cheat in every shipped agent and see it caught.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from podshop.nouns import PodshopError, SignalAgent
from podshop.research import checks, trial
from podshop.research.checks import CUTS, MARKETS, SLOWEST, Trial


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `found` is empty where it passed."""

    check: str
    promise: str
    found: str
    fix: str

    @property
    def passed(self) -> bool:
        return not self.found


def check(agent: SignalAgent, seed: int = 20, only: str | None = None) -> tuple[Finding, ...]:
    """Hold an agent to the contract; a check that makes the agent raise has found that."""
    trial_ = prepare(agent, seed)
    return tuple(_finding(name, trial_) for name in CHECKS if only in (None, name))


def prepare(agent: SignalAgent, seed: int = 20) -> Trial:
    """Columns long enough for a spike to come, to leave every window, and to have left no trace."""
    rows = max(3 * agent.lookback_bars + 80, agent.lookback_bars + CUTS)
    given, noise = (trial.columns(agent.reads, rows, MARKETS, s) for s in (seed, seed + 1))
    return Trial(agent, given, noise)


def _finding(name: str, trial_: Trial) -> Finding:
    promise, fix, test = CHECKS[name]
    try:
        found = next(test(trial_), "")
    except PodshopError as error:
        found = str(error)
    except Exception as error:  # noqa: BLE001  whatever a stranger's code raises is a finding
        found = f"raised {type(error).__name__}: {error}"
    return Finding(name, promise, found, fix)


Check = tuple[str, str, Callable[[Trial], Iterator[str]]]
CHECKS: dict[str, Check] = {  # name -> promise, how to keep it, test
    "declared": (
        "says what it reads, on which bar and how far back",
        "fill in bar, reads, family, cross_sectional and lookback_bars (see podshop.nouns.SignalAgent)",
        checks.declared,
    ),
    "documented": (
        "has a source, units and an example",
        "write them into the docstrings, as in podshop/signals/momentum/time_series.py",
        checks.documented,
    ),
    "shaped": (
        "answers one float64 per row and market",
        "return an array shaped like the columns given",
        checks.shaped,
    ),
    "finite_memory": (
        "row t follows from its last lookback_bars rows",
        "raise lookback_bars, or replace an endless average by rolling.ewm or another declared window",
        checks.finite_memory,
    ),
    "no_peek": (
        "row t is the same when nothing follows it",
        "use no row below t: look for x[1:], shift(-1), np.roll(x, -1), or centred windows",
        checks.no_peek,
    ),
    "no_whole_sample": (
        "row t does not change with rows far below it",
        "use no mean, std, max or rank of a whole column: take maths.rolling over a declared window",
        checks.no_whole_sample,
    ),
    "no_future": (
        "row t does not change with any later row",
        "use no row below t, on no row: the one named changed",
        checks.no_future,
    ),
    "settled_funding": (
        "funding counts once it is settled",
        "use funding of row t only from row t on: the rate of the bar being traded is not yet known",
        checks.settled_funding,
    ),
    "known_at": (
        "on-chain, open-interest and sentiment values count from when they could be known",
        "use the column as given (it is joined by known_at) and never a later row of it for the day it is about",
        checks.known_at,
    ),
    "kept": ("leaves its columns as they were", "copy a column before writing into it", checks.kept),
    "order_of_markets": (
        "does not care how markets are ordered",
        "treat columns alike; over markets use maths.cross",
        checks.order_of_markets,
    ),
    "one_market_alone": (
        "a market's coming or going leaves the others alone",
        "use no other market, or declare cross_sectional = True",
        checks.one_market_alone,
    ),
    "unknown_stays": (
        "no data, no opinion",
        "let NaN flow: no nan_to_num, no filling, no comparison that turns NaN into 0",
        checks.unknown_stays,
    ),
    "in_range": (
        "convictions lie in [-1, 1], in steps of 2^-20",
        "return maths.confidence(z) of a standardised score, or maths.conviction(x)",
        checks.in_range,
    ),
    "deterministic": ("says the same twice", "use no randomness, clock, or state between calls", checks.deterministic),
    "prefix_stable": (
        "a longer history has the same beginning, to the bit",
        "use podshop.maths for sums and products: numpy's and BLAS's add in an order that depends on length",
        checks.prefix_stable,
    ),
    "unit_free": (
        "prices per coin and per 1000 coins say the same",
        "use log returns or ratios of prices, never differences",
        checks.unit_free,
    ),
    "robust": (
        "spikes, infinities, new levels and flat stretches leave no trace once they left the window",
        "use podshop.maths.rolling, which never subtracts what it added",
        checks.robust,
    ),
    "fast": (
        f"takes at most {SLOWEST:.0f} s per million cells",
        "work on whole arrays; loops over rows need @compiled",
        checks.fast,
    ),
}
