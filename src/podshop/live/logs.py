"""Logs of a live process: JSON lines, 14 files of 64 MB, searched for secrets by value before anything is written.

Libraries log what they are given: a whole URL, a header, a body. So a filter by name of the logger or of the field is
not enough: every line is searched for the keys themselves, in each form of `secrets.faces`, and so is a traceback.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from podshop.live.secrets import faces
from podshop.venues.wire import Secret

FILES = 14
BYTES = 64_000_000
LONGEST = 20_000  # characters of one line
HIDDEN = "<secret>"


class Redacted(logging.Formatter):
    """One JSON object a line, without a secret in it."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self._faces = tuple(face for secret in secrets for face in faces(secret))

    def format(self, record: logging.LogRecord) -> str:
        """A record as its line; one that cannot be formatted says so instead of raising."""
        try:
            text = record.getMessage()
        except Exception as e:  # noqa: BLE001 - whoever logged it made a mistake, and the log goes on
            text = f"a line that could not be formatted: {type(e).__name__}"
        if record.exc_info and record.exc_info[1] is not None:
            text += "\n" + "".join(traceback.format_exception(record.exc_info[1]))
        said = {
            "at": int(record.created * 1e9),
            "level": record.levelname,
            "from": record.name,
            "text": self.hide(text)[:LONGEST],
        }
        return self.hide(json.dumps(said, ensure_ascii=True))

    def hide(self, text: str) -> str:
        """A text without secrets."""
        for face in self._faces:
            text = text.replace(face, HIDDEN)
        return text


def start(folder: Path, who: str, secrets: Iterable[Secret] = (), *, files: int = FILES, size: int = BYTES) -> Redacted:
    """Log to FOLDER/WHO.log and to stderr from now on, uncaught errors too; no line of either holds a secret."""
    redacted = Redacted(secrets)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(Rotating(folder / f"{who}.log", maxBytes=size, backupCount=files - 1, encoding="utf-8"))
    except OSError as e:
        print(f"{folder}: no log is kept: {e.strerror}", file=sys.stderr)  # noqa: T201 - there is nowhere else
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(logging.INFO)
    for handler in handlers:
        handler.setFormatter(redacted)
    logging.raiseExceptions = False  # a handler that fails writes the raw record to stderr otherwise

    def uncaught(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        root.critical("uncaught", exc_info=(kind, error, at))

    sys.excepthook = uncaught
    return redacted


class Rotating(RotatingFileHandler):
    """A full disk stops the log and not the process."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop the line."""
