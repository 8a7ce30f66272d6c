"""A fund's run in daily figures, and one mandate of it run as a fund of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from podshop.journal.record import Recorder
from podshop.nouns import DAY_NS, Flags, Panel, Times, Whole
from podshop.nouns.verdict import RUNNING
from podshop.report.aggregate import Aggregator
from podshop.report.stats import DAYS_A_YEAR, daily_returns
from podshop.run.backtest import names_of
from podshop.run.config.sections import Fund
from podshop.run.facts import MarketFacts
from podshop.run.loop import Run
from podshop.run.opinions import Progress, Seat, seats
from podshop.run.state import Facts, Notes, Shadows
from podshop.run.tables import Sink
from podshop.run.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """D whole days of a run. Fractions of the NAV at the start of the day, but for the shadows.

    day     (D,) start of each, UTC ns
    daily   (D,) return, net of all costs
    gross   (D,) sum of absolute positions at its start
    traded  (D,) fees and slippage paid
    funding (D,) paid; < 0 received
    shadow  (D, B) what each mandate's shadow made of the day, net of costs, fraction of its reference capital; the
            last day of a run is not over for the books and NaN
    stopped whether the run ended unable to take new risk
    """

    day: Times
    daily: Panel
    gross: Panel
    traded: Panel
    funding: Panel
    shadow: Panel
    stopped: bool
    decisions_sha256: str

    def costs(self, days: slice) -> dict[str, float]:
        """Fractions of NAV: trading and funding paid a year, mean exposure."""
        return {
            "trading_costs": float(self.traded[days].mean() * DAYS_A_YEAR),
            "funding_paid": float(self.funding[days].mean() * DAYS_A_YEAR),
            "gross": float(self.gross[days].mean()),
        }


def alone(fund: Fund, b: int) -> Fund:
    """A fund of mandate b and nobody else: same capital, markets, limits and venue; nothing to allocate."""
    mandate = fund.mandates[b]
    return replace(
        fund,
        name=mandate.name,
        mandates=(mandate,),
        signals=tuple(seat for seat in fund.signals if seat.name in mandate.listens),
        agents={name: agent for name, agent in fund.agents.items() if name == mandate.name},
        allocator=replace(fund.allocator, kind="equal"),
    )


class Seen:
    """What the shadow books of a fund decided, stretch by stretch.

    Shadows depend on the market alone: whoever runs the fund, or one of its mandates, over the same days with another
    allocator need neither ask the signals nor run the shadows again.
    """

    def __init__(self) -> None:
        self._of: dict[int, tuple[Shadows, Whole]] = {}

    def keep(self, facts: Facts, shadows: Shadows, equity: Whole) -> None:
        """Remember a stretch."""
        self._of[int(facts.time[0])] = shadows, equity

    def of(self, facts: Facts, b: int | None) -> tuple[Shadows, Whole]:
        """The stretch that begins with these facts; of mandate b alone, as if it were the only book."""
        shadows, equity = self._of[int(facts.time[0])]
        if b is None:
            return shadows, equity
        mine = shadows.notes.whole[:, 0] == b
        whole = shadows.notes.whole[mine]
        whole[:, 0] = 0
        before = np.concatenate([[0], np.cumsum(mine)])
        one = Shadows(
            target=np.ascontiguousarray(shadows.target[b : b + 1]),
            fires=np.ascontiguousarray(shadows.fires[:, b : b + 1]),
            urgent=np.ascontiguousarray(shadows.urgent[:, b : b + 1]),
            notes=Notes(before[shadows.notes.until], whole, shadows.notes.real[mine]),
        )
        return one, np.ascontiguousarray(equity[:, b : b + 1])


class Keeps(Run):
    """A run that remembers in `seen` what its shadows decided."""

    seen: Seen

    def shadow_targets(self, facts: Facts, strike: Flags) -> tuple[Shadows, Whole]:
        """Run them, and remember."""
        shadows, equity = super().shadow_targets(facts, strike)
        self.seen.keep(facts, shadows, equity)
        return shadows, equity


class Follows(Run):
    """A run whose shadows were run before; of mandate b alone, or of all."""

    seen: Seen
    b: int | None = None

    def shadow_targets(self, facts: Facts, strike: Flags) -> tuple[Shadows, Whole]:
        """What was remembered."""
        return self.seen.of(facts, self.b)


def run_alone(
    fund: Fund, b: int, world: World, facts: MarketFacts, times: Times, progress: Progress, seen: Seen | None = None
) -> Ran:
    """Mandate b as a fund of its own; facts are those of the whole fund, whose markets it keeps.

    seen  what `run_fund` of the whole fund remembered, over the same times; None = signals and shadow are run again
    """
    one = alone(fund, b)
    if seen is None:
        return run_fund(one, world, facts, seats(world.market, one.signals, one.confidence), times, progress)

    def follows(sink: Sink) -> Run:
        run = Follows(one, facts, {}, sink)
        run.seen, run.b = seen, b
        return run

    return _ran(one, world, follows, times, progress)


def run_fund(
    fund: Fund,
    world: World,
    facts: MarketFacts,
    roster: Mapping[str, Seat],
    times: Times,
    progress: Progress,
    seen: Seen | None = None,
) -> Ran:
    """Run a fund over decisions at times[:-1]; its seats are of this run alone, they remember what they said.

    seen  remembers what the shadows decide
    """

    def keeps(sink: Sink) -> Run:
        if seen is None:
            return Run(fund, facts, dict(roster), sink)
        run = Keeps(fund, facts, dict(roster), sink)
        run.seen = seen
        return run

    return _ran(fund, world, keeps, times, progress)


def _ran(fund: Fund, world: World, make: Callable[[Sink], Run], times: Times, progress: Progress) -> Ran:
    """Make a run for a sink, drive it, and sum up its days."""
    books = tuple(mandate.name for mandate in fund.mandates)
    sums = Aggregator(books, fund.market.markets, int(times[0]), int(times[-1]))
    with Recorder(None, names_of(fund, world.funding), watchers=(sums.add,)) as recorder:
        run = make(recorder)
        run.run(times, progress)
        digests = recorder.close()
    data = sums.gather()
    at, nav = data.nav["time"], data.nav["nav_micro"]
    midnight = at % DAY_NS == 0
    day = at[midnight][:-1]
    row = (day - data.day[0]) // DAY_NS
    worth = nav[midnight][:-1]
    equity = data.shadow_equity_micro[row, : len(books)].astype(np.float64)
    shadow = np.full((len(day), len(books)), np.nan)
    shadow[:-1] = (equity[1:] - equity[:-1]) / run.terms.reference_micro
    return Ran(
        day=day,
        daily=daily_returns(at, nav),
        gross=data.nav["gross"][midnight][:-1],
        traded=(data.fees + data.slippage).sum(axis=1)[row] / worth,
        funding=-data.funding.sum(axis=1)[row] / worth,
        shadow=shadow,
        stopped=bool(run.fund.state[0] != RUNNING),
        decisions_sha256=digests["decisions_sha256"],
    )
