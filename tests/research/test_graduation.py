"""The measurement itself: agents are what they are called, and a small run agrees with the page."""

import math
from dataclasses import replace

import numpy as np
import pytest

from podshop.research import graduation as measured
from podshop.treasury.graduation import Gate


def test_agents_have_the_skill_they_are_called_by() -> None:
    """Over many years, net of autocorrelation: mean over long-run deviation; tails are fat, neighbours alike."""
    daily = measured.days_of(1.0, 20_000, 40, seed=3)
    yearly = daily[: 365 * 54].reshape(54, 365, 40).sum(axis=1)
    assert yearly.mean() / yearly.std() == pytest.approx(1.0, abs=0.08)
    flat = daily.ravel(order="F")
    z = (flat - flat.mean()) / flat.std()
    assert (z**4).mean() > 4
    assert np.corrcoef(daily[1:, 0], daily[:-1, 0])[0, 1] == pytest.approx(0.1, abs=0.03)
    assert measured.days_of(1.0, 50, 3, 1).tolist() == measured.days_of(1.0, 50, 3, 1).tolist()
    together = np.corrcoef(measured.days_of(0.0, 5_000, 3, 2, common=0.2).T)
    assert together[0, 1] == pytest.approx(0.2, abs=0.06)


def test_the_plain_rule_is_the_last_ninety_days() -> None:
    daily = np.full((200, 1), 0.001)
    daily[100:] = -0.002
    holds = measured.plain(daily)[:, 0]
    assert (holds.argmax(), holds[89], holds[88]) == (89, True, False)
    assert not holds[149:].any()  # 50 of its last 90 days lost


def test_skill_passes_more_often_than_luck_and_the_plain_rule_cannot_tell() -> None:
    noise, skilled = (measured.days_of(skill, 1095, 300, seed=9) for skill in (0.0, 2.0))
    lucky, good = (measured.rates(measured.stages_of(daily, Gate(), 20.0)) for daily in (noise, skilled))
    assert lucky.passed[-1] < 0.25
    assert good.passed[-1] > 0.9
    assert lucky.full[-1] < 0.03 < 0.4 < good.full[-1]
    plainly = measured.plain_rates(noise)
    assert plainly.passed[0] == pytest.approx(0.5, abs=0.1)
    assert plainly.passed[-1] > 0.97


def test_mutants_let_more_noise_through() -> None:
    """Trials ignored, or no floor: the tables must show it."""
    noise = measured.days_of(0.0, 1095, 500, seed=10)
    usual = measured.rates(measured.stages_of(noise, Gate(), 20.0)).passed
    ignored = measured.rates(measured.stages_of(noise, Gate(), 1.0)).passed
    floorless = measured.rates(measured.stages_of(noise, replace(Gate(), floor_days=0), 20.0)).passed
    assert ignored[-1] > usual[-1] + 0.03
    assert floorless[0] > 2 * usual[0]


def test_tables_have_a_line_for_each_case(tmp_path) -> None:
    assert len(measured.passing(20)) == 2 + 2 * len(measured.SKILLS)
    assert len(measured.waiting(20)) == len(measured.alarms(20)) == 2 + len(measured.SKILLS)
    assert len(measured.funds(2)) == 5
    page = tmp_path / "page.md"
    names = ("passing", "waiting", "settings", "alarms", "funds")
    page.write_text("".join(f"<!-- {name} -->\n<!-- end of {name} -->\n" for name in names), encoding="utf-8")
    measured.main(page, agents=20, count=2)
    assert page.read_text(encoding="utf-8").count("\n|---|") == 5
    assert measured.percent(0.5, 100) == f"50.0 ± {100 * math.sqrt(0.25 / 100):.1f} %"
