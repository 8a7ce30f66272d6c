"""The limits that were in force at a record's last decision, for `podshop risk`: how far each is, and who set it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

from podshop.journal.record import LIMITS
from podshop.nouns import DAY_NS

Used = tuple[str, str | None, float | None]  # name of the limit, of what, how much of it is used


@dataclass(frozen=True, slots=True)
class Office:
    """The last ruling, as run/desk.py told it.

    markets, books  of the fund, in its order
    largest_order   that the venue filled in the last day, fraction of NAV
    """

    ruling: Mapping[str, Any]
    markets: tuple[str, ...]
    books: tuple[str, ...]
    largest_order: float


def read(folder: Path, markets: tuple[str, ...], books: tuple[str, ...], nav_micro: int) -> Office | None:
    """Read the last ruling of a record; None where it keeps none."""
    import polars as pl

    path = folder / LIMITS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if not lines:
        return None
    stamp = pl.col("time").to_physical()
    fills = pl.scan_parquet(folder / "fills.parquet").filter(pl.col("kind").cast(pl.String) == "venue")
    orders = fills.group_by(stamp.alias("at"), "market").agg((pl.col("lots") * pl.col("price_micro")).sum().abs())
    last_ns = pl.scan_parquet(folder / "nav.parquet").select(stamp.max()).collect().item()
    recent = orders.filter(pl.col("at") >= last_ns - DAY_NS).collect()["lots"]
    largest = 0.0 if recent.is_empty() else int(recent.max()) / nav_micro  # type: ignore[arg-type]
    return Office(json.loads(lines[-1]), markets, books, largest)


def rows(office: Office, used: Sequence[Used], gate_var: float, weights: Mapping[str, float]) -> list[dict[str, Any]]:
    """A row for every limit in force: name, of, used, bound, left, by.

    used      what is measured already: VaR, gross, and each market's weight
    gate_var  VaR of the last NAV row, with the tail in force then
    weights   market -> net position, fraction of NAV; those that are not there hold nothing
    """
    ruling = office.ruling
    net = abs(sum(weights.values()))
    more: list[tuple[Used, float]] = [
        (("max_var", "gate", gate_var), ruling["max_var"]),
        (("max_net", "all", net), ruling["max_net"]),
    ]
    for members, cap in zip(ruling["clusters"], ruling["max_cluster"], strict=True):
        names = [office.markets[m] for m in members]
        together = abs(sum(weights.get(name, 0.0) for name in names))
        more.append((("max_cluster", " ".join(names), together), cap))
    more.append((("max_order", "largest fill of the last day", office.largest_order), ruling["max_order"]))
    known = [(each, _bound(office, each)) for each in used]
    return [_row(office, each, bound) for each, bound in (*known[:2], *more, *known[2:])]


def _bound(office: Office, used: Used) -> float:
    name, of, _ = used
    if name == "max_weight":
        return float(office.ruling["max_weight"][office.markets.index(str(of))])
    return float(office.ruling[name])


def _row(office: Office, used: Used, bound: float) -> dict[str, Any]:
    name, of, size = used
    left = None if size is None else bound - size
    by = office.ruling["by"].get(name)
    return {"name": name, "of": of, "used": size, "bound": bound, "left": left, "by": by}


def told(office: Office) -> dict[str, Any]:
    """What else holds: the state, the tail of VaR and the throttles."""
    ruling = office.ruling
    keys = ("version", "at", "state", "tail", "fund_throttle", "reason", "faults")
    throttle = dict(zip(office.books, ruling["throttle"], strict=False))
    return {key: ruling[key] for key in keys} | {"throttle": throttle, "tail_by": ruling["by"]["tail"]}


def lines(office: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    cut = [f"{name} {factor:g}" for name, factor in office["throttle"].items() if factor < 1]
    found = [
        f"  limits {office['version']} since {office['at']}: {office['state']}; VaR is {office['tail']:.3f} sigma "
        f"(by {office['tail_by']}); throttle of the fund {office['fund_throttle']:g}",
        f"  throttles below 1: {', '.join(cut) or 'none of ' + str(len(office['throttle'])) + ' books'}",
    ]
    if office["reason"]:
        found.append(f"  the office said: {office['reason']}")
    return [part for line in found for part in wrap(line, 120, subsequent_indent="    ", drop_whitespace=True)]
