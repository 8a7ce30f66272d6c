"""What Purple Flea's server keeps of its own: accounts, a row per open, trades. It drifts from what the venue holds."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from podshop.venues.exchange.flea_text import cents, number, utc_midnight_after

PAPER_KEY = "sk_trade_" + "50d5" * 12  # the key of the account that is there from the start; it guards nothing
TIERS = {"free": (10, 10_000), "pro": (25, 100_000), "whale": (50, 1_000_000)}
MARKUP = {"free": 0.0002, "pro": 0.0001, "whale": 0.0}
HL_FEE = 0.00035  # what the server believes Hyperliquid charges


@dataclass(slots=True)
class Row:
    """One open, in the server's database."""

    id: str
    coin: str
    side: str
    size_usd: float
    entry_price: float
    leverage: float
    margin_used: float
    liquidation_price: float
    oid: int
    opened_s: int
    status: str = "open"
    closed_s: int | None = None
    realized: float = 0.0

    def camel(self, agent_id: str, price: float) -> dict[str, Any]:
        """The row as `positions` shows it when it comes from the database."""
        sign = 1 if self.side == "long" else -1
        gain = cents(sign * (price - self.entry_price) / self.entry_price * self.size_usd)
        return {
            "id": self.id,
            "agentId": agent_id,
            "coin": self.coin,
            "side": self.side,
            "sizeUsd": number(self.size_usd),
            "entryPrice": number(self.entry_price),
            "leverage": number(self.leverage),
            "marginUsed": number(self.margin_used),
            "liquidationPrice": number(self.liquidation_price),
            "unrealizedPnl": number(self.realized),
            "status": self.status,
            "hlOrderId": str(self.oid),
            "openedAt": self.opened_s,
            "closedAt": self.closed_s,
            "ticker": self.coin,
            "current_price": number(price),
            "unrealized_pnl": number(gain if self.status == "open" else self.realized),
        }


@dataclass(slots=True)
class Agent:
    """An account of the server.

    wallet  whose venue account it trades; funded  that is the one the exchange holds
    """

    id: str
    key: str
    wallet: str
    funded: bool
    generated: bool
    tier: str = "free"
    max_leverage: float = 10
    max_position_usd: float = 10_000
    max_daily_loss_usd: float | None = None
    volume: float = 0.0
    fees: float = 0.0
    pnl: float = 0.0
    rows: list[Row] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    limits: list[dict[str, Any]] = field(default_factory=list)
    exits: list[dict[str, Any]] = field(default_factory=list)
    today: tuple[int, float, int] = (0, 0.0, 0)  # day, net result of its trades, their count

    def find(self, row_id: object) -> Row | None:
        """A row by its id, open or not."""
        return next((row for row in self.rows if row.id == row_id), None)

    def fee(self, size_usd: float) -> tuple[float, float, float]:
        """What the server believes a fill costs: all, the venue's part, its own."""
        own = MARKUP[self.tier]
        return cents(size_usd * (HL_FEE + own)), cents(size_usd * HL_FEE), cents(size_usd * own)

    def trade(self, order_id: str, coin: str, side: str, size: float, price: float, gain: float, now_s: int) -> None:
        """Write a trade down."""
        fee = self.fee(size)[0]
        self.volume, self.fees, self.pnl = self.volume + size, self.fees + fee, self.pnl + gain
        day, net, count = self.today
        net, count = (net, count) if day == now_s // 86_400 else (0.0, 0)
        self.today = (now_s // 86_400, net + gain - fee, count + 1)
        trade = {
            "id": f"trd_{name_of(self.id, 'trade', len(self.trades))}",
            "agentId": self.id,
            "orderId": order_id,
            "coin": coin,
            "side": side,
            "sizeUsd": number(size),
            "price": number(price),
            "fee": number(fee),
            "realizedPnl": number(gain),
            "createdAt": now_s,
        }
        self.trades.append(trade)

    def loss_today(self, now_s: int) -> float:
        """What today's trades lost, fees included; 0 where they gained."""
        day, net, _ = self.today
        return max(-net, 0.0) if day == now_s // 86_400 else 0.0

    def account(self) -> dict[str, Any]:
        """The answer of /auth/account: neither balance nor equity is in it."""
        return {
            "agent_id": self.id,
            "tier": self.tier,
            "max_leverage": number(self.max_leverage),
            "max_position_usd": number(self.max_position_usd),
            "total_volume": number(cents(self.volume)),
            "total_fees_paid": number(cents(self.fees)),
            "total_pnl": number(cents(self.pnl)),
            "referral_code": f"ref_{name_of(self.id, 'ref', 0)[:8]}",
            "hl_wallet": {
                "address": self.wallet,
                "connected": True,
                "generated": self.generated,
                "signing_key_stored": True,
                "builder_fee_approved": not self.generated,
                "execution": "real",
            },
        }

    def risk_settings(self) -> dict[str, Any]:
        """Limits that anybody with the key can lift."""
        limit = self.max_daily_loss_usd
        return {
            "max_leverage": number(self.max_leverage),
            "max_position_usd": number(self.max_position_usd),
            "max_daily_loss_usd": None if limit is None else number(limit),
        }

    def risk_today(self, now_s: int) -> dict[str, Any]:
        """Today's figures beside the settings."""
        loss, limit = self.loss_today(now_s), self.max_daily_loss_usd
        day, net, count = self.today
        fresh = day == now_s // 86_400
        return {
            "net_pnl": number(cents(net)) if fresh else 0,
            "current_loss_usd": number(cents(loss)),
            "trade_count": count if fresh else 0,
            "daily_loss_limit_pct_used": None if not limit else number(cents(100 * loss / limit)),
            "trading_blocked": bool(limit is not None and loss >= limit),
            "resets_at": utc_midnight_after(now_s),
        }


def name_of(*parts: object) -> str:
    """A name that is always the same for the same things: ids here are no secrets."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def paper_agent(wallet: str, tier: str) -> Agent:
    """The account that is there from the start."""
    leverage, position = TIERS[tier]
    agent_id = f"ag_{hashlib.sha256(wallet.encode()).hexdigest()[:12]}"
    return Agent(agent_id, PAPER_KEY, wallet, True, False, tier, leverage, position)
