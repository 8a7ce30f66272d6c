"""The command line: JSON on stdout, words on stderr, one line and exit code 2 for what cannot be."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from podshop.cli import answer, app, main
from podshop.nouns import DAY_NS, DataError
from podshop.run.config import fifty_fund, load, smallest, starter
from tests.report.test_summary import RESULT

JANUARY_2022_NS = 18_993 * DAY_NS

RISK_AGENT = '''
from dataclasses import dataclass, field

from podshop.nouns import Limits

@dataclass
class Mine:
    """Half of everything."""

    share: float = 0.5
    looks: int = field(default=0, init=False)

    def __call__(self, view):
        return Limits(reason="", version=view.version, max_gross=self.share)
'''


@pytest.fixture
def replay(monkeypatch):
    """Stand in for the loop: remember what it was asked, answer a fixed result."""
    asked = []

    def backtest(*arguments):
        asked.append(arguments)
        arguments[-1](1, 2, "half")
        return RESULT | {"stats": RESULT["stats"] | {"sharpe": float("nan")}}

    monkeypatch.setitem(sys.modules, "podshop.run.backtest", SimpleNamespace(backtest=backtest))
    return asked


@pytest.fixture
def fund(tmp_path):
    path = tmp_path / "fund.toml"
    path.write_text(starter(), encoding="utf-8")
    return path


def test_init_writes_a_fund_that_loads(tmp_path, capsys):
    assert main(["init", "--starter", str(tmp_path / "starter.toml")]) == 0
    assert main(["init", str(tmp_path / "smallest.toml")]) == 0
    assert (tmp_path / "starter.toml").read_text(encoding="utf-8") == starter()
    assert (tmp_path / "smallest.toml").read_text(encoding="utf-8") == smallest()
    assert load(tmp_path / "smallest.toml").name == "smallest"
    assert f"wrote {tmp_path / 'smallest.toml'}" in capsys.readouterr().err


def test_init_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text("precious")
    assert main(["init", str(tmp_path / "mine.toml")]) == 2
    assert (tmp_path / "mine.toml").read_text() == "precious"
    assert capsys.readouterr().err == f"podshop: {tmp_path / 'mine.toml'}: is there already, and nothing was written\n"


def test_backtest_asks_for_what_was_typed(fund, tmp_path, replay, capsys):
    out = tmp_path / "out"
    typed = ["backtest", str(fund), "--data", str(tmp_path), "--since", "2022-01-01", "--until", "2022-01-03"]
    assert main([*typed, "--out", str(out)]) == 0
    asked, data, since_ns, until_ns, folder, _ = replay[0]
    assert (asked.name, data, folder) == ("starter", tmp_path, out)
    assert (since_ns, until_ns) == (JANUARY_2022_NS, JANUARY_2022_NS + 2 * DAY_NS)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Sharpe      unknown net" in printed.err
    assert str(out / "report.html") in printed.err


def test_json_is_one_object_on_stdout_and_nan_is_null(fund, tmp_path, replay, capsys):
    assert main(["backtest", str(fund), "--data", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert found["stats"]["sharpe"] is None
    assert found["nav"] == RESULT["nav"]
    assert replay[0][2:5] == (None, None, None)


def test_the_demo_is_the_starter_fund_on_the_simulated_exchange(tmp_path, replay, capsys):
    assert main(["demo", "--out", str(tmp_path)]) == 0
    fund, data, *_ = replay[0]
    assert (fund.name, data) == ("starter", None)
    assert str(tmp_path / "report.html") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backtest", "nothing.toml", "--data", "."], "nothing.toml: cannot be read: No such file or directory"),
        (["backtest", "FUND", "--data", ".", "--since", "2022-13-01"], 'unable to convert "2022-13-01" into datetime'),
        (["backtest", "FUND", "--data", ".", "--sinse", "2022"], "Unknown option: --sinse. Did you mean --since?"),
        (["backtest", "FUND"], "parameter --data requires an argument"),
        (["backtset"], 'Did you mean "backtest"?'),
        (["agents", "lst"], 'Did you mean "list"?'),
        (["init", "/nowhere/at/all.toml"], "/nowhere/at/all.toml: No such file or directory"),
        (["audit", "."], "no result.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line(arguments, said, fund, tmp_path, monkeypatch, replay, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([str(fund) if one == "FUND" else one for one in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("podshop: ")
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not replay


def test_an_error_of_ours_is_one_line_and_a_mistake_of_ours_is_a_traceback(fund, monkeypatch, capsys):
    def fails_with(error):
        def backtest(*arguments):
            raise error

        monkeypatch.setitem(sys.modules, "podshop.run.backtest", SimpleNamespace(backtest=backtest))
        return main(["backtest", str(fund), "--data", "."])

    assert fails_with(DataError("BTC.parquet: row 7:\n high < low")) == 2
    assert capsys.readouterr().err == "podshop: BTC.parquet: row 7: high < low\n"
    assert fails_with(OSError(28, "No space left on device", "out/fills.parquet")) == 2
    assert capsys.readouterr().err == "podshop: out/fills.parquet: No space left on device\n"
    assert fails_with(KeyboardInterrupt()) == 130
    with pytest.raises(ZeroDivisionError):
        fails_with(ZeroDivisionError())


def test_agents_list_names_every_setting(capsys):
    assert main(["agents", "list", "--json"]) == 0
    printed = capsys.readouterr()
    agents = {agent["kind"]: agent for agent in json.loads(printed.out)["kinds"]}
    assert agents["momentum"]["settings"]["bar"] == "1h"
    assert all(kind in printed.err and agents[kind]["about"] for kind in agents)


def test_agents_list_fits_a_terminal_and_names_everyone(capsys):
    assert main(["agents", "list"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if len(line) > 120] == []
    fund = fifty_fund()
    for name in (*(seat.name for seat in fund.signals), *(m.name for m in fund.mandates)):
        assert sum(line.startswith(f"{name}  ") for line in lines) == 1, name
    squeeze = next(i for i, line in enumerate(lines) if line.startswith("scalper_squeeze "))
    assert lines[squeeze].split()[:7] == ["scalper_squeeze", "scalping", "maker", "2m", "4h", "8", "5"]
    heard = f"{lines[squeeze]} {lines[squeeze + 1].strip()}"
    assert heard.endswith("funding_reversal, reversal_three_days x 0.5, basis x 0.5")
    assert "scalper_fade is meant to decide every 30s; on bars of 1h it decides every 1h" in lines


def test_agents_list_says_what_a_mandate_is_told(capsys):
    assert main(["agents", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["agents"]}
    assert len(rows) == 25 + 20 + 3 + 1
    swing = rows["swing_carry"]
    assert swing == swing | {
        "layer": "execution", "kind": "blend", "horizon": "swing", "style": "twap", "cadence": "8h", "outlook": "7d",
        "urgency": "8h", "cost_factor": 2.0, "cost_budget": 0.02, "listens": {"carry": 1.0, "relative_carry": 1.0},
    }  # fmt: skip
    assert swing["settings"]["volatility_half_life"] == "30d"
    assert (rows["allocator"]["kind"], rows["drawdown_limiter"]["settings"]["halve_from"]) == ("equal", 0.75)


def test_agents_list_says_what_each_risk_agent_is_set_to(fund, tmp_path, capsys):
    (tmp_path / "mine_for_the_risk_list.py").write_text(RISK_AGENT)
    mine = '[risk.halves]\nkind = "mine_for_the_risk_list:Mine"\ncadence = "6h"\n\n'
    mine += "[risk.portfolio_monitor]\noff = true\n\n"
    fund.write_text(starter().replace("[risk.drawdown_limiter]", mine + "[risk.drawdown_limiter]"))
    assert main(["agents", "list", str(fund), "--json"]) == 0
    rows = [row for row in json.loads(capsys.readouterr().out)["agents"] if row["layer"] == "risk"]
    assert [(row["name"], row["cadence"]) for row in rows] == [
        ("drawdown_limiter", "1h"), ("correlation_tracker", "1d"), ("halves", "6h"),
    ]  # fmt: skip
    assert "standing" not in rows[0]["settings"]
    assert rows[1]["settings"]["max_cluster"] == 0.15
    assert (rows[2]["settings"], rows[2]["about"]) == ({"share": 0.5}, "Half of everything.")
    assert main(["agents", "list", str(fund)]) == 0
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("risk ") and " halves " in line)
    assert line.split() == ["risk", "halves", "mine_for_the_risk_list:Mine", "6h", "share", "=", "0.5"]


def test_agents_list_shows_who_combines_where_that_is_not_the_blend(fund, tmp_path, capsys):
    (tmp_path / "mine_for_the_list.py").write_text(
        "from dataclasses import dataclass\n\n@dataclass\nclass First:\n"
        "    def __call__(self, voice, weights):\n        return voice[0]\n"
    )
    fund.write_text(starter().replace("listens", 'kind = "mine_for_the_list:First"\nlistens', 1))
    assert main(["agents", "list", str(fund)]) == 0
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("trend_follower "))
    assert line.endswith("trend; by mine_for_the_list:First")


def test_bench_prints_a_line_for_each_number(monkeypatch, capsys):
    numbers = {"loop": {"cycles_per_second": 123456.5}, "peak_rss_mb": 900}
    monkeypatch.setitem(sys.modules, "podshop.run.bench", SimpleNamespace(bench=lambda: numbers))
    assert main(["bench", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == numbers
    assert "loop.cycles_per_second                  123,456.500" in printed.err


def test_the_bar_is_for_terminals(monkeypatch, capsys):
    with answer.progress() as show:
        show(1, 2, "half")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with answer.progress() as show:
        show(1, 2, "halfway there")
    assert "halfway there" in capsys.readouterr().err


def commands(of, words=("podshop",)):
    """Every command there is, as typed, with its cyclopts App."""
    names = [name for name in of if not name.startswith("-")]
    if not names:
        yield " ".join(words), of
    for name in names:
        yield from commands(of[name], (*words, name))


def test_the_readme_has_every_command_and_option():
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    found = dict(commands(app))
    assert {"podshop backtest", "podshop agents list"} <= set(found)
    for words, command in found.items():
        rows = [line for line in readme.splitlines() if line.startswith(f"| `{words}")]
        assert len(rows) == 1, words
        for argument in command.assemble_argument_collection():
            assert argument.names[0] in rows[0], f"{words} {argument.names[0]}"


def test_help_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys; from podshop.cli import main; main(['--help']);"
        "print(sorted({'numba', 'polars', 'numpy', 'msgspec'} & set(sys.modules)), file=sys.stderr)"
    )
    source = {"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
    seconds = []
    for _ in range(5):  # processor time, and the best of five: the machine may be busy with other tests
        began = _children_seconds()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=source)
        seconds.append(_children_seconds() - began)
    assert done.stderr.strip() == "[]"
    assert "backtest" in done.stdout
    assert min(seconds) < 0.5


def _children_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
