"""From when to when there is history."""

from pathlib import Path

import polars as pl

from podshop.feeds.parquet.read import Wanted
from podshop.nouns import ConfigError, duration_ns
from podshop.nouns.symbols import locate


def period(root: Path, wanted: Wanted) -> tuple[int, int]:
    """Close of the first bar and of the last one, of any of the markets, on the wanted interval; UTC ns.

    Raises ConfigError where there is none. Says nothing on what lies between: `read_market` does.
    """
    wanted_ns = duration_ns(wanted.interval)
    if not (root / "bars").is_dir():
        raise ConfigError(f"{root} is not a folder of market data: it has no folder bars/")
    found: list[tuple[int, int]] = []
    for folder in sorted((root / "bars" / wanted.venue).glob("*")):
        for base in wanted.markets:
            path = folder / f"{locate(base, wanted.venue)[0]}.parquet"
            if path.is_file() and wanted_ns % duration_ns(folder.name) == 0:
                try:
                    span = pl.read_parquet(path, columns=["timestamp"], glob=False)["timestamp"].cast(pl.Datetime("ns"))
                except pl.exceptions.PolarsError:
                    continue  # `read_market` says what is wrong with it
                if len(span):
                    open_ns = span.cast(pl.Int64)
                    found.append((int(open_ns[0]), int(open_ns[-1]) + duration_ns(folder.name)))
    if not found:
        markets = ", ".join(wanted.markets)
        raise ConfigError(f"no bars of {markets} in {root / 'bars' / wanted.venue} that make up {wanted.interval}")
    first, last = min(at for at, _ in found), max(at for _, at in found)
    return (first // wanted_ns + 1) * wanted_ns, last // wanted_ns * wanted_ns
