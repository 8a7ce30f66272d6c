"""podshop init"""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from podshop.nouns import ConfigError
from podshop.run.config.reference import smallest, starter


def init(
    path: Annotated[Path, Parameter(help="File to write; never one that is there already.")] = Path("fund.toml"),
    /,
    *,
    starter_fund: Annotated[
        bool, Parameter(name="--starter", negative="", help="Three strategies on five markets, explained line by line.")
    ] = False,
) -> None:
    """Write a fund file to start from: the smallest there is, or the one to begin with (--starter)."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starter() if starter_fund else smallest())
    except FileExistsError:
        raise ConfigError(f"{path}: is there already, and nothing was written") from None
    print(f"wrote {path}; next: podshop backtest {path} --data DIR", file=sys.stderr)
