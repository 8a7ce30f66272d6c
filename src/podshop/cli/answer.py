"""How a command answers: JSON for programs on stdout, words for people on stderr, and a bar while they wait."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeAlias

from cyclopts import Parameter

AsJson: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", help="Put one JSON object on stdout.")]
Progress: TypeAlias = Callable[[int, int, str], None]


def answer(result: Any, text: str, *, as_json: bool) -> None:
    """Show a result: as words on stderr, and as one JSON object on stdout if asked."""
    print(text, file=sys.stderr)
    if as_json:
        print(json.dumps(plain(result), allow_nan=False))


def plain(value: Any) -> Any:
    """Make a result fit for JSON, which has no NaN: what is unknown is null.

    >>> plain({"sharpe": float("nan"), "days": (1, 2)})
    {'sharpe': None, 'days': [1, 2]}
    """
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "item"):  # a number of numpy's
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


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
