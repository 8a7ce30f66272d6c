"""Where the gateway's key could be and must not be: other processes' environments and arguments, and every file."""

import hashlib
from contextlib import suppress
from pathlib import Path

from podshop.live.secrets import faces
from podshop.venues.wire import Secret
from tests.live.real.fund import PROGRAMS, Real

NEAR = 64  # bytes of context that are shown


def keys_of(real: Real) -> dict[str, Secret]:
    """The key that signs at the exchange (nobody's money: `live.reach` makes it from the folder), and the one in the
    key file that gateway.toml names."""
    made = hashlib.sha256(f"podshop simulated gateway {real.state.absolute()}".encode()).hexdigest()
    return {"signs": Secret("0x" + made), "of the file": Secret(real.key_file.read_text().strip())}


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def look_for_keys(real: Real) -> dict[str, str]:
    """Where a key stands in the environment or the arguments of any process of the running fund, or is held open."""
    words = dressed(real)
    hits: dict[str, str] = {}
    for name in PROGRAMS:
        for pid in family(real.pids()[name]):
            process = Path(f"/proc/{pid}")
            for what in ("environ", "cmdline"):
                if any(word in _read(process / what) for word in words):
                    hits[f"{name} {pid} {what}"] = "the key"
            with suppress(PermissionError):  # of a process that is not dumpable root alone sees it
                for handle in (process / "fd").iterdir():
                    if handle.exists() and handle.resolve() == real.key_file.resolve():
                        hits[f"{name} {pid} {handle}"] = "the key's file is open"
    return hits


def dressed(real: Real) -> set[bytes]:
    """Both keys in every dress; a beginning of eight digits could be chance."""
    return {word.encode() for key in keys_of(real).values() for word in faces(key) if len(word) >= 16}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except PermissionError:
        return b""


def found_of(real: Real) -> dict[str, str]:
    """Files under the test's folder, its key file left out, that hold a key in any dress; with the place."""
    words = dressed(real)
    hits: dict[str, str] = {}
    for file in real.path.rglob("*"):
        if not file.is_file() or file == real.key_file:
            continue
        said = file.read_bytes()
        for word in words:
            if (at := said.find(word)) >= 0:
                hits[str(file)] = repr(said[max(0, at - NEAR) : at])
    return hits
