"""podshop agents list, new, check, score"""

from dataclasses import MISSING, fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer, progress
from podshop.nouns import utc_ns
from podshop.run.config.sections import Fund, SignalSeat

Which = Annotated[Path | None, Parameter(help="Fund file, TOML; the fund of all shipped agents if none is given.")]


def listing(fund: Which = None, /, *, json: AsJson = False) -> None:
    """List the agents of a fund: layer, kind, markets, what each reads, how far back and how often."""
    from podshop.signals import AGENTS

    agents = _agents(_fund(fund))
    kinds = [_kind(kind, cls) for kind, cls in AGENTS.items()]
    lines = [
        f"{a['name']:<20} {a['layer']:<10} {a['kind']:<20} {a['cadence']:>4} {a['lookback'] or '':>6}  "
        f"{len(a['markets']):>2} markets  {', '.join(a['reads'])}"
        for a in agents
    ]
    text = "\n".join([*lines, "", "Kinds of signal agents, and their settings:", "", *map(_kind_text, kinds)])
    answer({"agents": agents, "kinds": kinds}, text, as_json=json)


def new(
    name: Annotated[str, Parameter(help="Small letters, digits and _, such as quiet_trend.")],
    /,
    *,
    into: Annotated[Path, Parameter(help="Folder to write to.")] = Path(),
    json: AsJson = False,
) -> None:
    """Write an agent that works, and its test."""
    from podshop.research.author import write

    agent, test = write(name, into)
    text = (
        f"wrote {agent} and {test}\n\n  podshop agents check {agent}\n  pytest {test}\n\n"
        f'In a fund file beside it: kind = "{name}:{"".join(word.capitalize() for word in name.split("_"))}"'
    )
    answer({"agent": str(agent), "test": str(test)}, text, as_json=json)


def check(
    agent: Annotated[str, Parameter(help="Name, module:Class, or path.py:Class.")],
    /,
    *,
    json: AsJson = False,
) -> int:
    """Hold an agent to the contract; exit code 1 if something was found."""
    from podshop.research.author import find
    from podshop.research.contract import check as hold

    findings = hold(find(agent))
    found = [f for f in findings if not f.passed]
    lines = [f"{'ok  ' if f.passed else 'FAIL'} {f.check}: {f.promise}" for f in findings]
    lines += [line for f in found for line in ("", f"{f.check}: {f.found}", f"  to fix it: {f.fix}")]
    lines += ["", f"{agent}: {len(findings) - len(found)} of {len(findings)} checks passed"]
    result = {
        "agent": agent,
        "passed": not found,
        "checks": [
            {"check": f.check, "promise": f.promise, "passed": f.passed, "found": f.found, "fix": f.fix}
            for f in findings
        ],
    }
    answer(result, "\n".join(lines), as_json=json)
    return 1 if found else 0


def score(
    fund: Which = None,
    /,
    *,
    data: Annotated[Path | None, Parameter(help="Folder of history; the simulated exchange if none is given.")] = None,
    since: Annotated[datetime | None, Parameter(help="First day, UTC, such as 2022-01-01.")] = None,
    until: Annotated[datetime | None, Parameter(help="First day no longer looked at, UTC.")] = None,
    out: Annotated[Path | None, Parameter(help="HTML file for the scorecards and who agrees with whom.")] = None,
    json: AsJson = False,
) -> None:
    """Judge every signal agent of a fund on a period: how often it was right, what that would pay, how sure that is."""
    from podshop.report.scorecard import scorecard_page, scorecard_text
    from podshop.research.score import score as judge
    from podshop.run.world import read_world

    read = _fund(fund)
    past = read_world(read, data, _instant(since), _instant(until))
    with progress() as show:
        result = judge(read, past.market, past.funding, past.since_ns, past.until_ns, show)
    result["simulated"] = past.simulated
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(scorecard_page(result), encoding="utf-8")
    answer(result, scorecard_text(result) + (f"\n\nreport: {out}" if out else ""), as_json=json)


def _instant(at: datetime | None) -> int | None:
    return None if at is None else utc_ns(at)


def _fund(path: Path | None) -> Fund:
    from podshop.run.config import fifty_fund, load

    return fifty_fund() if path is None else load(path)


def _agents(fund: Fund) -> list[dict[str, Any]]:
    """One row for every agent, in the order in which the layers hear one another."""
    rows = [_signal(seat) for seat in fund.signals]
    rows += [
        _row(
            "execution", m.name, m.horizon, m.markets, tuple(m.listens), m.cadence, "", f"{m.style}, {m.horizon}",
            listens=dict(m.listens),
        )
        for m in fund.mandates
    ]  # fmt: skip
    every = fund.market.markets
    drawdown, allocator = fund.drawdown, fund.allocator
    rows.append(
        _row(
            "risk",
            "drawdown_limiter",
            "drawdown_limiter",
            every,
            ("nav", "books"),
            drawdown.cadence,
            "",
            _about(drawdown),
        )
    )
    rows.append(_row("treasury", "allocator", allocator.kind, every, ("books",), "1d", "", _about(allocator)))
    return rows


def _signal(seat: SignalSeat) -> dict[str, Any]:
    agent: Any = seat.agent
    return _row(
        "signals",
        seat.name,
        seat.kind,
        seat.markets,
        agent.reads,
        agent.bar,
        f"{agent.lookback_bars}",
        _about(agent),
        family=agent.family,
        lookback_bars=agent.lookback_bars,
        settings={f.name: getattr(agent, f.name) for f in fields(agent)},
    )


def _row(
    layer: str,
    name: str,
    kind: str,
    markets: tuple[str, ...],
    reads: tuple[str, ...],
    cadence: str,
    lookback: str,
    about: str,
    **more: Any,
) -> dict[str, Any]:
    """The words that every layer has."""
    return {
        "layer": layer,
        "name": name,
        "kind": kind,
        "markets": list(markets),
        "reads": list(reads),
        "cadence": cadence,
        "lookback": lookback,
        "about": about,
        **more,
    }


def _about(agent: object) -> str:
    return (type(agent).__doc__ or "").partition("\n")[0]


def _kind(kind: str, cls: type[Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "family": cls.family,
        "about": (cls.__doc__ or "").partition("\n")[0],
        "reads": list(cls.reads),
        "settings": {f.name: None if f.default is MISSING else f.default for f in fields(cls)},
    }


def _kind_text(agent: dict[str, Any]) -> str:
    settings = ", ".join(f"{name} = {value!r}" for name, value in agent["settings"].items())
    return (
        f"{agent['kind']} ({agent['family']}): {agent['about']}\n"
        f"  reads {', '.join(agent['reads'])}\n  set by {settings}"
    )
