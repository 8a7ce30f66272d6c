"""Ninety days alone: one fund, a calendar of all that a quarter of a year brings, in virtual time.

python -m tests.live.sim.ninety [days] [1h|5m]

Between the events the venue is as bad as on an ordinary day; the brain begins anew each midnight. docs/live.md,
section 7.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime

from podshop.live import guards
from podshop.live.config import Thresholds
from podshop.nouns import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from podshop.venues.exchange.memory import WITH_IDS
from tests.live.sim.fund import History
from tests.live.sim.plan import Plan
from tests.live.sim.world import SPARE, Sim, simulate

DAYS = 90
INTERVALS = {"1h": HOUR_NS, "5m": 5 * MINUTE_NS}
ORDINARY = {  # an ordinary day's venue
    "lost_before": 0.01, "lost_after": 0.02, "late": 0.01, "busy": 0.01, "html": 0.005, "reset": 0.01,
    "read_timeout": 0.01, "read_busy": 0.01, "read_garbage": 0.002, "empty": 0.01, "stale_positions": 0.005,
    "fills_late": 0.05, "fills_twice": 0.02, "skew": 0.002,
}  # fmt: skip
MARKETS = 6
DIES = 0.72  # of the time, when the last market trades no more
EVENTS = (
    "brain dies", "gateway dies", "listing", "instrument", "delisted", "maintenance", "down a day", "disk low", "halt",
    "flatten", "liquidation", "foreign trade", "watchdog silent", "brain silent", "our clock", "brain lies",
    "a market ended", "a key near its end",
)  # fmt: skip


def plan_of_a_quarter(days: int, interval_ns: int, seed: int = 1) -> Plan:
    """The calendar: days and hours at which things happen, as shares of the whole time where it is not ninety days."""
    cycles, day = days * DAY_NS // interval_ns, DAY_NS // interval_ns

    def on(*shares: float) -> frozenset[int]:
        return frozenset(int(share * cycles) for share in shares)

    def each(days_apart: int, hour: int) -> frozenset[int]:
        return frozenset(range(day + hour * day // 24, cycles, days_apart * day))

    when = {
        "brain dies": each(1, 0),
        "gateway dies": each(3, 7),
        "maintenance": each(7, 2),
        "listing": on(0.1, 0.5),
        "instrument": on(0.16),
        "delisted": on(0.24),
        "down a day": on(0.4),
        "disk low": on(0.35, 0.8),
        "halt": on(0.3),
        "flatten": on(0.58),
        "liquidation": on(0.47, 0.9),
        "foreign trade": on(0.2, 0.65),
        "watchdog silent": on(0.62),
        "brain silent": on(0.68, 0.85),
        "our clock": on(0.12, 0.77),
        "brain lies": on(0.14, 0.54, 0.88),
    }
    return Plan(
        seed=seed, cycles=cycles, card=WITH_IDS, faults=ORDINARY, late_ns=(5 * SECOND_NS, 20 * MINUTE_NS), when=when,
        markets=MARKETS,
    )  # fmt: skip


def ninety_days(days: int = DAYS, bar: str = "1h", change: Callable[[Plan], Plan] = lambda plan: plan) -> Sim:
    """Live through it."""
    interval_ns = INTERVALS[bar]
    plan = change(plan_of_a_quarter(days, interval_ns))
    rows = plan.cycles + SPARE
    past = History(MARKETS, rows, seed=11, interval_ns=interval_ns, dies=int(DIES * plan.cycles))
    sim = simulate(plan, history=past)
    sim.fired["a market ended"] = int(sim.truth.tape.dead[sim.truth.row, -1])
    sim.fired["a key near its end"] = len(key_levels(past.start_ns, days) & {"warn", "stop"})
    return sim


def key_levels(start_ns: int, days: int) -> set[str]:
    """What is said each midnight of a key that ends in the last week."""
    ends = datetime.fromtimestamp((start_ns + (days - 5) * DAY_NS) // SECOND_NS, UTC).date().isoformat()
    return {guards.key(ends, start_ns + day * DAY_NS, Thresholds()).level for day in range(days)}


def main() -> int:
    """Do it and say what came of it."""
    days = int(sys.argv[1]) if len(sys.argv) > 1 else DAYS
    sim = ninety_days(days, sys.argv[2] if len(sys.argv) > 2 else "1h")
    began = datetime.fromtimestamp(sim.history.start_ns // SECOND_NS, UTC).date()
    sys.stdout.write(
        f"{days} days from {began}: {sim.cycles} cycles, {sim.sent} orders, {sim.rows} rows, "
        f"{sim.bytes / 1e6 / days:.2f} MB a day, {len(sim.wrong)} wrong\n"
    )
    lines = [*sim.wrong, ", ".join(f"{name} {count}" for name, count in sorted(sim.fired.items()))]
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(sim.wrong)


if __name__ == "__main__":
    sys.exit(main())
