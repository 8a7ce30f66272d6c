"""The doctor, the status, and who may ask a gateway for anything."""

import pytest

from podshop.cli import main
from podshop.live import config, control, doctor
from podshop.live import status as live_status
from podshop.live.latch import HALTED_STATE, Latch
from podshop.nouns import SECOND_NS, ConfigError
from podshop.run.config import load

NOW_NS = 1_790_000_000 * SECOND_NS


def test_the_doctor_names_the_line_to_fix(gateway):
    found = doctor.examine(gateway, load(gateway.fund), ask_venue=False)
    assert doctor.worst(found) in ("ok", "warn")
    (gateway.folder / "gateway.toml").chmod(0o666)
    Latch(gateway.folder, "operator").raise_to(HALTED_STATE, NOW_NS, "lunch")
    found = doctor.examine(gateway, load(gateway.fund), ask_venue=False)
    assert doctor.worst(found) == "stop"
    text = "\n".join(doctor.lines(found))
    assert f"-> chmod o-w {gateway.folder / 'gateway.toml'}" in text
    assert "HALTED by operator: lunch" in text


def test_the_doctor_asks_much_of_real_money(gateway, tmp_path):
    key = tmp_path / "key"
    key.write_text("0x" + "ab" * 32)
    key.chmod(0o644)
    text = f'fund = "{gateway.fund}"\nvenue = "hyperliquid"\naccount = "0x{"12" * 20}"\nreal_money = true\n'
    text += f'[keys]\ngateway = "{key}"\nwatchdog = "{tmp_path / "none"}"\n[limits]\nmax_gross = 1.0\n'
    (gateway.folder / "gateway.toml").write_text(text)
    found = doctor.examine(config.read(gateway.folder), load(gateway.fund), ask_venue=False)
    said = "\n".join(doctor.lines(found))
    for one in ("has mode 0644", "the key cannot be read", "no canary limit", "run as one user", "API wallets expire"):
        assert one in said, said
    assert all(check.fix for check in found if check.level == "stop")


def test_status_tells_what_it_can_with_everything_dead(gateway):
    found = live_status.status(gateway)
    assert found["state"] == "RUNNING"
    assert found["gateway"] is None
    lines = "\n".join(live_status.lines(found))
    assert "the gateway does not answer" in lines
    assert "no sign of life" in lines
    Latch(gateway.folder, "watchdog").raise_to(HALTED_STATE, NOW_NS, "odd")
    (gateway.folder / "latch" / "gateway").unlink()
    lines = "\n".join(live_status.lines(live_status.status(gateway)))
    assert lines.startswith("HALTED")
    assert "damaged: gateway" in lines


def test_a_request_needs_the_operators_token(gateway):
    token = control.read_token(gateway.operator_token)
    line = control.msgspec.json.encode(control.Envelope(token, control.Halt(reason="x", by="me")))
    assert control.parse(line, token) == control.Halt(reason="x", by="me")
    for wrong, said in (
        (line.replace(token.encode(), b"0" * 64), "not the operator's"),
        (line.replace(token.encode(), b""), "not the operator's"),
        (b"{}", "no request"),
        (b"\xff", "no request"),
        (line + b" " * control.MOST_BYTES, "expected at most"),
        (line.replace(b"HALTED", b"RUNNING"), "no request"),
    ):
        with pytest.raises(ConfigError, match=said):
            control.parse(wrong, token)
    with pytest.raises(ConfigError):
        control.parse(line.replace(token.encode(), b""), "")
    gateway.operator_token.chmod(0o644)
    with pytest.raises(ConfigError, match="everybody may read it"):
        control.read_token(gateway.operator_token)


def test_where_no_gateway_answers_one_line_says_so(gateway, capsys):
    control.make_token(gateway.operator_token)
    assert main(["resume", str(gateway.folder), "--reason", "x"]) == 2
    assert "no gateway answers at" in capsys.readouterr().err
