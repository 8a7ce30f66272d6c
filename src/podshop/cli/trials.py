"""podshop trials: how often somebody has looked."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from podshop.cli.answer import AsJson, answer

trials = App(name="trials", help="Show the ledger of trials; begin another where it is lost.")


@trials.command(name="list")
def listing(*, json: AsJson = False) -> None:
    """Show every fund's trials, and each of them."""
    from podshop.journal.trials import known, place

    found = known()
    funds: dict[tuple[str, bool], int] = {}
    for _, fact in found.tried:
        funds[fact.family, fact.simulated] = funds.get((fact.family, fact.simulated), 0) + fact.trials
    result: dict[str, Any] = {
        "ledger": str(place()),
        "begun": found.how,
        "funds": [{"fund": name, "simulated": sim, "trials": n} for (name, sim), n in sorted(funds.items())],
        "tried": [{"at": _day(at)} | fact._asdict() for at, fact in found.tried],
    }
    answer(result, "\n".join(_lines(result)), as_json=json)


@trials.command
def restart(*, reason: Annotated[str, Parameter(help="Why. Every count from then on says it.")]) -> None:
    """Begin a new ledger where the old one is damaged or gone; a whole one is refused. What is left is put aside."""
    from podshop.journal.trials import restart as begin

    path = begin(reason)
    answer({"ledger": str(path)}, f"{path}: begun anew", as_json=False)


def _lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['ledger']}: {result['begun']}", ""]
    for row in result["funds"]:
        lines.append(f"{row['trials']:>7,}  {row['fund']}{', simulated prices' if row['simulated'] else ''}")
    if result["tried"]:
        lines += ["", "day         trials  what        fund              config    data      period"]
    for row in result["tried"]:
        lines.append(
            f"{row['at']}  {row['trials']:>6}  {row['what']:<10}  {row['family']:<16}  {row['config'][:8]}  "
            f"{row['data'][:8]}  {row['period']}{', simulated' if row['simulated'] else ''}"
        )
    return lines


def _day(at_ns: int) -> str:
    from podshop.nouns import utc_text

    return utc_text(at_ns)[:10]
