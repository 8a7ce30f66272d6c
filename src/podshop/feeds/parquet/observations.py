"""Observation columns from files, each joined as of the time at which its values could be known.

| column        | file                             | a value counts from            | until        |
|---------------|----------------------------------|--------------------------------|--------------|
| onchain_NAME  | onchain/MARKET, column NAME      | `available_at` + 6 h           | 2 days later |
| open_interest | open_interest/MARKET, `oi_close` | `available_at`                 | 2 days later |
| fear_greed    | sentiment/fear_greed_daily       | `timestamp` + 1 h              | 2 days later |
| news_count    | sentiment/news_headlines         | `timestamp`, in its bar        | the bar ends |
| news_tone     | the same, by our lexicon         | `timestamp`, in its bar        | the bar ends |
| spot_close    | bars/binance_spot                | the close of its own bar       | that instant |
| llm_score     | sentiment/llm_scores, `score`    | `available_at`, or `timestamp` | a day later  |

The on-chain provider's own stamp is the end of the day the value is about, the earliest that it can be true; it
publishes some hours later, and the fear and greed index comes at about midnight. What cannot be had at 00:00 does not
count then.
A file or column that is not there is NaN all through: no data, no opinion.
"""

from collections.abc import Callable, Collection
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from podshop.feeds.parquet import parse
from podshop.feeds.parquet.files import folders, opened
from podshop.market import as_of, headlines
from podshop.nouns import BAR_COLUMNS, DAY_NS, HOUR_NS, NEWS_COUNT, NEWS_TONE, ConfigError, Market, Panel, duration_ns
from podshop.nouns.symbols import locate

ONCHAIN = "onchain_"
ONCHAIN_PUBLISHED_AFTER_NS = 6 * HOUR_NS
FEAR_GREED_PUBLISHED_AFTER_NS = HOUR_NS
DAILY_FRESH_NS = 2 * DAY_NS  # one day may fail to come
SCORE_FRESH_NS = DAY_NS
SPOT_VENUE = "binance_spot"  # quoted in USDT, as the perpetuals are


def observations(root: Path, market: Market, wanted: Collection[str]) -> dict[str, Panel]:
    """Read the columns that somebody wants, (T, M) each, on the market's grid of closes.

    wanted  names of columns; those of bars and of funding are somebody else's and passed over
    Raises ConfigError for a name that nobody provides, DataError for a file that cannot be true.
    """
    columns: dict[str, Panel] = {}
    for name in sorted(set(wanted) - {*BAR_COLUMNS, "funding_per_hour"}):
        if name.startswith(ONCHAIN):
            columns[name] = _onchain(root, market, name.removeprefix(ONCHAIN))
        elif name not in _READERS:
            near = get_close_matches(name, [*_READERS, *BAR_COLUMNS, "funding_per_hour"], n=1)
            raise ConfigError(f"nobody provides a column {name!r}{f', did you mean {near[0]!r}?' if near else ''}")
        elif name not in columns:
            columns |= _READERS[name](root, market)
    return columns


def _each(market: Market, read: Callable[[str], Panel]) -> Panel:
    """One series per market, side by side with time contiguous."""
    return np.array([read(base) for base in market.names]).reshape(len(market.names), len(market)).T


def _nothing(market: Market) -> Panel:
    return np.full(len(market), np.nan)


def _until_ns(market: Market) -> int:
    return int(market.time[-1]) if len(market) else 0


def _dated(root: Path, path: Path, market: Market, column: str, known: str, later_ns: int, fresh_ns: int) -> Panel:
    """One column of one file of dated values, as of each close."""
    if not path.is_file():
        return _nothing(market)
    found = opened(root, path, lambda frame, name: parse.dated(frame, name, column, known, later_ns, _until_ns(market)))
    return as_of(market.time, found.known_ns, found.value, fresh_ns)


