"""An execution agent of one's own is one class, named in the fund file; a mistake in it is one line."""

import sys

import numpy as np
import pytest

from podshop.nouns import ConfigError
from podshop.run.config import canonical, starter
from tests.run.test_config import edited, read

OWN_EXECUTION = """
from dataclasses import dataclass
import numpy as np

@dataclass(frozen=True, slots=True, kw_only=True)
class Boldest:
    least: float = 0.5

    def __post_init__(self):
        if self.least > 1:
            raise ValueError(f"Boldest: least is {self.least}, expected at most 1")

    def __call__(self, voice, weights):
        return np.where(np.abs(voice).max(axis=0) >= self.least, voice.max(axis=0), 0.0)

@dataclass
class Silent:
    least: float = 0.5

@dataclass
class OneArray:
    def __call__(self, voice):
        return voice[0]

@dataclass
class Twice:
    stop: float = 1.0

    def __call__(self, voice, weights):
        return voice[0]

@dataclass
class Signal:
    bar: str = "1h"
    reads = ("close", "volume")

    def __call__(self, close, volume):
        return close

class NoDataclass:
    def __call__(self, voice, weights):
        return voice[0]
"""


def with_own(kind: str, *lines: str) -> str:
    """The starter fund whose trend follower is a class of one's own."""
    return edited(("listens = { trend = 1.0 }", "\n".join([f'kind = "{kind}"', *lines, "listens = { trend = 1.0 }"])))


def test_an_execution_agent_of_ones_own_is_one_class_beside_the_fund_file(tmp_path):
    (tmp_path / "my_own_execution.py").write_text(OWN_EXECUTION)
    fund = read(tmp_path, with_own("my_own_execution:Boldest", "least = 1", "urgency = '1h'"))
    assert list(fund.agents) == ["trend_follower"]
    assert (fund.agents["trend_follower"].least, fund.mandates[0].urgency) == (1.0, "1h")
    voice = np.array([[[1.0, -0.4]], [[0.2, 0.1]]])
    assert fund.agents["trend_follower"](voice, np.ones(2)).tolist() == [[1.0, 0.0]]
    assert str(tmp_path) not in sys.path
    assert canonical(fund)["agents"] == {"trend_follower": {"least": 1.0}}
    assert canonical(fund)["mandates"][0]["kind"] == "my_own_execution:Boldest"
    other = read(tmp_path, with_own("my_own_execution:Boldest", "least = 0.9"))
    assert other.sha256 != fund.sha256


def test_without_one_every_book_blends(tmp_path):
    assert read(tmp_path, starter()).agents == {}


NOT_ONE = "is not an execution agent, expected a dataclass with a call of two arrays: voice and weights"


@pytest.mark.parametrize(
    ("cls", "line", "said"),
    [
        ("Silent", "", NOT_ONE),
        ("OneArray", "", NOT_ONE),
        ("NoDataclass", "", NOT_ONE),
        ("Signal", "", NOT_ONE),
        ("Twice", "", "has a setting 'stop', which every mandate has: rename it"),
        ("Nobody", "", "cannot be imported: AttributeError: module 'my_own_execution' has no attribute 'Nobody'"),
        ("Boldest", "leest = 1", "execution.trend_follower has no 'leest', did you mean 'least'?"),
        ("Boldest", "urgncy = '1h'", "execution.trend_follower has no 'urgncy', did you mean 'urgency'?"),
        ("Boldest", "least = 2", "execution.trend_follower: Boldest: least is 2.0, expected at most 1"),
        ("Boldest", "least = 'all'", "execution.trend_follower.least is 'all', expected a number"),
        (
            "Boldest",
            "max_diversification = 2.0",
            "execution.trend_follower.max_diversification is 2.0, expected 1, since a class of your own says itself "
            "how large its opinion is",
        ),
    ],
)
def test_a_wrong_execution_agent_of_ones_own_is_one_line(tmp_path, cls, line, said):
    (tmp_path / "my_own_execution.py").write_text(OWN_EXECUTION)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, with_own(f"my_own_execution:{cls}", line))
    assert str(caught.value).endswith(said)
    assert "\n" not in str(caught.value)
