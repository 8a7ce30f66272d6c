"""What every live process does before anything else: hide its memory, keep its caches to itself, hang on its lifeline.

The supervisor holds one end of a pipe for as long as it lives. Brain and gateway hold the other: when the pipe closes
they end, whatever their loops are doing at that moment. The watchdog is given none: it outlives everybody.
"""

import ctypes
import os
import resource
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

LIFELINE_FD = "PODSHOP_LIFELINE_FD"
GONE = 75  # exit code: the supervisor went away
_PR_SET_DUMPABLE = 4
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


def harden() -> None:
    """Nobody of this user reads this process' memory, and no crash writes it to the disk; new files are ours alone."""
    os.umask(0o027)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def hang_on(gone: Callable[[], None] = lambda: os._exit(GONE)) -> bool:
    """End with the supervisor, where it gave us a lifeline; whether it did.

    gone  what to do then, in a thread of its own: a loop that hangs must not keep the process alive
    """
    inherited = os.environ.pop(LIFELINE_FD, "")
    if not inherited:
        return False
    line = int(inherited)
    os.set_inheritable(line, False)

    def wait() -> None:
        while os.read(line, 1):
            pass
        gone()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
    return True


def environment(cache: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """All that a process of the fund is told by its environment: no proxy, no key, no PYTHON variable of the caller.

    cache  where its machine code is kept: its own, since the index of a numba cache is a pickle, and who can write
           that runs code here
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {"HOME": str(cache), "XDG_CACHE_HOME": str(cache), "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    return kept | own | dict(more or {})
