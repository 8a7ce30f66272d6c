"""The ledger of trials: how often somebody has looked. One journal for each user, outside of every repository.

The best of many backtests looks good by luck, and by how much depends on how many were tried. Nobody remembers that, so
whatever shows what a fund would have earned writes a fact here first, into an append-only, hash-chained journal
(`journal.store`). The same look twice is one trial. A ledger whose end is missing, or that is gone while its head is
there, is not believed (`journal.head`); who begins a new one says why, and every count from then on says so too.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_data_path

from podshop.journal.facts import Fact, read
from podshop.journal.head import head_path
from podshop.journal.store import Journal, check_end, reading, rows
from podshop.ledger.facts import Start, Tried
from podshop.nouns import ConfigError, LedgerError, utc_text

FOLDER = "PODSHOP_TRIALS"  # environment: where the ledger is kept instead of the user's data folder
FILE = "trials.journal"
BEGUN = "begun"
WAIT_S, PAUSE_S = 30.0, 0.05  # for another run that is just writing


class Count(NamedTuple):
    """How many trials there are, and words to stand beside the number; None where they could not be counted."""

    trials: int | None
    note: str


class Ledger(NamedTuple):
    """What is written: when the ledger was begun and how, and every trial with its time, oldest first."""

    begun_ns: int
    how: str
    tried: tuple[tuple[int, Tried], ...]

    def trials_of(self, family: str, simulated: bool) -> int:
        """Trials of a fund, on history or on simulated prices."""
        return sum(fact.trials for _, fact in self.tried if (fact.family, fact.simulated) == (family, simulated))


def place() -> Path:
    """The file of the ledger."""
    told = os.environ.get(FOLDER)
    return (Path(told) if told else user_data_path("podshop", appauthor=False)) / FILE


def count(looks: Sequence[Tried]) -> Count:
    """Write down what is about to be looked at, where it is new, and say how many trials of this fund there are now.

    looks  at least one, all of one fund and one world

    Never fails: a run that cannot be counted says so where its trials would stand.
    """
    first = looks[0]
    try:
        found = _written(looks)
    except (LedgerError, OSError) as e:
        return Count(None, f"not counted: {' '.join(str(e).split())}")
    mine = found.trials_of(first.family, first.simulated)
    every = sum(fact.trials for _, fact in found.tried if fact.simulated == first.simulated)
    where = "simulated prices" if first.simulated else "history"
    return Count(mine, f"{mine:,} of {first.family} on {where}, {every:,} of all funds; ledger {found.how}")


def known() -> Ledger:
    """What the ledger says; nothing where none was begun. Raises LedgerError where it is damaged or its end is gone."""
    path = place()
    if not path.exists() and not head_path(path).exists():
        return Ledger(0, "not begun yet", ())
    if not path.exists():
        raise LedgerError(f"{path}: gone, though {head_path(path).name} is there: `podshop trials restart` begins anew")
    with reading(path) as db:
        check_end(db, path)
        facts = [(row.at_ns, read(row.kind, row.v, row.body)) for row in rows(db)]
    return _told(facts)


def restart(reason: str) -> Path:
    """Put what is left of a ledger aside and begin another, whose first row and every count say so; answers where.

    Raises ConfigError without a reason, or while the ledger that is there is whole: it is not to be forgotten.
    """
    path = place()
    if not reason.strip():
        raise ConfigError("a new ledger of trials needs a reason")
    left = [one for one in (path, head_path(path)) if one.exists()]
    if not left:
        raise ConfigError(f"{path}: there is no ledger of trials to begin anew; the first trial begins it")
    try:
        with Journal(path):
            pass
    except LedgerError as e:
        wrong = " ".join(str(e).split())
    else:
        raise ConfigError(f"{path}: this ledger of trials is whole, and cannot be begun anew")
    now = time.time_ns()
    for one in (*left, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if one.exists():
            one.replace(one.with_name(f"{one.name}.lost-{now}"))
    how = f"{BEGUN} anew {utc_text(now)[:10]}: {reason.strip()} ({wrong})"
    with Journal(path, create=True) as journal:
        journal.append([(now, _start(how))])
    return path


def _written(looks: Sequence[Tried]) -> Ledger:
    path = place()
    until = time.monotonic() + WAIT_S
    while True:
        try:
            return _append(path, looks)
        except LedgerError as e:
            if "another process writes" not in str(e) or time.monotonic() > until:
                raise
            time.sleep(PAUSE_S)


def _append(path: Path, looks: Sequence[Tried]) -> Ledger:
    """Under the writer's lock: what is new is what no row says already, its period apart."""
    now = time.time_ns()
    if not path.exists() and head_path(path).exists():
        raise LedgerError(f"{path}: gone, though {head_path(path).name} is there: `podshop trials restart` begins anew")
    with Journal(path, create=not path.exists()) as journal:
        facts = [(at, read(kind, v, body)) for _, at, kind, v, body, *_ in journal.raw_rows()]
        fresh = [] if facts else [(now, _start(f"{BEGUN} {utc_text(now)[:10]}"))]
        before = {_key(fact) for _, fact in facts if isinstance(fact, Tried)}
        new = {_key(fact): fact for fact in looks if _key(fact) not in before}
        added: list[tuple[int, Fact]] = [*fresh, *((now, fact) for fact in new.values())]
        journal.append(added)
    return _told([*facts, *added])


def _key(fact: Tried) -> tuple[str, str, str, bool, str]:
    return fact.what, fact.family, fact.data, fact.simulated, fact.config


def _told(facts: Sequence[tuple[int, object]]) -> Ledger:
    begun, how = 0, "without a beginning"
    if facts and isinstance(facts[0][1], Start):
        begun, how = facts[0][0], facts[0][1].source
    return Ledger(begun, how, tuple((at, fact) for at, fact in facts if isinstance(fact, Tried)))


def _start(how: str) -> Start:
    return Start("trials", 0, (), (), (), how)
