"""Direct trading at Hyperliquid: what is signed, that it is ours, and what every answer means."""

import copy
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hyperliquid.utils.signing import (
    action_hash,
    float_to_wire,
    order_request_to_order_wire,
    order_wires_to_order_action,
    recover_agent_or_user_from_l1_action,
)
from hyperliquid.utils.types import Cloid
from hypothesis import given
from hypothesis import strategies as st

from podshop.live.flatten import Flattener
from podshop.nouns import ConfigError, VenueError
from podshop.nouns.venue import Found, Order, Reply
from podshop.venues.hyperliquid.client import Hyperliquid, Signer, order_wire
from podshop.venues.hyperliquid.prices import limit_text, size_text
from podshop.venues.wire import Secret
from tests.venues import recorded
from tests.venues.hyperliquid.test_info import META, WORLD
from tests.venues.scripted import BASE, Scripted, run

KEY = Secret("0x" + "4c" * 32)  # of nobody
WALLET = "0x5e9ee1089755c3435139848e47e6635505d5a13a"
NOW_NS = 1_771_000_000_000_000_000
INTENT = "0123456789abcdef0123456789abcdef"
ORDER = Order(INTENT, "BTC", 1493, 673_350, 670_000, False, False, NOW_NS + 10**10)
FILLED = {"filled": {"totalSz": "0.01493", "avgPx": "67013.0", "oid": 77738308}}


def ok(*statuses: Any) -> Any:
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": list(statuses)}}}


class Venue(Scripted):
    """Hyperliquid from a script: `exchange` is the answer to any action, `told` answers by type of question."""

    def __init__(self, exchange: Any = None, **told: Any) -> None:
        self.exchange, self.told = exchange, {"meta": META, "clearinghouseState": {"time": 1_771_000_000_123}} | told
        super().__init__(self.answer)
        self.client = Hyperliquid(BASE, WALLET, KEY, ("BTC", "ETH"), lambda: NOW_NS, wire=self.wire(KEY))

    def answer(self, method: str, path: str, body: Any) -> Any:
        if path == "/exchange":
            return self.exchange(body) if callable(self.exchange) else self.exchange
        found = self.told.get(body["type"], (422, b"unknown type"))
        return found(body) if callable(found) else found

    @property
    def sent(self) -> list[Any]:
        """Bodies of signed requests."""
        return [body for _, path, body in self.asked if path == "/exchange"]


def send(exchange: Any, order: Order = ORDER) -> Reply:
    return run(Venue(exchange).client.send(order))


def test_an_order_is_signed_by_our_key_over_every_field() -> None:
    """The SDK's own recovery names our signer; one letter changed names another."""
    venue = Venue(ok(FILLED))
    assert run(venue.client.send(ORDER)) == Reply("accepted", "77738308", hinted_lots=1493)
    (body,) = venue.sent
    assert body["action"] == {
        "type": "order",
        "orders": [
            {
                "a": 0,
                "b": True,
                "p": "67335",
                "s": "0.01493",
                "r": False,
                "t": {"limit": {"tif": "Ioc"}},
                "c": f"0x{INTENT}",
            }
        ],
        "grouping": "na",
    }
    assert body["expiresAfter"] == ORDER.expires_ns // 1_000_000
    assert body["vaultAddress"] is None

    def signer(action: Any, expires: int) -> str:
        return str(recover_agent_or_user_from_l1_action(action, body["signature"], None, body["nonce"], expires, False))

    ours = Signer(KEY, mainnet=False).address
    assert signer(body["action"], body["expiresAfter"]) == ours
    assert signer(body["action"], body["expiresAfter"] + 1) != ours
    forged = copy.deepcopy(body["action"])
    forged["orders"][0]["s"] = "0.01494"
    assert signer(forged, body["expiresAfter"]) != ours
    assert not any("builder" in str(sent) or "setReferrer" in str(sent) for sent in venue.sent)


def test_the_official_sdk_would_write_the_same_order() -> None:
    """Field by field and in the same order, since the signature covers the bytes."""
    for order in (ORDER, ORDER._replace(lots=-20, limit_micro=670_000, reduce_only=True)):
        ours = order_wire(order, WORLD.by_market["BTC"])
        request = {
            "coin": "BTC",
            "is_buy": order.lots > 0,
            "sz": abs(order.lots) / 1e5,
            "limit_px": order.limit_micro / 10,
            "order_type": {"limit": {"tif": "Ioc"}},
            "reduce_only": order.reduce_only,
            "cloid": Cloid.from_str(f"0x{INTENT}"),
        }
        if order.lots > 0:
            request["limit_px"] = 67335
        theirs = order_wires_to_order_action([order_request_to_order_wire(request, 0)])
        action = {"type": "order", "orders": [ours], "grouping": "na"}
        assert action_hash(action, None, 1, 2) == action_hash(theirs, None, 1, 2)


