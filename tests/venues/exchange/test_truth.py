"""The exchange's truth: by hand to the micro-dollar, then what must hold for every stream of orders."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.ledger.settle import fee_of, funding_of, settle
from podshop.nouns import HOUR_NS, ConfigError
from podshop.venues.exchange.placed import Terms
from podshop.venues.exchange.truth import Exchange
from podshop.venues.simulated.fills import slipped_price
from tests.venues.exchange.small import START_NS, exchange, funding, market, thin

NOW = START_NS + 5 * HOUR_NS  # the fifth bar has closed at 50,045; the sixth opens at 50,050
REFERENCE = 500_500  # micro-dollars per lot of BTC at NOW
ANY = 10**12


def cost(lots: int, reference: int = REFERENCE) -> int:
    """Price of so many lots: 1 bp of half-spread and 2 % sqrt(lots / a million) of impact, against us."""
    worse = 0.0001 + 0.02 * math.sqrt(abs(lots) / 1e6)
    return math.ceil(reference * (1 + worse)) if lots > 0 else math.floor(reference * (1 - worse))


def fee(lots: int, price: int) -> int:
    return -(-abs(lots) * price * 45_000 // 10**8)


def test_a_fill_by_hand() -> None:
    venue = exchange()
    ack = venue.submit(NOW + 1, "BTC", 100, ANY, client_id="a" * 32)
    assert (ack.code, ack.order and ack.order.filled, ack.price_micro) == ("", 100, cost(100)) == ("", 100, 500_651)
    assert venue.account.lots == {"BTC": 100, "ETH": 0}
    (fill,) = venue.fills(NOW + 2)
    assert (fill.lots, fill.price_micro, fill.fee_micro, fill.at_ns) == (100, 500_651, 22_530, NOW + 1)
    assert (fill.client_id, fill.order_id, fill.kind) == ("a" * 32, ack.order and ack.order.order_id, "trade")
    assert venue.cash_micro() == 10_000_000_000 - 100 * 500_651 - 22_530
    assert venue.equity_micro() == venue.cash_micro() + 100 * 500_450  # marked at the last close


def test_prices_and_fees_are_the_machine_codes_own() -> None:
    """The exchange runs the plain originals of what the backtest runs compiled; both agree."""
    for lots in (1, -1, 37, -999):
        price = int(slipped_price(REFERENCE, np.int64(lots), 1e6, 0.02, 0.0001, 1.0))
        assert price == cost(lots)
        assert int(fee_of(np.int64(lots), price, 45_000)) == fee(lots, price)
    venue = exchange(funding=funding((NOW + HOUR_NS, 0, 0.000_123_456, 1)))
    venue.submit(NOW, "BTC", 777, ANY)
    (paid,) = venue.fundings(NOW + HOUR_NS)
    assert paid.cash_micro == int(funding_of(np.int64(777), 500_550, 0.000_123_456, False))


def test_two_orders_of_a_cycle_cost_what_one_would() -> None:
    """Parity: a backtest sends one order per market and cycle, live sends its reductions first."""
    venue = exchange()
    venue.submit(NOW, "BTC", 300, ANY)
    venue.submit(NOW, "BTC", 200, ANY)
    fills = venue.fills(NOW)
    assert [fill.price_micro for fill in fills] == [cost(500)] * 2
    assert sum(fill.fee_micro for fill in fills) == fee(500, cost(500))
    alone = exchange()
    alone.submit(NOW, "BTC", 500, ANY)
    alone.fills(NOW)
    assert alone.cash_micro() == venue.cash_micro()


def test_what_was_published_never_changes_and_the_rest_pays_for_all() -> None:
    venue = exchange()
    venue.submit(NOW, "BTC", 300, ANY)
    first = venue.fills(NOW)
    venue.submit(NOW, "BTC", 200, ANY)
    both = venue.fills(NOW)
    assert both[0] == first[0]
    assert [fill.price_micro for fill in both] == [cost(300), cost(500)]
    notional = 300 * cost(300) + 200 * cost(500)
    assert sum(fill.fee_micro for fill in both) == fee(1, notional)


def test_a_cycle_that_is_over_is_published_and_the_next_begins_afresh() -> None:
    venue = exchange()
    venue.submit(NOW, "BTC", 300, ANY)
    venue.submit(NOW + HOUR_NS, "BTC", 300, ANY)
    assert [fill.price_micro for fill in venue.fills(NOW + HOUR_NS)] == [cost(300), cost(300, 500_600)]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_bar_bears_only_so_much(sign: int) -> None:
    venue = exchange(liquid=thin(most=250))
    filled = []
    for _ in range(3):
        order = venue.submit(NOW, "BTC", sign * 200, ANY if sign > 0 else 1).order
        assert order is not None
        filled.append(order.filled)
    assert filled == [sign * 200, sign * 50, 0]
    assert [order.code for order in venue.orders.values()] == ["", "", "no_match"]


@given(st.integers(1, 900), st.integers(1, 900), st.booleans(), st.integers(0, 400), st.integers(0, 400))
def test_nobody_pays_more_than_his_limit(a: int, b: int, buys: bool, room_a: int, room_b: int) -> None:
    """The later order of a cycle moves the price of both: it fills only as far as the earlier one's limit bears."""
    side = 1 if buys else -1
    venue = exchange(terms=Terms(min_notional_micro={"BTC": 0}))
    limits = [REFERENCE + side * room_a, REFERENCE + side * room_b]
    for lots, limit in zip((a, b), limits, strict=True):
        venue.submit(NOW, "BTC", side * lots, limit)
    by_order = {order.order_id: order for order in venue.orders.values()}
    for fill in venue.fills(NOW):
        assert side * fill.price_micro <= side * by_order[fill.order_id].limit_micro
    first = by_order[min(by_order)]
    if abs(first.filled) < a:
        assert side * cost(first.filled + side) > side * limits[0]  # one lot more would have broken it


