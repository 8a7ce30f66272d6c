"""A record keeps what its decisions were made on, and a journal made of it tells so, and whom its orders were for."""

import hashlib
from collections import defaultdict

import numpy as np
import pytest

from podshop.feeds.simulated import simulate
from podshop.journal.facts import read
from podshop.journal.from_record import import_record
from podshop.journal.store import reading, rows
from podshop.ledger.facts import Decision, Fact, Intent, Nav, Share, Signals, Verdict
from podshop.nouns import DAY_NS, HOUR_NS
from podshop.run.backtest import backtest
from podshop.run.config import starter_fund
from podshop.run.opinions import seats
from podshop.run.said import said_rows
from podshop.run.world import SIMULATED_SINCE_NS as SINCE_NS
from podshop.run.world import read_world

DAYS = 40


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> list[Fact]:
    out = tmp_path_factory.mktemp("said")
    backtest(starter_fund(), None, SINCE_NS, SINCE_NS + DAYS * DAY_NS, out / "record", lambda *_: None)
    import_record(out / "record", out / "journal")
    with reading(out / "journal") as db:
        return [read(row.kind, row.v, row.body) for row in rows(db)]


def test_every_cycle_tells_what_was_said_before_anybody_decides(facts: list[Fact]) -> None:
    cycles = [fact.cycle for fact in facts if isinstance(fact, Nav)]
    told = [fact.cycle for fact in facts if isinstance(fact, Signals)]
    assert told == cycles[:-1]  # at the last NAV row nobody decides
    heard = False
    for fact in facts:
        if isinstance(fact, Nav):
            heard = False
        heard |= isinstance(fact, Signals)
        assert heard or not isinstance(fact, Decision | Verdict | Intent)


def test_the_hash_is_of_names_and_voices_and_nothing_else(facts: list[Fact]) -> None:
    fund = starter_fund()
    world = read_world(fund, None, SINCE_NS, SINCE_NS + DAYS * DAY_NS)
    roster = seats(world.market, fund.signals, fund.confidence)
    times = world.decision_times()[:-1]
    voices = {name: seat.voice(times) for name, seat in roster.items()}
    expected = []
    for k in range(len(times)):
        said = hashlib.sha256()
        for name in sorted(voices):
            spoken, index = voices[name]
            said.update(name.encode() + b"\0" + spoken[index[k]].astype("<f8").tobytes())
        expected.append(said.hexdigest())
    assert [fact.sha256 for fact in facts if isinstance(fact, Signals)] == expected


def test_one_voice_more_is_another_hash() -> None:
    market, _ = simulate(("BTC",), HOUR_NS, 0, DAY_NS, seed=1)
    spoken = np.zeros((1, 2)), np.zeros(len(market.time), np.int64)
    louder = np.array([[0.0, 0.7]]), spoken[1]
    rows_of = [said_rows(market.time, {"a": one})["sha256_0"].tolist() for one in (spoken, louder)]
    assert rows_of[0] != rows_of[1]
    assert len(set(rows_of[0])) == 1


def test_an_order_that_filled_whole_says_whom_it_was_for(facts: list[Fact]) -> None:
    shares: dict[str, dict[str, int]] = defaultdict(dict)
    for fact in facts:
        if isinstance(fact, Share) and fact.kind == "venue":
            shares[fact.intent][fact.book] = fact.lots
    intents = [fact for fact in facts if isinstance(fact, Intent)]
    known = [fact for fact in intents if fact.wants]
    assert len(known) > 0.5 * len(intents) > 20
    for fact in known:
        assert sum(lots for _, lots in fact.wants) == fact.lots
        assert dict(fact.wants) == shares[fact.intent]
    partly = [fact for fact in intents if not fact.wants]
    assert all(sum(shares[fact.intent].values()) != fact.lots for fact in partly)
