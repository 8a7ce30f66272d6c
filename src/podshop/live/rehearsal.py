"""What this build makes of a journal: run by the new build's own interpreter, before an upgrade swaps anything."""

from pathlib import Path
from typing import Any

from podshop.journal.keeper import rebuild


def rebuilt(folder: Path) -> dict[str, Any]:
    """The books of FOLDER/journal.db from its first row: last row, balances, marks; what is 0 is left out."""
    state = rebuild(folder / "journal.db")
    return {
        "seq": state.seq,
        "head": state.head.hash.hex(),
        "balances": {account: units for account, units in sorted(state.books.balances.items()) if units},
        "marks": dict(sorted(state.books.marks.items())),
    }
