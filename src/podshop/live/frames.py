"""Frames: msgpack with its length before it, over a Unix socket; bounded, so that nobody fills another's memory.

    frame = length of the body, 4 bytes, big-endian | body

A body decodes to the message that was expected, or DataError: nothing else is read from such a peer afterwards.
"""

import asyncio
import socket
import stat
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from podshop.nouns import ConfigError, DataError

MOST_BYTES = 8 << 20
_LENGTH = struct.Struct(">I")
_PEER = struct.Struct("3i")
_encode = msgspec.msgpack.Encoder(order="deterministic").encode

T = TypeVar("T")


class Peer(NamedTuple):
    """Who is at the other end, as the kernel says it."""

    pid: int
    uid: int
    gid: int


async def read_frame(reader: asyncio.StreamReader, most: int = MOST_BYTES) -> bytes | None:
    """The next body; None where the peer has closed between two. Raises DataError where it is too long or cut."""
    try:
        head = await reader.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as e:
        if not e.partial:
            return None
        raise DataError(f"a frame ends after {len(e.partial)} bytes of its length") from None
    except ConnectionError:
        return None
    (length,) = _LENGTH.unpack(head)
    if not 0 < length <= most:
        raise DataError(f"a frame of {length} bytes, expected 1 to {most}")
    try:
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        raise DataError(f"a frame of {length} bytes is cut") from None


def framed(message: Any) -> bytes:
    """A message as a frame. Raises DataError where it is too long."""
    body = _encode(message)
    if len(body) > MOST_BYTES:
        raise DataError(f"a message of {len(body)} bytes, expected at most {MOST_BYTES}")
    return _LENGTH.pack(len(body)) + body


async def write_frame(writer: asyncio.StreamWriter, message: Any) -> None:
    """Send a message whole."""
    writer.write(framed(message))
    await writer.drain()


def decoded(body: bytes, type_: type[T]) -> T:
    """The message that a body holds. Raises DataError where it holds another."""
    try:
        return msgspec.msgpack.decode(body, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise DataError(f"a frame is no {type_.__name__}: {e}") from None


def canonical(message: Any) -> tuple[bytes, str]:
    """A message's own bytes, always the same, and their SHA-256 (hex)."""
    body = _encode(message)
    return body, sha256(body).hexdigest()


def peer_of(writer: asyncio.StreamWriter) -> Peer:
    """Who is at the other end of a Unix socket."""
    sock: socket.socket = writer.get_extra_info("socket")
    return Peer(*_PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)))


def clear_socket(path: Path) -> None:
    """Remove what a dead process left at this path. Raises ConfigError where something else than a socket stands."""
    try:
        mode = path.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{path}: is no socket, and was left as it is")
    path.unlink()
