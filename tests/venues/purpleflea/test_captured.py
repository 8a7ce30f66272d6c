"""Every captured exchange with Purple Flea's published server is taken for what it was: case by case, call by call.

An order is accepted with Hyperliquid's number, refused for a published reason, or unknown. Reads are believed or not.
`never` and `lies`: calls that this adapter does not make, the second since their answers are known to be false.
"""

import asyncio
import json
from typing import Any

import pytest

from podshop.nouns.venue import Order, Reply
from podshop.venues.hyperliquid.info import Asset
from podshop.venues.purpleflea import parse, refusals
from podshop.venues.purpleflea.dialects import ARTICLE
from podshop.venues.sending import refused
from podshop.venues.wire import Answer
from tests.venues import recorded
from tests.venues.purpleflea.sorting import sorted_out

EXPECTED = {
    "account": ["read 10000"],
    "alerts": ["never", "never"],
    "ambiguous_dropped_after": ["unknown UNLISTED", "read 1", "lies", "lies"],
    "ambiguous_dropped_before": ["unknown UNLISTED", "read 0", "lies"],
    "auth_bad_key": ["unread"],
    "auth_missing": ["unread"],
    "auth_x_api_key": ["unread"],
    "batch_absent": ["never"],
    "candles_absent": ["never"],
    "client_timeout_executed": ["unknown NO_ANSWER", "read 1", "lies", "read 1", "lies"],
    "close_all_does_not_trade": [
        "accepted 42000001343",
        "accepted 42000001350",
        "lies",
        "read 2",
        "refused GONE",
        "lies",
        "lies",
    ],
    "close_already_closed": ["refused GONE"],
    "close_failed_no_match": ["accepted 42000001357", "refused NO_MATCH", "read 1", "accepted 42000001364"],
    "close_missing_id": ["refused REQUEST"],
    "close_unknown_id": ["refused GONE"],
    "daily_loss_limit": ["accepted 42000001434", "refused DAILY_LOSS", "lies", "accepted 42000001441"],
    "deposit_address": ["never"],
    "duplicate_open_idempotency_header": [
        "accepted 42000001280",
        "accepted 42000001287",
        "read 1",
        "accepted 42000001294",
        "read 0",
        "refused FLAT",
        "lies",
    ],
    "err_below_min_notional": ["refused MINIMUM"],
    "err_float_to_wire": ["refused TICK"],
    "err_insufficient_margin": ["refused MARGIN"],
    "err_ioc_no_match": ["refused NO_MATCH"],
    "err_leverage_zero": ["refused REQUEST"],
    "err_malformed_json": ["unknown HTTP_400"],
    "err_missing_fields": ["refused REQUEST"],
    "err_position_too_large": ["refused TOO_LARGE"],
    "err_rate_limited": ["refused RATE"],
    "err_side_buy": ["refused REQUEST"],
    "err_size_negative": ["refused REQUEST"],
    "err_size_string": ["refused REQUEST"],
    "err_symbol_instead_of_coin": ["refused REQUEST"],
    "err_tick_size": ["refused TICK"],
    "err_unknown_coin": ["refused MARKET"],
    "err_wallet_not_on_hyperliquid": ["refused REJECTED"],
    "funding_history_absent": ["never"],
    "funding_rates_synthetic": ["lies"],
    "health": ["never"],
    "history_limit_text": ["lies"],
    "lifecycle_long_btc": [
        "accepted 42000001077",
        "read 1",
        "lies",
        "lies",
        "accepted 42000001084",
        "read 0",
        "lies",
        "lies",
        "read 10000",
    ],
    "lifecycle_short_eth": ["accepted 42000001091", "read 1", "accepted 42000001098"],
    "limit_cancel_unknown": ["lies"],
    "limit_order_lifecycle": ["lies", "lies", "lies", "lies", "lies"],
    "limit_too_large": ["lies"],
    "limit_triggered": ["lies", "lies", "lies", "read 1", "lies"],
    "limit_unknown_coin": ["lies"],
    "market_btc": ["never"],
    "market_unknown": ["never"],
    "markets": ["never"],
    "markets_include_crypto": ["never"],
    "markets_screener_crypto": ["never"],
    "monitor_executes_sl": ["accepted 42000001462", "lies", "lies", "read 0", "lies", "lies", "read 10000", "never"],
    "multi_price": ["never"],
    "open_default_leverage": ["accepted 42000001105", "accepted 42000001112"],
    "open_hip3_tsla": ["unknown UNREADABLE", "read 1", "accepted 42000001140"],
    "open_interest": ["never"],
    "open_leverage_capped": ["accepted 42000001119", "accepted 42000001126"],
    "open_partial_fill": ["accepted 42000001189", "read 1", "accepted 42000001196"],
    "opposite_open_nets": [
        "accepted 42000001322",
        "accepted 42000001329",
        "read 1",
        "lies",
        "accepted 42000001336",
        "refused FLAT",
    ],
    "order_monitor": ["never"],
    "orderbook_btc": ["never"],
    "ping": ["never"],
    "portfolio": ["accepted 42000001448", "accepted 42000001455", "lies", "lies", "lies"],
    "positions_empty": ["read 0"],
    "positions_fallback_database": ["accepted 42000001378", "unread"],
    "price_btc": ["never"],
    "price_moved_profit_close": ["accepted 42000001476", "read 1", "read 1", "accepted 42000001483", "lies"],
    "price_tsla": ["never"],
    "price_unknown": ["never"],
    "register_bad_signing_key": ["never"],
    "register_generated": ["never"],
    "register_own_wallet": ["never"],
    "risk_calc": ["never"],
    "risk_settings_default": ["never"],
    "risk_settings_get": ["never"],
    "risk_settings_invalid": ["never"],
    "risk_settings_set": ["never"],
    "seed_api_trade": ["never"],
    "sl_bad_price": ["lies"],
    "sl_closed_position": ["lies"],
    "sl_tp_lifecycle": ["accepted 42000001392", "lies", "lies", "lies", "lies", "lies", "accepted 42000001399", "lies"],
    "sl_triggered_by_check_exits": ["accepted 42000001413", "lies", "lies", "read 0", "lies", "lies"],
    "sl_unknown_position": ["lies"],
    "upstream_502_close": ["unknown UNLISTED"],
    "upstream_502_health": ["never"],
    "upstream_502_markets": ["never"],
    "upstream_502_open": ["unknown UNLISTED"],
    "upstream_502_orderbook": ["never"],
    "upstream_502_price": ["never"],
    "upstream_down_open": ["unknown UNLISTED"],
    "upstream_down_price": ["never"],
    "webhooks_absent": ["never"],
}


