"""The agents of a fund, layer by layer, as `podshop agents list` shows them: rows for programs, tables for people."""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from textwrap import wrap
from typing import Any

from podshop.nouns import Mandate
from podshop.run.config import coarse
from podshop.run.config.risk import settings
from podshop.run.config.sections import Fund, RiskSeat, SignalSeat

WIDTH = 120  # columns of a terminal
STICKS = "\N{NO-BREAK SPACE}"  # where no line is broken; a space once lines are made
SHOWN = ("prices", "positions", "books", "nav")  # what risk agents are shown: podshop.nouns.limits.RiskView
LAYERS = ("signals", "execution", "risk", "treasury")


def agents(fund: Fund) -> list[dict[str, Any]]:
    """One row for every agent, in the order in which the layers hear one another."""
    every, allocator, graduation = fund.market.markets, fund.allocator, fund.graduation
    gate = [graduation] if graduation.kind == "on" else []
    return [
        *(_signal(seat) for seat in fund.signals),
        *(_book(mandate) for mandate in fund.mandates),
        *(_overseer(seat, every) for seat in fund.risk),
        _row("treasury", "allocator", allocator.kind, every, ("books",), "1d", allocator),
        *(_row("treasury", "graduation", one.signer, every, ("books",), "1d", one) for one in gate),
    ]


def kinds() -> list[dict[str, Any]]:
    """Every kind of signal agent, and its settings."""
    from podshop.signals import AGENTS

    classes: dict[str, Any] = {**AGENTS}
    return [
        {
            "kind": kind,
            "family": cls.family,
            "about": _about(cls),
            "reads": list(cls.reads),
            "settings": {f.name: None if f.default is MISSING else f.default for f in fields(cls)},
        }
        for kind, cls in classes.items()
    ]


def text(fund: Fund) -> str:
    """A table for each layer, then the kinds; no line is longer than WIDTH."""
    of = {layer: [row for row in agents(fund) if row["layer"] == layer] for layer in LAYERS}
    signals = [
        (a["name"], a["kind"], a["cadence"], str(a["lookback_bars"]), str(len(a["markets"])), ", ".join(a["reads"]))
        for a in of["signals"]
    ]
    books = [
        (
            a["name"], a["horizon"], a["style"], a["cadence"], a["outlook"], str(len(a["markets"])),
            f"{100 * a['cost_budget']:g} %", _heard(a),
        )
        for a in of["execution"]
    ]  # fmt: skip
    others = [(a["layer"], a["name"], a["kind"], a["cadence"], _settings(a)) for a in (*of["risk"], *of["treasury"])]
    return "\n".join(
        [
            f"{len(signals)} signal agents",
            "",
            *_table(("name", "kind", ">bar", ">bars back", ">markets", "reads"), signals),
            "",
            f"{len(books)} execution agents; costs: most that trading may cost in a year, of capital",
            "",
            *_table(("name", "horizon", "style", ">every", ">looks ahead", ">markets", ">costs", "hears"), books),
            *(["", *coarse(fund)] if coarse(fund) else []),
            "",
            "risk and treasury",
            "",
            *_table(("layer", "name", "kind", ">every", "settings"), others),
            "",
            "Kinds of signal agents, and their settings:",
            "",
            *(line for kind in kinds() for line in _kind(kind)),
        ]
    )


def _signal(seat: SignalSeat) -> dict[str, Any]:
    agent: Any = seat.agent
    return _row("signals", seat.name, seat.kind, seat.markets, agent.reads, agent.bar, agent) | {
        "family": getattr(agent, "family", ""),  # one's own agents need have none
        "lookback_bars": agent.lookback_bars,
    }


def _book(mandate: Mandate) -> dict[str, Any]:
    row = _row(
        "execution", mandate.name, mandate.kind, mandate.markets, tuple(mandate.listens), mandate.cadence, mandate
    )
    heard = ("horizon", "style", "outlook", "urgency", "cost_factor", "cost_budget")
    about = {"about": f"{mandate.style}, {mandate.horizon}", "listens": dict(mandate.listens)}
    return row | {key: getattr(mandate, key) for key in heard} | about


def _overseer(seat: RiskSeat, every: Sequence[str]) -> dict[str, Any]:
    row = _row("risk", seat.name, seat.kind, every, SHOWN, seat.cadence, seat.agent)
    return row | {"settings": settings(seat.agent)}


def _row(
    layer: str, name: str, kind: str, markets: Sequence[str], reads: Sequence[str], cadence: str, agent: Any
) -> dict[str, Any]:
    """The words that every layer has."""
    return {
        "layer": layer,
        "name": name,
        "kind": kind,
        "markets": list(markets),
        "reads": list(reads),
        "cadence": cadence,
        "about": _about(type(agent)),
        "settings": {f.name: getattr(agent, f.name) for f in fields(agent)},
    }


def _about(cls: type[Any]) -> str:
    return (cls.__doc__ or "").partition("\n")[0]


def _heard(book: dict[str, Any]) -> str:
    """Whom a book hears, with the weight where it is not 1, and who combines them where that is not the blend."""
    voices = ", ".join(
        name if weight == 1 else f"{name}{STICKS}x{STICKS}{weight:g}" for name, weight in book["listens"].items()
    )
    return voices if book["kind"] == "blend" else f"{voices}; by{STICKS}{book['kind']}"


def _settings(agent: dict[str, Any]) -> str:
    shown = {key: value for key, value in agent["settings"].items() if key not in ("kind", "cadence")}
    return ", ".join(f"{key}{STICKS}={STICKS}{value!r}" for key, value in shown.items())


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as what they hold, those with > to the right; the last is wrapped below itself."""
    names = [head.removeprefix(">") for head in heads]
    widths = [max(len(row[i]) for row in (names, *rows)) for i in range(len(heads) - 1)]
    room = WIDTH - sum(widths) - 2 * len(widths)
    for row in (names, *rows):
        cells = [
            f"{cell:>{width}}" if head.startswith(">") else f"{cell:<{width}}"
            for cell, width, head in zip(row, widths, heads, strict=False)
        ]
        for i, last in enumerate(_lines(row[-1], room) or [""]):
            yield "  ".join([*(cells if i == 0 else (" " * width for width in widths)), last]).rstrip()


def _kind(kind: dict[str, Any]) -> Iterator[str]:
    yield from _lines(f"{kind['kind']} ({kind['family']}): {kind['about']}", WIDTH, "", "  ")
    yield from _lines(f"reads {', '.join(kind['reads'])}", WIDTH, "  ", "    ")
    yield from _lines(f"set by {_settings(kind)}", WIDTH, "  ", "    ")


def _lines(said: str, width: int, first: str = "", others: str = "") -> list[str]:
    return [line.replace(STICKS, " ") for line in wrap(said, width, initial_indent=first, subsequent_indent=others)]
