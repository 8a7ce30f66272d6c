"""podshop shadow"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer
from podshop.nouns import utc_ns, utc_text


def shadow(
    state: Annotated[Path | None, Parameter(help="State folder; the fund started last where not said.")] = None,
    /,
    *,
    day: Annotated[datetime | None, Parameter(help="The day, UTC; else the one before the last decision's.")] = None,
    json: AsJson = False,
) -> int:
    """Run a live day through the backtest; name the first decision that differs, and its cause."""
    import msgspec

    from podshop.live import folder
    from podshop.live.brain.process import Told
    from podshop.live.brain.snapshots import Decided, Snapshots
    from podshop.live.shadow import shadow as compare
    from podshop.nouns import DAY_NS, DataError
    from podshop.run.config import load

    gateway = folder.found(state)
    told = msgspec.json.decode((gateway.folder / "brain.json").read_bytes(), type=Told)
    bars = gateway.folder / "bars"
    if day is None:
        last = max((row.at_ns for row in Snapshots(bars).read() if isinstance(row, Decided)), default=0)
        if not last:
            raise DataError(f"{bars}: nothing was decided yet")
        day_ns = (last // DAY_NS - 1) * DAY_NS
    else:
        day_ns = utc_ns(day) // DAY_NS * DAY_NS
    found = compare(load(Path(told.fund)), told, bars, gateway.journal, day_ns)
    text = utc_text(day_ns)[:10]
    answer({"day": text, **found._asdict()}, "\n".join(_lines(text, found)), as_json=json)
    return int(found.first is not None)


def _lines(day: str, found: Any) -> Iterator[str]:
    if found.first is None:
        yield f"{day}: {found.cycles} cycles, each decided as the backtest decides it"
        return
    first = found.first
    yield f"{day}: {found.differ} of {found.cycles} cycles differ, the first is {first['cycle']} at {first['time']}"
    for name in ("live", "backtest"):
        said = first[name]
        words = "no order" if said is None else f"{said[0]} {said[1]}: wanted {said[2]:+,}, allowed {said[3]:+,}"
        yield f"  {name:<9} {first['market']:<6} {words}"
    yield f"  cause     {first['cause']}"
