"""What only prices can tell a backtest to refuse, and what a report must not keep to itself."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from podshop.journal.audit import audit
from podshop.nouns import DAY_NS, ConfigError, Instrument, utc_ns
from podshop.report.summary import summary
from podshop.run.backtest import backtest
from podshop.run.config import Fund, starter_fund

SINCE_NS = utc_ns(datetime(2023, 3, 1, tzinfo=UTC))


def run(fund: Fund, data: Path, days: int = 20, out: Path | None = None) -> dict[str, Any]:
    return backtest(fund, data, SINCE_NS, SINCE_NS + days * DAY_NS, out, lambda *_: None)


def test_more_lots_than_an_allotment_can_carry_are_refused(shared_data: Path) -> None:
    """Products of lots would pass 2^63; a review saw the process end by that."""
    with pytest.raises(ConfigError, match=r"lots of BTC, expected at most 1,073,741,824"):
        run(replace(starter_fund(), capital_usd=6e10), shared_data)


@pytest.mark.parametrize("lot", [1e-10, 1e9])
def test_a_lot_that_no_price_fits_is_refused(shared_data: Path, lot: float) -> None:
    fund = starter_fund()
    with pytest.raises(ConfigError, match="a lot of BTC is worth"):
        run(replace(fund, instruments=(Instrument("BTC", lot, 10.0), *fund.instruments[1:])), shared_data)


def test_a_ladder_finer_than_the_cycle_is_climbed_every_cycle(shared_data: Path) -> None:
    fund = starter_fund()
    ladder, *others = fund.risk
    hourly, finer = (
        run(replace(fund, risk=(replace(ladder, cadence=cadence), *others)), shared_data) for cadence in ("1h", "5m")
    )
    assert finer["decisions_sha256"] == hourly["decisions_sha256"]


def test_a_market_that_ends_is_named(shared_data: Path, tmp_path: Path) -> None:
    """ETH's file is cut ten days before the end: its position is settled, and the report says since when."""
    fund = starter_fund()
    for base in ("BTC", "ETH", "XRP", "LTC", "ADA"):
        name = f"bars/okx_perp/1h/{base}USDT.parquet"
        bars = pl.read_parquet(shared_data / name)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        bars.filter((pl.col("timestamp") < datetime(2023, 3, 11, tzinfo=UTC)) | (base != "ETH")).write_parquet(
            tmp_path / name
        )
    (tmp_path / "funding").symlink_to(shared_data / "funding")
    result = run(fund, tmp_path)
    assert "ETH: no bars after 2023-03-11T00:00:00Z" in result["gaps"]
    assert all(note in summary(result) for note in result["notes"])


def test_a_record_with_assumed_funding_passes_its_audit(shared_data: Path, tmp_path: Path) -> None:
    """Without any source every hour is assumed, and shorts pay it too."""
    fund = starter_fund()
    result = run(replace(fund, market=replace(fund.market, funding=())), shared_data, days=40, out=tmp_path / "out")
    rows = pl.read_parquet(tmp_path / "out" / "funding.parquet")
    assert rows["source"].unique().to_list() == ["ASSUMED"]
    assert rows.filter((pl.col("lots") < 0) & (pl.col("cash_micro") < 0)).height > 10
    assert audit(tmp_path / "out").first is None
    assert min(result["assumed_funding_share"].values()) == 1.0


def test_an_agent_that_raises_is_named_in_one_line(shared_data: Path) -> None:
    class Broken:
        bar, reads, lookback_bars, family, cross_sectional = "1h", ("close",), 2, "momentum", False

        def __call__(self, close: Any) -> Any:
            return close / self.nothing  # type: ignore[attr-defined]

    fund = starter_fund()
    broken = (replace(fund.signals[0], kind="mine:Broken", agent=Broken()), *fund.signals[1:])
    with pytest.raises(ConfigError, match=r"^signals.trend raised AttributeError: .*agents check mine:Broken"):
        run(replace(fund, signals=broken), shared_data)
