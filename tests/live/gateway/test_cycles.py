"""Cycles in virtual time against the loopback exchange, without faults: every identity is exact, every cycle."""

from tests.live.gateway.world import World


def test_every_identity_is_exact_every_cycle(tmp_path):
    world = World(tmp_path)
    world.run(40, check=world.check_exact)
    assert sum(len(report.intents) for report in world.reports) > 80
    assert not any(report.refused for report in world.reports)
