"""A fund file -> a Fund; every mistake is one line that says where, what was found, and what was expected."""

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, cast, get_type_hints

from podshop.nouns import ConfigError, ExecutionAgent, Instrument, Mandate, SignalAgent, duration_ns
from podshop.nouns.symbols import instrument
from podshop.run.config import checks, own, risk
from podshop.run.config.reading import TABLE, Place, one_line, record, value, values
from podshop.run.config.reference import fifty, starter
from podshop.run.config.sections import (
    AllocatorSection,
    Confidence,
    EvidenceSection,
    Fund,
    GraduationSection,
    LimitsSection,
    MarketSection,
    SignalSeat,
    VenueSection,
)

TABLES = ("market", "confidence", "signals", "execution", "limits", "risk", "treasury", "venue", "evidence")


def load(path: Path) -> Fund:
    """Read and check a fund file.

    Raises ConfigError, with one line of text, for whatever is wrong with it.
    """
    return fund_from(_toml(path), file=str(path), folder=path.parent)


def starter_fund() -> Fund:
    """The fund that `podshop init --starter` writes."""
    return fund_from(tomllib.loads(starter()), file="starter.toml", folder=Path())


def fifty_fund() -> Fund:
    """The fund of all shipped signal agents."""
    return fund_from(tomllib.loads(fifty()), file="fifty.toml", folder=Path())


def fund_from(document: Mapping[str, Any], file: str, folder: Path) -> Fund:
    """Build the fund that a parsed file asks for; agents given as module:Class are also looked for in `folder`."""
    top = Place(file)
    hints = get_type_hints(Fund, include_extras=True)
    plain = {key: hints[key] for key in ("name", "capital_usd", "operator")}
    found = values(top, document, plain | dict.fromkeys(TABLES, TABLE), ("name", "market", "signals", "execution"))
    tables = {name: found.pop(name, {}) for name in TABLES}

    treasury = values(top.at("treasury"), tables["treasury"], {"allocator": TABLE, "graduation": TABLE})
    market = record(top.at("market"), tables["market"], MarketSection)
    interval_ns = checks.check_market(top.at("market"), market)
    seats = tuple(_seats(top.at("signals"), tables["signals"], market, interval_ns, folder))
    books = tuple(_books(top.at("execution"), tables["execution"], market, seats, interval_ns, folder))
    venue = record(top.at("venue"), tables["venue"], VenueSection)
    fund = Fund(
        **found,
        market=market,
        confidence=record(top.at("confidence"), tables["confidence"], Confidence),
        signals=seats,
        mandates=tuple(mandate for mandate, _ in books),
        agents={mandate.name: agent for mandate, agent in books if agent is not None},
        limits=record(top.at("limits"), tables["limits"], LimitsSection),
        risk=tuple(risk.seats(top.at("risk"), tables["risk"], folder)),
        allocator=record(top.at("treasury").at("allocator"), treasury.get("allocator", {}), AllocatorSection),
        graduation=record(top.at("treasury").at("graduation"), treasury.get("graduation", {}), GraduationSection),
        venue=venue,
        evidence=record(top.at("evidence"), tables["evidence"], EvidenceSection),
        instruments=tuple(_instruments(top.at("venue"), market.markets, venue)),
    )
    _check(top, fund, interval_ns)
    return replace(fund, sha256=hashlib.sha256(json.dumps(canonical(fund)).encode()).hexdigest())


def canonical(fund: Fund) -> dict[str, Any]:
    """Everything a fund is, as plain data: with every default filled in, in the order of the file, without comments."""
    whole = asdict(replace(fund, risk=()))
    whole["risk"] = [
        {"name": seat.name, "kind": seat.kind, "agent": risk.settings(seat.agent), "cadence": seat.cadence}
        for seat in fund.risk
    ]
    del whole["sha256"]
    return cast(dict[str, Any], json.loads(json.dumps(whole, default=str)))


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigError(f"{path}: cannot be read: {e.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text, expected a TOML file") from None
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(f"{path}: is not TOML: {one_line(e)}") from None


