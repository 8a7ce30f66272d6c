"""The table of docs/live.md, section 3: one row, one test (and what lies beside it)."""

import pytest

from podshop.orders.bound import ends, reducible
from podshop.orders.facts import Acknowledged, Booked, Committed, Differs, Ended, Late, Restricted, Unowned, Unsure
from podshop.orders.step import wanted
from tests.orders.given import (
    CYCLE,
    START,
    WITH_IDS,
    WITHOUT,
    Allot,
    Coin,
    External,
    Journal,
    RaiseLateBound,
    S,
    Send,
    Suspense,
    card,
    codes,
    dropped,
    facts,
    of,
    terms_of,
)

BOTH = pytest.mark.parametrize("terms", [WITH_IDS, WITHOUT], ids=["ids", "no ids"])


@BOTH
def test_row_1_a_new_target_is_committed_then_sent_once(terms):
    coin = Coin(terms, booked=3)
    coin.wait(1).read()
    effects = coin.ask(10, wants=(("trend", 8), ("carry", 2)))
    kinds = [type(effect) for effect in effects]
    assert kinds == [Journal, Send], "the intent is in the journal before the order leaves"
    (fact,) = facts(effects, Committed)
    assert (fact.row, fact.booked, fact.wants, fact.order.lots) == (1, 3, (("trend", 8), ("carry", 2)), 10)
    assert fact.reading_ns > START
    assert coin.line.state == "SENT"
    assert ends(coin.line, terms) == (3, 13)


def test_row_1_reserves_what_the_venue_may_round_up_by():
    coin = Coin(terms_of(card(False, rounding=1), CYCLE)).sent_order(10)
    assert ends(coin.line, coin.terms) == (0, 11)


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("EXPIRED", {"lots": 10, "expires_ns": START}),
        ("TOO_SMALL", {"lots": 10, "minimum": 11}),
        ("TOO_SMALL", {"lots": 0, "minimum": 0}),
        ("NOT_TOWARD_TARGET", {"lots": 10, "target": 9}),
        ("NOT_TOWARD_TARGET", {"lots": 10, "target": -9}),
    ],
)
def test_row_2_what_is_old_or_small_or_astray_is_dropped(code, asked):
    coin = Coin()
    coin.wait(1).read()
    effects = coin.ask(**asked)
    assert dropped(effects) == code
    assert not coin.sent
    assert coin.line.state == "IDLE"


def test_row_2_a_target_is_followed_once_and_never_an_older_one():
    coin = Coin().sent_order(10)
    coin.reply("refused", code="margin")
    coin.wait(1).read()
    assert dropped(coin.ask(10, cycle=1)) == "REPEATED"
    assert dropped(coin.ask(10, cycle=0, wave=2)) == "REPEATED"
    assert dropped(coin.ask(10, cycle=1, wave=2)) is None


def test_row_2_without_an_admissible_reading_nothing_is_sent():
    coin = Coin(booked=3)
    assert dropped(coin.ask(10)) == "NO_READING"
    coin.wait(1).read(lots=4)
    assert dropped(coin.ask(10)) == "NO_READING", "disagreement is never an order"
    coin.read()
    coin.wait(coin.terms.fresh_ns / S + 1)
    assert dropped(coin.ask(10)) == "NO_READING", "too old"


@BOTH
def test_row_3_a_refusal_releases_all(terms):
    coin = Coin(terms, booked=3).sent_order(10)
    effects = coin.reply("refused", code="position_too_large")
    (fact,) = facts(effects, Ended)
    assert (fact.row, fact.how, fact.reason) == (3, "refused", "position_too_large")
    assert coin.line.state == "IDLE"
    assert ends(coin.line, terms) == (3, 3)


@BOTH
def test_row_4_a_reply_with_an_order_id_is_not_a_fill(terms):
    coin = Coin(terms, booked=3).sent_order(10)
    effects = coin.reply("accepted", "o1", hinted=10)
    (fact,) = facts(effects, Acknowledged)
    assert (fact.row, fact.order_id, fact.inferred) == (4, "o1", False)
    assert (coin.line.state, coin.line.booked) == ("ACKED", 3)
    assert ends(coin.line, terms) == (3, 13)


