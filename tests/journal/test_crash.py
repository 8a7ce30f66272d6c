"""kill -9 at any moment, and any byte of the files cut or flipped: a valid journal, or a refusal."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from podshop.journal import snapshot, store
from podshop.journal import verify as verifier
from podshop.journal.chain import NOTHING, Row
from podshop.journal.keeper import Keeper, rebuild
from podshop.journal.store import reading, rows
from podshop.journal.verify import verify
from podshop.nouns import LedgerError
from tests.journal.crash_writer import batch
from tests.ledger.fund_facts import Telling

WRITER = Path(__file__).with_name("crash_writer.py")
SEED = 20_240_601
JOURNALS = 25  # kills of one journal before the next begins
LONGEST_S = 0.05  # a writer lives: some 50 batches
CHANCES = {"": 4, "-wal": 4, ".head": 1, ".snapshot": 1}  # which file is damaged, among those there are


# ------------------------------------------------------------------------------------------------ kill -9


def kill_once(path: Path, how: str, random: Random) -> tuple[int, int]:
    """Let a writer write and kill it; answers the last batch it acknowledged, and the bytes of its log."""
    root = Path(__file__).resolve().parents[2]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (root / "src", root)))}
    command = [sys.executable, str(WRITER), str(path), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(random.uniform(0, LONGEST_S))
        process.kill()
        said = process.stdout.read().splitlines(keepends=True)
    whole = [int(line) for line in said if line.endswith(b"\n")]
    wal = path.with_name(path.name + "-wal")
    return max(whole, default=0), wal.stat().st_size if wal.exists() else 0


def torn_or_lost(path: Path, acknowledged: int) -> str | None:
    """What is wrong after a kill, None where nothing is: batches are whole, and none acknowledged is missing."""
    with Keeper(path) as journal, reading(path) as db:
        assert journal.state.sha256() == rebuild(path).sha256()
        found = Counter(row.at_ns for row in rows(db))
    last = max(found, default=0)
    if last < acknowledged:
        return f"batch {acknowledged} was acknowledged and is lost"
    for n in range(1, last + 1):
        if found[n] != len(batch(n)):
            return f"batch {n} has {found[n]} facts of {len(batch(n))}"
    return None


def campaign_of_kills(folder: Path, count: int, how: str = "honest") -> Counter[str]:
    """Kill this many writers and count what was seen."""
    random, seen = Random(SEED), Counter[str]()
    for n in range(count):
        path = folder / f"{n // JOURNALS}.journal"
        acknowledged, log = kill_once(path, how, random)
        wrong = torn_or_lost(path, acknowledged)
        with reading(path) as db:
            on_disk = max((row.at_ns for row in rows(db)), default=0)
        seen["kills"] += 1
        seen["wrong"] += wrong is not None
        seen["with a log to recover"] += log > 0
        seen["after a batch or more"] += acknowledged > 0
        seen["written and not yet acknowledged"] += acknowledged and on_disk > acknowledged
    return seen


@pytest.mark.parametrize("count", [20, pytest.param(1_000, marks=pytest.mark.soak)])
def test_a_killed_writer_leaves_whole_batches_and_all_it_acknowledged(tmp_path, count, record_property):
    seen = campaign_of_kills(tmp_path, count)
    record_property("seen", dict(seen))
    assert seen["wrong"] == 0
    assert seen["kills"] == count
    assert seen["with a log to recover"] > count // 2


@pytest.mark.parametrize("how", ["single", "early"])
def test_mutant_without_one_transaction_or_with_an_early_word_kills_are_seen(tmp_path, how):
    """Stops at the first kill that shows it; the honest writer's count has the same chances."""
    random = Random(SEED)
    for n in range(60):
        path = tmp_path / f"{n}.journal"
        if torn_or_lost(path, kill_once(path, how, random)[0]) is not None:
            return
    pytest.fail("no kill of 60 was seen")


# ------------------------------------------------------------------------------------------------ cuts and flips


def damage(path: Path, random: Random) -> tuple[str, str]:
    """Cut one of a journal's files somewhere, or flip a bit of it; answers how and which."""
    files = [file for end in CHANCES if (file := path.with_name(path.name + end)).exists()]
    chances = [CHANCES[file.name.removeprefix(path.name)] for file in files]
    file = random.choices(files, chances)[0]
    size = file.stat().st_size
    at, how = random.randrange(size), random.choice(["cut", "flip"])
    if how == "cut":
        os.truncate(file, at)
    else:
        raw = bytearray(file.read_bytes())
        raw[at] ^= 1 << random.randrange(8)
        file.write_bytes(raw)
    return how, file.name.removeprefix(path.name) or "journal"


