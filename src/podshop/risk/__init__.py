"""The risk office: agents publish limits, the gate enforces them on every order."""

from podshop.risk.drawdown import DrawdownLimiter

__all__ = ["DrawdownLimiter"]
