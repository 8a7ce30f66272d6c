"""gateway.toml and the state folder: what they refuse, and what a start never undoes."""

import tomllib
from dataclasses import fields

import pytest

from podshop.live import config, folder, reach
from podshop.live.latch import HALTED_STATE, Latch
from podshop.nouns import ConfigError
from podshop.run.config import load, starter


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"venue": "hl"}, "venue is 'hl', expected one of 'simulated', 'purpleflea'"),
        ({"venu": "x"}, "has no 'venu', did you mean 'venue'?"),
        ({"limits": {"max_weigt": 0.1}}, "limits has no 'max_weigt', did you mean 'max_weight'?"),
        ({"limits": {"max_weight": 2.0}}, "limits.max_weight is 2.0, expected a number > 0 and <= 1"),
        ({"limits": {"max_var": float("nan")}}, "limits.max_var is nan, expected a finite number"),
        ({"real_money": True}, "real_money is True, expected false, since a simulated venue has no money"),
        ({"base_url": "https://api.hyperliquid.xyz"}, "expected an address of this machine, since the venue is sim"),
        ({"venue": "hyperliquid", "base_url": "http://example.org"}, "expected https, or http to this machine"),
        ({"venue": "hyperliquid", "real_money": True}, "account is '', expected the account that is traded"),
        ({"venue": "hyperliquid", "real_money": True, "account": "0x1"}, "a file for gateway and one for watchdog"),
        (
            {"venue": "hyperliquid", "real_money": True, "account": "0x1", "keys": {"gateway": "/k", "watchdog": "/k"}},
            "keys.watchdog is '/k', expected a key of its own",
        ),
        ({"heartbeats": {"brain_reduce": 12}}, "heartbeats.brain_flatten is 12, expected more than brain_reduce, 12"),
        ({"thresholds": {"disk_stop_gb": 5.0}}, "disk_stop_gb is 5.0, expected less than disk_warn_gb, 5"),
        ({"thresholds": {"offset": "soon"}}, "thresholds.offset: 'soon' is not a length of time"),
        ({"keys": {"expires": "soon"}}, "keys.expires is 'soon', expected a day such as 2027-03-01"),
    ],
    ids=str,
)  # fmt: skip
def test_a_mistake_is_one_line_that_says_where_and_what(change, said, tmp_path):
    document = {"fund": "fund.toml", "venue": "simulated"} | change
    with pytest.raises(ConfigError) as error:
        config.gateway_from(document, "gateway.toml", tmp_path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_sample_says_what_every_line_means_and_loads(tmp_path):
    text = config.sample(tmp_path / "fund.toml", max_weight=0.04)
    found = config.gateway_from(tomllib.loads(text), "gateway.toml", tmp_path)
    assert found.limits.max_weight == 0.04
    assert found.heartbeats == config.Heartbeats()
    for cls in config.SECTIONS.values():
        for one in fields(cls):
            assert f"\n{one.name} = " in text
    meant = text.partition("[limits]")[2]
    assert all("#" in line for line in meant.splitlines() if " = " in line)


def test_a_folder_belongs_to_one_fund(gateway, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(starter())
    with pytest.raises(ConfigError, match=r"belongs to .*fund\.toml, not to"):
        folder.prepare(other, load(other), gateway.folder, "simulated")
    assert folder.found(None) == gateway


def test_a_latch_that_is_gone_is_not_made_anew_by_a_start(gateway):
    for one in (gateway.folder / "latch").iterdir():
        one.unlink()
    folder.prepare(gateway.fund, load(gateway.fund), gateway.folder, "simulated")
    assert Latch(gateway.folder).held().state == HALTED_STATE


def test_live_needs_a_gateway_toml_that_somebody_wrote(tmp_path):
    path = tmp_path / "fund.toml"
    path.write_text(starter())
    with pytest.raises(ConfigError, match=r"gateway\.toml: missing"):
        folder.prepare(path, load(path), tmp_path / "new", None)


def test_the_configuration_raises_a_state_and_never_lowers_one(gateway):
    file, text = gateway.folder / "gateway.toml", (gateway.folder / "gateway.toml").read_text()
    file.write_text(text.replace('state = "RUNNING"', 'state = "HALTED"'))
    folder.prepare(gateway.fund, load(gateway.fund), gateway.folder, "simulated")
    assert Latch(gateway.folder).held()[:2] == (HALTED_STATE, "operator")
    file.write_text(text)
    folder.prepare(gateway.fund, load(gateway.fund), gateway.folder, "simulated")
    assert Latch(gateway.folder).held().state == HALTED_STATE


def test_an_account_has_one_writer(tmp_path):
    reach.hold("hyperliquid 0xAB", (tmp_path,))
    with pytest.raises(ConfigError, match="another gateway of this machine trades this account"):
        reach.hold("hyperliquid 0xab", (tmp_path,))
    reach.hold("hyperliquid 0xac", (tmp_path,))
