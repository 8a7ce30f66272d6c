"""On bars of seconds a scalper decides at its own cadence; on coarser ones at the bar's, and the run says so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from podshop.nouns import DAY_NS, HOUR_NS
from podshop.run.backtest import backtest
from podshop.run.config.load import fund_from
from podshop.run.world import SIMULATED_SINCE_NS

SINCE_NS = SIMULATED_SINCE_NS + 100 * DAY_NS
FUND: dict[str, Any] = {
    "name": "seconds",
    "market": {"venue": "okx_perp", "interval": "10s", "markets": ["BTC"]},
    "signals": {"quick": {"kind": "momentum", "bar": "1m", "window_bars": 30}},
    "execution": {
        "scalper": {
            "horizon": "scalping", "listens": {"quick": 1.0}, "cadence": "30s", "style": "maker", "urgency": "1m",
            "volatility_half_life": "1d",
        },
        "faster": {"horizon": "scalping", "listens": {"quick": -1.0}, "cadence": "5s"},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("seconds")
    fund = fund_from(FUND, file="seconds.toml", folder=Path())
    return backtest(fund, None, SINCE_NS, SINCE_NS + 2 * HOUR_NS, out, lambda *_: None), out


def test_each_decides_at_its_own_cadence(ran: tuple[dict[str, Any], Path]) -> None:
    result, out = ran
    wishes = pl.read_parquet(out / "wishes.parquet")
    seconds: dict[str, set[int]] = {"scalper": set(), "faster": set()}
    for at, book in zip(wishes["time"].to_list(), wishes["book"].to_list(), strict=True):
        seconds[book].add(at.second)
    assert seconds["scalper"] == {0, 30}
    assert seconds["faster"] == {0, 10, 20, 30, 40, 50}
    assert result["period"]["cycles"] == 720
    assert result["notes"][0] == "faster is meant to decide every 5s; on bars of 10s it decides every 10s"


def test_a_maker_rests_ten_seconds_and_takes_after_a_minute(ran: tuple[dict[str, Any], Path]) -> None:
    fills = pl.read_parquet(ran[1] / "fills.parquet")
    kinds = set(fills.filter(fills["book"] == "scalper")["kind"].to_list())
    assert {"maker", "cross"} <= kinds


def test_on_hours_both_decide_every_hour(ran: tuple[dict[str, Any], Path]) -> None:
    document = FUND | {"market": FUND["market"] | {"interval": "1h"}}
    document["signals"] = {"quick": {"kind": "momentum", "bar": "1h", "window_bars": 30}}
    fund = fund_from(document, file="hours.toml", folder=Path())
    result = backtest(replace(fund, name="hours"), None, SINCE_NS, SINCE_NS + 2 * DAY_NS, None, lambda *_: None)
    assert len([note for note in result["notes"] if "it decides every 1h" in note]) == 2
