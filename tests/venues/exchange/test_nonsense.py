"""Whatever is sent, the server answers with a refusal and not with a crash, and nothing is traded."""

import random
from typing import Any

import pytest

from tests.venues.exchange.served import BEARER, Client, serve
from tests.venues.exchange.test_hyper import KEY, Signer, wire

ODD: list[Any] = [
    None, True, -1, 0, 1e308, 10**400, "NaN", "", "1E+999999", "-0", "9" * 39, [], {}, [[]], {"a": {}}, "BTC", "1h",
    "\x00",
]  # fmt: skip
GOOD: dict[str, dict[str, Any]] = {
    "/v1/trade/open": {"coin": "BTC", "side": "long", "size_usd": 100, "leverage": 5},
    "/v1/trade/close": {"position_id": "pos_x"},
    "/v1/trade/limit": {"coin": "BTC", "side": "long", "size_usd": 100, "limit_price": 100, "leverage": 5},
    "/v1/trade/stop-loss": {"position_id": "pos_x", "trigger_price": 5},
    "/v1/trade/risk-settings": {"max_leverage": 5, "max_position_usd": 100, "max_daily_loss_usd": 5},
    "/v1/auth/register": {"hl_wallet_address": "0x", "hl_signing_key": "0x"},
}
ASKED: list[dict[str, Any]] = [
    {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "1h", "startTime": 0, "endTime": 1}},
    {"type": "fundingHistory", "coin": "BTC", "startTime": 0, "endTime": 1},
    {"type": "userFillsByTime", "user": "WALLET", "startTime": 0, "endTime": 1},
    {"type": "userFunding", "user": "WALLET", "startTime": 0, "endTime": 1},
    {"type": "orderStatus", "user": "WALLET", "oid": 5},
    {"type": "l2Book", "coin": "BTC"},
    {"type": "meta", "dex": ""},
]


def spoilt(rng: random.Random, body: Any) -> Any:
    """The same with one value exchanged for an odd one, somewhere."""
    if isinstance(body, dict) and body and rng.random() < 0.9:
        name = rng.choice(list(body))
        return body | {name: spoilt(rng, body[name])}
    return rng.choice(ODD)


@pytest.mark.parametrize("half", ["flea", "info", "exchange", "simulation"])
def test_nonsense_is_refused(half: str) -> None:
    rng = random.Random(5)

    async def story(client: Client) -> None:
        signer = Signer(client)
        for _ in range(60):
            if half == "flea":
                path = rng.choice(list(GOOD))
                headers = BEARER | {"X-Forwarded-For": str(rng.random())}
                reply = await client.http.post(path, json=spoilt(rng, GOOD[path]), headers=headers)
            elif half == "info":
                body = spoilt(rng, rng.choice(ASKED))
                if isinstance(body, dict) and body.get("user") == "WALLET":
                    body["user"] = client.server.loopback.wallet
                reply = await client.http.post("/info", json=body)
            elif half == "exchange":
                await signer.act({"type": "nothing"})
                action = spoilt(rng, {"type": "order", "orders": [spoilt(rng, wire("0.001"))], "grouping": "na"})
                reply = await client.http.post("/exchange", json=await signed(signer, action))
            else:
                path = rng.choice(["evil", "advance", "foreign", "approve", "relist"])
                asked = {"market": "BTC", "lots": "x", "by_ns": "x", "to_ns": [], "signer": 5, "lost_after": 2}
                reply = await client.http.post(f"/sim/{path}", json=spoilt(rng, asked))
            assert reply.status_code < 500, (reply.request.url, reply.request.content)
        opened = [order for order in client.truth.orders.values() if order.filled]
        assert half == "simulation" or all(abs(order.filled) <= 1000 for order in opened)

    serve(story)


async def signed(signer: Signer, action: Any) -> dict[str, Any]:
    """A request with a good signature of a bad action, where it can be signed at all."""
    from hyperliquid.utils.signing import sign_l1_action

    signer.nonce += 1
    try:
        signature = sign_l1_action(KEY, action, None, signer.nonce, None, False)
    except Exception:  # noqa: BLE001 - what msgpack cannot write is sent unsigned
        signature = {"r": "0x1", "s": "0x1", "v": 27}
    return {"action": action, "nonce": signer.nonce, "signature": signature}
