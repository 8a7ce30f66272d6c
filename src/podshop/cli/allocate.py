"""podshop allocate"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer, progress
from podshop.nouns import utc_ns


def allocate(
    fund: Annotated[Path, Parameter(help="Fund file, TOML.")],
    /,
    *,
    data: Annotated[Path, Parameter(help="Folder of history.")],
    since: Annotated[datetime | None, Parameter(help="First day, UTC, such as 2022-01-01.")] = None,
    until: Annotated[datetime | None, Parameter(help="First day no longer looked at, UTC.")] = None,
    explain: Annotated[bool, Parameter(negative="", help="Show the evidence, what was believed and why.")] = False,
    json: AsJson = False,
) -> None:
    """Share a fund's capital under every policy, on what its shadow books earned in a period."""
    from podshop.research.allocate import allocate as share
    from podshop.run.config import load
    from podshop.run.world import read_world

    read = load(fund)
    world = read_world(read, data, *(None if day is None else utc_ns(day) for day in (since, until)))
    with progress() as show:
        result = share(read, world, show)
    answer(result, "\n".join(_lines(result, explain=explain)), as_json=json)


def _lines(result: dict[str, Any], *, explain: bool) -> list[str]:
    """The answer as a table, a line for each book."""
    period, kinds = result["period"], list(result["cash"])
    books = result["books"]
    width = max(len("moved a day"), *(len(book["name"]) for book in books))
    lines = [
        f"{result['fund']}: shadow books from {period['since'][:10]} to {period['until'][:10]}, every "
        f"{period['interval']}, {period['days']} days, net of all costs; the fund's policy is {result['policy']}",
        "",
        f"weights at {result['at'] or 'the first decision'}, fractions of NAV",
        "",
        f"{'':<{width}}" + "".join(f"{kind:>13}" for kind in kinds),
        *(f"{book['name']:<{width}}" + "".join(f"{book['weights'][kind]:>13.3f}" for kind in kinds) for book in books),
        f"{'cash':<{width}}" + "".join(f"{abs(result['cash'][kind]):>13.3f}" for kind in kinds),
        f"{'moved a day':<{width}}" + "".join(f"{_number(result['moved_per_day'][kind], 13, 4)}" for kind in kinds),
    ]
    if explain:
        lines += ["", *_reasons(books, width)]
    return [*lines, "", f"trials: {result['trials_note']}"]


def _reasons(books: list[dict[str, Any]], width: int) -> list[str]:
    """What shrunk has seen of each book, what it believes, and what bound it."""
    head = f"{'shrunk':<{width}}   days  Sharpe   90 % interval   prior  belief  wanted  weight  bound by"
    return [
        head,
        *(
            f"{book['name']:<{width}} {book['days']:>6} {_number(book['sharpe'], 7)}"
            f" {_number(book['sharpe_low'], 7)} {_number(book['sharpe_high'], 7)} {book['prior']:>7.2f}"
            f" {book['posterior']:>7.2f} {book['wanted']:>7.3f} {book['weights']['shrunk']:>7.3f}"
            f"  {', '.join(book['bound']['shrunk']) or 'nothing'}"
            for book in books
        ),
    ]


def _number(value: float | None, width: int, digits: int = 2) -> str:
    return f"{'unknown':>{width}}" if value is None else f"{value:>{width}.{digits}f}"
