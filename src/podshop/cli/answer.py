"""How a command answers: JSON for programs on stdout, words for people on stderr, and a bar while they wait."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeAlias

from cyclopts import Parameter

from podshop.report.plain import plain

AsJson: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", help="Put one JSON object on stdout.")]
Progress: TypeAlias = Callable[[int, int, str], None]


def answer(result: Any, text: str, *, as_json: bool) -> None:
    """Show a result: as words on stderr, and as one JSON object on stdout if asked."""
    print(text, file=sys.stderr)
    if as_json:
        print(json.dumps(plain(result), allow_nan=False))


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar on stderr where that is a terminal, otherwise nothing: `show(done, total, text)`."""
    if not sys.stderr.isatty():
        yield lambda done, total, text: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, text: bar.update(task, completed=done, total=total, description=text)
