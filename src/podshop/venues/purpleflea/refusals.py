"""The published list of what certainly was not executed. Everything else is unknown.

Purple Flea answers 400 with the same words for an order that was executed and for one that was not ("fetch failed",
"Unexpected token ..."): it wraps whatever went wrong between it and Hyperliquid, before or after the order. So a status
proves nothing; a refusal needs a status and a code that its published source raises before it sends, or a message that
begins with words that Hyperliquid or the source use only for orders not placed. The captures of each case are in
shared/venues/fixtures/purpleflea; the test of this list runs over all of them.
"""

import json
from typing import Any

from podshop.nouns.venue import Reply
from podshop.venues.hyperliquid.replies import OF_AN_ORDER
from podshop.venues.sending import listed, refused, unknown

BEFORE_SENDING = {  # (status, error) -> our code
    (401, "unauthorized"): "KEY",
    (401, "invalid_key"): "KEY",
    (400, "invalid_request"): "REQUEST",
    (400, "invalid_side"): "REQUEST",
    (400, "invalid_size"): "REQUEST",
    (400, "invalid_leverage"): "REQUEST",
    (400, "invalid_price"): "REQUEST",
    (400, "unknown_coin"): "MARKET",
    (400, "too_large"): "TOO_LARGE",
    (400, "position_too_large"): "TOO_LARGE",
    (400, "limit_reached"): "LIMIT",
    (400, "wallet_not_configured"): "WALLET",
    (400, "missing_position_id"): "REQUEST",
    (400, "provide position_id"): "REQUEST",
    (400, "position_not_open"): "GONE",
    (403, "daily_loss_limit_reached"): "DAILY_LOSS",
    (404, "position_not_found"): "GONE",
    (404, "not_found"): "PATH",
    (404, "market_not_found"): "MARKET",
    (404, "no_price"): "PRICE",
    (429, "rate_limited"): "RATE",
}
IN_WORDS = {  # of trade_failed and close_failed, by how the message begins
    "Market not found": "MARKET",
    "No price available": "PRICE",
    "No price for": "PRICE",
    "Max leverage for": "LEVERAGE",
    "Position size too small": "MINIMUM",
    "floatToWire causes rounding": "TICK",
    "Hyperliquid order rejected:": "REJECTED",
    "Hyperliquid close rejected:": "REJECTED",
    "Order error:": "REJECTED",  # followed by Hyperliquid's words, which may name a better code
    "No open position for": "FLAT",
}
NOT_FILLED = "Close order not filled: "  # followed by Hyperliquid's answer, which is read


def refusal(status: int, said: Any) -> Reply:
    """What an answer that is not a clear yes means. said: the decoded body"""
    body = said if isinstance(said, dict) else {}
    error, message = body.get("error"), body.get("message", "")
    if not isinstance(error, str):
        return unknown(f"HTTP_{status}")
    code = BEFORE_SENDING.get((status, error))
    if code is not None:
        return refused(code, f"{error} {message}" if isinstance(message, str) else error)
    if status == 400 and error in ("trade_failed", "close_failed"):
        if isinstance(message, str) and message.startswith(NOT_FILLED):
            return _not_filled(message)
        found = listed(message, IN_WORDS)
        inner = listed(message.removeprefix("Order error: "), OF_AN_ORDER) if found.code == "REJECTED" else found
        return found._replace(code=inner.code) if inner.outcome == "refused" else found
    return unknown(f"HTTP_{status}", error)


def _not_filled(message: str) -> Reply:
    """A close without a fill: refused only if Hyperliquid's own answer, quoted behind it, is a listed refusal."""
    try:
        quoted = json.loads(message.removeprefix(NOT_FILLED))
        (entry,) = quoted["response"]["data"]["statuses"]
        if quoted["status"] == "ok" and set(entry) == {"error"}:
            return listed(entry["error"], OF_AN_ORDER)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    return unknown("UNLISTED", message)
