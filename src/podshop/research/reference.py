"""The pages of the signal agents, a family each, from their docstrings: `python -m podshop.research.reference DIR`.

An agent without source, units or example cannot have a page.
"""

import inspect
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType
from typing import Any

from podshop.nouns import DataError, SignalAgent, duration_ns
from podshop.research.checks import FAMILIES
from podshop.run.calibrate import horizon_bars
from podshop.signals import AGENTS
from podshop.signals.roster import ROSTER

TITLES = {
    "momentum": "Momentum",
    "reversal": "Mean reversion",
    "funding": "Funding",
    "onchain": "On-chain flow",
    "sentiment": "Sentiment",
}


def pages() -> dict[str, str]:
    """File name -> text of every page: one per family, and an index."""
    found = {f"{family}.md": page(family) for family in FAMILIES}
    lines = [
        f"- [{TITLES[family]}]({family}.md): {sum(a.family == family for a in ROSTER.values())} agents, "
        f"{sum(a.family == family for a in AGENTS.values())} kinds"
        for family in FAMILIES
    ]
    intro = (
        "# The signal agents\n\n"
        "Every agent turns what was known of its markets into a conviction between -1 and 1; NaN is no opinion,\n"
        "0 is flat. "
        "These pages are made from the docstrings by `make docs`. What each agent is worth, with its error bars:\n"
        "`podshop agents score --data DIR --out scorecards.html`. To write one of yours: `podshop agents new NAME`.\n"
    )
    return {"index.md": f"{intro}\n" + "\n".join(lines) + "\n"} | found


def page(family: str) -> str:
    """One family: what it believes, its shipped agents, and every kind with source, settings, units and example."""
    kinds = {kind: cls for kind, cls in AGENTS.items() if cls.family == family}
    package = sys.modules[_module(next(iter(kinds.values()))).__name__.rpartition(".")[0]]
    shipped = [_shipped(name, agent) for name, agent in ROSTER.items() if agent.family == family]
    head = [
        f"# {TITLES[family]}",
        "",
        _belief(package),
        "",
        "| agent | kind | bar | settings | looks back | judged over |",
        "|---|---|---|---|---|---|",
        *shipped,
    ]
    return "\n".join([*head, *(line for kind, cls in kinds.items() for line in _kind(kind, cls))]) + "\n"


def _belief(package: ModuleType) -> str:
    return " ".join(inspect.cleandoc(package.__doc__ or "").split())


def _shipped(name: str, agent: SignalAgent) -> str:
    """A row for an agent of the roster."""
    kind = next(kind for kind, cls in AGENTS.items() if cls is type(agent))
    made: Any = agent
    settings = ", ".join(f"{f.name} = {getattr(made, f.name)!r}" for f in fields(made) if f.name != "bar")
    bar_days = duration_ns(agent.bar) / duration_ns("1d")
    length = (f"{count * bar_days:.4g} days" for count in (agent.lookback_bars, horizon_bars(agent)))
    return f"| `{name}` | [{kind}](#{kind}) | {agent.bar} | {settings or 'none'} | {' | '.join(length)} |"


def _kind(kind: str, cls: type[Any]) -> Iterator[str]:
    """The section of one kind."""
    module = _module(cls)
    story, colon, source = inspect.cleandoc(module.__doc__ or "").partition("Source:")
    if not colon or not source.strip():
        raise DataError(f"{kind}: the docstring of {module.__name__} names no 'Source:'")
    function = _function(module, kind)
    units = inspect.cleandoc(function.__doc__ or "")
    if "(T, M)" not in units or "->" not in units:
        raise DataError(f"{kind}: the docstring of {function.__name__} gives no shapes and units")
    if ">>>" not in units:
        raise DataError(f"{kind}: the docstring of {function.__name__} has no example")
    yield from ("", f"## {kind}", "", f"{inspect.cleandoc(cls.__doc__ or '')}", "", story.strip(), "")
    yield f"Source: {' '.join(source.split())}"
    yield ""
    settings = [f"`{f.name}` = `{'given' if f.default is MISSING else f.default!r}`" for f in fields(cls)]
    yield f"Reads {', '.join(f'`{name}`' for name in cls.reads)}. Settings: {', '.join(settings)}."
    if cls.cross_sectional:
        yield "\nIt holds markets against one another, so what it says of one depends on which others it covers."
    yield from ("", "```text", f"{function.__name__}{_arguments(function)}", "", units, "```")


def _function(module: ModuleType, kind: str) -> Any:
    """The array function of a kind: the first that its module defines."""
    own = [f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
    public = [f for f in own if not f.__name__.startswith("_")]
    if not public:
        raise DataError(f"{kind}: {module.__name__} has no function that a notebook could call")
    return min(public, key=lambda f: f.__code__.co_firstlineno)


def _arguments(function: Any) -> str:
    return f"({', '.join(inspect.signature(function).parameters)})"


def _module(cls: type[Any]) -> ModuleType:
    return sys.modules[cls.__module__]


def main(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
