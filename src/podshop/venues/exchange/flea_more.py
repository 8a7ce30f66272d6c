"""What Purple Flea's server tells of accounts and prices.

Its invented figures (funding rates from the letters of a name, movers, signals, risk gauge) are not imitated: who asks
for them gets a 404 here.
"""

import re
from collections.abc import Mapping
from typing import Any

from podshop.venues.exchange import hyper_market
from podshop.venues.exchange.flea import Flea
from podshop.venues.exchange.flea_rows import TIERS, Agent, name_of
from podshop.venues.exchange.flea_text import Answer, cents, error, iso, number

ADDRESS, KEY = re.compile(r"0x[0-9a-fA-F]{40}"), re.compile(r"0x[0-9a-fA-F]{64}")
FEES = {
    "free": "Hyperliquid fee + 2 bps (0.02%) builder fee",
    "pro": "Hyperliquid fee + 1 bp (0.01%) — $50k+ monthly volume",
    "whale": "Hyperliquid fee only (0 markup) — $500k+ monthly volume",
}
SEE_ALL = "GET /v1/markets for all available"


def register(flea: Flea, body: Any) -> Answer:
    """POST /auth/register: every call makes an account, even one with a broken body."""
    asked = body if isinstance(body, dict) else {}
    address, key = asked.get("hl_wallet_address"), asked.get("hl_signing_key")
    if address is not None and not (isinstance(address, str) and ADDRESS.fullmatch(address)):
        return error(400, "invalid_wallet", "hl_wallet_address must be a valid address (0x + 40 hex characters)")
    if key is not None and not (isinstance(key, str) and KEY.fullmatch(key)):
        return error(400, "invalid_signing_key", "hl_signing_key must be a valid 32-byte hex private key (0x...)")
    seed = name_of("agent", len(flea.agents), flea.loopback.wallet).replace("-", "")
    wallet = address.lower() if address else f"0x{(seed + seed)[:40]}"
    own = wallet == flea.loopback.wallet
    leverage, position = TIERS["free"]
    agent = Agent(f"ag_{seed[:12]}", f"sk_trade_{(seed + seed)[:48]}", wallet, own, address is None)
    agent.max_leverage, agent.max_position_usd = leverage, position
    flea.agents[agent.key] = agent
    account = agent.account()
    fund = "Fund this address on Hyperliquid to start trading"
    wallet_text = f"Wallet auto-generated. {fund}." if agent.generated else "Store your API key securely."
    hl = {k: account["hl_wallet"][k] for k in ("address", "generated", "signing_key_stored", "builder_fee_approved")}
    return 201, {
        "agent_id": agent.id,
        "api_key": agent.key,
        "referral_code": account["referral_code"],
        "tier": agent.tier,
        "deposit_address": wallet,
        "hl_wallet": hl | {"execution": "real", "onboarding": fund},
        "message": wallet_text,
        "fee_structure": FEES,
        "referral_commission": "20% of our fee markup from referred agents",
        "next_steps": ["GET /v1/markets", "POST /v1/trade/open"],
    }


def deposit_address(agent: Agent) -> Answer:
    """GET /auth/deposit-address."""
    steps = [f"Send USDC to {agent.wallet} on Hyperliquid", "Minimum deposit: $10 USDC"]
    return 200, {
        "deposit_address": agent.wallet,
        "generated": agent.generated,
        "message": "Fund this address on Hyperliquid to start trading",
        "instructions": [*steps, "Funds are available immediately after deposit"],
    }


# -------------------------------------------------------------------- prices


def market(flea: Flea, asked: str) -> Answer:
    """GET /markets/{coin}."""
    coin = flea.coin(asked)
    if coin is None or coin not in flea.prices():
        return error(404, "market_not_found", coin=asked, suggestion=SEE_ALL)
    fees = []
    for size in (100, 1000, 10_000):
        venue, own = cents(size * 0.00035 - 1e-8), cents(size * 0.0002)
        fees.append(
            {"size_usd": size, "hlFee": number(venue), "ourFee": number(own), "totalFee": cents(size * 0.00055)}
        )
    example = f'POST /v1/trade/open {{ "coin": "{coin}", "side": "%s", "size_usd": 1000, "leverage": 5 }}'
    trade = {"long": example % "long", "short": example % "short"}
    return 200, _row(flea, coin) | {"ticker": coin, "dex": "main", "fee_examples": fees, "trade_example": trade}


def price(flea: Flea, asked: str) -> Answer:
    """GET /markets/{coin}/price: the stamp is that of the reply, the price may be 30 seconds older."""
    coin = flea.coin(asked)
    found = flea.prices().get(coin or "")
    if coin is None or found is None:
        return error(404, "no_price", coin=asked.upper())
    return 200, {"coin": coin, "ticker": coin, "price": number(found), "timestamp": flea.loopback.stamp_ms()}


