"""podshop realistic: words within a hundred columns, JSON, a page, and what is wrong in one line."""

import json
from typing import Any

import numpy as np
import pytest

from podshop.cli import main
from podshop.nouns import DAY_NS
from podshop.research import realistic
from podshop.research.realistic import Found
from podshop.run import warm

FIGURES = {
    "return": -0.0416, "volatility": 0.0489, "sharpe": -0.41, "sharpe_low": -1.59, "sharpe_high": 0.77,
    "drawdown": 0.0745,
}  # fmt: skip
COSTS = {"trading_costs": 0.0067, "funding_paid": -0.0105, "gross": 0.072}
DIFFERENCE = {"value": 0.82, "low": -0.27, "high": 1.94, "detectable": 1.67, "not_worse": True}
PERCENT = {"value": 0.0248, "low": -0.0172, "high": 0.0656, "detectable": 0.0626, "not_worse": True}
PAIR = {"sharpe": DIFFERENCE, "mean_return": PERCENT, "better": "not shown"}
ANSWER: dict[str, Any] = {
    "simulated": False,
    "period": {"since": "2022-07-01T00:00:00Z", "until": "2024-07-01T00:00:00Z", "interval": "1h", "days": 731},
    "evidence": {"since": "2022-01-02T00:00:00Z", "days": 180, "with_it": {"starter": FIGURES, "fifty": FIGURES}},
    "net": True,
    "trials": {"mandates": 23, "funds": 2, "comparisons": 6},
    "paths": dict.fromkeys(("one", "starter", "fifty"), FIGURES | COSTS) | {"one_scaled": FIGURES | {"times": 0.5}},
    "folds": [
        {
            "since": "2022-07-01T00:00:00Z", "days": 184, "chosen": "fifty/intraday_breakout",
            "before": {"days": 180, "sharpe": 1.65, "low": -0.42, "high": 3.72}, "rank_after": rank, "of": 23,
            "after": dict.fromkeys(("one", "starter", "fifty"), FIGURES),
        }
        for rank in (9, None)
    ],
    "changes": {"count": 2, "bps": 5.5, "cost": 0.0001},
    "against": dict.fromkeys(("fifty - one", "starter - one", "fifty - starter"), PAIR),
    "block_days": 9,
    "luck": {
        "drawn": 4000, "judged": 3999, "low": -1.01, "middle": 0.05, "high": 1.16,
        "below": {"one": 0.24, "starter": 0.7, "fifty": None},
    },
    "hindsight": {"name": "fifty/swing_strength"} | FIGURES,
    "mandates": [{"name": "fifty/swing_strength"} | FIGURES],
    "stopped": [],
    "decisions_sha256": {"starter": "a" * 64, "fifty": "b" * 64},
    "package_sha256": "c" * 64,
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A stand-in for the runs; and what it was asked."""
    calls: list[Any] = []
    daily = np.random.default_rng(1).normal(0, 0.01, (4, 60))
    paths = dict(zip(("one", "starter", "fifty", "one_scaled"), daily, strict=True))
    found = Found(ANSWER, (19_000 + np.arange(60)) * DAY_NS, paths)
    monkeypatch.setattr(warm, "warm", lambda show: 0.0)
    monkeypatch.setattr(realistic, "realistic", lambda *arguments: calls.append(arguments) or found)
    return calls


def test_people_read_it_in_a_hundred_columns(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["realistic", "--since", "2022-01-01", "--until", "2024-07-01"]) == 0
    assert asked[0][:3] == (None, 18_993 * DAY_NS, 19_905 * DAY_NS)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert max(map(len, printed.err.splitlines())) <= 100
    lines = [" ".join(line.split()) for line in printed.err.splitlines()]
    assert "one strategy, chosen before −4.16 % 4.89 % −0.41 (−1.59 to 0.77) 7.45 % 0.67 % −1.05 %" in lines
    assert "the same at the fifty's volatility −4.16 % 4.89 % −0.41 (−1.59 to 0.77) 7.45 % 0.34 % −0.53 %" in lines
    assert "fifty - one 0.82 (−0.27 to 1.94) 1.67 2.48 (−1.72 to 6.56) not shown" in lines
    assert "2022-07-01 fifty/intraday_breakout 1.65 (−0.42 to 3.72) 9 of 23 −0.41 −0.41 −0.41" in lines
    assert "2022-07-01 fifty/intraday_breakout 1.65 (−0.42 to 3.72) did not trade −0.41 −0.41 −0.41" in lines
    assert "share of such draws that did worse: one 24 %, 3 x 5 70 %, fifty –" in lines
    assert "whole the funds since 2022-01-02, evidence and test:" in lines
    assert "3 x 5 −4.16 %, Sharpe −0.41 (−1.59 to 0.77)" in lines
    assert any("23 mandates, 2 funds, 6 comparisons" in line for line in lines)
    assert "SIMULATED" not in printed.err


def test_a_simulated_run_says_so_first(
    asked: list[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWER, "simulated", True)
    monkeypatch.setitem(ANSWER, "against", {pair: PAIR | {"better": None} for pair in ANSWER["against"]})
    main(["realistic"])
    printed = capsys.readouterr().err
    assert printed.startswith("SIMULATED, NOT PERFORMANCE")
    assert "no claim is made" in printed
    assert "not shown" not in printed


def test_json_and_the_page(asked: list[Any], capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    out = tmp_path / "deep" / "page.html"
    assert main(["realistic", "--json", "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out) == ANSWER
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "fifty/intraday_breakout" in text


def test_a_period_without_a_half_year_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["realistic", "--since", "2023-01-01", "--until", "2023-02-01"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "podshop: 31 days hold no half-year to test on: expected 90 days before a first of January or July and 60 "
        "after it"
    )
