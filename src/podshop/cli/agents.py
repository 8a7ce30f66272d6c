"""podshop agents list"""

from dataclasses import MISSING, fields
from typing import Any

from podshop.cli.answer import AsJson, answer


def listing(*, json: AsJson = False) -> None:
    """List every signal agent: what it believes, what it reads, and its settings."""
    from podshop.signals import AGENTS

    agents = [_describe(kind, cls) for kind, cls in AGENTS.items()]
    answer({"agents": agents}, "\n\n".join(map(_text, agents)), as_json=json)


def _describe(kind: str, cls: type[Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "family": cls.family,
        "about": (cls.__doc__ or "").partition("\n")[0],
        "reads": list(cls.reads),
        "settings": {f.name: None if f.default is MISSING else f.default for f in fields(cls)},
    }


def _text(agent: dict[str, Any]) -> str:
    settings = ", ".join(f"{name} = {value!r}" for name, value in agent["settings"].items())
    return (
        f"{agent['kind']} ({agent['family']}): {agent['about']}\n"
        f"  reads {', '.join(agent['reads'])}\n  set by {settings}"
    )
