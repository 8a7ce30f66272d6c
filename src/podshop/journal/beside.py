"""Tables that stand beside a record: shown to people, never hashed or audited."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podshop.journal.sink import ABANDON, FINISH, Sink
from podshop.journal.tables import BESIDE


class Beside:
    """Streams one table into a record's folder; the file has its name once it is whole. No folder: nothing.

    names  dictionary -> its names, for each name column of the table
    """

    def __init__(self, out: Path | None, table: str, names: Mapping[str, Sequence[str]]) -> None:
        self._columns = BESIDE[table]
        self._part = None if out is None else out / f"{table}.parquet.part"
        self._sink = None if self._part is None else Sink(self._part, self._columns, names)

    def write(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Append rows. Raises what went wrong in the background."""
        if self._sink is not None:
            self._sink.check()
            self._sink.put({c.name: np.ascontiguousarray(columns[c.name], c.dtype) for c in self._columns})

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the file and give it its name; where the run failed, leave it unfinished."""
        if self._sink is None or self._part is None:
            return
        self._sink.end(FINISH if error is None else ABANDON)
        self._sink.join()
        if error is None:
            self._sink.check()
            self._part.replace(self._part.with_suffix(""))
