"""The supervisor, and what its programs are given."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from podshop.live.process import LIFELINE_FD, environment
from podshop.live.secrets import KEY_FD
from podshop.live.supervisor import FIRST_S, Kept, Program, Supervisor, programs

CHILD = """
import os, sys, time
from podshop.live.process import hang_on, harden
harden()
assert hang_on()
with open(sys.argv[1], "a") as out:
    out.write(f"{os.getpid()}\\n")
time.sleep(float(sys.argv[2]))
sys.exit(int(sys.argv[3]))
"""


def program(name, path, seconds="60", code="0", **more):
    command = [sys.executable, "-c", CHILD, str(path / name), seconds, code]
    return Program(name=name, command=command, env=environment(path), **more)


def run_in_thread(supervisor):
    """`run` needs the main thread for its signals; here somebody else ends it."""
    codes = []
    thread = threading.Thread(target=lambda: codes.append(supervisor.run()), daemon=True)
    thread.start()
    return thread, codes


def pids(path):
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def eventually(what, seconds=20.0):
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)


@pytest.fixture
def no_signals(monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)


def test_what_ends_is_started_again_with_back_off(tmp_path, no_signals):
    said = []
    supervisor = Supervisor([program("short", tmp_path, "0", "1"), program("long", tmp_path)], said.append)
    thread, codes = run_in_thread(supervisor)
    eventually(lambda: len(pids(tmp_path / "short")) == 3)
    assert len(pids(tmp_path / "long")) == 1
    supervisor.end()
    thread.join(20)
    assert codes == [0]
    ends = [line for line in said if "short ended" in line]
    assert [line.rsplit("again in ", 1)[1] for line in ends[:2]] == ["1 s", "2 s"]


def test_a_wrong_configuration_stops_everything(tmp_path, no_signals):
    supervisor = Supervisor([program("wrong", tmp_path, "0", "2"), program("long", tmp_path)], lambda text: None)
    thread, codes = run_in_thread(supervisor)
    thread.join(20)
    assert codes == [2]


WATCHED = """
import os, sys, time
if os.path.exists(sys.argv[2]):
    os._exit(2)
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
time.sleep(60)
"""


def test_neither_brain_nor_gateway_ends_the_watchdog(tmp_path, no_signals, monkeypatch):
    """The brain says at once that all is wrong; the gateway dies, and then its configuration is wrong, or its key."""
    monkeypatch.setattr("podshop.live.supervisor.LONGEST_S", 0.2)
    key, wrong = tmp_path / "key", tmp_path / "wrong"
    key.write_text("0x" + "12" * 32)
    key.chmod(0o600)
    desk = [sys.executable, "-c", WATCHED, str(tmp_path / "gateway"), str(wrong)]
    said = []
    kept = (
        program("watchdog", tmp_path, hangs=True, again=True),
        Program(name="gateway", command=desk, env=environment(tmp_path), key=str(key)),
        program("brain", tmp_path, "0", "2", again=True),
    )
    supervisor = Supervisor(kept, said.append)
    thread, codes = run_in_thread(supervisor)
    eventually(lambda: len(pids(tmp_path / "brain")) == 3 and pids(tmp_path / "gateway"))
    key.chmod(0o644)
    os.kill(pids(tmp_path / "gateway")[0], signal.SIGKILL)
    eventually(lambda: sum("gateway cannot be started" in line for line in said) >= 2)
    key.chmod(0o600)
    wrong.touch()
    eventually(lambda: sum("gateway ended (exit code 2)" in line for line in said) >= 2)
    wrong.unlink()
    eventually(lambda: len(pids(tmp_path / "gateway")) == 2)
    assert len(pids(tmp_path / "watchdog")) == 1
    assert alive(pids(tmp_path / "watchdog")[0])
    supervisor.end()
    thread.join(30)
    assert codes == [0]


@pytest.mark.parametrize(("lasted_s", "code"), [(FIRST_S, 0), (FIRST_S - 1, 2)])
def test_a_gateway_that_has_stood_does_not_end_the_fund_by_saying_that_all_is_wrong(lasted_s, code):
    """Without that the same exit code stops everything (the mutant)."""
    gateway = Kept(Program(name="gateway", command=[], env={}))
    gateway.child = SimpleNamespace(poll=lambda: None, pid=1)
    supervisor = Supervisor([gateway.program], lambda text: None, now_s=lambda: lasted_s)
    assert supervisor._look(gateway) == 0
    gateway.child = SimpleNamespace(poll=lambda: 2, pid=1)
    assert supervisor._look(gateway) == code


def test_the_programs_of_a_fund_leave_only_the_gateway_a_say(gateway):
    assert [one.again for one in programs(gateway)] == [True, False, True]


def test_brain_and_gateway_end_with_the_supervisor_and_the_watchdog_does_not(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from podshop.live.process import environment
from podshop.live.supervisor import Program, Supervisor
from pathlib import Path
path = Path({str(tmp_path)!r})
CHILD = {CHILD!r}
ALONE = CHILD.replace("assert hang_on()", "assert not hang_on()")
desk = [sys.executable, "-c", CHILD, str(path / "gateway"), "60", "0"]
dog = [sys.executable, "-c", ALONE, str(path / "dog"), "60", "0"]
env = environment(path)
Supervisor([
    Program(name="gateway", command=desk, env=env), Program(name="dog", command=dog, env=env, hangs=False)
]).run()
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    eventually(lambda: pids(tmp_path / "gateway") and pids(tmp_path / "dog"))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    (desk,), (dog,) = pids(tmp_path / "gateway"), pids(tmp_path / "dog")
    try:
        eventually(lambda: not alive(desk))
        assert alive(dog)
    finally:
        os.kill(dog, signal.SIGKILL)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_programs_get_a_minimal_environment_and_their_own_key(gateway, monkeypatch, tmp_path):
    for name in ("HTTPS_PROXY", "PYTHONPATH", "AWS_SECRET_ACCESS_KEY", KEY_FD, LIFELINE_FD):
        monkeypatch.setenv(name, "x")
    for one in programs(gateway):
        assert one.command[1] == "-I"
        assert set(one.env) <= {
            "PATH",
            "LANG",
            "LC_ALL",
            "TZ",
            "HOME",
            "XDG_CACHE_HOME",
            "OPENBLAS_NUM_THREADS",
            "PYTHONHASHSEED",
        }
    assert [one.hangs for one in programs(gateway)] == [False, True, True]