def _seats(
    place: Place, tables: Mapping[str, Any], market: MarketSection, interval_ns: int, folder: Path
) -> Iterator[SignalSeat]:
    checks.check_names(place, tuple(tables))
    for name, table in tables.items():
        at = place.at(name)
        if not isinstance(table, dict):
            raise at.wrong(table, "a table")
        settings = dict(table)
        if "kind" not in settings:
            raise ConfigError(f"{at} lacks 'kind', expected a name from `podshop agents list`, or module:Class")
        kind = value(at.at("kind"), settings.pop("kind"), str)
        markets = value(at.at("markets"), settings.pop("markets", list(market.markets)), tuple[str, ...])
        checks.check_names(at.at("markets"), markets, market.markets)
        calibrated = value(at.at("calibrated"), settings.pop("calibrated", False), bool)
        with own.importable(folder):
            agent = cast(SignalAgent, record(at, settings, own.signal_class(at.at("kind"), kind)))
        checks.check_agent(at, agent, interval_ns)
        yield SignalSeat(name=name, kind=kind, agent=agent, markets=markets, calibrated=calibrated)


def _books(
    place: Place,
    tables: Mapping[str, Any],
    market: MarketSection,
    seats: tuple[SignalSeat, ...],
    interval_ns: int,
    folder: Path,
) -> Iterator[tuple[Mandate, ExecutionAgent | None]]:
    """Each mandate, and who combines its voices where that is a class of one's own."""
    checks.check_names(place, tuple(tables))
    for name, table in tables.items():
        at = place.at(name)
        if not isinstance(table, dict):
            raise at.wrong(table, "a table")
        settings = {"markets": list(market.markets)} | table
        kind = value(at.at("kind"), table.get("kind", checks.BLEND), str)
        agent = None if kind == checks.BLEND else _combiner(at, settings, kind, folder)
        mandate = record(at, settings, Mandate, given={"name": name})
        checks.check_names(at.at("markets"), mandate.markets, market.markets)
        checks.check_mandate(at, mandate, seats, interval_ns)
        yield mandate, agent


def _combiner(place: Place, settings: dict[str, Any], kind: str, folder: Path) -> ExecutionAgent:
    """Make the class of one's own that `kind` names; those of the settings that are its are taken away."""
    if ":" not in kind:
        raise place.at("kind").wrong(kind, f"{checks.BLEND!r}, or module:Class")
    with own.importable(folder):
        cls = own.execution_class(place.at("kind"), kind)
        mine = [f.name for f in fields(cls) if f.init]
        theirs = [f.name for f in fields(Mandate) if f.name != "name"]
        for name in settings:
            if name not in (*mine, *theirs):
                raise place.unknown(name, (*mine, *theirs))
        return cast(ExecutionAgent, record(place, {name: settings.pop(name) for name in mine if name in settings}, cls))


def _instruments(place: Place, markets: tuple[str, ...], venue: VenueSection) -> Iterator[Instrument]:
    for key, table in (("lots", venue.lots), ("min_notional_usd", venue.min_notional_usd)):
        for name in table:
            if name not in markets:
                raise place.at(key).unknown(name, markets)
    for name in markets:
        usual = instrument(name)
        yield replace(
            usual,
            lot_size=venue.lots.get(name, usual.lot_size),
            min_notional_usd=venue.min_notional_usd.get(name, usual.min_notional_usd),
        )


def _check(top: Place, fund: Fund, interval_ns: int) -> None:
    if not fund.name.strip():
        raise top.at("name").wrong(fund.name, "a name")
    if not 0 < fund.capital_usd <= checks.LARGEST_CAPITAL_USD:
        raise top.at("capital_usd").wrong(fund.capital_usd, f"a number > 0 and <= {checks.LARGEST_CAPITAL_USD:g}")
    if fund.operator != "never":
        try:
            duration_ns(fund.operator)
        except ConfigError:
            raise top.at("operator").wrong(fund.operator, "'never', or a length of time such as '30d'") from None
    top.at("venue").at("volume_window").duration(fund.venue.volume_window)
    checks.check_confidence(top.at("confidence"), fund.confidence)
    checks.check_limits(top.at("limits"), fund.limits, fund.capital_usd, fund.venue.half_spread_bps)
    checks.check_allocator(top.at("treasury").at("allocator"), fund.allocator, fund.signals)
    checks.check_evidence(top.at("evidence"), fund.evidence, fund.signals)
