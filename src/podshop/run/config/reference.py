"""The reference of a fund file, from the docstrings of its tables: for README.md, and for `podshop init`."""

import inspect
import re
from dataclasses import MISSING, Field, fields
from importlib.resources import files
from typing import Any

from podshop.nouns import Mandate
from podshop.run.config.sections import (
    AllocatorSection,
    Confidence,
    DrawdownSection,
    EvidenceSection,
    Fund,
    LimitsSection,
    MarketSection,
    SignalSeat,
    VenueSection,
)

# Table of the file -> the dataclass whose fields are its keys, and those of them that are not keys.
TABLES: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "": (
        Fund,
        (
            "market",
            "confidence",
            "signals",
            "mandates",
            "agents",
            "limits",
            "drawdown",
            "allocator",
            "venue",
            "evidence",
            "instruments",
            "sha256",
        ),
    ),
    "market": (MarketSection, ()),
    "confidence": (Confidence, ()),
    "signals.NAME": (SignalSeat, ("name", "agent")),
    "execution.NAME": (Mandate, ("name",)),
    "limits": (LimitsSection, ()),
    "risk.drawdown_limiter": (DrawdownSection, ()),
    "treasury.allocator": (AllocatorSection, ()),
    "venue": (VenueSection, ()),
    "evidence": (EvidenceSection, ()),
}


def starter() -> str:
    """The fund that one should start with: commented TOML."""
    return files("podshop.run.config").joinpath("starter.toml").read_text(encoding="utf-8")


def fifty() -> str:
    """The fund of all shipped signal agents, each over ten to fifteen markets."""
    return files("podshop.run.config").joinpath("fifty.toml").read_text(encoding="utf-8")


def smallest() -> str:
    """The shortest fund file there is: one signal, one book, everything else as it is by default."""
    return files("podshop.run.config").joinpath("smallest.toml").read_text(encoding="utf-8")


def reference() -> str:
    """All keys of a fund file as Markdown: one table for each table of the file."""
    parts = []
    for name, (cls, hidden) in TABLES.items():
        rows = [
            f"| `{f.name}` | {_default(name, f)} | {meaning(cls, f.name)} |"
            for f in fields(cls)
            if f.name not in hidden
        ]
        title = f"`[{name}]`" if name else "top level"
        parts.append(
            "\n".join([f"**{title}**: {_first_line(cls)}", "", "| key | default | meaning |", "|---|---|---|", *rows])
        )
    return "\n\n".join(parts) + "\n"


def meaning(cls: type[Any], key: str) -> str:
    """What a key means, from the line `key   text` of its class' docstring and those indented below; "" if none."""
    text = inspect.cleandoc(cls.__doc__ or "")  # Python 3.13 takes the indentation away by itself, older ones do not
    found = re.search(rf"^{key}  +(\S.*(?:\n +\S.*)*)$", text, flags=re.MULTILINE)
    return " ".join(found.group(1).split()) if found else ""


def _first_line(cls: type[Any]) -> str:
    return (cls.__doc__ or "").partition("\n")[0]


def _default(table: str, key: Field[Any]) -> str:
    """A key's default as it would stand in the file; agents' markets have theirs from the [market] table."""
    if key.name == "markets" and table != "market":
        return "all of `[market]`"
    default = key.default_factory() if key.default_factory is not MISSING else key.default
    if default is MISSING:
        return "must be given"
    if default in ((), {}):
        return "none"
    return f"`{default!r}`".replace("'", '"')