@BOTH
@pytest.mark.parametrize(("outcome", "order_id"), [("unknown", None), ("accepted", None), ("unknown", "o1")])
def test_row_5_any_other_answer_is_unknown(terms, outcome, order_id):
    coin = Coin(terms, booked=3).sent_order(10)
    effects = coin.reply(outcome, order_id)
    assert [fact.intent for fact in facts(effects, Unsure)] == [coin.sent[-1].intent]
    assert coin.line.state == "UNKNOWN"
    assert ends(coin.line, terms) == (3, 13)


@BOTH
def test_row_5_a_restart_finds_no_outcome(terms):
    coin = Coin(terms, booked=3).sent_order(10)
    assert facts(coin.restart(), Unsure)
    assert coin.line.state == "UNKNOWN"
    assert len(coin.sent) == 1, "nothing is ever sent again"


@BOTH
def test_row_5_is_alarmed_after_a_cycle_and_no_time_makes_it_rejected(terms):
    coin = Coin(terms).unknown_order()
    assert codes(coin.wait(CYCLE / S - 1).tick()) == []
    assert codes(coin.wait(1).tick()) == ["UNRESOLVED"]
    assert codes(coin.tick()) == [], "once"
    coin.wait(30 * 86_400).tick()
    assert coin.line.state == "UNKNOWN"
    assert ends(coin.line, terms) == (0, 10)


@BOTH
def test_row_5_no_reply_at_all_becomes_unknown(terms):
    coin = Coin(terms).sent_order()
    coin.wait(CYCLE / S).tick()
    assert coin.line.state == "UNKNOWN"


@BOTH
def test_row_6_a_fill_of_our_order_moves_from_reserved_to_booked(terms):
    coin = Coin(terms, booked=3).sent_order(10)
    coin.reply("accepted", "o1")
    effects = coin.fill(4)
    (fact,) = facts(effects, Booked)
    assert (fact.row, fact.to, fact.intent) == (6, "wants", coin.sent[-1].intent)
    assert (coin.line.state, coin.line.booked) == ("ACKED", 7)
    assert ends(coin.line, terms) == (7, 13)


@BOTH
def test_row_6_the_same_fill_twice_is_booked_once(terms):
    coin = Coin(terms).sent_order(10)
    coin.reply("accepted", "o1")
    coin.fill(4, fill_id="f")
    assert coin.fill(4, fill_id="f") == ()
    assert coin.line.booked == 4


@BOTH
def test_row_6_a_fill_may_come_before_the_reply(terms):
    coin = Coin(terms).sent_order(10)
    client_id = coin.sent[-1].intent if terms.client_ids else None
    coin.fill(10, client_id=client_id)
    coin.reply("accepted", "o1", hinted=10)
    assert (coin.line.state, coin.line.booked, coin.line.held) == ("IDLE", 10, ())


@BOTH
def test_row_6_more_than_was_asked_is_booked_and_alarmed(terms):
    coin = Coin(terms).sent_order(10)
    coin.reply("accepted", "o1")
    assert codes(coin.fill(12)) == ["OVERFILLED"]
    assert (coin.line.booked, coin.line.reduce_only) == (12, True)


@BOTH
def test_row_7_all_that_was_asked_is_final(terms):
    coin = Coin(terms).sent_order(10)
    coin.reply("accepted", "o1")
    coin.fill(4)
    effects = coin.fill(6)
    (fact,) = facts(effects, Ended)
    assert (fact.row, fact.how, fact.filled) == (7, "final", 10)
    assert of(effects, Allot) == [Allot(coin.sent[-1].intent)]
    assert (coin.line.state, ends(coin.line, terms)) == ("IDLE", (10, 10))


