"""podshop why"""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer
from podshop.nouns import utc_ns

WIDTH = 120
Row = Mapping[str, Any]


def why(
    market: Annotated[str, Parameter(help="A market of the fund, such as BTC.")],
    /,
    *,
    at: Annotated[
        datetime | None, Parameter(help="The last decision by then, UTC; else the last with an order.")
    ] = None,
    absence: Annotated[bool, Parameter(name="--not", negative="", help="Say why nothing was traded.")] = False,
    record: Annotated[Path | None, Parameter(help="Folder of a record; else the newest under out/.")] = None,
    json: AsJson = False,
) -> None:
    """Show who said what about a market, what the books made of it, what the gate ruled, and whose fills came of it."""
    from podshop.run.kept import newest
    from podshop.run.why import why as explain

    folder = newest(Path("out")) if record is None else record
    found = explain(folder, market, None if at is None else utc_ns(at), absence)
    answer(found, "\n".join(_lines(found)), as_json=json)


def _lines(found: Row) -> Iterator[str]:
    price = found["price"]
    yield (
        f"{found['market']} at {found['time']}, {found['fund']}: mark {_price(price['mark'])} USD, "
        f"next open {_price(price['next_open'])}"
    )
    yield f"record: {found['record']}"
    if found["simulated"]:
        yield "SIMULATED EXCHANGE: these prices never were."
    yield from (f"warning: {text}" for text in found["warnings"])
    if "not" in found:
        yield from _absence(found)
    else:
        yield from _story(found)
    yield from ("", *_net(found["net"]))
    yield from _fills(found)
    yield ""
    if found["differs"]:
        yield "THE RECORD DOES NOT AGREE with what is recomputed:"
        yield from (f"  {text}" for text in found["differs"])
    else:
        count = sum(book["decided"] is not None for book in found["books"])
        yield f"checked: what {count} books last wished in the record follows, to the lot, from what their signals said"


