"""Histories of unknown order and length, walked to the end; several questions at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from podshop.nouns.errors import VenueError
from podshop.nouns.venue import Filled, Paid
from podshop.venues import strict

MOST_PAGES = 200
AT_ONCE = 6
T = TypeVar("T", Filled, Paid)
Page = Callable[[int, int], Awaitable[tuple[int, list[T]]]]  # first and last millisecond -> rows sent, rows read


async def walked(page: Page[T], since_ns: int, now_ns: int, most: int, widest_ms: int = 0) -> list[T]:
    """All rows from an instant until a little after now, in whatever order a venue's pages come.

    A page that may have been cut is asked again in two halves, so no row is lost whether the venue cuts the newest or
    the oldest ones. Halves that overlap or repeat rows do no harm: ids are counted once.

    most       rows of a page that may have been cut
    widest_ms  longest span that one question may have, 0 = any
    """
    end_ms = max(now_ns, since_ns) // strict.MS_NS + 60_000  # the venue's clock may be ahead of ours
    spans = [(since_ns // strict.MS_NS, end_ms)]
    found: list[T] = []
    for _ in range(MOST_PAGES):
        if not spans:
            return found
        start, end = spans.pop()
        if not widest_ms or end - start <= widest_ms:
            sent, rows = await page(start, end)
            if sent < most:
                found += rows
                continue
        if start >= end:
            raise VenueError(f"more than {most} rows in one millisecond")
        middle = (start + end) // 2
        spans += [(middle + 1, end), (start, middle)]
    raise VenueError(f"more than {MOST_PAGES} pages of rows")


def one_each(rows: Sequence[T], key: Callable[[T], str], since_ns: int) -> list[T]:
    """Every row once, oldest first; two different rows of one id are a lie."""
    found: dict[str, T] = {}
    for row in rows:
        if found.setdefault(key(row), row) != row:
            raise VenueError(f"two different rows have the id {key(row)}")
    from_ns = since_ns // strict.MS_NS * strict.MS_NS  # venues stamp whole milliseconds
    return sorted((row for row in found.values() if row.at_ns >= from_ns), key=lambda row: row.at_ns)


async def together(questions: Sequence[Any]) -> list[Any]:
    """Answers to several questions, a few at a time; the first that fails fails all, after all have ended."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(question: Any) -> Any:
        async with gate:
            return await question

    found = await asyncio.gather(*(one(q) for q in questions), return_exceptions=True)
    for answer in found:
        if isinstance(answer, BaseException):
            raise answer
    return list(found)
