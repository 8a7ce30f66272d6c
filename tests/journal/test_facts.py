"""A fact is always the same bytes, and bytes that are no fact of a known kind are refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.journal import facts as codec
from podshop.journal.facts import KINDS, READERS, VENUE_KINDS, read, written
from podshop.ledger.facts import Fact, Fee, Signals
from podshop.nouns import DataError
from podshop.orders.facts import OrderFact
from tests.ledger.fund_facts import Telling


@given(st.integers(0, 2**32))
def test_what_is_written_is_read(seed):
    for batch in Telling(seed).cycles(3):
        for _, fact in batch:
            kind, v, body = written(fact)
            assert read(kind, v, body) == fact
            assert written(read(kind, v, body)) == (kind, v, body)


def test_every_fact_has_a_kind_and_every_kind_a_reader():
    assert {type_ for type_, _ in KINDS.values()} == set(Fact.__args__) | set(OrderFact.__args__)
    assert {(kind, v) for kind, (_, v) in KINDS.items()} <= set(READERS)
    assert all(KINDS[kind][0]._fields[0] == "venue_id" for kind in VENUE_KINDS)


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=40), st.integers(0, 2**32))
def test_any_bytes_are_a_fact_or_refused(kind, noise, seed):
    """Also those of a true fact with something else in the middle."""
    for _, fact in next(Telling(seed).cycles(1)):
        true_kind, v, body = written(fact)
        middle = len(body) // 2
        for which, raw in ((kind, noise), (true_kind, body[:middle] + noise[:2] + body[middle + 2 :])):
            try:
                read(which, v, raw)
            except DataError as e:
                assert "the body is no" in str(e)  # noqa: PT017 - no error is fine as well


@pytest.mark.parametrize("wrong", [Fee("x", "house", 1.5, "r"), Fee("x", "house", 2**65, "r"), Signals("k", "aa")])
def test_a_field_of_another_type_is_not_written(wrong):
    with pytest.raises(DataError, match="is no "):
        written(wrong)


@pytest.mark.parametrize(
    ("kind", "v", "body", "said"),
    [
        ("fee", 2, b"", "a 'fee' of version 2, which this program does not know"),
        ("gift", 1, b"", "a 'gift' of version 1"),
        ("fee", 1, b"\x94", "the body is no fee of version 1"),
        ("fee", 1, msgspec.msgpack.encode(["x", "house", "1", "r"]), "Expected `int`"),
        ("fee", 1, msgspec.msgpack.encode(["x"]), "the body is no fee"),
        ("fee", 1, msgspec.msgpack.encode(["x", "house", 1, "r"]) + b"\xc0", "trailing"),
    ],
)
def test_a_body_that_is_no_fact_is_refused(kind, v, body, said):
    with pytest.raises(DataError, match=said):
        read(kind, v, body)


def test_an_older_version_is_read_as_the_fact_of_today(monkeypatch):
    """How a kind changes: its old bodies keep a reader of their own, and no row is rewritten."""
    monkeypatch.setitem(
        codec.READERS, ("fee", 0), lambda body: Fee("", "house", msgspec.msgpack.decode(body)[0], "old")
    )
    assert read("fee", 0, msgspec.msgpack.encode([12])) == Fee("", "house", 12, "old")
