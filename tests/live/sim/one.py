"""One seed in a process of its own.

python -m tests.live.sim.one SEED CYCLES     # prints the journal's hash, its rows, cycles, orders, and what was wrong
"""

import sys

from tests.live.sim.plan import plan_of
from tests.live.sim.world import simulate


def main() -> int:
    """Run it and say what came of it."""
    seed, cycles = (int(word) for word in sys.argv[1:3])
    sim = simulate(plan_of(seed, cycles))
    lines = [f"{sim.sha256} {sim.rows} rows, {sim.cycles} cycles, {sim.sent} orders, {len(sim.wrong)} wrong"]
    lines += [*sim.wrong, ", ".join(f"{kind} {count}" for kind, count in sorted(sim.fired.items()))]
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(sim.wrong)


if __name__ == "__main__":
    sys.exit(main())
