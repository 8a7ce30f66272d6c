"""Backups, restores, upgrades and units."""

import sqlite3
import sys
import time
from contextlib import closing
from itertools import pairwise

import pytest

from podshop.journal.keeper import Keeper
from podshop.journal.store import Journal
from podshop.ledger.facts import Deposit
from podshop.live import backup, service, upgrade
from podshop.live.latch import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING, Latch
from podshop.live.rehearsal import rebuilt
from podshop.nouns import DAY_NS, HOUR_NS, SECOND_NS, ConfigError, LedgerError

NOW_NS = 1_790_000_000 * SECOND_NS


def books(gateway, rows=5):
    """A journal with a few deposits."""
    with Keeper(gateway.journal, create=True) as keeper:
        keeper.append([(NOW_NS + i, Deposit(f"d{i}", "house", 1_000_000 + i)) for i in range(rows)])
        return keeper.head


def test_a_backup_is_taken_while_the_books_are_written(gateway):
    books(gateway)
    with Keeper(gateway.journal) as keeper:
        made = backup.backup(gateway, NOW_NS)
        keeper.append([(NOW_NS, Deposit("later", "house", 5))])
    assert made.seq == 5
    assert backup.backups(gateway) == [made]
    assert not backup.due(gateway, NOW_NS + HOUR_NS - 1)
    assert backup.due(gateway, NOW_NS + HOUR_NS)
    assert rebuilt(made.folder)["seq"] == 5


def test_a_restore_starts_halted_and_keeps_what_was_there(gateway):
    books(gateway)
    made = backup.backup(gateway, NOW_NS)
    with Keeper(gateway.journal) as keeper:
        keeper.append([(NOW_NS, Deposit("later", "house", 5))])
    backup.restore(gateway, made.folder, NOW_NS + 1)
    assert Latch(gateway.folder).held()[:2] == (HALTED_STATE, "operator")
    with Keeper(gateway.journal) as keeper:
        assert keeper.head.seq == 5
        keeper.append([(NOW_NS, Deposit("later", "house", 5))])
    (aside,) = (one for one in gateway.folder.iterdir() if one.name.startswith("replaced-"))
    assert backup.verify(aside / "journal.db").seq == 6


def test_a_restore_never_lowers_a_state(gateway):
    books(gateway)
    made = backup.backup(gateway, NOW_NS)
    Latch(gateway.folder, "watchdog").raise_to(3, NOW_NS, "silent")
    backup.restore(gateway, made.folder, NOW_NS + 1)
    assert Latch(gateway.folder).held()[:2] == (3, "watchdog")


def test_a_backup_that_is_not_whole_is_refused_and_changes_nothing(gateway):
    books(gateway)
    made = backup.backup(gateway, NOW_NS)
    with closing(sqlite3.connect(made.folder / "journal.db")) as db:
        db.execute("DROP TRIGGER journal_no_update")
        db.execute("UPDATE journal SET at_ns = at_ns + 1 WHERE seq = 3")
        db.commit()
    before = gateway.journal.read_bytes()
    with pytest.raises(LedgerError):
        backup.restore(gateway, made.folder, NOW_NS + 1)
    assert gateway.journal.read_bytes() == before


def test_nothing_is_restored_under_a_running_gateway(gateway):
    books(gateway)
    made = backup.backup(gateway, NOW_NS)
    with Journal(gateway.journal), pytest.raises(LedgerError, match="stop the fund first"):
        backup.restore(gateway, made.folder, NOW_NS + 1)


def test_old_backups_thin_out_to_hours_and_days(gateway):
    books(gateway)
    made = backup.backup(gateway, NOW_NS)
    made_up = [made._replace(at_ns=NOW_NS - i * HOUR_NS // 2, seq=i) for i in range(3_000)]
    kept = sorted(set(made_up) - set(backup.spare(made_up, NOW_NS)), key=lambda one: -one.at_ns)
    assert len(kept) <= backup.HOURS + backup.DAYS + 1
    assert kept[0].seq == 0
    assert NOW_NS - kept[-1].at_ns > 28 * DAY_NS
    assert all(a.at_ns - b.at_ns <= DAY_NS + HOUR_NS for a, b in pairwise(kept))


def test_units_are_hardened_and_of_three_users(gateway):
    made = {unit.name: unit.text for unit in service.units(gateway, "/opt/podshop/bin/python")}
    assert set(made) == {
        "podshop-gateway-s.service", "podshop-brain-s.service", "podshop-watchdog-s.service",
        "podshop-backup-s.service", "podshop-backup-s.timer",
    }  # fmt: skip
    for name, text in made.items():
        if name.endswith(".service"):
            for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "CapabilityBoundingSet="):
                assert f"\n{line}\n" in text, name
            assert "RestrictAddressFamilies=AF_UNIX" in text
            assert "ReadWritePaths=" in text
    users = {line for text in made.values() for line in text.splitlines() if line.startswith("User=")}
    assert users == {"User=podshop-gateway", "User=podshop-brain", "User=podshop-watchdog"}
    assert "BindsTo=podshop-gateway-s.service" in made["podshop-brain-s.service"]
    assert "BindsTo" not in made["podshop-watchdog-s.service"]
    brain = next(line for line in made["podshop-brain-s.service"].splitlines() if line.startswith("ReadWritePaths"))
    assert "journal" not in brain
    assert "latch" not in brain
    assert service.install(service.units(gateway), gateway.folder)[0].is_file()


def builds(path):
    """Two .venv folders that are this one, and the link to the first."""
    for name in ("old", "new"):
        python = path / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    current = path / "current"
    current.symlink_to(path / "old")
    return current


def test_an_upgrade_that_rebuilds_other_books_swaps_nothing(gateway, tmp_path, monkeypatch):
    books(gateway)
    current = builds(tmp_path)
    real = upgrade.rehearse

    def rehearse(python, copy):
        return real(python, copy) | ({"balances": {}} if "new" in python.parts else {})

    monkeypatch.setattr(upgrade, "rehearse", rehearse)
    with pytest.raises(ConfigError, match="balances differ; nothing was swapped"):
        upgrade.upgrade(gateway, tmp_path / "new", current, "me", lambda text: None)
    assert current.resolve() == tmp_path / "old"
    assert Latch(gateway.folder).held().state == RUNNING


def test_an_upgrade_swaps_and_rolls_back_in_one_step_each(gateway, tmp_path, monkeypatch):
    books(gateway)
    current = builds(tmp_path)
    monkeypatch.setattr(upgrade, "WARM", "pass")
    said = []
    assert upgrade.upgrade(gateway, tmp_path / "new", current, "me", said.append) == tmp_path / "old"
    assert current.resolve() == tmp_path / "new"
    assert Latch(gateway.folder).held()[:2] == (REDUCE_ONLY_STATE, "operator")
    assert said[0] == "drained: nothing is in flight"
    assert said[1] == "rehearsed on a copy of 5 rows: the same books"
    time.sleep(1.0)  # backups are named by the second
    upgrade.upgrade(gateway, tmp_path / "old", current, "me", said.append)
    assert current.resolve() == tmp_path / "old"


def test_a_rehearsal_rebuilds_to_the_last_row(gateway):
    head = books(gateway, rows=1)
    assert rebuilt(gateway.folder)["head"] == head.hash.hex()
