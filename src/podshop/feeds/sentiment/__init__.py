"""How a headline sounds, judged offline: no model, no network, the same answer for ever."""

from podshop.feeds.sentiment.tone import tone

__all__ = ["tone"]
