"""Live market data: what a venue shows of bars and funding, and what lies in files, as the rows that a brain is fed.

One frozen snapshot a cycle. A bar that has not come is NaN, and so is one that shows what cannot be: no data, no
opinion. Bars that do not move though the market trades are for the gate to see (FROZEN_PRICE).
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from podshop.feeds.parquet.observations import observations
from podshop.market import Records, funding_per_hour, settlements
from podshop.nouns import BAR_COLUMNS, DAY_NS, HOUR_NS, DataError, Funding, Market, Panel, VenueError
from podshop.nouns.symbols import locate
from podshop.run.config.sections import Fund as FundFile
from podshop.venues import strict
from podshop.venues.hyperliquid.info import INTERVALS
from podshop.venues.wire import Wire

TAIL_NS = 4 * DAY_NS  # of bars and records: a day's source is chosen by the day before, hours are assumed 8 h later
MOST_BARS = 4_900  # of one question


class Bar(NamedTuple):
    """One bar of one market, per coin. Zero volume: its prices mean nothing."""

    closed_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Source(Protocol):
    """Public market data of one venue; no key."""

    name: str

    async def bars(self, market: str, interval_ns: int, since_ns: int, until_ns: int) -> Sequence[Bar]:
        """Bars that closed in (since, until]. Raises VenueError."""
        ...

    async def rates(self, market: str, since_ns: int) -> Sequence[tuple[int, float]]:
        """(time, rate) of settlements stamped from then on, oldest first. Raises VenueError."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


