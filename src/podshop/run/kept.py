"""What a backtest keeps so that it can be asked afterwards: its fund, where its data came from, every ruling on limits.

    fund.json     the fund file as data, every default filled in: `fund_from` reads it, and its hash must come out again
    limits.jsonl  one line for each ruling of the risk office that changed something (run/desk.py: told)
    capital.jsonl one line for each midnight at which a weight or a stage changed, with reasons (run/treasurer.py)
    result.json   `data`: folder and period of the history

Classes of one's own are kept by name, with the folder they were found in and a hash of their file.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from podshop.journal.record import CAPITAL, FUND, LIMITS, RESULT
from podshop.market import data_sha256
from podshop.maths.compiled import package_sha256
from podshop.nouns import ConfigError, DataError, utc_ns, utc_text
from podshop.run.config import canonical, fund_from
from podshop.run.config.own import importable
from podshop.run.config.risk import standard
from podshop.run.config.sections import Fund
from podshop.run.world import World, read_world


@dataclass(frozen=True, slots=True)
class Kept:
    """A record and the fund and the world it was made of, read again.

    limits    rulings by number
    warnings  why what is recomputed might differ from what happened, in words
    """

    folder: Path
    result: Mapping[str, Any]
    fund: Fund
    world: World
    limits: Mapping[int, Mapping[str, Any]]
    warnings: tuple[str, ...]


def texts(fund: Fund, rulings: Sequence[Mapping[str, Any]], shares: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The files that a record has beside its tables; name -> text. Rulings of the risk office, shares of capital."""
    kept = {"fund": document(fund), "own": {kind: _origin(kind, agent) for kind, agent in _strangers(fund)}}
    lines = {
        name: "".join(json.dumps(one) + "\n" for one in log) for name, log in ((LIMITS, rulings), (CAPITAL, shares))
    }
    return {FUND: json.dumps(kept, indent=2) + "\n"} | lines


def own_sha256(fund: Fund) -> dict[str, str]:
    """Class of one's own -> hash of the file it is written in."""
    return {kind: _origin(kind, agent)["sha256"] for kind, agent in _strangers(fund)}


def place_of(data: Path | None, world: World) -> dict[str, Any]:
    """Where the data came from, for `result.json`; path None = the simulated exchange."""
    return {
        "path": None if data is None else str(data.resolve()),
        "since": utc_text(world.since_ns),
        "until": utc_text(world.until_ns),
    }


def document(fund: Fund) -> dict[str, Any]:
    """A fund as a fund file would say it, every default filled in: `fund_from` makes the same fund of it."""
    whole = canonical(fund)
    top = {key: whole[key] for key in ("name", "capital_usd", "operator")}
    same = {key: whole[key] for key in ("market", "confidence", "limits", "venue", "evidence")}
    signals = {
        seat["name"]: _settings(fund.signals[i].agent, seat["agent"])
        | {key: seat[key] for key in ("kind", "markets", "calibrated")}
        for i, seat in enumerate(whole["signals"])
    }
    execution = {
        mandate["name"]: {key: mandate[key] for key in mandate if key != "name"}
        | _settings(fund.agents.get(mandate["name"]), whole["agents"].get(mandate["name"], {}))
        for mandate in whole["mandates"]
    }
    shipped = standard()
    risk: dict[str, Any] = {name: {"off": True} for name in shipped}
    for seat in whole["risk"]:
        kind = {} if seat["name"] in shipped else {"kind": seat["kind"]}
        risk[seat["name"]] = kind | {"cadence": seat["cadence"]} | seat["agent"]
    treasury = {"allocator": whole["allocator"], "graduation": whole["graduation"]}
    return top | same | {"signals": signals, "execution": execution, "risk": risk, "treasury": treasury}


