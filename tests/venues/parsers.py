"""Every parser of our own, with recorded answers to spoil and a second reading to agree with."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from podshop.nouns import HOUR_NS
from podshop.nouns.venue import Order
from podshop.venues import strict
from podshop.venues.ccxt_venue import parse as ccxt_parse
from podshop.venues.ccxt_venue.terms import TERMS, Contract
from podshop.venues.hyperliquid import info, replies
from podshop.venues.purpleflea import parse as flea_parse
from podshop.venues.purpleflea import refusals
from podshop.venues.purpleflea.dialects import SERVER
from podshop.venues.sending import posted
from podshop.venues.wire import Answer
from tests.venues import recorded, witness
from tests.venues.hyperliquid.test_info import META, WORLD

USER = "0x5e9ee1089755c3435139848e47e6635505d5a13a"
UNITS = {a.name: (a.market, a.decimals) for a in WORLD.by_name.values()}
CLOID = "0123456789abcdef0123456789abcdef"
ORDER = Order(CLOID, "HYPE", 100, 1, 1, False, False, 1)


class Parser(NamedTuple):
    """name; recorded bodies; what we read; what the witness reads. Both take bytes; ours raises VenueError only."""

    name: str
    bodies: Sequence[bytes]
    ours: Callable[[bytes], Any]
    theirs: Callable[[bytes], Any]


def dumped(*answers: Any) -> list[bytes]:
    return [json.dumps(answer).encode() for answer in answers]


def bodies(call: str) -> list[Any]:
    return [c["httpResponse"] for c in recorded.unified("hyperliquid", call)]


def read(parse: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    return lambda body: parse(strict.loads(body, "fuzz"))


def second(reading: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    return lambda body: reading(witness.decoded(body))


# ---------------------------------------------------------------- Hyperliquid

PEPE, ENDED_NS = WORLD.by_market["PEPE"], 1_684_717_200_000_000_000
FILL_ROWS = bodies("fetchMyTrades")[0]
FUNDING_ROWS = [row for row in recorded.info("user_funding") if row["delta"]["coin"] in ("APE", "BTC")]
STATUS = bodies("fetchOrder")[0]
STATUS_PART = json.loads(json.dumps(STATUS))
STATUS_PART["order"]["order"] |= {"sz": "0.5", "cloid": f"0x{CLOID}"}
STATUS_PART["order"]["status"] = "canceled"
RESTING = [row | {"coin": "APE"} for row in recorded.info("open_orders")] + bodies("fetchOpenOrders")[0]
BOOK_MIDS = {"BTC": "67000.5", "ETH": "3521.75", "SOL": "152.31", "kPEPE": "0.011", "HYPE": "33.2", "@1": "0.1"}


def quote(body: bytes) -> Any:
    found = info.last_close(strict.loads(body, "fuzz"), PEPE, HOUR_NS, ENDED_NS)
    return None if found is None else (found.price_micro, found.at_ns)


def told(body: bytes) -> Any:
    t = info.order_status(strict.loads(body, "fuzz"), WORLD)
    return t.found.status, t.found.order_id, t.found.filled_lots, t.cloid, t.market


def reply_of(parse: Callable[[Answer], Any]) -> Callable[[bytes], Any]:
    """Outcome and order id, as `posted` makes them: nothing may be raised."""

    def ours(body: bytes) -> Any:
        async def answered() -> Answer:
            return Answer(200, body)

        found = asyncio.run(posted(answered(), parse))
        return found.outcome, found.order_id

    return ours


def never_wrong(reading: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    """A witness that cannot read says unknown."""

    def theirs(body: bytes) -> Any:
        try:
            return reading(witness.decoded(body))
        except Exception:  # noqa: BLE001
            return "unknown", None

    return theirs


# ---------------------------------------------------------------- Purple Flea


def captured(name: str, number: int = 0) -> Any:
    return recorded.load(f"purpleflea/{name}.json")["exchanges"][number]["response"]["body"]


FLEA_ORDER = Order(CLOID, "BTC", 1493, 1, 1, False, False, 1)
BTC = info.Asset(0, "BTC", "BTC", 5, 50, False)
OPENED, CLOSED = captured("lifecycle_long_btc"), captured("lifecycle_long_btc", 4)
LISTINGS = [captured("lifecycle_long_btc", 1), captured("ambiguous_dropped_after", 1), captured("positions_empty")]
REFUSED = [
    captured(name)
    for name in (
        "ambiguous_dropped_after",
        "err_below_min_notional",
        "err_tick_size",
        "upstream_502_open",
        "err_side_buy",
    )
] + [captured("close_failed_no_match", 1)]


def flea_rows(body: bytes) -> Any:
    found = flea_parse.positions(strict.loads(body, "fuzz"))
    return [(r.position_id, r.name, r.side, Fraction(r.size)) for r in found]


def flea_refusal(body: bytes) -> Any:
    return refusals.refusal(400, strict.loads(body, "fuzz")).outcome


def flea_refusal_witness(answer: Any) -> Any:
    """Refused only by a code of before sending, or words that begin as on the list."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, str) and (400, error) in refusals.BEFORE_SENDING:
        return "refused"
    if error not in ("trade_failed", "close_failed") or not isinstance(answer.get("message", ""), str):
        return "unknown"
    words = answer.get("message", "")
    if words.startswith("Close order not filled: "):
        try:
            inner = json.loads(words[24:])
            (entry,) = inner["response"]["data"]["statuses"]
            listed = list(entry) == ["error"] and any(entry["error"].startswith(p) for p in replies.OF_AN_ORDER)
            return "refused" if inner["status"] == "ok" and listed else "unknown"
        except Exception:  # noqa: BLE001
            return "unknown"
    return "refused" if any(words.startswith(prefix) for prefix in refusals.IN_WORDS) else "unknown"


