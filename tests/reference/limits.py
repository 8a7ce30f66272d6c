"""What the risk agents said, and what the gate may let pass: the tightest of it all and of the fund file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.reference.facts import DAY_NS, TAIL, Terms

STATES = ("RUNNING", "REDUCE_ONLY", "HALTED")

Cluster = tuple[tuple[int, ...], float]  # markets that count as one asset, and the cap of their net position


@dataclass(frozen=True, kw_only=True)
class Said:
    """One agent's opinion; None where it has none. Fractions of NAV.

    weight    per market; throttle per book
    clusters  with their caps
    """

    weight: Sequence[float] | None = None
    max_gross: float | None = None
    max_net: float | None = None
    max_order: float | None = None
    max_var: float | None = None
    tail: float | None = None
    clusters: Sequence[Cluster] | None = None
    throttle: Sequence[float] | None = None
    fund_throttle: float | None = None
    state: str | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is in force. `number` is another one whenever anything else is."""

    weight: Sequence[float]
    max_gross: float
    max_net: float
    max_order: float
    max_var: float
    tail: float = TAIL
    clusters: Sequence[Cluster] = ()
    throttle: Sequence[float] = field(default_factory=list)
    fund_throttle: float = 1.0
    state: str = "RUNNING"
    number: int = 1

    def cap(self, m: int, history_ns: int) -> float:
        """The market cap: halved until a market has ninety days of history."""
        return self.weight[m] if history_ns >= 90 * DAY_NS else self.weight[m] * 0.5


def of_file(terms: Terms, markets: int, state: str = "RUNNING") -> Limits:
    """The fund file's own limits, the loosest that ever hold."""
    return Limits(
        weight=[terms.max_weight] * markets,
        max_gross=terms.max_gross,
        max_net=terms.max_net,
        max_order=terms.max_order,
        max_var=terms.max_var,
        throttle=[1.0] * len(terms.mandates),
        state=state,
    )


def tightest(file: Limits, heard: Mapping[str, Said], asked_state: str, failing: bool, before: Limits) -> Limits:
    """Merge. heard: in the order of the agents' names; before: in force, of which nothing is loosened by a failure."""
    said = list(heard.values())
    if failing:
        said.append(
            Said(
                weight=before.weight,
                max_gross=before.max_gross,
                max_net=before.max_net,
                max_order=before.max_order,
                max_var=before.max_var,
                tail=before.tail,
                clusters=before.clusters,
                throttle=before.throttle,
                fund_throttle=before.fund_throttle,
            )
        )

    def lowest(name: str) -> float:
        known = [getattr(one, name) for one in (file, *said)]
        return min(value for value in known if value is not None)

    def lowest_of_each(name: str) -> list[float]:
        known = [getattr(one, name) for one in (file, *said)]
        return [min(values) for values in zip(*(row for row in known if row is not None), strict=True)]

    return replace(
        before,
        weight=lowest_of_each("weight"),
        max_gross=lowest("max_gross"),
        max_net=lowest("max_net"),
        max_order=lowest("max_order"),
        max_var=lowest("max_var"),
        tail=max([TAIL, *(one.tail for one in said if one.tail is not None)]),
        clusters=_clusters(said),
        throttle=lowest_of_each("throttle"),
        fund_throttle=lowest("fund_throttle"),
        state=max(asked_state, "REDUCE_ONLY" if failing else "RUNNING", key=STATES.index),
    )


def _clusters(said: Sequence[Said]) -> list[Cluster]:
    """All clusters that anybody made, each once, with its lowest cap."""
    caps: dict[tuple[int, ...], float] = {}
    for one in said:
        for members, cap in one.clusters or ():
            caps[members] = min(cap, caps.get(members, cap))
    return list(caps.items())
