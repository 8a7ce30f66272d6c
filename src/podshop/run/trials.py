"""What counts as one trial of a fund: the fund file, the code of one's own agents, the data, and what was varied."""

import hashlib
import json
from collections.abc import Sequence

from podshop.journal import trials
from podshop.journal.trials import Count
from podshop.ledger.facts import Tried
from podshop.market import data_sha256
from podshop.nouns import utc_text
from podshop.run.config.sections import Fund
from podshop.run.kept import own_sha256
from podshop.run.world import World


def counted(what: str, fund: Fund, world: World, variants: Sequence[str] = ("",), each: int = 1) -> Count:
    """Write into the ledger of trials that a fund is about to be looked at, before anything of it is seen.

    variants  names of what is run: each is a trial of its own; "" is the fund as its file says
    each      how many are looked at in each of them
    """
    data = data_sha256(world.market, world.funding)
    period = f"{utc_text(world.since_ns)[:10]} to {utc_text(world.until_ns)[:10]}"
    return trials.count(
        [Tried(what, fund.name, data, world.simulated, config_of(fund, one), each, period) for one in variants]
    )


def config_of(fund: Fund, variant: str) -> str:
    """SHA-256 of all that makes this trial another one than the last."""
    told = json.dumps([fund.sha256, own_sha256(fund), variant], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def tries_of(fund: Fund) -> int:
    """For the gate: as many agents as there are books, and one more for every other version of the fund on history.

    Raises LedgerError where the ledger is damaged: the gate does not guess.
    """
    return len(fund.mandates) + max(0, trials.known().trials_of(fund.name, simulated=False) - 1)
