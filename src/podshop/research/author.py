"""For authors of agents: a file to start from, and finding the agent that somebody names."""

import importlib
import importlib.util
import inspect
import keyword
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from podshop.nouns import ConfigError, ExecutionAgent, SignalAgent
from podshop.nouns.limits import RiskAgent
from podshop.research import templates
from podshop.run.config.own import combines, oversees

USED = (
    "maths",
    "rolling",
    "confidence",
    "np",
    "voice",
    "weights",
    "view",
)  # what the files that `write` writes call so
ASKED = ("bar", "reads", "family", "cross_sectional", "lookback_bars")


TEMPLATES = {
    "signal": (templates.SIGNAL, templates.SIGNAL_TEST),
    "execution": (templates.EXECUTION, templates.EXECUTION_TEST),
    "risk": (templates.RISK, templates.RISK_TEST),
}


def find(what: str) -> SignalAgent | ExecutionAgent | RiskAgent:
    """The agent that is meant, with its default settings; `layer` tells what kind of agent a class is.

    what  a kind or a shipped agent (momentum, trend_week), module:Class (of this folder, or installed), path.py:Class,
          path.py with one agent in it, or the name of such a file in this folder
    Raises ConfigError where there is none.
    """
    from podshop.signals import AGENTS
    from podshop.signals.roster import ROSTER

    if what in ROSTER:
        return ROSTER[what]
    if what in AGENTS:
        return _made(AGENTS[what], what)
    place, colon, name = what.rpartition(":")
    place = place if colon else name
    if place.endswith(".py"):
        return _made(_chosen(_from_file(Path(place)), name if colon else "", what), what)
    if colon:
        return _made(_chosen(_imported(place, what), name, what), what)
    if Path(f"{what}.py").is_file():
        return _made(_chosen(_from_file(Path(f"{what}.py")), "", what), what)
    near = get_close_matches(what, [*ROSTER, *AGENTS], n=1)
    hint = (
        f", did you mean {near[0]!r}?"
        if near
        else ", expected a name of `podshop agents list`, module:Class or path.py:Class"
    )
    raise ConfigError(f"no agent {what!r}{hint}")


def layer(cls: type[Any]) -> str:
    """Which layer a class of agents is for: signal, execution, risk, or '' for none. Who reads columns is a signal."""
    if is_dataclass(cls) and hasattr(cls, "reads"):
        return "signal"
    return "execution" if combines(cls) else "risk" if oversees(cls) else ""


def write(name: str, folder: Path, for_layer: str = "signal") -> tuple[Path, Path]:
    """Write NAME.py, an agent of a layer (see TEMPLATES) that works, and test_NAME.py, which holds it to its contract.

    Raises ConfigError for a name that no module can have, or a file that is there already.
    """
    if wrong := _wrong_name(name):
        raise ConfigError(f"{name!r} cannot name an agent: {wrong}")
    agent, test = folder / f"{name}.py", folder / f"test_{name}.py"
    for path in (agent, test):
        if path.exists():
            raise ConfigError(f"{path}: is there already, and nothing was written")
    if name in sys.stdlib_module_names or any(finder.find_spec(name, None) for finder in sys.meta_path):
        raise ConfigError(f"{name!r} cannot name an agent: there is a module of that name, which it would hide")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in zip((agent, test), TEMPLATES[for_layer], strict=True):
        path.write_text(text.replace("NAME", name).replace("CLASS", class_name(name)), encoding="utf-8")
    return agent, test


def class_name(name: str) -> str:
    """What the class in NAME.py is called.

    >>> class_name("quiet_trend")
    'QuietTrend'
    """
    return "".join(word.capitalize() for word in name.split("_"))


def _wrong_name(name: str) -> str:
    """What is wrong with a name for an agent's file, function and class; '' if nothing."""
    if keyword.iskeyword(name):
        return "it is a word of Python's own"
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        return "expected small letters, digits and _, such as 'quiet_trend'"
    if name in USED:
        return f"the file that is written uses {name} for something else"
    return ""


def _made(cls: Any, what: str) -> SignalAgent | ExecutionAgent | RiskAgent:
    lacks = [part for part in (*ASKED, "__call__") if not hasattr(cls, part)]
    if lacks and layer(cls) not in ("execution", "risk"):
        raise ConfigError(f"{what}: is not a signal agent, it lacks {', '.join(lacks)}")
    try:
        agent: SignalAgent | ExecutionAgent | RiskAgent = cls()
    except Exception as e:  # noqa: BLE001  whatever a stranger's class raises
        raise ConfigError(f"{what}: cannot be made with its default settings: {type(e).__name__}: {e}") from None
    return agent


def _chosen(module: ModuleType, name: str, what: str) -> type[Any]:
    """The class of that name, or the only agent in the file."""
    if name:
        if not hasattr(module, name):
            raise ConfigError(f"{what}: there is no {name!r} in {module.__name__}")
        chosen: type[Any] = getattr(module, name)
        return chosen
    agents = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and layer(cls)
    ]
    if len(agents) != 1:
        there = ", ".join(cls.__name__ for cls in agents) or "none"
        raise ConfigError(f"{what}: expected one agent in the file, or its name as {what}:Class; there are: {there}")
    return agents[0]


def _from_file(path: Path) -> ModuleType:
    """Import a file that need not be on any path, with its own folder beside it."""
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    with _beside(path.parent, str(path)):
        spec.loader.exec_module(module)
    return module


def _imported(name: str, what: str) -> ModuleType:
    """Import a module of this folder, or an installed one; a command's own path does not hold this folder."""
    importlib.invalidate_caches()  # the file may be younger than what is remembered of its folder
    with _beside(Path(), what):
        return importlib.import_module(name)


@contextmanager
def _beside(folder: Path, what: str) -> Iterator[None]:
    """Import with a folder last on the path, as fund files do; whatever a user's code raises, it cannot be imported."""
    before = sys.path.copy()
    sys.path.append(str(folder.resolve()))
    try:
        yield
    except Exception as e:  # noqa: BLE001  a user's file may raise anything
        raise ConfigError(f"{what}: cannot be imported: {type(e).__name__}: {e}") from None
    finally:
        sys.path[:] = before
