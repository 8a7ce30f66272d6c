"""A canary key through thousands of forced errors: it is in no log, no traceback, no reply and no file but its own."""

import asyncio
import io
import json
import logging
import os
import pickle
import random
import traceback
from contextlib import redirect_stderr

import httpx2
import pytest

from podshop.live import control, logs
from podshop.live.secrets import KEY_FD, faces, read_file, read_key
from podshop.nouns import ConfigError, PodshopError
from podshop.nouns.venue import Order
from podshop.venues.hyperliquid.client import Hyperliquid
from podshop.venues.purpleflea.client import PurpleFlea
from podshop.venues.wire import Secret, Wire

HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FLEA = "sk_trade_c4n4ryc4n4ryc4n4ryc4n4ryc4n4ryc4n4ry"
ORDER = Order("ab" * 16, "BTC", 10, 500_000, 500_000, False, False, 1 << 62)
WALLET = "0x" + "12" * 20


@pytest.fixture
def kept():
    """Logging as it was."""
    root, raising = logging.getLogger(), logging.raiseExceptions
    before = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:], logging.raiseExceptions = before[0], raising
    root.setLevel(before[1])


def errors(count, seed, path):
    """Force errors in adapters, key files, requests and logs; all that anybody could read of them afterwards."""
    rng = random.Random(seed)
    keys = [Secret("0x" + HEX), Secret(FLEA)]
    seen, hits, kinds = io.StringIO(), [], set()
    with redirect_stderr(seen):
        redacted = logs.start(path / "logs", "canary", keys)
        for handler in logging.getLogger().handlers:
            if type(handler) is logging.StreamHandler:
                handler.setStream(seen)
        log = logging.getLogger("podshop.canary")
        for number in range(count):
            kind = rng.choice([adapter, adapter, adapter, file, request, line])
            kinds.add(kind.__name__)
            try:
                hits.append(str(kind(rng, keys, path, log)))
            except Exception as e:
                log.exception("case %d", number)
                hits.append("".join(traceback.format_exception(e)))
    for one in logging.getLogger().handlers:
        one.flush()
    files = [one.read_text() for one in (path / "logs").iterdir()]
    assert len(kinds) == 4
    assert redacted.hide(HEX) == logs.HIDDEN
    return "\n".join([seen.getvalue(), *files, *hits])


def adapter(rng, keys, path, log):
    """A venue that answers anything, also with our own key in it, or not at all."""
    trouble = rng.choice([
        httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("torn"),
        OSError(104, "reset"), ValueError("odd"), None, None, None,
    ])  # fmt: skip

    def answer(http: httpx2.Request) -> httpx2.Response:
        if trouble is not None:
            raise trouble
        headers = dict(http.headers)
        body = rng.choice([
            b"<html>502</html>", json.dumps({"error": headers}).encode(), FLEA.encode(), ("0x" + HEX).encode(),
            b'{"status": "err", "response": "%s"}' % HEX.encode(), b"{", b"[]", b"null", b'{"a": NaN}',
            json.dumps({"message": f"no such key {FLEA}", "code": headers.get("authorization", "")}).encode(),
        ])  # fmt: skip
        return httpx2.Response(rng.choice([200, 200, 400, 401, 429, 500, 502]), stream=httpx2.ByteStream(body))

    wire = Wire("http://127.0.0.1:9", secrets=keys, transport=httpx2.MockTransport(answer))
    if rng.random() < 0.5:
        venue = Hyperliquid("http://127.0.0.1:9", WALLET, keys[0], ["BTC"], wire=wire)
    else:
        venue = PurpleFlea(WALLET, keys[1], ["BTC"], base_url="http://127.0.0.1:9", wire=wire, info_wire=wire)
    ask = rng.choice([venue.reading, venue.mids, venue.instruments, venue.time_ns, lambda: venue.send(ORDER)])
    log.info("asking %s of %r with %s and %s", ask, venue, keys, vars(venue))
    return asyncio.run(ask())


def file(rng, keys, path, log):
    """A key file that is not as it should be."""
    key = path / f"key{rng.randrange(10)}"
    key.unlink(missing_ok=True)
    key.write_bytes(rng.choice([HEX.encode() + b"\n" + FLEA.encode(), b"\xff" + HEX.encode(), b"", FLEA.encode()]))
    key.chmod(rng.choice([0o600, 0o644, 0o666]))
    try:
        secret = read_file(key)
        log.warning("%r %s %s", secret, secret, {"key": secret})
        return rng.choice([lambda: pickle.dumps(secret), lambda: f"{secret:>80}", lambda: json.dumps([secret])])()
    finally:
        key.unlink()


