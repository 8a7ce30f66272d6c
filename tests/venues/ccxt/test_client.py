"""The ccxt adapter over HTTP from a script: what each venue is asked, and that every call goes through our wire."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from podshop.nouns import HOUR_NS, ConfigError, VenueError
from podshop.nouns.venue import Order
from podshop.venues.ccxt_venue.client import CcxtVenue
from podshop.venues.ccxt_venue.exchange import HOSTS, connect
from podshop.venues.ccxt_venue.public import Candle, PublicData
from podshop.venues.wire import Secret
from tests.venues import recorded
from tests.venues.parsers import CLOID, STUBS
from tests.venues.scripted import run

NOW_NS = 1_771_000_000_000_000_000
ORDER = Order(CLOID, "BTC", 3, 341_311_000, 341_000_000, False, False, NOW_NS + 10**10)
KEYS = {"apiKey": Secret("CANARY-key"), "secret": Secret("CANARY-secret"), "password": Secret("CANARY-word")}
PLACED = {
    "bybit": {
        "retCode": 0,
        "retMsg": "OK",
        "result": {"orderId": "1321003749386327552", "orderLinkId": CLOID},
        "time": 1,
    },
    "okx": {
        "code": "0",
        "msg": "",
        "data": [{"clOrdId": CLOID, "ordId": "312269865356374016", "sCode": "0", "sMsg": ""}],
    },
}
SAID_NO = {
    "bybit": {"retCode": 110007, "retMsg": "ab not enough for new order", "result": {}, "time": 1},
    "okx": {"code": "1", "msg": "", "data": [{"clOrdId": "", "ordId": "", "sCode": "51008", "sMsg": "Insufficient"}]},
}


class Script:
    """Hosts, paths, and bodies of what was asked; answers by the end of a path."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, list[tuple[str, str, str]]()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = request.content.decode()
        self.asked.append((request.url.host, request.url.path, body or request.url.query.decode()))
        path = request.url.path
        found = next((answer for end, answer in self.answers.items() if path.endswith(end)), {})
        if isinstance(found, Exception):
            raise found
        status, content = found if isinstance(found, tuple) else (200, found)
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        return httpx2.Response(status, stream=httpx2.ByteStream(raw))


def venue(name: str, answers: dict[str, Any]) -> tuple[CcxtVenue, Script]:
    """An adapter whose markets are known already."""
    script = Script(answers)
    keys = KEYS if name == "okx" else {k: v for k, v in KEYS.items() if k != "password"}
    exchange = connect(name, keys, sandbox=True, transport=httpx2.MockTransport(script))
    exchange.enableRateLimit = False
    stub = STUBS["binanceusdm" if name == "bybit" else name][0]
    market = {
        "id": stub.venue_id, "symbol": stub.symbol, "base": "BTC", "quote": "USDT", "settle": "USDT", "baseId": "BTC",
        "quoteId": "USDT", "settleId": "USDT", "type": "swap", "spot": False, "margin": False, "swap": True,
        "future": False, "option": False, "contract": True, "linear": True, "inverse": False, "active": True,
        "contractSize": str(stub.contract), "precision": {"amount": str(stub.step), "price": "0.01"},
        "limits": {"amount": {"min": None}, "price": {}, "cost": {}, "leverage": {"max": "50"}}, "info": {},
    }  # fmt: skip
    exchange.set_markets([market])
    exchange.options |= {"enableUnifiedMargin": False, "enableUnifiedAccount": True}
    return CcxtVenue(exchange, ("BTC",), lambda: NOW_NS), script


PATHS = {"bybit": "/v5/order/create", "okx": "batch-orders"}


def sent(name: str, answer: Any, order: Order = ORDER) -> tuple[Any, list[tuple[str, str, str]]]:
    adapter, script = venue(name, {PATHS[name]: answer})

    async def once() -> Any:
        try:
            return await adapter.send(order)
        finally:
            await adapter.close()

    return run(once()), [asked for asked in script.asked if asked[1].endswith(PATHS[name])]


