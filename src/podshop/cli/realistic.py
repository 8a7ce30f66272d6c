"""podshop realistic"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer, progress
from podshop.nouns import utc_ns


def realistic(
    *,
    data: Annotated[Path | None, Parameter(help="Folder of history; none: a year of the simulated exchange.")] = None,
    since: Annotated[datetime | None, Parameter(help="First day, UTC, such as 2022-01-01.")] = None,
    until: Annotated[datetime | None, Parameter(help="First day no longer traded, UTC.")] = None,
    out: Annotated[Path | None, Parameter(help="HTML page to write.")] = None,
    json: AsJson = False,
) -> None:
    """Compare one strategy, 3 strategies on 5 markets and all fifty agents: does the fund beat what looked best?"""
    from podshop.research import realistic_page
    from podshop.research.realistic import realistic as find
    from podshop.run.warm import warm

    since_ns, until_ns = (None if day is None else utc_ns(day) for day in (since, until))
    with progress() as show:
        warm(show)
        found = find(data, since_ns, until_ns, show)
    answer(found.answer, "\n".join(_lines(found.answer, realistic_page)), as_json=json)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(realistic_page.page(found), encoding="utf-8")
        print(f"\npage: {out}", file=sys.stderr)


def _lines(found: dict[str, Any], words: Any) -> list[str]:
    """The answer in a hundred columns."""
    period, trials, luck, changes = (found[key] for key in ("period", "trials", "luck", "changes"))
    simulated = ["SIMULATED, NOT PERFORMANCE: these prices never were; this shows how it works and claims nothing."]
    said = "; ".join(
        f"{words.SHORT[name]}: {words.SAID[found['against'][f'{name} - one']['better']]}"
        for name in ("fifty", "starter")
    )
    return [
        *(simulated if found["simulated"] else []),
        f"test {period['since'][:10]} to {period['until'][:10]}, {period['days']} days, every {period['interval']}, "
        f"net of all costs; {found['evidence']['days']} days before it",
        "",
        *_paths(words.path_rows(found)),
        "",
        "Does the fund beat the one strategy that looked best before?",
        said,
        "",
        *_questions(words.question_rows(found)),
        "",
        *_folds(words.fold_rows(found)),
        "",
        f"luck    drawn by lot at each cut: Sharpe {words.number(luck['middle'])} at the median, nine of ten from "
        f"{words.number(luck['low'])} to {words.number(luck['high'])};",
        f"        share of such draws that did worse: {words.did_worse(luck)}",
        f"whole   the funds since {found['evidence']['since'][:10]}, evidence and test:",
        *(f"        {line}" for line in words.with_evidence(found)),
        f"trials  {trials['mandates']} mandates, {trials['funds']} funds, {trials['comparisons']} comparisons; no "
        "interval is corrected for them",
        *(f"        {note}" for note in found.get("trials_ledger", {}).values()),
        f"one     changed {changes['count']} times, which cost {words.percent(changes['cost'])} in all and is in its "
        "return; HINDSIGHT nobody could have",
        *([f"unable to take new risk at the end: {', '.join(found['stopped'])}"] if found["stopped"] else []),
    ]


def _paths(rows: list[dict[str, Any]]) -> list[str]:
    width = max(len(row["title"]) for row in rows)
    head = (
        f"{'':<{width}}{'return':>9}{'vol':>8}  {'Sharpe, 90 % interval':<23}{'drawdown':>8}{'costs':>8}{'funding':>8}"
    )
    return [
        head,
        *(
            f"{row['title']:<{width}}{row['return']:>9}{row['volatility']:>8}  {row['sharpe']:<23}{row['drawdown']:>8}"
            f"{row['trading_costs']:>8}{row['funding_paid']:>8}".rstrip()
            for row in rows
        ),
        "vol, costs (fees, spread, impact) and funding paid are of NAV a year; − funding was received",
    ]


def _questions(rows: list[dict[str, Any]]) -> list[str]:
    return [
        f"{'difference':<14}{'Sharpe, 90 % interval':<24}{'detectable':<12}{'return a year, %':<24}better?",
        *(
            f"{row['pair']:<14}{row['sharpe']:<24}{row['sharpe_detectable']:<12}{row['return']:<24}{row['said'].split(':')[0]}"
            for row in rows
        ),
        "differences, paired by day; detectable: the true one that so many days find with probability 80 %",
    ]


def _folds(rows: list[dict[str, Any]]) -> list[str]:
    width = max(len("chosen"), *(len(row["chosen"]) for row in rows))
    return [
        f"{'from':<12}{'chosen':<{width}}  {'its Sharpe before':<23}{'rank after':<13}{'one':>7}{'3 x 5':>7}"
        f"{'fifty':>7}",
        *(
            f"{row['since']:<12}{row['chosen']:<{width}}  {row['before']:<23}{row['rank']:<13}{row['one']:>7}"
            f"{row['starter']:>7}{row['fifty']:>7}"
            for row in rows
        ),
    ]