# ---------------------------------------------------------------- raw rows behind ccxt


def stub(market: str, venue_id: str, step: str, size: str = "1", settle: str = "USDT") -> Contract:
    unit, tick = Decimal(step), Decimal("0.01")
    return Contract(
        market, f"{market}/USDT:USDT", venue_id, 1, Decimal(size), unit, tick, 50, 8 * HOUR_NS, True, settle
    )


STUBS = {
    "binanceusdm": [stub("BTC", "BTCUSDT", "0.001")],
    "bybit": [stub("QNT", "QNTUSDT", "0.01"), stub("ETH", "ETHUSDT", "0.01")],
    "okx": [stub("BTC", "BTC-USDT-SWAP", "1", "0.01")],
}
OKX_FILL = {  # in the form of the venue's documentation; okx's recordings hold none
    "instId": "BTC-USDT-SWAP", "tradeId": "1", "ordId": "312269865356374016", "clOrdId": CLOID, "billId": "77",
    "side": "buy", "fillPx": "34131.1", "fillSz": "3", "fee": "-0.05119665", "feeCcy": "USDT", "ts": "1627227626502",
}  # fmt: skip


def raw(exchange: str, call: str) -> Any:
    return recorded.unified(exchange, call)[0]["raw"]


RAW_FILLS = {
    "binanceusdm": raw("binanceusdm", "fetch_my_trades"),
    "bybit": raw("bybit", "fetch_my_trades"),
    "okx": OKX_FILL,
}
RAW_POSITIONS = {
    "binanceusdm": [raw("binanceusdm", "fetch_positions") | {"positionSide": "BOTH"}],
    "bybit": [raw("bybit", "fetch_positions")],
    "okx": [raw("okx", "fetch_positions") | {"posSide": "net"}],
}


