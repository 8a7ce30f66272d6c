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

RISK = '''"""NAME: say here in one line what you watch, and why. This one works: change what it computes."""

from dataclasses import dataclass

import numpy as np

from podshop.nouns import Limits, Panel
from podshop.nouns.limits import RiskView


@dataclass(frozen=True, slots=True, kw_only=True)
class CLASS:
    """Allow less in all when days have become wilder than they usually are."""

    usual_days: int = 180  # settings: the fund file may change them
    recent_days: int = 10
    least: float = 0.25

    def __call__(self, view: RiskView) -> Limits:
        factor = NAME(view.daily, self.usual_days, self.recent_days, self.least)
        if factor is None:
            return Limits(reason="too few days to tell", version=view.version)
        return Limits(
            reason=f"gross x {factor:.2f}", version=view.version, max_gross=factor * view.mandate.max_gross
        )


def NAME(daily: Panel, usual_days: int, recent_days: int, least: float) -> float | None:
    """What is left of the gross: how large the usual day is beside the recent one; None where days are too few.

    daily                    (D, M) log returns of days, oldest first; NaN = unknown
    usual_days, recent_days  how many of the last days are the usual and the recent ones
    least                    never less than this, 0 to 1
    ->                       least to 1

    >>> calm, wild = np.full((30, 1), 0.01), np.full((10, 1), 0.02)
    >>> round(NAME(np.vstack([calm, wild]), usual_days=40, recent_days=10, least=0.25), 9)
    0.5
    """
    size = np.abs(daily[-usual_days:])
    size = size[np.isfinite(size).all(axis=1)]
    if len(size) < 2 * recent_days or not size.any():
        return None
    of_day = size.mean(axis=1)
    recent = float(of_day[-recent_days:].mean())
    return 1.0 if recent == 0.0 else float(np.clip(np.median(of_day) / recent, least, 1.0))
'''

RISK_TEST = '''"""NAME keeps the contract of risk agents, and says what it should."""

from dataclasses import replace

from NAME import CLASS

from podshop.research.risk_contract import check, made_up


def test_NAME_keeps_the_contract() -> None:
    assert [(finding.check, finding.found, finding.fix) for finding in check(CLASS()) if not finding.passed] == []


def test_NAME_allows_less_after_wild_days() -> None:
    view = made_up(seed=1)[-1]
    wild = view.daily.copy()
    wild[-10:] *= 10.0
    calm, warned = CLASS()(view), CLASS()(replace(view, daily=wild))
    assert warned.max_gross < 0.5 * calm.max_gross
    assert warned.version == view.version
'''
