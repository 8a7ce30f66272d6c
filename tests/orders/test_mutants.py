"""Each protection, taken away, is noticed: by the campaign's oracle or by the machine's invariants."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from podshop.orders import line as lines
from podshop.orders import match, reading, rows, step
from podshop.orders.events import FillSaid
from podshop.orders.facts import Ended
from tests.orders import campaign as campaigns
from tests.orders import test_bound, test_reading, test_rows
from tests.orders.campaign import campaign
from tests.orders.given import WITH_IDS, WITHOUT, Coin, S
from tests.orders.test_machine import OneCoin
from tests.orders.truth import Faults


def without_q(patch):
    """An order lapses as soon as the account is clean."""
    shorter = campaigns.terms_of
    patch.setattr(campaigns, "terms_of", lambda *given: shorter(*given)._replace(quarantine_ns=0))


def without_clean(patch):
    """One reading is enough, of any time."""
    patch.setattr(rows, "clean", lambda line, since_ns, terms: tuple(s.began_ns for s in line.evidence.agreed[:1]))


def without_admission(patch):
    """Any reading is believed."""
    patch.setattr(step, "admissible", lambda line, reading, now_ns, terms: True)


def unknown_is_refused(patch):
    """The commonest bug of all: no answer means no order."""
    patch.setattr(rows, "row_5", lambda line, flight, code, at_ns: rows._over(line, flight, 3, "refused", (), at_ns))


def row_15_counts_nothing(patch):
    """A reduction forgets what is in flight."""

    def all_of_it(line, target, terms):
        goal = min(max(target, 0), line.booked) if line.booked > 0 else max(min(target, 0), line.booked)
        return goal - line.booked

    patch.setattr(rows, "reducible", all_of_it)
    patch.setattr(campaigns, "reducible", all_of_it)


def fills_are_booked_twice(patch):
    """A page that comes again is booked again."""
    patch.setitem(step.STEPS, FillSaid, step._place)


def a_fill_goes_to_the_first_that_fits(patch):
    """Ambiguity is guessed away."""
    patch.setattr(
        match, "_inferred", lambda line, fill, unknown, now_ns, terms: match.Owner("inferred", unknown[0].intent)
    )


def lapsed_is_released(patch):
    """What lapsed is no longer reserved."""

    def ended(line, fact: Ended):
        flight = line.flight(fact.intent)
        return line if flight is None else lines._with(line, flight._replace(stage="ENDED"))

    patch.setitem(lines.APPLY, Ended, ended)


def beside_is_forgotten(patch):
    """The bound without s and o."""
    patch.setattr(lines.Flight, "beside", property(lambda self: 0))


def never_known_is_not_asked(patch):
    """A fill waits for an order that the venue never knew."""
    patch.setattr(match, "_never_known", lambda line, flight, terms: False)


def events_do_not_touch(patch):
    """A reading from before a fill is still believed."""
    patch.setattr(step, "touched", lambda line, at_ns: line)
    patch.setattr(reading, "touched", lambda line, at_ns: line)


def wrong(found) -> dict[str, int]:
    """What an outcome has that should be zero."""
    names = ("doubled", "untracked", "foreign", "unresolved", "stuck", "resent", "outside", "unfolded")
    return {name: count for name in names if (count := getattr(found, name))}


@pytest.mark.parametrize("ids", [True, False], ids=["ids", "no ids"])
def test_with_all_protections_nothing_is_wrong(ids):
    assert wrong(campaign(1_000, 5, ids, Faults())) == {}


@pytest.mark.parametrize(
    "mutant",
    [without_q, without_clean, unknown_is_refused, row_15_counts_nothing, fills_are_booked_twice],
    ids=lambda mutant: mutant.__name__,
)
def test_the_campaign_notices(mutant, monkeypatch):
    mutant(monkeypatch)
    assert wrong(campaign(1_000, 5, False, Faults()))


@pytest.mark.parametrize("mutant", [unknown_is_refused, fills_are_booked_twice, without_clean])
def test_the_machine_notices(mutant, monkeypatch):
    mutant(monkeypatch)
    checks = settings(max_examples=1_000, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(OneCoin, settings=settings(checks, suppress_health_check=list(HealthCheck)))


@pytest.mark.parametrize(
    ("mutant", "test"),
    [
        (without_admission, test_reading.test_an_answer_without_its_envelope_says_nothing),
        (lapsed_is_released, test_rows.test_row_12_lapses_after_q_and_clean_and_is_reserved_until_w),
        (events_do_not_touch, test_rows.test_row_7_a_reading_from_before_the_end_does_not_prove_that_nothing_filled),
        (never_known_is_not_asked, test_rows.test_row_9_and_a_foreign_fill_do_not_wait_for_one_another),
        (a_fill_goes_to_the_first_that_fits, test_rows.test_row_11_two_orders_for_two_intents_wait_until_all_have_come),
        (beside_is_forgotten, test_bound.test_the_truth_lies_between_the_ends_whatever_is_heard_first),
    ],
    ids=lambda given: given.__name__,
)
def test_its_test_notices(mutant, test, monkeypatch):
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        test()


@pytest.mark.parametrize(
    ("changed", "test", "given"),
    [
        (
            {"apart_ns": 0},
            test_reading.test_clean_takes_two_readings_five_seconds_apart_and_none_between_that_disagrees,
            (),
        ),
        ({"settle_ns": 0}, test_rows.test_row_7_clean_after_the_reply_where_it_agrees_with_the_books, (WITHOUT,)),
        ({"grace_ns": 0}, test_rows.test_row_9_without_one_of_them_it_stays_unknown, ("venue's clock",)),
        ({"watch_ns": 0}, test_rows.test_row_12_lapses_after_q_and_clean_and_is_reserved_until_w, ()),
        ({"skew_ns": 60 * S}, test_reading.test_a_stamp_that_is_not_of_the_question_is_of_some_copy, (2 * S,)),
        ({"rounding_lots": 0}, test_rows.test_row_1_reserves_what_the_venue_may_round_up_by, ()),
        (
            {"reduce_only": False},
            test_rows.test_row_15_flat_is_flat_however_many_reduce_only_orders_it_takes,
            (WITHOUT,),
        ),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_a_shorter_or_longer_time_is_noticed(changed, test, given, monkeypatch):
    """Each number of the table matters."""
    test(*given)
    whole = Coin.__init__

    def begin(coin, terms=WITH_IDS, *rest, **named):
        whole(coin, terms._replace(**changed), *rest, **named)

    monkeypatch.setattr(Coin, "__init__", begin)
    with pytest.raises((AssertionError, IndexError)):
        test(*given)
