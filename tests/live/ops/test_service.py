"""What a brain of another user cannot do to the operator's token and socket, and what the others must be able to."""

import fcntl
import os
import socket
import stat
import subprocess
import sys

import pytest

from podshop.live import config, control, reach, service
from podshop.nouns import ConfigError

DESK, BRAIN, GROUP = 4001, 4002, 4000  # users and a group that nobody has


def chmods(gateway):
    """Do what root is told to do with modes."""
    for command in service.commands(gateway):
        if command.startswith("chmod"):
            subprocess.run(["sh", "-c", command], check=True)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_brain_may_write_no_folder_with_a_socket_or_the_token_in_it(gateway):
    chmods(gateway)
    assert mode(gateway.run) == 0o710
    assert mode(gateway.desk) == 0o700
    assert mode(gateway.operator_token) == 0o600
    assert gateway.control_socket.parent == gateway.operator_token.parent == gateway.desk
    assert gateway.targets_socket.parent == gateway.run
    units = {unit.name: unit.text for unit in service.units(gateway, "/opt/python")}
    written = next(line for line in units["podshop-brain-s.service"].splitlines() if line.startswith("ReadWritePaths"))
    for folder in (gateway.run, gateway.desk):
        assert str(folder.resolve()) not in written


def test_another_user_replaces_neither_token_nor_socket(gateway, tmp_path):
    """With real users, where we may become them; the modes alone say the same elsewhere."""
    chmods(gateway)
    if os.getuid() != 0:
        assert not any(mode(path) & 0o022 for path in (gateway.run, gateway.desk, gateway.operator_token))
        return
    token = control.read_token(gateway.operator_token)
    for path in (gateway.folder, gateway.run, gateway.desk, gateway.operator_token):
        os.chown(path, DESK, GROUP)
    tried = as_user(BRAIN, lambda: replaced(gateway))
    assert tried == "refused, refused"
    assert as_user(DESK, lambda: control.read_token(gateway.operator_token, own=True)) == token
    assert control.read_token(gateway.operator_token) == token  # root's operator
    gateway.desk.chmod(0o2770)  # the mutant: the folder as it was
    assert as_user(BRAIN, lambda: replaced(gateway)) == "done, done"
    with pytest.raises(ConfigError, match="others may write it"):
        control.read_token(gateway.operator_token)
    gateway.desk.chmod(0o700)
    for user, own in ((DESK, True), (0, False)):  # what was put there before is known by its owner
        with pytest.raises(ConfigError, match=f"belongs to user {BRAIN}"):
            as_user(user, lambda own=own: control.read_token(gateway.operator_token, own=own))


def replaced(gateway):
    """What a brain might try; whether it could."""
    found = []
    for path, put in ((gateway.operator_token, put_token), (gateway.control_socket, put_socket)):
        try:
            path.unlink(missing_ok=True)
            put(path)
            found.append("done")
        except OSError:
            found.append("refused")
    return ", ".join(found)


def put_token(path):
    path.write_text("b" * 64 + "\n")
    path.chmod(0o640)
    os.chown(path, -1, GROUP)


def put_socket(path):
    socket.socket(socket.AF_UNIX).bind(str(path))


def as_user(user, what):
    """Do it in a child of another user, in a folder that everybody may pass; its answer, or its ConfigError."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        said = ""
        try:
            os.setgroups([])
            os.setgid(GROUP)
            os.setuid(user)
            said = what()
        except ConfigError as e:
            said = f"ConfigError {e}"
        except Exception as e:  # noqa: BLE001 - the parent must hear of it
            said = f"{type(e).__name__} {e}"
        finally:
            os.write(writer, said.encode())
            os._exit(0)
    os.waitpid(child, 0)
    said = os.read(reader, 10_000).decode()
    os.close(reader)
    os.close(writer)
    if said.startswith("ConfigError "):
        raise ConfigError(said.removeprefix("ConfigError "))
    return said


def test_the_watchdog_can_read_gateway_toml(gateway):
    chmods(gateway)
    assert mode(gateway.folder / config.GATEWAY_TOML) == 0o640
    if os.getuid() == 0:
        for path in (gateway.folder, gateway.folder / config.GATEWAY_TOML):
            os.chown(path, DESK, GROUP)
        gateway.folder.chmod(0o750)
        assert as_user(BRAIN + 1, lambda: config.read(gateway.folder).venue) == "simulated"


@pytest.fixture(autouse=True)
def passable(tmp_path):
    """Other users may pass through the folders above; pytest keeps them to itself."""
    above = [folder for folder in (tmp_path, *tmp_path.parents) if folder.owner() != "root" or os.getuid() == 0]
    before = {folder: mode(folder) for folder in above if not mode(folder) & 0o001}
    for folder, kept in before.items():
        folder.chmod(kept | 0o001)
    yield
    for folder, kept in before.items():
        folder.chmod(kept)


# ---------------------------------------------------------------- the account's lock


def test_a_units_own_tmp_holds_no_lock(tmp_path):
    kept, run, tmp = (tmp_path / name for name in ("kept", "run", "tmp"))
    assert reach.locks(kept, run, tmp) == (tmp,)  # a machine without systemd
    run.mkdir()
    assert reach.locks(kept, run, tmp) == (run,)
    kept.mkdir()
    assert reach.locks(kept, run, tmp) == (kept, run)


def test_units_can_write_the_lock(gateway):
    desk = service.units(gateway, "/opt/python")[0].text
    assert f"-{reach.KEPT_LOCKS}" in next(line for line in desk.splitlines() if line.startswith("ReadWritePaths"))
    assert any(f"-m 3770 {reach.KEPT_LOCKS}" in command for command in service.commands(gateway))


def test_a_gateway_started_by_hand_keeps_a_unit_from_the_account(tmp_path):
    """It had no kept folder yet; the unit has one, and may only read the other."""
    kept, run = tmp_path / "kept", tmp_path / "run"
    run.mkdir()
    hold = "import sys; from pathlib import Path; from podshop.live.reach import hold; "
    hold += "hold('hyperliquid 0xab', [Path(sys.argv[1])]); print('held', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, umask=0o077
    )
    try:
        assert other.stdout.readline() == "held\n"
        (lock,) = run.iterdir()
        assert mode(lock) == 0o644  # whatever the umask
        kept.mkdir()
        with pytest.raises(ConfigError, match="another gateway"):
            reach.hold("hyperliquid 0xAB", (kept, run))
        reach.hold("hyperliquid 0xac", (kept, run))
    finally:
        other.communicate("\n", timeout=20)
    reach.hold("hyperliquid 0xab", (kept, run))


def test_without_a_place_for_the_lock_nothing_is_traded(tmp_path):
    with pytest.raises(ConfigError, match="no lock can be made"):
        reach.hold("hyperliquid 0xab", (tmp_path / "missing",))


def test_a_lock_that_is_only_read_still_holds(tmp_path):
    name = tmp_path / "podshop-account-x.lock"
    name.write_text("")
    name.chmod(0o444)
    one, two = reach._lock_file(name), reach._lock_file(name)
    fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with pytest.raises(BlockingIOError):
        fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
