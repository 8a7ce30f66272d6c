"""What a fill and a settlement of funding do to cash: published numbers, then what must hold for all."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from podshop.ledger.settle import fee_of, funding_of, settle

LOTS = st.integers(-(10**6), 10**6)
PRICE = st.integers(1, 10**9)


def test_hyperliquids_base_tier_by_hand() -> None:
    """Buying 0.5 BTC at 60,000 dollars, taker 0.045 %: 30,000 dollars and 13.50 of fee. Lots of 1e-5 BTC."""
    lots, price_micro = 50_000, 600_000
    fee = fee_of(lots, price_micro, 45_000)
    assert fee == 13_500_000
    assert settle(lots, price_micro, fee) == -30_013_500_000
    assert settle(-lots, price_micro, fee) == 29_986_500_000


def test_a_very_large_fill_pays_its_fee() -> None:
    """250 million dollars at 4.5 bps: 112,500 dollars. |lots| x price x fee passes 2^63 on the way."""
    assert fee_of(250_000_000, 1_000_000, 45_000) == 112_500_000_000


@given(LOTS, PRICE.map(lambda price: price // 100 + 1), st.integers(0, 10**5))
def test_a_fee_is_rounded_up_once_and_never_helps(lots: int, price: int, fee_e8: int) -> None:
    exact = Fraction(abs(lots) * price * fee_e8, 10**8)
    assert exact <= fee_of(lots, price, fee_e8) < exact + 1


@given(LOTS, LOTS, PRICE)
def test_settling_in_parts_is_settling_whole(first: int, second: int, price: int) -> None:
    assert settle(first, price, 0) + settle(second, price, 0) == settle(first + second, price, 0)
    assert settle(first, price, 7) == -first * price - 7


def test_funding_is_rounded_half_to_even() -> None:
    """Half a micro-dollar, one and a half, two and a half: 0, 2, 2."""
    assert [int(funding_of(-n, 1, 0.5, False)) for n in (1, 3, 5)] == [0, 2, 2]
    assert [int(funding_of(n, 1, 0.5, False)) for n in (1, 3, 5)] == [0, -2, -2]


@given(LOTS, PRICE, st.floats(-0.01, 0.01))
def test_longs_pay_what_shorts_receive_unless_the_rate_is_assumed(lots: int, mark: int, rate: float) -> None:
    assert funding_of(lots, mark, rate, False) == -funding_of(-lots, mark, rate, False)
    assert funding_of(lots, mark, abs(rate), True) == funding_of(-lots, mark, abs(rate), True) <= 0
    assert abs(funding_of(lots, mark, rate, False) + round(lots * mark * rate)) == 0
