"""How fast the fund is on this machine: the loop against a bare kernel, the record, the signals, the whole fund.

The yardstick is a kernel of 20 books x 30 markets x 105,120 cycles that does nothing but mark, size, cap and fill.
It is read from a file that is not part of this package; where it is absent its figures are None. Both run on the same
random walk, the same opinions, cadences and buffer, in turns in one process, and the ratio of medians is given.
"""

import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from podshop.run.bench_loop import against_yardstick, random_walk
from podshop.run.bench_signals import curves
from podshop.run.bench_whole import whole_fund
from podshop.run.warm import warm


def bench(rounds: int = 5) -> dict[str, Any]:
    """Measure everything; takes two minutes. Each part has its own process, so that its memory is its own."""
    compile_seconds = warm(lambda done, total, text: None)
    parts = {name: _apart(part, rounds) for name, part in PARTS.items()}
    whole = parts.pop("whole_fund")
    return {
        "compile_seconds": compile_seconds,
        **parts,
        **whole,
        "peak_rss_mb": max(whole["fund"]["peak_rss_mb"], *(part["peak_rss_mb"] for part in parts.values())),
    }


def loop_part(rounds: int) -> dict[str, Any]:
    """The loop against the yardstick."""
    return against_yardstick(random_walk(), 0.2, 5.0, rounds)


def bound_part(rounds: int) -> dict[str, Any]:
    """The same where caps and VaR bind; free of costs, or the fund would soon be ruined and idle."""
    return against_yardstick(random_walk(), 5.0, 0.0, min(rounds, 3))


def fund_part(rounds: int) -> dict[str, Any]:
    """The whole fund."""
    found = whole_fund(min(rounds, 3))
    found["fund"]["peak_rss_mb"] = _peak_mb()
    return found


def signals_part(rounds: int) -> dict[str, Any]:
    """The signal layer and how it grows."""
    return curves(min(rounds, 3))


PARTS = {"loop": loop_part, "loop_bound": bound_part, "whole_fund": fund_part, "signal_layer": signals_part}


def _apart(part: Callable[[int], dict[str, Any]], rounds: int) -> dict[str, Any]:
    """Run one part in a fresh process, and add the most memory it had."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_measured, part, rounds).result()


def _measured(part: Callable[[int], dict[str, Any]], rounds: int) -> dict[str, Any]:
    return part(rounds) | {"peak_rss_mb": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
