"""The pages of the agents say what their docstrings say, and an agent that lacks something has no page."""

import sys
from pathlib import Path

import pytest

from podshop.nouns import DataError
from podshop.research import reference
from podshop.run.config import fifty, fifty_fund
from podshop.signals import AGENTS
from podshop.signals.roster import ROSTER

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "agents"


def test_the_pages_are_as_the_docstrings_are():
    """Otherwise: make docs."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert there == reference.pages()


@pytest.mark.parametrize("kind", AGENTS)
def test_every_kind_has_source_units_and_example(kind):
    text = (FOLDER / f"{AGENTS[kind].family}.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    assert "\nSource: " in section
    assert "(T, M)" in section
    assert "->" in section
    assert "\n>>> " in section
    assert all(f"`{name}`" in section for name in AGENTS[kind].reads)


def test_every_shipped_agent_has_a_row():
    for name, agent in ROSTER.items():
        assert f"\n| `{name}` |" in (FOLDER / f"{agent.family}.md").read_text(encoding="utf-8")


def test_every_mandate_has_a_row_and_its_reason():
    text = (FOLDER / "execution.md").read_text(encoding="utf-8")
    for mandate in fifty_fund().mandates:
        assert text.count(f"\n| `{mandate.name}` |") == 1
        assert text.count(f"\n- `{mandate.name}`: ") == 1
    assert "\n- `swing_chain`: coins that move on the chain are sold or kept weeks later" in text


def test_a_mandate_without_a_reason_is_named():
    with pytest.raises(DataError, match="swing_chain: no reason stands above its table"):
        reference.execution(fifty_fund().mandates, fifty().replace("# coins that move on the chain are", "# x\n\n"))


@pytest.mark.parametrize(
    ("kind", "spoil", "said"),
    [
        ("carry", lambda m: setattr(m, "__doc__", "Carry: no paper."), "names no 'Source:'"),
        ("carry", lambda m: setattr(m.carry, "__doc__", "Score.\n\n>>> 1\n1"), "gives no shapes and units"),
        ("carry", lambda m: setattr(m.carry, "__doc__", "rate  (T, M) x\n->  (T, M) y"), "has no example"),
    ],
)
def test_an_agent_that_lacks_something_is_named(kind, spoil, said, monkeypatch):
    module = sys.modules[AGENTS[kind].__module__]
    monkeypatch.setattr(module, "__doc__", module.__doc__)
    monkeypatch.setattr(module.carry, "__doc__", module.carry.__doc__)
    spoil(module)
    with pytest.raises(DataError, match=said):
        reference.page(AGENTS[kind].family)
