"""What a file of bars or of funding must look like; anything else is a DataError naming file, row and rule.

Timestamps are UTC: the open of a bar, the time of a settlement. Rows are counted from 0. Rows after the period are
dropped before they are looked at: what the future holds can never stop a run that does not reach it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from podshop.nouns import BAR_COLUMNS, HOUR_NS, DataError, Times, Whole, duration_text, utc_text

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one file: open_ns (N,), values (5, N) in the order of BAR_COLUMNS."""

    open_ns: Times
    values: Values


@dataclass(frozen=True, slots=True)
class Settled:
    """Settlements of one file: at_ns (N,), rate (N,), interval_ns (N,)."""

    at_ns: Times
    rate: Values
    interval_ns: Whole


def bars(frame: pl.DataFrame, name: str, interval_ns: int, until_ns: int) -> Bars:
    """Read bars that close until `until_ns`, both included. `name` is the file's, for people."""
    _check_columns(frame, name, BAR_COLUMNS)
    if frame.is_empty():
        raise DataError(f"{name} has no rows")
    open_ns, rows = _times(frame, name, until_ns - interval_ns)
    values = np.empty((len(BAR_COLUMNS), len(rows)))
    for i, column in enumerate(BAR_COLUMNS):
        values[i] = _numbers(frame, column)[rows]
    off = open_ns % interval_ns != 0
    _refuse(off, name, rows, open_ns, lambda _: f"time is off the grid of {duration_text(interval_ns)}")
    for i, column in enumerate(BAR_COLUMNS):
        series = values[i]
        enough, least = (series >= 0, ">= 0") if column == "volume" else (series > 0, "> 0")
        wrong = ~(enough & (series < np.inf))  # a comparison with NaN is false, so this catches it too
        _refuse(wrong, name, rows, open_ns, partial(_too_small, column, series, least))
    high, low = values[BAR_COLUMNS.index("high")], values[BAR_COLUMNS.index("low")]
    _refuse(high < low, name, rows, open_ns, lambda r: f"high {high[r]} is below low {low[r]}")
    return Bars(open_ns, values)


def settled(frame: pl.DataFrame, name: str, until_ns: int) -> Settled:
    """Read settlements stamped until `until_ns`, included; none is no mistake, it is counted as assumed."""
    _check_columns(frame, name, ("funding_rate", "interval_hours"))
    at_ns, rows = _times(frame, name, until_ns)
    rate, hours = (_numbers(frame, column)[rows] for column in ("funding_rate", "interval_hours"))
    _refuse(~np.isfinite(rate), name, rows, at_ns, lambda r: f"funding_rate {rate[r]} is not a number")
    wrong = ~((hours > 0) & (hours < np.inf))
    _refuse(wrong, name, rows, at_ns, lambda r: f"interval_hours {hours[r]} is not a number > 0")
    return Settled(at_ns, rate, np.rint(hours * HOUR_NS).astype(np.int64))


def _check_columns(frame: pl.DataFrame, name: str, columns: tuple[str, ...]) -> None:
    for column in ("timestamp", *columns):
        if column not in frame.columns:
            raise DataError(f"{name} has no column {column!r}, found {', '.join(frame.columns) or 'none'}")
    stamp = frame.schema["timestamp"]
    if not (isinstance(stamp, pl.Datetime) and stamp.time_zone == "UTC"):
        raise DataError(f"{name} column 'timestamp' is {stamp}, expected a Datetime in UTC")
    for column in columns:
        kind = frame.schema[column]
        if not (kind.is_float() or kind.is_integer()):
            raise DataError(f"{name} column {column!r} is {kind}, expected Float64")


def _times(frame: pl.DataFrame, name: str, last_ns: int) -> tuple[Times, Whole]:
    """Read the times up to `last_ns` and the rows they stand in; they must rise."""
    stamp = frame["timestamp"]
    if stamp.null_count():
        raise DataError(f"{name} row {stamp.is_null().arg_max()}: time is missing")
    time = stamp.dt.epoch("ns").to_numpy()
    rows = np.flatnonzero(time <= last_ns)
    time = time[rows]
    step = np.diff(time, prepend=time[:1] - 1)
    _refuse(step == 0, name, rows, time, lambda _: "time is there twice")
    _refuse(step < 0, name, rows, time, lambda r: f"time is before that of the row above, {utc_text(int(time[r - 1]))}")
    return time, rows


def _numbers(frame: pl.DataFrame, column: str) -> Values:
    """A column as floats; what is missing in it is NaN."""
    return frame[column].cast(pl.Float64).to_numpy()


def _too_small(column: str, series: Values, least: str, r: int) -> str:
    return f"{column} {series[r]} is not a number {least}"


def _refuse(wrong: NDArray[np.bool_], name: str, rows: Whole, time: Times, rule: Callable[[int], str]) -> None:
    """Raise about the first row that is wrong, if any is."""
    if wrong.any():
        r = int(wrong.argmax())
        raise DataError(f"{name} row {rows[r]} ({utc_text(int(time[r]))}): {rule(r)}")
