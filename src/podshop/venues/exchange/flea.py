"""Purple Flea's server in front of the exchange: opens, closes and positions, as the published server treats them.

What it does is in its answers and not in its name: an open is an IOC at the middle +- 0.5 %, a close closes the whole
coin whatever row is named, positions are netted while rows are not, close-all sends nothing, and a 400 may come after a
fill. Prices are middles up to 30 seconds old. Nothing here is idempotent.
"""

import json
from collections.abc import Mapping
from typing import Any

from podshop.nouns import SECOND_NS
from podshop.venues.exchange.flea_rows import Agent, Row, name_of, paper_agent
from podshop.venues.exchange.flea_text import (
    EXAMPLES,
    RATE_LIMITED,
    Answer,
    cents,
    error,
    is_number,
    iso,
    number,
    utc_midnight_after,
)
from podshop.venues.exchange.loopback import Loopback
from podshop.venues.exchange.twin import Wish

CACHE_NS = 30 * SECOND_NS
SLIP = 0.005


class Flea:
    """The server's trading half, for one account at the exchange.

    agents  by key;  the one of PAPER_KEY is there from the start
    """

    def __init__(self, loopback: Loopback, tier: str = "free") -> None:
        self.loopback = loopback
        first = paper_agent(loopback.wallet, tier)
        self.agents: dict[str, Agent] = {first.key: first}
        self._cached: tuple[int, dict[str, float]] = (-CACHE_NS, {})
        self._ids = 0

    # ---------------------------------------------------------------- prices

    def prices(self) -> dict[str, float]:
        """Middles by the venue's names, up to 30 seconds old."""
        now_ns = self.loopback.now_ns()
        if now_ns - self._cached[0] >= CACHE_NS:
            self._cached = now_ns, self._fresh()
        return self._cached[1]

    def _fresh(self) -> dict[str, float]:
        units, found = self.loopback.units, self.loopback.twin.mids(self.loopback.now_ns())
        return {units[name].venue_name: float(units[name].price(quote.price_micro)) for name, quote in found.items()}

    def coin(self, asked: object) -> str | None:
        """The canonical name of a market."""
        names = {name.upper(): name for name in self.loopback.by_venue_name}
        return names.get(asked.upper()) if isinstance(asked, str) else None

    def now_s(self) -> int:
        """Unix seconds of the exchange."""
        return self.loopback.now_ns() // SECOND_NS

    def new_id(self, kind: str) -> str:
        """A name for something new."""
        self._ids += 1
        return f"{kind}_{name_of(kind, self._ids)}"

    # ---------------------------------------------------------------- open

    async def open(self, agent: Agent, body: Mapping[str, Any]) -> tuple[Answer, str]:
        """POST /trade/open. -> answer, and what befalls it on its way back."""
        refused = self._unfit(agent, body)
        if refused is not None:
            return refused, ""
        coin, side, size_usd = self.coin(body["coin"]), body["side"], float(body["size_usd"])
        if coin is None:
            text = f"Market not found: {body['coin']}. Try GET /v1/markets to see available markets."
            return error(400, "trade_failed", text), ""
        unit, truth = self.loopback.by_venue_name[coin], self.loopback.truth
        asset, most = list(self.loopback.by_venue_name).index(coin), truth.terms.max_leverage.get(unit.name, 20)
        leverage = min(float(body.get("leverage", 5)), agent.max_leverage)
        if leverage > most:
            return error(400, "trade_failed", f"Max leverage for {coin} is {most}x"), ""
        price = self.prices().get(coin)
        if price is None:
            return error(400, "trade_failed", f"No price available for {coin}"), ""
        if not agent.funded:
            text = f"Hyperliquid order rejected: User or API Wallet {agent.wallet} does not exist."
            return error(400, "trade_failed", text), ""
        lots = round(size_usd / price * 10**unit.decimals)
        if lots == 0:
            return error(400, "trade_failed", f"Position size too small for {coin}"), ""
        real = max(int(leverage) // 2, 1) if self.loopback.evil.fires("leverage_cap") else int(leverage)
        truth.set_leverage(
            unit.name, real
        )  # before the order, even for one that then fails; nobody looks at the answer
        signed, limit = (lots, price * (1 + SLIP)) if side == "long" else (-lots, price * (1 - SLIP))
        sent = await self.loopback.deliver(Wish(unit.name, signed, round(limit * 10 ** (6 - unit.decimals))))
        if sent.fault == "busy":
            return RATE_LIMITED, ""
        failed = self._failed(sent.fault, limit, asset, sent.ack.text if sent.ack and sent.ack.code else "")
        if failed:
            return error(400, "trade_failed", failed), sent.fault
        if sent.ack is None or sent.ack.order is None:
            return error(400, "trade_failed", "fetch failed"), sent.fault
        order = sent.ack.order
        filled = abs(lots if sent.fault == "partial_close" else order.filled)
        return self._opened(agent, coin, side, order.number, filled, sent.ack.price_micro, leverage), sent.fault

    def _unfit(self, agent: Agent, body: Mapping[str, Any]) -> Answer | None:
        """What is wrong with a request, in the order in which the server looks."""
        coin, side, size = body.get("coin"), body.get("side"), body.get("size_usd")
        if not coin or not side or size is None:
            return error(400, "invalid_request", "Provide coin, side (long/short), size_usd", examples=EXAMPLES)
        if side not in ("long", "short"):
            return error(400, "invalid_side", "side must be 'long' or 'short'")
        if not is_number(size) or size <= 0:
            return error(400, "invalid_size", "size_usd must be a positive number")
        leverage = body.get("leverage", 5)
        if not is_number(leverage) or leverage < 1:
            return error(400, "invalid_leverage", "leverage must be a number >= 1")
        if size > agent.max_position_usd:
            most = number(agent.max_position_usd)
            text = f"Max position size is ${most}. Upgrade tier for higher limits."
            return 400, {"error": "position_too_large", "max_position_usd": most, "message": text}
        limit, loss = agent.max_daily_loss_usd, agent.loss_today(self.now_s())
        if limit is not None and loss >= limit:
            return error(
                403,
                "daily_loss_limit_reached",
                f"Daily loss limit of ${number(limit)} reached. Trading blocked until UTC midnight.",
                daily_loss_limit_usd=number(limit),
                current_daily_loss_usd=number(cents(loss)),
                resets_at=utc_midnight_after(self.now_s()),
                tip="Update your limit via POST /v1/trade/risk-settings",
            )
        return None

    def _failed(self, fault: str, limit: float, asset: int, refusal: str) -> str:
        """The free text of a trade that failed, or that the server believes to have."""
        if fault == "unrounded":
            return f"floatToWire causes rounding: {limit * (1 + 2e-16)!r}"
        if fault == "refused_after_fill":
            return "fetch failed"
        return f"Order error: {refusal.format(bid='', ask='')} asset={asset}" if refusal else ""

    def _opened(
        self, agent: Agent, coin: str, side: str, oid: int, lots: int, price_micro: int, leverage: float
    ) -> Answer:
        """Write the row, and answer with what was filled."""
        unit, terms = self.loopback.by_venue_name[coin], self.loopback.truth.terms
        entry = float(unit.price(price_micro))
        size_usd = cents(float(unit.size(lots)) * entry)
        room = 1 / leverage - 0.005
        liquidation = round(entry * (1 - room if side == "long" else 1 + room), 6)
        fee, of_venue, own = agent.fee(size_usd)
        margin, now_s = cents(size_usd / leverage), self.now_s()
        row = Row(
            self.new_id("pos"), coin, side, size_usd, entry, leverage, margin, liquidation, oid, now_s
        )  # fmt: skip
        order_id = self.new_id("ord")
        if not self.loopback.evil.fires("orphan"):
            agent.rows.append(row)
            agent.trade(order_id, coin, "buy" if side == "long" else "sell", size_usd, entry, 0.0, now_s)
        return 200, {
            "position_id": row.id,
            "order_id": order_id,
            "coin": coin,
            "ticker": coin,
            "category": "crypto",
            "dex": "main",
            "side": side,
            "size_usd": number(size_usd),
            "entry_price": number(entry),
            "leverage": number(leverage),
            "max_leverage": terms.max_leverage.get(unit.name, 20),
            "margin_used": number(margin),
            "liquidation_price": number(liquidation),
            "fee": number(fee),
            "fee_breakdown": {"hyperliquid": number(of_venue), "purple_flea_builder": number(own)},
            "hl_order_id": oid,
            "execution": "real",
            "status": "open",
        }

    # ---------------------------------------------------------------- close

    async def close(self, agent: Agent, body: Mapping[str, Any]) -> tuple[Answer, str]:
        """POST /trade/close: the whole coin, whatever row is named."""
        if not body.get("position_id"):
            return error(400, "provide position_id"), ""
        row = agent.find(body["position_id"])
        if row is None or row.status != "open":
            return error(404, "position_not_found"), ""
        unit, truth = self.loopback.by_venue_name[row.coin], self.loopback.truth
        self.loopback.now_ns()
        held = truth.lots[unit.name] if agent.funded else 0
        if held == 0:
            return error(400, "close_failed", f"No open position for {row.coin} on Hyperliquid"), ""
        price = self.prices().get(row.coin)
        if price is None:
            return error(400, "close_failed", f"No price for {row.coin}"), ""
        limit = round(price * (1 + SLIP if held < 0 else 1 - SLIP) * 10 ** (6 - unit.decimals))
        sent = await self.loopback.deliver(Wish(unit.name, -held, limit, reduce_only=True))
        asset = list(self.loopback.by_venue_name).index(row.coin)
        if sent.fault == "busy":
            return RATE_LIMITED, ""
        if sent.fault in ("unrounded", "refused_after_fill"):
            return error(400, "close_failed", self._failed(sent.fault, limit, asset, "")), sent.fault
        if sent.ack is None or sent.ack.order is None:
            return error(400, "close_failed", "fetch failed"), sent.fault
        if sent.ack.code:
            statuses = [{"error": f"{sent.ack.text} asset={asset}"}]
            said = {"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}
            return error(400, "close_failed", f"Close order not filled: {json.dumps(said, separators=(',', ':'))}"), ""
        return self._closed(agent, row, sent.ack.order.number, float(unit.price(sent.ack.price_micro))), sent.fault

    def _closed(self, agent: Agent, row: Row, oid: int, exit_price: float) -> Answer:
        """Mark the one row, and answer with its figures, whatever was closed."""
        move = (exit_price - row.entry_price) / row.entry_price
        gain = cents(move * row.size_usd * (1 if row.side == "long" else -1))
        row.status, row.closed_s, row.realized = "closed", self.now_s(), gain
        side = "sell" if row.side == "long" else "buy"
        agent.trade(self.new_id("ord"), row.coin, side, row.size_usd, exit_price, gain, self.now_s())
        return 200, {
            "position_id": row.id,
            "coin": row.coin,
            "ticker": row.coin,
            "side": row.side,
            "entry_price": number(row.entry_price),
            "exit_price": number(exit_price),
            "size_usd": number(row.size_usd),
            "leverage": number(row.leverage),
            "pnl": number(gain),
            "pnl_percent": number(cents(100 * move)),
            "fee": number(agent.fee(row.size_usd)[0]),
            "hl_order_id": oid,
            "execution": "real",
            "status": "closed",
        }

    async def close_all(self, agent: Agent) -> Answer:
        """POST /trade/close-all: marks rows closed. With the fault switched off it sends, too: the honest twin."""
        rows = [row for row in agent.rows if row.status == "open"]
        if not rows:
            return 200, {"message": "No open positions to close.", "closed": 0}
        lies = self.loopback.evil.fires("close_all")
        for row in rows:
            if not lies:
                await self.close(agent, {"position_id": row.id})
            row.status, row.closed_s = "closed", self.now_s()
        note = "DB positions marked closed. For real Hyperliquid execution, positions are closed via the individual "
        results = [{"position_id": row.id, "coin": row.coin, "status": "closed", "pnl_usd": 0} for row in rows]
        return 200, {
            "message": f"Close-all executed: {len(rows)} positions closed.",
            "closed": len(rows),
            "errors": 0,
            "results": results,
            "note": f"{note}POST /v1/trade/close endpoint.",
            "updated": iso(self.loopback.now_ns() / 1e9),
        }
