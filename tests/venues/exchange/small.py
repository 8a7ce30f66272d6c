"""A small history for the exchange's tests: every price is known by heart."""

from typing import Any

import numpy as np

from podshop.nouns import HOUR_NS, Funding, Instrument, Market
from podshop.venues.exchange.placed import Terms
from podshop.venues.exchange.tape import Liquid
from podshop.venues.exchange.truth import Exchange

START_NS = 19_358 * 24 * HOUR_NS  # 2023-01-01
BARS = 48
BTC = Instrument("BTC", 1e-5, 10.0)  # a lot is a hundred-thousandth: at 50,000 USD, 500,000 micro-dollars
ETH = Instrument("ETH", 1e-4, 10.0)


def market(bars: int = BARS, *, silent: dict[str, set[int]] | None = None) -> Market:
    """Hourly bars; bar j (from 0) opens at base + 10 j and closes 5 higher; row j closes at START + (j + 1) h.

    silent  market -> bars of which there is none at all
    """
    time = START_NS + (np.arange(bars) + 1) * HOUR_NS
    opened = np.array([50_000.0 + 10 * np.arange(bars), 2_000.0 + np.arange(bars)])
    columns = {
        "open": opened,
        "high": opened + 20.0,
        "low": opened - 20.0,
        "close": opened + 5.0,
        "volume": np.full(opened.shape, 1_000.0),
    }
    for name, gone in (silent or {}).items():
        for column in columns.values():
            column[("BTC", "ETH").index(name), sorted(gone)] = np.nan
    return Market(("BTC", "ETH"), HOUR_NS, time, {name: values.T for name, values in columns.items()})


def funding(*rows: tuple[int, int, float, int]) -> Funding:
    """Settlements (at_ns, market, rate, source) in the order of time."""
    at, of, rate, source = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Funding(
        np.array(at, np.int64), np.array(of, np.int64), np.array(rate, np.float64), np.array(source, np.int64),
        ("ASSUMED", "simulated"), {},
    )  # fmt: skip


def thin(bars: int = BARS, most: int = 1_000, queued: int = 50) -> Liquid:
    """A market that bears so many lots a bar; 2 % of volatility, a million lots a day."""
    row = np.zeros(bars, np.int64)
    whole = np.full((1, 2), most, np.int64)
    return Liquid(0, row, np.full((1, 2), 1e6), np.full((1, 2), 0.02), whole, np.full((1, 2), queued, np.int64))


def exchange(**changes: Any) -> Exchange:
    """An exchange that opens at the close of the fifth bar, with 10,000 USD."""
    settings: dict[str, Any] = {
        "market": market(),
        "funding": funding(),
        "instruments": (BTC, ETH),
        "terms": Terms(max_leverage={"BTC": 40, "ETH": 25}),
        "start_ns": START_NS + 5 * HOUR_NS,
        "cash_micro": 10_000_000_000,
        "liquid": thin(),
    }
    return Exchange(**(settings | changes))
