"""What the fund asks of an execution agent of one's own, as checks with names.

`check(agent)` tries the agent on made-up voices and answers one finding per check, as podshop.research.contract does
for signal agents. A backtest asks for many cadences at once and live for one: row c must be the same in both.
"""

import inspect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from podshop.nouns import ExecutionAgent, Panel, PodshopError
from podshop.research.contract import Finding

LISTENERS = (1, 4, 12)  # twelve: from eight on numpy adds in another order where it adds along memory
CADENCES, MARKETS = 60, 5
SLOWEST = 2.0  # seconds per million cells of the voices, on one core


@dataclass(frozen=True, slots=True)
class Trial:
    """An agent, the voices it is tried on, and the weights that go with them."""

    agent: ExecutionAgent
    voice: Panel
    weights: Panel

    def ask(self, voice: Panel) -> Any:
        """Call the agent with copies, so that no check can spoil the next."""
        return self.agent(np.array(voice, order="C"), self.weights.copy())


def check(agent: ExecutionAgent, seed: int = 20, only: str | None = None) -> tuple[Finding, ...]:
    """Hold an execution agent to the contract, with one voice and with several."""
    trials = [Trial(agent, *made_up(listeners, seed)) for listeners in LISTENERS]
    return tuple(_finding(name, trials) for name in CHECKS if only in (None, name))


def made_up(listeners: int, seed: int) -> tuple[Panel, Panel]:
    """Voices (L, C, m) that are open, shut (0) and missing (NaN) by chance, and weights (L,) of both signs."""
    chance = np.random.default_rng(seed)
    shape = (listeners, CADENCES, MARKETS)
    open_ = chance.choice([-1.0, 1.0], shape) * np.rint(chance.uniform(0.35, 1.0, shape) * 2**20) / 2**20
    voice = np.where(chance.random(shape) < 0.3, 0.0, np.where(chance.random(shape) < 0.15, np.nan, open_))
    voice[:, 7], voice[:, 11], voice[:, 13], voice[:, 17] = np.nan, 0.0, 1.0, -1.0
    return voice, np.rint(chance.uniform(0.1, 2.0, listeners) * 10) / 10 * np.where(
        np.arange(listeners) % 3 == 2, -1, 1
    )


def _finding(name: str, trials: list[Trial]) -> Finding:
    promise, fix, test = CHECKS[name]
    found = ""
    for trial in trials:
        try:
            found = next(test(trial), "")
        except PodshopError as error:
            found = str(error)
        except Exception as error:  # noqa: BLE001  whatever a stranger's code raises is a finding
            found = f"raised {type(error).__name__}: {error}"
        if found:
            listeners = len(trial.weights)
            return Finding(name, promise, f"{found} (with {listeners} {'voice' if listeners == 1 else 'voices'})", fix)
    return Finding(name, promise, "", fix)


def documented(t: Trial) -> Iterator[str]:
    about = vars(type(t.agent)).get("__doc__") or ""
    if not about or about == _given_by_dataclass(type(t.agent)):
        yield "its class has no docstring"


def _given_by_dataclass(cls: type[Any]) -> str:
    return cls.__name__ + str(inspect.signature(cls)).replace(" -> None", "")


def shaped(t: Trial) -> Iterator[str]:
    said, expected = t.ask(t.voice), t.voice.shape[1:]
    if not (isinstance(said, np.ndarray) and said.shape == expected and said.dtype == np.float64):
        yield f"answered {getattr(said, 'dtype', type(said))} {np.shape(said)}, expected float64 {expected}"
    elif not np.isfinite(said).any():
        yield f"no opinion in any of {said.size} cells"


def in_range(t: Trial) -> Iterator[str]:
    said = t.ask(t.voice)
    if (wrong := said[np.isinf(said) | (np.abs(said) > 1.0)]).size:
        yield f"says {wrong[0]}, expected a number in [-1, 1] or NaN"