def raw_fill(exchange: str) -> Parser:
    terms, by_id = TERMS[exchange], {c.venue_id: c for c in STUBS[exchange]}
    names = {"side": terms.side, "quantity": terms.quantity, "price": terms.price, "fee": terms.fee, "at": terms.at}

    def ours(body: bytes) -> Any:
        f = ccxt_parse.fill(strict.loads(body, "fuzz"), terms, by_id)
        return f.market, f.lots, f.price_micro, f.fee_micro, f.at_ns

    def theirs(row: Any) -> Any:
        c = by_id[row[terms.symbol]]
        size = Fraction(str(c.step)), Fraction(str(c.lot))
        return c.market, *witness.raw_fill(row, names, *size, terms.fee_sign)

    return Parser(f"{exchange} fill", dumped(RAW_FILLS[exchange]), ours, second(theirs))


def raw_positions(exchange: str) -> Parser:
    terms, by_id = TERMS[exchange], {c.venue_id: c for c in STUBS[exchange]}
    symbol, size, side, mode, words = terms.position
    known = {c.venue_id: (c.market, Fraction(str(c.step))) for c in STUBS[exchange]}

    def theirs(rows: Any) -> Any:
        assert all(str(row[mode]) in words for row in rows if witness.num(row[size]) != 0)
        return witness.raw_positions(rows, symbol, size, side, known)

    ours = read(lambda rows: ccxt_parse.positions(strict.rows(rows, "fuzz"), terms, by_id))
    return Parser(f"{exchange} positions", dumped(RAW_POSITIONS[exchange]), ours, second(theirs))


def unified_order(body: bytes) -> Any:
    found = ccxt_parse.found(strict.loads(body, "fuzz"), FLEA_ORDER, STUBS["binanceusdm"][0], 1)
    return found.status, found.order_id, found.filled_lots


def unified_order_witness(answer: Any) -> Any:
    assert answer.get("clientOrderId") in (None, CLOID)
    assert answer["symbol"] == "BTC/USDT:USDT"
    status = {"open": "open", "closed": "final", "canceled": "final", "expired": "final", "rejected": "final"}
    filled = None
    if answer.get("filled") is not None:
        filled = witness.lots(answer["filled"], Fraction(1, 1000)) * {"buy": 1, "sell": -1}[answer["side"]]
        assert witness.num(answer["filled"]) >= 0
    return status.get(str(answer.get("status")), "no_answer"), witness.word(answer["id"]), filled


UNIFIED = {"id": "151007482392", "clientOrderId": CLOID, "symbol": "BTC/USDT:USDT", "status": "closed", "side": "sell"}
UNIFIED |= {"filled": "0.012", "amount": "0.012"}
BOOK = {"bids": [["67000.1", "1"], ["67000", "2"]], "asks": [["67000.3", "1"]], "timestamp": 1_684_717_200_000}


def book(body: bytes) -> Any:
    found = ccxt_parse.mid(strict.loads(body, "fuzz"), STUBS["binanceusdm"][0])
    return found.price_micro, found.at_ns


def book_witness(answer: Any) -> Any:
    bid, ask = witness.above(answer["bids"][0][0]), witness.above(answer["asks"][0][0])
    assert bid < ask
    return max(1, round((bid + ask) / 2 / 1000 * 10**6)), witness.ns(answer["timestamp"])


OPEN_SAYS = {"coin": "BTC", "side": "long", "execution": "real", "status": "open"}
CLOSE_SAYS = {"position_id": CLOSED["position_id"], "execution": "real", "status": "closed"}


def signed_witness(answer: Any) -> Any:
    return witness.signed_reply(answer, f"0x{CLOID}", replies.OF_AN_ORDER, replies.OF_A_REQUEST)


def close_witness(answer: Any) -> Any:
    return witness.close(answer, "kPEPE", Fraction(1), HOUR_NS, ENDED_NS)