def test_row_7_final_waits_for_every_lot_that_it_speaks_of():
    coin = Coin().sent_order(10)
    coin.reply("accepted", "o1")
    coin.look("final", "o1", filled=4)
    assert coin.line.state == "ACKED", "4 lots filled, and none is booked"
    effects = coin.fill(4)
    assert [fact.how for fact in facts(effects, Ended)] == ["final"]
    assert ends(coin.line, coin.terms) == (4, 4)


@BOTH
def test_row_7_clean_after_the_reply_where_it_agrees_with_the_books(terms):
    coin = Coin(terms).sent_order(10)
    coin.reply("accepted", "o1", hinted=4)
    coin.fill(4)
    coin.clean()
    assert coin.line.state == "ACKED", "not before 10 s after the reply"
    coin.wait(4)
    effects = coin.clean()
    (fact,) = facts(effects, Ended)
    assert (fact.how, fact.filled, len(fact.evidence)) == ("clean", 4, 2)


@BOTH
def test_row_7_clean_waits_for_q_where_the_reply_says_another_fill_or_none(terms):
    """A reply that says nothing, or more than is booked, leaves a late fill possible."""
    for hinted in (None, 10):
        coin = Coin(terms).sent_order(10)
        coin.reply("accepted", "o1", hinted=hinted)
        coin.wait(60).clean()
        assert coin.line.state == "ACKED"
        coin.wait(terms.quarantine_ns / S)
        coin.clean()
        assert coin.line.state == "IDLE"
        assert ends(coin.line, terms) == (0, 10), "that is row 12: reserved until W"
        assert ("MISREPORTED" in codes(coin.said)) == (hinted == 10)


def test_row_7_what_the_venue_calls_open_is_not_over():
    coin = Coin().sent_order(10)
    coin.reply("accepted", "o1")
    coin.wait(coin.terms.watch_ns / S)
    coin.look("open", "o1", filled=0)
    coin.clean()
    assert coin.line.state == "ACKED"
    assert "UNRESOLVED" in codes(coin.said)
    coin.look("final", "o1", filled=0)
    assert coin.line.state == "IDLE"


def test_row_7_a_reading_from_before_the_end_does_not_prove_that_nothing_filled():
    """Open, then two readings, then filled, then over: the readings are of before."""
    coin = Coin().sent_order(10)
    coin.reply("accepted", "o1", hinted=0)
    coin.look("open", "o1", filled=0)
    coin.wait(20).clean()
    coin.look("final", "o1", filled=None)
    assert coin.line.state == "ACKED"
    coin.clean()
    assert coin.line.state == "IDLE"


def test_row_8_the_venue_shows_our_client_id():
    coin = Coin().unknown_order()
    effects = coin.look("open", "o1", filled=0)
    assert [(fact.row, fact.order_id) for fact in facts(effects, Acknowledged)] == [(8, "o1")]
    assert coin.line.state == "ACKED"
    assert ends(coin.line, coin.terms) == (0, 10)


def test_row_8_a_fill_bears_our_client_id():
    coin = Coin().unknown_order()
    coin.fill(10, "o9", client_id=coin.sent[-1].intent)
    assert (coin.line.state, coin.line.booked) == ("IDLE", 10)


def test_row_9_never_arrived_takes_expiry_two_answers_and_a_clean_account():
    coin = Coin().unknown_order()
    expires = coin.sent[-1].expires_ns
    coin.now = expires + 6 * S
    coin.look("unknown_id")
    coin.look("unknown_id")
    assert coin.line.state == "UNKNOWN"
    effects = coin.clean()
    (fact,) = facts(effects, Ended)
    assert (fact.row, fact.how, len(fact.evidence)) == (9, "never_arrived", 2)
    assert min(fact.evidence) > expires + 5 * S
    assert ends(coin.line, coin.terms) == (0, 0)


