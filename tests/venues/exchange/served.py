"""A served exchange for tests: real HTTP on loopback, a clock moved by hand or running, one client."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from podshop.nouns import HOUR_NS
from podshop.venues.exchange.clock import ServedClock
from podshop.venues.exchange.evil import Evil, When
from podshop.venues.exchange.flea_rows import PAPER_KEY
from podshop.venues.exchange.http import Server, server_of, start
from podshop.venues.exchange.twin import Twin
from tests.venues.exchange.small import START_NS, exchange

T = TypeVar("T")
NOW = START_NS + 5 * HOUR_NS
FIXTURES = Path(__file__).resolve().parents[4] / "shared" / "venues" / "fixtures"
BEARER = {"Authorization": f"Bearer {PAPER_KEY}"}


class Client:
    """What a test says to the server."""

    def __init__(self, http: httpx2.AsyncClient, server: Server) -> None:
        self.http, self.server = http, server
        self.truth = server.loopback.truth

    async def flea(self, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """One call of Purple Flea's server with the paper key: GET, or POST where there is a body."""
        headers = BEARER | options.pop("headers", {})
        method = options.pop("method", "GET" if body is None else "POST")
        reply = await self.http.request(method, path, headers=headers, json=body, **options)
        return reply.status_code, reply.json()

    async def info(self, kind: str, **fields: Any) -> Any:
        """One question to Hyperliquid's half."""
        reply = await self.http.post("/info", json={"type": kind} | fields)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def user(self, kind: str, **fields: Any) -> Any:
        """The same, about the account."""
        return await self.info(kind, user=self.server.loopback.wallet, **fields)

    async def sim(self, path: str, **body: Any) -> Any:
        """The simulation's own doors."""
        if not body:
            return (await self.http.get(f"/sim/{path}")).json()
        return (await self.http.post(f"/sim/{path}", json=body)).json()

    async def later(self, ns: int) -> None:
        """Move the clock."""
        await self.sim("advance", by_ns=ns)


def serve(
    story: Callable[[Client], Awaitable[T]], *, faults: dict[str, When] | None = None, rate: float = 1.0,
    manual: bool = True, hold_s: float = 0.3, server: dict[str, Any] | None = None, **changes: Any,
) -> T:  # fmt: skip
    """Play a story against a server on loopback."""

    async def main() -> T:
        twin = Twin(exchange(**changes), Evil(1, faults))
        served = server_of(twin, ServedClock(NOW, rate, manual=manual), hold_s=hold_s, **(server or {}))
        runner, url = await start(served.application(), "127.0.0.1", 0)
        try:
            async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=5.0) as http:
                return await story(Client(http, served))
        finally:
            await runner.cleanup()

    return asyncio.run(main())


def fixture(folder: str, name: str) -> Any:
    """A captured exchange of calls."""
    return json.loads((FIXTURES / folder / f"{name}.json").read_text())


def captured(name: str, at: int = 0) -> tuple[int, Any]:
    """What Purple Flea's server answered to a captured call."""
    response = fixture("purpleflea", name)["exchanges"][at]["response"]
    return response["status"], response["body"]


def shape(value: Any) -> Any:
    """What an answer is made of: keys, and kinds of values; a list has the shape of what is in it, null has any.

    >>> shape({"a": 1, "b": [1.5, 2], "c": None})
    {'a': 'number', 'b': ['number'], 'c': None}
    """
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return None if value is None else type(value).__name__
    return "number"


def differ(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where two shapes are not alike; an empty list or a null says nothing."""
    if ours is None or theirs is None or ours == theirs or ours == [] or theirs == []:
        return []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{at}.{key}: only theirs" for key in theirs if key not in ours]
        found += [f"{at}.{key}: only ours" for key in ours if key not in theirs]
        return found + [each for key in ours if key in theirs for each in differ(ours[key], theirs[key], f"{at}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list):
        return differ(ours[0], theirs[0], f"{at}[]")
    return [f"{at}: {ours} is not {theirs}"]


def unlike(ours: tuple[int, Any], theirs: tuple[int, Any]) -> list[str]:
    """Where an answer differs from a captured one: status, error code, keys, kinds."""
    found = [] if ours[0] == theirs[0] else [f"status {ours[0]} is not {theirs[0]}"]
    if isinstance(theirs[1], dict) and ours[1].get("error") != theirs[1].get("error"):
        found.append(f"error {ours[1].get('error')} is not {theirs[1].get('error')}")
    return found + differ(shape(ours[1]), shape(theirs[1]))
