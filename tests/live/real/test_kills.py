"""kill -9 of real processes at random moments: no order twice, no fill lost, books = truth, back within a minute.

The venue loses a fifth of its replies, some orders and fills come late, one reading in twenty is empty; an hour is a
second. What is killed: gateway, brain, watchdog, the line to the exchange, or all with their supervisor at once; every
other time right after an order has left.
"""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.live.real.fund import LONGEST_S, MILD, Death, Real, counts
from tests.live.real.keys import found_of, keys_of, look_for_keys
from tests.live.real.oracle import Judged, judge

FEW = ("gateway", "all")  # in `make test`: what a start of both costs is all the time there is
PART, PARTS = 50, 20


def judged(real: Real) -> tuple[Judged, dict[str, int]]:
    """End it; what the exchange says of it, and which faults fired."""
    real.quiet()
    real.stop()
    truth = real.sim("truth")
    return judge(real.gateway.journal, truth, real.proxy.orders), {k: n for k, n in truth["fired"].items() if n}


def back(deaths: list[Death]) -> bool:
    """Whether the fund was back in time after each."""
    return all(death.opened_s < LONGEST_S and death.followed_s < LONGEST_S for death in deaths)


def test_a_fund_is_killed_and_comes_back(tmp_path: Path, record_property: Any) -> None:
    """Two kills right after an order has left; and nobody but the gateway has ever seen its key."""
    with Real(tmp_path, seed=11, evil=MILD) as real:
        real.trades()
        for kind in FEW:
            real.strike(kind, amid=real.proxy.wait_for_order(4.0))
        seen = look_for_keys(real)
        found, fired = judged(real)
        assert found.wrong == []
        assert seen == {}
        assert found_of(real) == {}
        (real.path / "leaked").write_text(b64encode(keys_of(real)["signs"].reveal().encode()).decode())
        assert found_of(real), "the search itself finds nothing"
    assert back(real.deaths)
    assert found["left"] > 0
    for name, value in {**counts(real.deaths), **found, "fired": fired}.items():
        record_property(name, value)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_a_thousand_kills(part: int, tmp_path: Path, record_property: Any) -> None:
    with Real(tmp_path, seed=part, evil=MILD) as real:
        real.trades()
        for _ in range(PART):
            real.kill()
        found, fired = judged(real)
        cuts = real.proxy.cuts
    assert found.wrong == []
    assert back(real.deaths)
    for name, value in {**counts(real.deaths), **found, "fired": fired, "cuts": cuts, "seed": part}.items():
        record_property(name, value)


def test_intents_written_after_their_send_are_untracked(tmp_path: Path, record_property: Any) -> None:
    """The mutant: the journal hears of an order after the venue has. One kill is enough."""
    with Real(tmp_path, seed=5, mutant="writes after sending") as real:
        real.trades()
        assert real.proxy.wait_for_order(10.0)
        real.shoot("gateway")
        real.stop()
        truth = real.sim("truth")
        wrong = judge(real.gateway.journal, truth, real.proxy.orders).wrong
    record_property("wrong", wrong)
    assert any("without an intent" in text for text in wrong), wrong
    assert any("untracked" in text for text in wrong), wrong
