"""Signal agents that one would not want: each does one thing wrong, at every bar from the first."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from podshop.nouns import Panel


@dataclass(frozen=True)
class Bad:
    """An agent of hourly bars that reads the close."""

    bar: str = "1h"
    number: int = 0
    reads: ClassVar[tuple[str, ...]] = ("close",)
    family: ClassVar[str] = "own"
    cross_sectional: ClassVar[bool] = False
    lookback_bars: ClassVar[int] = 2

    def __call__(self, close: Panel) -> Any:
        return np.full(close.shape, 0.5)


class Sleeps(Bad):
    def __call__(self, close: Panel) -> Any:
        time.sleep(60)


class Spins(Bad):
    def __call__(self, close: Panel) -> Any:
        while True:
            pass


class HoldsTheLock(Bad):
    def __call__(self, close: Panel) -> Any:
        ctypes.PyDLL(None).sleep(60)


class Exits(Bad):
    def __call__(self, close: Panel) -> Any:
        os._exit(0)


class Segfaults(Bad):
    def __call__(self, close: Panel) -> Any:
        ctypes.string_at(0)


class Raises(Bad):
    def __call__(self, close: Panel) -> Any:
        raise ValueError("no idea")


class SaysExit(Bad):
    def __call__(self, close: Panel) -> Any:
        sys.exit(3)


class Recurses(Bad):
    def __call__(self, close: Panel) -> Any:
        sys.setrecursionlimit(10**9)
        return self(close)


class Floods(Bad):
    def __call__(self, close: Panel) -> Any:
        held = []
        while True:
            held.append(np.ones(1 << 27))


class TooLarge(Bad):
    def __call__(self, close: Panel) -> Any:
        return np.full(close.shape, 2.0)


class Infinite(Bad):
    def __call__(self, close: Panel) -> Any:
        return np.full(close.shape, np.inf)


class OtherShape(Bad):
    def __call__(self, close: Panel) -> Any:
        return np.zeros((1, 1))


class Words(Bad):
    def __call__(self, close: Panel) -> Any:
        return np.full(close.shape, "up")


class Nothing(Bad):
    def __call__(self, close: Panel) -> Any:
        return None


class Huge(Bad):
    def __call__(self, close: Panel) -> Any:
        return np.zeros((1 << 16, 1 << 12))


class Writes(Bad):
    def __call__(self, close: Panel) -> Any:
        close[-1] = 0.0
        return np.full(close.shape, 0.5)


class Calls(Bad):
    def __call__(self, close: Panel) -> Any:
        socket.create_connection(("127.0.0.1", 9), timeout=5)


class CallsByHand(Bad):
    def __call__(self, close: Panel) -> Any:
        """Past Python's own doors: the kernel has no network here either."""
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.socket(2, 1, 0)
        address = b"\x02\x00\x00\x09\x7f\x00\x00\x01" + bytes(8)
        if libc.connect(fd, address, 16) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return np.full(close.shape, 0.5)


class Starts(Bad):
    def __call__(self, close: Panel) -> Any:
        subprocess.run(["true"], check=True)


class Forks(Bad):
    def __call__(self, close: Panel) -> Any:
        while True:
            os.fork()


class Speaks(Bad):
    def __call__(self, close: Panel) -> Any:
        """Write answers of its own into the channel."""
        for fd in range(3, 512):
            try:
                os.write(fd, b"\x00\x00\x00\x05hello" * 100)
            except OSError:
                continue
        return np.full(close.shape, 0.5)


class Floods2(Bad):
    def __call__(self, close: Panel) -> Any:
        """Write without end into the channel."""
        for fd in range(3, 512):
            try:
                while os.write(fd, bytes(1 << 16)):
                    pass
            except OSError:
                continue
        return np.full(close.shape, 0.5)


class Stops(Bad):
    def __call__(self, close: Panel) -> Any:
        ctypes.CDLL(None).raise_(19) if hasattr(ctypes.CDLL(None), "raise_") else ctypes.CDLL(None)["raise"](19)


class Closes(Bad):
    def __call__(self, close: Panel) -> Any:
        os.closerange(0, 512)
        return np.full(close.shape, 0.5)


class Prints(Bad):
    def __call__(self, close: Panel) -> Any:
        for _ in range(10_000):
            sys.stdout.write("x" * 10_000)
        raise RuntimeError("y" * 10_000)


BAD = (
    Sleeps, Spins, HoldsTheLock, Exits, Segfaults, Raises, SaysExit, Recurses, Floods, TooLarge, Infinite, OtherShape,
    Words, Nothing, Huge, Writes, Calls, CallsByHand, Starts, Forks, Speaks, Floods2, Stops, Closes, Prints,
)  # fmt: skip
