"""One Parquet file written from a queue of rows, on a thread of its own, in bounded memory."""

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source

from podshop.journal.tables import Column
from podshop.nouns.errors import LedgerError

PIECES = 4  # waiting in the queue
FINISH, ABANDON = "finish", "abandon"
LEVEL = 1  # of zstd: 26 bytes a fill at 5 million fills a second; level 3 takes twice the time for 4 % less


class Sink:
    """Takes pieces of one table and streams them to the file."""

    def __init__(self, path: Path, columns: Sequence[Column], names: Mapping[str, Sequence[str]]) -> None:
        self._path = path
        self._types = {column.name: _type(column, names) for column in columns}
        self._queue: queue.Queue[dict[str, NDArray[Any]] | str] = queue.Queue(PIECES)
        self._error: BaseException | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=f"podshop-{path.name}", daemon=True)
        self._thread.start()

    def put(self, rows: dict[str, NDArray[Any]]) -> None:
        """Queue rows; waits while the queue is full."""
        self._queue.put(rows)

    def end(self, last: str) -> None:
        """No more rows: FINISH the file, or ABANDON it."""
        self._queue.put(last)

    def join(self) -> None:
        """Wait for the writer."""
        self._thread.join()

    def check(self) -> None:
        """Raise what went wrong in the writer, if anything did."""
        if self._error is not None:
            raise LedgerError(f"{self._path.name} could not be written: {self._error}") from self._error

    def _run(self) -> None:
        try:
            source = register_io_source(self._frames, schema=self._types)
            source.sink_parquet(self._path, compression="zstd", compression_level=LEVEL, statistics=False)
        except BaseException as error:  # noqa: BLE001  the caller meets it at the next call
            self._error = error
        while not self._ended:  # the writer failed: empty the queue, so that nobody waits for ever
            self._ended = not isinstance(self._queue.get(), dict)

    def _frames(
        self, columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch: int | None
    ) -> Iterator[pl.DataFrame]:
        """What polars pulls; a sink asks for every column and row."""
        while isinstance(piece := self._queue.get(), dict):
            yield pl.DataFrame([_series(name, piece[name], kind) for name, kind in self._types.items()])
        self._ended = True
        if piece is ABANDON:
            raise InterruptedError("the run ended before its record did")


def _type(column: Column, names: Mapping[str, Sequence[str]]) -> pl.DataType:
    kinds = {"whole": pl.Int64(), "real": pl.Float64(), "time": pl.Datetime("ns", "UTC")}
    return kinds[column.kind] if column.kind in kinds else pl.Enum(names[column.name])


def _series(name: str, values: NDArray[Any], kind: pl.DataType) -> pl.Series:
    series = pl.Series(name, values)
    if isinstance(kind, pl.Enum):
        narrow = pl.UInt8 if len(kind.categories) < 1 << 8 else pl.UInt16
        return series.cast(narrow).cat.to(kind)
    return series.cast(kind)
