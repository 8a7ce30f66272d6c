"""Memory that workers may read and not write: anonymous files of the kernel, sealed against any later writer.

The brain maps a page writable, then seals it; a worker that is handed the descriptor can map it for reading only.
"""

import fcntl
import itertools
import mmap
import os

import numpy as np
from numpy.typing import NDArray

_SEAL_SHRINK, _SEAL_GROW, _SEAL_FUTURE_WRITE = 0x0002, 0x0004, 0x0010  # linux/fcntl.h; Python names not all of them
_numbers = itertools.count(1)


class Page:
    """(M, capacity) float64 in a sealed file. `number` is never given twice in a process."""

    def __init__(self, markets: int, capacity: int) -> None:
        self.number, self.shape = next(_numbers), (markets, capacity)
        size = max(8 * markets * capacity, 8)
        self.fd = os.memfd_create(f"podshop page {self.number}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, size)
        self._mapped = mmap.mmap(self.fd, size)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, _SEAL_SHRINK | _SEAL_GROW | _SEAL_FUTURE_WRITE)
        self.numbers: NDArray[np.float64] = np.frombuffer(self._mapped, np.float64, markets * capacity).reshape(
            self.shape
        )

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            os.close(self.fd)


def mapped(fd: int, markets: int, capacity: int) -> NDArray[np.float64]:
    """The page behind a descriptor, to be read; the descriptor may be closed then."""
    view = mmap.mmap(fd, max(8 * markets * capacity, 8), prot=mmap.PROT_READ)
    return np.frombuffer(view, np.float64, markets * capacity).reshape(markets, capacity)
