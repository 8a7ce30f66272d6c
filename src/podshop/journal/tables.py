"""The tables of a record: every column with its type, unit and meaning, in one place.

The recorder writes these columns in this order, the audit reads them, and `docs` can print them.
All instants are UTC nanoseconds, all money int64 micro-dollars (1e-6 USD), all quantities signed int64 lots.
Rows of one table stand in the order of (cycle, seq); `seq` is one counter over all tables, so that rows of
different tables can be put in one order too.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["whole", "real", "time", "name"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    kind     whole = int64; real = float64, NaN where there is nothing to measure; time = int64 UTC ns in memory and
             Datetime(ns, UTC) in Parquet; name = a small whole number in memory, an index into the names of
             dictionary `name`, and text in Parquet
    unit     of the value in Parquet
    meaning  one line
    """

    name: str
    kind: Kind
    unit: str
    meaning: str

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """What is hashed and handed to Parquet; little-endian on every machine."""
        return np.dtype({"whole": "<i8", "real": "<f8", "time": "<i8", "name": "<u2"}[self.kind])


NAMES = ("market", "book", "kind", "source", "reason", "verdict", "code")  # the dictionaries a recorder must be given
HASHED = ("fills", "verdicts")  # the decisions: what `decisions_sha256` covers

_ORDER = (
    Column("cycle", "whole", "count", "floor(decision time / interval), counted from 1970"),
    Column("seq", "whole", "count", "place of the row in the run, one counter over all tables"),
)
_MARKET = Column("market", "name", "text", "base asset, as in the fund file")
_BOOK = Column("book", "name", "text", "execution agent, or 'house'")


def _time(meaning: str) -> Column:
    return Column("time", "time", "UTC", meaning)


def _micro(name: str, meaning: str) -> Column:
    return Column(name, "whole", "micro-USD", meaning)


def _lots(name: str, meaning: str) -> Column:
    return Column(name, "whole", "lots", meaning)


