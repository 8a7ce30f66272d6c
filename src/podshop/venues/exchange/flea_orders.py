"""Settings and orders that only Purple Flea's own database knows: no limit, stop or history here binds the venue.

Limit orders, stops and take-profits are rows that the real server looks at every 30 seconds. Nobody looks at them here:
they never fill, which is what an adapter has to reckon with.
"""

from collections.abc import Mapping
from typing import Any

from podshop.venues.exchange.flea import Flea
from podshop.venues.exchange.flea_rows import Agent
from podshop.venues.exchange.flea_text import Answer, error, is_number, number

CHECK_TIP = "POST /v1/trade/check-limits to execute triggered orders"
MOST_PENDING = 10


def risk_settings(flea: Flea, agent: Agent) -> Answer:
    """GET /trade/risk-settings."""
    tip = "POST /v1/trade/risk-settings { max_daily_loss_usd: 500 } to set a daily loss limit"
    settings, today = agent.risk_settings(), agent.risk_today(flea.now_s())
    return 200, {"risk_settings": settings, "today": today, "update_tip": tip}


def set_risk(agent: Agent, body: Mapping[str, Any]) -> Answer:
    """POST /trade/risk-settings: what is too high is lowered without a word."""
    changed = []
    if "max_daily_loss_usd" in body:
        loss = body["max_daily_loss_usd"]
        if loss is not None and (not is_number(loss) or loss <= 0):
            return error(400, "invalid_value", "max_daily_loss_usd must be a positive number or null")
        agent.max_daily_loss_usd = loss
        changed.append("max_daily_loss_usd: disabled" if loss is None else f"max_daily_loss_usd: ${number(loss)}")
    if "max_leverage" in body:
        if not is_number(body["max_leverage"]) or not 1 <= body["max_leverage"] <= 50:
            return error(400, "invalid_value", "max_leverage must be 1-50")
        agent.max_leverage = min(body["max_leverage"], 20 if agent.tier == "free" else 50)
        changed.append(f"max_leverage: {number(agent.max_leverage)}x")
    if "max_position_usd" in body:
        if not is_number(body["max_position_usd"]) or body["max_position_usd"] <= 0:
            return error(400, "invalid_value", "max_position_usd must be a positive number")
        agent.max_position_usd = min(body["max_position_usd"], 50_000 if agent.tier == "free" else 1_000_000)
        changed.append(f"max_position_usd: ${number(agent.max_position_usd)}")
    if not changed:
        return error(400, "no_changes", "Provide max_daily_loss_usd, max_leverage or max_position_usd")
    note = "Daily loss limit blocks new trade opens until UTC midnight when limit is reached."
    return 200, {"success": True, "changed": changed, "risk_settings": agent.risk_settings(), "note": note}


def limit_order(flea: Flea, agent: Agent, body: Mapping[str, Any]) -> Answer:
    """POST /trade/limit: a row in the database, nothing at the venue. Nobody looks at it here: it never fills."""
    coin, target, size = flea.coin(body.get("coin")), body.get("limit_price"), body.get("size_usd")
    if not body.get("coin") or body.get("side") not in ("long", "short"):
        return error(400, "invalid_request", "Provide coin, side (long/short), size_usd, limit_price")
    if coin is None:
        return error(400, "unknown_coin", f"Unknown coin: {body['coin']}")
    if not is_number(size) or not is_number(target) or size <= 0 or target <= 0:
        return error(400, "invalid_price", "limit_price and size_usd must be positive numbers")
    if size > agent.max_position_usd:
        return error(400, "too_large", f"Max position size is ${number(agent.max_position_usd)}")
    if sum(order["status"] == "pending" for order in agent.limits) >= MOST_PENDING:
        return error(400, "limit_reached", "Max 10 pending limit orders")
    asked, now = body.get("leverage", 5), flea.prices().get(coin, 0.0)
    leverage = asked if is_number(asked) else 5
    order = {
        "order_id": flea.new_id("ord"),
        "coin": coin,
        "side": body["side"],
        "size_usd": number(size),
        "leverage": number(min(leverage, agent.max_leverage)),
        "limit_price": number(target),
    }
    agent.limits.append(order | {"status": "pending", "created_at": flea.now_s()})
    return 201, order | {
        "current_price": number(now),
        "direction": "below market (buy the dip)" if target < now else "above market",
        "status": "pending",
        "message": f"Limit order placed. Will execute when {coin} reaches ${target:,}.",
        "next": "POST /v1/trade/check-limits to check and execute pending orders",
    }


def limit_orders(agent: Agent) -> Answer:
    """GET /trade/limit-orders."""
    hidden = {"pending": {"status"}, "cancelled": {"status", "created_at", "leverage"}}
    lists: dict[str, Any] = {"pending": [], "filled": [], "cancelled": []}
    for order in agent.limits:
        lists[order["status"]].append({k: v for k, v in order.items() if k not in hidden[order["status"]]})
    return 200, lists | {"pending_count": len(lists["pending"]), "tip": CHECK_TIP}


def cancel_limit(agent: Agent, order_id: str) -> Answer:
    """DELETE /trade/limit-orders/{id}."""
    order = next((each for each in agent.limits if each["order_id"] == order_id), None)
    if order is None:
        return error(404, "not_found", "Order not found")
    if order["status"] != "pending":
        return error(400, "not_pending", f"Order is {order['status']}")
    order["status"] = "cancelled"
    return 200, {
        "message": f"Limit order {order_id} cancelled",
        "coin": order["coin"],
        "limit_price": order["limit_price"],
    }


def exit_order(flea: Flea, agent: Agent, kind: str, body: Mapping[str, Any]) -> Answer:
    """POST /trade/stop-loss, /trade/take-profit: another row; it protects nothing, and nobody looks at it here."""
    row, trigger = agent.find(body.get("position_id")), body.get("trigger_price")
    if row is None:
        return error(404, "position_not_found", "Position not found or not yours")
    if row.status != "open":
        return error(400, "position_not_open", "Position is not open")
    if not is_number(trigger) or trigger <= 0:
        return error(400, "invalid_trigger_price", "trigger_price must be positive")
    way = "falls" if (kind == "stop_loss") == (row.side == "long") else "rises"
    order = {
        "order_id": flea.new_id("ord"),
        "type": kind,
        "position_id": row.id,
        "coin": row.coin,
        "side": "sell" if row.side == "long" else "buy",
        "trigger_price": number(trigger),
        "size_usd": number(row.size_usd),
        "entry_price": number(row.entry_price),
    }
    agent.exits.append(order)
    note = f"Triggers when {row.coin} price {way} to ${number(trigger)}"
    return 200, order | {"trigger_note": note, "check_endpoint": "POST /v1/check-exits"}


def history(agent: Agent, limit: str) -> Answer:
    """GET /trade/history: newest first, fifty unless a number is given, two hundred at most."""
    most = min(int(limit), 200) if limit.isdigit() and int(limit) > 0 else 50
    shown = agent.trades[::-1][:most]
    return 200, {"trades": shown, "count": len(shown)}
