"""Purple Flea's half over real HTTP: every answer beside the captured one, then what it does, then how it lies."""

import asyncio
from typing import Any

import httpx2
import pytest

from podshop.nouns import HOUR_NS, SECOND_NS
from tests.venues.exchange.served import BEARER, Client, captured, serve, unlike
from tests.venues.exchange.small import thin

LONG = {"coin": "BTC", "side": "long", "size_usd": 500, "leverage": 5}  # 999 lots at 50,050: what one bar bears
SHORT = LONG | {"side": "short", "size_usd": 200}

CASES: list[tuple[str, int, str, Any]] = [  # fixture, which of its exchanges, path, body
    ("account", 0, "/v1/auth/account", None),
    ("deposit_address", 0, "/v1/auth/deposit-address", None),
    ("register_generated", 0, "/v1/auth/register", {}),
    ("register_bad_signing_key", 0, "/v1/auth/register", {"hl_signing_key": "nothex"}),
    ("market_btc", 0, "/v1/markets/BTC", None),
    ("market_unknown", 0, "/v1/markets/NOPE", None),
    ("price_btc", 0, "/v1/markets/btc/price", None),
    ("price_unknown", 0, "/v1/markets/NOPE/price", None),
    ("multi_price", 0, "/v1/markets/multi-price?coins=BTC,eth,NOPE", None),
    ("markets_screener_crypto", 0, "/v1/markets/screener?category=crypto&limit=100", None),
    ("orderbook_btc", 0, "/v1/markets/BTC/orderbook?depth=5", None),
    ("positions_empty", 0, "/v1/trade/positions", None),
    ("risk_settings_default", 0, "/v1/trade/risk-settings", None),
    ("risk_settings_set", 0, "/v1/trade/risk-settings", {"max_daily_loss_usd": 0.5, "max_leverage": 20}),
    ("risk_settings_invalid", 0, "/v1/trade/risk-settings", {"max_leverage": 51}),
    ("health", 0, "/health", None),
    ("order_monitor", 0, "/v1/order-monitor", None),
    ("batch_absent", 0, "/v1/trade/batch", {"orders": []}),
    ("candles_absent", 0, "/v1/markets/BTC/candles?interval=1h", None),
    ("funding_history_absent", 0, "/v1/funding-history/BTC", None),
    ("seed_api_trade", 0, "/api/trade", {"symbol": "BTC", "side": "long", "size_usd": 100, "leverage": 3}),
    ("webhooks_absent", 0, "/v1/webhooks", {}),
    ("err_missing_fields", 0, "/v1/trade/open", {"side": "long", "size_usd": 100}),
    ("err_symbol_instead_of_coin", 0, "/v1/trade/open", {"symbol": "BTC", "side": "long", "size_usd": 100}),
    ("err_side_buy", 0, "/v1/trade/open", LONG | {"side": "buy"}),
    ("err_size_string", 0, "/v1/trade/open", LONG | {"size_usd": "100"}),
    ("err_size_negative", 0, "/v1/trade/open", LONG | {"size_usd": -5}),
    ("err_leverage_zero", 0, "/v1/trade/open", LONG | {"leverage": 0}),
    ("err_position_too_large", 0, "/v1/trade/open", LONG | {"size_usd": 10_001}),
    ("err_unknown_coin", 0, "/v1/trade/open", LONG | {"coin": "NOPE"}),
    ("err_below_min_notional", 0, "/v1/trade/open", LONG | {"size_usd": 5}),
    ("close_missing_id", 0, "/v1/trade/close", {}),
    ("close_unknown_id", 0, "/v1/trade/close", {"position_id": "pos_nope"}),
    ("sl_unknown_position", 0, "/v1/trade/stop-loss", {"position_id": "pos_nope", "trigger_price": 3000}),
    ("limit_order_lifecycle", 0, "/v1/trade/limit", LONG | {"limit_price": 40_000}),
    ("limit_unknown_coin", 0, "/v1/trade/limit", LONG | {"coin": "NOPE", "limit_price": 1}),
    ("limit_too_large", 0, "/v1/trade/limit", LONG | {"size_usd": 10_001, "limit_price": 1}),
    ("limit_order_lifecycle", 1, "/v1/trade/limit-orders", None),
]


