"""The rows of a record that speak of one market, looked up by book and time."""

from pathlib import Path
from typing import Any

import polars as pl

from podshop.nouns import DataError, utc_text

Row = dict[str, Any]
BEFORE = ("maker", "settlement")  # fills of a cycle that come before its decisions


class Written:
    """One market's rows, and those of all books; raises DataError where the files cannot be read.

    end_ns           time of the last NAV row: nothing is decided then
    last_verdict_ns  last decision at which the fund wanted to trade this market; None = never
    """

    def __init__(self, folder: Path, market: str) -> None:
        def read(table: str, *texts: str) -> pl.DataFrame:
            frame = pl.scan_parquet(folder / f"{table}.parquet")
            if "market" in texts:
                frame = frame.filter(pl.col("market").cast(pl.String) == market)
            named = [pl.col(name).cast(pl.String) for name in texts]
            return frame.with_columns(pl.col("time").to_physical(), *named).collect()

        try:
            self._fills = read("fills", "market", "book", "kind")
            self._wishes = read("wishes", "market", "book")
            self._verdicts = read("verdicts", "market", "book", "verdict", "code")
            self._books = read("books", "book")
            self._nav = read("nav")
        except (pl.exceptions.PolarsError, OSError) as e:
            raise DataError(f"{folder}: the record cannot be read: {e}") from e
        self.end_ns = int(self._nav["time"][-1])
        net = self._verdicts.filter(pl.col("book") == "NET")
        self.last_verdict_ns = int(net["time"][-1]) if len(net) else None

    def held(self, book: str, at_ns: int) -> int:
        """Lots that a book held when it decided: what rested, and settlements, come before that."""
        before = (pl.col("time") < at_ns) | ((pl.col("time") == at_ns) & pl.col("kind").is_in(BEFORE))
        return int(self._fills.filter((pl.col("book") == book) & before)["lots"].sum())

    def wish(self, book: str, at_ns: int) -> Row:
        """What a book wished to hold: lots, since (None = it never wished), mark_micro at which it was decided."""
        rows = self._wishes.filter((pl.col("book") == book) & (pl.col("time") <= at_ns))
        if not len(rows):
            return {"lots": 0, "since": None, "mark_micro": 0}
        last = rows.row(-1, named=True)
        return {"lots": last["wished_lots"], "since": utc_text(last["time"]), "mark_micro": last["mark_micro"]}

    def own_verdicts(self, book: str, at_ns: int) -> list[Row]:
        """Every verdict on a book at one decision; of book NET, the fund's."""
        return self._verdicts.filter((pl.col("book") == book) & (pl.col("time") == at_ns)).to_dicts()

    def capital(self, book: str, at_ns: int) -> int:
        """Capital in force, micro-dollars."""
        rows = self._books.filter((pl.col("book") == book) & (pl.col("time") <= at_ns))
        return int(rows["capital_micro"][-1])

    def nav(self, at_ns: int) -> int:
        """NAV row of a decision, micro-dollars."""
        return int(self._nav.filter(pl.col("time") == at_ns)["nav_micro"][0])

    def fills_at(self, at_ns: int, interval_ns: int) -> list[Row]:
        """What a decision came to: its fills, and those of what it laid to rest, which the next cycle settles."""
        at, cycle = pl.col("time") == at_ns, at_ns // interval_ns
        at_once = at & ~pl.col("kind").is_in(BEFORE)
        rested = (pl.col("cycle") == cycle + 1) & (pl.col("kind") == "maker")
        settled = at & (pl.col("kind") == "settlement")
        return [
            {
                "book": row["book"],
                "kind": row["kind"],
                "lots": row["lots"],
                "price": row["price"],
                "fee_usd": row["fee_micro"] / 1e6,
                "worth_usd": abs(row["lots"]) * row["price_micro"] / 1e6,
            }
            for row in self._fills.filter(at_once | rested | settled).iter_rows(named=True)
        ]
