"""A backtest that is stopped in the middle of every cycle, so that it can be told to a brain as a gateway would."""

from typing import NamedTuple

import numpy as np

from podshop.live.brain.mind import office_of
from podshop.live.messages import Office, Opened
from podshop.maths.compiled import alone
from podshop.nouns import Funding, Market
from podshop.run import cycle, finance
from podshop.run.backtest import facts_and_seats
from podshop.run.config import Fund
from podshop.run.loop import Run
from podshop.run.state import VERDICTS

STAGES = {
    name: alone(getattr(cycle, name)) for name in ("wish", "net", "gate_reductions", "gate_increases", "allot")
} | {"finance": alone(finance.finance)}


class Step(NamedTuple):
    """One cycle of a backtest: what a gateway would have said, and what was decided."""

    opened: Opened
    wished: tuple[tuple[int, ...], ...]
    raw: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]
    office: Office
    covariance: tuple[float, ...]
    shadow_equity: tuple[int, ...]
    notes: int


class _Nowhere:
    def write(self, table: str, columns: object, /) -> None:
        """Forget the rows."""


class Stepped(Run):
    """A run whose cycles are called one function at a time."""

    steps: list[Step]

    def _live(self, stretch):  # type: ignore[no-untyped-def]
        facts, limits, treasury, targets, equity = stretch
        peaks = np.maximum(np.maximum.accumulate(equity, axis=0), self.equity_peak)
        fund, work, terms, out = self.fund, self.work, self.terms, self.rows
        for k in range(len(facts.time)):
            cycle.open_cycle(fund, work, terms, facts, out, k)
            STAGES["finance"](fund, terms, facts, out, k)
            opened = self._opened(facts, k)
            if limits[k] or treasury[k]:
                self.equity, self.equity_peak = equity[k], peaks[k]
                self._python(facts, k, bool(treasury[k]), bool(limits[k]))
            out.used[:] = 0
            STAGES["wish"](fund, work, terms, facts, targets, out, k)
            notes = int(out.used[VERDICTS])
            self.steps.append(
                Step(
                    opened,
                    tuple(map(tuple, fund.wished[:, :-1].tolist())),
                    tuple(map(tuple, fund.raw[:, :-1].tolist())),
                    tuple(self.treasurer.weights.tolist()) if treasury[k] else (), office_of(fund, len(self.books)),
                    tuple(facts.covariance[facts.risk_row[k]].ravel().tolist()), tuple(self.equity.tolist()), notes,
                )
            )  # fmt: skip
            STAGES["net"](fund, work, terms, facts, k)
            STAGES["gate_reductions"](fund, work, terms, facts, k)
            most = facts.liquidity[facts.risk_row[k]]
            cycle.fill(work.first, work.filled, facts.reference[k], most)
            STAGES["gate_increases"](fund, work, terms, facts, k)
            cycle.fill(work.second, work.filled, facts.reference[k], most)
            STAGES["allot"](fund, work, terms, facts, out, k)
            out.used[:] = 0
        self.equity_peak = peaks[-1]

    def _opened(self, facts, k):  # type: ignore[no-untyped-def]
        fund = self.fund
        return Opened(
            cycle=int(facts.time[k]) // self.interval_ns,
            at_ns=int(facts.time[k]),
            lots=tuple(map(tuple, fund.lots.tolist())),
            cash_micro=tuple(fund.cash.tolist()),
            capital_micro=tuple(fund.capital.tolist()),
            nav_micro=int(fund.nav[0]),
            peak_micro=int(fund.peak[0]),
            mark_micro=tuple(facts.mark[k].tolist()),
            age_bars=tuple(facts.age[k].tolist()),
            throttle=tuple(fund.throttle[:-1].tolist()),
            fund_throttle=float(fund.fund_throttle[0]),
            state=int(fund.state[0]),
            lines=(True,) * len(facts.mark[k]),
        )


def steps_of(fund: Fund, market: Market, funding: Funding, times: np.ndarray) -> list[Step]:  # type: ignore[type-arg]
    """Every cycle of a backtest over these decision times."""
    facts, seats = facts_and_seats(fund, market, funding)
    run = Stepped(fund, facts, seats, _Nowhere())
    run.steps = []
    run.run(times, lambda *_: None)
    return run.steps