def test_answers_have_the_status_the_code_and_the_shape_of_the_captured_ones() -> None:
    async def story(client: Client) -> dict[str, list[str]]:
        found = {}
        for name, at, path, body in CASES:
            wrong = unlike(await client.flea(path, body), captured(name, at))
            if wrong:
                found[f"{name} {at}"] = wrong
        return found

    assert serve(story) == {}


def test_a_life_of_one_position_beside_the_captured_one() -> None:
    async def story(client: Client) -> None:
        opened = await client.flea("/v1/trade/open", LONG)
        assert not unlike(opened, captured("lifecycle_long_btc", 0))
        assert (opened[1]["size_usd"], opened[1]["fee"], opened[1]["leverage"]) == (500.37, 0.28, 5)
        row = opened[1]["position_id"]
        listed = await client.flea("/v1/trade/positions")
        assert not unlike(listed, captured("lifecycle_long_btc", 1))
        assert (listed[1]["positions"][0]["size"], listed[1]["positions"][0]["position_id"]) == (0.00999, row)
        for path, at in (("history", 2), ("positions?status=all", 3)):
            assert not unlike(await client.flea(f"/v1/trade/{path}"), captured("lifecycle_long_btc", at))
        await client.later(HOUR_NS)
        closed = await client.flea("/v1/trade/close", {"position_id": row})
        assert not unlike(closed, captured("lifecycle_long_btc", 4))
        assert (closed[1]["exit_price"], closed[1]["status"]) == (50_023.3, "closed")
        assert client.truth.lots["BTC"] == 0
        assert (await client.flea("/v1/trade/positions"))[1]["positions"] == []
        again = await client.flea("/v1/trade/close", {"position_id": row})
        assert not unlike(again, captured("close_already_closed"))
        history = (await client.flea("/v1/trade/history?limit=abc"))[1]
        assert [trade["side"] for trade in history["trades"]] == ["sell", "buy"]
        for wrong in ({"position_id": row, "trigger_price": 3000},):
            stopped = await client.flea("/v1/trade/stop-loss", wrong)
            assert not unlike(stopped, captured("sl_closed_position"))

    serve(story)


def test_opposite_opens_net_at_the_venue_and_leave_two_rows() -> None:
    """Closing the one row closes all; the other is a ghost."""

    async def story(client: Client) -> None:
        first = (await client.flea("/v1/trade/open", LONG))[1]["position_id"]
        await client.later(HOUR_NS)
        second = (await client.flea("/v1/trade/open", SHORT))[1]["position_id"]
        (position,) = (await client.flea("/v1/trade/positions"))[1]["positions"]
        assert (position["position_id"], position["side"], client.truth.lots["BTC"]) == (first, "long", 999 - 400)
        await client.later(HOUR_NS)
        assert (await client.flea("/v1/trade/close", {"position_id": first}))[1]["size_usd"] == 500.37
        assert client.truth.lots["BTC"] == 0
        ghost = await client.flea("/v1/trade/close", {"position_id": second})
        assert not unlike(ghost, captured("opposite_open_nets", 5))
        assert ghost[1]["message"] == captured("opposite_open_nets", 5)[1]["message"]

    serve(story)


def test_close_all_closes_nothing_and_takes_the_ids_away() -> None:
    async def story(client: Client) -> int:
        row = (await client.flea("/v1/trade/open", LONG))[1]["position_id"]
        said = await client.flea("/v1/trade/close-all", {})
        assert not unlike(said, captured("close_all_does_not_trade", 2))
        (position,) = (await client.flea("/v1/trade/positions"))[1]["positions"] or [{"position_id": None}]
        assert position["position_id"] is None
        assert (await client.flea("/v1/trade/close", {"position_id": row}))[0] == 404
        assert (await client.flea("/v1/trade/close-all", {}))[1]["closed"] == 0
        assert (await client.sim("evil"))["fired"]["close_all"] == 1 - bool(client.truth.lots["BTC"] == 0)
        return client.truth.lots["BTC"]

    assert serve(story) == 999
    assert serve(story, faults={"close_all": 0.0}, liquid=None) == 0  # the honest twin sells


