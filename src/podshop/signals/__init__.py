"""Signal agents: what was known of the markets -> conviction in [-1, 1]. One kind per file, by family.

Every agent is a frozen dataclass around a pure array function (`podshop.nouns.SignalAgent`). What makes one fit to be
listed here is written down, check by check, in `podshop.research.contract`.
"""

from podshop.nouns import SignalAgent
from podshop.signals.funding.carry import Carry
from podshop.signals.momentum.time_series import Momentum
from podshop.signals.reversal.zscore import Reversal

AGENTS: dict[str, type[SignalAgent]] = {
    "momentum": Momentum,
    "reversal": Reversal,
    "carry": Carry,
}
