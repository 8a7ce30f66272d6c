"""Voices with hysteresis, and what a mandate makes of them."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.execution.voices import blend, blended, new_mix, voices
from podshop.maths.compiled import original

NAN = math.nan


@pytest.mark.parametrize(
    ("said", "heard", "left"),
    [
        ([0.64, 0.65, 0.5, 0.35, 0.34, 0.5], [0.0, 0.65, 0.5, 0.35, 0.0, 0.0], 0),
        ([0.7, -0.5, -0.7, 0.9], [0.7, 0.0, -0.7, 0.9], 1),  # the other sign shuts; strong enough, it opens there
        ([0.7, NAN, 0.4, NAN, 0.3], [0.7, NAN, 0.4, NAN, 0.0], 0),  # nothing heard changes nothing
        ([NAN, 0.4, -0.66], [NAN, 0.0, -0.66], -1),
        ([0.9, 0.0, 0.4], [0.9, 0.0, 0.0], 0),
    ],
)
def test_a_voice_opens_late_and_shuts_late(said: list[float], heard: list[float], left: int) -> None:
    opened = np.zeros(1, np.int64)
    found = voices(np.array(said)[:, None], opened, 0.65, 0.35)[:, 0]
    assert np.array_equal(found, np.array(heard), equal_nan=True)
    assert opened.tolist() == [left]


def test_a_voice_is_carried_from_call_to_call() -> None:
    conviction = np.random.default_rng(0).uniform(-1, 1, (200, 3))
    conviction[::7] = NAN
    opened = np.zeros(3, np.int64)
    whole = voices(conviction, np.zeros(3, np.int64), 0.65, 0.35)
    parts = [voices(conviction[at : at + 13].copy(), opened, 0.65, 0.35) for at in range(0, 200, 13)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_one_threshold_would_turn_over_more() -> None:
    """The mutant: open and close at 0.65. An opinion that hovers there is heard and lost again and again."""
    conviction = (0.65 + np.random.default_rng(1).normal(0.0, 0.1, 5000))[:, None].clip(-1, 1)

    def changes(close_at: float) -> int:
        said = voices(conviction, np.zeros(1, np.int64), 0.65, close_at)[:, 0] != 0
        return int(np.diff(said.astype(int)).astype(bool).sum())

    assert changes(0.65) > 20 * changes(0.35)


def test_a_missing_voice_shrinks_and_half_missing_is_none() -> None:
    voice = np.array([[[0.8], [0.8], [NAN], [NAN]], [[0.4], [NAN], [0.4], [NAN]], [[-0.6], [-0.6], [-0.6], [-0.6]]])
    weights = np.array([1.0, 2.0, -1.0])
    found = blend(voice, weights)[:, 0]
    assert found[0] == pytest.approx((0.8 + 0.8 + 0.6) / 4)
    assert found[1] == pytest.approx((0.8 + 0.6) / 4)  # exactly half of the weight spoke
    assert found[2] == pytest.approx((0.8 + 0.6) / 4)
    assert math.isnan(found[3])


def heard(seed: int = 0, listeners: int = 3, cadences: int = 120, markets: int = 4) -> np.ndarray:
    """(L, C, m) voices that are silent for a third of the time and sometimes missing."""
    rng = np.random.default_rng(seed)
    said = rng.uniform(-1, 1, (listeners, cadences, markets))
    said[rng.random(said.shape) < 0.3] = 0.0
    said[rng.random(said.shape) < 0.1] = NAN
    return said


WEIGHTS = np.array([1.0, 2.0, -1.0])
DAYS = 19_000 + np.arange(120) // 3  # a cadence of 8 hours


def test_two_voices_that_differ_are_enlarged_by_what_their_past_says() -> None:
    """By hand: two voices, one market, agreeing on day 1 and opposed on day 2."""
    voice = np.array([[[0.5], [0.5], [0.5]], [[0.5], [-1.0], [0.2]]])
    weights = np.array([1.0, 1.0])
    mix = new_mix(2)
    found = blended(voice, weights, np.array([7, 8, 8]), mix, 2.0)[:, 0]
    decay = 2 ** (-1 / 90)
    p11, p22, p12 = decay * 0.25 + 0.25, decay * 0.25 + 1.0, decay * 0.25 - 0.5
    days = decay + 1
    rho = (days * p12 / math.sqrt(p11 * p22) + 30) / (days + 30)
    multiplier = 1 / math.sqrt(0.5 + 0.5 * rho)
    assert found[0] == 0.5  # after a day of agreement there is nothing to enlarge
    assert found[1] == pytest.approx(multiplier * -0.25, rel=1e-14)
    assert found[2] == pytest.approx(multiplier * 0.35, rel=1e-14)  # the same day: no second sample
    assert mix.days[0] == pytest.approx(days)
    assert mix.multiplier[0] == pytest.approx(multiplier)


def test_the_signs_of_the_weights_count() -> None:
    """Heard with opposite signs, two voices that always differ say the same."""
    voice = np.array([[[0.5]] * 300, [[-0.5]] * 300])
    day = np.arange(300)
    against = new_mix(2)
    blended(voice, np.array([1.0, -1.0]), day, against, 3.0)
    assert against.multiplier[0] == 1.0
    apart = new_mix(2)
    blended(voice, np.array([1.0, 1.0]), day, apart, 3.0)
    assert apart.multiplier[0] == pytest.approx(math.sqrt(2))  # correlation below 0 counts as 0


def test_the_month_of_likeness_never_quite_fades_and_the_cap_holds() -> None:
    """Four independent voices: 2 if that were known; but only 130 days are remembered, and 30 are believed."""
    rng = np.random.default_rng(3)
    voice = rng.choice([-0.7, 0.0, 0.7], (4, 1500, 6))
    free, capped = new_mix(4), new_mix(4)
    blended(voice, np.ones(4), np.arange(1500), free, 9.0)
    rho = 30 / (1 / (1 - 2 ** (-1 / 90)) + 30)
    assert free.multiplier[0] == pytest.approx(1 / math.sqrt((1 + 3 * rho) / 4), rel=0.05)
    found = blended(voice, np.ones(4), np.arange(1500), capped, 1.3)
    assert capped.multiplier[0] == 1.3
    assert np.nanmax(np.abs(found)) <= 1.0


def test_the_blend_is_cut_at_one() -> None:
    """The cut bites: multiplied alone it would pass 1."""
    rng = np.random.default_rng(4)
    voice = rng.choice([-1.0, 1.0], (3, 400, 1))
    mix = new_mix(3)
    found = blended(voice, np.ones(3), np.arange(400), mix, 2.5)
    assert np.abs(found).max() == 1.0
    assert np.abs(mix.multiplier[0] * blend(voice, np.ones(3))).max() > 1.2


@pytest.mark.parametrize(("listeners", "most"), [(1, 2.5), (3, 1.0)])
def test_where_there_is_nothing_to_diversify_the_blend_is_as_it_was(listeners: int, most: float) -> None:
    voice, weights, mix = heard(1, listeners), WEIGHTS[:listeners], new_mix(listeners)
    assert blended(voice, weights, DAYS, mix, most).tobytes() == blend(voice, weights).tobytes()
    assert mix.multiplier[0] == 1.0
    assert blended(heard(1), WEIGHTS, DAYS, new_mix(3), 2.5).tobytes() != blend(heard(1), WEIGHTS).tobytes()


@given(st.sets(st.integers(1, 119), max_size=6))
def test_a_mix_carries_over_any_cut(cuts: set[int]) -> None:
    whole = blended(heard(), WEIGHTS, DAYS, new_mix(3), 2.5)
    mix = new_mix(3)
    edges = pairwise([0, *sorted(cuts), 120])
    parts = [blended(np.ascontiguousarray(heard()[:, a:b]), WEIGHTS, DAYS[a:b], mix, 2.5) for a, b in edges]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def knows(row: int, fill_day: bool = False) -> bool:
    """Whether a blend up to `row` changes with what is said later. Mutant: a day is sampled at its last cadence."""
    answers = []
    for seed in (8, 9):
        voice = heard()
        voice[:, row + 1 :] = heard(seed)[:, row + 1 :]
        shown = voice
        if fill_day:
            last = np.searchsorted(DAYS, DAYS, side="right") - 1
            shown = voice[:, last]
        answers.append(blended(shown, WEIGHTS, DAYS, new_mix(3), 2.5)[: row + 1])
    return answers[0].tobytes() != answers[1].tobytes()


def test_no_blend_knows_what_will_be_said() -> None:
    assert not any(knows(row) for row in range(30, 60))
    assert any(knows(row, fill_day=True) for row in range(30, 60))


def test_the_plain_python_of_a_mix_agrees_to_the_bit() -> None:
    plain, fast = new_mix(3), new_mix(3)
    assert (
        original(blended)(heard(), WEIGHTS, DAYS, plain, 2.5).tobytes()
        == blended(heard(), WEIGHTS, DAYS, fast, 2.5).tobytes()
    )
    for a, b in zip(plain, fast, strict=True):
        assert a.tobytes() == b.tobytes()
