"""Spoiled answers through ccxt and the adapter above it: reads raise VenueError or tell the truth's shape, and an order
that was taken is never called refused.
"""

import asyncio
import random
from collections import Counter
from typing import Any

import httpx2
import pytest

from podshop.nouns import HOUR_NS, VenueError
from tests.venues.acceptance.worlds import BEGIN_NS, World, world
from tests.venues.mutate import spoiled

EACH, SOAK = 300, 10_000


class Spoiler:
    """Stands between the adapter and its venue, and spoils what comes back once it is switched on."""

    def __init__(self, inner: Any, seed: int) -> None:
        self.inner, self.on, self.chance = inner, False, random.Random(seed)

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self.inner(request)
        body = await answer.aread()
        if self.on:
            body = spoiled(body, self.chance)
        return httpx2.Response(answer.status_code, stream=httpx2.ByteStream(body))


async def spoilable(spoiler: Spoiler) -> World:
    """A world with a position, its markets known, its answers spoiled when the spoiler is on."""
    made = await world("binanceusdm")
    transport = made.venue._exchange.wire._client._transport  # type: ignore[attr-defined]
    spoiler.inner, transport.handler = transport.handler, spoiler
    await made.venue.instruments()
    await made.send(100)
    return made


async def fuzz(times: int, seed: int) -> Counter[str]:
    """Many questions and orders with spoiled answers; what came of each kind."""
    spoiler, chance, count = Spoiler(None, seed), random.Random(seed + 1), Counter[str]()
    made = await spoilable(spoiler)
    for turn in range(times):
        name = chance.choice(["reading", "fills", "fundings", "mids", "marks", "look", "send"])
        spoiler.on = True
        try:
            count[f"{name} {await once(made, name, turn)}"] += 1
        except VenueError:
            count[f"{name} refused to read"] += 1
        spoiler.on = False
        if turn % 100 == 99:  # a new world now and then: the book of one grows
            await made.close()
            made = await spoilable(spoiler)
    await made.close()
    return count


async def once(made: World, name: str, turn: int) -> str:
    """One question or order; AssertionError where an order that was taken is called refused."""
    venue, truth = made.venue, made.twin.truth
    if name == "send":
        before = made.lots()
        _, reply = await made.send(30 if turn % 2 else -30)
        assert not (reply.outcome == "refused" and made.lots() != before), reply
        assert reply.outcome != "accepted" or reply.order_id
        return reply.outcome
    if name == "look":
        order = made.order(30)._replace(intent=f"{1:032x}")
        return (await venue.look(order, None)).status
    if name == "reading":
        found = await venue.reading()
        assert set(found.lots) <= {"BTC", "ETH"}
        return (
            "true" if dict(found.lots) == {m: n for m, n in truth.lots.items() if n} else "as the spoiled answer says"
        )
    if name == "marks":
        return f"{len(await venue.marks(BEGIN_NS, HOUR_NS))} known"
    await {"fills": lambda: venue.fills(BEGIN_NS), "fundings": lambda: venue.fundings(BEGIN_NS), "mids": venue.mids}[
        name
    ]()
    return "read"


def test_spoiled_answers_through_ccxt() -> None:
    count = asyncio.run(fuzz(EACH, seed=1))
    assert sum(count.values()) == EACH
    assert count["send unknown"] > 0
    assert count["reading refused to read"] > 0


@pytest.mark.soak
def test_many_spoiled_answers_through_ccxt() -> None:
    assert sum(asyncio.run(fuzz(SOAK, seed=2)).values()) == SOAK
