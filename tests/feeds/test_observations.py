"""Observations beside bars: joined as of when they could be known, and only for those who read them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from podshop.feeds.parquet import observations as module
from podshop.feeds.parquet import read_market
from podshop.feeds.sentiment import tone
from podshop.feeds.sentiment.lexicon import SCORES
from podshop.market import resample
from podshop.nouns import DAY_NS, HOUR_NS, ConfigError, DataError, Market, utc_ns
from podshop.signals.roster import ROSTER

SINCE_NS = utc_ns(datetime(2022, 1, 1))  # noqa: DTZ001  a time without a zone is UTC
COLUMNS = tuple(sorted({name for agent in ROSTER.values() for name in agent.reads} | {"open_interest"}))


@dataclass(frozen=True)
class Asked:
    venue: str = "okx_perp"
    interval: str = "1h"
    markets: tuple[str, ...] = ("BTC", "ETH", "SOL")
    funding: tuple[str, ...] = ()
    assumed_funding_bps_8h: float = 1.0


def stamps(at_ns: np.ndarray) -> pl.Series:
    return pl.Series("timestamp", at_ns // 1_000_000).cast(pl.Datetime("ms", "UTC"))


def days(count: int, **columns: np.ndarray) -> pl.DataFrame:
    """Dated values of days from 2022-01-01, each known when its day is over."""
    at = SINCE_NS + np.arange(count) * DAY_NS
    known = stamps(at + DAY_NS).alias("available_at")
    return pl.DataFrame([stamps(at), known, *(pl.Series(name, values) for name, values in columns.items())])


def write(root: Path, place: str, frame: pl.DataFrame) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(root / place)


def grid(hours: int, names: tuple[str, ...] = ("BTC", "ETH"), every_ns: int = HOUR_NS) -> Market:
    """A market with times and no columns at all."""
    return Market(names, every_ns, SINCE_NS + np.arange(1, hours + 1) * every_ns, {})


def series(root: Path, column: str, hours: int = 96) -> np.ndarray:
    return module.observations(root, grid(hours), (column,))[column][:, 0]


def test_a_day_on_chain_counts_from_six_hours_after_its_end(tmp_path):
    write(tmp_path, "onchain/BTC.parquet", days(2, TxCnt=np.array([7.0, 8.0])))
    found = series(tmp_path, "onchain_TxCnt", 24 * 6)
    hour = np.arange(1, 24 * 6 + 1)
    assert np.isnan(found[hour < 30]).all()
    assert (found[(hour >= 30) & (hour < 54)] == 7.0).all()
    assert (found[(hour >= 54) & (hour <= 102)] == 8.0).all()
    assert np.isnan(found[hour > 102]).all(), "a source that went silent is unknown, not constant"
    assert np.isnan(module.observations(tmp_path, grid(96), ("onchain_TxCnt",))["onchain_TxCnt"][:, 1]).all()


def test_open_interest_and_fear_count_from_their_own_stamps(tmp_path):
    write(tmp_path, "open_interest/BTC.parquet", days(3, oi_close=np.array([5.0, np.nan, 6.0])))
    write(
        tmp_path, "sentiment/fear_greed_daily.parquet", days(2, fear_greed=np.array([20.0, 80.0])).drop("available_at")
    )
    interest = series(tmp_path, "open_interest")
    assert np.isnan(interest[:23]).all()
    assert interest[23] == 5.0
    assert interest[47] == 5.0  # the second day has no value: the first still counts
    assert interest[71] == 6.0
    both = module.observations(tmp_path, grid(48), ("fear_greed",))["fear_greed"]
    np.testing.assert_array_equal(both[:, 0], both[:, 1])
    assert both[0, 0] == 20.0  # of day D, known at D 01:00
    assert (both[23, 0], both[24, 0]) == (20.0, 80.0)


def headlines(*rows: tuple[float, str | None, str]) -> pl.DataFrame:
    at = stamps(SINCE_NS + np.array([round(hour * HOUR_NS) for hour, _, _ in rows]))
    return pl.DataFrame([at, pl.Series("title", [r[1] for r in rows]), pl.Series("assets", [r[2] for r in rows])])


NEWS = headlines(
    (0.5, "Nothing known", ""),
    (2.5, "Bitcoin soars", "BTC"),
    (3.0, "Bitcoin and Ethereum crash", "BTC,ETH"),
    (3.2, None, "BTC"),
    (50.0, "Ethereum surges", "ETH"),
)


def test_headlines_count_in_the_bar_they_were_published_in(tmp_path):
    write(tmp_path, "sentiment/news_headlines.parquet", NEWS)
    found = module.observations(tmp_path, grid(80), ("news_count",))
    count, sound = found["news_count"], found["news_tone"]
    assert np.isnan(count[:1]).all(), "the bar in which the feed began is not whole"
    np.testing.assert_array_equal(count[1:5], [[0, 0], [2, 1], [0, 0], [0, 0]])
    assert sound[2, 0] == pytest.approx((tone("Bitcoin soars") + tone("Bitcoin and Ethereum crash")) / 2)
    assert np.isnan(sound[1]).all()
    silent = np.arange(1, 81) - 3.0 > 24  # nobody said anything for a day: not zero news, but no news feed
    silent &= np.arange(1, 81) < 50
    assert np.isnan(count[silent]).all()
    assert count[49, 1] == 1


def test_longer_bars_add_headlines_up_and_average_their_tone(tmp_path):
    write(tmp_path, "sentiment/news_headlines.parquet", NEWS)
    fine, coarse = grid(80), grid(20, every_ns=4 * HOUR_NS)
    hourly = module.observations(tmp_path, fine, ("news_tone",))
    joined = resample(Market(fine.names, fine.interval_ns, fine.time, hourly), 4 * HOUR_NS).columns
    direct = module.observations(tmp_path, coarse, ("news_tone",))
    whole = slice(1, None)  # the first bar of four hours is a part for the one and not whole for the other
    np.testing.assert_allclose(joined["news_tone"][whole], direct["news_tone"][whole], rtol=1e-12)
    known = ~np.isnan(direct["news_count"])
    np.testing.assert_array_equal(joined["news_count"][known], direct["news_count"][known])
    assert joined["news_count"][0, 0] == 2


def test_spot_counts_at_its_own_instant_only(shared_data):
    asked = Asked(markets=("BTC", "BNB"))
    market, _, _ = read_market(shared_data, asked, SINCE_NS, SINCE_NS + 2 * DAY_NS, ("spot_close",))
    spot = pl.read_parquet(shared_data / "bars/binance_spot/1h/BTCUSDT.parquet")
    at = spot["timestamp"].dt.epoch("ns").to_numpy() + HOUR_NS
    inside = (at > SINCE_NS) & (at <= SINCE_NS + 2 * DAY_NS)
    np.testing.assert_array_equal(market.columns["spot_close"][:, 0], spot["close"].to_numpy()[inside])
    assert np.isnan(market.columns["spot_close"][:, 1]).all(), "no spot bars of BNB"
    quarters = module.observations(shared_data, grid(8, every_ns=HOUR_NS // 4), ("spot_close",))["spot_close"][:, 0]
    np.testing.assert_array_equal(~np.isnan(quarters), [False, False, False, True] * 2)


def test_recorded_scores_are_read_and_hold_for_a_day(tmp_path):
    assert np.isnan(series(tmp_path, "llm_score")).all()
    scores = pl.DataFrame(
        [
            stamps(SINCE_NS + np.array([2, 3]) * HOUR_NS),
            pl.Series("asset", ["BTC", "ETH"]),
            pl.Series("score", [0.5, -1.0]),
        ]
    )
    write(tmp_path, "sentiment/llm_scores.parquet", scores)
    found = module.observations(tmp_path, grid(48), ("llm_score",))["llm_score"]
    np.testing.assert_array_equal(found[:4, 0], [np.nan, 0.5, 0.5, 0.5])
    assert found[2, 1] == -1.0
    assert np.isnan(found[26:, 0]).all()


def test_only_what_is_asked_for_is_read(shared_data):
    market, _, _ = read_market(shared_data, Asked(), SINCE_NS, SINCE_NS + DAY_NS)
    assert set(market.columns) == {"open", "high", "low", "close", "volume", "funding_per_hour"}
    with pytest.raises(ConfigError, match=r"nobody provides a column 'fear_gred', did you mean 'fear_greed'\?"):
        read_market(shared_data, Asked(), SINCE_NS, SINCE_NS + DAY_NS, ("fear_gred",))


def test_observations_are_there_before_the_first_bar(shared_data):
    """OKX's bars begin in 2022; valuation needs the year before."""
    year_before = SINCE_NS - 365 * DAY_NS
    market, _, _ = read_market(shared_data, Asked(), year_before, SINCE_NS + 3 * DAY_NS, ("onchain_CapMVRVCur",))
    assert len(market) == 368 * 24
    before = market.time <= SINCE_NS
    assert np.isnan(market.columns["close"][before]).all()
    assert not np.isnan(market.columns["onchain_CapMVRVCur"][:, :2]).any()
    daily = resample(market, DAY_NS)
    said = ROSTER["valuation"](onchain_CapMVRVCur=daily.columns["onchain_CapMVRVCur"])
    assert np.isfinite(said[-1, :2]).all()
    assert np.isnan(said[-1, 2])  # nobody measured SOL


