"""podshop agents list, new, check, score"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer, progress
from podshop.nouns import ConfigError, utc_ns
from podshop.run.config.sections import Fund

Which = Annotated[Path | None, Parameter(help="Fund file, TOML; the fund of all shipped agents if none is given.")]


def listing(fund: Which = None, /, *, json: AsJson = False) -> None:
    """List the agents of a fund by layer, what each hears or reads and how often, and every kind of signal agent."""
    from podshop.cli.roster import agents, kinds, text

    read = _fund(fund)
    answer({"agents": agents(read), "kinds": kinds()}, text(read), as_json=json)


def new(
    name: Annotated[str, Parameter(help="Small letters, digits and _, such as quiet_trend.")],
    /,
    *,
    execution: Annotated[bool, Parameter(negative="", help="One that combines voices, not a signal agent.")] = False,
    risk: Annotated[bool, Parameter(negative="", help="One that sets limits, not a signal agent.")] = False,
    into: Annotated[Path, Parameter(help="Folder to write to.")] = Path(),
    json: AsJson = False,
) -> None:
    """Write an agent that works, and its test."""
    from podshop.research.author import class_name, write

    if execution and risk:
        raise ConfigError("an agent combines voices (--execution) or sets limits (--risk), not both")
    agent, test = write(name, into, "execution" if execution else "risk" if risk else "signal")
    table = "execution" if execution else "risk" if risk else "signals"
    text = (
        f"wrote {agent} and {test}\n\n  podshop agents check {agent}\n  pytest {test}\n\n"
        f"In a fund file beside it, in a table [{table}.{name}]: "
        f'kind = "{name}:{class_name(name)}"'
    )
    answer({"agent": str(agent), "test": str(test)}, text, as_json=json)


def check(
    agent: Annotated[str, Parameter(help="Name, module:Class, or path.py:Class.")],
    /,
    *,
    json: AsJson = False,
) -> int:
    """Hold a signal, an execution or a risk agent to its contract; exit code 1 if something was found."""
    from podshop.research import contract, execution_contract, risk_contract
    from podshop.research.author import find, layer

    what: Any = find(agent)
    match layer(type(what)):
        case "execution":
            findings = execution_contract.check(what)
        case "risk":
            findings = risk_contract.check(what)
        case _:
            findings = contract.check(what)
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
    from podshop.run.trials import counted
    from podshop.run.world import read_world

    read = _fund(fund)
    past = read_world(read, data, _instant(since), _instant(until))
    tried = counted("scorecard", read, past, each=len(read.signals))
    with progress() as show:
        result = judge(read, past.market, past.funding, past.since_ns, past.until_ns, show)
    result["simulated"], result["trials_note"] = past.simulated, tried.note
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(scorecard_page(result), encoding="utf-8")
    answer(result, scorecard_text(result) + (f"\n\nreport: {out}" if out else ""), as_json=json)


def _instant(at: datetime | None) -> int | None:
    return None if at is None else utc_ns(at)


def _fund(path: Path | None) -> Fund:
    from podshop.run.config import fifty_fund, load

    return fifty_fund() if path is None else load(path)
