"""The contract over the whole table, and every check against the cheat it is there to catch."""

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from podshop.nouns import DAY_NS, duration_ns
from podshop.research import contract, trial
from podshop.research.contract import CHECKS, check
from podshop.signals import AGENTS
from podshop.signals.roster import ROSTER
from tests.research.cheats import CHEATS, Honest, Leaky, leaks

prepared = cache(lambda name: contract.prepare(ROSTER[name]))


@pytest.mark.parametrize("name", ROSTER)
@pytest.mark.parametrize("promise", CHECKS)
def test_a_shipped_agent_keeps_its_contract(name: str, promise: str) -> None:
    assert next(CHECKS[promise][2](prepared(name)), "") == ""


@pytest.mark.parametrize("kind", AGENTS)
def test_a_kind_keeps_its_contract_as_it_comes(kind: str) -> None:
    """With its default fields, on other columns than the roster's."""
    assert [f for f in check(AGENTS[kind](), seed=77) if not f.passed] == []


def test_the_honest_twin_of_every_cheat_passes() -> None:
    assert [f for f in check(Honest()) if not f.passed] == []


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.__name__)
def test_a_cheat_is_caught_by_the_check_that_names_it(cheat: type[Honest]) -> None:
    (finding,) = check(cheat(), only=CHEATS[cheat])
    assert not finding.passed, finding.promise
    assert finding.fix


def test_every_check_has_a_cheat() -> None:
    assert set(CHECKS) == set(CHEATS.values())


LEAKS = [(name, leak) for name, agent in ROSTER.items() for leak in leaks(agent)]


def test_every_agent_has_a_leak_planted() -> None:
    assert {name for name, _ in LEAKS} == set(ROSTER)
    assert len(ROSTER) == 25


@pytest.mark.parametrize(("name", "leak"), LEAKS, ids=[f"{name}-{leak.column}" for name, leak in LEAKS])
def test_a_planted_leak_is_caught(name: str, leak: Leaky) -> None:
    """One row early in one column: truncation, noise in the future and the check of the column's kind all see it."""
    own = (
        {"settled_funding"}
        if trial.is_funding(leak.column)
        else {"known_at"}
        if trial.is_stamped(leak.column)
        else set()
    )
    leaking = replace(prepared(name), agent=leak)
    caught = {promise for promise in CHECKS if next(CHECKS[promise][2](leaking), "")}
    assert caught >= {"no_peek", "no_future"} | own


def test_a_leak_lets_only_the_checks_about_time_fail() -> None:
    """Otherwise the test above would pass for agents that are broken in any way."""
    leaking = replace(prepared("reversal_three_days"), agent=Leaky(ROSTER["reversal_three_days"], "close"))
    caught = {promise for promise in CHECKS if next(CHECKS[promise][2](leaking), "")}
    assert caught - {"documented"} == {"no_peek", "no_future", "prefix_stable", "finite_memory", "robust"}


def test_a_crash_is_a_finding_and_not_a_crash() -> None:
    class Crashes(Honest):
        def __call__(self, close: np.ndarray) -> np.ndarray:
            raise KeyError("open")

    (finding,) = check(Crashes(), only="shaped")
    assert "raised KeyError" in finding.found


def test_columns_of_a_trial_do_not_depend_on_what_else_is_read() -> None:
    alone = trial.columns(("close",), 400, 4, seed=5)["close"]
    both = trial.columns(("volume", "close"), 400, 4, seed=5)["close"]
    np.testing.assert_array_equal(alone, both)


def test_the_roster_is_the_articles() -> None:
    families = Counter(agent.family for agent in ROSTER.values())
    assert families == {"momentum": 7, "reversal": 6, "funding": 4, "onchain": 4, "sentiment": 4}
    assert {type(agent) for agent in ROSTER.values()} == set(AGENTS.values())


@pytest.mark.parametrize("name", ROSTER)
def test_no_agent_needs_more_than_a_year(name: str) -> None:
    agent = ROSTER[name]
    assert agent.bar in ("5m", "1h", "4h", "1d")
    assert agent.lookback_bars * duration_ns(agent.bar) <= 365 * DAY_NS