# ---------------------------------------------------------------- known_at


def noisy_after(root: Path, copy: Path, at_ns: int) -> None:
    """Copy the observation files, with noise in every value that can be known only after `at_ns`, or is not there."""
    rng = np.random.default_rng(3)
    for path in [*root.glob("onchain/*"), *root.glob("open_interest/*"), *root.glob("sentiment/*")]:
        frame = pl.read_parquet(path)
        known = "available_at" if "available_at" in frame.columns else "timestamp"
        late = (frame[known].dt.epoch("ns") > at_ns).to_numpy()
        floats = [name for name, kind in frame.schema.items() if kind.is_float()]
        noise = {name: np.where(late, rng.uniform(1, 99, len(frame)), frame[name].to_numpy()) for name in floats}
        frame = frame.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in noise.items())
        if "title" in frame.columns:
            frame = frame.with_columns(title=pl.when(pl.Series(late)).then(pl.lit("Crash")).otherwise("title"))
            frame = frame.filter(pl.Series(~late | (rng.random(len(frame)) < 0.5)))
        write(copy, path.relative_to(root).as_posix(), frame)
    (copy / "bars").symlink_to(root / "bars")


def first_change(root: Path, copy: Path, at_ns: int) -> list[str]:
    """Columns of which a row at or before `at_ns` differs between the two folders."""
    market = grid(24 * 120, ("BTC", "ETH", "ADA"))
    one, other = (module.observations(folder, market, COLUMNS) for folder in (root, copy))
    past = market.time <= at_ns
    assert any(not np.array_equal(one[name], other[name], equal_nan=True) for name in one), "the noise is heard later"
    return [name for name in one if not np.array_equal(one[name][past], other[name][past], equal_nan=True)]


