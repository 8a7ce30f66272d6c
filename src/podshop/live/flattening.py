"""`podshop flatten`: raise the latch, then let the watchdog do it, or do it here where none is alive.

Needs neither gateway nor journal. It holds the watchdog's key only for as long as it works itself.
"""

import asyncio
import time
from collections.abc import Callable

from podshop.live.config import Gateway
from podshop.live.flatten import Said
from podshop.live.heartbeat import heard, here
from podshop.live.latch import FLATTEN, Latch
from podshop.live.watchdog import steps_of
from podshop.nouns import SECOND_NS

ALIVE_NS = 30 * SECOND_NS  # of the wall: a watchdog that beat since then is working
LOOK_S = 0.2
TAKES_OVER_S = 60.0  # a watchdog that says nothing for so long is no help


def flatten(gateway: Gateway, reason: str, show: Callable[[Said], None], *, alone: bool = False) -> None:
    """Return when FLAT was said. `show` is told every step."""
    steps = steps_of(gateway.folder)
    before = steps[-1].number if steps else 0
    Latch(gateway.folder, "operator").raise_to(FLATTEN, time.time_ns(), reason)
    if not alone and watched(gateway) and _followed(gateway, before, show):
        return
    asyncio.run(_here(gateway, show))


def watched(gateway: Gateway) -> bool:
    """Whether a watchdog of this machine has just given a sign of life."""
    beat, now = heard(gateway.folder, "watchdog"), here()
    return beat is not None and beat.now.boot == now.boot and now.monotonic_ns - beat.now.monotonic_ns < ALIVE_NS


def _followed(gateway: Gateway, before: int, show: Callable[[Said], None]) -> bool:
    """Show what the watchdog says from now on, until FLAT; False where it says nothing for too long."""
    last, quiet_s = before, time.monotonic()
    while time.monotonic() - quiet_s < TAKES_OVER_S:
        for number, said in steps_of(gateway.folder):
            if number > last:
                last, quiet_s = number, time.monotonic()
                show(said)
                if said.word == "FLAT":
                    return True
        if last > before and watched(gateway):
            quiet_s = time.monotonic()  # it waits, as it should, between readings
        time.sleep(LOOK_S)
    return False


async def _here(gateway: Gateway, show: Callable[[Said], None]) -> None:
    from podshop.live.flatten import Flattener
    from podshop.live.intents import in_flight
    from podshop.live.reach import reach
    from podshop.live.secrets import read_key

    reached = await reach(gateway, read_key(gateway.keys.watchdog), "watchdog")
    try:
        flight = lambda: in_flight(gateway.folder)  # noqa: E731 - asked again each time
        await Flattener(reached.venue, reached.clock, reached.interval_ns, flight, show, rate=reached.rate).run()
    finally:
        await reached.venue.close()
