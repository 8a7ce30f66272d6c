"""A seeded exchange that does not exist: for demonstrations and tests, never for performance."""

from podshop.feeds.simulated.exchange import simulate

__all__ = ["simulate"]
