"""The pages of the agents: `python -m podshop.research.reference DIR`.

A page for each family of signal agents, from their docstrings: one without source, units or example cannot have a page.
A page for the execution agents, from the fund file of the fifty: one without a reason above its table has none either.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType
from typing import Any

from podshop.nouns import DataError, ExecutionAgent, Mandate, SignalAgent, duration_ns
from podshop.research.checks import FAMILIES
from podshop.run.calibrate import horizon_bars
from podshop.run.config import fifty, fifty_fund
from podshop.run.config.checks import HORIZONS
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
    """File name -> text of every page: one per family, one of the execution agents, and an index."""
    found = {f"{family}.md": page(family) for family in FAMILIES}
    lines = [
        f"- [{TITLES[family]}]({family}.md): {sum(a.family == family for a in ROSTER.values())} agents, "
        f"{sum(a.family == family for a in AGENTS.values())} kinds"
        for family in FAMILIES
    ]
    intro = (
        "# The agents\n\n"
        "Every signal agent turns what was known of its markets into a conviction between -1 and 1; NaN is none,\n"
        "0 is flat. "
        "These pages are made from the docstrings by `make docs`. What each agent is worth, with its error bars:\n"
        "`podshop agents score --data DIR --out scorecards.html`. To write one of yours: `podshop agents new NAME`.\n"
    )
    books = fifty_fund().mandates
    lines.append(
        f"\nWhat they say is heard by {len(books)} [execution agents](execution.md): "
        + ", ".join(f"{sum(m.horizon == horizon for m in books)} {horizon}" for horizon in HORIZONS)
    )
    return {"index.md": f"{intro}\n" + "\n".join(lines) + "\n", "execution.md": execution(books, fifty())} | found


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


def execution(books: Sequence[Mandate], file: str) -> str:
    """The execution agents of a fund file: what each is told, and the reason that stands above its table."""
    head = [
        "# Execution",
        "",
        "An execution agent turns what signals say into positions of a book of its own. These are the mandates of",
        "`funds/fifty.toml`, with the reasons that stand there; [the README](../../README.md#the-fund-file) says what",
        "each key means. Each sizes a position by its volatility target and the market's own risk, leaves at its stop",
        "or after its longest holding, and grows only where what its forecasts were worth beats what the trade costs.",
    ]
    return "\n".join([*head, *(line for h in HORIZONS for line in _horizon(h, books, file)), *_own()]) + "\n"


def _horizon(horizon: str, books: Sequence[Mandate], file: str) -> Iterator[str]:
    """The table of a horizon's mandates, and their reasons."""
    mine = [m for m in books if m.horizon == horizon]
    yield from ("", f"## {horizon.capitalize()}", "")
    yield "| agent | hears | markets | decides every | looks ahead | trades | risk | costs at most |"
    yield "|---|---|---|---|---|---|---|---|"
    for m in mine:
        voices = ", ".join(f"{name} x {weight:g}" if weight != 1 else name for name, weight in m.listens.items())
        style = m.style if m.style == "taker" else f"{m.style} within {m.urgency}"
        yield (
            f"| `{m.name}` | {voices} | {len(m.markets)} | {m.cadence} | {m.outlook} | {style} | "
            f"{100 * m.volatility_target:g} % | {100 * m.cost_budget:g} % |"
        )
    yield ""
    for m in mine:
        if not (found := re.search(rf"((?:^# .*\n)+)\[execution\.{m.name}\]$", file, flags=re.MULTILINE)):
            raise DataError(f"{m.name}: no reason stands above its table in the fund file")
        yield f"- `{m.name}`: {' '.join(found.group(1).replace('# ', '').split())}"


def _own() -> Iterator[str]:
    """How to combine voices otherwise."""
    yield from ("", "## One of your own", "")
    yield "The voices are blended: weighted, added, and enlarged by as much as they have disagreed in the past"
    yield '(`max_diversification`). A class of your own takes the place of that, with `kind = "module:Class"`;'
    yield "`podshop agents new NAME --execution` writes one that works, `podshop agents check` holds it to this:"
    call = inspect.cleandoc(ExecutionAgent.__call__.__doc__ or "")
    yield from ("", "```text", "agent(voice, weights)", "", call, "```")


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
