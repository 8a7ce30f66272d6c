"""Every fact's postings sum to zero per asset, whatever the numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.ledger import postings as ledger
from podshop.ledger.books import Books
from podshop.ledger.facts import Deposit, Fee, Fill, Funding, FundingShare, Share, Transfer
from podshop.ledger.postings import POSTS, imbalance, postings
from podshop.nouns import LedgerError
from tests.ledger.fund_facts import Telling

whole = st.integers(-(2**62), 2**62)
name = st.sampled_from(["trend", "carry", "house"])
market = st.sampled_from(["BTC", "ETH", "kPEPE"])
text = st.just("x")
ONE_OF_EACH = st.one_of(
    st.builds(Fill, text, text, market, whole, whole, whole),
    st.builds(Share, text, name, market, whole, whole, whole, whole, text),
    st.builds(Funding, text, market, whole),
    st.builds(FundingShare, name, market, whole, whole, st.just(1e-4), text, whole),
    st.builds(Fee, text, name, whole, text),
    st.builds(Deposit, text, name, whole),
    st.builds(lambda a, b, cash: Transfer(((a, cash), (b, -cash)), "allocation"), name, name, whole),
)


@given(ONE_OF_EACH)
def test_the_postings_of_every_fact_balance(fact):
    posted = postings(fact)
    assert posted
    assert all(type(units) is int for _, units in posted)
    assert imbalance(posted) == {}


@given(st.lists(ONE_OF_EACH, max_size=30))
def test_all_accounts_sum_to_zero_after_any_facts(facts):
    books = Books()
    for fact in facts:
        books.post(fact)
    assert imbalance(tuple(books.balances.items())) == {}


@given(ONE_OF_EACH.filter(lambda fact: not isinstance(fact, Transfer)))
def test_mutant_a_forgotten_posting_is_seen(fact):
    """The same facts with the last posting left out: what the tests above look for is there."""
    assert imbalance(postings(fact)[:-1]) or postings(fact)[-1][1] == 0


def test_every_kind_that_posts_is_tried():
    assert set(POSTS) == {Fill, Share, Funding, FundingShare, Fee, Deposit, Transfer}


def test_a_transfer_makes_no_money():
    with pytest.raises(LedgerError, match="makes 3 micro-USD out of nothing"):
        postings(Transfer((("trend", 5), ("carry", -2)), "allocation"))


def test_a_posting_that_does_not_balance_is_refused(monkeypatch):
    monkeypatch.setitem(ledger.POSTS, Fee, lambda fact: ((ledger.VENUE_CASH, -fact.fee_micro),))
    with pytest.raises(LedgerError, match="its postings sum to -7"):
        Books().post(Fee("f", "house", 7, "x"))


def test_a_million_random_postings_balance():
    """A fund's random facts until they made a million postings: 0 of them unbalanced."""
    posted = 0
    facts = (fact for batch in Telling(1).cycles(1_000_000) for _, fact in batch)
    while posted < 1_000_000:
        made = postings(next(facts))
        assert imbalance(made) == {}
        posted += len(made)
