"""Real halts: a whole fund of real processes on a lying exchange over HTTP is halted, gets flat, and is resumed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from podshop.live.flatten import PREFIX
from podshop.run.config import starter

RATE = 1_200.0
GATE_S = 0.1
EVIL = "lost_after=0.2,read_timeout=0.03,read_html=0.02,empty=0.05,busy=0.05,late=0.02,partial_close=0.1"
RUN = "import sys; from podshop.cli import main; sys.exit(main(sys.argv[1:]))"
HALTS = int(os.environ.get("PODSHOP_HALTS", "10"))


class Paper:
    """`podshop paper` as a child of the test, and the commands of another terminal."""

    def __init__(self, path: Path) -> None:
        self.state, self.path = path / "s", path
        self.env = os.environ | {"XDG_STATE_HOME": str(path / "home")}
        (path / "fund.toml").write_text(starter())
        self.log = (path / "log").open("wb")
        self.child = subprocess.Popen(
            self.command("paper", "fund.toml", "--state", "s", "--rate", f"{RATE:g}", "--evil", EVIL),
            cwd=path, env=self.env, stderr=self.log, start_new_session=True,
        )  # fmt: skip

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", RUN, *words]

    def ask(self, *words: str, check: bool = True) -> dict:
        """A command of the operator's; what it says with --json."""
        done = subprocess.run(
            self.command(*words, "--json"), cwd=self.path, env=self.env, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def sim(self, what: str) -> dict:
        url = (self.state / "run" / "venue.url").read_text().split()[0]
        with urllib.request.urlopen(f"{url}/sim/{what}", timeout=20) as answer:  # loopback
            return json.load(answer)

    def eventually(self, what, seconds: float):
        began = time.monotonic()
        while True:
            try:
                found = what()
            except (OSError, ValueError):
                found = None
            if found:
                return found
            said = (self.path / "log").read_text()[-3_000:]
            assert self.child.poll() is None, said
            assert time.monotonic() - began < seconds, said
            time.sleep(0.2)

    def holds(self) -> bool:
        return any(self.sim("truth")["lots"].values())

    def end(self) -> None:
        self.child.send_signal(signal.SIGINT)
        try:
            self.child.wait(60)
        finally:
            self.child.kill()
            self.log.close()


@pytest.mark.soak
def test_a_fund_of_real_processes_is_halted_again_and_again(tmp_path, record_property):
    rng = random.Random(7)
    paper, times = Paper(tmp_path), []
    try:
        paper.eventually(paper.holds, 300)
        for number in range(HALTS):
            paper.eventually(paper.holds, 120)
            time.sleep(rng.uniform(0.0, 4.0))
            if number % 3 == 1:  # the gateway dies at the same moment
                pid = next(one["pid"] for one in paper.ask("status", "s")["processes"] if one["name"] == "gateway")
                os.kill(pid, signal.SIGKILL)
            began_ns = paper.sim("clock")["at_ns"]
            found = paper.ask("drill", "s")
            closed_ns = began_ns + int((found["latch_ms"] / 1e3 + GATE_S) * RATE * 1e9)
            slack_ns = int(2.0 * RATE * 1e9)  # the drill's own start, which lies between the clock and the latch
            truth = paper.sim("truth")
            assert not any(truth["lots"].values()), found
            late = [
                one for one in truth["orders"]
                if one["at_ns"] > closed_ns + slack_ns and not (one["client_id"] or "").startswith(PREFIX)
            ]  # fmt: skip
            assert late == []
            assert found["flat_s"] is not None
            times.append((number, found["latch_ms"], found["gate_closed_ms"], found["flat_now_s"], found["flat_s"]))
            resume(paper)
    finally:
        paper.end()
    assert len(times) == HALTS
    record_property("halts", HALTS)
    record_property("latch_ms", max(one[1] for one in times))
    record_property("gate_closed_ms", max(one[2] or 0.0 for one in times))
    record_property("flat_now_s", sorted(one[3][0] for one in times))


def resume(paper: Paper) -> None:
    """Let the fund and each of its markets trade again, as soon as its gateway listens."""
    paper.eventually(lambda: paper.ask("status", "s")["gateway"], 120)
    paper.eventually(lambda: paper.ask("resume", "s", "--reason", "drill done", check=False), 60)
    for market in paper.sim("truth")["lots"]:
        paper.ask("resume", "s", "--scope", "market", "--name", market, "--reason", "the watchdog's", check=False)
