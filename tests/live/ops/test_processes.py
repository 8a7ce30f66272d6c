"""The supervisor, and what its programs are given."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from podshop.live.process import LIFELINE_FD, environment
from podshop.live.secrets import KEY_FD
from podshop.live.supervisor import Program, Supervisor, programs

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
