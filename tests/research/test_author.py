"""What `podshop agents new` writes works, and what `podshop agents check` is given is found."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from podshop.cli import main
from podshop.nouns import ConfigError
from podshop.research import execution_contract, risk_contract
from podshop.research.author import TEMPLATES, find, write
from podshop.research.contract import check
from podshop.signals.momentum.time_series import Momentum
from podshop.signals.roster import ROSTER

SOURCES = Path(__file__).resolve().parents[2] / "src"


@pytest.mark.parametrize("layer", TEMPLATES)
def test_a_new_agent_and_its_test_pass(tmp_path, layer):
    agent, test = write("quiet_trend", tmp_path, layer)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--doctest-modules", agent.name, test.name],
        cwd=tmp_path,
        env={"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "3 passed" in ran.stdout
    hold = {"signal": check, "execution": execution_contract.check, "risk": risk_contract.check}[layer]
    assert [f for f in hold(find(f"{agent}:QuietTrend")) if not f.passed] == []


def test_an_agent_is_found_by_any_of_its_names(tmp_path, monkeypatch):
    assert find("trend_week") is ROSTER["trend_week"]
    assert find("momentum") == Momentum()
    assert find("podshop.signals.momentum.time_series:Momentum") == Momentum()
    write("calm_waters", tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("calm_waters", "calm_waters.py", "calm_waters.py:CalmWaters", str(tmp_path / "calm_waters.py")):
        assert type(find(name)).__name__ == "CalmWaters"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("momentun", "did you mean 'momentum'?"),
        ("nothing_like_it", "expected a name of `podshop agents list`, module:Class or path.py:Class"),
        ("nowhere.py", "nowhere.py: no such file"),
        ("podshop.signals:Nobody", "there is no 'Nobody' in podshop.signals"),
        ("no_such_module:Agent", "cannot be imported: ModuleNotFoundError"),
        ("podshop.signals.roster:ROSTER", "is not a signal agent, it lacks bar"),
        ("broken.py", "broken.py: cannot be imported: ZeroDivisionError"),
        ("empty.py", "expected one agent in the file"),
    ],
)
def test_what_cannot_be_found_is_said(what, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text("1 / 0\n")
    Path("empty.py").write_text("x = 1\n")
    with pytest.raises(ConfigError) as e:
        find(what)
    assert said in str(e.value)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Loud", "expected small letters"),
        ("2fast", "expected small letters"),
        ("with-dash", "expected small letters"),
        ("_", "expected small letters"),
        ("class", "it is a word of Python's own"),
        ("json", "there is a module of that name"),
        ("numpy", "there is a module of that name"),
        ("podshop", "there is a module of that name"),
        ("rolling", "uses rolling for something else"),
        ("voice", "uses voice for something else"),
        ("view", "uses view for something else"),
    ],
)
def test_a_name_that_no_agent_can_have_is_refused_with_the_reason(name, why, tmp_path):
    with pytest.raises(ConfigError, match=f"cannot name an agent: .*{why}"):
        write(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_new_advises_works(tmp_path):
    """Each printed command, run as a user would: by the command, whose path does not hold the folder they are in."""
    run = (
        "import sys; sys.path = [p for p in sys.path if p]; from podshop.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    podshop = [sys.executable, "-c", run]

    def said(*command: str) -> str:
        env = {"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    advice = said(*podshop, "agents", "new", "early_riser")
    assert "podshop agents check early_riser.py\n" in advice
    kind = advice.rpartition('kind = "')[2].partition('"')[0]
    assert kind == "early_riser:EarlyRiser"
    for name in (kind, "early_riser.py", "early_riser.py:EarlyRiser"):
        assert "checks passed" in said(*podshop, "agents", "check", name)
    said(*podshop, "init", "--starter", "mine.toml")
    fund = (tmp_path / "mine.toml").read_text()
    fund = re.sub(r'kind = "momentum".*\nwindow_bars = .*', f'kind = "{kind}"', fund)
    advice = said(*podshop, "agents", "new", "late_riser", "--execution")
    assert "podshop agents check late_riser.py\n" in advice
    assert "in a table [execution.late_riser]" in advice
    combines = advice.rpartition('kind = "')[2].partition('"')[0]
    for name in ("late_riser", combines):
        assert "9 of 9 checks passed" in said(*podshop, "agents", "check", name)
    fund = fund.replace("listens", f'kind = "{combines}"\nlistens', 1)
    advice = said(*podshop, "agents", "new", "watchman", "--risk")
    assert "in a table [risk.watchman]" in advice
    watches = advice.rpartition('kind = "')[2].partition('"')[0]
    for name in ("watchman", watches):
        assert "8 of 8 checks passed" in said(*podshop, "agents", "check", name)
    (tmp_path / "mine.toml").write_text(f'{fund}\n[risk.watchman]\nkind = "{watches}"\n')
    listed = said(*podshop, "agents", "list", "mine.toml")
    assert kind in listed
    assert combines in listed
    assert watches in listed


def test_an_agent_is_of_one_layer(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["agents", "new", "both", "--execution", "--risk"]) == 2
    assert "combines voices (--execution) or sets limits (--risk), not both" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "test_mine.py").write_text("precious")
    with pytest.raises(ConfigError, match=r"test_mine.py: is there already, and nothing was written"):
        write("mine", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["test_mine.py"]


def test_the_command_says_what_to_fix_and_exits_with_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["agents", "new", "early_bird", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"agent": "early_bird.py", "test": "test_early_bird.py"}
    honest = Path("early_bird.py").read_text()
    peeks = honest.replace("maths.log(close)", "maths.log(np.vstack([close[1:], close[-1:]]))")
    Path("early_bird.py").write_text(
        peeks.replace("from podshop import maths", "import numpy as np\n\nfrom podshop import maths")
    )
    assert main(["agents", "check", "early_bird", "--json"]) == 1
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    failed = {one["check"]: one for one in result["checks"] if not one["passed"]}
    assert not result["passed"]
    assert {"no_peek", "no_future"} <= set(failed)
    assert f"to fix it: {failed['no_peek']['fix']}" in printed.err
    assert main(["agents", "check", "trend_week"]) == 0
    assert main(["agents", "check", "trend_weak"]) == 2


def test_an_example_that_prints_something_else_is_a_finding(tmp_path):
    agent, _ = write("wrong_example", tmp_path)
    agent.write_text(agent.read_text().replace("0.77", "0.78"))
    (finding,) = check(find(str(agent)), only="documented")
    assert "does not print what it says" in finding.found


def test_list_shows_every_layer(capsys):
    assert main(["agents", "list", "--json"]) == 0
    agents = json.loads(capsys.readouterr().out)["agents"]
    assert [a["name"] for a in agents if a["layer"] == "signals"] == list(ROSTER)
    layers = list(dict.fromkeys(agent["layer"] for agent in agents))
    assert layers == ["signals", "execution", "risk", "treasury"]
    for agent in agents:
        assert agent["markets"]
        assert agent["reads"]
        assert agent["cadence"]
        assert agent["about"]
    week = next(a for a in agents if a["name"] == "trend_week")
    assert (week["kind"], week["lookback_bars"], week["cadence"]) == ("momentum", 169, "1h")