@pytest.mark.parametrize("hours", [24 * 40, 24 * 40 + 7, 24 * 77 + 0.5])
def test_rows_do_not_depend_on_what_becomes_known_later(shared_data, tmp_path, hours):
    at_ns = SINCE_NS + round(hours * HOUR_NS)
    noisy_after(shared_data, tmp_path, at_ns)
    assert first_change(shared_data, tmp_path, at_ns) == []


def test_the_test_above_sees_a_join_on_the_day_that_values_are_about(shared_data, tmp_path, monkeypatch):
    """The mutant: as if a day were known while it goes on."""
    honest = module.parse.dated

    def hasty(frame, name, column, known, later_ns, until_ns):
        return honest(frame, name, column, "timestamp", 0, until_ns)

    at_ns = SINCE_NS + 24 * 40 * HOUR_NS + 7 * HOUR_NS
    noisy_after(shared_data, tmp_path, at_ns)
    monkeypatch.setattr(module.parse, "dated", hasty)
    changed = first_change(shared_data, tmp_path, at_ns)
    assert {"onchain_CapMVRVCur", "onchain_FlowInExNtv", "open_interest"} <= set(changed)


# ---------------------------------------------------------------- files that cannot be true, and words


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.with_columns(TxCnt=pl.lit("x")), "column 'TxCnt' is String, expected Float64"),
        (lambda f: f.drop("available_at"), "column 'available_at' is not there, expected a Datetime in UTC"),
        (
            lambda f: f.with_columns(TxCnt=pl.lit(float("inf"))),
            "row 0 .2022-01-01T00:00:00Z.: TxCnt inf is not a number",
        ),
        (lambda f: f[::-1], "row 1 .2022-01-01T00:00:00Z.: time is before that of the row above"),
        (lambda f: f.with_columns(available_at=pl.col("timestamp").dt.offset_by("-1h")), "available_at is before the"),
    ],
)
def test_a_file_that_cannot_be_true_is_named(tmp_path, spoil, message):
    write(tmp_path, "onchain/BTC.parquet", spoil(days(2, TxCnt=np.array([7.0, 8.0]))))
    with pytest.raises(DataError, match=rf"^onchain/BTC.parquet.*{message}"):
        series(tmp_path, "onchain_TxCnt")


@pytest.mark.parametrize(
    ("headline", "sign"),
    [
        ("SEC sues crypto exchange", -1),
        ("SEC approves spot Bitcoin ETF", 1),
        ("Terra's UST depegs, LUNA crashes 90%", -1),
        ("Bitcoin soars to an all-time high", 1),
        ("Hackers steal $600M from Ronin bridge", -1),
        ("Whales keep accumulating", 0),
        ("Grayscale Bitcoin Trust publishes share count", 0),
        ("Exchange halts withdrawals", -1),
        ("Ethereum rallies as outflows slow", 1),
    ],
)
def test_the_lexicon_reads_crypto_news(headline, sign):
    assert np.sign(tone(headline)) == sign


def test_the_lexicon_is_ours():
    assert len(SCORES) >= 200
