"""Sending an order once, and saying what came of it without ever claiming more than is known."""

from collections.abc import Awaitable, Callable

from podshop.nouns.venue import Reply
from podshop.venues import strict
from podshop.venues.wire import Answer, NoAnswer


async def posted(call: Awaitable[Answer], read: Callable[[Answer], Reply]) -> Reply:
    """Await the one request and read its answer. Raises nothing but cancellation.

    Only what certainly never left is refused here (`NOT_SENT`); all else that goes wrong is unknown, for the venue
    may have taken the order before things went wrong. An answer that nobody can read says nothing either way.
    """
    try:
        return read(await call)
    except NoAnswer as e:
        code, outcome = ("NO_ANSWER", unknown) if e.sent else ("NOT_SENT", refused)
        return outcome(code, str(e))
    except Exception as e:  # noqa: BLE001 -- a fault of ours in reading must not look like a refusal
        return unknown("UNREADABLE", str(e) if type(e).__module__.startswith("podshop.") else type(e).__name__)


def refused(code: str, said: str = "") -> Reply:
    """The order was certainly not taken."""
    return Reply("refused", code=code, text=strict.plain(said))


def unknown(code: str, said: str = "") -> Reply:
    """The order may have been taken."""
    return Reply("unknown", code=code, text=strict.plain(said))


def listed(said: object, refusals: dict[str, str]) -> Reply:
    """A refusal if the venue's words begin like one on the published list, else unknown. `refusals`: prefix -> code."""
    words = said if isinstance(said, str) else ""
    for prefix, code in refusals.items():
        if words.startswith(prefix):
            return refused(code, words)
    return unknown("UNLISTED", words)