TABLES: dict[str, tuple[Column, ...]] = {
    "markets": (
        _MARKET,
        Column("lot_size", "real", "base units", "how much of the asset one lot is"),
        Column("min_notional", "real", "USD", "smallest order the venue takes"),
        Column("lot_micro_scale", "real", "micro-USD per lot per USD", "price x this = price_micro"),
    ),
    "nav": (
        *_ORDER,
        _time("decision time: the close of the bar"),
        _micro("nav_micro", "sum of all rows with an earlier time, at the marks of this close"),
        _micro("cash_micro", "sum of the cash of all books, before this cycle's rows"),
        Column("gross", "real", "fraction of NAV", "sum over markets of |net lots x mark|"),
        Column("net", "real", "fraction of NAV", "sum over markets of net lots x mark"),
        Column("drawdown", "real", "fraction of peak", "1 - NAV / highest NAV so far, >= 0"),
        Column("var", "real", "fraction of NAV", "95 % one-day value at risk of the lots held; NaN where unknown"),
    ),
    "marks": (
        *_ORDER,
        _time("decision time: the close of the bar"),
        _MARKET,
        _micro("mark_micro", "per lot: the last close that traded"),
        Column("age_bars", "whole", "bars", "bars since that close; 0 = this one"),
    ),
    "fills": (
        *_ORDER,
        _time("execution time: the open of the next bar, stamped with the decision's time; see kind"),
        _MARKET,
        _BOOK,
        _lots("lots", "bought > 0, sold < 0"),
        Column("price", "real", "USD", "per base unit: price_micro / lot_micro_scale"),
        _micro("price_micro", "per lot, paid or received"),
        _micro("reference_micro", "per lot: the mid at execution, before spread and impact"),
        _micro("fee_micro", "this book's share of the fee, >= 0"),
        _micro("cash_micro", "change of the book's cash: -lots x price_micro - fee_micro"),
        Column("kind", "name", "text", "venue | cross | settlement | house | maker, 1 microsecond before the close"),
    ),
    "funding": (
        *_ORDER,
        _time("settlement time, at or before the cycle's"),
        _MARKET,
        _BOOK,
        _lots("lots", "held by the book at the settlement"),
        _micro("mark_micro", "per lot, at the settlement"),
        Column("rate", "real", "fraction of notional", "paid by longs to shorts; by both where source is ASSUMED"),
        Column("source", "name", "text", "whose record the rate is, or ASSUMED"),
        _micro("cash_micro", "change of the book's cash, received > 0"),
    ),
    "transfers": (
        *_ORDER,
        _time("00:00 UTC, or one interval before the first decision"),
        _BOOK,
        _micro("cash_micro", "change of the book's cash; but for deposits they sum to zero at every time"),
        Column("reason", "name", "text", "'deposit' = from outside to the house; others move between books"),
    ),
    "verdicts": (
        *_ORDER,
        _time("decision time"),
        _MARKET,
        Column("book", "name", "text", "execution agent, or 'NET' for the net order of the fund"),
        Column("verdict", "name", "text", "approve | shrink | veto"),
        Column("code", "name", "text", "the reason"),
        _lots("wanted_lots", "wished, after crossing"),
        _lots("allowed_lots", "what the gate let pass"),
        _lots("filled_lots", "what the venue filled at once"),
        _lots("resting_lots", "placed as a maker order, to be settled with the next bar"),
        Column("limits_version", "whole", "count", "number of the limits it was judged by; limits.jsonl has each"),
        Column("measured", "real", "of the limit", "what the limit looked at; NaN where there is none"),
        Column("bound", "real", "of the limit", "the limit; NaN where there is none"),
    ),
    "books": (
        *_ORDER,
        _time("00:00 UTC"),
        _BOOK,
        _micro("capital_micro", "after this midnight's transfers, fixed until the next"),
        _micro("equity_micro", "cash + lots x marks, after this midnight's funding, before its transfers"),
        Column("weight", "real", "fraction", "share of the fund's capital; NaN for the house"),
        Column("throttle", "real", "0..1", "factor the drawdown ladder puts on the book's wishes"),
        _micro("shadow_equity_micro", "equity of the book's shadow at reference capital; 0 for the house"),
    ),
    "wishes": (
        *_ORDER,
        _time("decision time"),
        _MARKET,
        _BOOK,
        _lots("wished_lots", "what the book wishes to hold from now on, until its next wish in this market"),
        _micro("mark_micro", "per lot: the decision price of this wish"),
    ),
    "costs": (
        *_ORDER,
        _time("as the rows of books, and after the last of nav: what the row counts has come since the one before"),
        _MARKET,
        _BOOK,
        _micro("delay_micro", "of each fill, lots x (reference - decision price)"),
        _micro("half_spread_micro", "of it, lots x (price - reference) up to the half-spread; maker orders earn it"),
        _micro("impact_micro", "what else of lots x (price - reference)"),
        _micro("fee_micro", "this book's fees"),
        _micro("opportunity_micro", "of a wish that ended, lots still open x (mark at its end - decision price)"),
        _micro("funding_micro", "beside the shortfall: funding paid > 0"),
        _micro("saved_micro", "beside it: what the lots that crossed inside would have paid at the venue"),
        _micro("shortfall_micro", "delay + half-spread + impact + fee + opportunity: what paper made more"),
    ),
}

BESIDE: dict[
    str, tuple[Column, ...]
] = {  # no decision, and no part of an audit; calibration only where it is asked for
    "signals": (
        _time("decision time"),
        *(Column(f"sha256_{i}", "whole", "hash", f"quarter {i} of what every signal agent said") for i in range(4)),
    ),
    "calibration": (
        _time("close of the agent's bar"),
        Column("signal", "name", "text", "signal agent"),
        _MARKET,
        Column("conviction", "real", "-1..1", "what it said; rows are opinions other than 0"),
        Column("hit_probability", "real", "fraction", "of its judged forecasts as strong that were right; NaN if none"),
        Column("low", "real", "fraction", "low end of the 90 % interval, which counts instants"),
        Column("high", "real", "fraction", "high end of it"),
        Column("count", "whole", "forecasts", "judged by then, of the run so far and at most its last 365 days"),
    ),
}