PARSERS: list[Parser] = [
    Parser(
        "meta",
        dumped(META, recorded.info("meta")),
        read(lambda a: [tuple(asset) for asset in info.universe(a).by_name.values()]),
        second(lambda a: witness.meta(a, info.THOUSANDS)),
    ),
    Parser(
        "account",
        dumped(*bodies("fetchPositions")),
        read(lambda a: tuple(info.state(a, WORLD))),
        second(lambda a: witness.state(a, UNITS)),
    ),
    Parser(
        "mids",
        dumped(BOOK_MIDS),
        read(lambda a: info.mids(a, WORLD.by_name.values())),
        second(lambda a: witness.mids(a, UNITS)),
    ),
    Parser("candles", dumped(recorded.info("candle_snapshot")), quote, second(close_witness)),
    Parser(
        "order status",
        dumped(STATUS, STATUS_PART, {"status": "unknownOid"}),
        told,
        second(lambda a: witness.order(a, UNITS)),
    ),
    Parser(
        "fills",
        dumped(FILL_ROWS, FILL_ROWS[:1]),
        read(lambda a: [tuple(fill) for fill in info.fills(a, WORLD, USER)]),
        second(lambda a: witness.fills(a, UNITS, USER)),
    ),
    Parser(
        "funding",
        dumped(FUNDING_ROWS),
        read(lambda a: [tuple(paid[:6]) for paid in info.fundings(a, WORLD)]),
        second(lambda a: witness.fundings(a, UNITS)),
    ),
    Parser(
        "open orders",
        dumped(RESTING),
        read(lambda a: [tuple(order) for order in info.open_orders(a, WORLD)]),
        second(lambda a: witness.resting(a, UNITS)),
    ),
    Parser(
        "quota",
        dumped(recorded.info("user_rate_limit")),
        read(info.rate_limit),
        second(lambda a: (witness.whole(a["nRequestsUsed"]), witness.whole(a["nRequestsCap"]))),
    ),
    Parser(
        "signed order",
        dumped(*bodies("createOrder")),
        reply_of(lambda a: replies.placed(a, ORDER, WORLD.by_market["HYPE"])),
        never_wrong(signed_witness),
    ),
    Parser(
        "flea open",
        dumped(OPENED),
        reply_of(lambda a: flea_parse.opened(a, FLEA_ORDER, BTC, SERVER)),
        never_wrong(lambda a: witness.flea_opened(a, OPEN_SAYS)),
    ),
    Parser(
        "flea close",
        dumped(CLOSED),
        reply_of(lambda a: flea_parse.closed(a, CLOSED["position_id"], SERVER)),
        never_wrong(lambda a: witness.flea_opened(a, CLOSE_SAYS)),
    ),
    Parser("flea positions", dumped(*LISTINGS), flea_rows, second(witness.flea_positions)),
    Parser(
        "flea account",
        dumped(captured("account")),
        read(lambda a: tuple(flea_parse.account(a))),
        second(witness.flea_account),
    ),
    Parser("flea refusal", dumped(*REFUSED), flea_refusal, second(flea_refusal_witness)),
    *(raw_fill(exchange) for exchange in TERMS),
    *(raw_positions(exchange) for exchange in TERMS),
    Parser("unified order", dumped(UNIFIED), unified_order, second(unified_order_witness)),
    Parser("order book", dumped(BOOK), book, second(book_witness)),
]


# ---------------------------------------------------------------- what must be caught


def trusting_account(body: bytes) -> Any:
    """The mutant: `float(x or 0)`, and whatever is missing is nothing."""
    answer = json.loads(body)
    summary = answer.get("marginSummary") or {}
    lots: dict[str, int] = {}
    for row in answer.get("assetPositions") or []:
        position: Mapping[str, Any] = row.get("position") or {}
        market, decimals = UNITS.get(position.get("coin") or "", ("", 0))
        size = round(float(position.get("szi") or 0) * 10**decimals)
        if market and size:
            lots[market] = size
    equity = round(float(summary.get("accountValue") or 0) * 1e6)
    cash = round(float(summary.get("totalRawUsd") or 0) * 1e6)
    return int(answer.get("time") or 0) * 10**6, equity, cash, lots


TRUSTING = next(p for p in PARSERS if p.name == "account")._replace(name="float(x or 0)", ours=trusting_account)
