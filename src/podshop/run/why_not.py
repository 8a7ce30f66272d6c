"""Why nothing was traded: the first reason that applies, in the order in which a wish becomes a fill.

For every book: no data, no voice open, stopped, no capital or throttled, inside the buffer, held back by its costs, not
due, its own gross, too small at its capital, content. For the fund, once some book wants something: does not trade,
market cap, too small, the gate, nothing offered, rested and not traded beyond.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from podshop.execution.pace import touch_price
from podshop.run.hindsight import Hindsight

Row = dict[str, Any]
Found = Mapping[str, Any]


def why_not(found: Found, past: Hindsight) -> dict[str, Any]:
    """The answer's part `not`.

    found  what `podshop.run.why` has joined
    ->     traded, reason (None where there was a trade), books: book -> its own reason; a reason has who, code, text,
           and change: what would have to be otherwise
    """
    books = {book["name"]: _of_book(book, found, past) for book in found["books"] if book["wants_lots"] == 0}
    if found["fills"]:
        return {"traded": True, "reason": None, "books": books}
    if len(books) < len(found["books"]) or found["net"]["verdict"] is not None:
        return {"traded": False, "reason": _of_fund(found, past), "books": books}
    if not books:
        return {"traded": False, "reason": _reason("fund", "no_book", "no book trades it", "a mandate"), "books": {}}
    nearest = max(books.values(), key=lambda reason: CODES.index(reason["code"]))
    return {"traded": False, "reason": nearest, "books": books}


def _reason(who: str, code: str, text: str, change: str) -> Row:
    return {"who": who, "code": code, "text": text, "change": change}


def _of_book(book: Row, found: Found, past: Hindsight) -> Row:
    """The first reason why a book wished what it held."""
    for code, says in BOOK_CHAIN.items():
        said = says(book, found, past)
        if said is not None:
            return _reason(book["name"], code, *said)
    target, lots = book["shadow_target_lots"], book["held_lots"]
    text = f"its shadow's target of {target:,} lots comes to {lots:,} at its capital, and it holds them"
    return _reason(book["name"], "content", text, "another target of its shadow")


Says = Callable[[Row, Found, Hindsight], tuple[str, str] | None]


def _no_data(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    """Nothing to decide on."""
    market = found["market"]
    if found["price"]["mark"] is None:
        return f"{market} has never traded by then", "a bar with volume in the data"
    if math.isnan(book["blend_now"]):
        silent = [row["signal"] for row in book["heard"] if _state(found, row["signal"]) == "none"]
        text = f"less than half of what it hears has an opinion on {market}; without one: {', '.join(silent)}"
        return text, "data that these signals read"
    if math.isnan(book["full_lots"]):
        days = (past.at_ns - past.first_trade_ns) / 86_400e9
        return f"the volatility of {market} is not known after {days:.1f} days of it", "10 days of history"
    return None


def _no_voice(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    """Nobody it hears is sure enough, and it holds nothing."""
    heard = [row for row in found["signals"] if row["name"] in {each["signal"] for each in book["heard"]}]
    shut = [row for row in heard if row["state"] == "shut"]
    if any(row["state"] == "open" for row in heard) or not shut or book["blend_now"] != 0 or book["held_lots"] != 0:
        return None
    near = max(shut, key=lambda row: _size(row["conviction"]))
    strength, opens_at = _size(near["conviction"]), near["opens_at"]
    text = (
        f"none of its {len(heard)} voices is open; nearest is {near['name']} with a conviction of "
        f"{near['conviction']:+.3f}"
    )
    return text, f"a conviction of {opens_at:.2f} either way: {near['name']} lacks {opens_at - strength:.3f}"


def _stopped(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    if book["blocked"] == 0:
        return None
    side = "long" if book["blocked"] > 0 else "short"
    text = f"its {side} was closed by the stop or the longest holding, and its blend is still {book['blend_now']:+.3f}"
    return text, "a blend of 0 or of the other sign at one of its cadences"


def _throttled(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    if book["capital_usd"] <= 0:
        return "the treasury gave it no capital", "what its shadow proves to the allocator, or to the gate of its stage"
    factor = book["throttle"] * book["fund_throttle"]
    if factor > 0 or book["shadow_target_lots"] == 0:
        return None
    whose = "its own" if book["throttle"] == 0 else "the fund's"
    text = f"{whose} throttle is 0; its shadow wishes {book['shadow_target_lots']:,} lots"
    return text, "the ladder lets it back by its rule" if whose == "its own" else "a person lets the fund go on"


def _buffer(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    """What the blend of now asks for is within the band of what the shadow holds."""
    blend, full, band, lots = book["blend_now"], book["full_lots"], book["band_lots"], book["shadow_lots"]
    if blend == 0.0 or not lots - band <= blend * full <= lots + band:
        return None
    text = (
        f"its blend of {blend:+.3f} asks for {blend * full:,.1f} lots at reference capital, its shadow holds {lots:,}, "
        f"and within {band:,.1f} lots of that nothing is traded"
    )
    above, below = (lots + band) / full, (lots - band) / full
    ways = [f"above {above:+.3f}"] * (above < 1) + [f"below {below:+.3f}"] * (below > -1)
    return text, f"a blend {' or '.join(ways)}" if ways else "a smaller full position: no blend is enough"


def _costs(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    held = book["held_back"]
    if held is None:
        return None
    if held["code"] == "COST_GATE":
        text = (
            f"an edge of {held['measured']:.1f} bps is believed in, and it needs {held['bound']:.1f} for what it costs"
        )
        return text, f"{held['bound'] - held['measured']:.1f} bps more of edge, or as much less of cost"
    text = (
        f"with this trade it would have spent {held['measured']:,.2f} USD in {found['market']}, "
        f"and {held['bound']:,.2f} are allowed by now"
    )
    return text, "time, which adds to its budget, or a larger cost_budget"


def _not_due(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    """What it hears now is more than its buffer from what it holds, but it does not decide now."""
    if book["decided"] == found["time"]:
        return None
    text = (
        f"it decides every {book['cadence']}, last at {book['decided']} on a blend of {book['blend']:+.3f}; now its "
        f"blend would be {book['blend_now']:+.3f}"
        if book["decided"] is not None
        else f"it decides every {book['cadence']} and has not yet"
    )
    return text, f"nothing: it is due at {book['due']}"


def _book_limit(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    for note in book["notes"]:
        if note["code"] == "BOOK_GROSS":
            text = (
                f"it wished {note['wanted_lots']:,} lots, cut to {note['allowed_lots']:,}, since its gross would be "
                f"{note['measured']:.2f} of its capital; the limit is {note['bound']:.2f}"
            )
            return text, "smaller positions of its own in other markets, or a higher limits.book_gross"
    return None


def _scaled_away(book: Row, found: Found, past: Hindsight) -> tuple[str, str] | None:
    """The shadow's wish comes to less than a lot at the book's capital."""
    factor = book["capital_usd"] * book["throttle"] * book["fund_throttle"] / book["reference_usd"]
    if book["shadow_target_lots"] == 0 or abs(book["shadow_target_lots"]) * factor >= 1:
        return None
    capital = f"a capital of {book['capital_usd']:,.2f} USD"
    text = f"its shadow's wish of {book['shadow_target_lots']:,} lots is less than one at {capital}"
    return text, "more capital, or a smaller lot"


BOOK_CHAIN: dict[str, Says] = {
    "no_data": _no_data,
    "no_voice": _no_voice,
    "stopped": _stopped,
    "throttled": _throttled,
    "buffer": _buffer,
    "cost_gate": _costs,
    "not_due": _not_due,
    "book_limit": _book_limit,
    "scaled_away": _scaled_away,
}
CODES = (*BOOK_CHAIN, "content")  # from the farthest from a trade to the nearest


def _of_fund(found: Found, past: Hindsight) -> Row:
    """Why what some book wanted was not traded."""
    net, m, facts = found["net"], past.m, past.facts
    no_bar = int(facts.reference[0, m]) == 0
    if net["verdict"] is None or (net["allowed_lots"] != 0 and no_bar):
        text = f"{found['market']} did not trade in the bar after {found['time']}, and without a price nothing fills"
        return _reason("market", "no_trading", text, "a bar with volume; what is wished stays wished")
    if net["allowed_lots"] == 0:
        return _refused(net)
    if net["resting_lots"] != 0:
        return _rested(found, past)
    text = f"{found['market']} offers nothing: less than a day of its volume, or its volatility, is known"
    return _reason("market", "no_liquidity", text, "a day of bars with volume")


def _refused(net: Row) -> Row:
    """The gate let nothing pass: the code says on what ground."""
    code, measured, bound = net["code"], net["measured"], net["bound"]
    kind = {"POSITION_CAP": "cap", "MIN_ORDER": "too_small", "VENUE_MIN": "too_small"}.get(code, "gate")
    wanted = f"{net['wanted_lots']:+,} lots were wanted and none allowed"
    text = f"{wanted}, {code}: {net['meaning']}: {_size_of(code, measured)}"
    if code in ("HALTED", "REDUCE_ONLY"):
        return _reason("gate", kind, f"{text} ({net['state']})", "a person who lets the fund go on, or a healthy agent")
    change = {
        "MIN_ORDER": f"an order above {_size_of(code, bound)}: {_size_of(code, bound - measured)} more, from any book",
        "VENUE_MIN": f"an order of {_size_of(code, bound)}: {_size_of(code, bound - measured)} more, or a full close",
        "STALE_PRICE": f"a bar that trades: at most {bound:,.0f} bars old",
        "FROZEN_PRICE": "a price that moves",
        "NO_HISTORY": f"{bound - measured:,.1f} more days of history",
        "LIQUIDITY": "a bar that fills the whole reduction first",
        "RESTING": "the resting reduction fills or is gone",
    }.get(code, f"room below {_size_of(code, bound)}, set by {net['set_by']}")
    return _reason("gate", kind, f"{text}; the limit is {_size_of(code, bound)}", change)


def _size_of(code: str, value: float) -> str:
    """A figure of a verdict in its unit."""
    if code in ("MIN_ORDER", "VENUE_MIN"):
        return f"{value:,.2f} USD"
    if code in ("STALE_PRICE", "FROZEN_PRICE"):
        return f"{value:,.0f} bars"
    if code in ("LIQUIDITY", "RESTING"):
        return f"{value:,.0f} lots"
    if code == "NO_HISTORY":
        return f"{value:,.1f} days"
    return f"{100 * value:.2f} % of NAV"


def _rested(found: Found, past: Hindsight) -> Row:
    """A maker order that nobody traded beyond."""
    m, facts, net = past.m, past.facts, found["net"]
    instrument, venue = past.fund.instruments[m], past.fund.venue
    buys = net["resting_lots"] > 0
    limit = int(touch_price(int(facts.reference[0, m]), net["resting_lots"], venue.half_spread_bps / 1e4))
    edge = int((facts.low if buys else facts.high)[-1, m])
    text = (
        f"{abs(net['resting_lots']):,} lots rested at {limit / instrument.lot_micro_scale:,.6g} to "
        f"{'buy' if buys else 'sell'}, and the bar's {'low' if buys else 'high'} was "
        f"{edge / instrument.lot_micro_scale:,.6g}"
    )
    beyond = 0 < edge < limit if buys else edge > limit
    if beyond:
        most = int(facts.queued[facts.risk_row[0], m])
        return _reason("market", "rested", f"{text}; {most:,} lots reach an order behind the queue", "more volume")
    side = "below" if buys else "above"
    return _reason("market", "rested", text, f"a trade {side} the limit; what stays wished is laid again, then taken")


def _state(found: Found, signal: str) -> str:
    return str(next(row["state"] for row in found["signals"] if row["name"] == signal))


def _size(conviction: float) -> float:
    return -1.0 if math.isnan(conviction) else abs(conviction)