def row_alone(t: Trial) -> Iterator[str]:
    """Each row by itself, the rows before it, the rows in another order, and noise in all others: the same row."""
    whole = t.ask(t.voice)
    noise, _ = made_up(len(t.weights), 1)
    for c in range(CADENCES):
        others = np.where((np.arange(CADENCES) == c)[None, :, None], t.voice, noise)
        for what, said in (
            ("alone", t.ask(t.voice[:, c : c + 1])[0]),
            ("as the last of the rows before it", t.ask(t.voice[:, : c + 1])[-1]),
            ("among other rows", t.ask(others)[c]),
        ):
            if (m := _differs(said, whole[c])) is not None:
                yield f"row {c} of market {m} is {said[m]} {what}, and {whole[c, m]} among all rows"
    turned = t.ask(t.voice[:, ::-1])[::-1]
    if (at := _differs(turned.ravel(), whole.ravel())) is not None:
        yield f"row {at // MARKETS} is {turned.ravel()[at]} when the rows are turned round, {whole.ravel()[at]} before"


def order_of_markets(t: Trial) -> Iterator[str]:
    turned, whole = t.ask(t.voice[:, :, ::-1])[:, ::-1], t.ask(t.voice)
    if not np.allclose(turned, whole, rtol=0.0, atol=1e-9, equal_nan=True):
        yield "a market is answered otherwise when the markets stand in another order"


def unknown_stays(t: Trial) -> Iterator[str]:
    silent = t.voice.copy()
    silent[:, :, 0] = np.nan
    said = t.ask(silent)[:, 0]
    if not np.isnan(said).all():
        yield f"says {said[~np.isnan(said)][0]} of a market of which no voice has an opinion, expected NaN"


def kept(t: Trial) -> Iterator[str]:
    voice, weights = t.voice.copy(), t.weights.copy()
    t.agent(voice, weights)
    if not (np.array_equal(voice, t.voice, equal_nan=True) and np.array_equal(weights, t.weights)):
        yield "the voices or the weights were changed by the call"
    voice.setflags(write=False)
    weights.setflags(write=False)
    t.agent(voice, weights)


def deterministic(t: Trial) -> Iterator[str]:
    first = t.ask(t.voice)
    for _ in range(3):
        said = t.ask(t.voice)
        if (at := _differs(said.ravel(), first.ravel())) is not None:
            yield f"row {at // MARKETS} is {first.ravel()[at]}, then {said.ravel()[at]} from the same voices"
        t.ask(t.voice[:, ::-1])


def fast(t: Trial) -> Iterator[str]:
    wide = np.tile(t.voice, (1, 100, 1))
    t.agent(wide, t.weights)
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        t.agent(wide, t.weights)
        seconds.append(time.perf_counter() - start)
    if (per_million := min(seconds) / wide.size * 1e6) > SLOWEST:
        yield f"{per_million:.1f} s per million cells, expected at most {SLOWEST:.1f}"


def _differs(a: Panel, b: Panel) -> int | None:
    """First place where two rows differ by a bit."""
    wrong = np.flatnonzero(~((a == b) | (np.isnan(a) & np.isnan(b))))
    return int(wrong[0]) if wrong.size else None


CHECKS: dict[str, tuple[str, str, Callable[[Trial], Iterator[str]]]] = {  # name -> promise, how to keep it, test
    "documented": ("says how it combines", "write a docstring of one line for the class", documented),
    "shaped": ("answers one float64 per cadence and market", "return an array shaped like one of the voices", shaped),
    "in_range": ("opinions lie in [-1, 1]", "divide by the sum of abs(weights), or np.clip to -1 and 1", in_range),
    "row_alone": (
        "row c follows from row c of the voices alone, to the bit",
        "use no other row; keep nothing between calls; add voice to voice in a loop, not with sum(), @ or einsum",
        row_alone,
    ),
    "order_of_markets": (
        "does not care how markets are ordered",
        "treat markets alike: their places have no meaning here",
        order_of_markets,
    ),
    "unknown_stays": ("no voice, no opinion", "answer NaN where every voice is NaN", unknown_stays),
    "kept": ("leaves the voices as they were", "copy an array before writing into it", kept),
    "deterministic": ("says the same twice", "use no randomness, clock, or state between calls", deterministic),
    "fast": (
        f"takes at most {SLOWEST:.0f} s per million cells",
        "work on whole arrays; loops over rows need @compiled",
        fast,
    ),
}