def _onchain(root: Path, market: Market, metric: str) -> Panel:
    def read(base: str) -> Panel:
        path = root / "onchain" / f"{base}.parquet"
        return _dated(root, path, market, metric, "available_at", ONCHAIN_PUBLISHED_AFTER_NS, DAILY_FRESH_NS)

    return _each(market, read)


def _open_interest(root: Path, market: Market) -> dict[str, Panel]:
    def read(base: str) -> Panel:
        path = root / "open_interest" / f"{base}.parquet"
        return _dated(root, path, market, "oi_close", "available_at", 0, DAILY_FRESH_NS)

    return {"open_interest": _each(market, read)}


def _fear_greed(root: Path, market: Market) -> dict[str, Panel]:
    """One index for the whole market: every coin has it."""
    path = root / "sentiment" / "fear_greed_daily.parquet"
    index = _dated(root, path, market, "fear_greed", "timestamp", FEAR_GREED_PUBLISHED_AFTER_NS, DAILY_FRESH_NS)
    return {"fear_greed": _each(market, lambda _: index)}


def _spot(root: Path, market: Market) -> dict[str, Panel]:
    """The coin's own price at the very instant of the close: a premium over an older price is no premium."""
    by_length = sorted((duration_ns(path.name), path) for path in folders(root / "bars" / SPOT_VENUE))

    def read(base: str) -> Panel:
        stem, coins = locate(base, SPOT_VENUE)
        for interval_ns, folder in by_length:
            path = folder / f"{stem}.parquet"
            if path.is_file():
                found = opened(root, path, partial(parse.bars, interval_ns=interval_ns, until_ns=_until_ns(market)))
                close = np.where(found.values[4] > 0, found.values[3] / coins, np.nan)
                return as_of(market.time, found.open_ns + interval_ns, close, fresh_ns=0)
        return _nothing(market)

    return {"spot_close": _each(market, read)}


def _news(root: Path, market: Market) -> dict[str, Panel]:
    from podshop.feeds.sentiment import tone  # a second of reading words, for those who ask

    path = root / "sentiment" / "news_headlines.parquet"
    if not path.is_file():
        return {
            NEWS_COUNT: _each(market, lambda _: _nothing(market)),
            NEWS_TONE: _each(market, lambda _: _nothing(market)),
        }
    found = opened(root, path, lambda frame, name: parse.headlines(frame, name, _until_ns(market)))
    first_ns = int(market.time[0]) - market.interval_ns if len(market) else 0
    sound = {
        i: tone(found.title[i])
        for i in range(len(found.title))
        if found.at_ns[i] > first_ns and found.assets[i] & set(market.names)
    }
    panels = []
    for base in market.names:
        mine = np.array([i for i in sound if base in found.assets[i]], dtype=np.int64)
        heard = np.array([sound[int(i)] for i in mine], dtype=np.float64)
        panels.append(headlines(market.time, market.interval_ns, found.at_ns[mine], heard, found.at_ns))
    count, average = (np.array([pair[i] for pair in panels]).reshape(len(panels), len(market)).T for i in (0, 1))
    return {NEWS_COUNT: count, NEWS_TONE: average}


def _scores(root: Path, market: Market) -> dict[str, Panel]:
    path = root / "sentiment" / "llm_scores.parquet"
    if not path.is_file():
        return {"llm_score": _each(market, lambda _: _nothing(market))}

    def read(base: str) -> Panel:
        def part(frame: pl.DataFrame, name: str) -> parse.Dated:
            known = "available_at" if "available_at" in frame.columns else "timestamp"
            return parse.dated(parse.of_asset(frame, name, base), name, "score", known, 0, _until_ns(market))

        found = opened(root, path, part)
        return as_of(market.time, found.known_ns, found.value, SCORE_FRESH_NS)

    return {"llm_score": _each(market, read)}


_READERS: dict[str, Callable[[Path, Market], dict[str, Panel]]] = {
    "open_interest": _open_interest,
    "fear_greed": _fear_greed,
    "spot_close": _spot,
    NEWS_COUNT: _news,
    NEWS_TONE: _news,
    "llm_score": _scores,
}
