"""What is wrong with a brain's message is refused whole; its limits only tighten; its risk figures are floored."""

import msgspec
import numpy as np
import pytest

from podshop.live.gateway.limits import Own, floored, ruled, wrong_with
from podshop.live.gateway.terms import Hard
from podshop.live.messages import Opened, Targets
from podshop.nouns import DAY_NS
from podshop.nouns.limits import NORMAL_95
from tests.live.gateway.world import World

BIG = 1 << 33


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"), bars=30)


@pytest.fixture
def good(world) -> Targets:
    opened = Opened(
        world.first, 0, ((0,) * 6,) * 4, (0,) * 6, (0,) * 6, 1, 1, (1,) * 4, (0,) * 4, (1.0,) * 5, 1.0, 0, (True,) * 4
    )
    world.allotted = True
    opened = msgspec.structs.replace(opened, at_ns=1)
    return world.targets(opened, np.zeros((4, 5), np.int64))


def why(world, targets: Targets, *, allots: bool = False) -> str:
    return wrong_with(targets, world.terms, world.first, allots=allots)


def test_an_honest_message_is_followed(world, good):
    assert why(world, good) == ""
    with_house = tuple((*row, 7) for row in good.raw)
    assert why(world, msgspec.structs.replace(good, raw=with_house)) == ""  # a column for the house is left unread


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cycle": 3}, "it is of cycle 3"),
        ({"wished": ((0,) * 5,) * 3}, "wished is not 4 markets of 5 books"),
        ({"raw": ((0,) * 4,) * 4}, "raw is not"),
        ({"raw": ((BIG,) * 5,) * 4}, "beyond"),
        ({"sigma_day": (0.1,) * 3}, "a column of the markets"),
        ({"sigma_day": (float("inf"),) * 4}, "infinite"),
        ({"most_lots": (-1,) * 4}, "most_lots is below 0"),
        ({"history_ns": ((1 << 63) - 1,) * 4}, "a whole number is beyond"),
        ({"covariance": (0.0,) * 15}, "not 4 x 4"),
        ({"covariance": (float("nan"),) * 16}, "not finite"),
        ({"covariance": tuple(-x for x in np.eye(4).ravel())}, "a variance is below 0"),
        ({"covariance": tuple(np.where(np.eye(4) > 0, 1.0, 2.0).ravel())}, "of nothing"),
        ({"covariance": tuple((np.eye(4) + np.diag([0.5] * 3, 1)).ravel())}, "of nothing"),
        ({"covariance": (0.0,) * 16}, "every variance is 0"),
        ({"weights": (0.2,) * 5}, "no midnight"),
        ({"notes": ((9, 0, 0, 0, 0, 0.0, 0.0),)}, "a note is of"),
    ],
)
def test_what_is_wrong_is_refused_whole(world, good, change, said):
    assert said in why(world, msgspec.structs.replace(good, **change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_weight": (0.1,) * 3}, "shape"),
        ({"max_gross": float("nan")}, "no number"),
        ({"max_var": -0.1}, "no number"),
        ({"tail": float("inf")}, "no number"),
        ({"throttle": (1.5,) * 5}, "a throttle"),
        ({"state": 7}, "state is 7"),
        ({"clusters": ((0, 9),), "caps": (0.1,)}, "a market that is not there"),
        ({"clusters": ((0,),) * 70, "caps": (0.1,) * 70}, "70 clusters"),
    ],
)
def test_so_is_an_office_that_says_what_cannot_be(world, good, change, said):
    office = msgspec.structs.replace(good.office, **change)
    assert said in why(world, msgspec.structs.replace(good, office=office))


@pytest.mark.parametrize("weights", [(0.5,) * 5, (float("nan"), 0, 0, 0, 0), (-0.1, 0.2, 0.2, 0.2, 0.2), (0.2,) * 4])
def test_capital_is_moved_in_shares_of_at_most_one(world, good, weights):
    assert "weights" in why(world, msgspec.structs.replace(good, weights=tuple(weights)), allots=True)


def test_of_two_limits_the_tighter_holds(good):
    hard = Hard(max_weight=0.05, max_gross=9.0, max_order=0.01, max_var=0.5, canary_micro=1_000_000)
    rules = ruled(good.office, hard, 7, 1, nav_micro=10_000_000)
    assert rules.max_weight == (0.05,) * 4
    assert rules.max_gross == 0.1  # a million of ten
    assert (rules.max_order, rules.max_var, rules.state) == (0.01, 0.1, 1)
    assert rules.tail == NORMAL_95
    low = ruled(msgspec.structs.replace(good.office, tail=0.0, state=2), hard, 7, 0, 10_000_000)
    assert (low.tail, low.state) == (NORMAL_95, 2)


def test_a_variance_is_never_below_its_share_of_what_the_market_did():
    said = np.diag([0.01, 0.0, 0.04]) + 0.0
    said[0, 2] = said[2, 0] = 0.01
    own = np.array([0.09, 0.01, np.nan])
    found = floored(said, own, 0.5)
    assert found.diagonal().tolist() == pytest.approx([0.045, 0.005, 0.04])
    assert found[0, 2] == pytest.approx(0.01 * np.sqrt(4.5))  # its correlations are as they were
    assert np.linalg.eigvalsh(found).min() > 0
    assert floored(said, own, 0.0) is said


def test_own_covariance_is_of_daily_returns_and_unknown_for_the_young():
    draw, own = np.random.default_rng(3), Own(2)
    closes = 1e6 * np.exp(np.cumsum(draw.normal(0, 0.03, (40, 2)), axis=0))
    for day, row in enumerate(closes):
        own.close(day * DAY_NS, [int(row[0]), int(row[1]) if day > 34 else 0])
    returns = np.diff(np.log(closes.astype(np.int64)), axis=0)[-30:, 0]
    found = own.covariance()
    assert found[0, 0] == pytest.approx((returns**2).mean())
    assert np.isnan(found[1]).all()
    assert own.missing(39 * DAY_NS) == []


def test_mutant_a_floor_that_is_off_believes_any_variance():
    assert floored(np.eye(2) * 1e-30, np.array([0.01, 0.01]), 0.0).max() == 1e-30
