"""The cycle's stages, each called alone from Python, make the same fund as the compiled loop; so do their originals."""

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from podshop.maths.compiled import alone
from podshop.run import cycle, finance
from podshop.run.state import Facts, Flags, Fund, Rows, Shadows, Terms, Work
from tests.reference import fund as reference
from tests.reference.facts import HOUR_NS
from tests.reference.small_markets import small_fund
from tests.run.given import given_run
from tests.run.parity import Kept

FUNDS = 6


def chosen(seed: int) -> Any:
    """A random fund that trades, crosses and is refused; always the same for a seed."""

    def lively(pair: Any) -> bool:
        result = reference.run(*pair)
        return len(result.fills) > 20 and len({row.code for row in result.verdicts}) > 3

    for attempt in range(1000):
        pair = small_fund(1000 * seed + attempt, markets=4, books=4, interval_ns=HOUR_NS, cycles=150)
        if lively(pair):
            return pair
    raise AssertionError(f"no lively fund from seed {seed}")


def rows_sha256(world: Any) -> str:
    """Of every row of every table."""
    kept = Kept()
    given_run(*world, kept)
    digest = hashlib.sha256()
    for name in sorted(kept.parts):
        for column, values in sorted(kept.table(name).items()):
            digest.update(f"{name}.{column}".encode() + values.tobytes())
    return digest.hexdigest()


def chained(spoil: float = 1.0) -> Any:
    """`cycle.span` in plain Python, of the stages alone; `spoil` widens the collar of the second gate."""
    stages = {
        name: alone(getattr(cycle, name)) for name in ("wish", "net", "gate_reductions", "gate_increases", "allot")
    } | {"finance": alone(finance.finance)}

    def span(
        fund: Fund, work: Work, terms: Terms, facts: Facts, shadows: Shadows, due: Flags, out: Rows, k: int,
        is_open: bool,
    ) -> tuple[int, int]:  # fmt: skip
        looser = terms._replace(collar=terms.collar * spoil)
        while k < len(facts.time):
            if not is_open:
                cycle.open_cycle(fund, work, terms, facts, out, k)
                stages["finance"](fund, terms, facts, out, k)
                if fund.nav[0] <= 0:
                    return k, cycle.RUINED
                if due[k]:
                    return k, cycle.DUE
            is_open = False
            most = facts.liquidity[facts.risk_row[k]]
            stages["wish"](fund, work, terms, facts, shadows, out, k)
            stages["net"](fund, work, terms, facts, k)
            stages["gate_reductions"](fund, work, terms, facts, k)
            cycle.fill(work.first, work.filled, facts.reference[k], most)
            stages["gate_increases"](fund, work, looser, facts, k)
            cycle.fill(work.second, work.filled, facts.reference[k], most)
            stages["allot"](fund, work, terms, facts, out, k)
            k += 1
        return k, cycle.END

    return span


def alone_sha256(spoil: float) -> list[str]:
    """What the stages alone make of every fund."""
    cycle.span = chained(spoil)
    return [rows_sha256(chosen(seed)) for seed in range(FUNDS)]


ALONE = (
    "import json, sys; from tests.run import test_stages as t; print(json.dumps(t.alone_sha256(float(sys.argv[1]))))"
)


def in_another_process(code: str, argument: str, **environment: str) -> list[str]:
    """What a script prints, as JSON. Machine code that is wrong ends its process: not this one."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code, argument],
        env=os.environ | environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:2000]
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def compiled_sha256() -> list[str]:
    return [rows_sha256(chosen(seed)) for seed in range(FUNDS)]


def test_stages_called_alone_make_the_same_fund(compiled_sha256: list[str]) -> None:
    """After the loop was compiled and kept on disk, as live trading finds it."""
    assert in_another_process(ALONE, "1.0") == compiled_sha256


def test_a_stage_that_judges_otherwise_is_seen(compiled_sha256: list[str]) -> None:
    assert in_another_process(ALONE, "1.5") != compiled_sha256


PLAIN = """
import json, sys, warnings
warnings.simplefilter("ignore")  # of whole numbers that wrap, as those of a hash do
import numpy as np
from podshop.ledger import settle
assert not hasattr(settle.settle, "py_func"), "the compiler is at work"
settle.settle.py_func = settle.settle
from tests.run.test_stages import chosen, rows_sha256
print(json.dumps([rows_sha256(chosen(seed)) for seed in range(int(sys.argv[1]))]))
"""


def test_the_plain_python_originals_agree_to_the_bit(compiled_sha256: list[str]) -> None:
    """The same sources without the compiler: shadows, gate, fills and allotment, every column of every row."""
    assert in_another_process(PLAIN, str(FUNDS), NUMBA_DISABLE_JIT="1") == compiled_sha256