class Hyperliquid:
    """Hyperliquid's `info`, as its server and the loopback exchange speak it."""

    name = "hyperliquid_perp"

    def __init__(self, base_url: str, wire: Wire | None = None) -> None:
        self._wire = wire or Wire(base_url)

    async def bars(self, market: str, interval_ns: int, since_ns: int, until_ns: int) -> Sequence[Bar]:
        """`candleSnapshot`, page by page; the bar that has only begun is left out."""
        coin, coins = locate(market, self.name)
        interval = INTERVALS.get(interval_ns // 1_000_000_000)
        if interval is None or interval_ns % 1_000_000_000:
            raise VenueError(f"hyperliquid has no bars of {interval_ns} ns")
        found: dict[int, Bar] = {}
        from_ns = since_ns
        while from_ns < until_ns:
            to_ns = min(from_ns + MOST_BARS * interval_ns, until_ns)
            request = {"coin": coin, "interval": interval, "startTime": from_ns // 10**6, "endTime": to_ns // 10**6 - 1}
            answer = await self._ask({"type": "candleSnapshot", "req": request})
            for index, row in enumerate(strict.rows(answer, "candleSnapshot")):
                bar = _candle(row, f"candleSnapshot[{index}]", coin, coins, interval_ns)
                if since_ns < bar.closed_ns <= until_ns:
                    found[bar.closed_ns] = bar
            from_ns = to_ns
        return [found[at_ns] for at_ns in sorted(found)]

    async def rates(self, market: str, since_ns: int) -> Sequence[tuple[int, float]]:
        """`fundingHistory`, page by page."""
        coin, _ = locate(market, self.name)
        found: dict[int, float] = {}
        while True:
            answer = await self._ask({"type": "fundingHistory", "coin": coin, "startTime": since_ns // 10**6})
            rows = strict.rows(answer, "fundingHistory")
            for index, row in enumerate(rows):
                what = f"fundingHistory[{index}]"
                at_ns = strict.millis(strict.field(row, "time", what), what)
                found[at_ns] = float(strict.decimal(strict.field(row, "fundingRate", what), what))
            if len(rows) < 500 or max(found) < since_ns:
                return sorted(found.items())
            since_ns = max(found) + 10**6

    async def close(self) -> None:
        """Give back connections."""
        await self._wire.close()

    async def _ask(self, request: dict[str, Any]) -> Any:
        answer = await self._wire.ask("POST", "/info", json_body=request)
        if answer.status != 200:
            raise VenueError(f"hyperliquid: status {answer.status} to {request['type']}")
        return answer.json(str(request["type"]))


class Ccxt:
    """Public bars and funding of an exchange of the ccxt library; `exchange` is one of its asynchronous objects."""

    def __init__(self, name: str, exchange: Any, symbols: dict[str, str]) -> None:
        """name: whose funding it is; symbols: market -> the library's unified symbol."""
        self.name, self._exchange, self._symbols = name, exchange, symbols

    async def bars(self, market: str, interval_ns: int, since_ns: int, until_ns: int) -> Sequence[Bar]:
        """`fetch_ohlcv`, page by page."""
        interval = INTERVALS.get(interval_ns // 1_000_000_000, "")
        found: dict[int, Bar] = {}
        from_ms = since_ns // 10**6
        while from_ms * 10**6 < until_ns:
            try:
                rows = await self._exchange.fetch_ohlcv(self._symbols[market], interval, from_ms, 1000)
            except Exception as e:  # noqa: BLE001  the library raises a hundred kinds
                raise VenueError(f"{self.name}: no bars of {market}: {type(e).__name__}") from None
            if not rows:
                break
            for row in rows:
                bar = Bar(int(row[0]) * 10**6 + interval_ns, *(float(x) for x in row[1:6]))
                if since_ns < bar.closed_ns <= until_ns and _possible(bar):
                    found[bar.closed_ns] = bar
            if int(rows[-1][0]) < from_ms:
                break
            from_ms = int(rows[-1][0]) + interval_ns // 10**6
        return [found[at_ns] for at_ns in sorted(found)]

    async def rates(self, market: str, since_ns: int) -> Sequence[tuple[int, float]]:
        """`fetch_funding_rate_history`."""
        try:
            rows = await self._exchange.fetch_funding_rate_history(self._symbols[market], since_ns // 10**6, 500)
        except Exception as e:  # noqa: BLE001  as above
            raise VenueError(f"{self.name}: no funding of {market}: {type(e).__name__}") from None
        return sorted((int(row["timestamp"]) * 10**6, float(row["fundingRate"])) for row in rows)

    async def close(self) -> None:
        """Give back connections."""
        await self._exchange.close()


class Feed:
    """Makes the rows that a brain is fed, from a source and from files.

    files  folder of history, where observations beside bars are looked for; None = there are none
    """

    def __init__(self, file: FundFile, source: Source, interval_ns: int, files: Path | None) -> None:
        self._file, self._source, self._interval_ns, self._files = file, source, interval_ns, files
        self._reads = {name for seat in file.signals for name in seat.agent.reads}
        self._tail: dict[int, list[Bar | None]] = {}
        self._rates: list[dict[int, float]] = [{} for _ in file.market.markets]
        self._sources = file.market.funding or (source.name,)

    async def rows(self, after_ns: int, until_ns: int) -> tuple[Market, Funding, tuple[str, ...]]:
        """Bars that closed in (after, until] and what was settled in that time; and markets that did not answer."""
        names = self._file.market.markets
        from_ns = min(max(self._tail, default=0), after_ns)
        from_ns = max(from_ns, min(after_ns, until_ns - TAIL_NS)) if self._tail else min(after_ns, until_ns - TAIL_NS)
        got = await asyncio.gather(*(self._of(m, name, from_ns, until_ns) for m, name in enumerate(names)))
        silent = tuple(name for name, bars in zip(names, got, strict=True) if bars is None)
        grid = np.arange(from_ns // self._interval_ns + 1, until_ns // self._interval_ns + 1) * self._interval_ns
        for at_ns in grid.tolist():
            self._tail[at_ns] = [None if bars is None else bars.get(at_ns) for bars in got]
        self._tail = {at: bars for at, bars in self._tail.items() if at > min(after_ns, until_ns - TAIL_NS)}
        tail = self._market()
        records = [self._records(m, name) for m, name in enumerate(names)]
        funding = settlements(tail, records, self._sources, self._file.market.assumed_funding_bps_8h)
        columns = dict(tail.columns) | {"funding_per_hour": funding_per_hour(tail, records, self._sources)}
        rows = slice(int(np.searchsorted(tail.time, after_ns, side="right")), len(tail))
        market = Market(names, self._interval_ns, tail.time, columns)[rows]
        market = Market(names, self._interval_ns, market.time, {**market.columns, **self._beside(market)})
        return market, _after(funding, after_ns), silent

    async def _of(self, m: int, name: str, from_ns: int, until_ns: int) -> dict[int, Bar] | None:
        """Bars of one market, and its funding put aside; None where the venue has no answer."""
        try:
            known = self._rates[m]
            self._rates[m] |= dict(await self._source.rates(name, max(known, default=until_ns - TAIL_NS)))
            bars = await self._source.bars(name, self._interval_ns, from_ns, until_ns)
        except VenueError:
            return None
        self._rates[m] = {at: rate for at, rate in self._rates[m].items() if at > until_ns - 2 * TAIL_NS}
        return {bar.closed_ns: bar for bar in bars}

    def _market(self) -> Market:
        """The tail as columns; a bar without trading has no prices."""
        times = sorted(self._tail)
        names = self._file.market.markets
        block: Panel = np.full((len(BAR_COLUMNS), len(names), len(times)), np.nan)
        for t, at_ns in enumerate(times):
            for m, bar in enumerate(self._tail[at_ns]):
                if bar is not None:
                    block[:, m, t] = bar[1:] if bar.volume > 0 else (np.nan, np.nan, np.nan, np.nan, bar.volume)
        columns = {name: block[i].T for i, name in enumerate(BAR_COLUMNS)}
        return Market(names, self._interval_ns, np.array(times, np.int64), columns)

    def _records(self, m: int, name: str) -> Records:
        """What was settled of one market; what the first covers is not known, so it is left out."""
        at = np.array(sorted(self._rates[m]), np.int64)
        rate = np.array([self._rates[m][int(at_ns)] for at_ns in at])
        length = np.diff(at, prepend=at[:1] - HOUR_NS if len(at) else at)
        return Records(name, self._sources[0], at[1:], rate[1:], length[1:])

    def _beside(self, market: Market) -> dict[str, Panel]:
        """Observations from files as they stand now; without files everybody's are unknown."""
        wanted = self._reads - set(market.columns)
        if self._files is not None:
            return observations(self._files, market, wanted)
        unknown = np.full((len(market.names), len(market)), np.nan).T
        return {name: unknown for name in sorted(wanted)}  # noqa: C420  one array is enough: nobody writes it


def _candle(row: Any, what: str, coin: str, coins: int, interval_ns: int) -> Bar:
    """One row of `candleSnapshot`, per coin; the division is exact before it is rounded once."""
    opened = strict.millis(strict.field(row, "t", what), what)
    if strict.field(row, "s", what) != coin or strict.field(row, "i", what) != INTERVALS[interval_ns // 10**9]:
        raise VenueError(f"{what}: not a bar of {coin}")
    first, high, low, last = (
        float(strict.positive(strict.field(row, name, what), what) / Decimal(coins)) for name in "ohlc"
    )
    volume = float(strict.decimal(strict.field(row, "v", what), what) * coins)
    bar = Bar(opened + interval_ns, first, high, low, last, volume)
    if not _possible(bar):
        raise VenueError(f"{what}: low, open, high, close and volume are impossible")
    return bar


def _possible(bar: Bar) -> bool:
    return 0 < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high and bar.volume >= 0


def _after(funding: Funding, after_ns: int) -> Funding:
    """What was settled later than this."""
    keep = funding.at_ns > after_ns
    return Funding(
        funding.at_ns[keep], funding.market[keep], funding.rate[keep], funding.source[keep], funding.sources,
        funding.assumed_share,
    )  # fmt: skip


def joined(history: tuple[Market, Funding], more: tuple[Market, Funding]) -> tuple[Market, Funding]:
    """History and the rows that follow it; columns that one of them lacks are unknown there."""
    (a, paid_a), (b, paid_b) = history, more
    if len(b) == 0:
        return history
    if int(b.time[0]) != int(a.time[-1]) + a.interval_ns or a.names != b.names:
        raise DataError("the rows do not follow the history")

    def column(name: str) -> Panel:
        parts = [
            market.columns[name].T if name in market.columns else np.full((len(market.names), len(market)), np.nan)
            for market in (a, b)
        ]
        return np.concatenate(parts, axis=1).T

    names = [*a.columns, *(name for name in b.columns if name not in a.columns)]
    late = paid_b.at_ns > int(a.time[-1])
    paid = Funding(
        np.concatenate([paid_a.at_ns, paid_b.at_ns[late]]), np.concatenate([paid_a.market, paid_b.market[late]]),
        np.concatenate([paid_a.rate, paid_b.rate[late]]), np.concatenate([paid_a.source, paid_b.source[late]]),
        paid_a.sources, paid_a.assumed_share,
    )  # fmt: skip
    time = np.concatenate([a.time, b.time])
    return Market(a.names, a.interval_ns, time, {name: column(name) for name in names}), paid
