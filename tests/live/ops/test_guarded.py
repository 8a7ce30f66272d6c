"""`podshop live` trades real money after a flag, a line of configuration, the doctor and a typed name: not before."""

import io
from types import SimpleNamespace

import pytest

from podshop.cli import main
from podshop.live import doctor, paper
from podshop.live.control import Coin, Standing
from podshop.live.doctor import Check
from podshop.nouns import ConfigError
from podshop.run.config import load


@pytest.fixture
def earnest(gateway, tmp_path, monkeypatch):
    """A fund that is set up for real money, up to what a test takes away; nothing is ever started."""
    for name in ("one", "two"):
        (tmp_path / name).write_text("0x" + name[0].encode().hex() * 32)
        (tmp_path / name).chmod(0o600)
    text = f'fund = "{gateway.fund}"\nvenue = "hyperliquid"\naccount = "0x{"12" * 20}"\nreal_money = true\n'
    text += f'canary_usd = 100.0\n[keys]\ngateway = "{tmp_path / "one"}"\nwatchdog = "{tmp_path / "two"}"\n'
    (gateway.folder / "gateway.toml").write_text(text)
    started = []
    monkeypatch.setattr(paper, "keep", lambda *given: started.append(given) or 0)
    monkeypatch.setattr(doctor, "examine", lambda *given: [Check("all", "ok", "fine")])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda text: "starter")
    return SimpleNamespace(
        typed=["live", str(gateway.fund), "--state", str(gateway.folder), "--really"],
        toml=gateway.folder / "gateway.toml", started=started, gateway=gateway,
    )  # fmt: skip


def refused(earnest, capsys, said, typed=None):
    assert main(typed or earnest.typed) == 2
    assert said in capsys.readouterr().err
    assert earnest.started == []


def test_all_of_them_together_start_the_fund(earnest, capsys):
    assert main(earnest.typed) == 0
    assert len(earnest.started) == 1


def test_without_the_flag(earnest, capsys):
    refused(earnest, capsys, "say --really", earnest.typed[:-1])


def test_without_the_line(earnest, capsys):
    earnest.toml.write_text(earnest.toml.read_text().replace("real_money = true", "real_money = false"))
    refused(earnest, capsys, "real_money is false, expected true")


def test_against_the_doctor(earnest, capsys, monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda *given: [Check("keys", "stop", "none", "gateway.toml: [keys]")])
    refused(earnest, capsys, "the doctor found what must be put right first")


def test_without_a_person(earnest, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("starter\n"))
    refused(earnest, capsys, "typed by a person at a terminal")


@pytest.mark.parametrize("typed", ["", "yes", "Starter", "starter!"])
def test_without_the_name(earnest, capsys, monkeypatch, typed):
    monkeypatch.setattr("builtins.input", lambda text: typed)
    refused(earnest, capsys, "not confirmed: nothing was started")


def test_what_is_confirmed_names_money_account_and_limit(earnest):
    shown = []
    from podshop.live import config

    found = config.read(earnest.gateway.folder)
    with pytest.raises(ConfigError):
        paper.warn_real(found, load(found.fund), lambda text: shown.append(text) or "")
    assert "REAL MONEY at hyperliquid" in shown[0]
    assert "at most 100 USD held" in shown[0]


def test_paper_does_not_touch_real_money(earnest, capsys):
    assert main(["paper", str(earnest.gateway.fund), "--state", str(earnest.gateway.folder)]) == 2
    assert "real_money is true, expected false for paper" in capsys.readouterr().err


def test_a_drill_does_not_flatten_real_money(earnest, capsys):
    assert main(["drill", str(earnest.gateway.folder)]) == 2
    assert "real money is not drilled" in capsys.readouterr().err


def test_halting_works_with_everything_dead(gateway, capsys):
    assert main(["halt", str(gateway.folder), "--reason", "odd"]) == 0
    assert "HALTED: the latch holds it" in capsys.readouterr().err
    assert main(["status", str(gateway.folder)]) == 0
    assert capsys.readouterr().err.startswith("HALTED")
    assert main(["resume", str(gateway.folder), "--reason", "fine"]) == 2  # only a living gateway lowers
    assert main(["halt", str(gateway.folder), "--reason", "odd", "--scope", "market", "--name", "BTC"]) == 2
    assert main(["halt", str(gateway.folder), "--reason", "odd", "--scope", "market"]) == 2
    assert main(["status", str(gateway.folder)]) == 0
    assert "HALTED" in capsys.readouterr().err


def test_a_second_paper_run_moves_the_first_aside(gateway):
    assert paper.aside(gateway.folder) == gateway.folder.with_name("s.1")
    assert paper.aside(gateway.folder) is None


def test_progress_is_a_line_a_cycle_and_stops_when_told(gateway, monkeypatch):
    standings = iter([None, *(Standing(state="RUNNING", cycle=cycle, at_ns=0) for cycle in (5, 5, 6, 7, 8))])
    monkeypatch.setattr(paper, "asked", lambda gateway: (next(standings), ""))
    monkeypatch.setattr(paper, "AGAIN_S", 0.0)
    shown, stopped = [], []
    progress = paper.Progress(gateway, shown.append, 2, lambda: stopped.append(len(shown)))
    for _ in range(6):
        progress.tick()
    assert [line.split()[2] for line in shown if "cycle" in line] == ["5", "6", "7", "8"]
    assert stopped[0] == 3
    said = paper.line(
        Standing(state="HALTED", reason="x", unknown=1, coins=(Coin(market="A", line="SENT", booked_lots=1),))
    )
    assert said.endswith("positions 1  unknown 1  HALTED (x)")


def test_a_replay_begins_where_the_gate_lets_increases_pass(shared_data, gateway):
    fund = load(gateway.fund)
    at = paper.tradable_from(fund, str(shared_data))
    assert at is not None
    assert f"{at:%Y-%m-%d}" == "2022-01-31"  # OKX's bars begin with the year
    assert paper.tradable_from(fund, "simulated") is None
