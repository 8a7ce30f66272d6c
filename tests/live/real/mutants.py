"""A gateway's process with one protection removed: MUTANT STATE."""

from podshop.live.gateway import process
from podshop.live.gateway.__main__ import start as begin
from tests.live.sim.mutants import WritesAfterSending

MUTANTS = {"writes after sending": WritesAfterSending}


def start(arguments: list[str]) -> int:
    """Be that gateway."""
    name, state = arguments
    process.Gateway = MUTANTS[name]  # type: ignore[misc]
    return begin([state])
