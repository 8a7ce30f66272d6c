"""A venue that answers from a script, in process: every request is kept, every answer is ours."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx2

from podshop.venues.wire import Secret, Wire

BASE = "http://127.0.0.1:1"
T = TypeVar("T")
Script = Callable[[str, str, Any], Any]  # method, path, decoded body -> body, (status, body), bytes or an exception


class Scripted:
    """Answers by `script`; `asked` holds (method, path, body) in order, `headers` the headers."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []

    def wire(self, *secrets: Secret) -> Wire:
        """A wire that leads here."""
        return Wire(BASE, secrets=secrets, transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else None
        path = request.url.raw_path.decode()
        self.asked.append((request.method, path, body))
        self.headers.append(dict(request.headers))
        found = self.script(request.method, path, body)
        if isinstance(found, Exception):
            raise found
        status, content = found if isinstance(found, tuple) else (200, found)
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        return httpx2.Response(status, stream=httpx2.ByteStream(content))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end."""
    return asyncio.run(work)
