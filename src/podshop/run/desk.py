"""Where the loop and the risk office meet: what the agents are shown, when, and what becomes of what they rule.

A look at which no ladder would move and no other agent is due is not taken: it could change nothing, and there are
thousands of them in a year. Peaks are kept all the same.
"""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from podshop.nouns import DAY_NS, ConfigError, Health, Panel, Shadows, Times, Whole, duration_ns, utc_text
from podshop.nouns.limits import NORMAL_95, InForce, RiskView
from podshop.nouns.verdict import REDUCE_ONLY_STATE, RUNNING, STATES
from podshop.risk.drawdown import DrawdownLadder
from podshop.risk.office import Office, Ruling
from podshop.run.config.sections import Fund as FundFile
from podshop.run.state import CLUSTERS, Facts, Fund

LONGEST_LOOK_DAYS = 730
REMEMBERED = (
    "_office", "_in_force", "_version", "_day_open", "_asked_ns", "_reduced_since_ns", "peak", "ruling",
    "operator_resumed", "log",
)  # fmt: skip


class Returns(Protocol):
    """What the desk asks of the markets' facts, in a backtest and live (`MarketFacts` has both)."""

    def daily_returns(self) -> tuple[Panel, Times]:
        """(D, M) log return of each whole day and when it ended."""
        ...

    def risk_returns(self, at_ns: int, days: int) -> tuple[Panel, int]:
        """(R, M) log returns of the risk bars of the last `days` days; length of a bar."""
        ...


class Seen(NamedTuple):
    """The shadow books at one moment.

    equity, peak  (B,) micro-dollars
    daily_return  (D, B) fractions of the reference capital
    """

    equity: Whole
    peak: Whole
    daily_return: Panel


