"""What the treasury said beside the record's tables: stages of the books, gains kept back, why each weight moved."""

from typing import Any

from podshop.report.accounts import Record

Row = dict[str, Any]


def stages(record: Record, end_ns: int) -> list[Row]:
    """Where each book stands at the end: stage, since when, and why; empty where there are no stages."""
    found: dict[str, Row] = {}
    for line in record.allocations:
        if line["at_ns"] >= end_ns:
            break
        for row in line["books"]:
            if row["stage"] and (row["book"] not in found or row["stage"] != row["stage_before"]):
                found[row["book"]] = {
                    "book": row["book"], "stage": row["stage"], "since": line["at"], "why": row["stage_why"],
                }  # fmt: skip
    return [found[name] for name in record.books if name in found]


def agreed(record: Record, end_ns: int, nav_micro: int) -> Row | None:
    """The capital that may be risked, and what stands above it and stays cash; None where gains are risked too."""
    before = [line for line in record.allocations if line["at_ns"] < end_ns]
    mark = before[-1]["high_water_micro"] if before else None
    return None if mark is None else {"agreed_micro": mark, "kept_back_micro": max(0, nav_micro - mark)}


def reasons(record: Record, time_ns: int, book: str) -> list[str]:
    """Why the treasury moved a book's weight at this midnight, in words; empty where it did not, or did not say."""
    for line in reversed(record.allocations):
        if line["at_ns"] == time_ns:
            return [why for row in line["books"] if row["book"] == book for why in row["why"]]
    return []


def heard(record: Record, since_ns: int, end_ns: int) -> Row:
    """Of what stands beside the tables, what a statement of this stretch rests on: for its signature."""
    found: Row = {}
    for name in ("rulings", "allocations"):
        lines = getattr(record, name)
        if lines:
            first = max([i for i, line in enumerate(lines) if line["at_ns"] < since_ns], default=0)
            found[name] = [line for line in lines[first:] if line["at_ns"] <= end_ns]
    return found
