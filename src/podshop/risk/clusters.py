"""Markets that move as one: hierarchical clusters of correlations, by average linkage.

Sources: Sokal & Michener (1958), "A statistical method for evaluating systematic relationships", University of Kansas
Science Bulletin 38, 1409-1438, for average linkage; Mantegna (1999), "Hierarchical structure in financial markets",
European Physical Journal B 11, 193-197, for correlation as a distance, here scaled to lie between 0 and 1.
"""

import numpy as np

from podshop.nouns import Panel, Whole
from podshop.nouns.limits import Members


def clusters(correlation: Panel, alike_from: float) -> Whole:
    """Label (M,) of each market's cluster, from 0 in the order of the first member.

    correlation  (M, M); NaN = unknown, and what is unknown joins nobody
    alike_from   average linkage joins two groups while the mean of their members' distances is no more than the
                 distance of this correlation

    >>> clusters(np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]]), 0.7)
    array([0, 0, 1])
    """
    return average_linkage(distance(correlation), float(distance(np.array(alike_from))))


def distance(correlation: Panel) -> Panel:
    """0 for what moves as one, 0.71 for what has nothing to do with one another, 1 for what moves against."""
    return np.asarray(np.sqrt(np.clip((1.0 - correlation) / 2.0, 0.0, 1.0)))


def average_linkage(apart: Panel, cut: float) -> Whole:
    """Label (M,) of each one's group when the nearest two groups are joined until they are further apart than `cut`.

    apart  (M, M) symmetric distances, NaN = unknown; the distance of two groups is the mean over pairs of members
    """
    between = np.where(np.isnan(apart), np.inf, apart)
    np.fill_diagonal(between, np.inf)
    size = np.ones(len(between))
    label = np.arange(len(between))
    while between.size:
        i, j = sorted(int(k) for k in np.unravel_index(np.argmin(between), between.shape))
        if not between[i, j] <= cut:
            break
        joined = (size[i] * between[i] + size[j] * between[j]) / (size[i] + size[j])  # Lance & Williams
        joined[i] = np.inf
        between[i], between[:, i] = joined, joined
        between[j], between[:, j] = np.inf, np.inf
        size[i] += size[j]
        label[label == label[j]] = label[i]
    return np.asarray(np.unique(label, return_inverse=True)[1], np.int64)


def membership(label: Whole) -> Members:
    """(C, M) one row for each cluster of at least two markets.

    >>> membership(np.array([0, 1, 0, 2])).astype(int)
    array([[1, 0, 1, 0]])
    """
    rows = np.arange(label.max(initial=-1) + 1)[:, None] == label[None, :]
    return np.asarray(rows[rows.sum(axis=1) > 1])
