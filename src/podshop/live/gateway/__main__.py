"""python -I -m podshop.live.gateway STATE"""

import asyncio
import logging
import sys
from pathlib import Path

from podshop.live import config, logs
from podshop.live.gateway.process import run
from podshop.live.process import hang_on, harden
from podshop.live.secrets import read_key
from podshop.nouns import ConfigError, PodshopError

WRONG = 2  # the configuration says what cannot be: to start again would not help


def start(arguments: list[str]) -> int:
    """Run the gateway of a state folder; an exit code."""
    if len(arguments) != 1:
        print("usage: python -I -m podshop.live.gateway STATE", file=sys.stderr)  # noqa: T201 - a program's usage
        return WRONG
    harden()
    hang_on()
    state = Path(arguments[0])
    try:
        found = config.read(state)
        key = read_key(found.keys.gateway)
        logs.start(found.logs, "gateway", [key] if key else [])
        return asyncio.run(run(state, key))
    except ConfigError as e:
        logging.getLogger("podshop.gateway").error("%s", e)
        print(f"podshop gateway: {e}", file=sys.stderr)  # noqa: T201 - the supervisor's log
        return WRONG
    except PodshopError as e:
        logging.getLogger("podshop.gateway").error("%s", e)
        return 1


if __name__ == "__main__":
    raise SystemExit(start(sys.argv[1:]))
