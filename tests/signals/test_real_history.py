"""The cases of real history that made the rules: hours without trading, and a provider that moved its addresses."""

from pathlib import Path

import numpy as np
import polars as pl

from podshop.signals.onchain.exchange_flow import exchange_flow
from podshop.signals.onchain.exchange_supply import exchange_supply
from podshop.signals.roster import ROSTER


def test_a_silent_hour_is_no_opinion_and_does_not_blank_the_window(shared_data: Path) -> None:
    """OKX traded nothing for some hours of 2022-12-18; trends of days speak again two bars later."""
    bars = pl.read_parquet(shared_data / "bars/okx_perp/1h/BTCUSDT.parquet")
    close = np.where(bars["volume"].to_numpy() > 0, bars["close"].to_numpy(), np.nan)[:, None]
    silent = np.isnan(close).ravel()
    assert 1 <= silent.sum() <= 20
    for name in ("trend_three_days", "trend_week", "reversal_three_days"):
        said = ROSTER[name](close=close).ravel()
        assert np.isnan(said[silent]).all()
        last = int(np.flatnonzero(silent)[-1])
        assert np.isfinite(said[last + 2 : last + 200]).all()


def test_one_day_of_moved_addresses_is_not_a_signal(shared_data: Path) -> None:
    """Net flow of -191,454 BTC in a day of 2023 is bookkeeping: once out of the week it has little say."""
    days = pl.read_parquet(shared_data / "onchain/BTC.parquet").filter(pl.col("timestamp").dt.year() >= 2021)
    inflow, outflow, supply = (days[name].to_numpy()[:, None] for name in ("FlowInExNtv", "FlowOutExNtv", "SplyExNtv"))
    worst = int(np.argmin(inflow - outflow))
    assert (inflow - outflow)[worst] < -190_000
    tamed = outflow.copy()
    tamed[worst] = np.median(outflow)
    as_is, without = exchange_flow(inflow, outflow, 7, 90), exchange_flow(inflow, tamed, 7, 90)
    later = slice(worst + 7, worst + 60)
    assert np.nanmax(np.abs(as_is - without)[later]) < 0.35
    step = supply.copy()
    step[worst:] *= 0.9  # a tenth of all coins on exchanges found elsewhere overnight
    change = np.abs(exchange_supply(step, 30, 180) - exchange_supply(supply, 30, 180))
    assert np.nanmax(change[worst + 30 : worst + 170]) < 0.35
