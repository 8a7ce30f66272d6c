"""The fund's owner: some cycles after something was halted he looks, and lifts it by the operator's own words."""

from typing import TYPE_CHECKING

from podshop.live.control import Request, Resolve, Resume
from podshop.live.gateway.operator import Operator
from podshop.live.latch import FLATTEN, RUNNING, Latch

if TYPE_CHECKING:
    from tests.live.sim.world import Sim


class Person:
    """Who looks after a fund."""

    def __init__(self, sim: "Sim") -> None:
        self._sim = sim
        self._resume_at: int | None = None

    async def look(self, k: int) -> None:
        """Some cycles after something was halted a person looks, and lifts it."""
        sim = self._sim
        if sim.gateway is None:
            return
        looks = sim.gateway.state() > RUNNING or sim.gateway.memory.only or sim.oracle.restricted()
        if not (looks or sim.oracle.undecided()):
            self._resume_at = None
        elif self._resume_at is None:
            self._resume_at = k + sim.draw.choice([2, 4, 9])
        elif k >= self._resume_at:
            self._resume_at = None
            await self.resume_all()

    async def resume_all(self) -> None:
        """By the operator's own words: what only he can tell, then each market, then the fund."""
        sim = self._sim
        gateway = sim.gateway
        assert gateway is not None
        operator = Operator(gateway, Latch(sim.folder, "gateway"))
        who: dict[str, str] = {"by": "ann", "reason": "looked at"}
        for market, intent in sim.oracle.undecided():
            await self._asks(operator, Resolve(market=market, intent=intent, outcome="never", **who))
            sim.fired["resolved by hand"] += 1
        for name in [*gateway.memory.only, *(f"market {name}" for name in sim.oracle.restricted())]:
            scope, _, market = name.partition(" ")
            await self._asks(operator, Resume(scope=scope, name=market, **who))  # type: ignore[arg-type]
        held = Latch(sim.folder).held()
        if gateway.state() > RUNNING and not (held.state >= FLATTEN and any(sim.truth.lots.values())):
            sim.oracle.lowered()  # his word counts, should the process die over it
            await self._asks(operator, Resume(seen=held.seen, **who))

    async def _asks(self, operator: Operator, request: Request) -> None:
        answer = await operator.answer(request)
        if answer.error:
            self._sim.oracle.blame(f"the operator asked {request}, and was told: {answer.error}")
