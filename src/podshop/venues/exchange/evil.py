"""The evil twin's temper: every recorded misbehaviour of a venue by its name, drawn from a seed, counted when it fires.

A fault is switched on by a probability, or by the numbers of the opportunities (from 0) at which it is to fire. Each
fault has a random stream of its own, so that switching one on does not move another.
"""

import math
import random
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from podshop.nouns import SECOND_NS, ConfigError

When: TypeAlias = float | Collection[int]

ORDER_FAULTS = {  # at most one of these befalls an order, the first that fires
    "lost_before": "the request never arrives, and nothing is answered",
    "lost_after": "the order is taken, and nothing is answered",
    "late": "the order arrives long after it was sent, maybe after everybody has stopped waiting",
    "refused_after_fill": "the order is taken, and answered with 400 trade_failed",
    "busy": "429 without Retry-After; nothing was taken",
    "unrounded": "refused since the venue did not round its own price; the same order may pass at the next price",
    "partial_close": "a reduction fills by half and is reported whole",
    "one_lot_more": "the venue rounds the size up by a lot",
    "html": "the order is taken, and answered with 200 and a page of HTML",
    "garbage": "the order is taken, and answered with JSON that is cut short",
    "odd_numbers": "the order is taken, and answered with NaN and Infinity",
    "twice_keys": "the order is taken, and answered with an object that holds a key twice",
    "reset": "the order is taken, and the connection is reset",
}
READ_FAULTS = {  # at most one of these befalls a question
    "read_timeout": "no answer",
    "read_busy": "429 without Retry-After",
    "read_html": "200 and a page of HTML",
    "read_garbage": "JSON that is cut short",
    "read_odd_numbers": "NaN and Infinity among the numbers",
    "read_twice_keys": "an object that holds a key twice",
    "read_reset": "the connection is reset",
    "read_huge": "eleven million blanks before the end",
}
CONTENT_FAULTS = {
    "empty": "positions are [], whatever is held",
    "database": "positions come from the server's own database, in another shape, with ghosts and without orphans",
    "stale_positions": "positions as they were some orders ago, with the stamp of that time",
    "orphan": "the server forgets the row of an open: the position has no id and cannot be closed by one",
    "close_all": "close-all marks rows closed and sends nothing",
    "leverage_cap": "the leverage that was asked for is lowered without a word",
    "stale_price": "a price of some bars ago",
    "fills_late": "a fill is missing from the fill history for a while",
    "fills_twice": "pages of the fill history overlap",
    "skew": "the venue's clock is wrong",
    "down": "the venue is down (from `outages`)",
}
FAULTS = {**ORDER_FAULTS, **READ_FAULTS, **CONTENT_FAULTS}
TAKEN = frozenset(
    {"", "lost_after", "late", "refused_after_fill", "partial_close", "one_lot_more"}
    | {"html", "garbage", "odd_numbers", "twice_keys", "reset"}
)  # faults with which the order does reach the exchange


class Evil:
    """Which fault befalls what.

    faults    name -> probability in [0, 1], or the opportunities at which it fires
    late_ns   least and largest lateness of an order or of a fill's record; most are nearer the least
    outages   (from, until) in which the venue is down;  skew_ns  how wrong a skewed clock is
    fired     name -> how often it happened;  asked  name -> how often it could have
    """

    def __init__(
        self,
        seed: int = 0,
        faults: Mapping[str, When] | None = None,
        *,
        late_ns: tuple[int, int] = (5 * SECOND_NS, 60 * SECOND_NS),
    ) -> None:
        self._streams = {name: random.Random(f"{seed} {name}") for name in FAULTS}
        self._lateness = random.Random(f"{seed} lateness")
        self.faults: dict[str, When] = {}
        self.fired = dict.fromkeys(FAULTS, 0)
        self.asked = dict.fromkeys(FAULTS, 0)
        self.late_ns, self.skew_ns = late_ns, 5 * SECOND_NS
        self.outages: list[tuple[int, int]] = []
        self.switch(faults or {})

    def switch(self, faults: Mapping[str, When]) -> None:
        """Switch faults on or off; those not named stay as they are. Raises ConfigError for one we do not know."""
        for name, when in faults.items():
            if name not in FAULTS:
                raise ConfigError(f"{name!r} is no fault of the evil twin, expected one of {', '.join(FAULTS)}")
            if isinstance(when, int | float):
                if not 0.0 <= when <= 1.0:
                    raise ConfigError(f"fault {name}: probability {when!r}, expected 0 to 1")
                self.faults[name] = float(when)
            else:
                self.faults[name] = frozenset(when)

    def fires(self, name: str) -> bool:
        """Whether a fault happens at this opportunity."""
        happens = self._drawn(name)
        self.fired[name] += happens
        return happens

    def order_fault(self, *, reduces: bool) -> str:
        """What befalls an order; "" = nothing."""
        return self._first(name for name in ORDER_FAULTS if reduces or name != "partial_close")

    def read_fault(self, now_ns: int) -> str:
        """What befalls a question; "" = nothing."""
        if self.is_down(now_ns):
            return "down"
        return self._first(READ_FAULTS)

    def is_down(self, now_ns: int) -> bool:
        """Whether the venue is down at this moment."""
        down = any(since <= now_ns < until for since, until in self.outages)
        self.asked["down"] += 1
        self.fired["down"] += down
        return down

    def lateness_ns(self) -> int:
        """How late something that is late will be; its logarithm is uniform."""
        least, most = self.late_ns
        return round(least * math.pow(most / least, self._lateness.random()))

    def _first(self, names: Iterable[str]) -> str:
        drawn = [name for name in names if self._drawn(name)]  # all are drawn, so that none moves another
        if not drawn:
            return ""
        self.fired[drawn[0]] += 1
        return drawn[0]

    def _drawn(self, name: str) -> bool:
        number, when = self.asked[name], self.faults.get(name, 0.0)
        self.asked[name] += 1
        chance = self._streams[name].random()
        return chance < when if isinstance(when, float) else number in when