def multi_price(flea: Flea, asked: str) -> Answer:
    """GET /markets/multi-price?coins=A,B: twenty at most."""
    shown, missing = [], []
    for each in [word.strip() for word in asked.split(",") if word.strip()][:20]:
        coin = flea.coin(each)
        if coin is None or coin not in flea.prices():
            missing.append(each.upper())
            continue
        shown.append(_row(flea, coin) | {"ticker": coin})
    answer: dict[str, Any] = {"prices": shown, "count": len(shown), "timestamp": iso(flea.loopback.stamp_ms() / 1e3)}
    return 200, answer | ({"not_found": missing} if missing else {})


def screener(flea: Flea, query: Mapping[str, str]) -> Answer:
    """GET /markets/screener: the one way to list crypto."""
    limit = int(query["limit"]) if query.get("limit", "").isdigit() else 20
    rows = sorted((_row(flea, coin) for coin in flea.prices()), key=lambda row: -row["max_leverage"])
    shown = []
    for rank, row in enumerate(rows[: min(limit, 100)], 1):
        say = f'POST /v1/trade/open {{ "coin": "{row["coin"]}", "side": "%s" }}'
        shown.append({"rank": rank} | row | {"trade_long": say % "long", "trade_short": say % "short"})
    category, order = query.get("category", "crypto"), query.get("sort_by", "leverage")
    filters = {"category": category, "min_leverage": 0, "max_leverage": 999, "include_rwa": True, "sort_by": order}
    return 200, {
        "screener": shown,
        "total_matches": len(rows),
        "showing": len(shown),
        "filters_applied": filters,
        "usage": "Add filters: ?category=crypto&min_leverage=20&sort_by=leverage&limit=10",
        "generated_at": iso(flea.loopback.stamp_ms() / 1e3),
    }


def markets(flea: Flea) -> Answer:
    """GET /markets: crypto is only counted."""
    count = len(flea.prices())
    empty = {"count": 0, "markets": [], "note": ""}
    categories = {name: dict(empty) for name in ("stocks", "commodities", "indices", "forex")}
    crypto = {"count": count, "note": f"{count} perpetual contracts (use ?include_crypto=true to list)"}
    tiers = {"free": "HL fee + 2 bps", "pro": "HL fee + 1 bp ($50k+ volume/mo)", "whale": "HL fee only"}
    found = {"total_markets": count, "crypto_markets": count, "rwa_markets": 0}
    return 200, found | {"categories": categories | {"crypto": crypto}, "fee_tiers": tiers, "use_cases": {}}


def orderbook(flea: Flea, asked: str, depth: str) -> Answer:
    """GET /markets/{coin}/orderbook: the venue's book, uncached."""
    coin = flea.coin(asked)
    if coin is None:
        return error(404, "market_not_found", coin=asked, suggestion=SEE_ALL)
    seen = hyper_market.book(flea.loopback, flea.loopback.by_venue_name[coin], flea.loopback.now_ns())
    most = min(max(int(depth), 1), 50) if depth.isdigit() else 10
    sides = [_side(levels[:most]) for levels in seen["levels"]]
    if not all(sides):
        return error(503, "orderbook_error", "empty book")
    bids, asks = sides
    mid, spread = (bids[0]["price"] + asks[0]["price"]) / 2, asks[0]["price"] - bids[0]["price"]
    of_bids, of_asks = (cents(sum(level["notional"] for level in side)) for side in sides)
    return 200, {
        "coin": coin,
        "ticker": coin,
        "mid_price": number(round(mid, 6)),
        "spread": number(round(spread, 6)),
        "spread_pct": number(round(100 * spread / mid, 8)),
        "spread_quality": "good",
        "bids": bids,
        "asks": asks,
        "liquidity": {
            "total_bid_usd": number(of_bids),
            "total_ask_usd": number(of_asks),
            "imbalance": number(round((of_bids - of_asks) / (of_bids + of_asks), 4)),
            "imbalance_direction": "balanced",
            "interpretation": "Invented by the loopback exchange.",
        },
        "depth_levels": most,
        "timestamp": iso(flea.loopback.stamp_ms() / 1e3),
        "tip": "Use spread_pct to gauge execution cost. Lower = better fills on market orders.",
        "trade": f'POST /v1/trade/open {{ "coin": "{coin}", "side": "long", "size_usd": 100 }}',
    }


def _side(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    total, shown = 0.0, []
    for level in levels:
        price, size = float(level["px"]), float(level["sz"])
        total += size
        row = {"price": price, "size": size, "total": round(total, 8), "notional": cents(price * size)}
        shown.append({name: number(value) for name, value in row.items()})
    return shown


def _row(flea: Flea, coin: str) -> dict[str, Any]:
    name = flea.loopback.by_venue_name[coin].name
    most = flea.loopback.truth.terms.max_leverage.get(name, 20)
    return {"coin": coin, "price": number(flea.prices()[coin]), "category": "crypto", "max_leverage": most}
