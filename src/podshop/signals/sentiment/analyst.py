"""A seat for an analyst: reads scores that somebody, or some language model, wrote down as they were given.

The agent trusts nothing but the range. What an analyst can lose is bounded by the budget of the books that listen to
it.

Source: Lopez-Lira & Tang (2023), "Can ChatGPT forecast stock price movements? Return predictability and large language
models", arXiv:2304.07619.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from podshop.maths import conviction
from podshop.nouns import Panel
from podshop.signals import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyst:
    """Say what the recorded score says; a score outside [-1, 1] is no score."""

    bar: str = "4h"
    reads: ClassVar[tuple[str, ...]] = ("llm_score",)
    family: ClassVar[str] = "sentiment"
    cross_sectional: ClassVar[bool] = False

    def __post_init__(self) -> None:
        fields.check(self)

    @property
    def lookback_bars(self) -> int:
        return 1

    def __call__(self, llm_score: Panel) -> Panel:
        return analyst(llm_score)


def analyst(llm_score: Panel) -> Panel:
    """Pass on each market's recorded score.

    llm_score  (T, M) score in [-1, 1] known at the close of the bar; NaN where there is none
    ->         (T, M) conviction in [-1, 1]; NaN means no opinion

    >>> analyst(np.array([[0.7, -1.0, 3.0, np.nan]])).round(2)
    array([[ 0.7, -1. ,  nan,  nan]])
    """
    return conviction(np.where(np.abs(llm_score) <= 1.0, llm_score, np.nan))
