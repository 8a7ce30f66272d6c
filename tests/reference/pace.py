"""How fast a wish is met: at once, after a while of waiting at the touch, or slice by slice. And by which way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.reference.facts import Facts, Terms, sign


@dataclass
class Want:
    """What is still open of a wish: its side, how many cycles it has been open, and whether it may not wait."""

    side: int = 0
    age: int = 0
    at_once: bool = False

    def look(self, d: int, *, at_once: bool = False) -> None:
        """A cycle has come with d lots open; `at_once` where the wish was forced in this very cycle."""
        if sign(d) != self.side or d == 0:  # what is met has no age
            self.side, self.age, self.at_once = sign(d), 0, False
        else:
            self.age += 1
        self.at_once = (self.at_once or at_once) and d != 0


def patience(facts: Facts, mandate: Any) -> int:
    """Cycles that a maker or a TWAP may take for one want (n)."""
    return max(1, int(mandate.urgency_ns) // facts.interval_ns)


def piece(d: int, n: int, age: int) -> int:
    """Lots, unsigned, that a TWAP does in this cycle, so that all is done when its time is over."""
    return -(-abs(d) // max(n - age, 1))


def waits(facts: Facts, mandate: Any, want: Want) -> bool:
    """Whether a want of this mandate rests at the touch in this cycle."""
    return mandate.style == "maker" and not want.at_once and want.age < patience(facts, mandate)


def ways(
    facts: Facts, terms: Terms, k: int, m: int, wishes: Sequence[int], waiting: Sequence[bool]
) -> tuple[int, list[bool]]:
    """Share the net wish between an order that takes and one that rests.

    wishes, waiting  per book; those of the majority count
    ->               unsigned lots of the net wish to be made, and which books' wishes are made (the others are taken)
    """
    net = sum(wishes)
    major = [max(0, sign(net) * wish) for wish in wishes]
    making = sum(wish for wish, waits_ in zip(major, waiting, strict=True) if waits_)
    if net == 0 or making == 0:
        return 0, [False for _ in wishes]
    made = abs(net) * making // sum(major)
    if made > 0 and _small(facts, terms, k, m, made):
        return 0, [False for _ in wishes]
    if made > 0 and made < abs(net) and _small(facts, terms, k, m, abs(net) - made):
        return abs(net), [True for _ in wishes]
    return made, list(waiting)


def _small(facts: Facts, terms: Terms, k: int, m: int, lots: int) -> bool:
    """Two orders below the smallest would both be refused."""
    worth = lots * float(facts.mark[k][m])
    return worth <= terms.min_order_usd * 1e6 or worth < terms.min_notional_micro[m]