def _story(found: Row) -> Iterator[str]:
    """Who said what, and what each book made of it; books that neither hold nor wish anything in a line each."""
    yield from ("", f"{'signal':<24}{'bar':>4}{'conviction':>12}{'voice':>9}  says so")
    yield from map(_signal, found["signals"])
    quiet = [book for book in found["books"] if not (book["held_lots"] or book["wished_lots"] or book["shadow_lots"])]
    for book in found["books"]:
        if book not in quiet:
            yield from ("", *_book(book))
    if quiet:
        yield from ("", f"{'holds and wishes nothing':<24}{'blend':>9}  {'held back by':<13}heard")
    for book in quiet:
        code = "" if book["held_back"] is None else book["held_back"]["code"]
        heard = ", ".join(f"{row['signal']} {_signed(row['voice'])}" for row in book["heard"])
        first = f"{book['name']:<24}{_signed(book['blend']):>9}  {code:<13}"
        yield from wrap(heard, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


def _absence(found: Row) -> Iterator[str]:
    told = found["not"]
    yield ""
    if told["traded"]:
        yield f"{found['market']} was traded on this decision: see its fills below."
    else:
        reason = told["reason"]
        yield from _wrapped(f"Not traded: {reason['who']}: {reason['text']}.", "")
        yield from _wrapped(f"It would take: {reason['change']}.", "")
    others = [each for each in told["books"].values() if each is not told["reason"]]
    for each in others:
        yield from _wrapped(f"{each['who']} ({each['code']}): {each['text']}. It would take: {each['change']}.", "  ")


def _signal(row: Row) -> str:
    if not row["covers"]:
        return f"{row['name']:<24}{row['bar']:>4}{'':>12}{'':>9}  does not cover it"
    state = {"open": "open", "shut": "shut", "none": "no opinion"}[row["state"]]
    since = f" since {row['since']}" if row["since"] else ""
    more = " or longer" if row["since_before_the_run"] else ""
    if row["state"] == "shut" and not math.isnan(row["conviction"]):
        more += f"; opens at {row['opens_at']:.2f}, {row['opens_at'] - abs(row['conviction']):.3f} away"
    figures = f"{_signed(row['conviction']):>12}{_signed(row['voice']):>9}"
    return f"{row['name']:<24}{row['bar']:>4}{figures}  {state}{since}{more}"


def _book(book: Row) -> Iterator[str]:
    name = book["name"]
    yield f"{name} ({book['horizon']}, {book['style']}, decides every {book['cadence']}, due {book['due']})"
    if book["decided"] is None:
        yield "  has not decided yet"
    else:
        parts = [f"{row['signal']} {_signed(row['voice'])} x {row['weight']:g}" for row in book["heard"]]
        times = f" ({book['multiplier']:.3f} times, for voices that differ)" if book["multiplier"] != 1 else ""
        yield from _wrapped(f"heard at {book['decided']}: {', '.join(parts)} -> blend {_signed(book['blend'])}{times}")
    same = _signed(book["blend_now"]) == _signed(book["blend"])
    now = "" if same else f"; blend if it decided now {_signed(book['blend_now'])}"
    yield from _wrapped(
        f"shadow at {book['reference_usd']:,.0f} USD: {book['shadow_lots']:,} lots, wishes "
        f"{book['shadow_target_lots']:,}; full position {_lots(book['full_lots'])}, buffer "
        f"{_lots(book['band_lots'])}{now}"
    )
    if book["held_back"] is not None:
        held = book["held_back"]
        yield from _wrapped(
            f"held back {held['lots']:,} lots, {held['code']}: {held['measured']:.2f} against {held['bound']:.2f}"
            + (f" bps, slope {book['slope']:.4f}" if held["code"] == "COST_GATE" else " USD")
        )
    for note in book["notes"]:
        yield from _wrapped(f"{note['code']}: {note['meaning']}: {note['measured']:.4g}, {note['bound']:.4g}")
    throttles = f"throttle {book['throttle']:g} x the fund's {book['fund_throttle']:g}"
    yield f"  capital {book['capital_usd']:,.2f} USD, {throttles}"
    since = "never wished" if book["wished_since"] is None else f"since {book['wished_since']}"
    mark = f", decided at {_price(book['wished_at_mark'])}" if book["wished_since"] else ""
    open_lots = f"holds {book['held_lots']:,}: {book['wants_lots']:+,} open"
    yield f"  wishes {book['wished_lots']:,} lots ({since}{mark}), {open_lots}"


def _net(net: Row) -> Iterator[str]:
    yield (
        f"fund: NAV {net['nav_usd']:,.2f} USD, {net['state']}; holds {net['held_lots']:,} lots, books wish "
        f"{net['wished_lots']:,}: {net['buys_lots']:,} to buy, {net['sells_lots']:,} to sell, "
        f"{net['crossed_lots']:,} crossed inside"
    )
    if net["verdict"] is None:
        yield "  no order, so no verdict"
        return
    figures = f"{_figure(net['measured'])}, bound {_figure(net['bound'])}"
    yield (
        f"  {net['verdict'].upper()} {net['code']}: wanted {net['wanted_lots']:+,}, allowed {net['allowed_lots']:+,}, "
        f"taken {net['filled_lots']:+,}, laid to rest {net['resting_lots']:+,}"
    )
    yield from _wrapped(f"{net['meaning']}: measured {figures}")
    yield from _wrapped(f"limits {net['limits_version']} since {net['limits_since']}; set by: {net['set_by']}")
    if net["reason"]:
        yield from _wrapped(f"the office said: {net['reason']}")


def _fills(found: Row) -> Iterator[str]:
    if not found["fills"]:
        return
    yield from ("", f"{'book':<24}{'kind':<12}{'lots':>14}{'price':>16}{'worth, USD':>14}{'fee, USD':>11}")
    for row in found["fills"]:
        yield (
            f"{row['book']:<24}{row['kind']:<12}{row['lots']:>+14,}{_price(row['price']):>16}{row['worth_usd']:>14,.2f}"
            f"{row['fee_usd']:>11.4f}"
        )


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _signed(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:+z.3f}"


def _lots(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:,.0f}"


def _figure(value: float) -> str:
    return "nothing" if math.isnan(value) else f"{value:.4g}"


def _price(value: float | None) -> str:
    return "none" if value is None else f"{value:,.8g}"
