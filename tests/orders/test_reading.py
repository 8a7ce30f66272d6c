"""What an account reading proves, and what it does not."""

import pytest

from podshop.orders.reading import MOST_KEPT, clean
from tests.orders.given import Coin, S, dropped


def test_an_answer_without_its_envelope_says_nothing():
    """A bare [] looks like an account that is flat; this one is."""
    for bare in (
        {"lots": {}, "venue_ns": 0, "equity_micro": 0},
        {"lots": {}, "venue_ns": 0},
        {"lots": {}, "equity_micro": 0},
        {"lots": {}, "cash_micro": 5},
    ):
        coin = Coin()
        coin.wait(1).read(**bare)
        assert dropped(coin.ask(10)) == "NO_READING", bare


def test_a_flat_account_with_its_whole_envelope_is_flat():
    coin = Coin()
    coin.wait(1).read(lots={}, cash_micro=10**12)
    assert dropped(coin.ask(10)) is None


@pytest.mark.parametrize("off", [-2 * S, 2 * S])
def test_a_stamp_that_is_not_of_the_question_is_of_some_copy(off):
    coin = Coin()
    coin.wait(1)
    coin.read(venue_ns=coin.now + off)
    assert dropped(coin.ask(10)) == "NO_READING"


def test_a_reading_that_began_before_the_last_event_says_nothing():
    coin = Coin().sent_order(10)
    began = coin.now - 1
    coin.reply("refused", code="margin")
    coin.read(began_ns=began)
    assert dropped(coin.ask(10)) == "NO_READING"
    coin.wait(1).read()
    assert dropped(coin.ask(10)) is None


def test_clean_takes_two_readings_five_seconds_apart_and_none_between_that_disagrees():
    coin = Coin(booked=3)
    coin.wait(1).read()
    assert not clean(coin.line, 0, coin.terms)
    coin.wait(4.9).read()
    assert not clean(coin.line, 0, coin.terms)
    coin.wait(0.1).read()
    assert clean(coin.line, 0, coin.terms)
    coin.wait(1).read(lots=4)
    assert not clean(coin.line, 0, coin.terms)
    coin.wait(1).read()
    coin.wait(5).read()
    proof = clean(coin.line, 0, coin.terms)
    assert proof[1] - proof[0] >= 5 * S
    assert not clean(coin.line, coin.now, coin.terms), "of now, there are none"


def test_many_readings_are_kept_few_and_still_span_the_time():
    coin = Coin()
    for _ in range(200):
        coin.wait(0.5).read()
    assert len(coin.line.evidence.agreed) <= MOST_KEPT
    assert clean(coin.line, coin.now - 10 * S, coin.terms)
    assert clean(coin.line, coin.now - 30 * S, coin.terms)
