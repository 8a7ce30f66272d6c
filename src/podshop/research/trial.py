"""Made-up columns on which an agent is tried: plausible in size, with gaps, a late listing and an early end.

Nothing here is history and no result on it is performance; it only has to be hard on agents.
"""

import zlib
from collections.abc import Callable

import numpy as np
from numpy.random import Generator, default_rng

from podshop.nouns import Panel

PRICES = ("open", "high", "low", "close", "spot_close")
AMOUNTS = ("volume",)  # in base units: a thousandth when the price is of a thousand coins
FUNDING = ("funding_per_hour", "funding_predicted")
SENTIMENT = ("news_tone", "news_count", "fear_greed", "llm_score")
Columns = dict[str, Panel]


def is_funding(column: str) -> bool:
    """Whether a value is known only once it is settled."""
    return column in FUNDING


def is_stamped(column: str) -> bool:
    """Whether a value is known only at the `known_at` of its source, later than what it is about."""
    return column in SENTIMENT or column.startswith("onchain_") or column == "open_interest"


def columns(reads: tuple[str, ...], rows: int, markets: int, seed: int) -> Columns:
    """Draw each column that an agent reads, (rows, markets); a seed draws the same whatever else is read."""
    prices = _prices(rows, markets, default_rng((seed, 0)))
    drawn = {name: _draw(name, prices, default_rng((seed, zlib.crc32(name.encode())))) for name in reads}
    gaps = default_rng((seed, 1)).random((rows, markets)) < 0.005
    gaps[: rows // 8, markets - 1] = True  # listed late
    gaps[rows - rows // 8 :, markets - 2] = True  # gone early
    for panel in drawn.values():
        panel[gaps] = np.nan
    return drawn


def _prices(rows: int, markets: int, rng: Generator) -> Panel:
    """Walk with a common factor, fat tails and quiet and wild times."""
    wild = np.where(np.sin(np.arange(rows) / 60.0) > 0.6, 3.0, 1.0)[:, None]
    steps = 0.006 * wild * (rng.standard_t(4, (rows, 1)) + rng.standard_t(4, (rows, markets)))
    walk: Panel = np.exp(np.clip(steps, -0.3, 0.3).cumsum(axis=0)) * 10.0 ** rng.uniform(-5, 5, markets)
    return walk


def _draw(name: str, prices: Panel, rng: Generator) -> Panel:
    noise = rng.standard_normal(prices.shape)
    drawn = _MAKERS.get(name, _amounts)(prices, noise)
    return np.ascontiguousarray(drawn.T, dtype=np.float64).T


def _funding(prices: Panel, noise: Panel) -> Panel:
    """Pinned at 1 bp per 8 hours a third of the time, as venues do, and wandering otherwise."""
    wander = np.where(np.abs(noise) < 0.4, 0.0, _slow(noise))
    return (1e-4 + 2e-4 * wander) / 8.0


def _amounts(prices: Panel, noise: Panel) -> Panel:
    return np.asarray(np.exp(0.4 * noise + 0.5 * _slow(noise)) * 1e4)


def _slow(noise: Panel) -> Panel:
    """Average of the last sixteen rows, so that neighbours are alike."""
    total = np.vstack([np.zeros((1, noise.shape[1])), noise.cumsum(axis=0)])
    before = np.maximum(np.arange(1, len(noise) + 1) - 16, 0)
    return np.asarray((total[1:] - total[before]) / 4.0)


_MAKERS: dict[str, Callable[[Panel, Panel], Panel]] = {
    "close": lambda prices, noise: prices.copy(),
    "open": lambda prices, noise: prices * np.exp(0.002 * noise),
    "high": lambda prices, noise: prices * np.exp(0.004 * np.abs(noise)),
    "low": lambda prices, noise: prices * np.exp(-0.004 * np.abs(noise)),
    "spot_close": lambda prices, noise: prices * np.exp(0.0005 * noise),
    "funding_per_hour": _funding,
    "funding_predicted": _funding,
    "news_tone": lambda prices, noise: np.where(noise > -1.0, np.tanh(0.5 * noise), np.nan),
    "news_count": lambda prices, noise: np.floor(np.exp(1.0 + 0.8 * noise)),
    "fear_greed": lambda prices, noise: np.clip(np.rint(50.0 + 20.0 * _slow(noise)), 0.0, 100.0)[:, :1] + 0.0 * noise,
    "llm_score": lambda prices, noise: np.where(noise > 0.0, np.tanh(noise - 1.0), np.nan),
}
