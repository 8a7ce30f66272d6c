"""podshop allocate: a line for each book, the reasons if asked, and JSON."""

import json
import sys
from types import SimpleNamespace

import pytest

from podshop.cli import main
from podshop.nouns import DAY_NS
from podshop.run import world
from podshop.run.config import starter

RESULT = {
    "fund": "starter",
    "simulated": False,
    "period": {"since": "2022-01-01T01:00:00Z", "until": "2022-03-01", "interval": "1h", "days": 58},
    "at": "2022-02-28",
    "policy": "article",
    "books": [
        {
            "name": "trend_follower", "horizon": "swing", "days": 58, "sharpe": 1.104, "sharpe_low": -0.51,
            "sharpe_high": 2.71, "prior": 0.5, "posterior": 0.64, "wanted": 0.431,
            "weights": {"equal": 0.5, "article": 0.292, "inverse_vol": 0.25, "shrunk": 0.397},
            "bound": {"equal": [], "article": [], "inverse_vol": [], "shrunk": ["cap", "hysteresis"]},
        },
        {
            "name": "newcomer", "horizon": "intraday", "days": 8, "sharpe": None, "sharpe_low": None,
            "sharpe_high": None, "prior": 0.3, "posterior": 0.3, "wanted": 0.5,
            "weights": {"equal": 0.5, "article": 0.708, "inverse_vol": 0.75, "shrunk": 0.5},
            "bound": {"equal": [], "article": [], "inverse_vol": [], "shrunk": []},
        },
    ],
    "cash": {"equal": 0.0, "article": 0.0, "inverse_vol": 0.0, "shrunk": 0.103},
    "moved_per_day": {"equal": 0.0, "article": 0.0311, "inverse_vol": 0.03, "shrunk": None},
    "net": True,
    "trials": None,
    "trials_note": "not counted before the trials ledger",
}  # fmt: skip


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """The command on a fund file, with a stand-in for what it calls; and what that was asked."""
    path = tmp_path / "fund.toml"
    path.write_text(starter(), encoding="utf-8")
    asked = []
    monkeypatch.setattr(world, "read_world", lambda *arguments: asked.append(arguments))
    monkeypatch.setitem(sys.modules, "podshop.research.allocate", SimpleNamespace(allocate=lambda *_: RESULT))
    return ["allocate", str(path), "--data", str(tmp_path)], asked


def test_a_line_for_each_book_and_one_for_the_cash(typed, capsys):
    words, asked = typed
    assert main([*words, "--since", "2022-01-01", "--until", "2022-03-01"]) == 0
    assert asked[0][2:] == (18_993 * DAY_NS, 19_052 * DAY_NS)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "trend_follower        0.500        0.292        0.250        0.397" in printed.err
    assert "cash                  0.000        0.000        0.000        0.103" in printed.err
    assert "unknown\n" in printed.err  # moved a day
    assert "net of all costs" in printed.err
    assert "hysteresis" not in printed.err


def test_explain_shows_evidence_belief_and_what_bound_it(typed, capsys):
    words, asked = typed
    assert main([*words, "--explain"]) == 0
    assert asked[0][2:] == (None, None)
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    trend = "trend_follower 58 1.10 -0.51 2.71 0.50 0.64 0.431 0.397 cap, hysteresis"
    assert trend.split() in lines
    assert ["newcomer", "8", "unknown", "unknown", "unknown", "0.30", "0.30", "0.500", "0.500", "nothing"] in lines


def test_json_holds_everything(typed, capsys):
    words, _ = typed
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == RESULT