def test_a_limit_that_fits_nothing_is_refused() -> None:
    ack = exchange().submit(NOW, "BTC", 100, REFERENCE - 1)
    assert ack.code == "no_match"
    assert ack.order
    assert ack.order.status == "rejected"


def test_reduce_only_and_whole() -> None:
    venue = exchange()
    assert venue.submit(NOW, "BTC", -50, 1, reduce_only=True).code == "reduce_only"  # nothing is held
    venue.submit(NOW, "BTC", 100, ANY)
    assert venue.submit(NOW, "BTC", 50, ANY, reduce_only=True).code == "reduce_only"  # would increase
    order = venue.submit(NOW, "BTC", -150, 1, reduce_only=True).order
    assert order
    assert order.filled == -100
    assert venue.lots["BTC"] == 0
    assert venue.submit(NOW, "BTC", 0, 1, whole=True).code == "no_position"
    venue.submit(NOW, "BTC", -70, 1)
    order = venue.submit(NOW, "BTC", 0, ANY, whole=True).order
    assert order
    assert order.filled == 70
    assert venue.lots["BTC"] == 0


def test_a_client_id_is_taken_once_even_by_an_order_that_was_refused() -> None:
    venue = exchange()
    assert venue.submit(NOW, "BTC", 100, REFERENCE - 1, client_id="x").code == "no_match"
    assert venue.submit(NOW, "BTC", 100, ANY, client_id="x").code == "duplicate_id"
    assert venue.lots["BTC"] == 0
    found = venue.find(None, "x")
    assert found
    assert found.status == "rejected"
    assert venue.find(found.order_id) is found
    assert venue.find(None, "y") is None
    assert venue.find("1") is None
    assert venue.find("none") is None


def test_an_order_that_comes_after_its_expiry_leaves_no_trace() -> None:
    venue = exchange()
    assert venue.submit(NOW + 10, "BTC", 100, ANY, client_id="x", expires_ns=NOW + 10).code == "expired"
    assert venue.find(None, "x") is None
    assert not venue.orders
    assert venue.submit(NOW + 10, "BTC", 100, ANY, client_id="x", expires_ns=NOW + 11).code == ""