class Desk:
    """The fund's risk office at work.

    ruling            what holds, and who said it; None before the first look
    peak              highest NAV since the start, or since a person let the fund go on
    operator_resumed  when a person did
    log               every ruling that differs from the one before, for people and for `podshop why`
    """

    def __init__(self, file: FundFile, facts: Returns) -> None:
        self._file, self._facts = file, facts
        markets, books = len(file.market.markets), len(file.mandates)
        agents = {seat.name: copy.deepcopy(seat.agent) for seat in file.risk}  # some remember, and a run starts afresh
        self._cadence_ns = {seat.name: duration_ns(seat.cadence) for seat in file.risk}
        self._office = Office(agents, self._cadence_ns)
        ladders = [name for name, agent in agents.items() if isinstance(agent, DrawdownLadder)]
        self._ladder_name = ladders[0] if len(ladders) == 1 else ""
        self._ladder = agents.get(self._ladder_name)
        self._families = families_of(file)
        self._volatility_target = np.array([m.volatility_target for m in file.mandates])
        self._mandate = _of_file(file, markets, books)
        self._in_force = self._mandate
        self._version = 0
        self._day_open = 0
        self._asked_ns: int | None = None
        self._reduced_since_ns: int | None = None
        self.peak = round(file.capital_usd * 1e6)
        self.ruling: Ruling | None = None
        self.operator_resumed: list[int] = []
        self.log: list[dict[str, Any]] = []

    @property
    def cadences_ns(self) -> tuple[int, ...]:
        """How often each agent looks: one of 3 h also looks where one of 2 h does not."""
        return tuple(self._cadence_ns.values()) or (DAY_NS,)

    def begin(self, fund: Fund) -> None:
        """Before the first look the fund file's own limits hold."""
        self._put(self._mandate, fund)

    def memory(self) -> dict[str, Any]:
        """All that it remembers, as it stands; agents that remember are among it."""
        return {name: getattr(self, name) for name in REMEMBERED}

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Take back what `memory` told."""
        for name in REMEMBERED:
            setattr(self, name, memory[name])
        self._ladder = self._office.agents.get(self._ladder_name)

    def look(self, facts: Facts, k: int, fund: Fund, seen: Seen) -> None:
        """Look at cycle k, after its transfers; what has changed is in force at once."""
        at_ns, nav = int(facts.time[k]), int(fund.nav[0])
        self._operate(at_ns, fund)
        self.peak = max(self.peak, nav)
        if at_ns % DAY_NS == 0 or self._day_open == 0:
            self._day_open = nav
        latched = RUNNING if self.ruling is None else self.ruling.in_force.latched
        health = Health(
            nav_micro=nav,
            peak_micro=self.peak,
            throttle=float(fund.fund_throttle[0]),
            state=latched,
            day_open_micro=self._day_open,
        )
        if self.ruling is not None and self._nothing_moves(at_ns, seen, health):
            self.ruling, self._asked_ns = self.ruling._replace(at_ns=at_ns), at_ns  # or it would be late, not asked
            return
        self._version += 1
        view = self._view(facts, k, fund, seen, health)
        self.ruling = self._office(view, self.ruling)
        self._asked_ns = at_ns
        self._apply(self.ruling, at_ns, fund)

    def _nothing_moves(self, at_ns: int, seen: Seen, health: Health) -> bool:
        """Whether only the ladder is due and stands still."""
        if self._asked_ns is None or self.ruling is None or self.ruling.faults or self._ladder is None:
            return False
        if self._asked_ns // DAY_NS != at_ns // DAY_NS:
            return False  # another day of returns: a family's unit is another
        for name, cadence_ns in self._cadence_ns.items():
            if name != self._ladder_name and self._asked_ns // cadence_ns != at_ns // cadence_ns:
                return False
        said, now = self.ruling.heard[self._ladder_name], self._in_force
        if said.throttle is None or (said.throttle != now.throttle).any() or said.fund_throttle != now.fund_throttle:
            return False  # somebody else holds it down: what the ladder says of that is not what it said
        return bool(self._ladder.stands(seen.equity, health, self._in_force.throttle, at_ns))

    def _view(self, facts: Facts, k: int, fund: Fund, seen: Seen, health: Health) -> RiskView:
        """What the agents are shown."""
        at_ns, nav = int(facts.time[k]), health.nav_micro
        bars, bar_ns = self._facts.risk_returns(at_ns, LONGEST_LOOK_DAYS)
        daily, ended_ns = self._facts.daily_returns()
        return RiskView(
            version=self._version,
            at_ns=at_ns,
            books=tuple(m.name for m in self._file.mandates),
            families=self._families,
            markets=self._file.market.markets,
            shadows=Shadows(
                equity_micro=seen.equity,
                peak_micro=seen.peak,
                volatility_target=self._volatility_target,
                throttle=fund.throttle[:-1].copy(),
                daily_return=seen.daily_return,
            ),
            health=health,
            weights=np.ascontiguousarray((fund.lots * facts.mark[k][:, None]).T / nav),
            covariance=facts.covariance[facts.risk_row[k]],
            daily=daily[: int(np.searchsorted(ended_ns, at_ns, side="right"))],
            bars=bars,
            bar_ns=bar_ns,
            mandate=self._mandate,
            in_force=replace(self._in_force, fund_throttle=health.throttle),  # a person may just have made it 1
        )

    def _apply(self, ruling: Ruling, at_ns: int, fund: Fund) -> None:
        """Put what was ruled in force; a throttle that moved is traded at once."""
        now, books = ruling.in_force, len(self._families)
        fund.refresh[:books] |= (now.throttle != fund.throttle[:books]) | (now.fund_throttle != fund.fund_throttle[0])
        fund.throttle[:books] = now.throttle
        fund.fund_throttle[0] = now.fund_throttle
        fund.state[0] = now.state
        if now.latched >= REDUCE_ONLY_STATE and self._reduced_since_ns is None:
            self._reduced_since_ns = at_ns
        before = self._in_force
        if self.log and not _differ(before, now):
            self._in_force = now
            return
        self._put(now, fund)
        self.log.append(told(now, at_ns, ruling.faults))

    def _put(self, now: InForce, fund: Fund) -> None:
        """Write limits where compiled code reads them."""
        limits = fund.limits
        self._in_force = now
        limits.version[0] = now.version
        limits.max_weight[:] = now.max_weight
        limits.max_gross[0], limits.max_order[0] = now.max_gross, now.max_order
        limits.max_var[0], limits.tail[0] = now.max_var, now.tail
        clusters = len(now.cluster)
        if clusters + 1 > CLUSTERS:
            raise ConfigError(f"risk agents made {clusters} clusters, expected at most {CLUSTERS - 1}")
        limits.members[0] = True
        limits.caps[0] = now.max_net
        limits.members[1 : clusters + 1] = now.cluster
        limits.caps[1 : clusters + 1] = now.max_cluster
        limits.clusters[0] = clusters + 1

    def _operate(self, at_ns: int, fund: Fund) -> None:
        """Play the person who lowers the state, if the fund file says that somebody does."""
        if self._file.operator == "never" or self._reduced_since_ns is None or self.ruling is None:
            return
        if at_ns - self._reduced_since_ns >= duration_ns(self._file.operator):
            self.resumed(at_ns, fund)

    def resumed(self, at_ns: int, fund: Fund) -> None:
        """A person lets the fund go on: peak and day begin anew, and every agent is asked."""
        fund.state[0] = RUNNING
        if fund.fund_throttle[0] != 1.0:
            fund.fund_throttle[0] = 1.0
            fund.refresh[: len(self._families)] = True
        self.peak = self._day_open = int(fund.nav[0])
        self._reduced_since_ns = None
        self._asked_ns = None
        self.operator_resumed.append(at_ns)
        if self.ruling is not None:
            in_force = replace(self.ruling.in_force, latched=RUNNING, state=RUNNING)
            self.ruling = self.ruling._replace(in_force=in_force, heard={})  # what they said is past


def told(now: InForce, at_ns: int, faults: Mapping[str, str]) -> dict[str, Any]:
    """A ruling as plain data."""
    return {
        "version": now.version,
        "at": utc_text(at_ns),
        "at_ns": at_ns,
        "state": STATES[now.state],
        "max_gross": now.max_gross,
        "max_net": now.max_net,
        "max_order": now.max_order,
        "max_var": now.max_var,
        "tail": now.tail,
        "max_weight": now.max_weight.tolist(),
        "clusters": [np.flatnonzero(row).tolist() for row in now.cluster],
        "max_cluster": now.max_cluster.tolist(),
        "throttle": now.throttle.tolist(),
        "fund_throttle": now.fund_throttle,
        "by": dict(now.by),
        "reason": now.reason,
        "faults": dict(faults),
    }


def families_of(file: FundFile) -> tuple[str, ...]:
    """Of each book, the family of signals it gives most weight to; of equals the first by name."""
    family = {seat.name: getattr(seat.agent, "family", "own") for seat in file.signals}
    found = []
    for mandate in file.mandates:
        weight: dict[str, float] = {}
        for name, w in mandate.listens.items():
            weight[family.get(name, "own")] = weight.get(family.get(name, "own"), 0.0) + abs(w)
        found.append(min(weight, key=lambda each: (-weight[each], each)))
    return tuple(found)


def _of_file(file: FundFile, markets: int, books: int) -> InForce:
    """The limits of the fund file: the loosest that ever hold."""
    limits = file.limits
    return InForce(
        version=0,
        max_weight=np.full(markets, float(limits.max_weight)),
        max_gross=float(limits.max_gross),
        max_net=float(limits.max_net),
        max_order=float(limits.max_order),
        max_var=float(limits.max_var),
        tail=NORMAL_95,
        cluster=np.zeros((0, markets), np.bool_),
        max_cluster=np.zeros(0),
        throttle=np.ones(books),
        fund_throttle=1.0,
        state=RUNNING,
        latched=RUNNING,
    )


def _differ(a: InForce, b: InForce) -> bool:
    """Whether anything that the gate or the books act on is not as it was."""
    scalars = ("max_gross", "max_net", "max_order", "max_var", "tail", "fund_throttle", "state")
    arrays = ("max_weight", "cluster", "max_cluster", "throttle")
    return any(getattr(a, n) != getattr(b, n) for n in scalars) or any(
        not np.array_equal(getattr(a, n), getattr(b, n)) for n in arrays
    )
