"""Hyperliquid's `info` about an account: positions, orders, fills, funding. Any address but the account's is empty."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from podshop.nouns.venue import Filled
from podshop.venues.exchange.loopback import Loopback
from podshop.venues.exchange.placed import Placed
from podshop.venues.exchange.units import text, usd

MS = 1_000_000
MOST_FILLS, MOST_PAID = 2000, 500
REJECTED = {  # our code -> Hyperliquid's status of an order that was turned away
    "no_match": "iocCancelRejected",
    "min_notional": "minTradeNtlRejected",
    "margin": "perpMarginRejected",
    "reduce_only": "reduceOnlyRejected",
    "post_only": "badAloPxRejected",
}
TIFS = {"ioc": "Ioc", "gtc": "Gtc", "alo": "Alo"}


def state(loopback: Loopback, now_ns: int, *, own: bool) -> dict[str, Any]:
    """Positions and account value in one envelope."""
    truth, evil = loopback.truth, loopback.evil
    seen = loopback.twin.account(now_ns)
    lots = dict(seen.lots) if own and not evil.fires("empty") else {}
    positions, notional, margin = [], 0, 0
    for name, held in lots.items():
        unit, mark, leverage = loopback.units[name], seen.marks[name], truth.leverage[name]
        value, entry = abs(held) * mark, truth.account.entry_micro[name]
        used, gain = -(-value // leverage), round(held * (mark - entry))
        notional, margin = notional + value, margin + used
        basis = abs(held) * entry / leverage
        position = {
            "coin": unit.venue_name,
            "szi": text(unit.size(held)),
            "leverage": {"type": "cross", "value": leverage},
            "entryPx": text(round(unit.price(entry), 8)),
            "positionValue": usd(value),
            "unrealizedPnl": usd(gain),
            "returnOnEquity": text(round(Decimal(gain / basis), 10)) if basis else "0.0",
            "liquidationPx": _liquidation(loopback, name, held, seen.equity_micro),
            "marginUsed": usd(used),
            "maxLeverage": truth.terms.max_leverage.get(name, 20),
            "cumFunding": _funding_paid(loopback, name),
        }
        positions.append({"type": "oneWay", "position": position})
    equity = seen.equity_micro if own else 0
    summary = {
        "accountValue": usd(equity),
        "totalNtlPos": usd(notional),
        "totalRawUsd": usd(seen.cash_micro if own else 0),
        "totalMarginUsed": usd(margin),
    }
    stamp = loopback.stamp_ms() + (seen.venue_ns - now_ns) // MS
    return {
        "marginSummary": summary,
        "crossMarginSummary": dict(summary),
        "crossMaintenanceMarginUsed": usd(margin // 2),
        "withdrawable": usd(max(equity - margin, 0)),
        "assetPositions": positions,
        "time": stamp,
    }


def _liquidation(loopback: Loopback, name: str, held: int, equity: int) -> str | None:
    """Price at which this market alone eats the account; None where none would."""
    mark, unit = loopback.truth.mark_micro(name), loopback.units[name]
    price = mark - round(equity * 0.97 / held)
    return text(unit.price(price)) if price > 0 else None


def _funding_paid(loopback: Loopback, name: str) -> dict[str, str]:
    """The opposite of a cash flow: what was paid is positive."""
    paid = usd(-sum(each.cash_micro for each in loopback.truth.account.paid if each.market == name))
    return {"allTime": paid, "sinceOpen": paid, "sinceChange": paid}


def open_orders(loopback: Loopback, *, detailed: bool) -> list[dict[str, Any]]:
    """What rests."""
    rows = [order_row(loopback, order) for order in loopback.truth.resting()]
    if detailed:
        return rows
    brief = ("coin", "limitPx", "oid", "origSz", "side", "sz", "timestamp", "cloid")
    return [{key: row[key] for key in brief if key != "cloid" or row[key]} for row in rows]


def order_row(loopback: Loopback, order: Placed) -> dict[str, Any]:
    """One order."""
    unit = loopback.units[order.market]
    return {
        "coin": unit.venue_name,
        "side": "B" if order.asked > 0 else "A",
        "limitPx": text(unit.price(order.limit_micro)),
        "sz": text(abs(unit.size(order.asked - order.filled))),
        "oid": order.number,
        "timestamp": order.at_ns // MS,
        "triggerCondition": "N/A",
        "isTrigger": False,
        "triggerPx": "0.0",
        "children": [],
        "isPositionTpsl": False,
        "reduceOnly": order.reduce_only,
        "orderType": "Limit",
        "origSz": text(abs(unit.size(order.asked))),
        "tif": TIFS[order.tif],
        "cloid": f"0x{order.client_id}" if order.client_id else None,
    }


def status_row(loopback: Loopback, order: Placed) -> dict[str, Any]:
    """One order and what became of it."""
    status = REJECTED.get(order.code, "rejected") if order.status == "rejected" else order.status
    return {"order": order_row(loopback, order), "status": status, "statusTimestamp": order.changed_ns // MS}


def order_status(loopback: Loopback, oid: object) -> dict[str, Any]:
    """One order by the exchange's id (a number) or by the sender's (0x and 32 hex digits)."""
    found = None
    if isinstance(oid, int):
        found = loopback.truth.find(str(oid))
    elif isinstance(oid, str):
        found = loopback.truth.find(None, oid.removeprefix("0x").lower())
    return {"status": "unknownOid"} if found is None else {"status": "order", "order": status_row(loopback, found)}


def historical_orders(loopback: Loopback) -> list[dict[str, Any]]:
    """The newest two thousand orders, newest first."""
    newest = sorted(loopback.truth.orders.values(), key=lambda each: -each.number)[:MOST_FILLS]
    return [status_row(loopback, order) for order in newest]


class FillRows:
    """Every fill as a row of `userFills`, made once each, with what it did to the position."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._held: dict[str, int] = {}
        self._entry: dict[str, float] = {}

    def of(self, loopback: Loopback, filled: Sequence[Filled]) -> list[dict[str, Any]]:
        """Rows of these fills; a record that comes twice says the same twice."""
        for fill in loopback.truth.account.fills[len(self._rows) :]:
            self._rows[fill.fill_id] = self._row(loopback, fill)
        return [self._rows[fill.fill_id] for fill in filled]

    def _row(self, loopback: Loopback, fill: Filled) -> dict[str, Any]:
        unit, before, was = (
            loopback.units[fill.market],
            self._held.get(fill.market, 0),
            self._entry.get(fill.market, 0.0),
        )
        after = before + fill.lots
        closed = min(abs(before), abs(fill.lots)) * (1 if before > 0 else -1) if before * fill.lots < 0 else 0
        if before * after <= 0:
            self._entry[fill.market] = float(fill.price_micro)
        elif abs(after) > abs(before):
            self._entry[fill.market] = (was * abs(before) + fill.price_micro * abs(fill.lots)) / abs(after)
        self._held[fill.market] = after
        return {
            "coin": unit.venue_name,
            "px": text(unit.price(fill.price_micro)),
            "sz": text(abs(unit.size(fill.lots))),
            "side": "B" if fill.lots > 0 else "A",
            "time": fill.at_ns // MS,
            "startPosition": text(unit.size(before)),
            "dir": _direction(fill, before, after),
            "closedPnl": usd(round(closed * (fill.price_micro - was))),
            "hash": f"0x{int(fill.fill_id):064x}",
            "oid": int(fill.order_id),
            "crossed": True,
            "fee": usd(fill.fee_micro),
            "tid": int(fill.fill_id),
            "feeToken": "USDC",
        } | _extras(loopback, fill)