def test_leverage_is_capped_without_a_word() -> None:
    async def story(client: Client) -> tuple[Any, Any]:
        answer = await client.flea("/v1/trade/open", LONG | {"leverage": 20})
        assert not unlike(answer, captured("open_leverage_capped"))
        return answer[1]["leverage"], client.truth.leverage["BTC"]

    assert serve(story) == (10, 10)  # by the account's own cap, which the answer shows
    assert serve(story, faults={"leverage_cap": [0]}) == (10, 5)  # and this one it does not


def test_what_is_free_text_and_what_it_means() -> None:
    async def story(client: Client) -> None:
        full = await client.flea("/v1/trade/open", LONG)
        none = await client.flea("/v1/trade/open", LONG | {"size_usd": 100})
        assert full[0] == 200
        assert (await client.flea("/v1/trade/open", LONG | {"size_usd": 100}))[0] == 400
        assert not unlike(none, captured("err_ioc_no_match"))
        assert none[1]["message"] == captured("err_ioc_no_match")[1]["message"]
        await client.later(HOUR_NS)
        small = await client.flea("/v1/trade/open", LONG | {"size_usd": 5})
        assert small[1]["message"] == captured("err_below_min_notional")[1]["message"]
        unknown = await client.flea("/v1/trade/open", LONG | {"coin": "NOPE"})
        assert unknown[1]["message"] == captured("err_unknown_coin")[1]["message"]

    serve(story, liquid=thin(most=999))

    async def poor(client: Client) -> tuple[int, Any]:
        return await client.flea("/v1/trade/open", LONG)

    margin = serve(poor, cash_micro=1_000_000)
    assert not unlike(margin, captured("err_insufficient_margin"))
    assert margin[1]["message"] == captured("err_insufficient_margin")[1]["message"]


def test_a_partial_fill_answers_with_what_was_filled() -> None:
    async def story(client: Client) -> tuple[int, Any]:
        return await client.flea("/v1/trade/open", LONG | {"size_usd": 1000})

    answer = serve(story)
    assert not unlike(answer, captured("open_partial_fill"))
    assert answer[1]["size_usd"] < 510 < 1000


def test_keys() -> None:
    async def story(client: Client) -> None:
        for headers, name in (
            ({}, "auth_missing"),
            ({"X-API-Key": "sk_trade_x"}, "auth_x_api_key"),
            ({"Authorization": f"Bearer sk_trade_{'0' * 48}"}, "auth_bad_key"),
        ):
            reply = await client.http.get("/v1/auth/account", headers=headers)
            assert not unlike((reply.status_code, reply.json()), captured(name)), name
        broken = await client.http.post("/v1/trade/open", headers=BEARER, content=b'{"coin":"BTC","side":')
        assert not unlike((broken.status_code, broken.json()), captured("err_malformed_json"))
        ping = await client.http.get("/ping")
        assert (ping.text, ping.headers["content-type"]) == ("pong", "text/plain; charset=utf-8")

    serve(story)


def test_a_wallet_that_was_never_funded() -> None:
    async def story(client: Client) -> None:
        account = (await client.flea("/v1/auth/register", {"hl_wallet_address": f"0x{'1' * 40}"}))[1]
        answer = await client.flea("/v1/trade/open", LONG, headers={"Authorization": f"Bearer {account['api_key']}"})
        assert not unlike(answer, captured("err_wallet_not_on_hyperliquid"))
        own = (await client.flea("/v1/auth/register", {"hl_wallet_address": client.server.loopback.wallet}))[1]
        assert (await client.flea("/v1/trade/open", LONG, headers={"Authorization": f"Bearer {own['api_key']}"}))[
            0
        ] == 200

    serve(story)


def test_every_registration_makes_an_account_even_a_broken_one() -> None:
    async def story(client: Client) -> list[str]:
        replies = [await client.http.post("/v1/auth/register", content=b"{") for _ in range(2)]
        assert [reply.status_code for reply in replies] == [201, 201]
        return [reply.json()["api_key"] for reply in replies]

    first, second = serve(story)
    assert first != second


def test_thirty_a_minute_by_path_and_caller_failed_ones_too() -> None:
    async def story(client: Client) -> None:
        for _ in range(30):
            assert (await client.flea("/v1/trade/open", {}))[0] == 400
        reply = await client.http.post("/v1/trade/open", json=LONG, headers=BEARER)
        assert not unlike((reply.status_code, reply.json()), captured("err_rate_limited"))
        assert not {"retry-after", "x-ratelimit-remaining"} & set(reply.headers)
        assert (await client.flea("/v1/trade/close", {}))[0] == 400  # another path, another count
        assert (await client.flea("/v1/trade/open", {}, headers={"X-Forwarded-For": "10.0.0.9"}))[0] == 400
        await client.later(60 * SECOND_NS)
        assert (await client.flea("/v1/trade/open", LONG))[0] == 200

    serve(story)


