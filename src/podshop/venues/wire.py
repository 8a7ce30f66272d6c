"""The one HTTP client that carries a key: it talks to the hosts it was given, over TLS, and to nobody else.

What it refuses, and why
- proxies, .netrc and certificates named by the environment: whoever sets a variable would read the key
- redirects: the key would follow them
- a host that is not on the list, looked at again when the socket is opened, and the address that it resolved to: a name
  of the outside that leads into the own network is somebody's trick (DNS rebinding)
- plain http, but for this very machine
- bodies over 10 MB, compressed bodies, JSON that two parsers would read in two ways
The libraries below log requests: they are silenced. An error text holds the method, the path and what kind of thing
went wrong, never a header, and what the venue sends back is searched for the key before anyone sees it.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any, NamedTuple, NoReturn

import httpcore2
import httpx2

from podshop.nouns.errors import ConfigError, VenueError
from podshop.venues import strict

MAX_BODY = 10_000_000
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)

MAY_LEAVE: ContextVar[Callable[[], bool] | None] = ContextVar("may_leave", default=None)
"""Of whoever sends an order: asked when a connection is there, right before the first byte is written. A request may
have waited for its connection longer than the world stood still."""

for _name in ("httpx2", "httpcore2", "ccxt", "hyperliquid"):
    _logger = logging.getLogger(_name)
    _logger.addHandler(logging.NullHandler())
    _logger.propagate = False
    _logger.setLevel(logging.CRITICAL + 1)


class NoAnswer(VenueError):
    """No answer that can be believed. `sent` is False only where not one byte of the request left."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Stays(VenueError):
    """What may not leave any more."""