def fills(loopback: Loopback, made: FillRows, now_ns: int, request: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The newest two thousand, newest first; or those of a span of time, oldest first, two thousand at most."""
    if request is None:
        return made.of(loopback, loopback.twin.fills(now_ns))[::-1][:MOST_FILLS]
    since, until = int(request["startTime"]), int(request.get("endTime") or now_ns // MS)
    rows = made.of(loopback, loopback.twin.fills(now_ns, since * MS))
    return [row for row in rows if row["time"] <= until][:MOST_FILLS]


def _extras(loopback: Loopback, fill: Filled) -> dict[str, Any]:
    found: dict[str, Any] = {"cloid": f"0x{fill.client_id}"} if fill.client_id else {}
    if fill.kind in ("liquidation", "adl"):
        mark = text(loopback.units[fill.market].price(fill.price_micro))
        method = "market" if fill.kind == "liquidation" else "backstop"
        found["liquidation"] = {"liquidatedUser": loopback.wallet, "markPx": mark, "method": method}
    return found


def _direction(fill: Filled, before: int, after: int) -> str:
    if fill.kind == "settlement":
        return "Settlement"
    if fill.kind == "adl":
        return "Auto-Deleveraging"
    if before * after < 0:
        return "Long > Short" if before > 0 else "Short > Long"
    side = "Long" if (before or after) > 0 else "Short"
    return f"{'Open' if abs(after) > abs(before) else 'Close'} {side}"


def funding(loopback: Loopback, now_ns: int, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settlements of the account, oldest first, at most 500; `usdc` is the cash that came in."""
    since, until = int(request["startTime"]), int(request.get("endTime") or now_ns // MS)
    rows = []
    for paid in loopback.truth.fundings(now_ns):
        unit, at = loopback.units[paid.market], paid.at_ns // MS
        if since <= at <= until:
            delta = {
                "type": "funding",
                "coin": unit.venue_name,
                "usdc": usd(paid.cash_micro),
                "szi": text(unit.size(paid.lots)),
                "fundingRate": text(Decimal(repr(paid.rate))),
                "nSamples": None,
            }
            rows.append({"time": at, "hash": f"0x{int(paid.paid_id[1:]):064x}", "delta": delta})
    return rows[:MOST_PAID]
