"""Hierarchical risk parity: capital by groups of books that move alike, the calmer group getting more.

Books are put in the order of a tree of their correlations; then each branch is divided in two, and capital between the
halves in inverse proportion to their variances, down to single books. No covariance matrix is inverted, so books that
are nearly alike do not swing the weights as they do in a mean-variance optimum.

Source: Lopez de Prado (2016), "Building diversified portfolios that outperform out of sample", Journal of Portfolio
Management 42(4), 59-69. The computation is skfolio's (the extra `portfolio`), which is imported where it is used.
"""

import warnings

import numpy as np

from podshop.nouns import ConfigError, Panel

STILL = 1e-3  # a book that deviates less than this, the wildest being 1, has hardly traded; and matrices stay sound
GRAIN = 1 << 20  # weights are whole multiples of 1 / GRAIN: what a linear-algebra library adds to the last bits is cut


def hrp(daily_return: Panel) -> Panel:
    """Weights of the books, sum 1.

    daily_return  (D, B) of the shadows
    ->            (B,) books that hardly varied get an equal share each; the others divide what those leave

    Raises ConfigError where skfolio is not installed.
    """
    books = daily_return.shape[1]
    deviation = daily_return.std(axis=0)
    varies = deviation > STILL * deviation.max(initial=0.0)
    weights: Panel = np.full(books, 1.0 / books)
    if varies.sum() > 1:
        weights[varies] = varies.sum() / books * tree_weights(daily_return[:, varies] / deviation.max())
    weights = np.floor(weights * GRAIN) / GRAIN
    weights[int(weights.argmax())] += 1.0 - weights.sum()  # exact: all are multiples of 1 / GRAIN
    return weights


def tree_weights(daily_return: Panel) -> Panel:
    """(B,) weights of books that all vary, two or more, as skfolio computes them by variance.

    daily_return  (D, B) in units of the largest deviation: skfolio takes a variance below 1e-15 for an error
    """
    try:
        from skfolio.optimization import HierarchicalRiskParity
    except ImportError:
        raise ConfigError(MISSING) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that books are so alike that a matrix had to be rounded
        found: Panel = np.asarray(HierarchicalRiskParity().fit(daily_return).weights_, np.float64)
    return found


MISSING = "the policy 'hrp' needs skfolio, which is not installed: pip install 'podshop[portfolio]'"