@pytest.mark.parametrize("name", PLACED)
def test_an_order_bears_our_id_and_takes_what_it_can(name: str) -> None:
    found, asked = sent(name, PLACED[name], ORDER._replace(reduce_only=True))
    assert (found.outcome, bool(found.order_id)) == ("accepted", True)
    ((host, _, body),) = asked
    said = json.loads(body)
    said = said[0] if isinstance(said, list) else said
    assert host in HOSTS[name][1]
    assert CLOID in (said.get("orderLinkId"), said.get("clOrdId"))
    assert "ioc" in body.lower()
    assert said["reduceOnly"] in (True, "true")
    amount = {"bybit": "0.003", "okx": "3"}[name]  # okx: contracts
    assert amount in (said.get("qty"), said.get("sz"))


@pytest.mark.parametrize("name", PLACED)
def test_a_named_reason_is_a_no_and_everything_else_unknown(name: str) -> None:
    assert sent(name, SAID_NO[name])[0][:1] == ("refused",)
    empty = {"bybit": {"retCode": 0, "result": {}}, "okx": {"code": "0", "data": [{"sCode": "0"}]}}[name]
    for answer in (
        (200, b"<html>Bad Gateway</html>"),
        (200, b'{"retCode":0,"retCode":1}'),
        (200, b'{"retCode":NaN}'),
        (200, b""),
        (502, b"<html>"),
        (500, b"{}"),
        (429, b"{}"),
        (403, b"{}"),
        empty,
        httpx2.ReadTimeout("x"),
        httpx2.RemoteProtocolError("x"),
    ):
        assert sent(name, answer)[0].outcome == "unknown", answer
    found = sent(name, httpx2.ConnectError("x"))[0]
    assert (found.outcome, found.code) == ("refused", "NOT_SENT")
    assert sent(name, PLACED[name], ORDER._replace(expires_ns=NOW_NS))[0].code == "EXPIRED"


@pytest.mark.parametrize("name", PLACED)
def test_no_reply_shows_a_key(name: str) -> None:
    for answer in (SAID_NO[name], (401, b'{"msg": "CANARY-key"}'), (500, b"CANARY-secret"), httpx2.ReadTimeout("x")):
        assert "CANARY" not in str(sent(name, answer)[0])


def test_orders_are_found_by_our_id() -> None:
    row = {"symbol": "BTCUSDT", "orderId": "5", "orderLinkId": CLOID, "orderStatus": "Filled", "side": "Sell"}
    row |= {"cumExecQty": "0.003", "qty": "0.003", "timeInForce": "IOC", "orderType": "Limit", "price": "34131.1"}
    clock = {
        "/v5/market/time": {"retCode": 0, "result": {"timeSecond": "1", "timeNano": "1"}, "time": 1_771_000_000_123}
    }
    bybit, script = venue("bybit", {"realtime": {"retCode": 0, "result": {"list": [row]}}} | clock)
    found = run(bybit.look(ORDER._replace(lots=-3), None))
    assert (found.status, found.order_id, found.filled_lots, found.venue_ns) == (
        "final",
        "5",
        -3,
        1_771_000_000_123 * 10**6,
    )
    assert CLOID in next(body for _, path, body in script.asked if path.endswith("realtime"))
    nothing, _ = venue("bybit", {"realtime": {"retCode": 0, "result": {"list": []}}} | clock)
    assert run(nothing.look(ORDER, None)).status == "unknown_id"
    other, _ = venue("bybit", {"realtime": {"retCode": 0, "result": {"list": [row | {"orderLinkId": "x"}]}}} | clock)
    assert run(other.look(ORDER, None)).status == "no_answer"


def test_an_empty_account_beside_margin_in_use_is_half_an_answer() -> None:
    answers = {
        "/public/time": {"code": "0", "data": [{"ts": "1771000000123"}]},
        "/account/positions": {"code": "0", "data": []},
        "/account/balance": {"code": "0", "data": [{"totalEq": "100.5", "imr": "8.5", "details": [], "uTime": "1"}]},
    }
    with pytest.raises(VenueError, match="margin in use"):
        run(venue("okx", answers)[0].reading())
    answers["/account/balance"]["data"][0]["imr"] = "0"
    found = run(venue("okx", answers)[0].reading())
    assert (found.equity_micro, dict(found.lots), found.venue_ns) == (100_500_000, {}, 1_771_000_000_123_000_000)
    for half in ({"code": "0", "data": None}, {"code": "0"}, (200, b"<html>"), (500, b"")):
        with pytest.raises(VenueError):
            run(venue("okx", answers | {"/account/positions": half})[0].reading())


