"""The risk office: who is due is asked, what the others said stands, and the tightest holds."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.reference.books import Fund
from tests.reference.ladder import Ladders
from tests.reference.limits import STATES, Limits, Said, of_file, tightest

LADDER = "drawdown_limiter"


@dataclass
class Office:
    """What it remembers from look to look.

    heard       what each agent said last, where that was sense
    failing     agents that failed when they were asked last
    asked       the highest state that anybody asked for since a person lowered it; raised_ns: since when
    peak        the highest NAV' at a look; day_open: NAV' at the last look at 00:00
    """

    ladders: Ladders = field(default_factory=Ladders)
    heard: dict[str, Said] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    asked: str = "RUNNING"
    raised_ns: int | None = None
    peak: int = 0
    day_open: int = 0

    def look(self, fund: Fund, k: int, nav: int) -> set[str]:
        """Ask, merge, and put in force. -> books whose throttle, or the fund's, has changed"""
        facts, terms = fund.facts, fund.terms
        cadences = {LADDER: terms.ladder.cadence_ns} | {agent.name: agent.cadence_ns for agent in terms.agents}
        if not (k == 0 or any(facts.fires(k, cadence_ns) for cadence_ns in cadences.values())):
            return set()
        before = fund.limits
        resumed = self._person_lowers(fund, k, nav)
        self.peak = max(self.peak, nav)
        if k == 0 or facts.midnight(k):
            self.day_open = nav
        asks: dict[str, Callable[[], Said]] = {
            LADDER: lambda: self.ladders.look(fund, k, nav, self.peak, self.day_open)
        }
        for agent in terms.agents:
            asks[agent.name] = lambda says=agent.says: says(facts.time[k])  # type: ignore[misc]
        for name in sorted(asks):
            if resumed or self._due(fund, k, name, cadences[name]):
                self._ask(fund, name, asks[name])
        self.asked = max([self.asked, *(said.state or "RUNNING" for said in self.heard.values())], key=STATES.index)
        if self.asked != "RUNNING" and self.raised_ns is None:
            self.raised_ns = facts.time[k]
        return self._put(fund, k, before)

    def _due(self, fund: Fund, k: int, name: str, cadence_ns: int) -> bool:
        """Who failed is asked again at every look."""
        return k == 0 or name in self.failing or fund.facts.fires(k, cadence_ns)

    def _ask(self, fund: Fund, name: str, ask: Callable[[], Said]) -> None:
        """Who fails is forgotten, and asked again at the next look."""
        self.heard.pop(name, None)
        self.failing.discard(name)
        try:
            self.heard[name] = ask()
        except AgentFailed:
            self.failing.add(name)
            fund.result.met["agent failed"] += 1

    def _put(self, fund: Fund, k: int, before: Limits) -> set[str]:
        heard = {name: self.heard[name] for name in sorted(self.heard)}
        file = of_file(fund.terms, len(fund.facts.names))
        now = tightest(file, heard, self.asked, bool(self.failing), fund.limits)
        new_number = before.number + 1 if k == 0 or now != replace(before, number=now.number) else before.number
        moved = {
            book.name
            for book, old, new in zip(fund.books, before.throttle, now.throttle, strict=True)
            if old != new
            or fund.limits.fund_throttle != before.fund_throttle
            or now.fund_throttle != fund.limits.fund_throttle
        }
        fund.limits = replace(now, number=new_number)
        return moved

    def _person_lowers(self, fund: Fund, k: int, nav: int) -> bool:
        operator = fund.terms.operator
        if not isinstance(operator, int) or self.raised_ns is None or fund.facts.time[k] - self.raised_ns < operator:
            return False
        self.asked, self.raised_ns, self.heard = "RUNNING", None, {}
        self.peak = self.day_open = nav
        fund.limits = replace(fund.limits, state="RUNNING", fund_throttle=1.0)
        fund.result.met["a person lowers"] += 1
        return True


class AgentFailed(Exception):
    """Raised by an agent of a test that is to fail."""
