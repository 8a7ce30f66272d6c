"""What is sent to Purple Flea, and what is never sent."""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.nouns import SECOND_NS, ConfigError
from podshop.nouns.venue import Found, Order, Reply
from podshop.venues.hyperliquid.info import Asset
from podshop.venues.purpleflea import client as module
from podshop.venues.purpleflea.client import PurpleFlea, open_request
from podshop.venues.purpleflea.dialects import ARTICLE, NEVER, SERVER, Dialect, dialect
from podshop.venues.wire import Secret
from tests.venues import recorded
from tests.venues.hyperliquid.test_info import META
from tests.venues.scripted import BASE, Scripted, run

KEY = Secret("sk_trade_CANARY")
WALLET = "0x80940f697187a747e7dc88386dffe095c6dd1d65"
NOW_NS = 1_771_000_000_000_000_000
BTC = Asset(0, "BTC", "BTC", 5, 50, False)
ORDER = Order("0" * 31 + "1", "BTC", 1493, 673_350, 670_000, False, False, NOW_NS + 10 * SECOND_NS)
CLOSE = ORDER._replace(lots=-1493, reduce_only=True, whole=True)


def answer_of(name: str, number: int = 0) -> tuple[int, Any]:
    """A captured answer."""
    response = recorded.load(f"purpleflea/{name}.json")["exchanges"][number]["response"]
    return response["status"], response["body"]


class Venue(Scripted):
    """Purple Flea and Hyperliquid's info from a script: path -> answer, then type of question -> answer."""

    def __init__(self, spoken: Dialect = SERVER, drift: float | None = None, **told: Any) -> None:
        self.told = {
            SERVER.open_path: answer_of("lifecycle_long_btc"),
            SERVER.positions_path: answer_of("lifecycle_long_btc", 1),
            SERVER.close_path: answer_of("lifecycle_long_btc", 4),
            SERVER.account_path: answer_of("account"),
            "meta": META,
            "clearinghouseState": {"time": NOW_NS // 1_000_000},
        } | told
        super().__init__(lambda _, path, body: self.told.get(body["type"] if path == "/info" else path, (404, {})))
        self.now_ns = NOW_NS
        wire, info = self.wire(KEY), self.wire()
        self.client = PurpleFlea(
            WALLET, KEY, ("BTC", "ETH"), lambda: self.now_ns, dialect=spoken, wire=wire, info_wire=info, drift=drift
        )

    @property
    def sent(self) -> list[tuple[str, Any]]:
        """Path and body of what went to Purple Flea."""
        return [(path, body) for _, path, body in self.asked if path != "/info"]


def test_an_open_asks_for_the_dollars_of_whole_lots() -> None:
    venue = Venue()
    assert run(venue.client.send(ORDER)) == Reply("accepted", "42000001077", hinted_lots=1493)
    assert venue.sent == [("/v1/trade/open", {"coin": "BTC", "side": "long", "size_usd": 1000.31, "leverage": 3})]
    keyed = [
        h.get("authorization") for h, (_, path, _) in zip(venue.headers, venue.asked, strict=True) if path != "/info"
    ]
    others = [h for h, (_, path, _) in zip(venue.headers, venue.asked, strict=True) if path == "/info"]
    assert keyed == [f"Bearer {KEY.reveal()}"]
    assert all("CANARY" not in str(h) for h in others)  # Hyperliquid is never shown Purple Flea's key


def test_a_close_names_the_row_that_the_venue_shows() -> None:
    venue = Venue()
    assert run(venue.client.send(CLOSE)) == Reply("accepted", "42000001084")
    (_, (path, body)) = venue.sent
    assert path == "/v1/trade/close"
    assert list(body) == ["position_id"]


@pytest.mark.parametrize(
    ("order", "told", "code"),
    [
        (CLOSE._replace(whole=False), {}, "PARTIAL"),
        (CLOSE._replace(lots=1493), {}, "SIDE"),
        (CLOSE, {SERVER.positions_path: answer_of("positions_empty")}, "SIDE"),
        (CLOSE, {SERVER.positions_path: answer_of("ambiguous_dropped_after", 1)}, "ORPHAN"),
        (CLOSE, {SERVER.positions_path: answer_of("positions_fallback_database", 1)}, "NOT_SENT"),
        (CLOSE, {SERVER.positions_path: (200, b"<html>")}, "NOT_SENT"),
        (CLOSE, {SERVER.positions_path: httpx2.ReadTimeout("x")}, "NOT_SENT"),
        (ORDER._replace(expires_ns=NOW_NS), {}, "EXPIRED"),
        (ORDER._replace(lots=16), {}, "MINIMUM"),
        (ORDER._replace(market="NOPE"), {}, "NOT_SENT"),
    ],
)
def test_what_is_not_certain_to_be_what_was_meant_is_not_sent(order: Order, told: Any, code: str) -> None:
    venue = Venue(**told)
    found = run(venue.client.send(order))
    assert (found.outcome, found.code) == ("refused", code)
    assert all(path == SERVER.positions_path for path, _ in venue.sent)


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html><body>502</body></html>"),
        (200, {"status": "open"}),
        (201, answer_of("lifecycle_long_btc")[1]),
        (200, answer_of("lifecycle_long_btc")[1] | {"coin": "ETH"}),
        (200, answer_of("lifecycle_long_btc")[1] | {"side": "short"}),
        (200, answer_of("lifecycle_long_btc")[1] | {"execution": "simulated"}),
        (200, answer_of("lifecycle_long_btc")[1] | {"hl_order_id": None}),
        (500, {"error": "internal_error"}),
        (400, {"error": "invalid_json", "message": "Request body must be valid JSON"}),
        (400, {"error": "trade_failed", "message": "Order not filled (may have been placed as resting)"}),
        (400, {"error": "trade_failed", "message": None}),
        (400, {"error": ["trade_failed"]}),
        (400, []),
        (404, b"not found"),
        (502, b""),
        httpx2.ReadTimeout("x"),
        httpx2.RemoteProtocolError("x"),
    ],
    ids=lambda a: repr(a)[:50],
)
def test_anything_else_is_unknown(answer: Any) -> None:
    found = run(Venue(**{SERVER.open_path: answer}).client.send(ORDER))
    assert found.outcome == "unknown"