class Secret:
    """A key that no print, log, format, pickle or traceback of locals shows. Only `reveal` gives it out."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        if not value or not value.isascii() or not value.isprintable() or value != value.strip():
            raise ConfigError("a key is empty or holds what no header can carry (a line end?)")
        self.__value = value

    def reveal(self) -> str:
        """The key itself, for the one call that needs it."""
        return self.__value

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not copied and not pickled")


class Answer(NamedTuple):
    """What came back: status and body."""

    status: int
    body: bytes
    reason: str = ""

    def json(self, what: str) -> Any:
        """The body as strict JSON."""
        return strict.loads(self.body, what)


class Wire:
    """HTTP to one venue.

    base_url    where its paths begin, `https://host[:port][/path]`; `http://` only for this machine
    more_hosts  others that may be called with full addresses (a venue with several)
    secrets     scrubbed from whatever is shown
    read_s      longest silence while an answer is awaited, seconds of the wall; total_s of the whole call
    transport   for tests only: replaces the socket
    """

    def __init__(
        self,
        base_url: str,
        *,
        more_hosts: Iterable[str] = (),
        secrets: Iterable[Secret] = (),
        connect_s: float = 10.0,
        read_s: float = 10.0,
        total_s: float = 60.0,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.base = httpx2.URL(base_url.rstrip("/"))
        self._hosts = frozenset({self.base.host, *more_hosts})
        self._check(self.base)
        if self.base.userinfo or self.base.query or self.base.fragment:
            raise ConfigError("a venue's address holds a user, a query or a fragment, expected scheme, host and path")
        self._secrets = tuple(secrets)
        self._read_s, self._connect_s, self._total_s = read_s, connect_s, total_s
        self._client = httpx2.AsyncClient(
            transport=transport or _Guarded(self._hosts),
            trust_env=False,
            follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "podshop"},
        )

    @property
    def loopback(self) -> bool:
        """Whether it is this machine that answers."""
        return self.base.host in LOOPBACK

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        read_s: float | None = None,
    ) -> Answer:
        """One request, once. Raises NoAnswer.

        path    under the base, or a full address of an allowed host
        read_s  longer patience for this call
        """
        url = httpx2.URL(path) if "://" in path else self.base.copy_with(raw_path=_joined(self.base, path))
        self._check(url)
        kept = dict(headers or {})
        if json_body is not None:
            content = json.dumps(json_body, allow_nan=False, separators=(",", ":")).encode()
            kept["content-type"] = "application/json"
        patience = read_s or self._read_s
        limits = httpx2.Timeout(connect=self._connect_s, read=patience, write=patience, pool=self._connect_s)
        request = self._client.build_request(
            method, url, content=content, headers=kept, timeout=limits, extensions={"trace": _last_look}
        )
        trouble, sent = "", True
        try:
            _look()
            async with asyncio.timeout(max(self._total_s, patience + self._connect_s)):
                return await self._receive(request)
        except NOT_SENT as e:
            trouble, sent = type(e).__name__, False
        except (httpx2.HTTPError, httpx2.StreamError, TimeoutError, OSError, ssl.SSLError, ValueError) as e:
            trouble = type(e).__name__
        except Stays as e:
            trouble, sent = str(e), False
        except VenueError as e:
            trouble = str(e)
        # Raised here, so that neither cause nor context carries the request with its headers.
        raise NoAnswer(f"{self.base.host}: no answer to {method} {url.path}: {trouble}", sent=sent)

    async def _receive(self, request: httpx2.Request) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise VenueError("a compressed body, which was not asked for")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BODY:
                    raise VenueError(f"a body over {MAX_BODY} bytes")
        finally:
            await response.aclose()
        return Answer(response.status_code, self.scrub(bytes(body)), response.reason_phrase)

    def scrub(self, body: bytes) -> bytes:
        """What was received, without our keys, should the venue repeat them."""
        for secret in self._secrets:
            key = secret.reveal().encode()
            if len(key) >= 8:  # a shorter one is no key, and would change words that are none
                body = body.replace(key, b"<secret>")
        return body

    async def close(self) -> None:
        """Give back connections."""
        await self._client.aclose()

    def _check(self, url: httpx2.URL) -> None:
        if url.host not in self._hosts:
            raise ConfigError(f"{url.host!r} is not among the hosts of this venue: {', '.join(sorted(self._hosts))}")
        if url.scheme != "https" and not (url.scheme == "http" and url.host in LOOPBACK):
            raise ConfigError(f"{url.scheme}://{url.host}: expected https, or http to this machine")


def _look() -> None:
    """Raises Stays where what is asked for here may not leave."""
    may = MAY_LEAVE.get()
    if may is not None and not may():
        raise Stays("halted or expired before its first byte left")


async def _last_look(event: str, _: Mapping[str, Any]) -> None:
    """The HTTP library tells what it does next; here its next step is to write."""
    if event.endswith("send_request_headers.started"):
        _look()


class _Guarded(httpx2.AsyncHTTPTransport):
    """A transport whose sockets open only to the listed hosts."""

    def __init__(self, hosts: frozenset[str]) -> None:
        super().__init__(trust_env=False, retries=0)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=20,
            max_keepalive_connections=10,
            keepalive_expiry=15.0,
            retries=0,
            network_backend=Guard(hosts),
        )


class Guard(httpcore2.AsyncNetworkBackend):
    """Opens sockets to the listed hosts, and looks where they really lead."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect, if host and address may be."""
        if host not in self._hosts:
            raise httpcore2.ConnectError("a host that is not on the list")
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        peer = stream.get_extra_info("server_addr")
        if not permitted(host, str(peer[0]) if peer else ""):
            await stream.aclose()
            raise httpcore2.ConnectError("a host that leads to an address it should not")
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Any = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Never."""
        raise httpcore2.ConnectError("no socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """As the library asks."""
        await self._inner.sleep(seconds)


def permitted(host: str, address: str) -> bool:
    """Whether a host may lead to this address: this machine's names here, all others outside.

    >>> permitted("localhost", "127.0.0.1"), permitted("api.example", "10.0.0.1"), permitted("api.example", "8.8.8.8")
    (True, False, True)
    """
    try:
        found = ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    return found.is_loopback if host in LOOPBACK else found.is_global


def _joined(base: httpx2.URL, path: str) -> bytes:
    return (base.path.rstrip("/") + path).encode("ascii")
