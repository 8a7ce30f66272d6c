"""podshop venue serve, as somebody types it: a process of its own, real HTTP, and the end of it."""

import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from podshop import cli

FUND = Path(__file__).resolve().parents[2] / "funds" / "starter.toml"


def test_it_serves_says_what_it_is_and_ends() -> None:
    command = [sys.executable, "-m", "podshop.cli", "venue", "serve", str(FUND), "--manual", "--evil", "lost_after=0.2"]
    if not (Path(cli.__file__).parent / "__main__.py").exists():
        command[1:3] = ["-c", "import sys; from podshop.cli import main; sys.exit(main())"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as served:
        assert served.stdout is not None
        assert served.stderr is not None
        try:
            url = served.stdout.readline().strip()
            with httpx2.Client(base_url=url, trust_env=False, timeout=10.0) as http:
                clock = http.get("/sim/clock").json()
                assert (clock["manual"], clock["simulated"]) == (True, True)
                assert http.get("/sim/evil").json()["faults"] == {"lost_after": 0.2, "close_all": 1.0}
                assert set(http.post("/info", json={"type": "allMids"}).json()) == {"BTC", "ETH", "XRP", "LTC", "ADA"}
                then = http.post("/sim/advance", json={"by_ns": 3_600_000_000_000}).json()["at_ns"]
                assert then == clock["at_ns"] + 3_600_000_000_000
        finally:
            served.terminate()
        said = served.stderr.read()
    assert url.startswith("http://127.0.0.1:")
    assert said.startswith("SIMULATED EXCHANGE on this host alone")


@pytest.mark.parametrize(
    ("faults", "words"),
    [("lost_after", "'lost_after' is not a fault and its probability"), ("nonsense=1", "'nonsense' is no fault")],
)
def test_faults_that_are_wrong_are_named(faults: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["venue", "serve", str(FUND), "--evil", faults]) == cli.WRONG
    assert words in capsys.readouterr().err


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["venue", "faults"]) == 0
    assert "refused_after_fill" in capsys.readouterr().out