@pytest.mark.parametrize("missing", ["expiry", "second answer", "clean", "answer", "venue's clock"])
def test_row_9_without_one_of_them_it_stays_unknown(missing):
    coin = Coin().unknown_order()
    expires = coin.sent[-1].expires_ns
    coin.now = expires + (-20 if missing == "expiry" else 6) * S
    for i in range(1 if missing == "second answer" else 2):
        early = expires + (3 + i) * S if missing == "venue's clock" else None
        coin.look("no_answer" if missing == "answer" else "unknown_id", venue_ns=early)
    if missing != "clean":
        coin.clean()
    else:
        coin.wait(1).read()
        coin.wait(6).read(lots=1)
    assert coin.line.state == "UNKNOWN"
    assert ends(coin.line, coin.terms) == (0, 10)


def test_row_9_is_not_for_a_venue_without_expiry():
    coin = Coin(terms_of(card(True, expiry=False), CYCLE)).unknown_order()
    coin.now = coin.sent[-1].expires_ns + 6 * S
    coin.look("unknown_id")
    coin.look("unknown_id")
    coin.clean()
    assert coin.line.state == "UNKNOWN"


def test_row_10_the_one_order_it_can_be_is_adopted_and_marked():
    coin = Coin(WITHOUT).unknown_order()
    effects = coin.fill(4, "o7")
    (fact,) = facts(effects, Acknowledged)
    assert (fact.row, fact.inferred) == (10, True)
    assert (coin.line.state, coin.line.booked) == ("ACKED", 4)
    coin.fill(6, "o7")
    assert (coin.line.state, coin.line.booked) == ("IDLE", 10)


@pytest.mark.parametrize(
    ("why", "fill"),
    [
        ("other side", {"lots": -4}),
        ("before the send", {"lots": 4, "at": START - 60 * S}),
        ("somebody's client id", {"lots": 4, "client_id": "f" * 32}),
        ("a liquidation", {"lots": 4, "kind": "liquidation"}),
    ],
)
def test_row_10_not_what_cannot_be_ours(why, fill):
    coin = Coin(WITHOUT, booked=5).unknown_order()
    effects = coin.fill(**fill)
    assert facts(effects, Booked)[0].row == 14
    assert coin.line.state == "UNKNOWN"
    assert ends(coin.line, coin.terms) == (5 + fill["lots"], 15 + fill["lots"])


@BOTH
def test_row_14_an_order_of_more_lots_than_were_asked_is_nobody_s(terms):
    """An order is of one sender: the watchdog's close beside our own reduction, say. The coin does not wait for it."""
    coin = Coin(terms).unknown_order()
    effects = coin.fill(11, "o7")
    assert facts(effects, Booked)[0].row == 14
    assert (coin.line.state, coin.line.booked, coin.line.reduce_only) == ("UNKNOWN", 11, True)
    assert ends(coin.line, coin.terms) == (11, 21), "and ours may still come"


def test_row_14_more_than_was_asked_waits_for_a_reply_that_is_due():
    coin = Coin(WITHOUT).sent_order(10)
    effects = coin.fill(11, "o7")
    assert facts(effects, Unowned)
    assert not coin.line.booked


def test_row_9_and_a_foreign_fill_do_not_wait_for_one_another():
    """The fill might be of the order, until the venue has said twice that it never knew it."""
    coin = Coin(WITH_IDS).unknown_order()
    coin.wait(20).fill(2, "o7")
    assert coin.line.held
    for _ in range(12):
        coin.wait(60).look("unknown_id")
        coin.read(2)
    assert (coin.line.state, coin.line.held, coin.line.booked) == ("IDLE", (), 2)
    assert coin.line.reduce_only, "a person looks at what nobody's order explains"


def test_row_11_two_orders_for_one_intent_wait_for_a_person():
    coin = Coin(WITHOUT).sent_order(10)
    coin.fill(6, "o1")
    coin.fill(4, "o2")
    assert "CANDIDATES" in codes(coin.reply("unknown", code="TIME_OUT"))
    coin.wait(7200)
    coin.tick()
    assert (coin.line.state, coin.line.booked) == ("UNKNOWN", 0)
    effects = coin.resolve(coin.sent[-1].intent, "o2")
    assert (coin.line.booked, coin.line.flights[-1].order_id) == (10, "o2"), "the other one is nobody's now"
    assert of(effects, External)[0].lots == 6


