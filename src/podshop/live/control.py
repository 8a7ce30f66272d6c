"""What an operator may ask of a running gateway, over STATE/desk/control: one JSON object a line, one line back.

    {"token": "...", "ask": {"type": "halt", "scope": "market", "name": "BTC", "reason": "odd prices", "by": "ann"}}

The token stands in a file that the operator and the gateway can read and the brain cannot. Only here is a state
lowered and a quarantine resolved. Halting does not depend on it: `podshop halt` raises the latch first, then asks.
"""

import hmac
import os
import secrets
import socket
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from podshop.nouns import ConfigError

MOST_BYTES = 1 << 20  # of a line, either way
TIMEOUT_S = 10.0

Scope = Literal["fund", "agent", "market"]


class Status(msgspec.Struct, frozen=True, tag="status"):
    """How does the fund stand? Answered with `Standing`."""


class Halt(msgspec.Struct, frozen=True, tag="halt", kw_only=True):
    """Trade no more: the fund, one agent (its book goes to flat), or one market (it is only reduced).

    state  of the fund: REDUCE_ONLY, HALTED or FLATTEN
    name   of the agent or market
    """

    scope: Scope = "fund"
    name: str = ""
    state: Literal["REDUCE_ONLY", "HALTED", "FLATTEN"] = "HALTED"
    reason: str
    by: str


class Resume(msgspec.Struct, frozen=True, tag="resume", kw_only=True):
    """Lower a state again. `seen` is `Held.seen` as the operator was shown it; scope and name as in `Halt`."""

    scope: Scope = "fund"
    name: str = ""
    state: Literal["RUNNING", "REDUCE_ONLY"] = "RUNNING"
    seen: str = ""
    reason: str
    by: str


class Resolve(msgspec.Struct, frozen=True, tag="resolve", kw_only=True):
    """A person says what became of what no evidence settles (docs/live.md, section 3).

    market   whose coin is in quarantine
    intent   the intent it is about; empty = what the house holds unexplained, or a market's REDUCE_ONLY after row 14
    outcome  never: it did not arrive; filled: it filled `lots` at `price_micro` a lot with `fee_micro`; seen: the
             difference was looked at, and stays where it was booked
    order_id filled: the venue's order whose held fills are of the intent (without one: of nobody of ours, the house's);
             they say lots, price and fee. While fills are held no others can be made up beside them
    """

    market: str
    intent: str = ""
    outcome: Literal["never", "filled", "seen"]
    order_id: str = ""
    lots: int = 0
    price_micro: int = 0
    fee_micro: int = 0
    reason: str
    by: str


class Drain(msgspec.Struct, frozen=True, tag="drain", kw_only=True):
    """Send nothing new, and answer when nothing is in flight: before an upgrade. It does not outlive the process."""

    reason: str
    by: str


Request: TypeAlias = Status | Halt | Resume | Resolve | Drain


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request and the operator's token."""

    token: str
    ask: Request


class Coin(msgspec.Struct, frozen=True, kw_only=True):
    """One market; `line` is its state in docs/live.md, section 3, `only` why it is only reduced, if it is."""

    market: str
    line: str
    booked_lots: int
    venue_lots: int | None = None
    intent: str = ""
    sent_ns: int = 0
    only: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the fund stands. What a gateway cannot say is left at its default, and shown as unknown.

    seen          what `resume` must quote; state, by, since_ns, reason: what holds
    cycle, at_ns  last that was opened, and the venue's time now
    offset_ns     the venue's clock less ours; reading_ns age of the last admissible reading
    in_flight     intents without an outcome; unknown of them are UNKNOWN; lapsed are watched
    requests      sent in the last minute, of the venue's allowance (0 = unlimited)
    windows       the venue's maintenance, as its card says
    only          agents and markets that were halted, with the reason
    alarms        what wants a person's eye, newest first
    """

    state: str
    by: str = ""
    since_ns: int = 0
    reason: str = ""
    seen: str = ""
    package_sha256: str = ""
    fund_sha256: str = ""
    cycle: int = -1
    at_ns: int = 0
    nav_micro: int = 0
    peak_micro: int = 0
    cash_micro: int = 0
    suspense_micro: int = 0
    offset_ns: int | None = None
    reading_ns: int | None = None
    in_flight: int = 0
    unknown: int = 0
    lapsed: int = 0
    requests: int = 0
    allowance: int = 0
    windows: tuple[tuple[int, int], ...] | None = None
    journal_seq: int = 0
    coins: tuple[Coin, ...] = ()
    only: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `error` is empty where it was done; never holds a secret."""

    error: str = ""
    standing: Standing | None = None


