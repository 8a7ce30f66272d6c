"""A brain that sends zeros, infinities, enemy figures, replays, edits, or forged intents breaks no hard limit."""

import msgspec
import numpy as np
import pytest

from podshop.live.gateway import limits
from podshop.live.gateway.limits import Own
from podshop.nouns import DAY_NS
from podshop.nouns.limits import NORMAL_95
from tests.live.gateway.hostile import ATTACKS, HARD, attacked
from tests.live.gateway.world import LOOSE, World


def test_no_hard_limit_is_broken(tmp_path):
    world = World(tmp_path, hard=HARD, bars=160, seed=3)
    seen, found = attacked(world, 140, seed=5)
    assert found == []
    assert all(seen[attack] for attack in ATTACKS)
    assert seen["forged intents sent"] == 0
    assert seen["forged intents refused"] > 20
    assert seen["refused"] > 20
    assert seen["orders"] > 20


def test_mutant_without_hard_limits_it_ruins_the_fund(tmp_path):
    world = World(tmp_path, hard=LOOSE, seed=3)
    _, found = attacked(world, 20, seed=5)
    assert found


def test_mutant_a_gateway_that_believes_the_office_breaks_its_limits(tmp_path, monkeypatch):
    honest = limits.ruled
    loose = msgspec.structs.replace(HARD, max_weight=1e6, max_gross=1e6, max_net=1e6, max_order=1e6, max_var=1e6)
    monkeypatch.setattr(limits, "ruled", lambda office, hard, *rest: honest(office, loose, *rest))
    _, found = attacked(World(tmp_path, hard=HARD, seed=3), 20, seed=5)
    assert found


def var_of(world: World) -> float:
    """Value at risk of what is held, under what the markets did over the last 30 days; fraction of NAV."""
    opened, known = world.opened[-1], Own(len(world.names))
    midnight_ns = opened.at_ns // DAY_NS * DAY_NS
    for day_ns in known.missing(midnight_ns)[1:]:
        marks = world.exchange.marks(day_ns)
        known.close(day_ns, [marks[name].price_micro for name in world.names])
    own = known.covariance()
    held = np.array([world.exchange.lots[n] * m for n, m in zip(world.names, opened.mark_micro, strict=True)], float)
    return float(NORMAL_95 * np.sqrt(held @ own @ held) / opened.nav_micro)


def risk_taken(folder, factor: float) -> tuple[float, int]:
    """Largest VaR that a brain reaches that says there is no risk at all; orders it got."""
    hard = msgspec.structs.replace(LOOSE, max_weight=1.0, max_var=0.004, variance_floor=factor)
    days = 31
    world = World(folder, hard=hard, bars=days * 288 + 40, first_row=days * 288, seed=2)
    worst = []

    def brain(opened):
        target = world.draw.integers(-400, 400, world.target.shape) * 3
        tiny = tuple((np.eye(4) * 1e-30).ravel().tolist())
        return world.targets(opened, target, covariance=tiny)

    world.run(15, brain, lambda: worst.append(var_of(world)))
    return max(worst), len(world.exchange.orders)


def test_a_brain_that_says_there_is_no_risk_is_not_believed(tmp_path):
    worst, orders = risk_taken(tmp_path, 0.5)
    assert orders > 10
    assert worst <= 0.004 * 1.02  # marks of the opening, not of the midnight before


def test_mutant_with_the_floor_off_it_is(tmp_path):
    worst, _ = risk_taken(tmp_path, 0.0)
    assert worst > 0.004 * 1.5


@pytest.mark.soak
def test_a_thousand_of_each(tmp_path):
    """In worlds of 1,000 messages, until each attack was made a thousand times."""
    total, worlds = 0, 0
    made = dict.fromkeys(ATTACKS, 0)
    while min(made.values()) < 1_000:
        folder = tmp_path / str(worlds)
        folder.mkdir()
        seen, found = attacked(World(folder, hard=HARD, bars=1_020, seed=worlds), 1_000, seed=worlds)
        assert found == []
        assert seen["forged intents sent"] == 0
        made = {attack: made[attack] + seen[attack] for attack in ATTACKS}
        total, worlds = total + 1_000, worlds + 1
