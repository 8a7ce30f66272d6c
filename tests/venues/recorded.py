"""Recorded answers of venues, beside the clone like the market data: PODSHOP_VENUES or ../shared/venues/fixtures."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("PODSHOP_VENUES", Path(__file__).resolve().parents[3] / "shared" / "venues" / "fixtures"))


@cache
def text(name: str) -> str:
    """A recording's file; absent, the test fails."""
    return (FOLDER / name).read_text()


def load(name: str) -> Any:
    """A recording, decoded anew for each caller."""
    return json.loads(text(name))


def info(name: str) -> Any:
    """The body of a recorded answer of Hyperliquid's info."""
    return load(f"hyperliquid/info_{name}.json")["response"]["body"]


def unified(exchange: str, name: str) -> list[dict[str, Any]]:
    """Recorded cases of a call of ccxt."""
    return [case for case in load(f"ccxt/{exchange}.json")["cases"] if case["unified"] == name]
