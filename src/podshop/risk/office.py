"""The risk office: several agents speak, the tightest holds, and whoever does not speak sense counts as tightest.

An agent that raises, says nothing, answers an old question or talks nonsense takes the fund to REDUCE_ONLY for as long
as it does so, and nothing that was in force is loosened meanwhile. That is not latched: the agent may speak again.
Reductions toward flat need no limits and pass (`podshop.risk.gate.pass_reductions`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from podshop.nouns.limits import NORMAL_95, Health, InForce, Limits, Members, RiskAgent, RiskView, Shadows
from podshop.nouns.market import Panel
from podshop.nouns.verdict import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING, STATES

FUND_FILE = "fund file"
LONGEST_REASON = 300  # characters of an agent's reason that are kept
SCALARS = ("max_gross", "max_net", "max_order", "max_var", "fund_throttle")


class Nonsense(Exception):
    """What an agent said cannot be a limit; the text names the field."""


class Ruling(NamedTuple):
    """What holds now, what each healthy agent said last, and what is wrong with the others: agent -> one line."""

    at_ns: int
    in_force: InForce
    heard: dict[str, Limits]
    faults: dict[str, str]


@dataclass(frozen=True, slots=True)
class Office:
    """Ask every agent that is due and merge what all have said.

    agents      name -> agent
    cadence_ns  name -> how often it is asked: when floor(time / cadence) changes; whoever is not named, at every look
    """

    agents: Mapping[str, RiskAgent]
    cadence_ns: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, view: RiskView, last: Ruling | None = None) -> Ruling:
        """Rule on a view, in the order of the agents' names.

        last  the ruling before: what an agent said in it stands until it is due; one that was faulty is asked at once
        """
        kept: dict[str, Limits] = {}
        said: dict[str, object] = {}
        shown = None
        for name in sorted(self.agents):
            if last is not None and name in last.heard and not self._due(name, last.at_ns, view.at_ns):
                kept[name] = last.heard[name]
            else:
                shown = shown or _read_only(view)
                said[name] = _ask(self.agents[name], _apart(shown))
        return judge(said, view, kept=kept)

    def _due(self, name: str, before_ns: int, now_ns: int) -> bool:
        cadence = self.cadence_ns.get(name, 1)
        return before_ns // cadence != now_ns // cadence


def judge(
    said: Mapping[str, object], view: RiskView, patience: int = 0, kept: Mapping[str, Limits] | None = None
) -> Ruling:
    """Rule on what the agents said: a `Limits`, None where an agent was silent, or what it raised.

    said      every agent that was asked, by name; live collects them from other processes
    patience  versions by which an answer may lag behind the view; 0 where agents are called in place
    kept      what others said when they were asked last, found sound then
    """
    heard, faults = dict(kept or {}), {}
    for name, answer in said.items():
        try:
            heard[name] = sound(answer, view, patience)
        except Nonsense as e:
            faults[name] = str(e)
        except (Exception, SystemExit) as e:  # noqa: BLE001  an answer may be an object whose fields raise
            faults[name] = f"its answer cannot be read: {_line(e)}"
    heard = {name: heard[name] for name in sorted(heard)}  # whoever was asked: clusters are clipped in this order
    return Ruling(view.at_ns, merge(heard, view, faults), heard, faults)


def merge(heard: Mapping[str, Limits], view: RiskView, faults: Mapping[str, str]) -> InForce:
    """The tightest of the fund file and of all that was heard; with a fault, of what was in force as well.

    heard   sound opinions; what one has no opinion on binds nobody
    faults  agents that did not speak sense: while there is one, only reductions
    """
    mandate, before = view.mandate, view.in_force
    named = [(FUND_FILE, _opinion(mandate)), *heard.items()]
    if faults:
        named.append((f"in force since version {before.version}", _opinion(before)))
    said = [limits for _, limits in named]
    latched = max([view.health.state, *(_or(limits.state, RUNNING) for limits in heard.values())])
    lowest = {key: _lowest(named, key) for key in SCALARS}
    tail = max((_or(limits.tail, NORMAL_95), -n) for n, (_, limits) in enumerate(named))
    cluster, max_cluster = _clusters(said, len(mandate.max_weight))
    lines = [f"{name}: {limits.reason}" for name, limits in heard.items() if limits.reason]
    return InForce(
        version=view.version,
        max_weight=_least(limits.max_weight for limits in said),
        max_gross=lowest["max_gross"][0],
        max_net=lowest["max_net"][0],
        max_order=lowest["max_order"][0],
        max_var=lowest["max_var"][0],
        tail=tail[0],
        cluster=cluster,
        max_cluster=max_cluster,
        throttle=_least(limits.throttle for limits in said),
        fund_throttle=lowest["fund_throttle"][0],
        state=max(latched, mandate.state, REDUCE_ONLY_STATE if faults else RUNNING),
        latched=latched,
        reason="; ".join([*lines, *(f"{name} counts as tightest: {fault}" for name, fault in faults.items())]),
        by={key: who for key, (_, who) in lowest.items()} | {"tail": named[-tail[1]][0]},
    )


def sound(answer: object, view: RiskView, patience: int = 0) -> Limits:
    """Check what an agent said, field by field, and copy it: nothing of the agent's own is kept.

    Raises Nonsense: it was silent, raised, was late, or a field is no limit.
    """
    if answer is None:
        raise Nonsense("it said nothing")
    if isinstance(answer, BaseException):
        raise Nonsense(f"it raised {_line(answer)}")
    if not isinstance(answer, Limits):
        raise Nonsense(f"it answered with a {type(answer).__name__}, expected Limits")
    markets, books = len(view.mandate.max_weight), len(view.mandate.throttle)
    version = _whole(answer.version, "version", view.version)
    if version < view.version - patience:
        raise Nonsense(f"version is {version}, expected at least {view.version - patience}: too old")
    if not isinstance(answer.reason, str):
        raise Nonsense(f"reason is a {type(answer.reason).__name__}, expected text")
    tail = _number(answer.tail, "tail")
    if tail is not None and not tail >= NORMAL_95:
        raise Nonsense(f"tail is {tail}, expected at least {NORMAL_95:.4f}, that of the normal")
    if (answer.cluster is None) != (answer.max_cluster is None):
        raise Nonsense("cluster and max_cluster go together, expected both or neither")
    cluster = _members(answer.cluster, markets)
    return Limits(
        reason=answer.reason[:LONGEST_REASON],
        version=version,
        max_weight=_array(answer.max_weight, "max_weight", markets),
        max_gross=_number(answer.max_gross, "max_gross"),
        max_net=_number(answer.max_net, "max_net"),
        max_order=_number(answer.max_order, "max_order"),
        max_var=_number(answer.max_var, "max_var"),
        tail=tail,
        cluster=cluster,
        max_cluster=None if cluster is None else _array(answer.max_cluster, "max_cluster", len(cluster)),
        throttle=_array(answer.throttle, "throttle", books, most=1.0),
        fund_throttle=_number(answer.fund_throttle, "fund_throttle", most=1.0),
        state=None if answer.state is None else _whole(answer.state, "state", HALTED_STATE),
    )


def _ask(agent: RiskAgent, view: RiskView) -> object:
    """Whatever comes of asking, what is raised included."""
    try:
        return agent(view)
    except (Exception, SystemExit) as e:  # noqa: BLE001  a stranger's class may raise anything
        return e


def _read_only(value: Any) -> Any:
    """The same dataclass with arrays that nobody can write to, all the way down, and nothing copied."""
    shown = {}
    for name in value.__slots__:
        part = getattr(value, name)
        if isinstance(part, np.ndarray):
            part = np.asarray(part.data.toreadonly())
        elif isinstance(part, Shadows | Health | InForce):
            part = _read_only(part)
        elif isinstance(part, dict):
            part = dict(part)
        shown[name] = part
    return type(value)(**shown)


def _apart(view: RiskView) -> RiskView:
    """The same view, of which an agent that forces a field changes its own copy alone."""
    own: RiskView = _again(view)
    for name in ("shadows", "health", "mandate", "in_force"):
        object.__setattr__(own, name, _again(getattr(view, name)))
    return own


def _again(value: Any) -> Any:
    """The same dataclass; `copy.copy` asks for its fields each time, which costs ten times as much."""
    return type(value)(**{name: getattr(value, name) for name in value.__slots__})


def _number(value: object, name: str, most: float = np.inf) -> float | None:
    """A finite number from 0 on, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise Nonsense(f"{name} is a {type(value).__name__}, expected a number")
    try:
        number = float(value)
    except OverflowError:  # a whole number that no float can hold
        number = np.inf
    if not (0.0 <= number <= most and number < np.inf):
        raise Nonsense(f"{name} is {number}, expected {_range(most)}")
    return number


