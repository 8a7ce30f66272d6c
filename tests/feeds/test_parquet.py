"""History from files: checked row by row, laid on one grid, blind to what comes later."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from podshop.feeds.parquet import parse, read_market
from podshop.nouns import BAR_COLUMNS, DAY_NS, HOUR_NS, MINUTE_NS, ConfigError, DataError, Funding, Market, utc_ns
from podshop.nouns.symbols import BASES


def day_ns(year: int, month: int, day: int) -> int:
    return utc_ns(datetime(year, month, day, tzinfo=UTC))


SINCE_NS = day_ns(2022, 1, 1)
PLACE = "bars/okx_perp/1h/BTCUSDT.parquet"


@dataclass(frozen=True)
class Asked:
    venue: str = "okx_perp"
    interval: str = "1h"
    markets: tuple[str, ...] = ("BTC",)
    funding: tuple[str, ...] = ()
    assumed_funding_bps_8h: float = 1.0


def stamps(at_ns: np.ndarray) -> pl.Series:
    return pl.Series("timestamp", at_ns // 1_000_000).cast(pl.Datetime("ms", "UTC"))


def bars(rows: int = 48, interval_ns: int = HOUR_NS, since_ns: int = SINCE_NS) -> pl.DataFrame:
    """Bars that differ from row to row: close 100 + row."""
    close = 100.0 + np.arange(rows)
    values = {"open": close - 0.5, "high": close + 1, "low": close - 1, "close": close, "volume": close * 2}
    return pl.DataFrame(
        [stamps(since_ns + np.arange(rows) * interval_ns), *(pl.Series(k, v) for k, v in values.items())]
    )


def settled(rows: int = 6, rate: float = 1e-4) -> pl.DataFrame:
    at = stamps(SINCE_NS + np.arange(1, rows + 1) * 8 * HOUR_NS)
    return pl.DataFrame(
        [at, pl.Series("funding_rate", np.full(rows, rate)), pl.Series("interval_hours", np.full(rows, 8.0))]
    )


def write(root: Path, place: str, frame: pl.DataFrame) -> None:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)


def changed(frame: pl.DataFrame, row: int, **values: float | None) -> pl.DataFrame:
    """The same frame with some values of one row replaced."""
    at = pl.int_range(pl.len()) == row
    return frame.with_columns(pl.when(at).then(pl.lit(v)).otherwise(pl.col(k)).alias(k) for k, v in values.items())


def read(root: Path, hours: int = 48, asked: Asked = Asked()) -> tuple[Market, Funding]:
    market, funding, _ = read_market(root, asked, SINCE_NS, SINCE_NS + hours * HOUR_NS)
    return market, funding


def test_a_bar_is_known_at_its_close(tmp_path):
    write(tmp_path, PLACE, bars())
    market, _ = read(tmp_path)
    assert market.time.tolist() == [SINCE_NS + h * HOUR_NS for h in range(1, 49)]
    assert market.columns["close"][:, 0].tolist() == [100.0 + h for h in range(48)]
    assert all(panel.T.flags.c_contiguous for panel in market.columns.values())


BAD_ROWS = [
    ({"high": 1.0, "low": 2.0}, "high 1.0 is below low 2.0"),
    ({"close": 1e9}, "close 1000000000.0 is outside low 116.0 to high 118.0"),
    ({"close": -3.0}, "close -3.0 is not a number > 0"),
    ({"open": 0.0}, "open 0.0 is not a number > 0"),
    ({"low": float("nan")}, "low nan is not a number > 0"),
    ({"high": float("inf")}, "high inf is not a number > 0"),
    ({"close": None}, "close nan is not a number > 0"),
    ({"volume": -1.0}, "volume -1.0 is not a number >= 0"),
]


@pytest.mark.parametrize(("values", "rule"), BAD_ROWS, ids=[rule for _, rule in BAD_ROWS])
def test_a_bad_row_is_named_with_file_row_and_rule(tmp_path, values, rule):
    write(tmp_path, PLACE, changed(bars(), 17, **values))
    with pytest.raises(DataError) as refused:
        read(tmp_path)
    assert str(refused.value) == f"{PLACE} row 17 (2022-01-01T17:00:00Z): {rule}"


def test_without_the_checks_a_bad_row_would_pass(tmp_path, monkeypatch):
    """The mutant: it is the check that stops the rows above, nothing else."""
    monkeypatch.setattr(parse, "_refuse", lambda *_: None)
    for values, _ in BAD_ROWS:
        write(tmp_path, PLACE, changed(bars(), 17, **values))
        read(tmp_path)


def moved(row: int, by_ns: int) -> pl.DataFrame:
    at = SINCE_NS + np.arange(48) * HOUR_NS
    at[row] += by_ns
    return bars().with_columns(stamps(at))


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (moved(17, -HOUR_NS), " row 17 (2022-01-01T16:00:00Z): time is there twice"),
        (
            moved(17, -3 * HOUR_NS),
            " row 17 (2022-01-01T14:00:00Z): time is before that of the row above, 2022-01-01T16:00:00Z",
        ),
        (moved(17, 5 * MINUTE_NS), " row 17 (2022-01-01T17:05:00Z): time is off the grid of 1h"),
        (bars().drop("low"), " has no column 'low', found timestamp, open, high, close, volume"),
        (bars().drop("timestamp"), " has no column 'timestamp', found open, high, low, close, volume"),
        (bars().cast({"close": pl.String}), " column 'close' is String, expected Float64"),
        (bars().cast({"volume": pl.Boolean}), " column 'volume' is Boolean, expected Float64"),
        (bars().cast({"timestamp": pl.Int64}), " column 'timestamp' is Int64, expected a Datetime in UTC"),
        (
            bars().cast({"timestamp": pl.Datetime("ms")}),
            " column 'timestamp' is Datetime(time_unit='ms', time_zone=None), expected a Datetime in UTC",
        ),
        (bars(0), " has no rows"),
        (changed(bars(), 3, timestamp=None), " row 3: time is missing"),
    ],
)
def test_a_bad_file_is_named_with_the_rule(tmp_path, frame, says):
    write(tmp_path, PLACE, frame)
    with pytest.raises(DataError) as refused:
        read(tmp_path)
    assert str(refused.value) == PLACE + says


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b"no parquet at all", lambda b: b[:-50], lambda b: b[:20]])
def test_an_unreadable_file_is_one_line(tmp_path, damage):
    write(tmp_path, PLACE, bars())
    (tmp_path / PLACE).write_bytes(damage((tmp_path / PLACE).read_bytes()))
    with pytest.raises(DataError, match=f"^{PLACE} cannot be read as Parquet: ") as refused:
        read(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_any_unit_of_time_and_whole_numbers_are_read(tmp_path, unit):
    write(tmp_path, PLACE, bars().cast({"timestamp": pl.Datetime(unit, "UTC"), "volume": pl.Int64}))
    market, _ = read(tmp_path)
    assert market.columns["volume"][:2, 0].tolist() == [200.0, 202.0]


def test_a_bad_settlement_is_named(tmp_path):
    write(tmp_path, PLACE, bars())
    asked = Asked(funding=("binance_perp",))
    place = "funding/binance_perp/BTCUSDT.parquet"
    for values, rule in [
        ({"funding_rate": float("nan")}, "funding_rate nan is not a number"),
        ({"interval_hours": 0.0}, "interval_hours 0.0 is not a number > 0"),
    ]:
        write(tmp_path, place, changed(settled(), 2, **values))
        with pytest.raises(DataError) as refused:
            read(tmp_path, asked=asked)
        assert str(refused.value) == f"{place} row 2 (2022-01-02T00:00:00Z): {rule}"


def test_a_source_that_has_recorded_nothing_yet_leaves_all_to_the_assumption(tmp_path):
    write(tmp_path, PLACE, bars())
    write(tmp_path, "funding/binance_perp/BTCUSDT.parquet", settled(0))
    _, funding = read(tmp_path, asked=Asked(funding=("binance_perp",)))
    assert funding.assumed_share == {"BTC": 1.0}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Asked(venue="binance_perp"), "no bars of venue 'binance_perp' in .*, there are: okx_perp"),
        (Asked(interval="5m"), "okx_perp has no bars of 5m or that make it up, there are: 1h"),
        (
            Asked(markets=("BTC", "ETH")),
            "no bars of 1h for ETH: okx_perp/1h/ETHUSDT.parquet is not in .*, there are: BTCUSDT",
        ),
        (Asked(markets=("BTD",)), "'BTD' is not a market in the symbol table, did you mean"),
        (Asked(funding=("bybit_perp",)), "no funding of 'bybit_perp' in .*, there are: none"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(tmp_path, asked, says):
    write(tmp_path, PLACE, bars())
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, asked=asked)


def test_no_folder_and_an_empty_period_are_said(tmp_path):
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path / 'none'} is not a folder of market data")):
        read(tmp_path / "none")
    write(tmp_path, PLACE, bars())
    with pytest.raises(ConfigError, match="there are: 2022-01-01T00:00:00Z to 2022-01-03T00:00:00Z"):
        read_market(tmp_path, Asked(), SINCE_NS + 9 * DAY_NS, SINCE_NS + 10 * DAY_NS)


def test_gaps_stay_unknown_and_silent_bars_have_no_price(tmp_path):
    frame = changed(bars(), 30, volume=0.0)
    write(tmp_path, PLACE, pl.concat([frame[:10], frame[12:]]))
    market, _, report = read_market(tmp_path, Asked(), SINCE_NS, SINCE_NS + 60 * HOUR_NS)
    close, volume = market.columns["close"][:, 0], market.columns["volume"][:, 0]
    assert np.flatnonzero(np.isnan(close)).tolist() == [10, 11, 30, *range(48, 60)]
    assert np.flatnonzero(np.isnan(volume)).tolist() == [10, 11, *range(48, 60)]
    assert volume[30] == 0.0
    (told,) = report.markets
    assert (told.bars, told.missing_bars, told.zero_volume_bars, len(told.gaps)) == (46, 2, 1, 1)
    assert (told.first_ns, told.last_ns) == (SINCE_NS, SINCE_NS + 48 * HOUR_NS)
    assert told.gaps[0].start_ns == SINCE_NS + 10 * HOUR_NS


def test_longer_bars_are_made_of_the_longest_that_every_market_has(tmp_path):
    write(tmp_path, PLACE, bars())
    write(tmp_path, "bars/okx_perp/2h/BTCUSDT.parquet", bars(24, 2 * HOUR_NS))
    write(tmp_path, "bars/okx_perp/1h/ETHUSDT.parquet", bars())
    alone, _ = read(tmp_path, asked=Asked(interval="4h"))
    assert alone.columns["close"][:2, 0].tolist() == [101.0, 103.0]  # of two bars of 2h
    both, _ = read(tmp_path, asked=Asked(interval="4h", markets=("BTC", "ETH")))
    assert both.columns["close"][:2, 0].tolist() == [103.0, 107.0]  # of four bars of 1h
    assert both.interval_ns == 4 * HOUR_NS


def test_a_period_inside_a_long_bar_reads_all_of_that_bar_and_no_unfinished_one(tmp_path):
    write(tmp_path, PLACE, bars())
    market, funding, _ = read_market(tmp_path, Asked(interval="4h"), SINCE_NS + 9 * HOUR_NS, SINCE_NS + 23 * HOUR_NS)
    assert market.time.tolist() == [SINCE_NS + h * HOUR_NS for h in (12, 16, 20)]
    assert market.columns["open"][0, 0] == 107.5  # of the hour from 08:00
    assert funding.at_ns.max() <= market.time[-1]


def test_prices_and_volumes_are_of_one_coin(shared_data):
    asked = Asked(markets=("PEPE",), interval="4h", funding=("binance_perp", "hyperliquid_perp"))
    period = day_ns(2024, 2, 1), day_ns(2024, 3, 1)
    seen = {
        venue: read_market(shared_data, Asked(venue, asked.interval, asked.markets, asked.funding), *period)[0]
        for venue in ("okx_perp", "binance_perp", "hyperliquid_perp")
    }
    okx = seen["okx_perp"].columns["close"]
    for venue in ("binance_perp", "hyperliquid_perp"):
        assert np.nanmax(np.abs(seen[venue].columns["close"] / okx - 1)) < 0.02
    turnover = {venue: np.nansum(m.columns["close"] * m.columns["volume"]) for venue, m in seen.items()}
    assert turnover["binance_perp"] > 1e9 > 1e7 < turnover["hyperliquid_perp"] < turnover["binance_perp"]


def test_bars_of_one_venue_meet_the_funding_of_two_others(shared_data):
    """Promised by the design: BTC ETH XRP LTC ADA complete, OP and TIA without any record, 34 % of all hours."""
    names = tuple(sorted(path.stem.removesuffix("USDT") for path in (shared_data / "bars/okx_perp/1h").glob("*")))
    assert len(names) == 16
    asked = Asked(markets=names, funding=("binance_perp", "hyperliquid_perp"))
    _, funding, report = read_market(shared_data, asked, SINCE_NS, day_ns(2024, 7, 1))
    assert {name for name, share in funding.assumed_share.items() if share == 1.0} == {"OP", "TIA"}
    assert all(funding.assumed_share[name] == 0.0 for name in ("BTC", "ETH", "XRP", "LTC", "ADA"))
    hours = {told.name: told.bars for told in report.markets}
    bare = sum(funding.assumed_share[name] * hours[name] for name in names)
    assert bare / sum(hours.values()) == pytest.approx(0.34, abs=0.005)


def test_the_real_binance_settlements_come_through_untouched(shared_data):
    until_ns = day_ns(2024, 7, 1)
    _, funding, _ = read_market(shared_data, Asked(funding=("binance_perp",)), SINCE_NS, until_ns)
    file = pl.read_parquet(shared_data / "funding/binance_perp/BTCUSDT.parquet")
    at_ns = file["timestamp"].dt.epoch("ns").to_numpy()
    inside = (at_ns > SINCE_NS) & (at_ns <= until_ns)
    np.testing.assert_array_equal(funding.at_ns, at_ns[inside])
    np.testing.assert_array_equal(funding.rate, file["funding_rate"].to_numpy()[inside])


def copy_cut(source: Path, target: Path, last_ns: int, asked: Asked, noise: bool) -> None:
    """Copy the files that `asked` needs; from `last_ns` on replaced by noise, or absent."""
    rng = np.random.default_rng(7)
    folders = [f"bars/{asked.venue}/{asked.interval}", *(f"funding/{name}" for name in asked.funding)]
    for folder in folders:
        (target / folder).mkdir(parents=True)
        for path in (source / folder).glob("*.parquet"):
            frame = pl.read_parquet(path)
            late = pl.Series(frame["timestamp"].dt.epoch("ns").to_numpy() >= last_ns)
            if noise:
                factor = pl.Series(rng.uniform(0.1, 9.0, len(frame)))
                values = [c for c in frame.columns if c not in ("timestamp", "interval_hours")]
                frame = frame.with_columns(pl.when(late).then(pl.col(c) * factor).otherwise(pl.col(c)) for c in values)
            else:
                frame = frame.filter(~late)
            frame.write_parquet(target / folder / path.name)


def past(market: Market, funding: Funding, at_ns: int) -> dict[str, bytes]:
    """Everything said about the time before a day, as bytes."""
    rows, paid = market.time <= at_ns, funding.at_ns < at_ns
    said = {name: panel[rows].tobytes() for name, panel in market.columns.items() if name in BAR_COLUMNS}
    before = market.time < at_ns
    said["funding_per_hour"] = market.columns["funding_per_hour"][before].tobytes()
    for name in ("at_ns", "market", "rate", "source"):
        said[name] = getattr(funding, name)[paid].tobytes()
    return said


@pytest.mark.parametrize("day", [(2023, 5, 12), (2023, 6, 8), (2024, 2, 15), (2024, 5, 14)], ids=str)
@pytest.mark.parametrize("noise", [True, False], ids=["noise", "absent"])
def test_the_past_is_the_same_whatever_the_future_holds(shared_data, tmp_path, day, noise):
    """Days on which a source of funding begins, changes its rhythm or stops."""
    at_ns = day_ns(*day)
    asked = Asked(markets=("BTC", "DOGE", "SOL", "SUI", "OP"), funding=("hyperliquid_perp", "binance_perp"))
    copy_cut(shared_data, tmp_path, at_ns, asked, noise)
    period = at_ns - 20 * DAY_NS, at_ns + 3 * DAY_NS
    whole = past(*read_market(shared_data, asked, *period)[:2], at_ns)
    assert past(*read_market(tmp_path, asked, *period)[:2], at_ns) == whole
    assert past(*read_market(shared_data, asked, period[0], at_ns)[:2], at_ns) == whole


def test_a_bad_row_after_the_period_stops_nobody(tmp_path):
    write(tmp_path, PLACE, changed(bars(), 40, close=-1.0))
    read(tmp_path, hours=40)
    with pytest.raises(DataError, match="row 40 "):
        read(tmp_path, hours=41)


def test_a_year_of_thirty_markets_is_read_in_well_under_a_second(tmp_path):
    names = BASES[:30]
    frame = bars(105_120, 5 * MINUTE_NS)
    for name in names:
        write(tmp_path, f"bars/okx_perp/5m/{name}USDT.parquet", frame)
    asked = Asked(interval="5m", markets=names)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        market, _, _ = read_market(tmp_path, asked, SINCE_NS, SINCE_NS + 365 * DAY_NS)
        took.append(time.perf_counter() - began)
    assert market.columns["close"].shape == (105_120, 30)
    assert min(took) < 2.0  # measured 0.5 s; the rest is for a busy machine
