"""What a stranger sent is read as it stands or refused; nothing is guessed."""

from decimal import Decimal
from typing import Any

import pytest

from podshop.nouns import VenueError
from podshop.venues import strict

BAD_JSON = {
    "NaN": b'{"px": NaN}',
    "Infinity": b"[Infinity]",
    "a name twice": b'{"szi": "1", "szi": "2"}',
    "a name twice, deep inside": b'[{"a": {"b": 1, "b": 1}}]',
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 40 + b"1" + b"}" * 40,
    "not UTF-8": b'["\xff"]',
    "UTF-16": '["1"]'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf[1]",
    "HTML": b"<html><head><title>502</title>",
    "cut short": b'{"positions": [',
    "empty": b"",
    "two values": b"[] []",
    "an escaped surrogate": b'["\\ud800"]',
    "a number of thousands of digits": b"9" * 5_000,
    "a fraction of thousands of digits": b"0." + b"9" * 5_000,
    "a comment": b"[1] // yes",
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON)
def test_json_that_two_parsers_may_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(VenueError, match="answer"):
        strict.loads(body, "the answer")


def test_a_bomb_of_quotes_costs_no_time_and_brackets_in_texts_do_not_count() -> None:
    assert strict.depth_of(b'"' + b'\\"' * 1_000_000) == 0
    assert strict.loads(b'["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]', "x")[0].startswith("[[")


def test_numbers_come_exactly_as_they_were_written() -> None:
    found = strict.loads(b'{"size": 0.10000000000000000001, "n": 12345678901234567}', "x")
    assert found == {"size": Decimal("0.10000000000000000001"), "n": 12345678901234567}


NOT_NUMBERS: list[Any] = [
    *(
        None,
        True,
        False,
        "",
        " 1",
        "1 ",
        "+1",
        "1e5",
        ".5",
        "5.",
        "NaN",
        "Infinity",
        "0x10",
        "１",
        "1_000",
        "--1",
        "1,0",
    ),
    *([], {}, ["1"], "9" * 40, "0." + "1" * 40, Decimal("1E+40"), Decimal("NaN"), Decimal("Infinity"), 10**20, 1.5),
]


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_what_is_not_a_number_is_not_made_one(value: Any) -> None:
    """A float comes out of no strict parser, so it is refused too: somebody parsed with another one."""
    with pytest.raises(VenueError):
        strict.decimal(value, "x")


@pytest.mark.parametrize("value", [None, True, "", "x", 1.0, Decimal(1), "1.0", -1, "9" * 30, []], ids=repr)
def test_what_is_not_a_whole_number_is_not_made_one(value: Any) -> None:
    with pytest.raises(VenueError):
        strict.whole(value, "x")


def test_sizes_must_be_whole_lots_and_money_is_rounded_against_us() -> None:
    assert strict.exact(Decimal("0.01493"), Decimal("0.00001"), "x") == 1493
    with pytest.raises(VenueError, match="multiple"):
        strict.exact(Decimal("0.014931"), Decimal("0.00001"), "x")
    assert strict.micro(Decimal("0.0000011"), "fee", up=True) == 2
    assert strict.micro(Decimal("-0.0000019"), "rebate", up=True) == -1
    with pytest.raises(VenueError, match="too large"):
        strict.micro(Decimal("99999999999999"), "x")


def test_words_of_a_venue_are_made_safe_to_keep() -> None:
    assert strict.plain("line\nbreak \x1b[31m é" + "x" * 1_000)[:18] == "line?break ?[31m ?"
    assert len(strict.plain("x" * 1_000)) == strict.MAX_TEXT
    assert strict.plain(None) == ""
