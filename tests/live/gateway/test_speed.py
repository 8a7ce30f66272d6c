"""The gateway's own part of a cycle: fifty books, thirty markets, every book changing its mind."""

from tests.live.gateway.speed import measure


def test_a_wave_is_committed_within_twenty_milliseconds(tmp_path):
    found = measure(tmp_path, 12)
    assert found.orders > 200
    assert found.wave_cpu[1] < 20.0, found  # with fsync beside it: `python -m tests.live.gateway.speed`
    assert found.trading_cpu[0] < 500.0, found