def test_numbers_only_grow_even_when_the_clock_stands() -> None:
    venue = Venue(ok(FILLED))

    async def many() -> None:
        for _ in range(5):
            await venue.client.send(ORDER)

    run(many())
    assert [body["nonce"] for body in venue.sent] == [NOW_NS // 1_000_000 + n for n in range(5)]


def test_a_reduction_is_reduce_only_and_a_sale_is_rounded_up() -> None:
    venue = Venue(ok(FILLED))
    run(venue.client.send(ORDER._replace(lots=-1, limit_micro=670_059, reduce_only=True)))
    wired = venue.sent[0]["action"]["orders"][0]
    assert (wired["b"], wired["r"], wired["p"], wired["s"]) == (False, True, "67006", "0.00001")
    assert order_wire(ORDER._replace(whole=True), WORLD.by_market["BTC"])["r"] is True


RECORDED = [
    ("accepted", "296683658818"),
    ("refused", "MARGIN"),
    ("refused", "MINIMUM"),
    ("refused", "TICK"),
    ("refused", "NO_MATCH"),
    ("refused", "REDUCE_ONLY"),
    ("unknown", "UNLISTED"),  # "Something never seen before"
    ("refused", "KEY"),
    ("refused", "RATE"),
]


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_recorded_answers_are_taken_for_what_they_are(number: int) -> None:
    cases = recorded.unified("hyperliquid", "createOrder")
    assert len(cases) == len(RECORDED)
    found = send(cases[number]["httpResponse"])
    assert (found.outcome, found.order_id or found.code) == RECORDED[number]


UNKNOWN: list[Any] = [
    (500, b"oops"),
    (502, b"<html>"),
    (422, b"Failed to deserialize"),
    (429, b"null"),
    (200, b"<html>Bad Gateway</html>"),
    (200, b""),
    (200, b"null"),
    (200, b'{"status": "ok"}'),
    (200, b'{"status":"ok","status":"err"}'),
    (200, b"[" * 1000),
    ok(),
    ok(FILLED, FILLED),
    ok("waitingForFill"),
    ok({"filled": {"totalSz": "0.01493", "avgPx": "67013.0"}}),
    ok({"filled": {"totalSz": None, "avgPx": "67013.0", "oid": 1}}),
    ok({"filled": {"totalSz": "1", "oid": 1, "cloid": "0x" + "f" * 32}}),
    ok({"error": None}),
    ok({"error": "Insufficient margin to place order.", "filled": {"oid": 1}}),
    {"status": "err", "response": {"type": "order"}},
    {"status": "err", "response": "Something else"},
    httpx2.ReadTimeout("x"),
    httpx2.ReadError("x"),
    httpx2.RemoteProtocolError("x"),
    httpx2.WriteTimeout("x"),
]


@pytest.mark.parametrize("answer", UNKNOWN, ids=lambda a: repr(a)[:60])
def test_whatever_is_no_clear_yes_and_no_listed_no_is_unknown(answer: Any) -> None:
    found = send(answer)
    assert found.outcome == "unknown"
    assert found.order_id is None


@pytest.mark.parametrize("error", [httpx2.ConnectError("x"), httpx2.ConnectTimeout("x")])
def test_what_never_left_is_refused(error: Exception) -> None:
    found = send(error)
    assert (found.outcome, found.code) == ("refused", "NOT_SENT")


def test_what_cannot_be_asked_is_not_sent() -> None:
    venue = Venue(ok(FILLED))
    for order in (
        ORDER._replace(lots=0),
        ORDER._replace(limit_micro=0),
        ORDER._replace(intent="x"),
        ORDER._replace(market="NOPE"),
        ORDER._replace(expires_ns=NOW_NS),
    ):
        assert run(venue.client.send(order)).outcome == "refused"
    assert venue.sent == []


def test_an_order_is_looked_up_by_our_id_and_must_be_ours() -> None:
    asked: list[Any] = []

    def status(body: Any) -> Any:
        asked.append(body["oid"])
        row = {"coin": "BTC", "side": "B", "sz": "0.00493", "origSz": "0.01493", "oid": 5, "cloid": cloid}
        return {"status": "order", "order": {"order": row, "status": "canceled", "statusTimestamp": 1}}

    venue = Venue(orderStatus=status)
    cloid = f"0x{INTENT}"
    stamp = 1_771_000_000_123_000_000
    assert run(venue.client.look(ORDER, None)) == Found("final", "5", 1000, stamp)
    assert run(venue.client.look(ORDER, "5")) == Found("final", "5", 1000, stamp)
    assert asked == [f"0x{INTENT}", 5]
    cloid = "0x" + "f" * 32
    assert run(venue.client.look(ORDER, None)).status == "no_answer"
    assert run(venue.client.look(ORDER, "6")).status == "no_answer"
    assert run(Venue(orderStatus={"status": "unknownOid"}).client.look(ORDER, None)) == Found(
        "unknown_id", venue_ns=stamp
    )
    assert run(Venue(orderStatus=(500, b"")).client.look(ORDER, None)) == Found("no_answer")


def test_cancellations_are_confirmed_by_a_clear_yes_only() -> None:
    def said(*statuses: Any) -> Any:
        return {"status": "ok", "response": {"type": "cancel", "data": {"statuses": list(statuses)}}}

    venue = Venue(said("success"))
    assert run(venue.client.cancel(ORDER, "5"))
    assert venue.sent[0]["action"] == {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": f"0x{INTENT}"}]}
    for no in (
        said({"error": "x"}),
        said(),
        said("success", "success"),
        (500, b""),
        b"<html>",
        httpx2.ReadTimeout("x"),
    ):
        assert not run(Venue(no).client.cancel(ORDER, "5"))
    switch = Venue({"status": "ok", "response": {"type": "default"}})
    assert run(switch.client.schedule_cancel(NOW_NS))
    assert switch.sent[0]["action"] == {"type": "scheduleCancel", "time": NOW_NS // 1_000_000}
    assert not run(Venue({"status": "err", "response": "x"}).client.schedule_cancel(None))


def test_another_lot_size_than_at_the_start_stops_the_market() -> None:
    meta = copy.deepcopy(META)
    venue = Venue(ok(FILLED), meta=lambda _: meta)
    run(venue.client.instruments())
    meta["universe"][0]["szDecimals"] = 4
    assert run(venue.client.instruments())[0].lot_size == 1e-4
    assert run(venue.client.send(ORDER)).code == "NOT_SENT"
    assert venue.sent == []


def test_a_wrong_key_or_address_is_named_without_being_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        Hyperliquid(BASE, WALLET, Secret("0xCANARY"), ())
    assert "CANARY" not in str(caught.value)
    assert caught.value.__context__ is None
    with pytest.raises(ConfigError, match="wallet"):
        Hyperliquid(BASE, "0x12", KEY, ())
    assert "4c4c" not in repr(Signer(KEY, mainnet=False))


def test_a_read_that_is_no_answer_is_an_error() -> None:
    for answer in ((500, b""), (200, b"<html>"), (429, b"null"), (200, b'{"time": 1, "time": 2}')):
        with pytest.raises(VenueError):
            run(Venue(clearinghouseState=answer).client.reading())


@given(st.integers(1, 10**12), st.integers(0, 5), st.booleans())
def test_a_limit_is_legal_and_never_worse_than_asked(limit: int, decimals: int, buys: bool) -> None:
    """Five figures, 6 - szDecimals decimals, or whole; the official wire writes the same text."""
    asked, said = Decimal(limit).scaleb(decimals - 6), limit_text(limit, decimals, buys=buys)
    price = Decimal(said)
    assert price <= asked if buys else price >= asked
    assert abs(price - asked) <= asked / 10_000 + 1  # not far from it either
    digits = len(price.normalize().as_tuple().digits)
    assert price == price.to_integral_value() or (
        digits <= 5 and -price.normalize().as_tuple().exponent <= 6 - decimals
    )  # type: ignore[operator]
    if price < 10**7:
        assert float_to_wire(float(said)) == said


@given(st.integers(-(10**9), 10**9), st.integers(0, 5))
def test_a_size_is_exact(lots: int, decimals: int) -> None:
    assert Decimal(size_text(lots, decimals)) == abs(Decimal(lots)).scaleb(-decimals)


def test_a_coin_that_the_fund_does_not_list_has_a_price_and_can_be_closed() -> None:
    """A position of such a coin was "stuck": the flattener had no price for it. An impossible one is left out."""
    strange = next(a for a in WORLD.by_name.values() if a.market not in ("BTC", "ETH"))
    other = next(a for a in WORLD.by_name.values() if a.market not in ("BTC", "ETH", strange.market))
    middles = {"BTC": "67000.5", "ETH": "1790.1", strange.name: "40.5", other.name: "0"}
    client = Venue(allMids=middles).client
    found = run(client.mids())
    assert set(found) == {"BTC", "ETH", strange.market}
    flattener = Flattener(client, None, 1)  # type: ignore[arg-type]
    flattener.lots = {"BTC": 5, strange.market: 70}
    order = flattener._order(strange.market, found, NOW_NS)
    assert order is not None
    assert (order.lots, order.reduce_only) == (-70, True)
    for bad in ({"BTC": "0", strange.name: "40.5"}, {"BTC": None}):  # of the fund's own coins it stays an error
        with pytest.raises(VenueError):
            run(Venue(allMids=bad).client.mids())
