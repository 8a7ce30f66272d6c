"""Every limit of the gate is held by a check: with any part of its sources changed, one of `checks` fails.

The sources are mutated as plain Python (`mutants`), whose originals the compiler agrees with to the bit. Survivors are
those below, each of which changes nothing that anybody could see.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from podshop.risk import bound, gate
from tests.risk import checks, mutants

FASTER = "it only saves the work of going on, which would change nothing"
NEVER_ZERO = "only reached where it is not zero"
ONE_LOT = "a single lot is cut to none, and none has no sign"
OF_ZERO = "nothing held, or nothing asked, reduces by nothing either way"
SIDE = "side is 1 or -1: to divide by it is to multiply"
EQUIVALENT = {
    "gate.pass_increases: if asked == 0.0:  ->  if False:": FASTER,
    "gate.pass_increases: return  ->  pass": FASTER,
    "gate._surround: if not any_in_flight:  ->  if False:": FASTER + " but the same products once more",
    "gate._surround: return  ->  pass": FASTER + " but the same products once more",
    "gate._clip: if second[m] != 0:  ->  if True:": FASTER,
    "gate.mark_risky_reductions: if not any_filled or after <= max_var * nav:  ->  if after <= max_var * nav:": FASTER,
    "gate.reducing_leg: if held > 0 and change < 0:  ->  if held >= 0 and change < 0:": OF_ZERO,
    "gate.reducing_leg: if held > 0 and change < 0:  ->  if held > 0 and change <= 0:": OF_ZERO,
    "gate.reducing_leg: if held > 0 and change < 0:  ->  if held > 0 and change < 1:": OF_ZERO,
    "gate.reducing_leg: if held < 0 and change > 0:  ->  if held <= 0 and change > 0:": OF_ZERO,
    "gate.reducing_leg: if held < 0 and change > 0:  ->  if held < 0 and change >= 0:": OF_ZERO,
    "gate.reducing_leg: if held < 0 and change > 0:  ->  if held < 1 and change > 0:": OF_ZERO,
    "gate.pass_increases: second[m] = cut if second[m] > 0 else -cut  ->  "
    "second[m] = cut if second[m] >= 0 else -cut": NEVER_ZERO,
    "gate.pass_increases: second[m] = cut if second[m] > 0 else -cut  ->  "
    "second[m] = cut if second[m] > 1 else -cut": ONE_LOT,
    "gate._clip: end = high[m] if second[m] > 0 else -low[m]  ->  "
    "end = high[m] if second[m] >= 0 else -low[m]": NEVER_ZERO,
    "gate._clip: second[m] = room if second[m] > 0 else -room  ->  "
    "second[m] = room if second[m] >= 0 else -room": NEVER_ZERO,
    "gate._clip: second[m] = room if second[m] > 0 else -room  ->  "
    "second[m] = room if second[m] > 1 else -room": ONE_LOT,
    "gate._clip: second[m] = most if second[m] > 0 else -most  ->  "
    "second[m] = most if second[m] >= 0 else -most": "what a cap of the market has cut to zero stays zero",
    "gate._clip: second[m] = most if second[m] > 0 else -most  ->  "
    "second[m] = most if second[m] > 1 else -most": ONE_LOT,
    "gate.pass_increases: gross += np.float64(max(abs(low[m]), abs(high[m])) * mark[m])  ->  "
    "gross += np.float64(max(abs(low[m]), high[m]) * mark[m])": "low <= high: where high is below zero, low is further",
    "gate.clip_clusters: if second[m] * side > 0:  ->  if second[m] * side >= 0:": "it adds nothing to a sum",
    "gate.clip_clusters: if second[m] * side > 0:  ->  if second[m] / side > 0:": SIDE,
    "gate.clip_clusters: if members[c, m] and second[m] * side > 0:  ->  "
    "if members[c, m] and second[m] / side > 0:": SIDE,
    "gate.clip_clusters: end += np.float64((high[m] if side > 0 else -low[m]) * mark[m])  ->  "
    "end += np.float64((high[m] if side >= 0 else -low[m]) * mark[m])": SIDE,
}  # fmt: skip
COMPILED = SimpleNamespace(**{name: value for module in (bound, gate) for name, value in vars(module).items()
                              if hasattr(value, "py_func")})  # fmt: skip


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_the_gate_does_what_the_text_says(check: Callable[[Any], None]) -> None:
    """The plain originals, and the machine code where no part of it has to be exchanged."""
    with np.errstate(all="ignore"):
        check(mutants.machine())
        if check is not checks.a_factor_that_is_wrong_is_caught_by_the_second_look:
            check(COMPILED)


def killed(mutant: mutants.Mutant) -> bool:
    """Whether a check fails, or the mutant cannot even run."""
    with np.errstate(all="ignore"):
        try:
            spoilt = mutants.machine(mutant.tree, mutant.module)
            for check in checks.CHECKS:
                check(spoilt)
        except Exception:  # noqa: BLE001  whatever a mutant raises, somebody noticed
            return True
    return False


def test_some_mutants_are_noticed() -> None:
    """One in twenty-five; all of them in `make soak`."""
    some = [each for each in mutants.mutants(every=25) if each.name not in EQUIVALENT]
    assert len(some) > 20
    assert [each.name for each in some if not killed(each)] == []


@pytest.mark.soak
def test_every_mutant_is_noticed_but_those_that_change_nothing() -> None:
    every = list(mutants.mutants())
    assert len(every) > 700
    assert {each.name for each in every if not killed(each)} == set(EQUIVALENT)
