"""The flattener alone, as a real process over HTTP, with the rest of the fund dead, locked, corrupt or out of disk."""

import pytest

from tests.live.ops.alone import BROKEN, run


def alone(seed, broken):
    found = run(seed, broken)
    assert found.flat, found.log
    assert not found.false_flat, found.log
    assert found.increases == 0, found.log
    return found


@pytest.mark.parametrize(("seed", "broken"), list(enumerate(BROKEN)), ids=BROKEN)
def test_the_flattener_alone_gets_flat(seed, broken):
    found = alone(seed, broken)
    assert found.orders
    assert found.fired


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100))
def test_the_flattener_alone_gets_flat_a_hundred_times(seed, record_property):
    found = alone(1_000 + seed, BROKEN[seed % len(BROKEN)])
    record_property("broken", found.broken)
    record_property("seconds", round(found.seconds, 1))
    record_property("orders", found.orders)
    record_property("fired", found.fired)