def listed_cases() -> list[str]:
    """The cases of INDEX.md."""
    rows = [row.split("|")[1].strip() for row in recorded.text("purpleflea/INDEX.md").splitlines() if row[:2] == "| "]
    return [name for name in rows if name != "file"]


def sort_all(name: str) -> list[str]:
    exchanges = recorded.load(f"purpleflea/{name}.json")["exchanges"]

    async def all_of_them() -> list[str]:
        return [await sorted_out(exchange) for exchange in exchanges]

    return asyncio.run(all_of_them())


def test_every_case_of_the_index_has_an_expected_class() -> None:
    assert sorted(listed_cases()) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_captured_case_is_taken_for_what_it_was(name: str) -> None:
    assert sort_all(name) == EXPECTED[name]


def test_the_same_words_for_an_order_that_was_taken_and_one_that_was_not_are_unknown() -> None:
    """The positions that follow show it: one line more after the one, none after the other. Both said 400."""
    after, before = sort_all("ambiguous_dropped_after"), sort_all("ambiguous_dropped_before")
    assert after[0] == before[0] == "unknown UNLISTED"
    assert (after[1], before[1]) == ("read 1", "read 0")


def test_mutant_who_takes_400_for_a_refusal_forgets_an_order_that_was_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    def trusting(status: int, said: Any) -> Reply:
        return refused("HTTP_400") if status == 400 else refusals.refusal(status, said)

    monkeypatch.setattr(parse, "refusal", trusting)
    assert sort_all("ambiguous_dropped_after")[:2] == ["refused HTTP_400", "read 1"]


def test_mutant_who_believes_the_database_sees_positions_that_are_not_there() -> None:
    (_, listing) = recorded.load("purpleflea/positions_fallback_database.json")["exchanges"]
    body = listing["response"]["body"]
    assert body["source"] == "database"
    assert len(body["positions"]) > 0  # what a parser that does not look at the source would report


def test_the_article_s_call_is_refused_by_the_published_server() -> None:
    """404 for the path: nothing was sent, and nothing ever will be."""
    (exchange,) = recorded.load("purpleflea/seed_api_trade.json")["exchanges"]
    response = exchange["response"]
    order = Order("0" * 32, "BTC", 1, 1, 1, False, False, 1)
    answer = Answer(response["status"], json.dumps(response["body"]).encode())
    found = parse.opened(answer, order, Asset(0, "BTC", "BTC", 5, 50, False), ARTICLE)
    assert (found.outcome, found.code) == ("refused", "PATH")


def test_documented_dialects_can_be_told_as_data() -> None:
    """What the article's page asks for is what its dialect builds."""
    seed = next(d for d in recorded.load("purpleflea/documented_dialects.json")["dialects"] if d["name"] == "seed")
    request = seed["request"]
    assert request["url"] == ARTICLE.base_url + ARTICLE.open_path
    assert request["headers"] == ARTICLE.headers("<key>")
    assert list(request["body"]) == [ARTICLE.coin_field, "side", ARTICLE.size_field, "leverage"]
