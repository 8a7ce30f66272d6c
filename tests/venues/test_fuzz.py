"""Spoiled answers through every parser of our own: VenueError or the truth, and nothing else.

Truth is what a second reading of the same spoiled JSON says. A parser that succeeds where the witness fails or says
otherwise has seen a phantom.
"""

import decimal
import random
from collections import Counter

import pytest

from podshop.nouns import VenueError
from tests.venues.mutate import spoiled
from tests.venues.parsers import PARSERS, TRUSTING, Parser

EACH, SOAK = 2_000, 100_000
UNKNOWN = (("unknown", None), "unknown")  # what a reply says that cannot be read


def fuzz(parser: Parser, times: int, seed: int) -> tuple[Counter[str], list[bytes]]:
    """How often it read, refused, crashed or was fooled; the first bodies of the last two kinds."""
    chance, count, shown = random.Random(f"{seed} {parser.name}"), Counter[str](), []
    for _ in range(times):
        body = spoiled(chance.choice(parser.bodies), chance)
        try:
            ours = parser.ours(body)
        except VenueError:
            count["refused"] += 1
            continue
        except Exception as e:  # noqa: BLE001
            count["crashed"] += 1
            shown.append(body + f"  {type(e).__name__}: {e}".encode())
            continue
        if ours in UNKNOWN:
            count["refused"] += 1
            continue
        try:
            fooled = parser.theirs(body) != ours
        except Exception:  # noqa: BLE001 -- the witness cannot read it
            fooled = True
        count["fooled" if fooled else "read"] += 1
        if fooled:
            shown.append(body)
    return count, shown[:3]


@pytest.mark.parametrize("parser", PARSERS, ids=lambda p: p.name)
def test_recorded_answers_are_read_alike(parser: Parser) -> None:
    for body in parser.bodies:
        assert parser.ours(body) == parser.theirs(body)


@pytest.mark.parametrize("parser", PARSERS, ids=lambda p: p.name)
def test_spoiled_answers_are_refused_or_read_truly(parser: Parser) -> None:
    count, shown = fuzz(parser, EACH, seed=1)
    assert (count["crashed"], count["fooled"]) == (0, 0), shown
    assert count["read"] > EACH // 100  # not everything is refused: the mutations are small
    assert count["refused"] > EACH // 100


@pytest.mark.soak
@pytest.mark.parametrize("parser", PARSERS, ids=lambda p: p.name)
def test_many_spoiled_answers(parser: Parser) -> None:
    count, shown = fuzz(parser, SOAK, seed=2)
    assert (count["crashed"], count["fooled"]) == (0, 0), shown


@pytest.mark.parametrize("parser", PARSERS, ids=lambda p: p.name)
@pytest.mark.parametrize("rounding", [decimal.ROUND_HALF_UP, decimal.ROUND_UP, decimal.ROUND_FLOOR])
def test_no_parser_leans_on_the_process_s_rounding(parser: Parser, rounding: str) -> None:
    """ccxt sets half-up for the whole process when it formats a number (base/decimal_to_precision.py)."""
    with decimal.localcontext() as context:
        context.rounding = rounding
        count, shown = fuzz(parser, EACH // 10, seed=3)
    assert (count["crashed"], count["fooled"]) == (0, 0), shown


def test_mutant_float_x_or_0_is_caught() -> None:
    """It crashes on strange answers and sees phantom flats in plausible ones."""
    count, _ = fuzz(TRUSTING, EACH, seed=1)
    assert count["fooled"] > 100
    assert count["crashed"] > 100
