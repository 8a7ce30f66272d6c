"""The client that carries keys: where it goes, where it does not, and that nothing shows what it carries."""

import asyncio
import copy
import io
import json
import logging
import pickle
import time
import traceback
from collections.abc import Awaitable, Callable

import httpcore2
import httpx2
import pytest
from aiohttp import web

from podshop.nouns import ConfigError, VenueError
from podshop.venues import wire as subject
from podshop.venues.wire import Answer, Guard, NoAnswer, Secret, Wire, permitted

KEY = "sk_trade_CANARY0123456789abcdef"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def asked(handler: Handler, **options: float) -> Answer:
    """One GET with a key to a server on this machine."""

    async def run() -> Answer:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        client = Wire(f"http://127.0.0.1:{port}", secrets=[Secret(KEY)], **options)  # type: ignore[arg-type]
        try:
            return await client.ask("GET", "/v1/x", headers={"Authorization": f"Bearer {KEY}"})
        finally:
            await client.close()
            await runner.cleanup()

    return asyncio.run(run())


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>5}".format, lambda s: f"{s}", lambda s: "%s" % s])  # noqa: UP031
def test_a_secret_shows_nothing(show: Callable[[object], str]) -> None:
    assert "CANARY" not in show(Secret(KEY))
    assert "CANARY" not in show([Secret(KEY), {"key": Secret(KEY)}])


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars])
def test_a_secret_is_not_copied_and_not_written(way: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        way(Secret(KEY))


@pytest.mark.parametrize("text", ["", " zq7", "zq7\n", "z\x00q7", "zq7ü"])
def test_a_key_that_no_header_carries_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Secret(text)
    assert "q7" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://trading.purpleflea.com",
        "ftp://127.0.0.1",
        "https://user:pw@api.hyperliquid.xyz",
        "https://api.hyperliquid.xyz/?x=1",
        "http://127.0.0.1.evil.example",
        "http://2130706433",
    ],
)
def test_an_address_that_would_leak_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        Wire(url)


def test_only_listed_hosts_are_asked() -> None:
    async def run() -> None:
        client = Wire("https://api.hyperliquid.xyz", transport=httpx2.MockTransport(lambda _: httpx2.Response(200)))
        with pytest.raises(ConfigError, match="not among the hosts"):
            await client.ask("GET", "https://evil.example/x")
        await client.close()

    asyncio.run(run())


def test_the_socket_is_looked_at_too() -> None:
    """Should anything above send us elsewhere, no socket opens; nor one to a name that leads into the own network."""

    async def run() -> None:
        with pytest.raises(httpcore2.ConnectError):
            await Guard(frozenset({"api.hyperliquid.xyz"})).connect_tcp("127.0.0.1", 1)
        with pytest.raises(httpcore2.ConnectError):
            await Guard(frozenset({"api.hyperliquid.xyz"})).connect_unix_socket("/run/x")

    asyncio.run(run())
    assert permitted("127.0.0.1", "127.0.0.1")
    assert permitted("localhost", "::1")
    assert permitted("api.hyperliquid.xyz", "8.8.8.8")
    for inner in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%eth0", "", "x"):
        assert not permitted("api.hyperliquid.xyz", inner)
    assert not permitted("localhost", "10.0.0.1")


def test_a_name_that_leads_into_the_own_network_gets_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebound name: `localhost` stands for it, on a list on which it is no name of this machine."""
    heard: list[bytes] = []

    async def run() -> None:
        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(100))
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Wire(f"http://127.0.0.1:{port}")
        monkeypatch.setattr(subject, "LOOPBACK", frozenset())
        with pytest.raises((NoAnswer, ConfigError)):
            await client.ask("GET", "/x")
        with pytest.raises(httpcore2.ConnectError, match="should not"):
            await Guard(frozenset({"127.0.0.1"})).connect_tcp("127.0.0.1", port)
        server.close()
        await client.close()

    asyncio.run(run())
    assert all(not data for data in heard)


def test_redirects_are_not_followed() -> None:
    paths: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    assert asked(handler).status == 307
    assert paths == ["/v1/x"]


def test_proxies_and_netrc_of_the_environment_are_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response({"seen": True})

    assert asked(handler).json("x") == {"seen": True}


def test_mutant_a_client_that_trusts_the_environment_goes_to_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with httpx2.Client() as trusting, pytest.raises(httpx2.ConnectError):
        trusting.get("http://192.0.2.1/")  # the proxy refuses at once; without it this would wait


def test_a_body_without_end_is_cut_off() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with_ten_megabytes = 11
        for _ in range(with_ten_megabytes):
            await response.write(b" " * 1_000_000)
        return response

    with pytest.raises(NoAnswer, match="over"):
        asked(handler)


def test_a_compressed_body_is_refused() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.headers["accept-encoding"] == "identity"
        return web.Response(body=b"x", headers={"Content-Encoding": "gzip"})

    with pytest.raises(NoAnswer, match="compressed"):
        asked(handler)


def test_silence_and_drops_end_in_time_and_count_as_sent() -> None:
    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    async def drop(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    for handler in (silent, drop, drip):
        began = time.monotonic()
        with pytest.raises(NoAnswer) as caught:
            asked(handler, read_s=0.2, connect_s=0.2, total_s=0.4)
        assert caught.value.sent
        assert time.monotonic() - began < 2


def test_a_refused_connection_has_sent_nothing() -> None:
    async def run() -> None:
        client = Wire("http://127.0.0.1:9")
        with pytest.raises(NoAnswer) as caught:
            await client.ask("GET", "/x")
        assert not caught.value.sent
        await client.close()

    asyncio.run(run())


def test_no_log_no_error_and_no_answer_shows_the_key() -> None:
    """Logs at the lowest level, tracebacks with causes, and a venue that repeats our own header to us."""
    out = io.StringIO()
    handler_ = logging.StreamHandler(out)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler_)
    root.setLevel(1)

    async def echo(request: web.Request) -> web.StreamResponse:
        return web.Response(status=401, text=json.dumps({"error": dict(request.headers)["Authorization"]}))

    async def drop(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    try:
        answer = asked(echo)
        with pytest.raises(NoAnswer) as caught:
            asked(drop)
    finally:
        root.removeHandler(handler_)
        root.setLevel(level)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = out.getvalue() + str(error) + repr(error) + "".join(traceback.format_exception(error)) + repr(answer)
    assert "CANARY" not in shown
    assert b"<secret>" in answer.body


def test_answers_that_are_not_strict_json_are_errors() -> None:
    with pytest.raises(VenueError):
        Answer(200, b"<html>").json("x")
    with pytest.raises(VenueError):
        Answer(200, b'{"a": NaN}').json("x")
