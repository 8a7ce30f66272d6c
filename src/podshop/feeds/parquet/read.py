"""Find the files of a fund's markets, check them, and lay them on one grid of time."""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import numpy as np

from podshop.feeds.parquet import parse
from podshop.feeds.parquet.files import folders, length_ns, opened
from podshop.feeds.parquet.observations import observations
from podshop.market import Records, data_report, funding_per_hour, resample, settlements
from podshop.nouns import (
    BAR_COLUMNS,
    ConfigError,
    Funding,
    Market,
    duration_ns,
    duration_text,
    utc_text,
)
from podshop.nouns.coverage import DataReport
from podshop.nouns.symbols import check_known, locate


class Wanted(Protocol):
    """Which market data: the [market] table of a fund file."""

    @property
    def venue(self) -> str: ...
    @property
    def interval(self) -> str: ...
    @property
    def markets(self) -> tuple[str, ...]: ...
    @property
    def funding(self) -> tuple[str, ...]: ...
    @property
    def assumed_funding_bps_8h(self) -> float: ...


def read_market(
    root: Path, wanted: Wanted, since_ns: int, until_ns: int, columns: Collection[str] = ()
) -> tuple[Market, Funding, DataReport]:
    """Read every bar that closes in (since_ns, until_ns], and the funding of that time.

    root     folder with bars/ and funding/ in the layout of this package
    columns  what the fund's agents read: of the observations beside bars, only these are looked for
    ->       Market with the columns of a bar, `funding_per_hour` and the observations wanted, for one coin; where there
             are no bars yet, rows of the grid hold observations alone.
             Funding of the same period; what was there and what was not, in the bars as stored.
             Of a bar that closes after since_ns all is read, so the funding of its whole length is there too.
    Raises ConfigError for what is not there, DataError for what cannot be true.
    """
    wanted_ns = duration_ns(wanted.interval)
    for base in wanted.markets:
        check_known(base)
    for source in wanted.funding:
        _check_folder(root, root / "funding" / source, f"no funding of {source!r}")
    whole = (since_ns // wanted_ns * wanted_ns, until_ns // wanted_ns * wanted_ns)  # a long bar needs all its parts
    stored = _bars(root, wanted, _bars_folder(root, wanted), *whole)
    records = _all_records(root, wanted, until_ns)
    funding = settlements(stored, records, wanted.funding, wanted.assumed_funding_bps_8h)
    report = data_report(stored, wanted.venue, wanted.funding, funding.assumed_share)
    market = resample(stored, wanted_ns)
    observed = {"funding_per_hour": funding_per_hour(market, records, wanted.funding)}
    observed |= observations(root, market, columns)
    return Market(market.names, wanted_ns, market.time, {**market.columns, **observed}), funding, report


def _bars_folder(root: Path, wanted: Wanted) -> Path:
    """The folder of the longest stored bars that make up the wanted ones, of those that every market has."""
    wanted_ns = duration_ns(wanted.interval)
    folder = root / "bars" / wanted.venue
    _check_folder(root, folder, f"no bars of venue {wanted.venue!r}")
    stored = {length_ns(path): path for path in folders(folder)}
    fitting = sorted((ns for ns in stored if wanted_ns % ns == 0), reverse=True)
    if not fitting:
        there = ", ".join(duration_text(ns) for ns in sorted(stored)) or "none"
        raise ConfigError(f"{wanted.venue} has no bars of {wanted.interval} or that make it up, there are: {there}")
    stems = {base: locate(base, wanted.venue)[0] for base in wanted.markets}
    for ns in fitting:
        if all((stored[ns] / f"{stem}.parquet").is_file() for stem in stems.values()):
            return stored[ns]
    longest = stored[fitting[0]]
    base = next(base for base, stem in stems.items() if not (longest / f"{stem}.parquet").is_file())
    there = ", ".join(sorted(path.stem for path in longest.glob("*.parquet"))) or "none"
    file = f"{wanted.venue}/{longest.name}/{stems[base]}.parquet"
    raise ConfigError(f"no bars of {wanted.interval} for {base}: {file} is not in {root / 'bars'}, there are: {there}")


def _bars(root: Path, wanted: Wanted, folder: Path, since_ns: int, until_ns: int) -> Market:
    """Lay the stored bars on the grid of their closes; where there is no bar, all five columns are NaN."""
    interval_ns = duration_ns(folder.name)
    first_close = (since_ns // interval_ns + 1) * interval_ns
    time = np.arange(since_ns // interval_ns + 1, until_ns // interval_ns + 1) * interval_ns
    block = np.full((len(BAR_COLUMNS), len(wanted.markets), len(time)), np.nan)
    for m, base in enumerate(wanted.markets):
        stem, coins = locate(base, wanted.venue)
        bars = opened(
            root, folder / f"{stem}.parquet", lambda frame, name: parse.bars(frame, name, interval_ns, until_ns)
        )
        start = int(np.searchsorted(bars.open_ns, first_close - interval_ns))
        at = (bars.open_ns[start:] + interval_ns - first_close) // interval_ns
        block[:4, m, at] = bars.values[:4, start:] / coins
        block[4, m, at] = bars.values[4, start:] * coins
    if np.isnan(block[4]).all():
        period = f"between {utc_text(since_ns)} and {utc_text(until_ns)}"
        there = _span(root, wanted, folder)
        raise ConfigError(f"{wanted.venue} has no bars of {', '.join(wanted.markets)} {period}, there are: {there}")
    block[:4, block[4] == 0] = np.nan  # nobody traded: what the file shows is a copy of the bar before
    columns = {name: block[i].T for i, name in enumerate(BAR_COLUMNS)}
    return Market(tuple(wanted.markets), interval_ns, time, columns)


def _span(root: Path, wanted: Wanted, folder: Path) -> str:
    """Say from when to when there are bars of any of the markets."""
    interval_ns = duration_ns(folder.name)
    files = [folder / f"{locate(base, wanted.venue)[0]}.parquet" for base in wanted.markets]
    found = [
        opened(root, path, lambda frame, name: parse.bars(frame, name, interval_ns, parse.FOREVER_NS)) for path in files
    ]
    first, last = min(int(b.open_ns[0]) for b in found), max(int(b.open_ns[-1]) for b in found) + interval_ns
    return f"{utc_text(first)} to {utc_text(last)}"


def _all_records(root: Path, wanted: Wanted, until_ns: int) -> list[Records]:
    return [r for source in wanted.funding for base in wanted.markets for r in _records(root, source, base, until_ns)]


def _records(root: Path, source: str, base: str, until_ns: int) -> list[Records]:
    """What one source has of one market: one Records, or none where there is no file."""
    path = root / "funding" / source / f"{locate(base, source)[0]}.parquet"
    if not path.is_file():
        return []
    found = opened(root, path, lambda frame, name: parse.settled(frame, name, until_ns))
    return [Records(base, source, found.at_ns, found.rate, found.interval_ns)]


def _check_folder(root: Path, folder: Path, problem: str) -> None:
    if not root.is_dir():
        raise ConfigError(f"{root} is not a folder of market data")
    if not folder.is_dir():
        there = sorted(path.name for path in folder.parent.iterdir()) if folder.parent.is_dir() else []
        raise ConfigError(f"{problem} in {root}, there are: {', '.join(there) or 'none'}")
