"""Voices with hysteresis, and what a mandate makes of them."""

import math

import numpy as np
import pytest

from podshop.execution.voices import blend, voices

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
