"""A second reading of what venues answer, in fractions and by other code: what a parser that succeeds must agree with.

It is short because it need not refuse everything that a parser refuses: it only may not be fooled where the parser is
not. It raises (anything) where the answer does not say clearly what is asked of it.
"""

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
MICRO = 10**6


class Loose(str):
    """A JSON number with a point or exponent, as it was written."""


def decoded(body: bytes) -> Any:
    """JSON, names once, no NaN."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({k for k, _ in pairs}) == len(pairs)
        return dict(pairs)

    def never(word: str) -> Any:
        raise ValueError(word)

    return json.loads(body.decode(), parse_float=Loose, parse_constant=never, object_pairs_hook=once)


def num(value: Any) -> Fraction:
    """A number."""
    if isinstance(value, Loose):
        return Fraction(value)
    if isinstance(value, str):
        assert NUMBER.fullmatch(value)
        return Fraction(value)
    assert type(value) is int
    return Fraction(value)


def above(value: Any) -> Fraction:
    """A number above 0."""
    assert num(value) > 0
    return num(value)


def whole(value: Any) -> int:
    """A whole number, written as one or as text."""
    assert not isinstance(value, Loose)
    assert num(value).denominator == 1
    assert type(value) is int or "." not in value
    return int(num(value))


def word(value: Any) -> str:
    """A text."""
    assert type(value) is str
    assert value
    return value


def lots(value: Any, unit: Fraction) -> int:
    """Whole lots."""
    count = num(value) / unit
    assert count.denominator == 1
    return int(count)


def up(value: Fraction) -> int:
    """Rounded up."""
    return -((-value.numerator) // value.denominator)


def ns(value: Any) -> int:
    """Milliseconds as nanoseconds."""
    assert 1_262_304_000_000 <= whole(value) <= 4_102_444_800_000
    return whole(value) * 10**6


# ---------------------------------------------------------------- Hyperliquid

Units = Mapping[str, tuple[str, int]]  # the venue's name -> our market, decimals of a size


def unit(units: Units, name: Any) -> tuple[str, Fraction]:
    market, decimals = units[word(name)]
    return market, Fraction(1, 10**decimals)


def meta(answer: Any, thousands: Mapping[str, str]) -> Any:
    return [
        (n, word(u["name"]), ours(u["name"], thousands), whole(u["szDecimals"]), whole(u["maxLeverage"]),
         {True: True, False: False}[u.get("isDelisted", False)])
        for n, u in enumerate(answer["universe"])
    ]  # fmt: skip


def ours(name: str, thousands: Mapping[str, str]) -> str:
    known = name in thousands or name not in thousands.values()
    return thousands.get(name, name) if known else f"hyperliquid:{name}"


def state(answer: Any, units: Units) -> Any:
    held: dict[str, int] = {}
    net = gross = Fraction(0)
    for row in answer["assetPositions"]:
        p = row["position"]
        market, one = unit(units, p["coin"])
        assert market not in held
        assert row["type"] == "oneWay"
        held[market] = lots(p["szi"], one)
        gross += num(p["positionValue"])
        net += num(p["positionValue"]) * (1 if held[market] > 0 else -1)
    equity, cash = num(answer["marginSummary"]["accountValue"]), num(answer["marginSummary"]["totalRawUsd"])
    assert abs(equity - cash - net) <= Fraction(1, 10) + gross / 5_000
    return ns(answer["time"]), round(equity * MICRO), round(cash * MICRO), {m: n for m, n in held.items() if n}


def mids(answer: Any, units: Units) -> Any:
    return {m: max(1, round(above(answer[n]) * MICRO / 10**d)) for n, (m, d) in units.items() if n in answer}


def close(answer: Any, name: str, one: Fraction, length_ns: int, at_ns: int) -> Any:
    bars = [(ns(b["T"]) + 10**6, num(b["v"]), above(b["c"]), word(b["s"]), ns(b["t"])) for b in answer]
    assert all(s == name and t + length_ns == end for end, _, _, s, t in bars)
    ended = [(end, price) for end, volume, price, _, _ in bars if volume > 0 and end <= at_ns]
    if not ended:
        return None
    last = max(end for end, _ in ended)
    (price,) = {price for end, price in ended if end == last}
    return max(1, round(price * one * MICRO)), last


def order(answer: Any, units: Units) -> Any:
    if answer["status"] == "unknownOid":
        return "unknown_id", None, None, None, None
    assert answer["status"] == "order"
    o, status = answer["order"]["order"], word(answer["order"]["status"])
    market, one = unit(units, o["coin"])
    done = lots(o["origSz"], one) - lots(o["sz"], one)
    assert 0 <= done <= lots(o["origSz"], one)
    filled = None if status == "filled" and lots(o["sz"], one) > 0 else done * {"B": 1, "A": -1}[o["side"]]
    over = status in ("filled", "canceled", "rejected", "scheduledCancel") or status[-8:] in ("Canceled", "Rejected")
    said = "open" if status in ("open", "triggered") else "final" if over else "no_answer"
    return said, str(whole(o["oid"])), filled, o.get("cloid"), market


def fills(answer: Any, units: Units, user: str) -> Any:
    found = []
    for row in answer:
        if any(sign in word(row["coin"]) for sign in "/:") or row["coin"][0] in "@#":
            continue
        market, one = unit(units, row["coin"])
        assert row.get("feeToken", "USDC") == "USDC"
        kind = {"Auto-Deleveraging": "adl", "Settlement": "settlement"}.get(str(row.get("dir", "")), "trade")
        if kind == "trade" and row.get("liquidation") is not None:
            whose = row["liquidation"]["liquidatedUser"]
            kind = "liquidation" if whose is None or word(whose).lower() == user else "trade"
        size = lots(row["sz"], one)
        assert size > 0
        client = None if row.get("cloid") is None else word(row["cloid"])
        client = client[2:] if client is not None and client[:2] == "0x" else client
        price = max(1, round(above(row["px"]) * one * MICRO))
        fee = up(num(row["fee"]) * MICRO)
        signed = size * {"B": 1, "A": -1}[row["side"]]
        tid, oid = str(whole(row["tid"])), str(whole(row["oid"]))
        found.append((tid, oid, client, market, signed, price, fee, ns(row["time"]), kind))
    return found


def fundings(answer: Any, units: Units) -> Any:
    found = []
    for row in answer:
        d = row["delta"]
        if any(sign in word(d["coin"]) for sign in "/:") or d["coin"][0] in "@#":
            continue
        market, one = unit(units, d["coin"])
        assert d["type"] == "funding"
        at = ns(row["time"])
        cash, held = round(num(d["usdc"]) * MICRO), round(num(d["szi"]) / one)
        found.append((f"{d['coin']}:{at // 10**6}", market, cash, float(num(d["fundingRate"])), held, at))
    return found


def resting(answer: Any, units: Units) -> Any:
    found = []
    for row in answer:
        market, one = unit(units, row["coin"])
        left = lots(row["sz"], one)
        assert left >= 0
        client = None if row.get("cloid") is None else word(row["cloid"]).removeprefix("0x")
        found.append((str(whole(row["oid"])), client, market, left * {"B": 1, "A": -1}[row["side"]]))
    return found


def signed_reply(answer: Any, cloid: str, refusals: Mapping[str, str], whole_refusals: Mapping[str, str]) -> Any:
    """Outcome and order id of an answer to one signed order."""
    if answer["status"] == "err":
        return _refusal(answer["response"], whole_refusals)
    assert answer["status"] == "ok"
    assert answer["response"]["type"] == "order"
    (entry,) = answer["response"]["data"]["statuses"]
    if isinstance(entry, dict) and list(entry) == ["error"]:
        return _refusal(entry["error"], refusals)
    if isinstance(entry, dict) and list(entry) in (["filled"], ["resting"]):
        (told,) = entry.values()
        assert told.get("cloid") in (None, cloid)
        return "accepted", str(whole(told["oid"]))
    return "unknown", None


def _refusal(said: Any, refusals: Mapping[str, str]) -> Any:
    known = isinstance(said, str) and any(said.startswith(prefix) for prefix in refusals)
    return ("refused" if known else "unknown"), None


# ---------------------------------------------------------------- Purple Flea


def flea_positions(answer: Any) -> Any:
    assert answer["source"] == "hyperliquid"
    found = []
    for row in answer["positions"]:
        assert row["source"] == "hyperliquid"
        side = {"long": 1, "short": -1}[row["side"]]
        named = None if row["position_id"] is None else word(row["position_id"])
        found.append((named, word(row["coin"]), side, above(row["size"])))
    assert whole(answer["count"]) == len(found) == len({name for _, name, _, _ in found})
    return found


def flea_account(answer: Any) -> Any:
    w = answer["hl_wallet"]
    assert {type(w[f]) for f in ("builder_fee_approved", "signing_key_stored", "generated")} == {bool}
    real = w["execution"] == "real" and w["builder_fee_approved"] and w["signing_key_stored"]
    return word(w["address"]), whole(answer["max_leverage"]), whole(answer["max_position_usd"]), real, w["generated"]


def flea_opened(answer: Any, expected: Mapping[str, str]) -> Any:
    """Accepted with this id, or an exception."""
    assert all(answer[name] == value for name, value in expected.items())
    return "accepted", str(whole(answer["hl_order_id"]))


# ---------------------------------------------------------------- raw rows behind ccxt


def raw_fill(row: Any, fields: Mapping[str, str], step: Fraction, lot: Fraction, fee_sign: int) -> Any:
    """Lots, price, fee, time."""
    side = {"buy": 1, "sell": -1}[word(row[fields["side"]]).lower()]
    size = lots(row[fields["quantity"]], step)
    assert size > 0
    price = max(1, round(above(row[fields["price"]]) * lot * MICRO))
    return side * size, price, up(num(row[fields["fee"]]) * fee_sign * MICRO), ns(row[fields["at"]])


def raw_positions(
    rows: Any, symbol: str, size: str, side: str | None, known: Mapping[str, tuple[str, Fraction]]
) -> Any:
    held: dict[str, int] = {}
    for row in rows:
        amount = num(row[size])
        if amount == 0:
            continue
        market, step = known[row[symbol]]
        assert market not in held
        if side is not None:
            assert amount > 0
            amount *= {"buy": 1, "sell": -1}[word(row[side]).lower()]
        assert (amount / step).denominator == 1
        held[market] = int(amount / step)
    return held