def test_a_minute_bears_25_opens_and_as_many_closes_apart() -> None:
    venue = Venue()

    async def many() -> tuple[list[Reply], list[Reply]]:
        opens = [await venue.client.send(ORDER) for _ in range(30)]
        return opens, [await venue.client.send(CLOSE) for _ in range(30)]

    opens, closes = run(many())
    for replies in (opens, closes):
        assert [r.outcome for r in replies] == ["accepted"] * 25 + ["refused"] * 5
        assert {r.code for r in replies[25:]} == {"RATE"}
    assert sum(path == SERVER.open_path for path, _ in venue.sent) == 25
    venue.now_ns += 60 * SECOND_NS
    assert run(venue.client.send(ORDER._replace(expires_ns=venue.now_ns + 1))).outcome == "accepted"


def test_calls_that_are_known_to_lie_are_never_sent() -> None:
    """Everything the adapter can do is done once, well and badly; the paths are counted."""
    venue = Venue()

    async def everything() -> None:
        client = venue.client
        await client.send(ORDER)
        await client.send(CLOSE)
        await client.send(CLOSE._replace(whole=False))
        await client.look(ORDER, "1")
        await client.look(ORDER, None)
        await client.cancel(ORDER, "1")
        await client.terms()
        for read in (client.time_ns, client.instruments, client.mids, client.reading, client.open_orders):
            try:
                await read()
            except Exception:  # noqa: BLE001 -- the script answers no more than it must
                continue
        await client.close()

    run(everything())
    paths = {path for path, _ in venue.sent}
    assert paths == {SERVER.open_path, SERVER.close_path, SERVER.positions_path, SERVER.account_path}
    assert not any(word in path for path in paths for word in NEVER)
    source = (Path(module.__file__).parent / "client.py").read_text()
    assert not any(f'"{word}' in source or f"/{word.lstrip('/')}" in source for word in NEVER if word != "/limit")