def test_smallest_order_and_what_is_exempt() -> None:
    """10 USD are 20 lots at the mark of 500,450 micro-dollars; what ends flat may be smaller."""
    venue = exchange()
    assert venue.submit(NOW, "BTC", 19, ANY).code == "min_notional"
    assert venue.submit(NOW, "BTC", 20, ANY).code == ""
    assert venue.submit(NOW + HOUR_NS, "BTC", 5, ANY).code == "min_notional"
    venue.submit(NOW, "BTC", -5, 1)
    assert venue.lots["BTC"] == 20
    venue.foreign(NOW, "BTC", -10)
    assert venue.submit(NOW, "BTC", -10, 1).code == ""
    assert venue.lots["BTC"] == 0


def test_margin() -> None:
    """10,000 USD at two times bear 39,900 lots of 0.5 USD, and a reduction always passes."""
    venue = exchange(liquid=None)
    assert not venue.set_leverage("BTC", 41)
    assert not venue.set_leverage("BTC", 0)
    assert not venue.set_leverage("XRP", 2)
    assert venue.set_leverage("BTC", 2)
    assert venue.submit(NOW, "BTC", 40_000, ANY).code == "margin"
    assert venue.submit(NOW, "BTC", 39_900, ANY).code == ""
    assert venue.submit(NOW, "BTC", 100, ANY).code == "margin"
    assert venue.margin_micro() == -(-39_900 * 500_450 // 2)
    assert venue.margin_micro() <= venue.equity_micro()
    assert venue.submit(NOW, "BTC", -80_000, 1).code == "margin"  # through zero is an increase
    assert venue.submit(NOW, "BTC", -30_000, 1).code == ""


def test_funding_is_paid_on_what_was_held_before_the_cycles_fills() -> None:
    """Inside a bar at the mark before, on the hour at the new mark; assumed rates are paid by both sides."""
    inside = NOW + HOUR_NS + 60_000_000_000
    rows = [(NOW + HOUR_NS, 0, 1e-4, 1), (inside, 0, 1e-4, 1), (NOW + 2 * HOUR_NS, 0, 1e-4, 0)]
    venue = exchange(funding=funding(*rows))
    venue.submit(NOW, "BTC", -100, 1)
    venue.advance(NOW + HOUR_NS)
    venue.submit(NOW + HOUR_NS, "BTC", -100, 1)
    assert [(each.cash_micro, each.lots) for each in venue.fundings(NOW + 2 * HOUR_NS)] == [
        (5_006, -100),  # -(-100) x 500,550 x 1e-4, half-even
        (10_011, -200),  # still the mark of the bar that closed on the hour
        (-10_013, -200),  # 500,650: nobody recorded the rate, so both sides pay
    ]
    assert [(each.paid_id, each.assumed) for each in venue.fundings(NOW + 2 * HOUR_NS, inside)] == [
        ("F1", False), ("F2", True),
    ]  # fmt: skip


def test_a_resting_order_fills_beyond_its_limit_at_the_limit() -> None:
    """Bar 5 (from 0) reaches from 50,030 to 50,070 USD; a touch is no fill."""
    venue = exchange(liquid=thin(queued=50))
    touched = venue.submit(NOW, "BTC", 30, 500_300, tif="gtc").order
    beyond = venue.submit(NOW, "BTC", 70, 500_310, tif="alo").order
    assert touched
    assert beyond
    assert venue.resting() == (touched, beyond)
    assert not venue.fills(NOW)
    (fill,) = venue.fills(NOW + HOUR_NS)
    assert (fill.order_id, fill.lots, fill.price_micro) == (beyond.order_id, 50, 500_310)
    assert fill.fee_micro == -(-50 * 500_310 * 15_000 // 10**8)
    assert fill.at_ns == NOW + HOUR_NS - 1000
    assert venue.cancel(NOW + HOUR_NS, touched.number)
    assert not venue.cancel(NOW + HOUR_NS, touched.number)
    assert (touched.status, beyond.left) == ("canceled", 20)


def test_post_only_never_takes() -> None:
    assert exchange().submit(NOW, "BTC", 100, ANY, tif="alo").code == "post_only"


def test_a_market_that_died_is_settled_and_takes_reductions_only() -> None:
    """No bar for a day while the other trades: 5 % worse than the last mark."""
    gone = set(range(10, 48))
    venue = exchange(market=market(silent={"BTC": gone}))
    venue.submit(NOW, "BTC", 100, ANY)
    died_ns = START_NS + (10 + 24) * HOUR_NS
    venue.advance(died_ns - 1)
    assert venue.lots["BTC"] == 100
    assert venue.submit(died_ns - 1, "BTC", -10, 1).code == "min_notional"
    fills = venue.fills(died_ns)
    assert fills[-1].kind == "settlement"
    assert fills[-1].lots == -100
    assert fills[-1].price_micro == int(500_950 * 0.95)
    assert venue.submit(died_ns, "BTC", 100, ANY).code == "delisted"
    assert {each.market: each.delisted for each in venue.listed()} == {"BTC": True, "ETH": False}
    assert "BTC" not in venue.mids(died_ns)
    assert venue.marks(START_NS) == {}
    mark = venue.marks(died_ns)["BTC"]
    assert (mark.price_micro, mark.at_ns) == (500_950, START_NS + 10 * HOUR_NS)


def test_somebody_else_moves_the_account() -> None:
    venue = exchange()
    venue.foreign(NOW, "BTC", -25, "liquidation", 480_000)
    (fill,) = venue.fills(NOW)
    assert (fill.kind, fill.lots, fill.price_micro, fill.fee_micro, fill.client_id) == (
        "liquidation", -25, 480_000, 0, None
    )  # fmt: skip
    assert venue.lots["BTC"] == -25


def test_time_never_runs_back_and_does_not_begin_before_history() -> None:
    venue = exchange()
    venue.advance(NOW + HOUR_NS)
    venue.advance(NOW)
    assert venue.now_ns == NOW + HOUR_NS
    assert venue.mids(NOW)["BTC"].price_micro == 500_600
    with pytest.raises(ConfigError, match="before its first bar"):
        exchange(start_ns=START_NS)


def test_unknown_things_are_refused_without_a_trace() -> None:
    venue = exchange()
    assert venue.submit(NOW, "XRP", 100, ANY).code == "unknown_market"
    assert venue.submit(NOW, "BTC", 0, ANY).code == "invalid_size"
    assert not venue.orders


STEP = st.tuples(
    st.sampled_from(["BTC", "ETH"]), st.integers(-400, 400), st.integers(-300, 300), st.booleans(),
    st.sampled_from(["ioc", "ioc", "gtc"]), st.integers(0, 2 * HOUR_NS), st.booleans(),
)  # fmt: skip


@given(st.lists(STEP, max_size=25))
def test_the_books_always_add_up(steps: list[tuple[str, int, int, bool, str, int, bool]]) -> None:
    """Lots are the sum of fills, cash the sum of their settlements and of funding, whatever was asked and when."""
    rows = [(NOW + k * HOUR_NS // 2, k % 2, 1e-4 * (k - 3), k % 3 and 1) for k in range(1, 40)]
    venue = exchange(funding=funding(*rows), market=market(silent={"ETH": {20, 21}}))
    now, seen = NOW, {}
    for name, lots, room, reduce_only, tif, wait, asks in steps:
        limit = (500_000 if name == "BTC" else 200_000) + (room if lots > 0 else -room) * 10
        venue.submit(now, name, lots, limit, reduce_only=reduce_only, tif=tif)  # type: ignore[arg-type]
        now += wait
        if asks:
            for fill in venue.fills(now):
                assert seen.setdefault(fill.fill_id, fill) == fill  # published once, for ever
        _check(venue)
    _check(venue)


def _check(venue: Exchange) -> None:
    before = venue.cash_micro()
    fills = venue.fills(venue.now_ns)
    assert venue.cash_micro() == before  # asking does not change what it costs
    assert len({fill.fill_id for fill in fills}) == len(fills)
    for name, held in venue.lots.items():
        assert held == sum(fill.lots for fill in fills if fill.market == name)
    cash = sum(int(settle(np.int64(fill.lots), fill.price_micro, fill.fee_micro)) for fill in fills)
    assert venue.cash_micro() == 10_000_000_000 + cash + sum(paid.cash_micro for paid in venue.account.paid)
    for order in venue.orders.values():
        assert abs(order.filled) <= abs(order.asked)
        assert order.filled * order.asked >= 0
        assert order.filled == sum(fill.lots for fill in fills if fill.order_id == order.order_id)