def test_a_price_is_thirty_seconds_old_and_stamped_now() -> None:
    async def story(client: Client) -> None:
        await client.later(HOUR_NS - SECOND_NS)
        before = (await client.flea("/v1/markets/BTC/price"))[1]
        await client.later(2 * SECOND_NS)
        after = (await client.flea("/v1/markets/BTC/price"))[1]
        assert before["price"] == after["price"] == 50_050
        assert after["timestamp"] == before["timestamp"] + 2000
        await client.later(30 * SECOND_NS)
        assert (await client.flea("/v1/markets/BTC/price"))[1]["price"] == 50_060

    serve(story)


def test_the_daily_loss_limit_blocks_opens_until_midnight() -> None:
    async def story(client: Client) -> None:
        await client.flea("/v1/trade/risk-settings", {"max_daily_loss_usd": 0.1})
        row = (await client.flea("/v1/trade/open", LONG))[1]["position_id"]
        answer = await client.flea("/v1/trade/open", LONG)
        assert not unlike(answer, captured("daily_loss_limit", 1))
        await client.later(HOUR_NS)
        assert (await client.flea("/v1/trade/close", {"position_id": row}))[0] == 200
        await client.later(24 * HOUR_NS)
        assert (await client.flea("/v1/trade/open", LONG))[0] == 200

    serve(story)


def test_limit_orders_are_rows_and_never_fill() -> None:
    async def story(client: Client) -> None:
        order = (await client.flea("/v1/trade/limit", LONG | {"limit_price": 60_000}))[1]["order_id"]
        await client.later(3 * HOUR_NS)
        assert (await client.flea("/v1/trade/limit-orders"))[1]["pending_count"] == 1
        assert not client.truth.orders
        gone = await client.flea(f"/v1/trade/limit-orders/{order}", method="DELETE")
        assert not unlike(gone, captured("limit_order_lifecycle", 3))
        assert not unlike(await client.flea("/v1/trade/limit-orders"), captured("limit_order_lifecycle", 4))
        again = await client.flea(f"/v1/trade/limit-orders/{order}", method="DELETE")
        assert (again[0], again[1]["error"]) == (400, "not_pending")
        unknown = await client.flea("/v1/trade/limit-orders/ord_nope", method="DELETE")
        assert not unlike(unknown, captured("limit_cancel_unknown"))

    serve(story)


def test_the_articles_dialect_opens_and_reads_nothing() -> None:
    async def story(client: Client) -> None:
        body = {"symbol": "BTC", "side": "long", "size_usd": 100, "leverage": 3}
        key = {"X-API-Key": BEARER["Authorization"].removeprefix("Bearer ")}
        opened = await client.http.post("/api/trade", json=body, headers=key)
        assert opened.status_code == 200
        assert client.truth.lots["BTC"] == 200
        assert (await client.http.get("/api/positions", headers=key)).status_code == 404
        assert (await client.http.post("/api/trade", json=body, headers=BEARER)).status_code == 401

    serve(story, server={"article": True})


# -------------------------------------------------------------------- lies


@pytest.mark.parametrize(("fault", "held"), [("refused_after_fill", 999), ("unrounded", 0), ("busy", 0)])
def test_a_400_or_429_and_what_really_happened(fault: str, held: int) -> None:
    """The same 400 comes whether it filled or not; after a fill the row is missing: an orphan."""

    async def story(client: Client) -> None:
        answer = await client.flea("/v1/trade/open", LONG)
        expected = {
            "refused_after_fill": captured("ambiguous_dropped_after", 0),
            "unrounded": captured("err_float_to_wire"),
            "busy": captured("err_rate_limited"),
        }
        assert not unlike(answer, expected[fault])
        if fault != "busy":
            assert answer[1]["message"][:20] == expected[fault][1]["message"][:20]
        assert client.truth.lots["BTC"] == held
        rows = (await client.flea("/v1/trade/positions"))[1]["positions"]
        assert [row["position_id"] for row in rows] == ([None] if held else [])
        assert (await client.flea("/v1/trade/history"))[1]["count"] == 0
        assert (await client.sim("evil"))["fired"][fault] == 1

    serve(story, faults={fault: [0]})


