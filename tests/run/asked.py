"""Two small funds over a few weeks of real history, made so that every reason not to trade happens in one of them."""

from datetime import datetime
from pathlib import Path

from podshop.nouns import utc_ns
from podshop.run.backtest import backtest
from podshop.run.config import load

TIGHT = """
name = "tight"
capital_usd = 100_000

[market]
venue = "okx_perp"
interval = "1h"
markets = ["BTC", "ETH", "OP", "SUI"]
funding = ["binance_perp"]

[signals.trend]
kind = "momentum"
window_bars = 168

[signals.stretch]
kind = "reversal"
window_bars = 72

[execution.follower]
horizon = "swing"
listens = { trend = 1.0 }
cadence = "4h"
volatility_target = 0.40

[execution.careful]
horizon = "swing"
listens = { trend = 1.0 }
cadence = "4h"
cost_factor = 2.0

[execution.spender]
horizon = "intraday"
listens = { stretch = 1.0 }
markets = ["BTC", "ETH"]
cadence = "1h"
buffer = 0.02
cost_budget = 0.0005

[execution.waiter]
horizon = "intraday"
listens = { stretch = 1.0, trend = 0.5 }
markets = ["BTC", "ETH"]
cadence = "1h"
buffer = 0.05
stop = 1.0
style = "maker"
urgency = "24h"
max_diversification = 1.5

[limits]
max_weight = 0.03
book_gross = 0.12
min_order_usd = 20

[risk.drawdown_limiter]
warn_from = 0.05
halve_from = 0.1
out_from = 0.15
back_below = 0.05

[venue.lots]
ETH = 0.5
"""
CALM = """
name = "calm"
capital_usd = 100_000

[market]
venue = "okx_perp"
interval = "1h"
markets = ["BTC", "XRP", "ADA"]
funding = ["binance_perp"]

[signals.trend]
kind = "momentum"
window_bars = 168

[signals.stretch]
kind = "reversal"
window_bars = 72

[execution.mixed]
horizon = "intraday"
listens = { stretch = 1.0, trend = 0.5 }
markets = ["BTC", "XRP"]
cadence = "1h"
buffer = 0.0
style = "twap"
urgency = "24h"

[execution.large]
horizon = "swing"
listens = { trend = 1.0 }
markets = ["ADA"]
cadence = "1h"
volatility_target = 3.0

[limits]
max_weight = 0.05
min_order_usd = 0
"""


def record(folder: Path, text: str, data: Path, since: str, until: str) -> Path:
    """The record of one of these funds, as `podshop backtest --out` writes it."""
    folder.mkdir(exist_ok=True)
    (folder / "fund.toml").write_text(text, encoding="utf-8")
    ends = (utc_ns(datetime.fromisoformat(day)) for day in (since, until))
    backtest(load(folder / "fund.toml"), data, *ends, folder / "out", lambda done, total, what: None)
    return folder / "out"


def tight(folder: Path, data: Path) -> Path:
    """Seven weeks in which OP is listed and SUI is not yet."""
    return record(folder, TIGHT, data, "2022-05-20", "2022-07-10")


def calm(folder: Path, data: Path) -> Path:
    """The week in which OKX stood still for nine hours, 18 December 2022."""
    return record(folder, CALM, data, "2022-12-13", "2022-12-20")
