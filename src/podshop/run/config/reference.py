"""The reference of a fund file, from the docstrings of its tables: for README.md, and for `podshop init`."""

import inspect
import re
from dataclasses import MISSING, Field, fields
from importlib.resources import files
from typing import Any

from podshop.nouns import Mandate
from podshop.run.config import risk
from podshop.run.config.sections import (
    AllocatorSection,
    Confidence,
    EvidenceSection,
    Fund,
    GraduationSection,
    LimitsSection,
    MarketSection,
    RiskSeat,
    SignalSeat,
    VenueSection,
)


def tables() -> dict[str, tuple[type[Any], tuple[str, ...]]]:
    """Table of the file -> the dataclass whose fields are its keys, and those of them that are not keys."""
    of_fund = (
        "market", "confidence", "signals", "mandates", "agents", "limits", "risk", "allocator", "graduation", "venue",
        "evidence", "instruments", "sha256",
    )  # fmt: skip
    standard = {f"risk.{name}": (cls, (risk.REMEMBERED,)) for name, cls in risk.standard().items()}
    return {
        "": (Fund, of_fund),
        "market": (MarketSection, ()),
        "confidence": (Confidence, ()),
        "signals.NAME": (SignalSeat, ("name", "agent")),
        "execution.NAME": (Mandate, ("name",)),
        "limits": (LimitsSection, ()),
        **standard,
        "risk.NAME": (RiskSeat, ("name", "agent")),
        "treasury.allocator": (AllocatorSection, ()),
        "treasury.graduation": (GraduationSection, ()),
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
    for name, (cls, hidden) in tables().items():
        rows = [
            f"| `{f.name}` | {_default(name, f)} | {meaning(cls, f.name)} |"
            for f in fields(cls)
            if f.name not in hidden and f.init
        ]
        rows += _of_seat(name)
        title = f"`[{name}]`" if name else "top level"
        parts.append(
            "\n".join([f"**{title}**: {_first_line(cls)}", "", "| key | default | meaning |", "|---|---|---|", *rows])
        )
    return "\n\n".join(parts) + "\n"


def _of_seat(table: str) -> list[str]:
    """The keys that a risk agent's table has beside its settings."""
    layer, _, name = table.partition(".")
    if layer != "risk":
        return []
    cadence = (
        [f'| `cadence` | `"{risk.CADENCES[name]}"` | {meaning(RiskSeat, "cadence")} |'] if name in risk.CADENCES else []
    )
    return [*cadence, f"| `off` | `False` | {meaning(RiskSeat, 'off')} |"]


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
