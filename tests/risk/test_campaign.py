"""Three thousand random cycles of twenty agents with orders in flight; a hundred thousand in `make soak`.

What came of the hundred thousand is in docs/gate.md.
"""

from collections import Counter
from typing import Any

import pytest

from podshop.risk import gate
from tests.risk import campaign

CYCLES, SEED = 3_000, 1
FORBIDDEN = (
    "could breach", "breach by an increase", "cycles with a breach", "reductions refused", "lots beyond their ends",
)  # fmt: skip


def worlds(cycles: int) -> int:
    return cycles // campaign.CYCLES_OF_A_WORLD


def keeps_every_limit(seen: Counter[str], cycles: int) -> None:
    """Nothing that filled, and nothing that might have, passed a limit; no reduction was refused; and it was busy."""
    assert seen["cycles"] == cycles
    for name in FORBIDDEN:
        assert seen[name] == 0, seen
    assert seen["reductions"] > cycles / 2
    assert seen["increases passed, whole"] + seen["increases passed, in part"] > cycles / 2
    assert seen["fills"] > 2 * cycles
    assert seen["orders in flight"] > 3 * cycles
    assert seen["breach by a reduction"] > 0  # one leg of a hedge was closed: it happens, and is not held back
    assert seen["the bound binds"] > cycles / 10


def test_no_increase_breaches_a_limit_whatever_fills() -> None:
    keeps_every_limit(campaign.run(worlds(CYCLES), SEED, campaign.gated), CYCLES)


@pytest.mark.soak
def test_nor_in_a_hundred_thousand_cycles() -> None:
    keeps_every_limit(campaign.run(worlds(100_000), SEED, campaign.gated), 100_000)


def test_each_order_checked_alone_breaches_in_most_cycles() -> None:
    """The plain filter in the same worlds: every agent asks whether its own order fits, and all are told yes."""
    seen = campaign.run(worlds(CYCLES) // 2, SEED, campaign.each_alone)
    assert seen["cycles with a breach"] > 0.6 * seen["cycles"], seen
    assert min(seen[name] for name in ("gross", "var", "net", "cluster", "position")) > 0


def test_a_gate_that_forgets_what_it_has_not_heard_of_breaches() -> None:
    seen = campaign.run(4, SEED, campaign.gated, blind=True)
    assert seen["could breach"] > 50
    assert seen["breach by an increase"] > 20


def test_a_reduction_that_may_have_filled_before_the_position_turned_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The formula of docs/live.md alone: long 10, sell 10 reduce-only unheard of, then a late sale of 15 is booked."""
    monkeypatch.setattr(campaign, "remember", lambda order, lots: None)
    assert campaign.run(worlds(CYCLES), SEED, campaign.gated)["lots beyond their ends"] > 0


def hopeful(*given: Any) -> tuple[float, int, float]:
    return 1.0, 0, 0.0


@pytest.mark.parametrize(
    ("module", "name", "mutant", "broken"),
    [
        (gate, "common_factor", hopeful, "var"),
        (gate, "common_factor", hopeful, "gross"),
        (gate, "_clip", lambda *given: None, "position"),
        (gate, "_clip", lambda *given: None, "order"),
        (gate, "clip_clusters", lambda *given: None, "cluster"),
        (gate, "clip_clusters", lambda *given: None, "net"),
    ],
)
def test_each_part_of_the_gate_is_needed(
    module: Any, name: str, mutant: Any, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, mutant)
    if name == "common_factor":  # its second look would find what the first let pass
        monkeypatch.setattr(gate, "recheck", lambda *given: None)
    monkeypatch.setattr(gate, "pass_increases", gate.pass_increases.py_func)
    assert campaign.run(2, SEED, campaign.gated)[broken] > 0
