"""Hyperliquid's half over real HTTP: shapes beside the recorded ones, signed orders by the SDK's own signing, truth."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from eth_account import Account
from hyperliquid.utils.signing import sign_l1_action

from podshop.nouns import HOUR_NS, SECOND_NS, ConfigError
from podshop.venues.exchange import evil
from podshop.venues.exchange.http import start
from tests.venues.exchange.served import NOW, Client, differ, fixture, serve, shape
from tests.venues.exchange.small import funding, market, thin

KEY = Account.from_key("0x" + "11" * 32)
OTHER = Account.from_key("0x" + "22" * 32)
MS = 1_000_000
HOUR_MS = HOUR_NS // MS
NOW_MS = NOW // MS
CLOID = f"0x{'ab' * 16}"


def wire(size: str, price: str = "60000", **changes: Any) -> dict[str, Any]:
    """An order as it is signed; a negative size sells."""
    sells = size.startswith("-")
    order = {"a": 0, "b": not sells, "p": price, "s": size.lstrip("-"), "r": False, "t": {"limit": {"tif": "Ioc"}}}
    return order | changes


class Signer:
    """Signs actions, each with a nonce of its own."""

    def __init__(self, client: Client, key: Any = KEY) -> None:
        self.client, self.key, self.nonce = client, key, NOW_MS

    async def act(self, action: dict[str, Any], *, expires: int | None = None, **changes: Any) -> Any:
        self.nonce += 1
        signature = sign_l1_action(self.key, action, None, self.nonce, expires, False)
        body = {"action": action, "nonce": self.nonce, "signature": signature, "vaultAddress": None}
        body |= {"expiresAfter": expires} | changes
        return (await self.client.http.post("/exchange", json=body)).json()

    async def order(self, *orders: dict[str, Any], **options: Any) -> Any:
        """Place orders; the statuses, or the whole answer where the request was turned away."""
        answer = await self.act({"type": "order", "orders": list(orders), "grouping": "na"}, **options)
        return answer["response"]["data"]["statuses"] if answer["status"] == "ok" else answer

    async def one(self, order: dict[str, Any], **options: Any) -> Any:
        """Place one."""
        return (await self.order(order, **options))[0]


def recorded(name: str) -> Any:
    return fixture("hyperliquid", name)["response"]["body"]


def ccxt(unified: str) -> list[Any]:
    return [case["httpResponse"] for case in fixture("ccxt", "hyperliquid")["cases"] if case["unified"] == unified]


NEWER = {  # what newer answers carry beside the recorded ones, as the fact sheet tells
    "info_meta": {"marginTables", "marginTableId", "isDelisted"},
    "info_user_fills": {"tid", "feeToken", "cloid"},
    "info_open_orders": {"origSz", "cloid"},
    "info_frontend_open_orders": {"cloid"},
}


def unlike(ours: Any, name: str) -> list[str]:
    """Where the shape differs, but for what newer answers carry."""
    found = differ(shape(ours), shape(recorded(name)))
    return [each for each in found if each.split(":")[0].split(".")[-1] not in NEWER.get(name, ())]


def test_answers_have_the_recorded_shapes() -> None:
    async def story(client: Client) -> None:
        signer = Signer(client)
        await signer.order(wire("0.005", c=CLOID), wire("0.001", "49000", t={"limit": {"tif": "Gtc"}}))
        await client.later(HOUR_NS)
        span = {"startTime": NOW_MS - 5 * HOUR_MS, "endTime": NOW_MS + HOUR_MS}
        candles = await client.info("candleSnapshot", req={"coin": "BTC", "interval": "1h"} | span)
        asked = {
            "info_meta": await client.info("meta"),
            "info_candle_snapshot": candles,
            "info_funding_history": await client.info("fundingHistory", coin="BTC", **span),
            "info_l2_book": await client.info("l2Book", coin="BTC"),
            "info_open_orders": await client.user("openOrders"),
            "info_frontend_open_orders": await client.user("frontendOpenOrders"),
            "info_historical_orders": await client.user("historicalOrders"),
            "info_user_fills": await client.user("userFills"),
            "info_user_funding": await client.user("userFunding", **span),
            "info_user_rate_limit": await client.user("userRateLimit"),
        }
        assert all(asked.values())
        assert {name: wrong for name, ours in asked.items() if (wrong := unlike(ours, name))} == {}
        state = await client.user("clearinghouseState")
        cross = ccxt("fetchPositions")[1]
        as_text = {"time", "value", "maxLeverage"}  # ccxt's own test writes these numbers as text
        wrong = differ(shape(state), shape(cross))
        assert {each.split(":")[0].split(".")[-1] for each in wrong} == as_text, wrong
        status = await client.user("orderStatus", oid=CLOID)
        assert not differ(shape(status), shape(ccxt("fetchOrder")[0]))

    serve(story, funding=funding((NOW + HOUR_NS, 0, 1e-5, 1)))


def test_an_order_from_signature_to_fill_and_what_every_question_says_of_it() -> None:
    async def story(client: Client) -> None:
        signer = Signer(client)
        status = await signer.one(wire("0.005", c=CLOID))
        oid = status["filled"]["oid"]
        assert status == {"filled": {"totalSz": "0.005", "avgPx": "50077.4", "oid": oid, "cloid": CLOID}}
        (fill,) = await client.user("userFills")
        assert (fill["px"], fill["sz"], fill["side"], fill["dir"]) == ("50077.4", "0.005", "B", "Open Long")
        assert (fill["fee"], fill["oid"], fill["cloid"], fill["time"]) == ("0.112675", oid, CLOID, NOW_MS)
        by_id = await client.user("orderStatus", oid=oid)
        assert by_id == await client.user("orderStatus", oid=CLOID)
        assert by_id["order"]["status"] == "filled"
        assert await client.user("orderStatus", oid=f"0x{'cd' * 16}") == {"status": "unknownOid"}
        state = await client.user("clearinghouseState")
        (position,) = state["assetPositions"]
        assert (position["position"]["szi"], position["position"]["entryPx"]) == ("0.005", "50077.4")
        cash = 10_000_000_000 - 500 * 500_774 - 112_675
        assert state["marginSummary"]["totalRawUsd"] == f"{cash / 1e6:.6f}"
        assert float(state["marginSummary"]["accountValue"]) == (cash + 500 * 500_450) / 1e6
        assert state["time"] == NOW_MS
        truth = await client.sim("truth")
        assert (truth["lots"], truth["cash_micro"], truth["actions"]) == ({"BTC": 500, "ETH": 0}, cash, {"order": 1})
        await client.later(HOUR_NS)
        assert (await client.user("userFunding", startTime=0))[0]["delta"]["usdc"] == "-0.025028"
        other = await client.info("clearinghouseState", user=f"0x{'9' * 40}")
        assert other["assetPositions"] == []
        assert other["marginSummary"]["accountValue"] == "0.0"
        assert await client.info("userFills", user=f"0x{'9' * 40}") == []

    serve(story, funding=funding((NOW + HOUR_NS, 0, 1e-4, 1)))


def test_refusals_in_hyperliquids_words() -> None:
    alo, gtc = {"limit": {"tif": "Alo"}}, {"limit": {"tif": "Gtc"}}

    async def story(client: Client) -> None:
        signer = Signer(client)
        said = await signer.order(
            wire("0.0001"), wire("0.001", "50001.5"), wire("0.001", "49000"), wire("0.005", r=True),
            wire("0.001", t=alo), wire("0.000001"), wire("0.001", a=9), wire("0.001", t={"trigger": {}}),
            wire("NaN"), wire("0.001", c="0xzz"),
        )  # fmt: skip
        assert [each["error"] for each in said] == [
            "Order must have minimum value of $10. asset=0",
            "Price must be divisible by tick size. asset=0",
            "Order could not immediately match against any resting orders. asset=0",
            "Reduce only order would increase position. asset=0",
            "Post only order would have immediately matched, bbo was 50045.0@50055.0. asset=0",
            "Order has invalid size. asset=0",
            "Order has an unknown asset, or a price or size that cannot be read. asset=9",
            "Invalid TP/SL price. asset=0",
            "Order has an unknown asset, or a price or size that cannot be read. asset=0",
            "Invalid client order id. asset=0",
        ]
        assert (await signer.one(wire("0.001", "49000", t=gtc)))["resting"]
        assert client.truth.lots["BTC"] == 0

    serve(story)


def test_signatures_nonces_and_expiry() -> None:
    async def story(client: Client) -> None:
        signer, stranger = Signer(client), Signer(client, OTHER)
        assert "filled" in await signer.one(wire("0.001"))
        refused = await stranger.order(wire("0.001"))
        assert refused == {
            "status": "err", "response": f"User or API Wallet {OTHER.address.lower()} does not exist."
        }  # fmt: skip
        tampered = {"type": "order", "orders": [wire("0.001")], "grouping": "na"}
        signature = sign_l1_action(KEY, tampered, None, NOW_MS + 50, None, False)
        body = {"action": {**tampered, "orders": [wire("0.002")]}, "nonce": NOW_MS + 50, "signature": signature}
        answer = (await client.http.post("/exchange", json=body)).json()
        assert answer["status"] == "err"
        assert "does not exist" in answer["response"]
        rubbish = (await client.http.post("/exchange", json=body | {"signature": {"r": "0x1"}})).json()
        assert rubbish["status"] == "err"
        assert "Invalid signature" in rubbish["response"]
        good = {**body, "action": tampered}
        assert (await client.http.post("/exchange", json=good)).json()["status"] == "ok"
        again = (await client.http.post("/exchange", json=good)).json()
        assert again["status"] == "err"
        assert "nonce" in again["response"]
        late = await signer.order(wire("0.001"), expires=NOW_MS)
        assert late["status"] == "err"
        assert "expired" in late["response"]
        assert "filled" in await signer.one(wire("0.001"), expires=NOW_MS + 1)
        assert client.truth.lots["BTC"] == 300
        await client.sim("approve", signer=OTHER.address)
        assert "filled" in await stranger.one(wire("0.001"))

    serve(story)


def test_an_order_that_arrives_after_it_has_expired() -> None:
    async def story(client: Client) -> tuple[Any, int]:
        signer = Signer(client)
        expires = NOW_MS + 1000
        task = asyncio.ensure_future(signer.one(wire("0.001", c=CLOID), expires=expires))
        await asyncio.sleep(0.05)
        await client.later(61 * SECOND_NS)
        answer = await task
        assert await client.user("orderStatus", oid=CLOID) == {"status": "unknownOid"}
        return answer, client.truth.lots["BTC"]

    assert serve(story, faults={"late": [0]}) == ({"error": "Order has expired. asset=0"}, 0)


def test_resting_orders_cancels_and_the_dead_mans_switch() -> None:
    gtc = {"limit": {"tif": "Gtc"}}

    async def story(client: Client) -> None:
        signer = Signer(client)
        said = await signer.order(*(wire("0.001", price, t=gtc, c=f"0x{price * 6}00") for price in ("49000", "48000")))
        oid = said[0]["resting"]["oid"]
        answer = await signer.act({"type": "cancel", "cancels": [{"a": 0, "o": oid}, {"a": 0, "o": oid}]})
        missing = "Order was never placed, already canceled, or filled. asset=0"
        assert answer["response"]["data"]["statuses"] == ["success", {"error": missing}]
        cloid = said[1]["resting"]["cloid"]
        answer = await signer.act({"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": cloid}]})
        assert answer["response"]["data"]["statuses"] == ["success"]
        assert not await client.user("openOrders")
        await signer.one(wire("0.001", "49000", t=gtc))
        early = await signer.act({"type": "scheduleCancel", "time": NOW_MS + 4000})
        assert early["status"] == "err"
        assert (await signer.act({"type": "scheduleCancel", "time": NOW_MS + 5000}))["status"] == "ok"
        await client.later(5 * SECOND_NS - 1)
        assert len(await client.user("openOrders")) == 1
        await client.later(1)
        assert await client.user("openOrders") == []
        assert (await client.user("historicalOrders"))[0]["status"] == "canceled"

    serve(story)


def test_leverage() -> None:
    async def story(client: Client) -> tuple[str, str, int]:
        signer = Signer(client)
        good = await signer.act({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 10})
        bad = await signer.act({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 99})
        return good["status"], bad["status"], client.truth.leverage["BTC"]

    assert serve(story) == ("ok", "err", 10)
    assert serve(story, faults={"leverage_cap": [0]}) == ("ok", "err", 5)


def test_candles_are_the_history_to_the_bit_and_never_the_future() -> None:
    async def story(client: Client) -> None:
        async def ask(interval: str = "1h", since: int = 0) -> Any:
            span = {"startTime": since, "endTime": NOW_MS + 90 * HOUR_MS}
            return await client.info("candleSnapshot", req={"coin": "BTC", "interval": interval} | span)

        rows = await ask()
        closed, begun = [row for row in rows if row["T"] < NOW_MS], rows[-1]
        columns = client.truth.tape.market.columns
        for name, key in (("open", "o"), ("high", "h"), ("low", "l"), ("close", "c"), ("volume", "v")):
            assert [float(row[key]) for row in closed] == columns[name][:5, 0].tolist()
        assert [row["t"] for row in closed] == [NOW_MS - k * HOUR_MS for k in (5, 4, 3, 2, 1)]
        assert (begun["t"], begun["o"], begun["c"], begun["v"], len(rows)) == (NOW_MS, "50050.0", "50050.0", "0.0", 6)
        assert [row["t"] for row in await ask(since=NOW_MS - HOUR_MS)] == [NOW_MS - HOUR_MS, NOW_MS]
        (longer,) = await ask("4h")
        assert (longer["o"], longer["c"], longer["v"]) == ("50000.0", "50035.0", "4000.0")
        assert await ask("1m") == []

    serve(story)
    gone = market(silent={"BTC": {1, 2}})

    async def silent(client: Client) -> list[int]:
        rows = await client.info("candleSnapshot", req={"coin": "BTC", "interval": "1h", "startTime": 0})
        return [(row["t"] - NOW_MS) // HOUR_MS for row in rows]

    assert serve(silent, market=gone) == [-5, -2, -1, 0]


def test_funding_history_pages_and_hides_what_is_assumed() -> None:
    rows = [(NOW - 4 * HOUR_NS, 0, 1e-5, 1), (NOW - 3 * HOUR_NS, 0, 1e-4, 0), (NOW - HOUR_NS, 0, -2e-05, 1)]

    async def story(client: Client) -> None:
        found = await client.info("fundingHistory", coin="BTC", startTime=0)
        assert [(row["fundingRate"], row["time"]) for row in found] == [
            ("0.00001", NOW_MS - 4 * HOUR_MS), ("-0.00002", NOW_MS - HOUR_MS)
        ]  # fmt: skip
        after = await client.info("fundingHistory", coin="BTC", startTime=found[0]["time"] + 1)
        assert after == found[1:]
        assert (await client.info("metaAndAssetCtxs"))[1][0]["funding"] == "-0.00002"

    serve(story, funding=funding(*rows, (NOW + HOUR_NS, 0, 1e-3, 1)))


def test_prices() -> None:
    async def story(client: Client) -> None:
        assert await client.info("allMids") == {"BTC": "50050.0", "ETH": "2005.0"}
        bids, asks = (await client.info("l2Book", coin="BTC"))["levels"]
        assert (bids[0]["px"], asks[0]["px"], len(bids)) == ("50045.0", "50055.0", 20)
        context = (await client.info("metaAndAssetCtxs"))[1][0]
        assert (context["markPx"], context["midPx"]) == ("50045.0", "50050.0")
        assert await client.info("allMids", dex="xyz") == {}

    serve(story)

    async def stale(client: Client) -> Any:
        return await client.info("allMids")

    assert serve(stale, faults={"stale_price": [0]})["BTC"] == "50020.0"


def test_what_cannot_be_read_is_422() -> None:
    async def story(client: Client) -> None:
        for body in ({}, {"type": "nothing"}, {"type": "l2Book", "coin": "NOPE"}, {"type": "userFills"}, [1]):
            reply = await client.http.post("/info", json=body)
            assert (reply.status_code, reply.text) == (422, "Failed to deserialize the JSON body into the target type")
        assert (await client.http.post("/exchange", content=b"{")).status_code == 422

    serve(story)


def test_weight_of_a_minute() -> None:
    """1200 a minute: sixty questions of weight 20, then 429 with the body null."""

    async def story(client: Client) -> list[tuple[int, Any]]:
        replies = [await client.http.post("/info", json={"type": "meta"}) for _ in range(61)]
        return [(reply.status_code, reply.json() is None) for reply in replies]

    found = serve(story, manual=False)
    assert found[-1] == (429, True)
    assert set(found[:-1]) == {(200, False)}


# -------------------------------------------------------------------- lies


@pytest.mark.parametrize("fault", [name for name in evil.ORDER_FAULTS if name not in ("late", "partial_close")])
def test_what_befalls_a_signed_order(fault: str) -> None:
    held = 0 if fault in ("lost_before", "busy", "unrounded") else 501 if fault == "one_lot_more" else 500

    async def story(client: Client) -> Any:
        signer = Signer(client)
        body = {"type": "order", "orders": [wire("0.005", c=CLOID)], "grouping": "na"}
        signature = sign_l1_action(KEY, body, None, NOW_MS, None, False)
        sent = {"action": body, "nonce": NOW_MS, "signature": signature, "vaultAddress": None, "expiresAfter": None}
        try:
            reply = await client.http.post("/exchange", json=sent, timeout=0.25)
            seen: Any = (reply.status_code, reply.text)
        except httpx2.TransportError as e:
            seen = type(e).__name__
        assert client.truth.lots["BTC"] == held
        assert (await client.sim("evil"))["fired"][fault] == 1
        found = await client.user("orderStatus", oid=CLOID)
        assert found["status"] == ("order" if held else "unknownOid")
        assert signer.nonce == NOW_MS
        return seen

    seen = serve(story, faults={fault: [0]})
    expected = {
        "lost_before": "ReadTimeout", "lost_after": "ReadTimeout", "busy": (429, "null"),
        "refused_after_fill": (400, '{"error": "Bad Request"}'),
    }  # fmt: skip
    words = {"html": "<html", "odd_numbers": "NaN", "twice_keys": '"status": null, "status": "ok"'} | {
        "unrounded": "Price must be divisible by tick size. asset=0", "one_lot_more": '"totalSz": "0.00501"',
    }  # fmt: skip
    if fault in expected:
        assert seen == expected[fault]
    elif fault == "reset":
        assert seen in ("ReadError", "RemoteProtocolError")
    else:
        assert words.get(fault, "") in seen[1]


def test_account_answers_that_are_not_what_is_held() -> None:
    async def story(client: Client) -> tuple[Any, Any]:
        signer = Signer(client)
        await signer.one(wire("0.005"))
        await client.later(SECOND_NS)
        await signer.one(wire("0.001"))
        return await client.user("clearinghouseState"), await client.user("userFills")

    honest, fills = serve(story)
    assert honest["assetPositions"][0]["position"]["szi"] == "0.006"
    assert len(fills) == 2
    empty, _ = serve(story, faults={"empty": [0]})
    assert empty["assetPositions"] == []
    assert empty["marginSummary"]["accountValue"] != "0.0"
    stale, _ = serve(story, faults={"stale_positions": [0]})
    assert stale["assetPositions"] == []
    assert stale["time"] == honest["time"] - 1000
    skewed, _ = serve(story, faults={"skew": [0]})
    assert skewed["time"] == honest["time"] + 5000
    assert len(serve(story, faults={"fills_late": [1]})[1]) == 1
    doubled = serve(story, faults={"fills_twice": [0]})[1]
    assert len(doubled) == 3
    assert len({fill["tid"] for fill in doubled}) == 2


def test_switches_over_http_and_the_label() -> None:
    async def story(client: Client) -> None:
        assert (await client.http.get("/")).json() == {"what": "podshop's loopback exchange", "simulated": True}
        assert "error" in (await client.sim("evil", nonsense=1.0))
        await client.sim("evil", read_busy=1.0, outages=[[NOW + HOUR_NS, NOW + 2 * HOUR_NS]])
        assert (await client.http.post("/info", json={"type": "meta"})).status_code == 429
        await client.sim("evil", read_busy=0.0)
        assert (await client.http.post("/info", json={"type": "meta"})).status_code == 200
        assert (await client.sim("evil"))["fired"]["read_busy"] == 1
        await client.sim("foreign", market="BTC", lots=-25, kind="liquidation")
        (fill,) = await client.user("userFills")
        assert fill["liquidation"]["liquidatedUser"] == client.server.loopback.wallet
        clock = await client.sim("clock")
        assert (clock["at_ns"], clock["manual"], clock["signatures"], clock["simulated"]) == (
            NOW,
            True,
            "checked",
            True,
        )
        await client.sim("relist", market="ETH", lot_size=0.001, delisted=True)
        assert (await client.info("meta"))["universe"][1] == {
            "name": "ETH", "szDecimals": 3, "maxLeverage": 25, "marginTableId": 2, "isDelisted": True
        }  # fmt: skip
        assert "error" in await client.sim("relist", market="ETH", nonsense=1)
        assert client.truth.submit(NOW, "ETH", 100, 10**12).code == "delisted"
        await client.sim("advance", to_ns=NOW + HOUR_NS)
        with pytest.raises(httpx2.ReadTimeout):
            await client.http.post("/info", json={"type": "meta"}, timeout=0.1)

    serve(story)

    async def running(client: Client) -> None:
        before = (await client.sim("clock"))["at_ns"]
        await asyncio.sleep(0.05)
        assert (await client.sim("clock"))["at_ns"] - before > 3000 * 0.05 * SECOND_NS
        assert "error" in await client.sim("advance", by_ns=1)

    serve(running, manual=False, rate=3000.0)


def test_a_body_that_never_seems_to_end() -> None:
    async def story(client: Client) -> int:
        return len((await client.http.post("/info", json={"type": "meta"})).content)

    assert serve(story, faults={"read_huge": [0]}) > 10 * 1024 * 1024 > 1000 > serve(story)


def test_it_listens_on_this_host_alone_and_turns_pages_away() -> None:
    async def story(client: Client) -> None:
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "http://evil.example"},
            {"Host": "127.0.0.1.evil.example"},
        ):
            for path in ("/sim/clock", "/sim/truth", "/v1/trade/positions", "/health"):
                assert (await client.http.get(path, headers=headers)).status_code == 403
        assert (await client.http.get("/sim/clock", headers={"Host": "localhost:1"})).status_code == 200
        for host in ("0.0.0.0", "192.168.1.5", "example.com"):
            with pytest.raises(ConfigError, match="it is for this host alone"):
                await start(client.server.application(), host, 0)

    serve(story)


def test_every_fault_has_a_test_that_names_it() -> None:
    """Those of orders and questions are walked through by their tables; the others must be named."""
    folder = Path(__file__).parent
    words = "".join((folder / name).read_text() for name in ("test_evil.py", "test_flea.py", "test_hyper.py"))
    assert [name for name in evil.CONTENT_FAULTS if f'"{name}"' not in words and f"{name}=[" not in words] == []


def test_the_funds_lots_bear_what_the_bar_bears() -> None:
    async def story(client: Client) -> Any:
        return await Signer(client).one(wire("0.02"))

    assert serve(story, liquid=thin(most=700))["filled"]["totalSz"] == "0.007"
