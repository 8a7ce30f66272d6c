"""Signal agents: what was known of the markets -> conviction in [-1, 1]. One kind per file, by family.

Every agent is a frozen dataclass around a pure array function (`podshop.nouns.SignalAgent`). What makes one fit to be
listed here is written down, check by check, in `podshop.research.contract`.
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

AGENTS: dict[str, type[SignalAgent]] = {
    "momentum": Momentum,
    "relative_momentum": RelativeMomentum,
    "breakout": Breakout,
    "managed_momentum": ManagedMomentum,
    "reversal": Reversal,
    "residual_reversal": ResidualReversal,
    "pair_spread": PairSpread,
    "half_life_reversal": HalfLifeReversal,
    "liquidity_reversal": LiquidityReversal,
    "carry": Carry,
    "funding_reversal": FundingReversal,
    "relative_carry": RelativeCarry,
    "basis": Basis,
    "exchange_flow": ExchangeFlow,
    "exchange_supply": ExchangeSupply,
    "network_activity": NetworkActivity,
    "valuation": Valuation,
    "news_tone": NewsTone,
    "news_attention": NewsAttention,
    "fear_greed": FearGreed,
    "analyst": Analyst,
}
