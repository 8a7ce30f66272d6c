"""The tone of a headline, by counting words.

Source: Hutto & Gilbert (2014), "VADER: a parsimonious rule-based model for sentiment analysis of social media text",
ICWSM-14 (package vaderSentiment, MIT), with the terms of `lexicon` on top.
"""

import re
from functools import cache
from typing import Any

from podshop.feeds.sentiment.lexicon import PHRASES, SCORES


def tone(headline: str) -> float:
    """Score a headline from -1 (bad for the coins it names) to 1 (good); 0 says that no word was known.

    >>> tone("SEC sues crypto exchange"), tone("Bitcoin soars to an all-time high"), tone("A week in review")
    (-0.4588, 0.8176, 0.0)
    """
    joined = _PHRASE.sub(lambda found: PHRASES[found.group(0).lower()], headline)
    return float(_analyzer().polarity_scores(joined)["compound"])


_PHRASE = re.compile(rf"\b({'|'.join(sorted(map(re.escape, PHRASES), key=len, reverse=True))})\b", re.IGNORECASE)


@cache
def _analyzer() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    analyzer.lexicon.update(SCORES)
    return analyzer
