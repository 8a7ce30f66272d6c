"""`podshop upgrade`: from one build to the next with positions open, and back again where the new one is no good.

    1 drain      the gateway sends nothing new and answers when nothing is in flight; positions stay
    2 rehearse   the new build rebuilds the books from a verified copy of the journal: same NAV, same lots, or stop
    3 warm       the new build compiles its machine code, so that the first cycle is not a minute late
    4 swap       one symbolic link, CURRENT, moves from the old .venv to the new one: a rename, all or nothing
    5 restart    the fund starts REDUCE_ONLY and is let go after one clean cycle, by the operator

Step 2 runs the new build's own interpreter, in a process of its own, on the copy: nothing of it is loaded here. Brain
and gateway refuse each other at the handshake where their builds differ, so a half-swapped fund trades nothing.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from podshop.live import backup, control
from podshop.live.config import Gateway
from podshop.live.latch import REDUCE_ONLY_STATE, Latch
from podshop.live.process import environment
from podshop.nouns import ConfigError

DRAINS_S = 600.0
REHEARSES_S = 3600.0
REHEARSAL = """
import json, sys
from pathlib import Path
from podshop.live.rehearsal import rebuilt
print(json.dumps(rebuilt(Path(sys.argv[1]))))
"""
WARM = "from podshop.run.warm import warm; warm(lambda done, total, text: None)"


class Build(NamedTuple):
    """One installed build: its interpreter and what it makes of the books."""

    python: Path
    books: dict[str, Any]


def upgrade(gateway: Gateway, new: Path, current: Path, who: str, say: Callable[[str], None] = print) -> Path:
    """Move `current`, a symbolic link to a .venv, to the .venv `new`; the one it pointed to, for a rollback.

    Raises ConfigError where a step does not come out as it must; then nothing was swapped.
    """
    old = _target(current)
    interpreters = [_python(folder) for folder in (old, new)]
    drain(gateway, who)
    say("drained: nothing is in flight")
    at_ns = time.time_ns()
    copy = backup.backup(gateway, at_ns)
    was, will = (Build(python, rehearse(python, copy.folder)) for python in interpreters)
    differ = sorted(
        name for name in was.books.keys() | will.books.keys() if was.books.get(name) != will.books.get(name)
    )
    if differ:
        raise ConfigError(
            f"{new}: rebuilds other books from {copy.folder}: {', '.join(differ)} differ; nothing was swapped"
        )
    say(f"rehearsed on a copy of {copy.seq} rows: the same books")
    _run(will.python, ["-c", WARM], gateway, "warming")
    say("warm")
    Latch(gateway.folder, "operator").raise_to(REDUCE_ONLY_STATE, at_ns, f"upgraded to {new.name}: one clean cycle")
    swap(current, new)
    say(f"{current} -> {new}; restart the fund; `podshop resume` after one clean cycle; back: podshop upgrade {old}")
    return old


def drain(gateway: Gateway, who: str) -> None:
    """Ask the gateway to send nothing new, and wait until nothing is in flight. A fund that is stopped is drained."""
    try:
        token = control.read_token(gateway.operator_token)
        control.ask(gateway.control_socket, token, control.Drain(reason="upgrade", by=who), DRAINS_S)
    except (FileNotFoundError, ConnectionRefusedError):
        return


def rehearse(python: Path, copy: Path) -> dict[str, Any]:
    """The books as a build rebuilds them from a copy of the journal. Raises ConfigError where it cannot."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("journal.db", "journal.db.head"):
            (Path(folder) / name).write_bytes((copy / name).read_bytes())
        said = _run(python, ["-c", REHEARSAL, folder], None, "the rebuild")
    try:
        return dict(json.loads(said.splitlines()[-1]))
    except (ValueError, IndexError):
        raise ConfigError(f"{python}: the rebuild said no books") from None


def swap(current: Path, new: Path) -> None:
    """Point the link elsewhere, all or nothing."""
    part = current.with_name(current.name + ".part")
    part.unlink(missing_ok=True)
    part.symlink_to(new.resolve())
    part.rename(current)


def _target(current: Path) -> Path:
    if not current.is_symlink():
        raise ConfigError(
            f"{current}: no symbolic link, expected one to the .venv in use (ln -s .venv-1 {current.name})"
        )
    return current.resolve()


def _python(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        raise ConfigError(f"{folder}: no .venv: it has no bin/python")
    return python


def _run(python: Path, arguments: list[str], gateway: Gateway | None, what: str) -> str:
    cache = gateway.folder / "cache" / "gateway" if gateway is not None and gateway.real_money else None
    env = environment(cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"))
    done = subprocess.run(
        [str(python), "-I", *arguments], env=env, capture_output=True, text=True, timeout=REHEARSES_S, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise ConfigError(f"{python}: {what} failed: {last}")
    return done.stdout