def test_mutant_a_dialect_that_would_call_one_is_refused() -> None:
    table = {"name": "x", "base_url": BASE, "header": "H", "prefix": "", "open_path": "/v1/trade/open"}
    for path in ("/v1/trade/close-all", "/v1/trade/check-exits", "/v1/trade/positions?status=all"):
        with pytest.raises(ConfigError, match="known to lie"):
            dialect(table | {"close_path": path})


def test_a_dialect_is_data() -> None:
    page = dialect(
        {
            "name": "site",
            "base_url": "https://api.purpleflea.com",
            "header": "Authorization",
            "prefix": "Bearer ",
            "open_path": "/v1/trading/open",
            "coin_field": "market",
            "size_field": "size",
            "symbols": "-PERP",
        }
    )
    assert open_request(ORDER, BTC, page, 5) == {"market": "BTC-PERP", "side": "long", "size": 1000.31, "leverage": 5}
    for wrong in ({"colour": "red"}, {"open_path": 1}, {"symbols": "/USD"}, {"open_path": "x"}):
        with pytest.raises(ConfigError, match="dialect"):
            dialect({f: getattr(page, f) for f in ("name", "base_url", "header", "prefix", "open_path")} | wrong)
    with pytest.raises(ConfigError, match="missing"):
        dialect({"name": "x"})
    with pytest.raises(ConfigError, match="server"):
        dialect("seed")


def test_the_article_s_dialect_opens_in_simulation_and_starts_nowhere_else() -> None:
    with pytest.raises(ConfigError, match="cannot close or show positions"):
        PurpleFlea(WALLET, KEY, (), dialect=ARTICLE)
    venue = Venue(ARTICLE)
    run(venue.client.send(ORDER._replace(lots=-1493)))
    (path, body), header = venue.sent[0], venue.headers[-1]["x-api-key"]
    assert (path, body["symbol"], body["side"], header) == ("/api/trade", "BTC", "short", KEY.reveal())
    assert run(venue.client.send(CLOSE)).code == "DIALECT"


def test_terms_of_the_account_and_what_cannot_be_told() -> None:
    terms = run(Venue().client.terms())
    assert (terms.wallet, terms.max_position_usd, terms.tradeable, terms.generated) == (WALLET, 10_000, False, True)
    assert run(Venue().client.look(ORDER, None)) == Found("no_answer")
    assert run(Venue().client.cancel(ORDER, "1")) is False


LOTS, PRICE = st.integers(1, 10**6), st.integers(1_000, 10**7)


@given(LOTS, PRICE, st.floats(-0.005, 0.05), st.sampled_from([0.0, 0.001, 0.005]))
def test_the_venue_s_rounding_never_gives_more_than_a_lot_too_many(
    lots: int, reference: int, move: float, drift: float
) -> None:
    """The server: nearest lot of USD / mid, half up. Down to the drift we allowed for, at most one lot more."""
    order = ORDER._replace(lots=lots, reference_micro=reference)
    body = open_request(order, BTC, SERVER, 3, drift)
    if body is None:
        assert lots * reference * (1 - drift) < 11_000_001
        return
    mid = Decimal(reference) * Decimal(1 + max(move, -drift))
    filled = int((Decimal(repr(body["size_usd"])) * 1_000_000 / mid).to_integral_value(ROUND_HALF_UP))
    assert filled <= lots + 1
    if drift == 0 and move <= 0:
        assert filled == lots  # where the mid stands still, what was asked, exactly


def test_mutant_who_asks_at_the_full_price_is_filled_larger_when_the_mid_falls() -> None:
    order = ORDER._replace(lots=100_000)
    asked = {drift: open_request(order, BTC, SERVER, 3, drift) for drift in (0.0, 0.005)}
    mid = Decimal(order.reference_micro) * Decimal("0.995")
    filled = {d: int(Decimal(repr(b["size_usd"])) * 1_000_000 / mid) for d, b in asked.items() if b is not None}
    assert filled[0.005] <= order.lots + 1 < filled[0.0]
