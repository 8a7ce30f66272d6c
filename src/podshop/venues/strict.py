"""Reading what a stranger sent: JSON without surprises, then values that are what they claim to be, or VenueError.

Nothing here guesses. A number that should be there and is not, is NaN, infinite, too long, a truth value or a word is
an error, never 0; so is a name that stands twice in one object, which parsers disagree on (the last one wins in most,
the first in some: RFC 8259, section 4). Numbers of money are read as Decimal, exactly as they were written.

Every rounding names its way: libraries change the rounding of the whole process (ccxt sets half-up when it formats).
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any, NoReturn

from podshop.nouns.errors import VenueError

MAX_DEPTH = 32
MAX_DIGITS = 27  # that count; Decimal's 28 hold every step exactly
MAX_TEXT = 300
MICRO = Decimal(1_000_000)
INT64 = 2**63
MS_NS = 1_000_000
EARLIEST_MS, LATEST_MS = 1_262_304_000_000, 4_102_444_800_000  # 2010 and 2100

_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,25})?")
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)  # a string without end swallows the rest
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def loads(body: bytes, what: str) -> Any:
    """JSON as RFC 8259 has it, in UTF-8, with every name once; numbers with a point come as Decimal.

    what  named in the error: which answer it is
    """
    if depth_of(body) > MAX_DEPTH:
        raise VenueError(f"{what}: JSON nested deeper than {MAX_DEPTH}")
    trouble = ""
    try:
        text = body.decode("utf-8")
        if _SURROGATE.search(text):
            trouble = "holds an escaped surrogate"
        else:
            return json.loads(text, parse_float=_decimal, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, ArithmeticError, RecursionError) as e:
        trouble = f"{type(e).__name__}"  # its text may hold what was sent
    raise VenueError(f"{what}: the answer is not strict JSON ({trouble}), it begins with {shown(body[:40])}")


def depth_of(body: bytes) -> int:
    """How deep brackets nest outside strings, found without recursion."""
    depth = deepest = 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                break  # deep enough to be refused
        elif first in b"]}":
            depth -= 1
    return deepest


def record(value: Any, what: str) -> Mapping[str, Any]:
    """An object."""
    if isinstance(value, dict):
        return value
    raise VenueError(f"{what}: found {shown(value)}, expected an object")


def rows(value: Any, what: str) -> Sequence[Any]:
    """A list."""
    if isinstance(value, list):
        return value
    raise VenueError(f"{what}: found {shown(value)}, expected a list")


def field(value: Any, name: str, what: str) -> Any:
    """One field of an object; it must be there."""
    found = record(value, what)
    if name in found:
        return found[name]
    raise VenueError(f"{what}: no field {name!r}")


def text(value: Any, what: str) -> str:
    """A word: printable ASCII, not empty, not long."""
    if isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isascii() and value.isprintable():
        return value
    raise VenueError(f"{what}: found {shown(value)}, expected a short text")


def truth(value: Any, what: str) -> bool:
    """true or false."""
    if value is True or value is False:
        return bool(value)
    raise VenueError(f"{what}: found {shown(value)}, expected true or false")


def whole(value: Any, what: str, low: int = 0, high: int = INT64 - 1) -> int:
    """A whole number, written as one or as a text of digits.

    >>> whole("0042", "n"), whole(7, "n")
    (42, 7)
    """
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise VenueError(f"{what}: found {shown(value)}, expected a whole number from {low} to {high}")


def decimal(value: Any, what: str) -> Decimal:
    """A number, exactly as written: in a text without exponent, or a JSON number.

    >>> decimal("-0.00785", "szi"), decimal(1000, "size")
    (Decimal('-0.00785'), Decimal('1000'))
    """
    found = None
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        found = Decimal(value)
    elif isinstance(value, Decimal) and value.is_finite():
        found = value
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        found = Decimal(value)
    if found is not None and -25 <= found.adjusted() < 15 and len(found.as_tuple().digits) <= MAX_DIGITS:
        return found
    raise VenueError(f"{what}: found {shown(value)}, expected a number")


def positive(value: Any, what: str) -> Decimal:
    """A number above 0."""
    found = decimal(value, what)
    if found > 0:
        return found
    raise VenueError(f"{what}: found {shown(value)}, expected a number above 0")


def millis(value: Any, what: str) -> int:
    """An instant in milliseconds of UTC, as nanoseconds."""
    return whole(value, what, EARLIEST_MS, LATEST_MS) * MS_NS


def micro(value: Decimal, what: str, *, up: bool = False) -> int:
    """Dollars as micro-dollars: half-even, or up where we pay.

    >>> micro(Decimal("0.012896"), "fee"), micro(Decimal("0.0000001"), "fee", up=True)
    (12896, 1)
    """
    return fit((value * MICRO).to_integral_value(ROUND_CEILING if up else ROUND_HALF_EVEN), what)


def exact(value: Decimal, unit: Decimal, what: str) -> int:
    """How many units a quantity is; it must be a whole number of them.

    >>> exact(Decimal("0.01493"), Decimal("0.00001"), "size")
    1493
    """
    count = value / unit
    if count == count.to_integral_value():
        return fit(count, what)
    raise VenueError(f"{what}: found {shown(value)}, expected a multiple of {unit}")


def nearest(value: Decimal, what: str) -> int:
    """The nearest whole number, half-even."""
    return fit(value.to_integral_value(ROUND_HALF_EVEN), what)


def fit(value: Decimal, what: str) -> int:
    """A whole number that the ledger can hold."""
    if abs(value) < INT64:
        return int(value)
    raise VenueError(f"{what}: found {shown(value)}, too large")


def shown(value: Any) -> str:
    """A value as an error may show it: short, ASCII, on one line."""
    return ascii(value if not isinstance(value, Decimal) else str(value))[:60]


def plain(said: Any) -> str:
    """A venue's own words, made safe to keep: printable ASCII, at most 300."""
    words = said if isinstance(said, str) else ""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in words[:MAX_TEXT])


def _decimal(written: str) -> Decimal:
    if len(written) > MAX_DIGITS + 13:
        raise ValueError("a number of too many digits")
    return Decimal(written)


def _refuse(written: str) -> NoReturn:
    raise ValueError("NaN and infinity are not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