def test_row_11_two_orders_for_two_intents_wait_until_all_have_come():
    """Which of two orders is whose cannot be told while others may come; after Q each gets one that it fits."""
    coin = Coin(WITHOUT, booked=20).unknown_order(-2, reduce_only=True)
    small = coin.sent[-1].intent
    coin.ask(-6, target=12, reduce_only=True)
    large = coin.sent[-1].intent
    coin.reply("unknown")
    coin.fill(-2, "x")
    coin.fill(-6, "y")
    assert (coin.line.booked, len(coin.line.held)) == (20, 2)
    coin.wait(coin.terms.quarantine_ns / S).tick()
    assert (coin.line.booked, coin.line.held) == (12, ())
    assert [coin.line.flight(each).order_id for each in (small, large)] == ["x", "y"]


def test_row_11_after_q_one_order_for_two_intents_is_the_oldest_that_it_fits():
    coin = Coin(WITHOUT, booked=20).unknown_order(-6, reduce_only=True)
    first = coin.sent[-1].intent
    coin.ask(-2, target=12, reduce_only=True)
    coin.reply("unknown")
    coin.fill(-1, "x")
    assert coin.line.booked == 20
    coin.wait(coin.terms.quarantine_ns / S).tick()
    assert coin.line.flight(first).order_id == "x"


def test_row_11_the_position_moved_without_a_fill():
    coin = Coin(WITHOUT).unknown_order(10)
    coin.wait(1).read(lots=10)
    effects = coin.wait(5).read(lots=10)
    assert codes(effects) == ["MOVED"]
    coin.wait(coin.terms.quarantine_ns / S).read(lots=10)
    coin.wait(6).read(lots=10)
    assert (coin.line.state, coin.line.booked) == ("UNKNOWN", 0), "nothing is booked on a position alone"
    coin.fill(10)
    assert (coin.line.state, coin.line.booked) == ("IDLE", 10)


def test_row_11_a_person_says_that_it_never_arrived():
    coin = Coin(WITHOUT).unknown_order(10)
    coin.resolve(coin.sent[-1].intent)
    assert coin.line.state == "IDLE"
    assert ends(coin.line, coin.terms) == (0, 10), "still reserved: a person may be wrong"


def test_row_12_lapses_after_q_and_clean_and_is_reserved_until_w():
    coin = Coin(WITHOUT).unknown_order(10)
    coin.wait(60).clean()
    assert coin.line.state == "UNKNOWN"
    coin.wait(coin.terms.quarantine_ns / S - 90).read()
    assert coin.line.state == "UNKNOWN"
    coin.wait(90)
    effects = coin.clean()
    (fact,) = facts(effects, Ended)
    assert (fact.row, fact.how) == (12, "lapsed")
    assert coin.line.state == "IDLE"
    assert ends(coin.line, coin.terms) == (0, 10)
    coin.now = coin.line.flights[0].sent_ns + coin.terms.watch_ns
    coin.tick()
    assert ends(coin.line, coin.terms) == (0, 0)


def test_row_12_readings_from_before_the_end_of_q_prove_nothing():
    coin = Coin(WITHOUT).unknown_order(10)
    coin.wait(coin.terms.quarantine_ns / S - 7).clean()
    coin.wait(3).tick()
    assert coin.line.state == "UNKNOWN"


def test_row_12_a_venue_that_could_tell_has_until_w():
    coin = Coin(WITH_IDS).unknown_order(10)
    coin.look("no_answer")
    coin.wait(coin.terms.quarantine_ns / S + 60).clean()
    assert coin.line.state == "UNKNOWN"
    coin.wait(coin.terms.watch_ns / S).clean()
    assert coin.line.state == "IDLE"
    assert "UNRESOLVED" in codes(coin.said)


