"""One number that says which data a run has seen."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import Funding, Market


def data_sha256(market: Market, funding: Funding) -> str:
    """Hash every value of a market and its funding; equal data gives equal hashes on any machine.

    Every NaN counts as the same NaN, because their bits differ between processors, and so does 0 whatever its sign.
    """
    digest = hashlib.sha256()
    _text(digest, "market", *market.names, str(market.interval_ns), str(len(market)))
    _values(digest, market.time)
    for name in sorted(market.columns):
        _text(digest, name)
        for series in market.columns[name].T:
            _values(digest, series)
    _text(digest, "funding", *funding.sources, str(len(funding.at_ns)))
    for values in (funding.at_ns, funding.market, funding.rate, funding.source):
        _values(digest, values)
    return digest.hexdigest()


def _text(digest: "hashlib._Hash", *words: str) -> None:
    for word in words:
        digest.update(word.encode() + b"\0")


def _values(digest: "hashlib._Hash", values: NDArray[np.float64] | NDArray[np.int64]) -> None:
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values) + 0.0
    digest.update(np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).data)
