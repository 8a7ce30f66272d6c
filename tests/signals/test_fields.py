"""A field that makes no sense is refused when the agent is made, in one line that names it."""

import pytest

from podshop.nouns import ConfigError
from podshop.signals import AGENTS
from podshop.signals.roster import ROSTER


@pytest.mark.parametrize(
    ("kind", "fields", "found"),
    [
        ("momentum", {"window_bars": 1}, "Momentum: window_bars is 1, expected a whole number of at least 2"),
        ("momentum", {"window_bars": 2.5}, "window_bars is 2.5"),
        ("momentum", {"window_bars": 24.0}, "window_bars is 24.0, expected a whole number"),
        ("fear_greed", {"scale_points": True}, "scale_points is True"),
        ("momentum", {"window_bars": "24"}, "window_bars is '24'"),
        ("momentum", {"bar": "1x"}, "'1x' is not a length of time"),
        ("carry", {"scale_bps_8h": 0.0}, "Carry: scale_bps_8h is 0.0, expected a number of at least"),
        ("liquidity_reversal", {"recent_bars": 200}, "window_bars is 180, expected a whole number of at least 201"),
        ("half_life_reversal", {"half_life_bars": float("nan")}, "half_life_bars is nan"),
    ],
)
def test_a_senseless_field_is_refused(kind: str, fields: dict[str, object], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        AGENTS[kind](**fields)


@pytest.mark.parametrize("kind", AGENTS)
def test_every_kind_works_as_it_comes(kind: str) -> None:
    agent = AGENTS[kind]()
    assert agent.lookback_bars >= 1
    assert agent.reads


def test_no_two_agents_are_the_same() -> None:
    assert len(set(map(repr, ROSTER.values()))) == len(ROSTER)
