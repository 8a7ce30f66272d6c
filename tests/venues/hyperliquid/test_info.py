"""Hyperliquid's recorded answers in our nouns, by hand; and what no answer may pass."""

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from podshop.nouns import HOUR_NS, VenueError
from podshop.nouns.venue import Filled, Found, Paid, Quote
from podshop.venues.hyperliquid import info
from tests.venues import recorded

USER = "0x5e9ee1089755c3435139848e47e6635505d5a13a"
META = {
    "universe": [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 50},
        {"name": "kPEPE", "szDecimals": 0, "maxLeverage": 10, "isDelisted": True},
        {"name": "HYPE", "szDecimals": 2, "maxLeverage": 10},
        {"name": "SOL", "szDecimals": 2, "maxLeverage": 20},
        {"name": "ETH", "szDecimals": 4, "maxLeverage": 25},
        {"name": "APE", "szDecimals": 1, "maxLeverage": 5},
    ]
}
WORLD = info.universe(META)


def case(call: str, number: int = 0) -> Any:
    return copy.deepcopy(recorded.unified("hyperliquid", call)[number]["httpResponse"])


def test_the_universe_numbers_assets_by_their_place() -> None:
    found = info.universe(recorded.info("meta"))
    assert [(a.number, a.name, a.decimals) for a in found.by_name.values()][:2] == [(0, "BTC", 5), (1, "ETH", 4)]
    pepe = WORLD.by_market["PEPE"]
    assert (pepe.number, pepe.name, pepe.listed().lot_size, pepe.delisted) == (1, "kPEPE", 1000.0, True)
    assert WORLD.by_market["BTC"].listed().lot_size == 1e-5


def test_an_account_with_its_envelope() -> None:
    """A short of 0.5 SOL and a long of 1.6 ETH; 11,524.216934 = 7,773.996934 - 68.98 + 3,819.2."""
    state = info.state(case("fetchPositions", 1), WORLD)
    assert state.lots == {"SOL": -50, "ETH": 16_000}
    assert (state.equity_micro, state.cash_micro) == (11_524_216_934, 7_773_996_934)
    assert state.at_ns == 1_728_568_314_070_000_000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a["assetPositions"].clear(),
        lambda a: a["assetPositions"].pop(),
        lambda a: a["assetPositions"].append(copy.deepcopy(a["assetPositions"][0])),
        lambda a: a["assetPositions"][0]["position"].update(szi="-0.505"),
        lambda a: a["assetPositions"][0]["position"].update(szi="0.5"),
        lambda a: a["assetPositions"][0]["position"].update(szi=None),
        lambda a: a["assetPositions"][0]["position"].update(coin="NOPE"),
        lambda a: a["assetPositions"][0].update(type="hedged"),
        lambda a: a.pop("time"),
        lambda a: a.pop("marginSummary"),
        lambda a: a.pop("assetPositions"),
        lambda a: a["marginSummary"].update(accountValue="NaN"),
        lambda a: a["marginSummary"].update(totalNtlPos="0.0"),
    ],
)
def test_half_an_account_is_none(spoil: Callable[[Any], Any]) -> None:
    """Positions that are missing, twice, turned round or of no whole lots contradict the summary or themselves."""
    answer = case("fetchPositions", 1)
    spoil(answer)
    with pytest.raises(VenueError):
        info.state(answer, WORLD)


def test_mutant_a_parser_that_only_reads_the_list_sees_a_phantom_flat() -> None:
    answer = case("fetchPositions", 1)
    answer["assetPositions"] = []
    assert {p["position"]["coin"] for p in answer.get("assetPositions") or []} == set()  # flat, says the mutant
    with pytest.raises(VenueError, match="do not make"):
        info.state(answer, WORLD)


def test_an_empty_account_is_believed_only_with_its_clock_and_value() -> None:
    empty = case("fetchPositions", 0)
    with pytest.raises(VenueError):
        info.state([], WORLD)
    with pytest.raises(VenueError):
        info.state({"assetPositions": []}, WORLD)
    zero = {"accountValue": "0.0", "totalNtlPos": "0.0", "totalRawUsd": "0.0"}
    assert info.state(empty | {"marginSummary": zero, "assetPositions": []}, WORLD).lots == {}


def test_fills_carry_every_charge_and_their_kind() -> None:
    """0.012896 with the builder's 0.002424 inside; the second is our own liquidation."""
    rows = case("fetchMyTrades")
    liquidated = rows[1]["liquidation"]["liquidatedUser"]
    first, second = info.fills(rows, WORLD, liquidated)
    assert first == Filled(
        fill_id="882779857052503",
        order_id="314848230306",
        client_id=None,
        market="HYPE",
        lots=73,
        price_micro=332_090,
        fee_micro=12_896,
        at_ns=1_770_458_548_926_000_000,
    )
    assert (second.lots, second.kind, second.price_micro) == (-520, "liquidation", 211_470)
    assert [f.kind for f in info.fills(rows, WORLD, USER)] == ["trade", "trade"]  # somebody else's
    rows[0]["dir"] = "Auto-Deleveraging"
    assert info.fills(rows, WORLD, USER)[0].kind == "adl"


