"""python -m podshop.live.brain STATE"""

import asyncio
import logging
import sys
from pathlib import Path

from podshop.live import logs
from podshop.live.brain.process import main
from podshop.live.process import hang_on, harden
from podshop.nouns import PodshopError

WRONG = 2


def start() -> int:
    """Run the brain of a state folder; an exit code."""
    harden()
    hang_on()
    state = Path(sys.argv[1])
    logs.start(state / "logs", "brain")
    try:
        asyncio.run(main(state))
    except PodshopError as e:
        logging.getLogger("podshop.brain").error("%s", e)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(start())
