"""What counts as a trial of a fund, and where the number shows; decisions do not know of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from podshop.cli import main
from podshop.journal import trials
from podshop.nouns import DAY_NS
from podshop.run import accountant
from podshop.run.backtest import backtest
from podshop.run.config import starter, starter_fund
from podshop.run.trials import config_of, tries_of
from podshop.run.world import SIMULATED_SINCE_NS as SINCE_NS
from podshop.treasury.proof import best_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(trials.FOLDER, str(tmp_path / "trials"))
    return tmp_path


def run(fund, out=None, days=40):
    return backtest(fund, None, SINCE_NS, SINCE_NS + days * DAY_NS, out, lambda *_: None)


def test_a_run_again_is_no_new_trial_and_decides_the_same(folder: Path) -> None:
    first, again = run(starter_fund()), run(starter_fund())
    assert (first["trials"], again["trials"]) == (1, 1)
    other = run(replace(starter_fund(), sha256="another"))
    assert other["trials"] == 2
    assert other["decisions_sha256"] == first["decisions_sha256"]
    assert other["trials_note"].startswith("2 of starter on simulated prices, 2 of all funds; ledger begun")


def test_the_more_was_tried_the_less_a_sharpe_ratio_is_worth(folder: Path) -> None:
    first = run(starter_fund(), days=60)
    for i in range(8):
        trials.count([trials.known().tried[0][1]._replace(config=str(i))])
    later = run(starter_fund(), folder / "record", days=60)
    assert later["trials"] == 9
    assert later["stats"] == first["stats"]
    assert later["deflated"]["psr"] == first["deflated"]["psr"] == first["deflated"]["dsr"]
    assert later["deflated"]["dsr"] < first["deflated"]["dsr"]
    assert best_of(9) > 0
    assert f"trials: 9; deflated {later['deflated']['dsr']:.2f}" in (folder / "record" / "report.html").read_text()
    sheet = accountant.tear_sheet(accountant.read(folder / "record"), None)
    assert sheet["trials"] == f"9; deflated {later['deflated']['dsr']:.2f}"


def test_a_damaged_ledger_stops_no_run_and_is_said(folder: Path) -> None:
    run(starter_fund())
    trials.place().unlink()
    found = run(starter_fund())
    assert found["trials"] is None
    assert "gone, though trials.journal.head is there" in found["trials_note"]
    assert found["deflated"] == {"psr": None, "dsr": None}


def test_the_code_of_ones_own_agents_is_part_of_what_was_tried(folder: Path) -> None:
    (folder / "mine.py").write_text((Path(__file__).parents[2] / "src/podshop/signals/funding/carry.py").read_text())
    text = starter().replace('kind = "carry"\n', 'kind = "mine:Carry"\n')
    (folder / "fund.toml").write_text(text)
    from podshop.run.config import load

    fund = load(folder / "fund.toml")
    before = config_of(fund, "")
    with (folder / "mine.py").open("a") as file:
        file.write("\n# another thought\n")
    assert config_of(fund, "") != before
    assert config_of(fund, "shrunk") != config_of(fund, "equal")


def test_the_gate_counts_books_and_every_other_version(folder: Path) -> None:
    fund = starter_fund()
    assert tries_of(fund) == 3
    for config in "abcd":
        trials.count([trials.Tried("backtest", "starter", "d", False, config, 1, "")])
    trials.count([trials.Tried("backtest", "starter", "d", True, "e", 1, "")])
    assert tries_of(fund) == 6


def test_the_command_lists_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", "list"]) == 0
    assert "not begun yet" in capsys.readouterr().err
    run(starter_fund())
    main(["trials", "list", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["funds"] == [{"fund": "starter", "simulated": True, "trials": 1}]
    assert told["tried"][0]["what"] == "backtest"
    assert main(["trials", "restart", "--reason", "too many"]) == 2
    assert "is whole" in capsys.readouterr().err
    trials.place().unlink()
    assert main(["trials", "list"]) == 2
    assert main(["trials", "restart", "--reason", "I deleted it"]) == 0
    main(["trials", "list"])
    assert "begun anew" in capsys.readouterr().err
