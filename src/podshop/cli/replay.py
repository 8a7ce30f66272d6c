"""podshop replay"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer
from podshop.nouns import ConfigError


def replay(
    cycle: Annotated[int, Parameter(help="Number of the cycle: floor(time / interval), as `podshop status` shows it.")],
    state: Annotated[Path | None, Parameter(help="State folder; the fund started last where not said.")] = None,
    /,
    *,
    changes: Annotated[
        list[str] | None, Parameter(name="--with", help="Another limit, such as risk.max_var=0.01; shows what differs.")
    ] = None,
    brain: Annotated[
        bool, Parameter(negative="", help="Decide the brain's targets again, too: from its first on.")
    ] = False,
    json: AsJson = False,
) -> int:
    """Decide a live cycle again from what was kept; it must come out the same, byte for byte."""
    from podshop.live import folder
    from podshop.live.gateway.terms import read_terms
    from podshop.live.replay import card_of
    from podshop.live.replay import replay as decide

    gateway = folder.found(state)
    terms = read_terms(gateway.folder / "terms.json")
    found = decide(gateway.journal, terms, card_of(gateway), cycle, _changes(changes or []))
    result: dict[str, Any] = {
        "cycle": cycle,
        "refused": found.refused,
        "rows": found.rows,
        "differs": [line._asdict() for line in found.differs],
        "with": changes or [],
    }
    if brain:
        result["brain"] = _brain(gateway.folder, cycle, terms.interval_ns)
    answer(result, "\n".join(_lines(result)), as_json=json)
    wrong = bool(found.differs) and not changes
    return int(wrong or (brain and not result["brain"]["same"]))


def _brain(folder: Path, cycle: int, interval_ns: int) -> dict[str, Any]:
    """Ask the mind again, from its first decision to this one."""
    import msgspec

    from podshop.live.brain.again import answers_again
    from podshop.live.brain.process import Told
    from podshop.run.config import load

    told = msgspec.json.decode((folder / "brain.json").read_bytes(), type=Told)
    count, differs = 0, []
    for one in answers_again(load(Path(told.fund)), told, folder / "bars", cycle * interval_ns):
        count += 1
        if not one.same:
            differs.append(one.opened.cycle)
    return {"cycles": count, "same": not differs, "differs": differs}


def _changes(words: Sequence[str]) -> dict[str, float]:
    """Read name=value."""
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise ConfigError(f"--with {word!r}, expected NAME=NUMBER such as risk.max_var=0.01") from None
        if not sign:
            raise ConfigError(f"--with {word!r}, expected NAME=NUMBER such as risk.max_var=0.01")
    return found


def _lines(result: dict[str, Any]) -> Iterator[str]:
    if result["refused"]:
        yield f"cycle {result['cycle']}: nothing was decided: {result['refused']}"
    elif not result["differs"]:
        same = "nothing would be other" if result["with"] else "the same, byte for byte"
        yield f"cycle {result['cycle']}: {result['rows']} rows decided again: {same}"
    else:
        what = (
            f"with {', '.join(result['with'])}" if result["with"] else "DECIDED AGAIN IT IS NOT WHAT THE JOURNAL SAYS"
        )
        yield f"cycle {result['cycle']}: {what}"
        for line in result["differs"]:
            yield f"  {line['kind']:<9} {line['market']:<6} was  {line['journal'] or 'nothing'}"
            yield f"  {'':<16} now  {line['again'] or 'nothing'}"
    if "brain" in result:
        brain = result["brain"]
        told = "all with the same hash" if brain["same"] else f"OTHER in cycles {brain['differs']}"
        yield f"brain: {brain['cycles']} answers again, {told}"
