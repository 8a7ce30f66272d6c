"""The books are a pure fold, and every identity that is broken is named."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.ledger.books import Books, fold
from podshop.ledger.facts import HOUSE, Capital, Deposit, Fact, Fill, Marks, Nav, Share, Transfer
from podshop.nouns import LedgerError
from tests.ledger.fund_facts import Telling

START: list[Fact] = [
    Deposit("w", HOUSE, 1_000_000),
    Transfer(((HOUSE, -400_000), ("trend", 400_000)), "allocation"),
    Marks(1, ("BTC",), (100,), (0,)),
]
BUY: list[Fact] = [
    Fill("1", "i", "BTC", 10, 101, 7),
    Share("i", "trend", "BTC", 10, 101, 100, 7, "venue"),
]


def test_a_trade_by_hand():
    books = fold([*START, *BUY, Marks(2, ("BTC",), (110,), (0,))])
    assert (books.lots("trend", "BTC"), books.lots(HOUSE, "BTC")) == (10, 0)
    assert books.cash_micro("trend") == 400_000 - 10 * 101 - 7
    assert books.equity_micro("trend") == books.cash_micro("trend") + 10 * 110
    assert books.nav_micro() == 1_000_000 - 10 * 101 - 7 + 10 * 110
    assert books.balances["book:trend:fees"] == 7
    books.agree()


def test_a_crossing_leaves_the_venue_as_it_was():
    cross = [Share("", "trend", "BTC", 4, 100, 100, 0, "cross"), Share("", HOUSE, "BTC", -4, 100, 100, 0, "cross")]
    books = fold([*START, *cross, Nav(1, 1_000_000, 1_000_000, None)])
    assert (books.lots("trend", "BTC"), books.lots(HOUSE, "BTC")) == (4, -4)
    books.agree()


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_identities_hold_at_every_cycle_of_a_random_fund(seed, cycles):
    telling = Telling(seed)
    facts = [fact for batch in telling.cycles(cycles) for _, fact in batch]
    books = fold(facts)
    books.agree()
    assert books.sha256() == telling.books.sha256()
    again = Books()
    for fact in facts:
        again.post(fact)
    assert again.balances == books.balances


def test_ten_thousand_cycles_with_every_kind_of_event():
    telling, books, kinds = Telling(6), Books(), set()
    for batch in telling.cycles(10_000):
        for _, fact in batch:
            books.post(fact)
            kinds.add(type(fact).__name__)
        books.agree()
    assert len(kinds) == 14  # all but Decision, which no account sees


def test_the_hash_does_not_depend_on_the_process():
    code = "from tests.ledger.fund_facts import Telling; t = Telling(1); list(t.cycles(30)); print(t.books.sha256())"
    hashes = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": str(n), "PYTHONPATH": ":".join(sys.path)},
                       capture_output=True, text=True, check=True).stdout
        for n in (1, 2)
    }  # fmt: skip
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ([BUY[0], Nav(1, 0, 0, None)], "^-10 lots and 1017 micro-USD of BTC are in transit"),
        ([BUY[0], BUY[1]._replace(lots=9), Nav(1, 0, 0, None)], "^-1 lots and 101 micro-USD"),
        ([BUY[0], BUY[1]._replace(fee_micro=6), Nav(1, 0, 0, None)], "^0 lots and 1 micro-USD"),
        ([*BUY, Nav(1, 1_000_000 - 17 + 1, 1_000_000 - 1017, None)], "NAV 999984 with cash 998983 micro-USD, expected"),
        ([*BUY, Nav(1, 1_000_000 - 17, 1_000_000 - 1016, None)], "expected 999983 with 998983"),
        ([Marks(1, ("BTC", "ETH"), (1,), (0,))], "2 markets have 1 marks"),
        ([*BUY, Capital("trend", 400_000, 0, None, 1.0, 0)], "capital of trend is 400000 micro-USD, expected its"),
    ],
)
def test_the_first_broken_identity_is_named(facts, said):
    with pytest.raises(LedgerError, match=said):
        fold([*START, *facts])


@pytest.mark.parametrize(
    ("account", "units", "said"),
    [
        ("book:trend:fees", 1, "all accounts of USD sum to 1, expected 0"),
        ("venue:lots:BTC", -1, "all accounts of BTC sum to -1, expected 0"),
    ],
)
def test_an_account_that_was_changed_is_found(account, units, said):
    books = fold([*START, *BUY])
    books.balances[account] += units
    with pytest.raises(LedgerError, match=said):
        books.agree()


def test_lots_without_a_mark_are_found():
    bought = [Fill("1", "i", "ETH", 1, 5, 0), Share("i", "trend", "ETH", 1, 5, 5, 0, "venue")]
    with pytest.raises(LedgerError, match="venue:lots:ETH stands at 1, and no mark"):
        fold([*START, *bought]).agree()