class Original(NamedTuple):
    """A journal before the damage: two folders of files, what they hold, and the hash of where it leads."""

    closed: Path
    killed: Path
    rows: list[Row]
    sha256: str


def made(folder: Path) -> Original:
    """Two journals of the same facts: closed, and as a kill would leave it, with most rows in the log."""
    with Keeper(folder / "open" / "fund.journal", create=True) as journal:
        for told in Telling(9).cycles(60):
            journal.append(told)
        snapshot.save(journal.state, folder / "open" / "fund.journal")
        shutil.copytree(folder / "open", folder / "killed")
        sha256 = journal.state.sha256()
    (folder / "killed" / "fund.journal-shm").unlink()  # an index of the log that SQLite makes again
    assert (folder / "killed" / "fund.journal-wal").stat().st_size > 10_000
    shutil.copytree(folder / "open", folder / "closed")
    with reading(folder / "open" / "fund.journal") as db:
        return Original(folder / "closed", folder / "killed", list(rows(db)), sha256)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Original:
    return made(tmp_path_factory.mktemp("originals"))


def outcome(path: Path, original: Original) -> str:
    """What became of a damaged journal.

    refused   it did not open;  found  it opened, and `verify` named a bad row
    same      every row and the books are those of the original: the byte meant nothing, or was a cache's
    believed  anything else: what must not be
    """
    try:
        Keeper(path).close()
    except LedgerError:
        return "refused"
    if verify(path).first_bad is not None:
        return "found"
    with Keeper(path) as journal, reading(path) as db:
        same = list(rows(db)) == original.rows and journal.state.sha256() == original.sha256
    return "same" if same else "believed"


def campaign_of_damage(folder: Path, original: Original, count: int) -> Counter[tuple[str, str, str]]:
    """Damage this many copies; counts (how, file, outcome)."""
    random, seen = Random(SEED), Counter[tuple[str, str, str]]()
    for n in range(count):
        copy = folder / str(n) / "fund.journal"
        shutil.copytree(random.choice([original.closed, original.killed]), copy.parent)
        how, file = damage(copy, random)
        seen[how, file, outcome(copy, original)] += 1
        shutil.rmtree(copy.parent)
    return seen


@pytest.mark.parametrize("count", [100, pytest.param(2_000, marks=pytest.mark.soak)])
def test_no_damaged_file_is_believed(tmp_path, original, count, record_property):
    """2,000 in soak: some 1,000 cuts and 1,000 flips."""
    seen = campaign_of_damage(tmp_path, original, count)
    record_property("seen", dict(sorted(seen.items())))
    assert seen.total() == count
    assert not [key for key in seen if key[2] == "believed"]
    for file in ("journal", "-wal", ".head", ".snapshot"):
        assert sum(n for (_, which, _), n in seen.items() if which == file) > count // 40


@pytest.mark.parametrize("count", [50, pytest.param(1_000, marks=pytest.mark.soak)])
def test_every_flip_in_a_row_is_found(tmp_path, original, count):
    """Aimed at bodies and hashes as they stand in the file: what is left of other flips lies in unused space."""
    random = Random(SEED)
    raw = (original.closed / "fund.journal").read_bytes()
    for n in range(count):
        part = random.choice([random.choice(original.rows).body, random.choice(original.rows).hash])
        at = raw.index(part) + random.randrange(len(part))
        copy = tmp_path / str(n) / "fund.journal"
        shutil.copytree(original.closed, copy.parent)
        copy.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << random.randrange(8)]) + raw[at + 1 :])
        assert outcome(copy, original) in ("found", "refused")
        shutil.rmtree(copy.parent)


def test_mutant_without_the_chain_flips_are_believed(tmp_path, original, monkeypatch):
    monkeypatch.setattr(store, "walk", lambda rows, last, known: (store.read_head(tmp_path), None))
    monkeypatch.setattr(store, "read_head", lambda path: NOTHING)
    monkeypatch.setattr(verifier, "chain_error", lambda path, last, known: None)
    monkeypatch.setattr(verifier, "read_head", lambda path: NOTHING)
    seen = campaign_of_damage(tmp_path, original, 40)
    assert [key for key in seen if key[0] == "flip" and key[2] == "believed"]


def test_mutant_without_the_head_cuts_are_believed(tmp_path, original, monkeypatch):
    monkeypatch.setattr(store, "read_head", lambda path: NOTHING)
    monkeypatch.setattr(verifier, "read_head", lambda path: NOTHING)
    seen = campaign_of_damage(tmp_path, original, 40)
    assert [key for key in seen if key[0] == "cut" and key[2] == "believed"]
