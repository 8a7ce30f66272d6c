"""A brain's answers again, from what it was fed and asked: every one must have the hash that was kept."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from podshop.live.brain.feed import Bar, Feed
from podshop.live.brain.mind import Mind
from podshop.live.brain.process import Told, history
from podshop.live.brain.seats import Answers, Asked, InThreads
from podshop.live.brain.snapshots import Decided, Fed, Snapshots, unfed
from podshop.live.frames import canonical, decoded
from podshop.live.messages import Opened, Targets
from podshop.nouns import DataError, VenueError, utc_text
from podshop.run.config.sections import Fund as FundFile


class Answer(NamedTuple):
    """One cycle: what was asked, what is answered now, and whether that is what was answered then."""

    opened: Opened
    targets: Targets
    same: bool


def answers_again(file: FundFile, told: Told, bars: Path, until_ns: int) -> Iterator[Answer]:
    """Every decision from the first that was kept, up to an instant. A restart with a lost memory is not known here.

    Raises DataError where nothing was kept, or the history before it is in no file.
    """
    rows = list(Snapshots(bars).read(0, until_ns))
    decided = [row for row in rows if isinstance(row, Decided)]
    fed = {row.at_ns: row for row in rows if isinstance(row, Fed)}
    if not decided:
        raise DataError(f"{bars}: no decision was kept up to {utc_text(until_ns)}")
    feed = Feed(file, Nobody(), 1, None)
    try:
        market, paid = asyncio.run(history(file, told, feed, fed, decided[0].at_ns))
    except NotKept:
        raise DataError(
            f"the history before {utc_text(decided[0].at_ns)} is in no file: it came from the venue"
        ) from None
    asker = _Silencing()
    mind = Mind(file, market, paid, ask=asker)
    for row in decided:
        while mind.last_ns < row.at_ns:
            bar = fed.get(mind.last_ns + mind.interval_ns)
            if bar is None:
                raise DataError(f"the bar of {utc_text(mind.last_ns + mind.interval_ns)} was not kept")
            mind.feed(*unfed([bar]))
        asker.silent = row.silent
        opened = decoded(row.opened, Opened)
        targets = mind.decide(opened)
        yield Answer(opened, targets, canonical(targets)[1] == row.targets_sha256)


class NotKept(Exception):
    """Somebody asked the venue."""


class Nobody:
    """A source that must not be asked."""

    name = "hyperliquid_perp"

    async def bars(self, market: str, interval_ns: int, since_ns: int, until_ns: int) -> Sequence[Bar]:
        raise NotKept

    async def rates(self, market: str, since_ns: int) -> Sequence[tuple[int, float]]:
        raise NotKept

    async def close(self) -> None:
        raise VenueError("nothing to close")


class _Silencing:
    """Asks in this process, but for agents that had no vote then."""

    def __init__(self) -> None:
        self._ask = InThreads()
        self.silent: tuple[str, ...] = ()

    def __call__(self, asked: Sequence[Asked]) -> Answers:
        silent = dict.fromkeys(self.silent)
        return {**self._ask([one for one in asked if one.seat.name not in silent]), **silent}
