"""Late fills: 0 doubled, 0 untracked, 0 unresolved without alarm, with and without client ids; and what others do.

`make test` sends 10,000 orders; `make soak` five seeds of as many, each way. Every fault that fired is counted.
"""

import pytest

from tests.orders.campaign import Outcome, campaign, naive
from tests.orders.given import S
from tests.orders.loopback import FAULTS as EVIL
from tests.orders.loopback import loopback
from tests.orders.truth import Faults

BOTH = pytest.mark.parametrize("ids", [True, False], ids=["ids", "no ids"])
ZERO = ("doubled", "quiet", "untracked", "foreign", "unresolved", "stuck", "resent", "outside", "unfolded")
FAULTS = {
    "reply lost after acceptance": 0.15,
    "late fill": 0.05,
    "lost before acceptance": 0.02,
    "refused": 0.01,
    "fill record late": 0.05,
    "filled in part": 0.05,
    "nothing filled": 0.01,
    "taken, filled later": 0.01,
    "empty reading": 0.01,
    "stale reading": 0.005,
    "reading timed out": 0.005,
    "page twice": 0.005,
    "restart": 0.0005,
}


def held_to_zero(found: Outcome, keep, faults=FAULTS) -> None:
    """All that must be zero is, and every fault really happened, often enough."""
    keep("orders", found.orders)
    keep("fired", dict(found.fired))
    keep("ended", dict(found.ended))
    keep("alarms", dict(found.alarms))
    print(found)  # noqa: T201 - shown where the test fails, or with -s
    assert {name: getattr(found, name) for name in ZERO} == dict.fromkeys(ZERO, 0)
    for fault, share in faults.items():
        assert found.fired[fault] >= share * found.orders, fault


@BOTH
def test_ten_thousand_orders_double_nothing(ids, record_property):
    """Five thousand each way."""
    held_to_zero(campaign(5_000, 1, ids), record_property)


@BOTH
@pytest.mark.soak
@pytest.mark.parametrize("seed", [11, 12, 13, 14, 15])
def test_five_times_ten_thousand(ids, seed, record_property):
    held_to_zero(campaign(10_000, seed, ids), record_property)


@BOTH
def test_the_loopback_exchange_with_its_evil_twin(ids, record_property):
    """Its own faults, each at least once; 500 orders each way."""
    held_to_zero(loopback(500, 1, ids), record_property, dict.fromkeys(EVIL, 1 / 500))


@BOTH
@pytest.mark.soak
def test_ten_thousand_at_the_loopback_exchange(ids, record_property):
    held_to_zero(loopback(10_000, 2, ids), record_property, dict.fromkeys(EVIL, 1 / 500))


@BOTH
def test_later_than_was_thought_possible_limits_hold_and_all_is_alarmed(ids, record_property):
    """Fills up to 50 minutes after the send, where Q is ten: within W what is reserved holds the truth."""
    found = campaign(1_500, 3, ids, Faults(late_ns=3_000 * S))
    record_property("doubled", found.doubled)
    record_property("fired", dict(found.fired))
    print(found)  # noqa: T201 - shown where the test fails, or with -s
    assert found.fired["late fill"] > 50
    assert (found.outside, found.quiet, found.untracked, found.unresolved, found.resent) == (0, 0, 0, 0, 0)
    if not ids:
        assert found.alarms["LATE"] > 0


@BOTH
@pytest.mark.parametrize(("policy", "least"), [("retry", 1_000), ("read-once", 50)])
def test_what_others_do_doubles(policy, least, ids, record_property):
    found = naive(10_000, 1, ids, policy)
    record_property("doubled", found.doubled)
    print(policy, found.orders, found.doubled)  # noqa: T201
    assert found.doubled >= least


def test_the_same_seed_has_the_same_history():
    assert campaign(300, 9, False) == campaign(300, 9, False)
