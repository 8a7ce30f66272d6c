"""Equal data, equal hash; any other data, another hash."""

import numpy as np
import pytest

from podshop.market import data_sha256
from podshop.nouns import HOUR_NS, Funding, Market


def data(**changed) -> tuple[Market, Funding]:
    parts = {
        "names": ("BTC", "ETH"),
        "close": [[1.0, 2.0], [np.nan, 4.0]],
        "rate": [1e-4],
        "source": [1],
        "at": [HOUR_NS],
    }
    parts |= changed
    market = Market(parts["names"], HOUR_NS, np.array([1, 2]) * HOUR_NS, {"close": np.array(parts["close"])})
    funding = Funding(
        np.array(parts["at"]), np.array([0]), np.array(parts["rate"]), np.array(parts["source"]), ("assumed", "a"), {}
    )
    return market, funding


@pytest.mark.parametrize(
    "changed",
    [
        {"names": ("ETH", "BTC")},
        {"close": [[1.0, 2.0], [4.0, np.nan]]},
        {"close": [[1.0, 2.0], [np.nan, 4.000001]]},
        {"rate": [2e-4]},
        {"source": [0]},
        {"at": [HOUR_NS + 1]},
    ],
)
def test_any_change_shows(changed):
    assert data_sha256(*data(**changed)) != data_sha256(*data())


def test_memory_order_and_the_bits_of_nan_do_not_show():
    other_nan = np.array([0x7FF8000000000001], np.int64).view(np.float64)[0]
    same = data(close=np.asfortranarray([[1.0, 2.0], [other_nan, 4.0]]))
    assert data_sha256(*same) == data_sha256(*data())


def test_the_hash_is_the_same_on_every_machine():
    assert data_sha256(*data()) == "7b9fe4565ca70b09f4f8c6dd9dafdabb5357da64d9f060f7eebe097dc6bde44f"
