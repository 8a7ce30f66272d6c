"""The worst days: limits hold while prices fall, the ladder acts, and the page says so."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from podshop.cli import main
from podshop.nouns.limits import InForce
from podshop.nouns.verdict import REDUCE_ONLY_STATE, RUNNING
from podshop.research import stress
from podshop.research.stress import EPISODES, FUNDS, Episode, Market, limits_of, load, replay, room, target_gross
from podshop.risk.office import Office
from podshop.run.config import starter_fund

CASES = list(product(FUNDS, EPISODES))


@pytest.fixture(scope="module")
def market(shared_data: Path) -> Market:
    return load(shared_data)


@pytest.fixture(scope="module")
def episodes(market: Market) -> dict[tuple[str, str], Episode]:
    fund = starter_fund()
    return {(name, day): replay(market, fund, limits_of(fund, FUNDS[name]), day, *EPISODES[day]) for name, day in CASES}


def breaches(episode: Episode) -> int:
    """Hours after which something was bought that a limit does not leave room for."""
    bought = episode.bought > 0
    return int((bought & ((episode.gross > episode.allowed) | (episode.var > episode.max_var))).sum())


def bought_in(episode: Episode, market: Market) -> float:
    """Gross that was bought from the hour on at which the state became REDUCE_ONLY."""
    rows = [row for row, what in episode.steps if what.startswith("state REDUCE_ONLY")]
    first = int(np.searchsorted(market.prices.time, episode.time[0]))
    return float(episode.bought[rows[0] - first :].sum()) if rows else 0.0


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_limits_hold_and_cost_less_than_being_frozen(
    case: tuple[str, str], market: Market, episodes: dict[tuple[str, str], Episode]
) -> None:
    episode = episodes[case]
    assert np.isfinite(episode.nav).all()
    assert (episode.bought > 0).any()  # it did start
    assert breaches(episode) == 0
    assert bought_in(episode, market) == 0.0
    assert 1 - episode.nav.min() < 1 - episode.frozen.min()
    assert (episode.var / episode.max_var).max() < 1.25  # what prices alone lifted is cured


def test_the_ladder_acts(episodes: dict[tuple[str, str], Episode]) -> None:
    """In March 2020 the day ends in reductions; the fuller fund is halved within hours and out the next night."""
    told = {case: " | ".join(what for _, what in episode.steps) for case, episode in episodes.items()}
    assert "state REDUCE_ONLY: it lost 0.44 of its volatility today" in told["starter", "2020-03-12"]
    assert "fund throttle 50 %" in told["invested", "2020-03-12"]
    assert "fund throttle 0 %" in told["invested", "2020-03-12"]
    assert "throttled: gross" in told["invested", "2020-03-12"]
    assert episodes["invested", "2020-03-12"].gross[-1] == 0.0
    assert all("count as one" in each for each in told.values())
    assert all("REDUCE_ONLY" in told["starter", day] for day in ("2020-03-12", "2021-05-19"))


def test_without_the_office_more_is_lost(market: Market, episodes: dict[tuple[str, str], Episode]) -> None:
    """The mutant: nobody speaks, and only the fund file's limits stand."""
    fund = starter_fund()
    for case in (("starter", "2020-03-12"), ("invested", "2020-03-12"), ("starter", "2022-06-13")):
        alone = replay(market, fund, limits_of(fund, FUNDS[case[0]]), case[1], *EPISODES[case[1]], Office({}))
        assert alone.nav.min() < episodes[case].nav.min()


def test_a_gate_that_ignores_state_or_limits_is_noticed(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    fund, case = starter_fund(), ("starter", "2020-03-12")

    def again() -> Episode:
        return replay(market, fund, limits_of(fund, FUNDS[case[0]]), case[1], *EPISODES[case[1]])

    monkeypatch.setattr(stress, "target_gross", lambda g, w, a, h, state: target_gross(g, w, a, h, RUNNING))
    assert bought_in(again(), market) > 0
    monkeypatch.setattr(stress, "target_gross", lambda gross, wished, *_: wished)
    assert breaches(again()) > 0


@pytest.mark.parametrize(
    ("changed", "gross"),
    [
        ({}, 0.25),
        ({"max_gross": 0.2}, 0.2),
        ({"max_net": 0.1}, 0.1),
        ({"max_var": 0.01, "tail": 2.0}, 0.01 / (2.0 * 0.04)),
        ({"cluster": np.array([[1, 1, 1, 0, 0]], np.bool_), "max_cluster": np.array([0.06])}, 0.1),
        ({"max_weight": np.array([0.05, 0.05, 0.01, 0.05, 0.05])}, 0.05),
    ],
)
def test_room_is_what_the_tightest_limit_leaves(changed: dict[str, object], gross: float) -> None:
    """Five markets held alike that are one: daily volatility 4 %."""
    limits: InForce = limits_of(starter_fund(), 0.05)
    alike = np.full((5, 5), 0.04**2)
    assert room(np.full(5, 0.2), stress.replace(limits, **changed), alike) == pytest.approx(gross)


def test_what_the_fund_goes_to() -> None:
    may = {"wished": 0.3, "allowed": 0.2, "hours_above": 0, "state": RUNNING}
    assert target_gross(0.1, **may) == pytest.approx(0.2 / 1.01)
    assert target_gross(0.1, **(may | {"state": REDUCE_ONLY_STATE})) == 0.1
    assert target_gross(0.198, **may) == 0.198  # a little more is not worth it
    assert target_gross(0.24, **may) == 0.24
    assert target_gross(0.26, **may) == 0.2  # beyond 1.25 times
    assert target_gross(0.26, **(may | {"wished": 0.1})) == 0.1


def test_the_command_writes_a_page_that_needs_nothing_else(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podshop.research.stress_page.EPISODES", {"2020-03-12": (1, 3)})
    page = tmp_path / "new" / "stress.html"
    assert main(["risk", "--stress", "--data", str(shared_data), "--out", str(page), "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert [(row["fund"], row["day"]) for row in found["episodes"]] == [(name, "2020-03-12") for name in FUNDS]
    for row in found["episodes"]:
        assert row["frozen"]["loss"] < row["limits"]["loss"] < 0
        assert row["market"]["worst_day"] < -0.4
        assert row["var_after_buying"] <= 1.0
        assert row["steps"][0]["time"] == "2020-03-11T00:00:00Z"
    text = page.read_text(encoding="utf-8")
    assert "state REDUCE_ONLY" in text
    assert text.count("<svg") == 3 * len(FUNDS)
    assert not any(word in text for word in ("http", "<script", "src=", "@import", "url("))
    assert "starter, 2020-03-12" in printed.err
