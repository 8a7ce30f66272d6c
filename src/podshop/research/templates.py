"""What `podshop agents new` writes: NAME and CLASS are replaced."""

SIGNAL = '''"""NAME: say here in one line what you believe, and who found it. This one works: change what it computes.

Source: Brock, Lakonishok & LeBaron (1992), "Simple technical trading rules and the stochastic properties of stock
returns", Journal of Finance 47(5), 1731-1764 (the price against its moving average).
"""

from dataclasses import dataclass
from typing import ClassVar

from podshop import maths
from podshop.maths import confidence, rolling
from podshop.nouns import Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class CLASS:
    """Lean the way the price stands beside its own average."""

    bar: str = "4h"  # it is asked once per bar of this length, and its opinion holds until the next
    window_bars: int = 120  # a setting: the fund file may change it
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "momentum"  # momentum, reversal, funding, onchain or sentiment
    cross_sectional: ClassVar[bool] = False  # True if a market's opinion depends on the others

    @property
    def lookback_bars(self) -> int:
        return self.window_bars

    def __call__(self, close: Panel) -> Panel:
        return NAME(close, self.window_bars)


def NAME(close: Panel, window_bars: int) -> Panel:
    """Score each market by how far it stands above its average, in its own deviations.

    close        (T, M) price in quote currency, > 0; NaN where not listed
    window_bars  bars of the average, the newest included, >= 2
    ->           (T, M) conviction in [-1, 1]; NaN means no opinion, 0 means flat

    >>> import numpy as np
    >>> NAME(np.array([[10.0], [11.0], [12.0], [10.0]]), window_bars=3).round(2).ravel()
    array([  nan,   nan,  0.77, -0.79])
    """
    return confidence(rolling.zscore(maths.log(close), window_bars))
'''

SIGNAL_TEST = '''"""NAME keeps the contract of signal agents, and says what it should."""

import numpy as np
from NAME import CLASS

from podshop.research.contract import check


def test_NAME_keeps_the_contract() -> None:
    assert [(finding.check, finding.found, finding.fix) for finding in check(CLASS()) if not finding.passed] == []


def test_NAME_is_long_where_the_price_has_risen() -> None:
    close = np.exp(np.linspace(0.0, 0.5, 200))[:, None]
    said = CLASS(window_bars=100)(close=close)
    assert np.isnan(said[:79]).all()
    assert (said[99:] > 0.5).all()
'''

EXECUTION = '''"""NAME: say here in one line how you combine the voices. This one works: change what it computes."""

from dataclasses import dataclass

import numpy as np

from podshop.nouns import Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class CLASS:
    """Act only where most of the voices lean the same way."""

    agreement: float = 0.6  # a setting: the fund file may change it

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        return NAME(voice, weights, self.agreement)


def NAME(voice: Panel, weights: Panel, agreement: float) -> Panel:
    """Weighted mean of the voices where enough of them agree, 0 where they do not.

    voice      (L, C, m) in [-1, 1]: what L signals say of m markets at C times; 0 = not heard, NaN = no opinion
    weights    (L,) as the mandate's `listens` gives them; a negative one turns its voice round
    agreement  share of the weight that must lean one way, 0 to 1
    ->         (C, m) opinion in [-1, 1]; NaN where less than half of the weight has one

    Row c follows from row c of the voices alone. Voice is added to voice, so that the sum is the same to the last bit
    whatever the number of rows.

    >>> NAME(np.array([[[1.0, 0.8]], [[0.5, -0.6]]]), np.array([1.0, 1.0]), agreement=0.75)
    array([[0.75, 0.  ]])
    """
    said, known, up, down = (np.zeros(voice.shape[1:]) for _ in range(4))
    for one, weight in zip(voice, weights, strict=True):
        lean = np.where(np.isnan(one), 0.0, weight * one)
        said += lean
        known += np.where(np.isnan(one), 0.0, abs(weight))
        up += np.where(lean > 0, abs(weight), 0.0)
        down += np.where(lean < 0, abs(weight), 0.0)
    whole = np.abs(weights).sum()
    opinion = np.where(np.maximum(up, down) >= agreement * whole, said / whole, 0.0)
    return np.where(known >= whole / 2, opinion, np.nan)
'''

EXECUTION_TEST = '''"""NAME keeps the contract of execution agents, and says what it should."""

import numpy as np
from NAME import CLASS

from podshop.research.execution_contract import check


def test_NAME_keeps_the_contract() -> None:
    assert [(finding.check, finding.found, finding.fix) for finding in check(CLASS()) if not finding.passed] == []


def test_NAME_stays_out_where_its_voices_quarrel() -> None:
    agree, quarrel = [0.9, 0.9, 0.9], [0.9, -0.9, 0.9]
    said = CLASS(agreement=0.75)(np.array([agree, quarrel]).T[:, :, None], np.ones(3))
    assert np.allclose(said[:, 0], [0.9, 0.0])
'''
