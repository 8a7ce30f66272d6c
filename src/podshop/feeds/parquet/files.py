"""Open files so that every complaint names them as seen from the data folder."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import polars as pl

from podshop.nouns import DataError, PodshopError, duration_ns

Parsed = TypeVar("Parsed")


def opened(root: Path, path: Path, parsed: Callable[[pl.DataFrame, str], Parsed]) -> Parsed:
    """Open a Parquet file and parse it, naming it in every complaint as seen from the data folder."""
    name = path.relative_to(root).as_posix()
    try:
        frame = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as e:
        reason = (str(e).splitlines() or [type(e).__name__])[0]
        raise DataError(f"{name} cannot be read as Parquet: {reason}") from e
    return parsed(frame, name)


def folders(venue: Path) -> list[Path]:
    """The folders of a venue that are named after a length of bar."""
    return [path for path in venue.iterdir() if path.is_dir() and length_ns(path)] if venue.is_dir() else []


def length_ns(path: Path) -> int:
    """The length of bar a folder is named after, 0 if it is named after something else."""
    try:
        return duration_ns(path.name)
    except PodshopError:
        return 0
