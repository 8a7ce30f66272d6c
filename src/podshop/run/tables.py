"""From the rows of the compiled loop to the columns of the record."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from podshop.ledger.settle import settle
from podshop.maths.compiled import original
from podshop.nouns import Instrument, Panel, Whole
from podshop.nouns.verdict import MAKER_FILL, SETTLEMENT_FILL
from podshop.run.rows import place
from podshop.run.state import FILLS, FUNDING, NAV, OPPORTUNITY, VERDICTS, WISHES, Facts, Fund, Rows

MICROSECOND_NS = 1_000
COST_COLUMNS = (  # in the order of state.COSTS
    "delay_micro", "half_spread_micro", "impact_micro", "fee_micro", "opportunity_micro", "funding_micro",
    "saved_micro",
)  # fmt: skip

Columns = Mapping[str, np.ndarray[Any, Any]]


class Sink(Protocol):
    """Takes rows of a table: the recorder, the report's aggregator, a test's list."""

    def write(self, table: str, columns: Columns, /) -> None: ...


class Tables:
    """Hands every row on, in (cycle, seq) order, as columns named like journal.tables."""

    REASONS = ("deposit", "allocation")

    def __init__(self, sink: Sink, interval_ns: int, scale: Panel) -> None:
        """scale: (M,) micro-dollars per lot for a price of 1."""
        self._sink, self._interval_ns, self._scale = sink, interval_ns, scale

    def flush(self, rows: Rows, facts: Facts) -> None:
        """Hand on what the loop has written and make room."""
        counts = [int(n) for n in rows.used]
        rows.used[:] = 0
        self._nav(rows.nav[: counts[NAV]].T.copy(), rows.nav_real[: counts[NAV]].T.copy(), facts)
        self._funding(rows.funding[: counts[FUNDING]].T.copy(), facts)
        self._verdicts(rows.verdicts[: counts[VERDICTS]].T.copy(), rows.verdicts_real[: counts[VERDICTS]].T.copy())
        self._fills(rows.fills[: counts[FILLS]].T.copy(), facts)
        self._wishes(rows.wishes[: counts[WISHES]].T.copy(), facts)

    def markets(self, instruments: Sequence[Instrument]) -> None:
        """How each market trades; once, before everything else."""
        self._sink.write(
            "markets",
            {
                "market": np.arange(len(instruments)),
                "lot_size": np.array([i.lot_size for i in instruments], np.float64),
                "min_notional": np.array([i.min_notional_usd for i in instruments], np.float64),
                "lot_micro_scale": np.array([i.lot_micro_scale for i in instruments], np.float64),
            },
        )

    def transfers(self, at_ns: int, fund: Fund, change: Whole, reason: str) -> None:
        """One row for every book whose cash moved."""
        moved = np.flatnonzero(change)
        if len(moved):
            self._sink.write(
                "transfers",
                self._stamped(at_ns, fund, len(moved))
                | {
                    "book": moved,
                    "cash_micro": change[moved],
                    "reason": np.full(len(moved), self.REASONS.index(reason)),
                },
            )

    def books(self, at_ns: int, fund: Fund, equity: Whole, weight: Panel, shadow_equity: Whole) -> None:
        """The daily row of every book and the house: equity before the transfers, capital after them."""
        seats = len(fund.cash)
        self._sink.write(
            "books",
            self._stamped(at_ns, fund, seats)
            | {
                "book": np.arange(seats),
                "capital_micro": fund.capital.copy(),
                "equity_micro": equity,
                "weight": np.append(weight, np.nan),
                "throttle": fund.throttle.copy(),
                "shadow_equity_micro": np.append(shadow_equity, 0),
            },
        )

    def costs(self, at_ns: int, fund: Fund) -> None:
        """What trading has cost every book in every market since this was last asked; then it starts anew."""
        of_books = fund.costs.transpose(1, 0, 2)
        book, market = np.nonzero(of_books.any(axis=2))
        if len(book):
            part = of_books[book, market].T
            self._sink.write(
                "costs",
                self._stamped(at_ns, fund, len(book))
                | {"market": market, "book": book}
                | dict(zip(COST_COLUMNS, part, strict=True))
                | {"shortfall_micro": part[: OPPORTUNITY + 1].sum(axis=0)},
            )
            fund.costs[:] = 0

    def _stamped(self, at_ns: int, fund: Fund, count: int) -> dict[str, np.ndarray[Any, Any]]:
        """Cycle, numbers and time of rows that Python writes."""
        first = int(fund.seq[0])
        fund.seq[0] += count
        return {
            "cycle": np.full(count, at_ns // self._interval_ns),
            "seq": np.arange(first, first + count),
            "time": np.full(count, at_ns),
        }

    def _nav(self, whole: Whole, real: Panel, facts: Facts) -> None:
        cycle, seq, nav_micro, cash_micro = whole
        gross, net, drawdown, var = real
        if not len(cycle):
            return
        time = cycle * self._interval_ns
        self._sink.write(
            "nav",
            {
                "cycle": cycle, "seq": seq, "time": time, "nav_micro": nav_micro, "cash_micro": cash_micro,
                "gross": gross, "net": net, "drawdown": drawdown, "var": var,
            },
        )  # fmt: skip
        first = int(np.searchsorted(facts.time, time[0]))
        mark, age = facts.mark[first : first + len(time)], facts.age[first : first + len(time)]
        row, market = np.nonzero(mark)
        self._sink.write(
            "marks",
            {
                "cycle": cycle[row], "seq": seq[row] + 1 + market, "time": time[row], "market": market,
                "mark_micro": mark[row, market], "age_bars": age[row, market],
            },
        )  # fmt: skip

    def _fills(self, columns: Whole, facts: Facts) -> None:
        packed, seq, lots, price_micro, fee_micro = columns
        if not len(seq):
            return
        row, market, book, kind = place(packed)
        time = facts.time[row]
        reference = np.where(kind == SETTLEMENT_FILL, facts.mark[row, market], facts.reference[row, market])
        rested = kind == MAKER_FILL
        if rested.any():  # it was placed a cycle before, at the mid of then
            before = np.concatenate([facts.reference_before[None], facts.reference])
            reference[rested] = before[row[rested], market[rested]]
        self._sink.write(
            "fills",
            {
                "cycle": time // self._interval_ns, "seq": seq, "time": time - MICROSECOND_NS * rested,
                "market": market, "book": book,
                "lots": lots, "price": price_micro / self._scale[market], "price_micro": price_micro,
                "reference_micro": reference, "fee_micro": fee_micro,
                "cash_micro": original(settle)(lots, price_micro, fee_micro), "kind": kind,
            },
        )  # fmt: skip

    def _funding(self, columns: Whole, facts: Facts) -> None:
        cycle, seq, event, market, book, lots, mark_micro, cash_micro = columns
        if len(cycle):
            self._sink.write(
                "funding",
                {
                    "cycle": cycle, "seq": seq, "time": facts.funding_at[event], "market": market, "book": book,
                    "lots": lots, "mark_micro": mark_micro, "rate": facts.funding_rate[event],
                    "source": facts.funding_source[event], "cash_micro": cash_micro,
                },
            )  # fmt: skip

    def _verdicts(self, columns: Whole, real: Panel) -> None:
        cycle, seq, market, book, verdict, code, wanted, allowed, filled, resting, limits = columns
        if len(cycle):
            self._sink.write(
                "verdicts",
                {
                    "cycle": cycle, "seq": seq, "time": cycle * self._interval_ns, "market": market, "book": book,
                    "verdict": verdict, "code": code, "wanted_lots": wanted, "allowed_lots": allowed,
                    "filled_lots": filled, "resting_lots": resting, "limits_version": limits,
                    "measured": real[0], "bound": real[1],
                },
            )  # fmt: skip

    def _wishes(self, columns: Whole, facts: Facts) -> None:
        packed, seq, lots = columns
        if len(seq):
            row, market, book, _ = place(packed)
            time = facts.time[row]
            self._sink.write(
                "wishes",
                {
                    "cycle": time // self._interval_ns, "seq": seq, "time": time, "market": market, "book": book,
                    "wished_lots": lots, "mark_micro": facts.mark[row, market],
                },
            )  # fmt: skip
