"""podshop costs: two tables for people, and JSON."""

import json

import pytest

from podshop.cli import main
from podshop.nouns import DAY_NS
from podshop.research import netting
from podshop.run import world
from podshop.run.config import starter

AGENT = {
    "shadow_net": 0.0415, "shadow_costs": 0.0123, "within_budget": True, "book_net": -321.4, "book_costs": 45.6,
    "held_back": 1234,
}  # fmt: skip
CASES = {
    "netting_and_buffer": {"fees": 100.0, "times": 1.0, "traded": 300_000.0},
    "buffer_alone": {"fees": 180.0, "times": 1.8, "traded": 300_000.0},
    "netting_alone": {"fees": 250.0, "times": 2.5, "traded": 800_000.0},
    "neither": {"fees": 421.5, "times": 4.215, "traded": 800_000.0},
}
RESULT = {
    "fund": "starter",
    "simulated": False,
    "period": {"since": "2022-01-01T00:00:00Z", "until": "2022-03-01T00:00:00Z", "interval": "1h", "days": 59.0},
    "net": True,
    "trials": 4,
    "fees": {"with_gate": CASES, "without_gate": {case: row | {"times": None} for case, row in CASES.items()}},
    "totals": {
        "with_gate": {"net": 4_390.0, "costs": 251.0, "funding_paid": -3.0},
        "without_gate": {"net": 1_129.0, "costs": 1_314.0, "funding_paid": -4.0},
    },
    "mandates": [
        {
            "name": "trend_follower", "horizon": "swing", "cost_budget": 0.05, "cost_factor": 2.0,
            "with_gate": AGENT,
            "without_gate": AGENT | {"shadow_net": -0.2, "shadow_costs": 0.31, "within_budget": False, "held_back": 0},
        },
        {
            "name": "spender", "horizon": "scalping", "cost_budget": 0.01, "cost_factor": 0.0,
            "with_gate": AGENT | {"within_budget": False}, "without_gate": AGENT | {"within_budget": False},
        },
    ],
}  # fmt: skip


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """The command on a fund file, with a stand-in for what it calls; and what that was asked."""
    path = tmp_path / "fund.toml"
    path.write_text(starter(), encoding="utf-8")
    asked = []
    monkeypatch.setattr(world, "read_world", lambda *arguments: asked.append(arguments))
    monkeypatch.setattr(netting, "costs", lambda *_: RESULT)
    return ["costs", str(path), "--data", str(tmp_path)], asked


def test_both_tables_are_shown_to_people(typed, capsys):
    words, asked = typed
    assert main([*words, "--since", "2022-01-01", "--until", "2022-03-01"]) == 0
    assert asked[0][2:] == (18_993 * DAY_NS, 19_052 * DAY_NS)
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = [" ".join(line.split()) for line in printed.err.splitlines()]
    assert "neither 421.50 4.21 800,000 421.50 unknown 800,000" in lines
    assert "trend_follower 5.0 4.2 1.23 -321 46 1,234 -20.0 31.00 -321 46" in lines
    assert "spender 1.0 4.2 1.23 -321 46 1,234 4.2 1.23 -321 46 over its budget" in lines
    assert "the whole fund 4,390 251 1,129 1,314" in lines
    assert "net of all costs" in printed.err
    assert "SIMULATED" not in printed.err


def test_columns_stand_under_their_heads(typed, capsys):
    """Every head ends where its figures end."""
    words, _ = typed
    main(words)
    lines = capsys.readouterr().err.splitlines()
    head, row = (next(line for line in lines if line.startswith(name)) for name in ("agent", "trend_follower"))
    assert [head.rindex("costs") + 5, head.index("budget") + 6] == [len(row), row.index(" 5.0") + 4]
    fees, first = (
        next(line for line in lines if line.split()[:2] == of) for of in (["fees,", "USD"], ["netting", "and"])
    )
    assert fees.index("fees, USD") + 9 == first.index("100.00") + 6
    assert fees.index("times") + 5 == first.index("1.00 ") + 4
    assert len(fees) == len(first)


def test_json_holds_everything(typed, capsys):
    words, _ = typed
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == RESULT
