"""Binance's USD-M endpoints over the small exchange, in process: as much as the ccxt adapter asks.

Shapes are those of the sample answers that ccxt carries (shared/venues/fixtures/ccxt) and of the venue's documentation.
"""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from podshop.venues.exchange.clock import ServedClock
from podshop.venues.exchange.placed import Placed
from podshop.venues.exchange.twin import Twin, Wish
from podshop.venues.exchange.units import text

LOTS = {"BTC": Decimal("0.00001"), "ETH": Decimal("0.0001")}
REFUSALS = {
    "margin": (-2019, "Margin is insufficient."),
    "min_notional": (-4164, "Order's notional must be no smaller than 10"),
    "reduce_only": (-2022, "ReduceOnly Order is rejected."),
}
SPOILED = {
    "html": b"<html><head><title>502 Bad Gateway</title></head></html>",
    "garbage": b'{"orderId": 15, "symbol": "BTC',
    "odd_numbers": b'{"orderId": 15, "executedQty": NaN}',
    "twice_keys": b'{"orderId": 15, "orderId": 16}',
}


class Refused(Exception):
    """An answer with a code."""


class Binance:
    """Answers requests over a twin, with what befalls them."""

    def __init__(self, twin: Twin, clock: ServedClock) -> None:
        self.twin, self.clock = twin, clock

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """One request."""
        sent = dict(parse_qsl(request.url.query.decode() or request.content.decode()))
        name = f"{request.method} {request.url.path.removeprefix('/fapi/')}"
        now_ns = self.clock.now_ns()
        self.twin.advance(now_ns)
        fault = "" if name == "POST v1/order" else self.twin.evil.read_fault(now_ns).removeprefix("read_")
        status, found = 200, None
        try:
            if name == "POST v1/order":
                found, fault = self._placed(sent)
            else:
                found = ANSWERS[name](self, sent)
        except Refused as e:
            status, found = 400, {"code": e.args[0], "msg": e.args[1]}
        return spoil(fault, status, found)

    def info(self, sent: dict[str, str]) -> Any:
        """GET exchangeInfo."""
        return {"rateLimits": [], "assets": [], "symbols": [_symbol(name, lot) for name, lot in LOTS.items()]}

    def time(self, sent: dict[str, str]) -> Any:
        """GET time."""
        return {"serverTime": self.twin.clock_ns(self.clock.now_ns()) // 10**6}

    def klines(self, sent: dict[str, str]) -> Any:
        """GET klines: only bars that have begun; the last one unfinished."""
        tape, name = self.twin.truth.tape, sent["symbol"].removesuffix("USDT")
        m, rows = tape.names.index(name), []
        for row, closed in enumerate(tape.time.tolist()):
            opened = closed // 10**6 - tape.interval_ns // 10**6
            if opened >= int(sent["startTime"]) and opened * 10**6 <= self.clock.now_ns():
                columns = ("open", "high", "low", "close", "volume")
                values = [repr(float(tape.market.columns[c][row, m])) for c in columns]
                rows.append([opened, *values, closed // 10**6 - 1, "0", 1, "0", "0", "0"])
        return rows[: int(sent["limit"])]

    def depth(self, sent: dict[str, str]) -> Any:
        """GET depth."""
        name = sent["symbol"].removesuffix("USDT")
        quote = self.twin.mids(self.clock.now_ns())[name]
        mid, tick = Decimal(quote.price_micro) / 10**6 / LOTS[name], Decimal("0.1")
        stamp = self.clock.now_ns() // 10**6
        return {"E": stamp, "T": stamp, "bids": [[text(mid - tick), "1"]], "asks": [[text(mid + tick), "1"]]}

    def order(self, sent: dict[str, str]) -> Any:
        """GET order."""
        found = self.twin.truth.find(sent.get("orderId"), sent.get("origClientOrderId", ""))
        if found is None:
            raise Refused(-2013, "Order does not exist.")
        return _row(found)

    def cancel(self, sent: dict[str, str]) -> Any:
        """DELETE order."""
        if not self.twin.truth.cancel(self.clock.now_ns(), int(sent["orderId"])):
            raise Refused(-2011, "Unknown order sent.")
        return self.order(sent)

    def positions(self, sent: dict[str, str]) -> Any:
        """GET positionRisk."""
        held = self.twin.account(self.clock.now_ns()).lots
        if self.twin.evil.fires("empty"):
            return []
        return [
            {"symbol": f"{n}USDT", "positionSide": "BOTH", "positionAmt": text(k * LOTS[n])}
            for n, k in held.items()
            if k
        ]

    def account(self, sent: dict[str, str]) -> Any:
        """GET account."""
        seen, truth = self.twin.account(self.clock.now_ns()), self.twin.truth
        margin = text(Decimal(truth.margin_micro()) / 10**6)
        return {
            "totalMarginBalance": text(Decimal(seen.equity_micro) / 10**6),
            "totalInitialMargin": margin,
            "assets": [],
        }

    def trades(self, sent: dict[str, str]) -> Any:
        """GET userTrades."""
        rows = [
            {
                "symbol": f"{f.market}USDT",
                "id": int(f.fill_id),
                "orderId": int(f.order_id),
                "side": "BUY" if f.lots > 0 else "SELL",
                "price": text(Decimal(f.price_micro) / 10**6 / LOTS[f.market]),
                "qty": text(abs(f.lots) * LOTS[f.market]),
                "commission": text(Decimal(f.fee_micro) / 10**6),
                "commissionAsset": "USDT",
                "time": f.at_ns // 10**6,
                "positionSide": "BOTH",
                "maker": False,
            }
            for f in self.twin.fills(self.clock.now_ns())
        ]
        return _within(rows, sent)

    def income(self, sent: dict[str, str]) -> Any:
        """GET income."""
        rows = [
            {
                "symbol": f"{p.market}USDT",
                "incomeType": "FUNDING_FEE",
                "income": text(Decimal(p.cash_micro) / 10**6),
                "asset": "USDT",
                "time": p.at_ns // 10**6,
                "tranId": int(p.paid_id.removeprefix("F")),
            }
            for p in self.twin.truth.fundings(self.clock.now_ns(), 0)
        ]
        return _within(rows, sent)

    def _placed(self, sent: dict[str, str]) -> tuple[Any, str]:
        name = sent["symbol"].removesuffix("USDT")
        lots = int(Decimal(sent["quantity"]) / LOTS[name]) * (1 if sent["side"] == "BUY" else -1)
        limit = int(Decimal(sent["price"]) * LOTS[name] * 10**6)
        client = sent["newClientOrderId"]
        reduces = sent.get("reduceOnly") == "true"
        wish = Wish(name, lots, limit, reduces, client_id=client, tag=client)
        done = self.twin.send(self.clock.now_ns(), wish)
        self.twin.advance(self.clock.now_ns())
        if done.fault == "unrounded":
            raise Refused(-4014, "Price not increased by tick size.")
        if done.ack is None:
            return None, done.fault or "late"
        if done.ack.order is None or done.ack.order.filled == 0:
            code = done.ack.code
            if code in REFUSALS:
                raise Refused(*REFUSALS[code])
            if done.ack.order is None:
                raise Refused(-1102, "Mandatory parameter was not sent.")
        return _row(done.ack.order), done.fault


ANSWERS: dict[str, Any] = {
    "GET v1/exchangeInfo": Binance.info,
    "GET v1/time": Binance.time,
    "GET v1/klines": Binance.klines,
    "GET v1/depth": Binance.depth,
    "GET v1/order": Binance.order,
    "DELETE v1/order": Binance.cancel,
    "GET v3/positionRisk": Binance.positions,
    "GET v3/account": Binance.account,
    "GET v1/userTrades": Binance.trades,
    "GET v1/income": Binance.income,
}


def spoil(fault: str, status: int, found: Any) -> httpx2.Response:
    """An honest answer, or what a fault makes of it."""
    if fault in ("lost_before", "lost_after", "late", "timeout", "down"):
        raise httpx2.ReadTimeout("x")
    if fault == "reset":
        raise httpx2.ReadError("x")
    if fault == "busy":
        status, found = 429, {"code": -1003, "msg": "Too many requests."}
    if fault == "refused_after_fill":
        status, found = 400, {"code": -1000, "msg": "An unknown error occurred while processing the request."}
    body = SPOILED.get(fault, json.dumps(found).encode())
    return httpx2.Response(status, stream=httpx2.ByteStream(body))


def _within(rows: list[dict[str, Any]], sent: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of a symbol and span, as many as one page holds."""
    since, until, most = int(sent["startTime"]), int(sent["endTime"]), int(sent.get("limit", 500))
    return [r for r in rows if r["symbol"] == sent["symbol"] and since <= r["time"] <= until][:most]


def _row(order: Placed) -> dict[str, Any]:
    """An order as the venue shows it."""
    lot = LOTS[order.market]
    left = {"open": "NEW", "filled": "FILLED", "canceled": "EXPIRED", "rejected": "EXPIRED"}[order.status]
    return {
        "orderId": order.number,
        "symbol": f"{order.market}USDT",
        "status": left,
        "clientOrderId": order.client_id,
        "price": text(Decimal(order.limit_micro) / 10**6 / lot),
        "origQty": text(abs(order.asked) * lot),
        "executedQty": text(abs(order.filled) * lot),
        "cumQuote": "0",
        "timeInForce": "IOC",
        "type": "LIMIT",
        "reduceOnly": order.reduce_only,
        "side": "BUY" if order.asked > 0 else "SELL",
        "positionSide": "BOTH",
        "updateTime": order.at_ns // 10**6,
    }


def _symbol(name: str, lot: Decimal) -> dict[str, Any]:
    """A listing."""
    return {
        "symbol": f"{name}USDT",
        "pair": f"{name}USDT",
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "baseAsset": name,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "4529764", "tickSize": "0.1"},
            {"filterType": "LOT_SIZE", "stepSize": text(lot), "maxQty": "1000", "minQty": text(lot)},
            {"filterType": "MIN_NOTIONAL", "notional": "10"},
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC"],
    }
