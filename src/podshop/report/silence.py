"""Who had no opinion, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

MOSTLY = 0.2  # a screen of words leaves out who was silent less than this share of the time


def silent_lines(rows: Sequence[Mapping[str, Any]], share: float = 0.01) -> list[str]:
    """Who was silent for at least this share of the time, when and why, markets with one reason in one line."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        if row["share"] < share:
            continue
        when = f"spoke from {row['first'][:10]} to {row['last'][:10]}" if row["first"] else "never spoke"
        lines.setdefault(f"{row['why']}; {when}", []).append(row["market"])
    return [f"{', '.join(markets)}: {why}" for why, markets in lines.items()]