def again(folder: Path) -> Kept:
    """Read a record's fund and data again.

    Raises DataError where the record is unfinished, keeps nothing to read, or the data are not those of the run, and
    ConfigError where its fund can no longer be made. Other code is a warning: what is recomputed is checked anyway.
    """
    result = finished(folder)
    missing = [name for name in (FUND, LIMITS) if not (folder / name).is_file()]
    if "data" not in result or missing:
        lacks = missing[0] if missing else "the place of its data in result.json"
        raise DataError(f"{folder}: the record keeps no {lacks}: an older podshop wrote it, run the backtest again")
    kept = _json(folder / FUND)
    fund = _fund(folder, kept)
    if fund.sha256 != result["config_sha256"]:
        raise DataError(f"{folder}: {FUND} no longer makes the fund of this record: run the backtest again")
    period = result["data"]
    since_ns, until_ns = (utc_ns(datetime.fromisoformat(period[key])) for key in ("since", "until"))
    data = None if period["path"] is None else Path(period["path"])
    if data is not None and not data.is_dir():
        raise DataError(f"{folder}: the data of this record are no longer in {data}")
    world = read_world(fund, data, since_ns, until_ns)
    if data_sha256(world.market, world.funding) != result["data_sha256"]:
        raise DataError(f"{folder}: the data in {data} are no longer those of this record: run the backtest again")
    lines = (folder / LIMITS).read_text(encoding="utf-8").splitlines()
    limits = {ruling["version"]: ruling for ruling in map(json.loads, lines)}
    return Kept(folder, result, fund, world, limits, tuple(_changed(fund, result, kept["own"])))


def finished(folder: Path) -> dict[str, Any]:
    """The result of a finished record."""
    if not (folder / RESULT).is_file():
        raise DataError(f"{folder}: no {RESULT}, so this is no record or an unfinished one")
    return _json(folder / RESULT)


def newest(under: Path) -> Path:
    """The folder of the record that was finished last, anywhere under this one."""
    found = list(under.rglob(RESULT)) if under.is_dir() else []
    if not found:
        raise ConfigError(f"there is no finished record under {under}/: name one with --record DIR")
    return max(found, key=lambda path: (path.stat().st_mtime_ns, str(path))).parent


def _fund(folder: Path, kept: Mapping[str, Any]) -> Fund:
    homes = [Path(origin["home"]) for origin in kept["own"].values()] or [folder]
    with ExitStack() as stack:
        for home in homes:
            stack.enter_context(importable(home))
        return fund_from(kept["fund"], file=str(folder / FUND), folder=homes[0])


def _changed(fund: Fund, result: Mapping[str, Any], own: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Which code is not the code of the run."""
    if result["package_sha256"] != package_sha256():
        yield "this podshop is not the one that made the record: what it recomputes may differ"
    for kind, agent in _strangers(fund):
        if _origin(kind, agent)["sha256"] != own[kind]["sha256"]:
            yield f"{kind} has been changed since the run: what it recomputes may differ"


def _strangers(fund: Fund) -> Iterator[tuple[str, Any]]:
    """Every agent of a class of one's own, with its kind."""
    yield from ((seat.kind, seat.agent) for seat in fund.signals if ":" in seat.kind)
    yield from ((seat.kind, seat.agent) for seat in fund.risk if ":" in seat.kind)
    yield from ((mandate.kind, fund.agents[mandate.name]) for mandate in fund.mandates if mandate.name in fund.agents)


def _origin(kind: str, agent: Any) -> dict[str, str]:
    """The folder from which module:Class can be imported, and the hash of the class's file."""
    module = kind.partition(":")[0]
    if module not in sys.modules:  # a fund that was put together by code
        module = type(agent).__module__
    path = Path(str(sys.modules[module].__file__)).resolve()
    inside = path.parent if path.name == "__init__.py" else path
    source = Path(str(sys.modules[type(agent).__module__].__file__)).read_bytes()
    return {"home": str(inside.parents[module.count(".")]), "sha256": hashlib.sha256(source).hexdigest()}


def _settings(agent: Any, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Those of an agent's fields that a file may set; of nobody's, none."""
    return {} if agent is None else {f.name: plain[f.name] for f in fields(agent) if f.init}


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError) as e:
        raise DataError(f"{path} cannot be read: {e}") from None
