"""The contract of execution agents: one that keeps it passes every check, and each check catches its cheat."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from podshop.nouns import Panel
from podshop.research.execution_contract import CHECKS, check


@dataclass
class Honest:
    """The weighted mean of the voices that have an opinion, over the whole weight."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        said, silent = np.zeros(voice.shape[1:]), np.ones(voice.shape[1:], dtype=bool)
        for one, weight in zip(voice, weights, strict=True):
            said += np.where(np.isnan(one), 0.0, weight * one)
            silent &= np.isnan(one)
        return np.where(silent, np.nan, said / np.abs(weights).sum())


class Undocumented(Honest):
    pass


class ForgetsTheMarkets(Honest):
    """Answers one number per cadence."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        return super().__call__(voice, weights)[:, 0]


class TooSure(Honest):
    """Adds voices up instead of averaging them."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        return super().__call__(voice, weights) * np.abs(weights).sum() * 2


class Peeks(Honest):
    """Knows the next row."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        said = super().__call__(voice, weights)
        return np.vstack([said[1:], said[-1:]])


class Remembers(Honest):
    """Averages with the row before."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        said = super().__call__(voice, weights)
        return (said + np.vstack([said[:1], said[:-1]])) / 2


class WholeSample(Honest):
    """Divides by the largest opinion of all rows."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        said = super().__call__(voice, weights)
        return said / max(np.nanmax(np.abs(said), initial=0.0), 1e-9)


class AddsAlongMemory(Honest):
    """A mean whose last bit depends on how many rows are asked for at once."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        said = (np.nan_to_num(voice) * weights[:, None, None]).sum(axis=0) / np.abs(weights).sum()
        return np.where(np.isnan(voice).all(axis=0), np.nan, said) * np.where(voice.shape[1] % 2, 1.0, 1.0 - 2.0**-53)


class ByPlace(Honest):
    """Trades the first market half as much."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        said = super().__call__(voice, weights)
        said[:, 0] /= 2
        return said


class MakesUp(Honest):
    """Says 0 where nobody said anything."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        return np.nan_to_num(super().__call__(voice, weights))


class Spoils(Honest):
    """Fills the gaps of the voices it was given."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        said = super().__call__(voice, weights)
        voice[np.isnan(voice)] = 0.0
        return said


CALLS = itertools.count()


class Counts(Honest):
    """Says less each time it is asked."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        return super().__call__(voice, weights) / (1 + next(CALLS))


class Slow(Honest):
    """Sorts three numbers for each cell."""

    def __call__(self, voice: Panel, weights: Panel) -> Panel:
        for cell in voice.ravel():
            np.sort(np.full(3, cell)).cumsum()
        return super().__call__(voice, weights)


def test_an_honest_agent_passes_every_check() -> None:
    findings = check(Honest())
    assert [finding.check for finding in findings] == list(CHECKS)
    assert [(finding.check, finding.found) for finding in findings if not finding.passed] == []


CHEATS: list[tuple[str, type[Any]]] = [
    ("documented", Undocumented),
    ("shaped", ForgetsTheMarkets),
    ("in_range", TooSure),
    ("row_alone", Peeks),
    ("row_alone", Remembers),
    ("row_alone", WholeSample),
    ("row_alone", AddsAlongMemory),
    ("order_of_markets", ByPlace),
    ("unknown_stays", MakesUp),
    ("kept", Spoils),
    ("deterministic", Counts),
    ("fast", Slow),
]


@pytest.mark.parametrize(("name", "cheat"), CHEATS, ids=[cheat.__name__ for _, cheat in CHEATS])
def test_a_check_catches_its_cheat(name: str, cheat: type[Any]) -> None:
    (finding,) = check(cheat(), only=name)
    assert finding.found
    assert finding.fix


def test_every_check_has_a_cheat() -> None:
    assert {name for name, _ in CHEATS} == set(CHECKS)


def test_what_it_raises_is_a_finding() -> None:
    class Breaks(Honest):
        """Knows only four voices."""

        def __call__(self, voice: Panel, weights: Panel) -> Panel:
            if len(weights) != 4:
                raise ValueError("four voices, please")
            return super().__call__(voice, weights)

    (finding,) = check(Breaks(), only="shaped")
    assert finding.found == "raised ValueError: four voices, please (with 1 voice)"
