"""Stages: each step by hand, and each protection with the mutant that lets noise through or keeps a loser in."""

import math
from dataclasses import replace

import numpy as np
import pytest

from podshop.nouns import Mandate
from podshop.treasury import Allocator, Graduated
from podshop.treasury.graduated import fingerprint
from podshop.treasury.graduation import (
    FULL,
    PAPER,
    REASONS,
    SEED,
    SUSPENDED,
    Gate,
    graduate,
    hurdles,
    look,
    moved,
    newcomers,
    share,
    walk,
)

GATE = Gate()
STEADFAST = Gate(alarm=math.inf)  # never doubts


def days(n: int, sharpe: float, seed: int = 0, volatility: float = 0.2) -> np.ndarray:
    """(n, 1) days whose annual Sharpe ratio is exactly this, in every stretch of ten days."""
    block = np.random.default_rng(seed).normal(size=10)
    block = (block - block.mean()) / block.std()
    made = np.tile(block, n // 10 + 1)[:n]
    return (volatility / math.sqrt(365) * (made + sharpe / math.sqrt(365)))[:, None]


def path(daily: np.ndarray, gate: Gate = GATE, trials: float = 1, start: str = "research") -> np.ndarray:
    """(D, B) stages after each day."""
    kept = np.zeros(daily.shape, np.int8)
    why = np.zeros(daily.shape[1], np.int64)
    walk(daily, 0, newcomers(daily.shape[1], (start,) * daily.shape[1]), hurdles(gate, trials),
         np.full(daily.shape[1], 0.2), True, why, kept)  # fmt: skip
    return kept


def test_a_proved_agent_climbs_one_step_at_a_time_and_never_before_the_floor() -> None:
    kept = path(days(400, 8.0))[:, 0]
    assert (kept[:89] == PAPER).all()
    assert kept[89] == SEED  # the ninetieth day ends
    assert (kept[89:179] == SEED).all()
    assert (kept[179:] == FULL).all()


def test_mutant_without_the_floor_capital_comes_sooner() -> None:
    assert path(days(100, 8.0), replace(GATE, floor_days=0))[29, 0] == SEED


def test_research_ends_when_the_shadow_trades_and_only_then_the_clock_runs() -> None:
    daily = np.concatenate([np.zeros((40, 1)), days(120, 8.0)])
    now, why = graduate(daily[:41], 1, newcomers(1))
    assert (now.stages, why) == (("paper",), ("its shadow has traded",))
    assert graduate(daily[:40], 1, newcomers(1))[0].stages == ("research",)
    kept = path(daily)[:, 0]
    assert (kept[128], kept[129]) == (PAPER, SEED)


def test_trials_raise_what_is_asked() -> None:
    """z of a true 4 is 2 after 90 days: enough of one, not of a hundred. Without the trials it would pass as well."""
    daily = days(91, 4.0)
    assert path(daily, trials=1)[-1, 0] == SEED
    assert path(daily, trials=100)[-1, 0] == PAPER


def test_noise_gets_capital_about_as_often_as_the_page_says() -> None:
    """Three years of twenty trials; a gate that ignores them, or its floor, is found out."""
    chance = np.random.default_rng(2)
    daily = (0.01 * chance.standard_t(4, (600, 730)) / math.sqrt(2)).T

    def ever(gate: Gate, trials: float) -> float:
        kept = path(daily, gate, trials)
        return float(((kept == SEED) | (kept == FULL)).any(axis=0).mean())

    found = ever(GATE, 20)
    assert 0.08 < found < 0.20
    assert ever(GATE, 1) > 1.3 * found
    assert ever(replace(GATE, floor_days=0), 20) > 1.15 * found
    assert ever(GATE, 1000) < 0.3 * found


def test_a_deep_drawdown_suspends_and_the_way_back_begins_anew() -> None:
    sinking = np.concatenate([days(200, 8.0), np.full((60, 1), -0.01), days(300, 8.0)])
    kept = path(sinking, STEADFAST)[:, 0]
    down = int(np.argmax(kept == SUSPENDED))
    assert 200 <= down < 260
    assert kept[down - 1] == FULL
    equity = 1 + np.cumsum(sinking[: down + 1, 0])
    assert 1 - equity[-1] / equity.max() >= 1.25 * 0.2 > 1 - equity[-2] / equity.max()
    back = down + 1 + int(np.argmax(kept[down + 1 :] == PAPER))
    assert back - down >= 30
    again = back + int(np.argmax(kept[back:] == SEED))
    assert again - down >= 90
    assert (path(sinking, replace(STEADFAST, out_from=9.0))[:, 0] != SUSPENDED).all()


def test_days_like_noise_demote_by_one_step_and_the_rule_is_page_s() -> None:
    daily = np.concatenate([days(200, 8.0), days(2500, -0.3)])
    kept = path(daily, replace(GATE, out_from=9.0))[:, 0]
    first = int(np.argmax(kept[180:] < FULL)) + 180
    assert kept[first] == SEED
    assert PAPER in kept[first:]
    alive, odds, noise = 1 / math.sqrt(365), 0.0, 0.0
    for row in range(180, first + 1):
        if (row + 1) % 30 == 0:
            part = daily[: row + 1, 0]
            noise = part.std(ddof=1)
        elif noise == 0.0:
            noise = daily[:180, 0].std(ddof=1)
        odds = max(0.0, odds + alive * (alive / 2 - daily[row, 0] / noise))
    assert odds >= 2.0
    assert (path(daily, replace(GATE, out_from=9.0, alarm=math.inf))[250:, 0] == FULL).all()


def test_a_book_that_doubts_demoted_sinks_no_later() -> None:
    """Decay takes a step first; the peak is that of before, so the drawdown is met on the same day."""
    sinking = np.concatenate([days(200, 8.0), np.full((100, 1), -0.01)])
    doubted, steadfast = path(sinking)[:, 0], path(sinking, STEADFAST)[:, 0]
    assert SEED in doubted[200:]
    assert np.argmax(doubted == SUSPENDED) == np.argmax(steadfast == SUSPENDED) > 200


def test_a_demotion_forgets_what_was_proved() -> None:
    """A book that was put down by hand needs ninety days more; one that only kept its place would need none."""
    daily = days(300, 8.0)
    now, _ = graduate(daily[:200], 1, newcomers(1))
    assert now.stages == ("full",)
    down = moved(now, 0, "paper")
    assert (down.stages, int(down.clock[0])) == (("paper",), 200)
    assert graduate(daily[:289], 1, down)[0].stages == ("paper",)
    assert graduate(daily[:290], 1, down)[0].stages == ("seed",)
    assert now.stages == ("full",)  # nothing is changed in place


def test_in_live_promotions_wait_for_a_person_and_demotions_do_not() -> None:
    daily = days(400, 8.0)
    paper, _ = graduate(daily, 1, newcomers(1), signed=True)
    assert paper.stages == ("paper",)
    seeded = moved(graduate(daily[:100], 1, newcomers(1), signed=True)[0], 0, "seed")
    assert (seeded.stages, int(seeded.clock[0])) == (("seed",), 0)
    assert graduate(daily, 1, seeded, signed=True)[0].stages == ("seed",)
    lost = np.concatenate([daily[:100], np.full((40, 1), -0.01)])
    now, why = graduate(lost, 1, seeded, volatility=np.array([0.2]), signed=True)
    assert (now.stages, why) == (("suspended",), ("its drawdown is too deep",))


def test_days_in_pieces_are_the_days_at_once() -> None:
    chance = np.random.default_rng(5)
    daily = chance.normal(chance.normal(0.001, 0.002, 6), 0.01, (500, 6))
    whole, _ = graduate(daily, 6, newcomers(6))
    step = newcomers(6)
    for day in range(0, 500, 7):
        step, _ = graduate(daily[: day + 7], 6, step)
    assert len(set(whole.stages)) > 1
    for one, other in zip(whole, step, strict=True):
        assert np.array_equal(one, other)


def test_what_is_compiled_is_what_is_written() -> None:
    chance = np.random.default_rng(6)
    daily = chance.normal(0.0008, 0.01, 300)
    one, other = newcomers(1), newcomers(1)
    for row in range(300):
        asked = (hurdles(GATE, 3), 0.2, True)
        assert look(daily[: row + 1], row, 0, one, *asked) == look.py_func(daily[: row + 1], row, 0, other, *asked)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert one.stages != ("paper",)


def test_capital_follows_the_stage_and_the_rest_is_cash() -> None:
    """The allocator goes on from its own weights: a shrunk one would dismiss a book that it is told has nothing."""
    daily = np.hstack([days(200, 8.0), days(200, -1.0, seed=1)])
    agent = Graduated(allocator=Allocator(kind="equal"), volatility=(0.2, 0.2))
    given = [agent(daily[max(0, day - 60) : day]) for day in range(201)]
    assert [given[d].tolist() for d in (0, 89, 90, 200)] == [[0, 0], [0, 0], [0.125, 0], [0.5, 0]]
    assert agent.standing is not None
    assert agent.standing.rows == 200
    asked: list[np.ndarray | None] = []

    def follows(daily_return: np.ndarray, previous: np.ndarray | None = None) -> np.ndarray:
        asked.append(previous)
        return np.array([0.7, 0.3])

    cut = Graduated(allocator=follows, start=("seed", "paper"))
    weights = cut(np.empty((0, 2)), np.array([0.5, 0.5]))
    assert weights.tolist() == [0.175, 0.0]
    cut(np.empty((0, 2)), weights)
    assert [one.tolist() for one in asked if one is not None] == [[0.5, 0.5], [0.7, 0.3]]


def test_asked_twice_a_day_it_sees_the_day_once() -> None:
    daily = days(50, 1.0)
    agent = Graduated(allocator=Allocator(kind="equal"))
    for day in (10, 10, 11, 11):
        agent(daily[:day])
    agent(daily[1:12])
    assert agent.standing is not None
    assert agent.standing.rows == 12


def test_shares_and_words() -> None:
    assert [share(s) for s in ("research", "paper", "seed", "full", "suspended")] == [0, 0, 0.25, 1, 0]
    assert share("seed", Gate(seed_share=0.5)) == 0.5
    assert len(set(REASONS)) == 7


MANDATE = Mandate(name="a", horizon="swing", listens={"trend": 1.0}, markets=("BTC",), cadence="1d")


@pytest.mark.parametrize(
    ("mandate", "heard", "same"),
    [
        (replace(MANDATE, name="b"), {"trend": {"days": 30}}, True),
        (MANDATE, {"trend": {"days": 30}, "unheard": {"days": 1}}, True),
        (replace(MANDATE, buffer=0.2), {"trend": {"days": 30}}, False),
        (replace(MANDATE, listens={"trend": -1.0}), {"trend": {"days": 30}}, False),
        (MANDATE, {"trend": {"days": 31}}, False),
        (MANDATE, {"trend": Gate()}, False),
    ],
)
def test_what_is_material(mandate: Mandate, heard: dict[str, object], same: bool) -> None:
    assert (fingerprint(mandate, heard) == fingerprint(MANDATE, {"trend": {"days": 30}})) is same
