"""Raw and unified rows of ccxt's answers in our nouns, read strictly; VenueError for whatever is not what it claims."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from podshop.nouns.errors import VenueError
from podshop.nouns.venue import Filled, Found, Order, Paid, Quote, Reply, Status
from podshop.venues import strict
from podshop.venues.ccxt_venue.terms import Contract, Terms
from podshop.venues.sending import unknown

WORDS: dict[str, Status] = {
    "open": "open",
    "closed": "final",
    "canceled": "final",
    "expired": "final",
    "rejected": "final",
}


def placed(order: Any, sent: Order, contract: Contract) -> Reply:
    """Unified answer to a new order. Without an id nobody knows what happened."""
    if not isinstance(order, dict) or not isinstance(order.get("id"), str) or not order["id"]:
        return unknown("NO_ID", "the answer names no order")
    client = order.get("clientOrderId")
    if client is not None and client != sent.intent:
        return unknown("OTHER", "the answer is of another order")
    hint = None
    if order.get("filled") is not None:
        lots = strict.nearest(strict.decimal(order["filled"], "filled") / contract.step, "filled")
        hint = lots if sent.lots > 0 else -lots
    return Reply("accepted", strict.text(order["id"], "id"), hinted_lots=hint)


def found(order: Any, asked: Order, contract: Contract, venue_ns: int | None) -> Found:
    """Unified order. It must be the one that was asked for."""
    what = f"order {asked.market}"
    order_id = strict.text(strict.field(order, "id", what), what)
    client = order.get("clientOrderId")
    if client not in (None, asked.intent) or strict.field(order, "symbol", what) != contract.symbol:
        raise VenueError(f"{what}: the answer is of another order")
    status = WORDS.get(str(order.get("status")), "no_answer")
    filled = order.get("filled")
    lots = None if filled is None else contract.lots(strict.decimal(filled, what), what)
    side = {"buy": 1, "sell": -1}.get(str(order.get("side")), 0)
    if lots is not None and (lots < 0 or side == 0):
        raise VenueError(f"{what}: {lots} lots filled on side {strict.shown(order.get('side'))}")
    return Found(status, order_id, None if lots is None else side * lots, venue_ns)


def positions(raw: Sequence[Any], terms: Terms, by_id: Mapping[str, Contract]) -> dict[str, int]:
    """Raw position rows -> lots of every market held. Hedge mode, or a market that we do not know, is an error."""
    symbol, size, side, mode, one_way = terms.position
    lots: dict[str, int] = {}
    for index, row in enumerate(raw):
        what = f"position[{index}]"
        amount = strict.decimal(strict.field(row, size, what), f"{what}.{size}")
        if amount == 0:
            continue
        name = strict.text(strict.field(row, symbol, what), what)
        if str(strict.field(row, mode, what)) not in one_way:
            raise VenueError(f"{what}: {name} is held in hedge mode; set the account to one-way mode")
        if name not in by_id:
            raise VenueError(f"{what}: {name} is not a market that is known here")
        if side is not None:
            amount = _signed(amount, strict.field(row, side, what), what)
        market = by_id[name].market
        if market in lots:
            raise VenueError(f"{what}: {name} stands twice")
        lots[market] = by_id[name].lots(amount, what)
    return lots


def fill(row: Any, terms: Terms, by_id: Mapping[str, Contract]) -> Filled:
    """A raw row of the account's trades."""
    name = strict.text(strict.field(row, terms.symbol, "fill"), "fill.symbol")
    what = f"fill {name}"
    contract = by_id.get(name)
    if contract is None:
        raise VenueError(f"{what}: not a market that is known here")
    currency = row.get(terms.fee_currency)
    if currency not in (None, "", contract.settle):
        raise VenueError(f"{what}: a fee in {strict.shown(currency)}, expected {contract.settle}; switch such fees off")
    quantity = strict.positive(strict.field(row, terms.quantity, what), f"{what}.{terms.quantity}")
    fee = strict.decimal(strict.field(row, terms.fee, what), f"{what}.{terms.fee}") * terms.fee_sign
    client = None if terms.client_id is None else row.get(terms.client_id)
    kind = "trade"
    if terms.kind_field is not None:
        word = strict.text(strict.field(row, terms.kind_field, what), what)
        if word not in terms.kinds:
            raise VenueError(f"{what}: found kind {strict.shown(word)}")
        kind = terms.kinds[word]
    return Filled(
        fill_id=f"{name}:{_id(strict.field(row, terms.fill_id, what), what)}",
        order_id=_id(strict.field(row, terms.order_id, what), what),
        client_id=strict.text(client, what) if client else None,
        market=contract.market,
        lots=contract.lots(_signed(quantity, strict.field(row, terms.side, what), what), what),
        price_micro=contract.price_micro(strict.positive(strict.field(row, terms.price, what), what), what),
        fee_micro=strict.micro(fee, what, up=True),
        at_ns=strict.millis(strict.field(row, terms.at, what), what),
        kind=kind,
    )