def test_row_12_ids_without_expiry_need_two_answers():
    coin = Coin(terms_of(card(True, expiry=False), CYCLE)).unknown_order(10)
    coin.wait(coin.terms.quarantine_ns / S).clean()
    assert coin.line.state == "UNKNOWN"
    coin.look("unknown_id")
    coin.look("unknown_id")
    assert coin.line.state == "IDLE"


def test_row_13_a_late_fill_finds_its_lapsed_intent():
    coin = Coin(WITHOUT).lapsed_order(10)
    lapsed = coin.sent[-1].intent
    coin.wait(200)
    effects = coin.fill(10, "o7")
    (fact,) = facts(effects, Booked)
    assert (fact.row, fact.intent, fact.to) == (13, lapsed, "wants")
    assert codes(effects) == ["LATE"]
    late_ns = facts(effects, Late)[0].late_ns
    assert late_ns > coin.terms.quarantine_ns
    assert of(effects, RaiseLateBound)[0].late_ns == late_ns
    assert terms_of(card(False), CYCLE, late_ns).quarantine_ns == late_ns + 30 * S
    assert (coin.line.state, ends(coin.line, coin.terms)) == ("IDLE", (10, 10))


def test_row_13_a_live_unknown_comes_first_then_the_newest():
    coin = Coin(WITHOUT).lapsed_order(10)
    first = coin.sent[-1].intent
    coin.lapsed_order(10)
    second = coin.sent[-1].intent
    coin.unknown_order(10)
    live = coin.sent[-1].intent
    for order_id, owner in (("a", live), ("b", second), ("c", first)):
        assert facts(coin.fill(10, order_id), Booked)[0].intent == owner
    assert coin.line.booked == 30


def test_row_13_a_fill_of_an_order_that_was_final():
    coin = Coin().sent_order(10)
    coin.reply("accepted", "o1", hinted=0)
    coin.look("final", "o1", filled=0)
    assert coin.line.state == "IDLE"
    effects = coin.wait(30).fill(10)
    assert (facts(effects, Booked)[0].row, codes(effects)) == (13, ["LATE"])


@pytest.mark.parametrize(
    ("fill", "to"),
    [
        ({"lots": -4, "kind": "liquidation"}, "held"),
        ({"lots": -4, "kind": "adl"}, "held"),
        ({"lots": -5, "kind": "settlement"}, "held"),
        ({"lots": -5, "watchdog": True, "client_id": "dead" + "0" * 28}, "held"),
        ({"lots": 2}, "house"),
        ({"lots": 2, "client_id": "f" * 32}, "house"),
    ],
)
@BOTH
def test_row_14_what_no_intent_explains_is_booked_at_once(terms, fill, to):
    coin = Coin(terms, booked=5)
    effects = coin.fill(**fill)
    (fact,) = facts(effects, Booked)
    assert (fact.row, fact.to, fact.intent) == (14, to, "")
    assert coin.line.booked == 5 + fill["lots"]
    assert codes(effects) == ["EXTERNAL"]
    assert of(effects, External)[0].lots == fill["lots"]
    assert facts(effects, Restricted)[0].on
    assert coin.line.reduce_only


def test_row_14_the_coin_only_reduces_until_a_person_resolves_it():
    coin = Coin(booked=5)
    coin.fill(2)
    coin.wait(1).read()
    assert dropped(coin.ask(1)) == "REDUCE_ONLY"
    assert dropped(coin.ask(-8)) == "REDUCE_ONLY"
    coin.resolve()
    coin.wait(1).read()
    assert dropped(coin.ask(1)) is None


def test_row_14_a_position_that_nothing_explains_is_shown_and_never_traded_on():
    coin = Coin(booked=5)
    assert not wanted(coin.line, coin.terms).reading
    coin.wait(1).read(lots=3)
    assert wanted(coin.line, coin.terms).reading, "a second look, soon"
    effects = coin.wait(5).read(lots=3)
    assert facts(effects, Differs)[0].lots == -2
    assert of(effects, Suspense)[0].lots == -2
    assert codes(effects) == ["DIFFERS"]
    assert ends(coin.line, coin.terms) == (3, 5)
    assert dropped(coin.ask(2)) == "NO_READING"
    assert not coin.sent
    effects = coin.wait(5).read()
    assert of(effects, Suspense)[0].lots == 0
    assert ends(coin.line, coin.terms) == (5, 5)


