"""What an execution agent is told to do."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """An execution agent's configuration.

    horizon            scalping | intraday | swing
    listens            signal agent -> weight (sign matters; abs values are normalised in the blend)
    markets            base assets it may trade
    cadence            how often targets change: '5m', '1h', '1d'; fires when floor(time / cadence) changes
    volatility_target  annual, of the book's capital, at full conviction in every market
    buffer             no-trade band either side of the wished position, as a fraction of the full position
    stop               loss from the average entry, in daily sigmas at entry, that closes the position
    longest_holding    after this a position is closed: '30d'
    style              how it trades: taker
    """

    name: str
    horizon: str  # scalping | intraday | swing
    listens: Mapping[str, float]
    markets: tuple[str, ...]
    cadence: str
    volatility_target: float = 0.20
    buffer: float = 0.10
    stop: float = 5.0
    longest_holding: str = "90d"
    style: str = "taker"
