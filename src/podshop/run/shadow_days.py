"""What the shadow books earned each day, without the fund: shadows depend on the market alone."""

import numpy as np

from podshop.nouns import DAY_NS, Panel, Times, utc_text
from podshop.run.config.sections import Fund
from podshop.run.facts import MarketFacts
from podshop.run.loop import Run, stretch_ns
from podshop.run.opinions import Progress, Seat


def shadow_days(
    fund: Fund, facts: MarketFacts, seats: dict[str, Seat], times: Times, progress: Progress
) -> tuple[Times, Panel]:
    """Run every shadow book over decisions at `times[:-1]`.

    seats  of this run alone: they remember what they said
    ->     (D + 1,) midnights, UTC, and (D, B) what each shadow made of the days between them, net of costs, fraction of
           its reference capital: what the treasury is shown at the midnight that ends the day
    """
    run = Run(fund, facts, seats, _Nowhere())
    run.shadows.begin(int(times[0]))
    length = stretch_ns(run.interval_ns)
    first, end = facts.row(int(times[0])), facts.row(int(times[-1]))
    midnights, equity, row = [], [], first
    while row < end:
        boundary = (int(times[row - first]) // length + 1) * length
        last = min(facts.row(boundary), end)
        stretch = facts.stretch(row, last)
        midnight = stretch.time % DAY_NS == 0
        equity.append(run.shadow_targets(stretch, midnight)[1][midnight])
        midnights.append(stretch.time[midnight])
        row = last
        progress(last - first, end - first, utc_text(int(times[last - first])))
    worth = np.concatenate(equity)
    return np.concatenate(midnights), (worth[1:] - worth[:-1]) / run.terms.reference_micro


class _Nowhere:
    def write(self, table: str, columns: object, /) -> None:
        """Forget the rows."""