@pytest.mark.parametrize(
    ("name", "options"),
    [("kraken", {}), ("hyperliquid", {"keys": KEYS}), ("bybit", {"base_url": "https://evil.example"})],
)
def test_what_is_not_offered_is_refused(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        connect(name, **options)


def test_no_other_host_is_ever_asked() -> None:
    """Whatever ccxt would like to know beside: the wire lets nothing through to another host."""
    for name in ("binanceusdm", "bybit", "okx", "hyperliquid"):
        script = Script({})
        exchange = connect(name, transport=httpx2.MockTransport(script))
        exchange.enableRateLimit = False

        async def load(exchange: Any = exchange) -> None:
            with suppress(Exception):  # the script answers nothing useful
                await exchange.load_markets()
            await exchange.close()

        run(load())
        assert {host for host, _, _ in script.asked} <= set(HOSTS[name][0])
        assert not any(path.endswith("/exchange") for _, path, _ in script.asked)  # nothing signed


def test_candles_come_finished_and_per_coin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hyperliquid's recorded bars through ccxt: kPEPE by the thousand, the bar that is forming left out."""
    bars = recorded.info("candle_snapshot")
    exchange = connect("hyperliquid", transport=httpx2.MockTransport(Script({"/info": bars})))
    exchange.enableRateLimit = False
    public = PublicData(exchange, ("PEPE",))
    public._contracts = {"PEPE": STUBS["binanceusdm"][0]._replace(market="PEPE", symbol="KPEPE/USDC:USDC", coins=1000)}
    monkeypatch.setattr(exchange, "load_markets", _nothing)
    monkeypatch.setattr(exchange, "market", lambda symbol: {"id": "0", "symbol": symbol, "baseName": "kPEPE"} | BASE)
    until = 1_684_717_200_000 * 10**6
    found = run(public.candles("PEPE", HOUR_NS, until - 3 * HOUR_NS, until))
    assert [bar.closed_ns for bar in found] == [until - 2 * HOUR_NS, until - HOUR_NS, until]
    assert found[-1] == Candle(
        until, 0.001596 / 1000, 0.001598 / 1000, 0.001532 / 1000, 0.00155 / 1000, 1943301529.0 * 1000
    )
    run(public.close())


BASE = {"base": "KPEPE", "quote": "USDC", "swap": True, "spot": False, "baseId": "0", "type": "swap", "info": {}}


async def _nothing(*args: Any, **kwargs: Any) -> dict[str, Any]:
    return {}


def test_public_data_needs_no_key_and_takes_none() -> None:
    make: Callable[[], Any] = lambda: PublicData(connect("bybit", KEYS), ("BTC",))  # noqa: E731
    with pytest.raises(VenueError, match="without a key"):
        make()


def test_rates_and_mids(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = recorded.unified("binanceusdm", "fetch_funding_rate_history")[0]["raw"]
    answers = {
        "/fundingRate": [rows | {"fundingTime": 1_621_267_200_000}],
        "/depth": {"T": 1_621_267_200_123, "E": 1, "bids": [["67000.1", "1"]], "asks": [["67000.3", "1"]]},
    }
    exchange = connect("binanceusdm", transport=httpx2.MockTransport(Script(answers)))
    exchange.enableRateLimit = False
    adapter, _ = venue("binanceusdm", {})
    exchange.set_markets(list(adapter._exchange.markets.values()))
    public = PublicData(exchange, ("BTC", "NOPE"))

    async def ask() -> None:
        (paid,) = await public.funding("BTC", 1_621_267_200_000 * 10**6, 1_621_267_200_000 * 10**6)
        assert (paid.at_ns, paid.rate) == (1_621_267_200_000_000_000, 0.00063521)
        assert await public.mids() == {"BTC": (67000.2, 1_621_267_200_123_000_000)}
        with pytest.raises(VenueError, match="not listed"):
            await public.funding("NOPE", 0, 1)
        await public.close()

    run(ask())