@BOTH
def test_row_15_a_quarantined_coin_may_reduce(terms):
    coin = Coin(terms, booked=5).unknown_order(10)
    effects = coin.ask(-5, target=0, reduce_only=True)
    assert [fact.row for fact in facts(effects, Committed)] == [15]
    assert len(coin.sent) == 2
    assert ends(coin.line, terms) == (0, 15)
    coin.reply("accepted", "o2", hinted=-5)
    coin.fill(-5, "o2")
    assert (coin.line.state, coin.line.booked) == ("UNKNOWN", 0)
    assert ends(coin.line, terms) == (0, 10)


@BOTH
def test_row_15_only_reduces(terms):
    coin = Coin(terms, booked=5).unknown_order(10)
    assert dropped(coin.ask(3, target=8)) == "BUSY"
    assert dropped(coin.ask(-6, target=-1, reduce_only=True)) == "TOO_LARGE"
    assert dropped(coin.ask(-5, target=0)) == "NOT_REDUCE_ONLY"


@BOTH
def test_row_15_does_not_reduce_what_an_unknown_reduction_may_have_reduced(terms):
    """Long 10, target 5: the sale of 5 was not heard of. Another would sell twice."""
    coin = Coin(terms, booked=10).unknown_order(-5)
    assert reducible(coin.line, 5, terms) == 0
    assert dropped(coin.ask(-5, target=5, reduce_only=True)) == "IN_FLIGHT"
    assert reducible(coin.line, 3, terms) == -2
    assert reducible(coin.line, 0, terms) == -5, "the sale that was not heard of may come last, and through zero"
    assert reducible(coin.line, 12, terms) == 0, "no reduction"
    assert reducible(coin.line, -3, terms) == -5


@BOTH
def test_row_15_reduce_only_orders_leave_room_for_the_ordinary_one_of_their_side(terms):
    """Long 13, an ordinary sale of 3 unheard of, one of 10 reduce-only too: a third would let the first go short."""
    coin = Coin(terms, booked=13).unknown_order(-3)
    coin.ask(-10, target=0, reduce_only=True)
    coin.reply("unknown")
    assert reducible(coin.line, 0, terms) == 0


@BOTH
def test_row_15_flat_is_flat_however_many_reduce_only_orders_it_takes(terms):
    coin = Coin(terms, booked=10).unknown_order(-10, reduce_only=True)
    assert reducible(coin.line, 5, terms) == 0
    assert reducible(coin.line, 0, terms) == -10
    coin.ask(-10, target=0, reduce_only=True)
    assert reducible(coin.line, 0, terms) == 0, "one at a time, until its fate is unknown too"
    coin.reply("unknown")
    assert reducible(coin.line, 0, terms) == -10
    assert ends(coin.line, terms) == (0, 10)


def test_row_15_where_reduce_only_is_unknown_only_what_reduces_in_every_outcome():
    terms = terms_of(card(False, reduce_only=False), CYCLE)
    coin = Coin(terms, booked=10).unknown_order(-6)
    assert reducible(coin.line, 0, terms) == -4
    assert dropped(coin.ask(-5, target=0)) == "TOO_LARGE"
    assert dropped(coin.ask(-4, target=0)) is None
    assert ends(coin.line, terms) == (0, 10)


@BOTH
def test_q_counts_from_the_moment_of_sending(terms):
    from podshop.orders.events import Sending

    coin = Coin(terms).sent_order(10)
    coin.wait(90)
    coin.tell(Sending(coin.now, coin.sent[-1].intent))
    assert coin.line.flights[-1].sent_ns == coin.now