def _array(value: object, name: str, length: int, most: float = np.inf) -> Panel | None:
    """A copy of `length` finite numbers from 0 on, or None."""
    if value is None:
        return None
    if not (isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.shape == (length,)):
        raise Nonsense(f"{name} is {_kind(value)}, expected {length} numbers")
    numbers = np.array(value, np.float64)
    wrong = ~((numbers >= 0) & (numbers <= most) & (numbers < np.inf))
    if wrong.any():
        raise Nonsense(f"{name}[{wrong.argmax()}] is {numbers[wrong.argmax()]}, expected {_range(most)}")
    return numbers


def _members(value: object, markets: int) -> Members | None:
    """A copy of rows of booleans, or None."""
    if value is None:
        return None
    if not (isinstance(value, np.ndarray) and value.dtype == np.bool_ and value.shape[1:] == (markets,)):
        raise Nonsense(f"cluster is {_kind(value)}, expected booleans of shape (C, {markets})")
    return value.copy()


def _whole(value: object, name: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise Nonsense(f"{name} is a {type(value).__name__}, expected a whole number")
    if not 0 <= value <= most:
        expected = " < ".join(STATES) if name == "state" else f"0 to {most}"
        raise Nonsense(f"{name} is {value}, expected {expected}")
    return int(value)


def _range(most: float) -> str:
    return "a finite number >= 0" if most == np.inf else f"0 to {most:g}"


def _kind(value: object) -> str:
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


def _line(error: BaseException) -> str:
    """An exception in one line, whatever its text does."""
    try:
        return " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_REASON]
    except Exception:  # noqa: BLE001  a stranger's exception may not even have a text
        return type(error).__name__


def _opinion(limits: InForce) -> Limits:
    """What holds, as somebody's opinion; its state is not one, since a fault's REDUCE_ONLY must not stay."""
    return Limits(
        reason="", max_weight=limits.max_weight, max_gross=limits.max_gross, max_net=limits.max_net,
        max_order=limits.max_order, max_var=limits.max_var, tail=limits.tail, cluster=limits.cluster,
        max_cluster=limits.max_cluster, throttle=limits.throttle, fund_throttle=limits.fund_throttle,
    )  # fmt: skip


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _lowest(named: list[tuple[str, Limits]], key: str) -> tuple[float, str]:
    """The lowest and who said it; of equals the first, so the fund file before an agent that only repeats it."""
    least, who = np.inf, FUND_FILE
    for name, limits in named:
        value = getattr(limits, key)
        if value is not None and value < least:
            least, who = value, name
    return float(least), who


def _least(arrays: Iterator[Panel | None]) -> Panel:
    """Element by element; a new array."""
    return np.array(reduce(np.minimum, [array for array in arrays if array is not None]))


def _clusters(said: list[Limits], markets: int) -> tuple[Any, Panel]:
    """All clusters of all agents, as rows; of the same cluster the lowest cap."""
    caps: dict[bytes, float] = {}
    for limits in said:
        if limits.cluster is not None and limits.max_cluster is not None:
            for row, cap in zip(limits.cluster, limits.max_cluster, strict=True):
                key = row.tobytes()
                caps[key] = min(float(cap), caps.get(key, np.inf))
    members = [np.frombuffer(key, np.bool_) for key in caps]
    return np.array(members, np.bool_).reshape(len(caps), markets), np.array(list(caps.values()))
