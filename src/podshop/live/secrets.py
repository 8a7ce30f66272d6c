"""Keys: from an inherited descriptor or a file of mode 0600, never from the environment, an argument or a fund file.

What holds a key in memory is `venues.wire.Secret`, which no print, log, pickle or traceback shows. Logs are searched
for keys by value too (`live.logs`), in case something else learned one.
"""

import os
import stat
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

from podshop.nouns import ConfigError
from podshop.venues.wire import Secret

KEY_FD = "PODSHOP_KEY_FD"  # the number of the descriptor, which is no secret
MOST_BYTES = 4096


def read_key(path: str) -> Secret | None:
    """The process' own key: of the descriptor it inherited, else of its file; None where the configuration names none.

    Raises ConfigError for a file that others can read, or that holds no key.
    """
    inherited = os.environ.pop(KEY_FD, "")
    if inherited:
        file = int(inherited)
        try:
            return _secret(os.pread(file, MOST_BYTES, 0), "the inherited key")
        finally:
            os.close(file)
    return read_file(Path(path)) if path else None


def read_file(path: Path) -> Secret:
    """A key of a file that only its owner can read."""
    file = open_key(path)
    try:
        return _secret(os.pread(file, MOST_BYTES, 0), str(path))
    finally:
        os.close(file)


def open_key(path: Path) -> int:
    """A descriptor of a key file, to read or to hand on. Raises ConfigError where others than its owner can read it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as e:
        raise ConfigError(f"{path}: the key cannot be read: {e.strerror}, expected a file of mode 0600") from None
    about = os.fstat(file)
    wrong = ""
    if not stat.S_ISREG(about.st_mode):
        wrong = "is no file"
    elif stat.S_IMODE(about.st_mode) & 0o077:
        wrong = f"has mode {stat.S_IMODE(about.st_mode):04o}: others can read the key (chmod 600)"
    elif about.st_uid not in (os.getuid(), 0):
        wrong = f"belongs to user {about.st_uid}, not to the one that runs this"
    if wrong:
        os.close(file)
        raise ConfigError(f"{path}: {wrong}, expected a file of mode 0600")
    return file


def faces(secret: Secret) -> tuple[str, ...]:
    """A key in every dress in which it could appear in a log: plain, base64, hex, URL-encoded, and its beginning.

    Its first eight characters alone are shown by tools that mean well: a key is recognised by them too.
    """
    plain = secret.reveal()
    bare = plain.removeprefix("0x")
    found = {
        plain,
        bare,
        bare.upper(),
        b64encode(plain.encode()).decode().rstrip("="),
        plain.encode().hex(),
        quote(plain, safe=""),
    }
    return tuple(sorted((*found, bare[:8]), key=len, reverse=True)) if len(bare) >= 16 else tuple(sorted(found))


def _secret(raw: bytes, where: str) -> Secret:
    try:
        return Secret(raw.decode("ascii").strip())
    except (UnicodeDecodeError, ConfigError):
        raise ConfigError(f"{where}: holds no key: expected one line of ASCII") from None
