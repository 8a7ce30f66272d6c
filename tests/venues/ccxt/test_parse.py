"""Sample answers of Binance, Bybit and OKX in our nouns, by hand; and what must not pass."""

import copy
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from podshop.nouns import HOUR_NS, VenueError
from podshop.nouns.venue import Filled, Order, Paid, Quote
from podshop.venues.ccxt_venue import parse
from podshop.venues.ccxt_venue.client import amount_text, failed, price_text
from podshop.venues.ccxt_venue.terms import TERMS, contract
from tests.venues.parsers import CLOID, RAW_FILLS, RAW_POSITIONS, STUBS, raw

ORDER = Order(CLOID, "BTC", 3, 34_200_000, 34_100_000, False, False, 1)


def by_id(exchange: str) -> Any:
    return {c.venue_id: c for c in STUBS[exchange]}


def test_fills_by_hand() -> None:
    """A rebate of Binance, a fee of Bybit, and OKX, whose amounts are contracts of 0.01 BTC and whose fees are < 0."""
    rebate = parse.fill(RAW_FILLS["binanceusdm"], TERMS["binanceusdm"], by_id("binanceusdm"))
    stamp = 1_612_733_566_708_000_000
    assert rebate == Filled("BTCUSDT:477128891", "13809777875", None, "BTC", -1, 38_479_550, -769, stamp)
    paid = parse.fill(RAW_FILLS["bybit"], TERMS["bybit"], by_id("bybit"))
    assert (paid.lots, paid.price_micro, paid.fee_micro, paid.client_id) == (1, 1_028_000, 3, "1549452573428424449")
    okx = parse.fill(RAW_FILLS["okx"], TERMS["okx"], by_id("okx"))
    assert (okx.lots, okx.price_micro, okx.fee_micro, okx.client_id) == (3, 341_311_000, 51_197, CLOID)


@pytest.mark.parametrize(
    ("exchange", "change"),
    [
        ("binanceusdm", {"commissionAsset": "BNB"}),
        ("binanceusdm", {"qty": "0.0015"}),
        ("binanceusdm", {"qty": "-0.001"}),
        ("binanceusdm", {"side": "LONG"}),
        ("binanceusdm", {"symbol": "NOPE"}),
        ("bybit", {"execType": "Funding"}),
        ("bybit", {"execType": []}),
        ("okx", {"fillSz": "0.5"}),
        ("okx", {"ts": 0}),
    ],
)
def test_fills_that_are_not_what_they_claim(exchange: str, change: dict[str, Any]) -> None:
    with pytest.raises(VenueError):
        parse.fill(RAW_FILLS[exchange] | change, TERMS[exchange], by_id(exchange))


@pytest.mark.parametrize(
    ("word", "kind"), [("BustTrade", "liquidation"), ("AdlTrade", "adl"), ("Settle", "settlement")]
)
def test_bybit_says_why(word: str, kind: str) -> None:
    assert parse.fill(RAW_FILLS["bybit"] | {"execType": word}, TERMS["bybit"], by_id("bybit")).kind == kind


def test_positions_by_hand_and_never_in_hedge_mode() -> None:
    expected = {"binanceusdm": {"BTC": 10}, "bybit": {"ETH": 10}, "okx": {"BTC": 1}}
    for exchange, held in expected.items():
        rows = RAW_POSITIONS[exchange]
        assert parse.positions(rows, TERMS[exchange], by_id(exchange)) == held
        with pytest.raises(VenueError, match="twice"):
            parse.positions(rows * 2, TERMS[exchange], by_id(exchange))
    for exchange in ("binanceusdm", "okx"):
        with pytest.raises(VenueError, match="one-way"):
            parse.positions([raw(exchange, "fetch_positions")], TERMS[exchange], by_id(exchange))
    short = RAW_POSITIONS["bybit"][0] | {"side": "Sell"}
    assert parse.positions([short], TERMS["bybit"], by_id("bybit")) == {"ETH": -10}
    assert parse.positions([short | {"size": "0", "side": ""}], TERMS["bybit"], by_id("bybit")) == {}
    with pytest.raises(VenueError, match="not a market"):
        parse.positions([short | {"symbol": "XRPUSDT"}], TERMS["bybit"], by_id("bybit"))


def test_funding_is_cash_whatever_sign_the_venue_gives_it() -> None:
    """Bybit's is the fee of an execution: what is paid is positive there."""
    row = {"execId": "e1", "symbol": "ETHUSDT", "execFee": "0.5", "execTime": "1699445151998"}
    paid = parse.funding(row, TERMS["bybit"], by_id("bybit"))
    assert paid[:3] == Paid("ETHUSDT:e1", "ETH", -500_000, 0.0, 0, 0)[:3]
    income = {"tranId": 7, "symbol": "BTCUSDT", "income": "-0.37", "time": 1_612_733_566_708}
    assert parse.funding(income, TERMS["binanceusdm"], by_id("binanceusdm")).cash_micro == -370_000
    bill = {"billId": "9", "instId": "BTC-USDT-SWAP", "balChg": "0.01", "ts": "1627227626502"}
    assert parse.funding(bill, TERMS["okx"], by_id("okx")).cash_micro == 10_000


