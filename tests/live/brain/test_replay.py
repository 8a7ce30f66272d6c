"""Any cycle can be decided again from the journal, byte for byte; with other limits it says what would be other."""

from pathlib import Path

import pytest

from podshop.journal.facts import read
from podshop.journal.store import reading, rows
from podshop.ledger.facts import Verdict
from podshop.live.gateway.terms import Terms
from podshop.live.replay import replay
from podshop.nouns import ConfigError, DataError
from podshop.run.config import starter_fund
from podshop.venues.exchange.memory import WITH_IDS
from tests.live.brain.backtests import steps_of
from tests.live.brain.test_mind import world_of
from tests.live.gateway.parity import compare, takers, terms_of


@pytest.fixture(scope="module")
def journal(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Terms, list[int]]:
    """Two days through the gateway."""
    fund = takers(starter_fund())
    world = world_of(fund, shared_data, "2022-06-12", 2)
    folder = tmp_path_factory.mktemp("replay")
    assert compare(fund, world, folder).off == {}
    steps = steps_of(fund, world.market, world.funding, world.decision_times())
    return folder / "journal.db", terms_of(fund), [step.opened.cycle for step in steps]


def test_every_cycle_is_decided_again_to_the_byte(journal: tuple[Path, Terms, list[int]]) -> None:
    path, terms, cycles = journal
    compared = 0
    for cycle in cycles:
        found = replay(path, terms, WITH_IDS, cycle)
        assert found.refused == ""
        assert found.differs == (), "\n".join(map(str, found.differs))
        compared += found.rows
    assert compared > 100


def test_other_limits_show_what_would_be_other(journal: tuple[Path, Terms, list[int]]) -> None:
    path, terms, cycles = journal
    lines = [line for cycle in cycles for line in replay(path, terms, WITH_IDS, cycle, {"risk.max_var": 1e-4}).differs]
    assert lines
    assert any(line.again is not None and "VAR" in line.again for line in lines)
    assert any(line.kind == "committed" and line.again is None for line in lines)


def test_an_edited_journal_differs(journal: tuple[Path, Terms, list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant of the first test: one verdict says another number."""
    path, terms, cycles = journal
    from podshop.live import replay as module

    def spoilt(kind: str, version: int, body: bytes):  # type: ignore[no-untyped-def]
        fact = read(kind, version, body)
        return fact._replace(allowed_lots=fact.allowed_lots + 1) if isinstance(fact, Verdict) else fact

    monkeypatch.setattr(module, "read", spoilt)
    differ = [replay(path, terms, WITH_IDS, cycle).differs for cycle in cycles]
    with reading(path) as db:
        verdicts = sum(row.kind == "verdict" for row in rows(db))
    assert 0 < sum(len(lines) for lines in differ) <= verdicts


def test_what_cannot_be_is_said(journal: tuple[Path, Terms, list[int]]) -> None:
    path, terms, cycles = journal
    with pytest.raises(DataError, match="holds no cycle"):
        replay(path, terms, WITH_IDS, cycles[-1] + 1)
    with pytest.raises(ConfigError, match="cannot be changed"):
        replay(path, terms, WITH_IDS, cycles[0], {"risk.colour": 1.0})
    with pytest.raises(ConfigError, match="a fraction"):
        replay(path, terms, WITH_IDS, cycles[0], {"max_var": -1.0})
