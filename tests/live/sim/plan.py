"""What befalls a simulated fund, drawn from a seed: a random subset of all kinds of trouble, and when each happens.

Swarm testing: where every kind is on in every seed, some hide others (a venue that is always down never lies). The
kinds take turns as well, so that any ten seeds in a row hold each of them. Source: Groce et al. (2012), "Swarm
Testing", ISSTA, 78-88.
"""

import random
from dataclasses import dataclass, replace

from podshop.nouns import MINUTE_NS, SECOND_NS
from podshop.nouns.venue import Card
from podshop.venues.exchange.memory import WITH_IDS, WITHOUT_IDS

ROTA = 10  # kinds take turns over so many seeds
SHARE = 0.4  # of all kinds that a seed has beside those whose turn it is
START = 5  # of these cycles nothing happens: a fund that never held anything proves little

VENUE = {  # fault of the evil twin -> least and largest probability of each opportunity
    "lost_before": (0.02, 0.2),
    "lost_after": (0.02, 0.25),
    "late": (0.02, 0.15),
    "refused_after_fill": (0.02, 0.1),
    "busy": (0.02, 0.2),
    "unrounded": (0.02, 0.2),
    "partial_close": (0.05, 0.3),
    "one_lot_more": (0.02, 0.05),
    "html": (0.02, 0.1),
    "garbage": (0.02, 0.1),
    "odd_numbers": (0.02, 0.1),
    "twice_keys": (0.02, 0.1),
    "reset": (0.02, 0.1),
    "read_timeout": (0.01, 0.1),
    "read_busy": (0.01, 0.15),
    "read_html": (0.01, 0.05),
    "read_garbage": (0.01, 0.05),
    "read_odd_numbers": (0.01, 0.05),
    "read_twice_keys": (0.01, 0.05),
    "read_reset": (0.01, 0.05),
    "empty": (0.02, 0.2),
    "database": (0.02, 0.1),
    "stale_positions": (0.02, 0.1),
    "stale_price": (0.02, 0.2),
    "fills_late": (0.02, 0.3),
    "fills_twice": (0.05, 0.3),
    "skew": (0.02, 0.2),
}
OURS = {  # what befalls the fund's own processes, its account or its owner -> probability a cycle
    "gateway dies": 0.12,
    "brain dies": 0.1,
    "brain silent": 0.06,
    "brain lies": 0.1,
    "down": 0.04,
    "our clock": 0.1,
    "foreign trade": 0.05,
    "liquidation": 0.05,
    "halt": 0.04,
    "flatten": 0.04,
    "watchdog silent": 0.06,
    "disk low": 0.04,
    "listing": 0.05,
    "instrument": 0.04,
    "delisted": 0.05,
    "maintenance": 0.05,
}
KINDS = (*VENUE, *OURS)
LONGER_TAIL = 20 * MINUTE_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What befalls one seed.

    faults    of the venue, with their probabilities; late_ns how late what is late comes, at least and at most
    when      kind of `OURS` -> cycles (from 0) in which it happens
    """

    seed: int
    cycles: int
    card: Card
    faults: dict[str, float]
    late_ns: tuple[int, int]
    when: dict[str, frozenset[int]]
    markets: int = 6
    travel_ns: int = 50_000_000

    @property
    def kinds(self) -> frozenset[str]:
        """All that is on."""
        return frozenset(self.faults) | frozenset(kind for kind, cycles in self.when.items() if cycles)


def plan_of(seed: int, cycles: int) -> Plan:
    """The plan of a seed: the same seed, the same plan."""
    draw = random.Random(f"plan {seed}")
    on = [kind for j, kind in enumerate(KINDS) if (draw.random() < SHARE) | ((j - seed) % ROTA == 0)]
    faults = {name: draw.uniform(*VENUE[name]) for name in VENUE if name in on}
    when: dict[str, frozenset[int]] = {}
    for kind, chance in OURS.items():
        hit = [k for k in range(START, cycles) if draw.random() < chance]
        once = draw.randrange(START, max(cycles, START + 1))  # whoever is on happens at least once
        when[kind] = frozenset([*hit, once]) if kind in on else frozenset()
    card = draw.choice([WITH_IDS, WITHOUT_IDS])
    tail = draw.choice([MINUTE_NS, MINUTE_NS, LONGER_TAIL])
    travel_ns = draw.choice([1_000_000, 50_000_000, 400_000_000])
    return Plan(
        seed=seed, cycles=cycles, card=card, faults=faults, late_ns=(5 * SECOND_NS, tail), when=when,
        travel_ns=travel_ns,
    )  # fmt: skip


def quiet(plan: Plan) -> Plan:
    """The same fund where nothing befalls it."""
    return replace(plan, faults={}, when={})
