"""Average linkage against a published example and against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.risk.clusters import average_linkage, clusters, distance, membership

# The worked example of UPGMA on five bacteria, after Sneath & Sokal: joins at 17, 22, 28 and 33.
BACTERIA = np.array([[0, 17, 21, 31, 23], [17, 0, 30, 34, 21], [21, 30, 0, 28, 39], [31, 34, 28, 0, 43],
                     [23, 21, 39, 43, 0]], np.float64)  # fmt: skip


@pytest.mark.parametrize(
    ("cut", "label"),
    [
        (16.9, [0, 1, 2, 3, 4]),
        (17.0, [0, 0, 1, 2, 3]),
        (22.0, [0, 0, 1, 2, 0]),
        (28.0, [0, 0, 1, 1, 0]),
        (32.9, [0, 0, 1, 1, 0]),
        (33.0, [0, 0, 0, 0, 0]),
    ],
)
def test_joins_are_those_of_the_published_example(cut: float, label: list[int]) -> None:
    assert average_linkage(BACTERIA, cut).tolist() == label


def by_definition(apart: np.ndarray, cut: float) -> list[int]:
    """Join the nearest two groups, the mean over all pairs of members made anew each time."""
    groups = [[i] for i in range(len(apart))]
    while len(groups) > 1:
        near = min(
            (np.mean([apart[i, j] for i in a for j in b]), x, y)
            for x, a in enumerate(groups)
            for y, b in enumerate(groups)
            if x < y
        )
        if near[0] > cut:
            break
        groups[near[1]] += groups.pop(near[2])
    groups.sort(key=min)
    return [next(g for g, members in enumerate(groups) if i in members) for i in range(len(apart))]


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_groups_are_those_of_the_definition(seed: int, markets: int) -> None:
    rng = np.random.default_rng(seed)
    apart = rng.uniform(0, 1, (markets, markets))
    apart = (apart + apart.T) / 2
    for cut in (0.1, 0.3, 0.5, 0.7):
        assert average_linkage(apart, cut).tolist() == by_definition(apart, cut)


def test_two_families_are_found_and_what_is_unknown_joins_nobody() -> None:
    rho = np.full((5, 5), 0.2)
    rho[:2, :2] = rho[2:4, 2:4] = 0.9
    np.fill_diagonal(rho, 1.0)
    rho[4], rho[:, 4] = np.nan, np.nan
    label = clusters(rho, 0.7)
    assert label.tolist() == [0, 0, 1, 1, 2]
    assert membership(label).astype(int).tolist() == [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]]
    assert clusters(np.full((3, 3), np.nan), 0.7).tolist() == [0, 1, 2]
    assert clusters(np.zeros((0, 0)), 0.7).tolist() == []
    assert membership(np.zeros(0, np.int64)).shape == (0, 0)


def test_what_moves_against_is_far_apart() -> None:
    assert distance(np.array([1.0, 0.5, 0.0, -1.0])) == pytest.approx([0.0, 0.5, np.sqrt(0.5), 1.0])
