"""The default policy against a second reading of its law, day after day."""

import numpy as np
import pytest

from podshop.treasury import Allocator, Rules
from tests.reference.shrunk import weights

RULES = ({}, {"band": 0.0, "turnover": 2.0}, {"floor": 0.9, "cap": 1.0, "prior_days": 60.0}, {"invest_all_from": 3.0})


@pytest.mark.parametrize("seed", range(8))
def test_two_readings_agree(seed: int) -> None:
    chance = np.random.default_rng(seed)
    books, rules = int(chance.integers(1, 6)), RULES[seed % len(RULES)]
    count = 420 if seed == 0 else 120
    common = chance.normal(0.0, 0.01, (count, 1)) * chance.uniform(0, 1)
    days = chance.normal(chance.normal(0.0, 0.002, books), 0.01, (count, books)) + common
    for b in range(books):
        days[: chance.choice((0, 0, 20, 70)), b] = 0.0
    prior = tuple(chance.choice((0.1, 0.3, 0.5), books).tolist())
    agent = Allocator(kind="shrunk", prior=prior, rules=Rules(**rules))
    ours, theirs = np.full(books, 1 / books), [1 / books] * books
    for day in range(0, count + 1, 1 if seed else 7):
        ours = agent(days[:day], ours)
        year = days[max(0, day - 365) : day]
        theirs = weights([year[:, b].tolist() for b in range(books)], theirs, prior, **rules)
        assert ours.tolist() == pytest.approx(theirs, abs=1e-12), f"day {day}"


def test_a_reading_without_hysteresis_is_seen() -> None:
    """The mutant: another band, and the two part."""
    days = np.random.default_rng(1).normal(0.0005, 0.01, (200, 3))
    agent, ours, theirs = Allocator(kind="shrunk", prior=(0.5,) * 3), np.full(3, 1 / 3), [1 / 3] * 3
    for day in range(201):
        ours = agent(days[:day], ours)
        theirs = weights([days[:day, b].tolist() for b in range(3)], theirs, (0.5,) * 3, band=0.0)
    assert ours.tolist() != pytest.approx(theirs, abs=1e-6)
