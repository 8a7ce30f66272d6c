"""Gateways with one protection removed: each must be caught by the seeds that the real one passes."""

from collections.abc import Sequence
from typing import Any

import msgspec

from podshop.live.gateway.core import Gateway
from podshop.nouns.venue import Order, Reading, Reply
from podshop.orders.facts import Committed
from podshop.orders.line import Line
from podshop.orders.terms import Terms
from tests.live.sim.venue import SimVenue


class WritesAfterSending(Gateway):
    """Intents reach the journal after their first byte has left."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        desk, trading = self.desk, self.trading

        def approved(intent: str) -> Order:
            return next(f.order for _, f in desk._facts if isinstance(f, Committed) and f.order.intent == intent)

        async def send(legs: Sequence[Any]) -> None:
            if legs:
                await self.asking.send([leg.intent for leg in legs], self._may_leave)
            desk.commit()

        desk.approved, trading._send = approved, send  # type: ignore[method-assign]


class TimeOutIsRefusal(SimVenue):
    """Whatever did not answer clearly is taken for refused."""

    async def send(self, order: Order) -> Reply:
        reply = await super().send(order)
        return Reply("refused", code="TIMEOUT") if reply.outcome == "unknown" else reply


class Resends(SimVenue):
    """What was not answered is sent again."""

    async def send(self, order: Order) -> Reply:
        reply = await super().send(order)
        return await super().send(order) if reply.outcome == "unknown" else reply


class LoosensLimits(Gateway):
    """The gateway's own limits are whatever the brain says."""

    def __init__(self, terms: Any, *args: Any, **kwargs: Any) -> None:
        loose = msgspec.structs.replace(
            terms.hard, max_weight=9.0, max_gross=99.0, max_net=99.0, max_order=9.0, max_var=9.0
        )
        super().__init__(msgspec.structs.replace(terms, hard=loose), *args, **kwargs)


def believes_anything(line: Line, reading: Reading, now_ns: int, terms: Terms) -> bool:
    """`orders.reading.admissible` without a look at the envelope: [] is an empty account."""
    return reading.began_ns > line.evidence.event_ns