_requests = msgspec.json.Decoder(Envelope)
_answers = msgspec.json.Decoder(Answer)


def parse(line: bytes, token: str) -> Request:
    """A line -> what the operator asks. Raises ConfigError for what is no request, or where the token is not his."""
    if len(line) > MOST_BYTES:
        raise ConfigError(f"a request of {len(line)} bytes, expected at most {MOST_BYTES}")
    try:
        envelope = _requests.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise ConfigError(f"no request: {str(e).split(' - at ')[-1]}") from None
    if not hmac.compare_digest(envelope.token.encode(), token.encode()) or not token:
        raise ConfigError("the token is not the operator's")
    return envelope.ask


def line_of(answer: Answer) -> bytes:
    """An answer -> its line."""
    return msgspec.json.encode(answer) + b"\n"


def ask(path: Path, token: str, request: Request, timeout_s: float = TIMEOUT_S) -> Answer:
    """Ask the gateway. Raises OSError where none answers, ConfigError where it refuses."""
    line = msgspec.json.encode(Envelope(token, request)) + b"\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(timeout_s)
        try:
            peer.connect(str(path))
        except OSError as e:
            raise ConnectionRefusedError(f"no gateway answers at {path} ({e.strerror or e}): is it running?") from None
        peer.sendall(line)
        said = b""
        while not said.endswith(b"\n"):
            piece = peer.recv(65_536)
            if not piece or len(said) > MOST_BYTES:
                raise ConnectionError(f"{path}: the gateway hung up")
            said += piece
    try:
        answer = _answers.decode(said)
    except msgspec.MsgspecError as e:
        raise ConfigError(f"{path}: no answer of a gateway: {e}") from None
    if answer.error:
        raise ConfigError(f"the gateway refuses: {answer.error}")
    return answer


def make_token(path: Path) -> None:
    """Write a new token, 32 random bytes as hex, for operator and gateway alone; keeps the one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    with os.fdopen(file, "w") as out:
        out.write(secrets.token_hex(32))
        out.flush()
        os.fsync(out.fileno())


def read_token(path: Path, *, own: bool = False) -> str:
    """The operator's token. Raises ConfigError where it is missing, no token, or where another could have put it there.

    Whoever may write a folder may remove what is in it and put his own in its place, socket and token.
    own  for the gateway's start: token and folder must be ours or root's; an operator may be another user, and then
         they are whose the state folder is
    """
    try:
        folder = path.parent.stat()
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            mode = about.st_mode
            text = file.read(100).decode("ascii", "replace").strip()
        owners = {0, os.getuid()} if own else {0, os.getuid(), path.parent.parent.stat().st_uid}
    except OSError as e:
        raise ConfigError(f"{path}: {e.strerror}, expected the operator's token (`podshop paper` makes it)") from None
    if mode & 0o007:
        raise ConfigError(f"{path}: everybody may read it, expected mode 0600 or 0640")
    if folder.st_mode & 0o022:
        raise ConfigError(f"{path.parent}: others may write it (mode {folder.st_mode & 0o7777:04o}), expected 0700")
    for what, owner in ((path.parent, folder.st_uid), (path, about.st_uid)):
        if owner not in owners:
            raise ConfigError(f"{what}: belongs to user {owner}, expected {' or '.join(map(str, sorted(owners)))}")
    if len(text) != 64:
        raise ConfigError(f"{path}: no token, expected 64 hexadecimal digits")
    return text
