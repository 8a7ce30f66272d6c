"""Spoils recorded answers, from a seed: their bytes, or the JSON in them."""

import copy
import json
import random
from typing import Any

WORDS: tuple[Any, ...] = (
    *(None, True, False, "", " ", "NaN", "Infinity", "-0", "0", "0.0", "-1", "1", "1e5", "0x10", "１", "null", "abc"),
    *(0, -1, 1, 10**18, -(10**18), 2**63, 10**30, 0.5, -0.0, 1e300, [], {}, [[]], [None], {"a": 1}),
    *(
        "9" * 25,
        "0." + "0" * 30 + "1",
        "1.",
        ".1",
        "+1",
        "1,000",
        "1_0",
        "BTC",
        "buy",
        "A",
        "long",
        "\x00",
        "é",
        "x" * 400,
    ),
)
TEXTS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"null",
    b"true",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b".",
    b"e9",
)
DIGITS = b"0123456789"
BOMBS = (  # a megabyte each
    b"[" * 1_000_000,
    b'{"a":' * 200_000,
    b'"' + b'\\"' * 500_000,
    b"9" * 1_000_000,
    b"[0." + b"9" * 1_000_000 + b"]",
    b"[" + b"1e9," * 250_000 + b"1]",
    b" " * 1_000_000,
)


def spoiled(body: bytes, chance: random.Random) -> bytes:
    """One mutation, now and then several; once in two thousand a bomb."""
    if chance.random() < 0.0005:
        return chance.choice(BOMBS) + chance.choice([b"", body])
    for _ in range(1 if chance.random() < 0.8 else chance.randint(2, 4)):
        body = _bytes(body, chance) if chance.random() < 0.4 else _value(body, chance)
    return body


def _bytes(body: bytes, chance: random.Random) -> bytes:
    """Flip, insert, drop, repeat, cut, or change a digit into another."""
    if not body:
        return bytes([chance.randrange(256)])
    at, way = chance.randrange(len(body)), chance.randrange(8)
    end = min(len(body), at + chance.randint(1, 12))
    if way == 0:
        return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
    if way == 1:
        return body[:at] + chance.choice(TEXTS) + body[at:]
    if way == 2:
        return body[:at] + body[end:]
    if way == 3:
        return body[:end] + body[at:end] + body[end:]
    if way == 4 and chance.random() < 0.3:
        return body[:at]
    if way == 5:
        return body[:at] + chance.choice(TEXTS) + body[end:]
    digits = [n for n, byte in enumerate(body) if byte in DIGITS]
    if not digits:
        return body[:at]
    at = chance.choice(digits)
    return body[:at] + bytes([chance.choice(DIGITS)]) + body[at + 1 :]


def _value(body: bytes, chance: random.Random) -> bytes:
    """Change one value of the JSON: its kind, sign, size, place or presence; or say a name twice."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return _bytes(body, chance)
    holder = [found]
    places = list(_places(holder))
    where, key = chance.choice(places)
    old, way = where[key], chance.randrange(9)
    if way == 0 and where is not holder:
        del where[key]
    elif way == 1 and isinstance(where, list) and where is not holder:
        where.insert(key, copy.deepcopy(old))
    elif way == 2:
        other, there = chance.choice(places)
        where[key], other[there] = copy.deepcopy(other[there]), copy.deepcopy(old)
    elif way == 3 and isinstance(old, str):
        where[key] = old[1:] if old.startswith("-") else "-" + old
    elif way == 4 and isinstance(old, int | float) and not isinstance(old, bool):
        where[key] = chance.choice([-old, old * 10, str(old), float(old) + 0.5])
    elif way == 5 and isinstance(old, str):
        where[key] = chance.choice([old + "0", old + "5", "0" + old, old.replace(".", ""), old.upper(), old.lower()])
    elif way == 6 and isinstance(where, dict):
        where[chance.choice(["x", "coin", "status", "error", *where])] = where.pop(key)
    elif way == 7 and isinstance(where, dict):
        return _twice(holder[0], where, key, chance)
    else:
        where[key] = copy.deepcopy(chance.choice(WORDS))
    return json.dumps(holder[0]).encode()


def _twice(whole: Any, where: dict[str, Any], key: str, chance: random.Random) -> bytes:
    """Say a name twice, with another value before or behind."""
    mark = "\x01mark"
    old, where[mark] = where[key], 1
    text = json.dumps(whole)
    name, value = json.dumps(key), json.dumps(chance.choice(WORDS[:20]))
    del where[mark]
    assert where[key] is old
    return text.replace(f"{json.dumps(mark)}: 1", f"{name}: {value}").encode()


def _places(value: Any) -> Any:
    """Every (container, key) below."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