def request(rng, keys, path, log):
    """An operator's line with a key where none belongs."""
    ask = {"token": rng.choice(["", FLEA, HEX]), "ask": {"type": rng.choice(["halt", FLEA]), "reason": 3}}
    said = json.dumps(ask).encode()
    try:
        return control.parse(said[: rng.randrange(len(said) + 1)], "ab" * 32)
    except PodshopError as e:
        log.error("refused: %s", e)
        raise


def line(rng, keys, path, log):
    """A careless line of somebody else's library, with the key in each of its faces."""
    face = rng.choice([*faces(keys[0]), *faces(keys[1])])
    name = rng.choice(["httpx2", "httpcore2", "ccxt", "somebody"])
    logging.getLogger(name).warning("url https://x/%s?signature=%s", face, face)
    try:
        raise RuntimeError(f"cannot reach https://api.telegram.org/bot{face}/send")
    except RuntimeError:
        log.exception("sending failed")
    return ""


def found_in(text):
    """Which faces of the two keys a text shows."""
    return [
        face for key in (Secret("0x" + HEX), Secret(FLEA)) for face in faces(key) if face in text and face != "sk_trade"
    ]


def empty(http):
    return httpx2.Response(200, stream=httpx2.ByteStream(b"{}"))


def test_two_thousand_errors_show_no_key(tmp_path, kept):
    assert found_in(errors(2_000, 1, tmp_path)) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_ten_thousand_errors_show_no_key(tmp_path, kept, seed, record_property):
    shown = errors(2_000, 10 + seed, tmp_path)
    record_property("errors", 2_000)
    record_property("searched_bytes", len(shown))
    assert found_in(shown) == []


def test_a_library_that_logs_its_requests_shows_a_key_in_a_path(tmp_path, kept, monkeypatch):
    """The mutant: httpx's own logger at INFO, and no search for secrets by value."""
    monkeypatch.setattr(logs.Redacted, "hide", lambda self, text: text)
    redirect = io.StringIO()
    with redirect_stderr(redirect):
        logs.start(tmp_path / "logs", "mutant", [Secret(FLEA)])
        httpx = logging.getLogger("httpx2")
        monkeypatch.setattr(httpx, "level", logging.INFO)
        monkeypatch.setattr(httpx, "propagate", True)
        httpx._cache.clear()
        wire = Wire("http://127.0.0.1:9", transport=httpx2.MockTransport(empty))
        asyncio.run(wire.ask("GET", f"/bot{FLEA}/send"))
    for handler in logging.getLogger().handlers:
        handler.flush()
    httpx._cache.clear()
    assert found_in((tmp_path / "logs" / "mutant.log").read_text())


def test_the_same_request_is_silent_without_the_mutation(tmp_path, kept):
    with redirect_stderr(io.StringIO()):
        logs.start(tmp_path / "logs", "fine", [Secret(FLEA)])
        wire = Wire("http://127.0.0.1:9", transport=httpx2.MockTransport(empty))
        asyncio.run(wire.ask("GET", f"/bot{FLEA}/send"))
    assert (tmp_path / "logs" / "fine.log").read_text() == ""


def test_a_key_comes_by_descriptor_and_the_variable_is_gone(tmp_path, monkeypatch):
    key = tmp_path / "key"
    key.write_text(FLEA + "\n")
    key.chmod(0o600)
    monkeypatch.setenv(KEY_FD, str(os.open(key, os.O_RDONLY)))
    assert read_key("").reveal() == FLEA
    assert KEY_FD not in os.environ
    assert read_key("") is None
    assert read_key(str(key)).reveal() == FLEA


@pytest.mark.parametrize(
    ("mode", "said"), [(0o644, "has mode 0644: others can read the key"), (0o620, "has mode 0620")]
)
def test_a_key_that_others_can_read_is_refused(tmp_path, mode, said):
    key = tmp_path / "key"
    key.write_text(FLEA)
    key.chmod(mode)
    with pytest.raises(ConfigError, match=said):
        read_file(key)


def test_logs_rotate_and_a_full_disk_stops_the_log_only(tmp_path, kept, monkeypatch):
    with redirect_stderr(io.StringIO()):
        logs.start(tmp_path, "one", files=3, size=2_000)
        for number in range(200):
            logging.getLogger("podshop").info("line %d", number)
        assert sorted(one.name for one in tmp_path.iterdir()) == ["one.log", "one.log.1", "one.log.2"]
        assert all(one.stat().st_size <= 2_000 for one in tmp_path.iterdir())
        last = json.loads((tmp_path / "one.log").read_text().splitlines()[-1])
        assert last["text"] == "line 199"
        (handler,) = (one for one in logging.getLogger().handlers if isinstance(one, logs.Rotating))

        def full(record):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(handler, "format", full)
        logging.getLogger("podshop").info("lost")
    assert (logs.FILES, logs.BYTES) == (14, 64_000_000)
