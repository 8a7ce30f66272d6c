"""What an execution agent is told to do."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """An execution agent's configuration.

    horizon               scalping, intraday or swing
    kind                  blend: the weighted voices; or module:Class of your own, importable or beside the fund file
    listens               signal agent -> weight (sign matters; abs values are normalised in the blend)
    markets               base assets it may trade
    cadence               how often targets change: '5m', '1h', '1d'; fires when floor(time / cadence) changes, and at
                          every cycle where it is shorter than the cycle
    volatility_target     annual, of the book's capital, with `typical_conviction` in every market
    typical_conviction    how strong its blend usually is where it has one: full conviction holds 1 / this times as much
    volatility_half_life  of the returns that its positions are sized by: the shorter the sooner it resizes
    max_diversification   most by which a blend of voices that disagree is enlarged; 1 = never
    buffer                no-trade band either side of the wished position, as a fraction of the full position
    stop                  loss from the average entry, in daily sigmas at entry, that closes the position
    longest_holding       after this a position is closed: '30d'
    style                 taker: at once; maker: rests at the touch, takes after `urgency`; twap: sliced over `urgency`
    urgency               within which time a wish is to be met; a taker does not ask
    outlook               how far ahead its forecasts look: edge and cost are compared over this
    cost_factor           a position grows only where the expected edge is this many times the expected cost; 0 = always
    cost_budget           most that its trading may cost a year, fraction of capital, shared evenly by its markets
    """

    name: str
    horizon: str  # scalping | intraday | swing
    kind: str = "blend"
    listens: Mapping[str, float]
    markets: tuple[str, ...]
    cadence: str
    volatility_target: float = 0.20
    typical_conviction: float = 1.0
    volatility_half_life: str = "10d"
    max_diversification: float = 1.0
    buffer: float = 0.10
    stop: float = 5.0
    longest_holding: str = "90d"
    style: str = "taker"
    urgency: str = "4h"
    outlook: str = "1d"
    cost_factor: float = 0.0
    cost_budget: float = 1.0
