"""A real PostgreSQL server for a test: its own data folder, a Unix socket only, stopped at the end."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

START_S = 60


def binaries() -> Path | None:
    """Folder of `initdb` and `postgres`: on the PATH, of Debian's packages, or of the wheel that the tests install."""
    on_path = shutil.which("initdb")
    wheel = find_spec("pgserver")
    folders = [
        *([Path(on_path).resolve().parent] if on_path else []),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *([Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []),
    ]
    return next((f for f in folders if (f / "initdb").is_file() and (f / "postgres").is_file()), None)


class Server:
    """A server that can be stopped, killed and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self._binaries = folder
        self._home = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # sockets have short names
        self._user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL does not run as root
        self._process: subprocess.Popen[bytes] | None = None
        if self._user:
            shutil.chown(self._home, self._user)
        self._run("initdb", "-D", str(self._home / "data"), "-U", "podshop", "-A", "trust", "--no-sync", "-E", "UTF8")

    @property
    def url(self) -> str:
        """Where it is."""
        return f"postgresql://podshop@/postgres?host={self._home}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["-D", str(self._home / "data"), "-k", str(self._home), "-c", "listen_addresses=", "-c", "fsync=off"]
        self._process = subprocess.Popen(
            [self._binaries / "postgres", *options], user=self._user, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        import psycopg

        until = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends all sessions at once, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_S)
            self._process = None

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._home)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments], user=self._user, check=True, capture_output=True, cwd="/"
        )