def test_fills_of_before_ids_are_refused_and_those_of_other_compartments_are_not_ours() -> None:
    with pytest.raises(VenueError, match="tid"):
        info.fills(recorded.info("user_fills"), info.universe(META_OLD), USER)
    rows = case("fetchMyTrades")
    assert info.fills([rows[0] | {"coin": name} for name in ("@107", "PURR/USDC", "xyz:TSLA")], WORLD, USER) == []
    with pytest.raises(VenueError, match="fee in"):
        info.fills([rows[0] | {"feeToken": "HYPE"}], WORLD, USER)


META_OLD = {"universe": [{"name": n, "szDecimals": 1, "maxLeverage": 5} for n in ("SUI", "INJ")]}


def test_funding_is_the_cash_that_came() -> None:
    """A long of 40 APE at a negative rate receives; the id does not lean on the hash, which all rows share."""
    meta = {"universe": [{"name": d["delta"]["coin"], "szDecimals": 5, "maxLeverage": 5} for d in rows_of_funding()]}
    found = info.fundings(rows_of_funding(), info.universe(meta))
    assert found[0] == Paid("APE:1681948800000", "APE", 145_796, -0.00029319, 4_013_333, 1_681_948_800_000_000_000)
    assert found[1].cash_micro == 2_694_388
    assert len({f.paid_id for f in found}) == len(found)


def rows_of_funding() -> Any:
    return recorded.info("user_funding")


def test_orders_are_found_open_over_or_unknown() -> None:
    told = info.order_status(case("fetchOrder"), WORLD)
    assert told.found == Found("open", "80972193016", 0)
    assert told.market == "HYPE"
    assert info.order_status({"status": "unknownOid"}, WORLD).found == Found("unknown_id")
    answer = case("fetchOrder")
    answer["order"] |= {"status": "canceled"}
    answer["order"]["order"] |= {"sz": "0.5", "side": "A"}
    assert info.order_status(answer, WORLD).found == Found("final", "80972193016", -150)
    answer["order"]["status"] = "filled"  # and half of it left: it says nothing of how much
    assert info.order_status(answer, WORLD).found.filled_lots is None
    answer["order"]["status"] = "somethingNew"
    assert info.order_status(answer, WORLD).found.status == "no_answer"
    with pytest.raises(VenueError):
        info.order_status({}, WORLD)


@pytest.mark.parametrize("row", range(3))
def test_recorded_statuses_are_known(row: int) -> None:
    assert info.status_of(recorded.info("historical_orders")[row]["status"]) == "final"


def test_the_last_bar_with_trading_that_ended_is_the_mark() -> None:
    """kPEPE: a lot is one of the venue's units, so 0.00155 is 1,550 micro-dollars."""
    bars, pepe = recorded.info("candle_snapshot"), WORLD.by_market["PEPE"]
    ended = 1_684_717_200_000_000_000
    assert info.last_close(bars, pepe, HOUR_NS, ended) == Quote(1550, ended)
    assert info.last_close(bars, pepe, HOUR_NS, ended + HOUR_NS - 1) == Quote(1550, ended)
    quiet = [bar | {"v": "0.0", "n": 0} if bar["T"] == 1_684_717_199_999 else bar for bar in bars]
    assert info.last_close(quiet, pepe, HOUR_NS, ended) == Quote(1596, ended - HOUR_NS)
    assert info.last_close([], pepe, HOUR_NS, ended) is None
    with pytest.raises(VenueError, match="not a bar"):
        info.last_close(bars, WORLD.by_market["BTC"], HOUR_NS, ended)
    with pytest.raises(VenueError, match="impossible"):
        info.last_close([bars[0] | {"h": "0.0016"}], pepe, HOUR_NS, ended)


def test_mids_of_whoever_has_one() -> None:
    found = info.mids({"BTC": "67000.5", "@1": "x"}, [WORLD.by_market["BTC"], WORLD.by_market["ETH"]])
    assert found == {"BTC": 670_005}
    for bad in (None, "0", "-1", "NaN", 1.5, {}):
        with pytest.raises(VenueError):
            info.mids({"BTC": bad}, [WORLD.by_market["BTC"]])


def test_open_orders_and_the_request_quota() -> None:
    meta = {"universe": [{"name": n, "szDecimals": 1, "maxLeverage": 5} for n in ("MATIC", "ARB", "INJ")]}
    found = info.open_orders(recorded.info("open_orders"), info.universe(meta))
    assert [(o.order_id, o.market, o.lots) for o in found][:2] == [
        ("62269971", "MATIC", 2087),
        ("62269969", "ARB", -1737),
    ]
    assert len(info.open_orders(recorded.info("frontend_open_orders"), info.universe(meta))) == 3
    assert info.rate_limit(recorded.info("user_rate_limit")) == (36_589_831_368, 170_043_731_737)
    assert info.book_time(recorded.info("l2_book")) == 1_689_630_203_930_000_000


def test_prices_survive_the_change_to_whole_numbers() -> None:
    assert WORLD.by_market["BTC"].unit == Decimal("0.00001")
    assert WORLD.by_market["BTC"].price_micro("67000", "x") == 670_000
