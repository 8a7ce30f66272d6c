"""The twenty-five signal agents that are shipped: kinds of `AGENTS`, configured.

Horizons are days, not hours, wherever the idea allows: at 4.5 bps a trade, what turns over every few hours must be
right by more than these papers find. The one-day trend, the basis and the three-day reversal are the fastest, and the
scorecard shows what they cost.
"""

from podshop.nouns import SignalAgent
from podshop.signals.funding.basis import Basis
from podshop.signals.funding.carry import Carry
from podshop.signals.funding.cross_sectional import RelativeCarry
from podshop.signals.funding.crowding import FundingReversal
from podshop.signals.momentum.breakout import Breakout
from podshop.signals.momentum.cross_sectional import RelativeMomentum
from podshop.signals.momentum.managed import ManagedMomentum
from podshop.signals.momentum.time_series import Momentum
from podshop.signals.onchain.exchange_flow import ExchangeFlow
from podshop.signals.onchain.exchange_supply import ExchangeSupply
from podshop.signals.onchain.network import NetworkActivity
from podshop.signals.onchain.valuation import Valuation
from podshop.signals.reversal.half_life import HalfLifeReversal
from podshop.signals.reversal.liquidity import LiquidityReversal
from podshop.signals.reversal.pair import PairSpread
from podshop.signals.reversal.residual import ResidualReversal
from podshop.signals.reversal.zscore import Reversal
from podshop.signals.sentiment.analyst import Analyst
from podshop.signals.sentiment.attention import NewsAttention
from podshop.signals.sentiment.fear_greed import FearGreed
from podshop.signals.sentiment.news_tone import NewsTone

ROSTER: dict[str, SignalAgent] = {
    # momentum: 7
    "trend_day": Momentum(bar="1h", window_bars=24),
    "trend_three_days": Momentum(bar="1h", window_bars=72),
    "trend_week": Momentum(bar="1h", window_bars=168),
    "trend_month": Momentum(bar="4h", window_bars=180),
    "relative_strength": RelativeMomentum(bar="4h", window_bars=126),
    "breakout": Breakout(bar="4h", window_bars=120),
    "managed_trend": ManagedMomentum(bar="1h", window_bars=336, recent_bars=24),
    # mean reversion: 6
    "reversal_three_days": Reversal(bar="1h", window_bars=72),
    "reversal_fortnight": Reversal(bar="4h", window_bars=84),
    "residual_reversal": ResidualReversal(bar="4h", window_bars=180, recent_bars=18),
    "pair_spread": PairSpread(bar="4h", window_bars=180),
    "half_life_reversal": HalfLifeReversal(bar="4h", window_bars=180, half_life_bars=12.0),
    "liquidity_reversal": LiquidityReversal(bar="4h", recent_bars=6, window_bars=180),
    # funding: 4
    "carry": Carry(bar="1h", window_bars=24),
    "funding_reversal": FundingReversal(bar="4h", recent_bars=6, window_bars=180),
    "relative_carry": RelativeCarry(bar="4h", window_bars=18),
    "basis": Basis(bar="1h", recent_bars=8, window_bars=720),
    # on-chain flow: 4
    "exchange_flow": ExchangeFlow(bar="1d", recent_bars=7, window_bars=90),
    "exchange_supply": ExchangeSupply(bar="1d", recent_bars=30, window_bars=180),
    "network_activity": NetworkActivity(bar="1d", recent_bars=7, window_bars=90),
    "valuation": Valuation(bar="1d", window_bars=365),
    # sentiment: 4
    "news_tone": NewsTone(bar="4h", recent_bars=6, window_bars=180),
    "news_attention": NewsAttention(bar="4h", recent_bars=6, window_bars=180),
    "fear_greed": FearGreed(bar="1d"),
    "analyst": Analyst(bar="4h"),
}