@pytest.mark.parametrize(
    ("fault", "held", "seen"),
    [
        ("lost_before", 0, httpx2.ReadTimeout),
        ("lost_after", 999, httpx2.ReadTimeout),
        ("reset", 999, httpx2.TransportError),
        ("html", 999, "text/html"),
        ("garbage", 999, "application/json"),
        ("odd_numbers", 999, "application/json"),
        ("twice_keys", 999, "application/json"),
    ],
)
def test_answers_that_are_lost_or_cannot_be_read(fault: str, held: int, seen: Any) -> None:
    async def story(client: Client) -> None:
        if isinstance(seen, str):
            reply = await client.http.post("/v1/trade/open", json=LONG, headers=BEARER)
            assert reply.status_code == 200
            assert reply.headers["content-type"].startswith(seen)
            wrong = {
                "html": "<html",
                "garbage": "",
                "odd_numbers": "NaN",
                "twice_keys": '"position_id": null, "position_id"',
            }
            assert wrong[fault] in reply.text
            if fault == "garbage":
                with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
                    reply.json()
        else:
            with pytest.raises(seen):
                await client.http.post("/v1/trade/open", json=LONG, headers=BEARER, timeout=0.2)
            await asyncio.sleep(0.02)
        assert client.truth.lots["BTC"] == held
        assert (await client.sim("evil"))["fired"][fault] == 1

    serve(story, faults={fault: [0]})


def test_an_order_arrives_after_its_sender_has_gone() -> None:
    """The row is written when the venue answers, so right after the fill the position has no id."""

    async def story(client: Client) -> None:
        with pytest.raises(httpx2.ReadTimeout):
            await client.http.post("/v1/trade/open", json=LONG, headers=BEARER, timeout=0.1)
        assert client.truth.lots["BTC"] == 0
        await client.later(61 * SECOND_NS)
        await asyncio.sleep(0.02)
        (row,) = (await client.flea("/v1/trade/positions"))[1]["positions"]
        assert client.truth.lots["BTC"] == 999
        assert row["position_id"].startswith("pos_")

    serve(story, faults={"late": [0]})


def test_positions_from_the_database_empty_ones_and_orphans() -> None:
    async def story(client: Client) -> list[Any]:
        await client.flea("/v1/trade/open", LONG)
        return [await client.flea("/v1/trade/positions") for _ in range(2)]

    database, honest = serve(story, faults={"database": [0]})
    assert not unlike(database, captured("positions_fallback_database", 1))
    assert (database[1]["source"], honest[1]["source"]) == ("database", "hyperliquid")
    empty, honest = serve(story, faults={"empty": [0]})
    assert not unlike(empty, captured("positions_empty"))
    assert (empty[1]["count"], honest[1]["count"]) == (0, 1)
    orphan, _ = serve(story, faults={"orphan": [0]})
    assert orphan[1]["positions"][0]["position_id"] is None


def test_a_close_by_half_is_reported_whole() -> None:
    async def story(client: Client) -> int:
        row = (await client.flea("/v1/trade/open", LONG))[1]["position_id"]
        await client.later(HOUR_NS)
        answer = await client.flea("/v1/trade/close", {"position_id": row})
        assert answer[0] == 200
        assert answer[1]["size_usd"] == 500.37
        assert answer[1]["status"] == "closed"
        return client.truth.lots["BTC"]

    assert serve(story, faults={"partial_close": [0]}) == 500
    assert serve(story) == 0


def test_a_close_that_finds_no_match_quotes_the_venue() -> None:
    async def story(client: Client) -> None:
        row = (await client.flea("/v1/trade/open", LONG | {"size_usd": 500}))[1]["position_id"]
        client.truth.submit(client.truth.now_ns, "BTC", -100, 1)
        client.truth.submit(client.truth.now_ns, "ETH", -100, 1)
        answer = await client.flea("/v1/trade/close", {"position_id": row})
        assert not unlike(answer, captured("close_failed_no_match", 1))
        assert answer[1]["message"] == captured("close_failed_no_match", 1)[1]["message"]

    serve(story)
