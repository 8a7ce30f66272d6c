"""Have the machine code ready before the clock of a run starts.

The first run ever compiles for about half a minute; both cores work on it. Every later one loads what is on disk.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from podshop.feeds.simulated import simulate
from podshop.maths.compiled import cache_folder
from podshop.nouns import DAY_NS, HOUR_NS
from podshop.run import cycle
from podshop.run.opinions import Progress
from podshop.run.state import Facts, Fund, Notes, Rows, Shadows, Terms, Work, new_fund, new_rows, new_work

KEPT_BUILDS = 4


def warm(progress: Progress) -> float:
    """Load or compile every function of the loop; answers the seconds it took."""
    started = time.perf_counter()
    helper = None
    if not any(Path(cache_folder()).rglob("*.nbi")):
        # A bar is shown on a terminal only, and whoever waits so long wants to know why.
        print("compiling the loop for this machine: once, about half a minute", file=sys.stderr)  # noqa: T201
        _forget_old_builds(Path(cache_folder()))
        helper = subprocess.Popen([sys.executable, "-m", "podshop.run.warm"])
    _loop()
    if helper is not None:
        helper.wait()
    _before_the_loop()
    progress(0, 0, "ready")
    return time.perf_counter() - started


def _forget_old_builds(folder: Path) -> None:
    """Delete the machine code of builds that are no longer used: all but the latest few."""
    if folder.parent.name == "numba":
        builds = sorted(folder.parent.iterdir(), key=lambda build: build.stat().st_mtime)
        for build in builds[:-KEPT_BUILDS]:
            shutil.rmtree(build, ignore_errors=True)


def _loop() -> None:
    """Call the compiled cycle on a stretch of no cycles."""
    fund, work, terms, facts, shadows, out = _nothing()
    cycle.span(fund, work, terms, facts, shadows, np.zeros(0, np.bool_), out, 0, False)


def _last_part() -> None:
    """Compile what the cycle needs last, while another process compiles what it needs first."""
    from numba import typeof

    fund, work, terms, facts, _, out = _nothing()
    cycle.allot.compile(tuple(map(typeof, (fund, work, terms, facts, out, 0))))  # type: ignore[attr-defined]


def _nothing() -> tuple[Fund, Work, Terms, Facts, Shadows, Rows]:
    """A fund of one market and one book, and a stretch of no cycles."""
    whole, real = np.zeros((0, 1), np.int64), np.zeros((1, 1))
    none = np.zeros(0, np.int64)
    facts = Facts(
        time=none, mark=whole, age=whole, frozen=np.zeros((0, 1), np.int32),
        reference=whole, mark_before=np.zeros(1, np.int64),
        reference_before=np.zeros(1, np.int64), low=whole,
        high=whole,
        carry=np.zeros((0, 1)), dead=np.zeros((0, 1), np.bool_), risk_row=none,
        covariance=np.zeros((1, 1, 1)), sigma=real, depth=real, liquidity=np.zeros((1, 1), np.int64),
        queued=np.zeros((1, 1), np.int64),
        funding_until=np.zeros(1, np.int64), funding_at=none, funding_market=none, funding_rate=np.zeros(0),
        funding_source=none,
    )  # fmt: skip
    flags = np.zeros((0, 1), np.bool_)
    notes = Notes(np.zeros(1, np.int64), np.zeros((0, 5), np.int64), np.zeros((0, 2)))
    shadows = Shadows(target=np.zeros((0, 1, 1), np.int64), fires=flags, urgent=flags, notes=notes)
    keys = np.zeros(2, np.uint64)
    terms = Terms(
        reference_micro=1, book_gross=1.0, collar=0.01,
        half_spread=0.0, impact=0.0, fee_e8=0, maker_fee_e8=0, assumed_funding_8h=0.0, style=np.zeros(2, np.int64),
        urgency=np.zeros(2, np.int64), patient=np.zeros(0, np.int64), min_order_micro=0,
        min_notional=np.zeros(1, np.int64),
        first_trade=np.zeros(1, np.int64), market_key=keys, book_key=keys, interval_ns=1,
    )  # fmt: skip
    return new_fund(1, 1), new_work(1, 1), terms, facts, shadows, new_rows(1, 1, 1, least=1)


def _before_the_loop() -> None:
    """Facts, signals and shadow books of one simulated day, thrown away."""
    from podshop.risk.var import bend
    from podshop.run.backtest import market_facts
    from podshop.run.config import starter_fund
    from podshop.run.desk import Seen
    from podshop.run.loop import Run
    from podshop.run.opinions import seats

    fund = starter_fund()
    end = 19_400 * DAY_NS
    market, funding = simulate(fund.market.markets, HOUR_NS, end - 12 * DAY_NS, end, seed=0)
    run = Run(fund, market_facts(fund, market, funding), seats(market, fund.signals, fund.confidence), _Nowhere())
    end_row = len(market)
    facts = run.facts.stretch(end_row - 24, end_row)
    run.shadows.begin(int(facts.time[0]))
    run.shadow_targets(facts, np.ones(24, np.bool_))
    cycle.open_cycle(run.fund, run.work, run.terms, facts, run.rows, 0)
    run.fund.nav[0] = run.terms.reference_micro
    run.desk.look(facts, 0, run.fund, Seen(run.equity, run.equity_peak, run.daily_return))
    bend(0.1, 1.0)


class _Nowhere:
    def write(self, table: str, columns: object, /) -> None:
        """Forget the rows."""


if __name__ == "__main__":
    _last_part()
    _before_the_loop()
