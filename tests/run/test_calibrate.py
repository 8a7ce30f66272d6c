"""Asking for hit probabilities changes nothing that is decided, and every row of them is as known then."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from podshop.feeds.parquet import read_market
from podshop.journal.audit import audit
from podshop.market import resample
from podshop.nouns import DAY_NS, ConfigError, duration_ns, utc_ns
from podshop.run.backtest import backtest
from podshop.run.calibrate import Calibrator
from podshop.run.config import load, starter
from podshop.run.opinions import Seat
from podshop.run.world import read_world

SINCE_NS = utc_ns(datetime(2023, 6, 1, tzinfo=UTC))


def fund(tmp_path: Path, calibrated: str):
    path = tmp_path / f"{calibrated}.toml"
    path.write_text(starter().replace('kind = "momentum" ', f'calibrated = {calibrated}\nkind = "momentum" '))
    return load(path)


def test_it_is_off_unless_asked_for_and_must_be_true_or_false(tmp_path):
    assert [seat.calibrated for seat in fund(tmp_path, "true").signals] == [True, False, False]
    with pytest.raises(ConfigError, match=r"signals.trend.calibrated is 'yes', expected true or false"):
        fund(tmp_path, '"yes"')


def test_no_threshold_reads_it(tmp_path, shared_data):
    """Decision for decision the same fund, with and without."""
    runs = [
        backtest(fund(tmp_path, asked), shared_data, SINCE_NS, SINCE_NS + 5 * DAY_NS, None, lambda *_: None)
        for asked in ("false", "true")
    ]
    assert runs[0]["decisions_sha256"] == runs[1]["decisions_sha256"]
    assert runs[0]["orders"]["wanted"] > 0


def test_a_run_writes_beside_each_opinion_what_was_known_then(tmp_path, shared_data):
    """The table is the calibrator's answer, row for row; without the wish there is no table; the audit agrees."""
    end_ns = SINCE_NS + 60 * DAY_NS
    read = fund(tmp_path, "true")
    result = backtest(read, shared_data, SINCE_NS, end_ns, tmp_path / "record", lambda *_: None)
    table = pl.read_parquet(tmp_path / "record" / "calibration.parquet")
    seat = read.signals[0]
    world = read_world(read, shared_data, SINCE_NS, end_ns)
    mine = resample(world.market, duration_ns(seat.agent.bar)).pick(seat.markets)
    first, last = (int(i) for i in np.searchsorted(mine.time, [SINCE_NS, end_ns]))
    said = Seat(seat, mine, read.confidence).convictions(first, last)
    found = Calibrator(seat, mine, world.funding, world.market.names).rows(first, said)
    row, m = np.nonzero(found.count >= 0)
    assert len(table) == result["calibration"]["trend"]["rows"] > 1000
    assert table["market"].cast(pl.String).to_list() == [mine.names[i] for i in m]
    np.testing.assert_array_equal(table["time"].cast(pl.Int64), mine.time[first + row])
    np.testing.assert_array_equal(table["conviction"], said[row, m])
    np.testing.assert_array_equal(table["hit_probability"], found.hit_probability[row, m])
    np.testing.assert_array_equal(table["count"], found.count[row, m])
    assert set(result["calibration"]) == {"trend"}
    last_row = {k: table[k][-1] for k in ("conviction", "hit_probability", "low", "high", "count")}
    (strength,) = (
        r for r in result["calibration"]["trend"]["reliability"] if r["from"] <= abs(last_row["conviction"]) < r["to"]
    )
    assert strength["count"] == last_row["count"] > 0
    assert (strength["hit_rate"], strength["low"], strength["high"]) == tuple(
        last_row[k] for k in ("hit_probability", "low", "high")
    )
    assert "How often trend was right" in (tmp_path / "record" / "report.html").read_text()
    assert audit(tmp_path / "record").bad == ()
    backtest(fund(tmp_path, "false"), shared_data, SINCE_NS, end_ns, tmp_path / "record", lambda *_: None)
    assert not (tmp_path / "record" / "calibration.parquet").exists()
    assert "How often trend was right" not in (tmp_path / "record" / "report.html").read_text()


def test_rows_are_as_known_then_and_do_not_depend_on_how_they_are_asked(tmp_path, shared_data):
    read = fund(tmp_path, "true")
    seat = read.signals[0]

    def rows(days: int, step: int | None) -> np.ndarray:
        end_ns = SINCE_NS + days * DAY_NS
        market, funding, _ = read_market(shared_data, read.market, SINCE_NS - 200 * DAY_NS, end_ns)
        mine = resample(market, duration_ns(seat.agent.bar)).pick(seat.markets)
        said = Seat(seat, mine, read.confidence).convictions(0, len(mine))
        calibrator = Calibrator(seat, mine, funding, market.names)
        parts = [calibrator.rows(i, said[i : i + (step or len(said))]) for i in range(0, len(said), step or len(said))]
        return np.concatenate([part.hit_probability for part in parts])

    long, short, pieces = rows(30, None), rows(10, None), rows(10, 317)
    np.testing.assert_array_equal(short, long[: len(short)])
    np.testing.assert_array_equal(short, pieces)
    assert np.isfinite(short[-1]).any()
    assert ((short[np.isfinite(short)] >= 0) & (short[np.isfinite(short)] <= 1)).all()
