"""What a file of bars, funding or observations must look like; anything else is a DataError naming file, row and rule.

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
FOREVER_NS = np.iinfo(np.int64).max


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
    for column in ("open", "close"):
        price = values[BAR_COLUMNS.index(column)]
        _refuse((price < low) | (price > high), name, rows, open_ns, partial(_outside, column, price, low, high))
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


@dataclass(frozen=True, slots=True)
class Dated:
    """Values of one column: known_ns (N,) when each could be had, value (N,); NaN = none that day."""

    known_ns: Times
    value: Values


@dataclass(frozen=True, slots=True)
class Headlines:
    """Headlines in the order of time: at_ns (N,), title and the coins each is about."""

    at_ns: Times
    title: tuple[str, ...]
    assets: tuple[frozenset[str], ...]


def dated(frame: pl.DataFrame, name: str, column: str, known: str, later_ns: int, until_ns: int) -> Dated:
    """Read a column's values that could be known until `until_ns`: from `known` (a column of stamps) plus `later_ns`.

    A column that the file lacks is no mistake: nobody measures everything. A stamp before the time that a value is
    about is one.
    """
    _check_columns(frame, name, ())
    if column not in frame.columns:
        return Dated(np.empty(0, np.int64), np.empty(0))
    _check_columns(frame, name, (column,))
    _check_stamps(frame, name, known)
    known_ns = frame[known].dt.epoch("ns").to_numpy() + later_ns
    about_ns, rows = _times(frame, name, FOREVER_NS, known_ns <= until_ns)
    value = _numbers(frame, column)[rows]
    early = known_ns[rows] - later_ns < about_ns
    _refuse(early, name, rows, about_ns, lambda _: f"{known} is before the time that the value is about")
    _refuse(np.isinf(value), name, rows, about_ns, lambda r: f"{column} {value[r]} is not a number")
    return Dated(known_ns[rows], value)


def headlines(frame: pl.DataFrame, name: str, until_ns: int) -> Headlines:
    """Read headlines published until `until_ns`; one without a title is not one. Several may share an instant."""
    _check_columns(frame, name, ())
    for column in ("title", "assets"):
        if column not in frame.columns or frame.schema[column] != pl.String:
            raise DataError(f"{name} lacks the column of text {column!r}, found {', '.join(frame.columns)}")
    at_ns, rows = _times(frame, name, until_ns, twice=True)
    titles, assets = frame["title"].gather(rows).to_list(), frame["assets"].gather(rows).to_list()
    there = np.array([bool(title) for title in titles], dtype=np.bool_)
    coins = (frozenset((text or "").replace(" ", "").split(",")) - {""} for text in assets)
    kept = [(title, of) for title, of in zip(titles, coins, strict=True) if title]
    return Headlines(at_ns[there], tuple(title for title, _ in kept), tuple(of for _, of in kept))


def of_asset(frame: pl.DataFrame, name: str, base: str) -> pl.DataFrame:
    """The rows about one coin of a file about many."""
    if "asset" not in frame.columns:
        raise DataError(f"{name} has no column 'asset', found {', '.join(frame.columns) or 'none'}")
    return frame.filter(pl.col("asset") == base)


def _check_stamps(frame: pl.DataFrame, name: str, column: str) -> None:
    stamp = frame.schema.get(column)
    if not (isinstance(stamp, pl.Datetime) and stamp.time_zone == "UTC"):
        raise DataError(f"{name} column {column!r} is {stamp or 'not there'}, expected a Datetime in UTC")
    if frame[column].null_count():
        raise DataError(f"{name} row {frame[column].is_null().arg_max()}: {column} is missing")


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


def _times(
    frame: pl.DataFrame, name: str, last_ns: int, known: NDArray[np.bool_] | None = None, *, twice: bool = False
) -> tuple[Times, Whole]:
    """Read the times up to `last_ns`, of rows that are `known`, and the rows they stand in; they must rise."""
    stamp = frame["timestamp"]
    if stamp.null_count():
        raise DataError(f"{name} row {stamp.is_null().arg_max()}: time is missing")
    time = stamp.dt.epoch("ns").to_numpy()
    rows = np.flatnonzero(time <= last_ns if known is None else known)
    time = time[rows]
    step = np.diff(time, prepend=time[:1] - 1)
    _refuse((step == 0) & (not twice), name, rows, time, lambda _: "time is there twice")
    _refuse(step < 0, name, rows, time, lambda r: f"time is before that of the row above, {utc_text(int(time[r - 1]))}")
    return time, rows


def _numbers(frame: pl.DataFrame, column: str) -> Values:
    """A column as floats; what is missing in it is NaN."""
    return frame[column].cast(pl.Float64).to_numpy()


def _outside(column: str, price: Values, low: Values, high: Values, r: int) -> str:
    return f"{column} {price[r]} is outside low {low[r]} to high {high[r]}"


def _too_small(column: str, series: Values, least: str, r: int) -> str:
    return f"{column} {series[r]} is not a number {least}"


def _refuse(wrong: NDArray[np.bool_], name: str, rows: Whole, time: Times, rule: Callable[[int], str]) -> None:
    """Raise about the first row that is wrong, if any is."""
    if wrong.any():
        r = int(wrong.argmax())
        raise DataError(f"{name} row {rows[r]} ({utc_text(int(time[r]))}): {rule(r)}")