def funding(row: Any, terms: Terms, by_id: Mapping[str, Contract]) -> Paid:
    """A raw row of the account's funding. Rate and position are not in it everywhere: NaN and 0."""
    row_id, symbol, cash, at = terms.funding
    name = strict.text(strict.field(row, symbol, "funding"), "funding.symbol")
    what = f"funding {name}"
    if name not in by_id:
        raise VenueError(f"{what}: not a market that is known here")
    amount = strict.decimal(strict.field(row, cash, what), f"{what}.{cash}") * terms.funding_sign
    at_ns = strict.millis(strict.field(row, at, what), what)
    paid_id = f"{name}:{_id(strict.field(row, row_id, what), what)}"
    return Paid(paid_id, by_id[name].market, strict.micro(amount, what), math.nan, 0, at_ns)


def equity(name: str, info: Any) -> tuple[Decimal, Decimal]:
    """Account value and margin in use, from the raw balance."""
    what = f"{name} balance"
    if name == "binanceusdm":
        fields, row = ("totalMarginBalance", "totalInitialMargin"), info
    elif name == "bybit":
        (row,) = strict.rows(strict.field(strict.field(info, "result", what), "list", what), what)
        fields = ("totalEquity", "totalInitialMargin")
    else:
        (row,) = strict.rows(strict.field(info, "data", what), what)
        fields = ("totalEq", "imr")
    value, used = (strict.decimal(_cut(strict.field(row, f, what)), f"{what}.{f}") for f in fields)
    return value, used


def last_close(candles: Any, contract: Contract, interval_ns: int, at_ns: int) -> Quote | None:
    """Unified candles -> close of the last bar with trading that ended at or before an instant."""
    best: Quote | None = None
    for row in strict.rows(candles, "candles"):
        opened, prices, volume = bar(row, contract.symbol)
        closed = opened + interval_ns
        if volume > 0 and closed <= at_ns and (best is None or closed > best.at_ns):
            best = Quote(contract.price_micro(prices[3], "close"), closed)
    return best


def bar(row: Any, what: str) -> tuple[int, list[Decimal], Decimal]:
    """A unified candle: instant of its open, UTC ns; open, high, low, close; volume."""
    if len(strict.rows(row, what)) < 6:
        raise VenueError(f"{what}: a candle of {len(row)} fields")
    prices = [strict.positive(number(v), what) for v in row[1:5]]
    volume = strict.decimal(number(row[5]), what)
    if min(prices) < prices[2] or max(prices) > prices[1] or volume < 0:
        raise VenueError(f"{what}: open, high, low, close and volume are impossible")
    return strict.millis(row[0], what), prices, volume


def mid(book: Any, contract: Contract) -> Quote:
    """Middle of a unified order book, micro-dollars per lot."""
    price, at_ns = _middle(book, contract)
    return Quote(contract.price_micro(price, "mid"), at_ns)


def middle(book: Any, contract: Contract) -> tuple[float, int]:
    """The same in USD per coin, and its stamp."""
    price, at_ns = _middle(book, contract)
    return float(price) / contract.coins, at_ns


def _middle(book: Any, contract: Contract) -> tuple[Decimal, int]:
    what = f"book {contract.symbol}"
    bid, ask = (strict.positive(number(_best(book, side, what)), what) for side in ("bids", "asks"))
    if bid >= ask:
        raise VenueError(f"{what}: bid {bid} at or above ask {ask}")
    return (bid + ask) / 2, strict.millis(strict.field(book, "timestamp", what), what)


def _best(book: Any, side: str, what: str) -> Any:
    levels = strict.rows(strict.field(book, side, what), what)
    if not levels or not strict.rows(levels[0], what):
        raise VenueError(f"{what}: no {side}")
    return levels[0][0]


def number(value: Any) -> Any:
    """ccxt makes floats of books and candles, whatever it is told; the shortest text that means one is what came."""
    return format(Decimal(repr(value)), "f") if isinstance(value, float) and math.isfinite(value) else value


def _signed(amount: Decimal, side: Any, what: str) -> Decimal:
    sign = {"buy": 1, "sell": -1}.get(side.lower() if isinstance(side, str) else "")
    if sign is None or amount < 0:
        raise VenueError(f"{what}: found side {strict.shown(side)}, amount {amount}")
    return amount * sign


def _id(value: Any, what: str) -> str:
    """An id, as text or whole number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else strict.text(value, what)


def _cut(value: Any) -> Any:
    """OKX writes account values with more decimals than any money has."""
    return value[: value.index(".") + 9] if isinstance(value, str) and "." in value else value
