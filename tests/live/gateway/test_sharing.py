"""Shares of fills and crossings: exact in lots, cash and fees, whatever prices the venue fills at."""

from hypothesis import given
from hypothesis import strategies as st

from podshop.ledger.facts import HOUSE, Fill
from podshop.ledger.live import Netted
from podshop.live.gateway.sharing import held_shares, late_shares, shares_of
from tests.live.gateway.world import LOOSE, Terms

BOOKS = ("a", "b", "c", "d")
TERMS = Terms(
    fund="f", fund_sha256="", interval_ns=1, markets=("BTC", "ETH"), lot_sizes=(1.0, 1.0), min_notional=(0, 0),
    books=BOOKS, capital_micro=1, fee_e8=0, min_order_micro=0, hard=LOOSE,
)  # fmt: skip
LOTS = st.integers(-1000, 1000)
PRICES = st.integers(1, 10**9)
FEES = st.integers(-50, 10**6)


def fills_of(lots: list[int], prices: list[int], fees: list[int], side: int) -> list[Fill]:
    parts = zip(lots, prices, fees, strict=False)
    return [Fill(f"f{i}", "i", "BTC", side * n, price, fee) for i, (n, price, fee) in enumerate(parts)]


def exact(fills, shares, crossed=0) -> None:
    assert sum(share.lots for share in shares) == sum(fill.lots for fill in fills)
    paid = sum(fill.lots * fill.price_micro for fill in fills)
    assert sum(share.lots * share.price_micro for share in shares) == paid
    assert sum(share.fee_micro for share in shares) == sum(fill.fee_micro for fill in fills)


@given(
    st.lists(LOTS, min_size=4, max_size=4), st.lists(st.integers(1, 400), max_size=4), st.lists(PRICES, min_size=4),
    st.lists(FEES, min_size=4),
)  # fmt: skip
def test_a_cycle_is_shared_exactly(wants, lots, prices, fees):
    buys, sells = sum(w for w in wants if w > 0), -sum(w for w in wants if w < 0)
    side = 1 if buys >= sells else -1
    fills = fills_of(lots, prices, fees, side)
    netted = Netted(7, "BTC", min(buys, sells), 500, tuple(zip(BOOKS, wants, strict=True)))
    shares = shares_of(netted, fills, TERMS)
    exact(fills, shares)
    got = {book: sum(s.lots for s in shares if s.book == book) for book in (*BOOKS, HOUSE)}
    for book, want in zip(BOOKS, wants, strict=True):
        assert 0 <= got[book] * (1 if want >= 0 else -1) <= abs(want), "nobody gets more than he wants"
    beyond = max(abs(sum(f.lots for f in fills)) - abs(buys - sells), 0) * side
    assert got[HOUSE] == beyond, "what the venue filled beyond the order is the house's"


@given(st.lists(LOTS, min_size=4, max_size=4), st.integers(1, 900), PRICES, FEES, st.sampled_from([1, -1]))
def test_late_fills_go_to_who_still_lacks_them(lacks, lots, price, fee, side):
    fills = fills_of([lots], [price], [fee], side)
    shares = late_shares(fills, tuple(zip(BOOKS, lacks, strict=True)), 500, 7, TERMS)
    exact(fills, shares)
    for share in shares:
        if share.book != HOUSE:
            lack = lacks[BOOKS.index(share.book)]
            assert lack * share.lots > 0
            assert abs(share.lots) <= abs(lack)


@given(st.lists(LOTS, min_size=4, max_size=4), st.integers(-900, 900).filter(bool), PRICES, st.integers(0, 10**6))
def test_a_liquidation_is_borne_by_those_who_hold(held, lots, price, fee):
    fill = Fill("x", "", "BTC", lots, price, fee)
    exact([fill], held_shares(fill, tuple(zip(BOOKS, held, strict=True)), 7, TERMS))
    net = sum(held)
    if net:
        closing = Fill("y", "", "BTC", -net, price, fee)
        shares = held_shares(closing, tuple(zip(BOOKS, held, strict=True)), 7, TERMS)
        exact([closing], shares)
        got = {share.book: share.lots for share in shares}
        assert all(got.get(book, 0) == -lots for book, lots in zip(BOOKS, held, strict=True))