def test_account_values() -> None:
    assert parse.equity("binanceusdm", {"totalMarginBalance": "10.5", "totalInitialMargin": "0"}) == (
        Decimal("10.5"),
        0,
    )
    bybit = {"result": {"list": [{"totalEquity": "3.3", "totalInitialMargin": "1"}]}}
    assert parse.equity("bybit", bybit) == (Decimal("3.3"), 1)
    okx = {"data": [{"totalEq": "91884.8502560037982063", "imr": "8.57068529"}]}
    assert parse.equity("okx", okx) == (Decimal("91884.85025600"), Decimal("8.57068529"))
    for broken in ({"data": []}, {"data": [{"totalEq": ""}]}, {}, {"data": [{"totalEq": "1", "imr": "NaN"}]}):
        with pytest.raises((VenueError, ValueError)):
            parse.equity("okx", broken)


def test_an_order_without_an_id_is_unknown() -> None:
    """An HTML page in a 200 once came out of ccxt as such an order."""
    c = STUBS["okx"][0]
    for answer in (None, {}, {"id": None}, {"id": ""}, {"id": 7}, [], {"id": "7", "clientOrderId": "other"}):
        assert parse.placed(answer, ORDER, c).outcome == "unknown"
    assert parse.placed({"id": "7", "filled": "2"}, ORDER._replace(lots=-3), c)[:2] == ("accepted", "7")
    assert parse.placed({"id": "7", "filled": "2"}, ORDER._replace(lots=-3), c).hinted_lots == -2


ERRORS = {
    "InsufficientFunds": "refused",
    "InvalidOrder": "refused",
    "OrderImmediatelyFillable": "refused",
    "AuthenticationError": "refused",
    "PermissionDenied": "refused",
    "BadSymbol": "refused",
    "OperationRejected": "refused",
    "ExchangeError": "unknown",  # what ccxt raises for whatever it does not know, and for 422
    "DuplicateOrderId": "unknown",  # then there is one
    "OrderNotFound": "unknown",
    "RateLimitExceeded": "unknown",
    "DDoSProtection": "unknown",
    "ExchangeNotAvailable": "unknown",
    "OnMaintenance": "unknown",
    "InvalidNonce": "unknown",
    "RequestTimeout": "unknown",
    "NetworkError": "unknown",
    "BadResponse": "unknown",
    "NullResponse": "unknown",
    "OperationFailed": "unknown",
    "BaseError": "unknown",
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_ccxt_are_a_no_only_where_they_name_a_reason(name: str) -> None:
    found = failed(getattr(ccxt, name)("bybit https://x?apiKey=CANARY"))
    assert found.outcome == ERRORS[name]
    assert "CANARY" not in str(found)
    assert failed(KeyError("x")).outcome == "unknown"


@pytest.mark.parametrize("code", ["-4116", "110072", "51016"])
def test_a_client_id_that_was_used_means_that_the_order_is_there(code: str) -> None:
    assert failed(ccxt.InvalidOrder(f'{{"code":"{code}"}}')).code == "DUPLICATE"


def test_amounts_are_exact_and_limits_never_worse_than_asked() -> None:
    okx, binance = STUBS["okx"][0], STUBS["binanceusdm"][0]
    assert amount_text(ORDER, okx) == "3"  # contracts of 0.01 BTC
    assert amount_text(ORDER._replace(lots=-12), binance) == "0.012"
    assert price_text(ORDER._replace(limit_micro=34_200_009), binance) == "34200.00"
    assert price_text(ORDER._replace(lots=-3, limit_micro=34_200_001), binance) == "34200.01"
    with pytest.raises(VenueError):
        price_text(ORDER._replace(limit_micro=1), binance)
    with pytest.raises(VenueError):
        amount_text(ORDER._replace(lots=0), binance)


def test_contracts_are_found_also_by_the_thousand() -> None:
    row = {
        "id": "1000PEPEUSDT", "swap": True, "linear": True, "settle": "USDT", "contractSize": "1", "active": True,
        "precision": {"amount": "1", "price": "0.0000001"}, "limits": {"leverage": {"max": "25"}},
    }  # fmt: skip
    found = contract("PEPE", {"1000PEPE/USDT:USDT": row}, "USDT")
    assert found is not None
    assert (found.listed().lot_size, found.listed().max_leverage) == (1000.0, 25)
    assert found.price_micro(Decimal("0.0012345"), "x") == 1234  # half-even of 1234.5
    assert contract("PEPE", {"1000PEPE/USDT:USDT": row | {"linear": False}}, "USDT") is None
    for gone in ("amount", "price"):
        broken = copy.deepcopy(row)
        broken["precision"][gone] = None
        with pytest.raises(VenueError):
            contract("PEPE", {"1000PEPE/USDT:USDT": broken}, "USDT")


def test_marks_and_mids() -> None:
    """ccxt turns these into floats, whatever it is told; the shortest text that means one is what was sent."""
    c, at_ns = STUBS["binanceusdm"][0], 1_710_552_420_000_000_000
    bars = [[1_710_552_360_000, 69584.0, 69610.0, 69474.0, 69483.1, 6.8], [1_710_552_420_000, 1.0, 1.0, 1.0, 1.0, 0.0]]
    assert parse.last_close(bars, c, 60 * 10**9, at_ns) == Quote(69_483_100, at_ns)
    assert parse.last_close(bars, c, 60 * 10**9, at_ns - 1) is None
    for bad in ([[1]], [[1_710_552_360_000, 1, 1, 2, 1, 1]], [[1_710_552_360_000, 1, 1, 1, float("nan"), 1]], [None]):
        with pytest.raises(VenueError):
            parse.last_close(bad, c, HOUR_NS, at_ns)
    for crossed in ({"bids": [["2", "1"]], "asks": [["1", "1"]], "timestamp": 1}, {"bids": [], "asks": []}, {}):
        with pytest.raises(VenueError):
            parse.mid(crossed, c)
