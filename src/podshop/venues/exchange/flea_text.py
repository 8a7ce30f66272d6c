"""How Purple Flea's server writes: JavaScript's numbers, times as ISO text, the words of its errors."""

import math
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

INFO = {
    "service": "agent-trading",
    "docs": "https://trading.purpleflea.com/llms.txt",
    "referral": "GET /v1/gossip for passive income info",
    "version": "3.0.0",
}
EXAMPLES = {
    "stock": {"coin": "TSLA", "side": "long", "size_usd": 1000, "leverage": 5},
    "commodity": {"coin": "GOLD", "side": "short", "size_usd": 500, "leverage": 10},
    "crypto": {"coin": "BTC", "side": "long", "size_usd": 5000, "leverage": 3},
}
UNEXPECTED = "Unexpected token '<', \"<html><hea\"... is not valid JSON"  # what a 502 of the venue turns into
Answer = tuple[int, dict[str, Any]]


def number(value: float) -> int | float:
    """A number as JavaScript writes it: 67013, not 67013.0."""
    return int(value) if math.isfinite(value) and value == int(value) else value


def cents(value: float) -> float:
    """Rounded to cents, halves away from zero, as the server does.

    >>> cents(0.175), cents(-0.005), cents(2.0)
    (0.18, -0.01, 2.0)
    """
    return math.copysign(math.floor(abs(value) * 100 + 0.5 + 1e-9), value) / 100


def error(status: int, code: str, message: str | None = None, **more: Any) -> Answer:
    """An error's answer; some have no message."""
    return status, {"error": code} | ({} if message is None else {"message": message}) | more


RATE_LIMITED = error(429, "rate_limited", "Too many requests. Limit: 30 per 60s")


def iso(now_s: float) -> str:
    """2026-11-22T10:46:45.573Z"""
    return datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_midnight_after(now_s: int) -> str:
    """When a day's limits are reset."""
    today = datetime.fromtimestamp(now_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return iso((today + timedelta(days=1)).timestamp())


def is_number(value: object) -> TypeGuard[float]:
    """A JSON number that is finite, as JavaScript reads it (1 and 400 noughts is not); true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
