"""A brain that sends zeros, infinities, enemy figures, replays, edits, or forged intents breaks no hard limit."""

import msgspec
import pytest

from podshop.live.gateway import limits
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
