"""The treasury of one run: who gets how much at each midnight, and a line of why for whoever asks later.

Three things follow one another, each off unless the fund file asks for it: the allocator shares NAV by evidence; a
book's stage says how much of its share it may have; and what lies above the high-water mark stays cash.
"""

from typing import Any, Protocol

import numpy as np

from podshop.nouns import Panel, utc_text
from podshop.run.allocator import allocator_of, compounds, graduated_of
from podshop.run.config.sections import Fund as FundFile
from podshop.treasury import Allocation, Allocator
from podshop.treasury.graduated import Graduated
from podshop.treasury.highwater import high_water, uncompounded

SUSPENDED = "suspended"
EVIDENCE_DAYS = 30  # shown beside a weight that follows the books' volatility
SAME = 1e-12  # weights closer than this are the same


class Treasury(Protocol):
    """Who is asked for weights: the allocator as it is, or behind the gate of graduation."""

    def __call__(self, daily_return: Panel, previous: Panel | None = None, /) -> Panel:
        """(D, B) daily returns and (B,) weights until now -> (B,) weights, sum at most 1."""
        ...


class Treasurer:
    """Shares the capital of one run; one of these for one run, since it remembers.

    weights           (B,) fractions of NAV given at the last midnight
    suspended         (B,) who was suspended then, and has to leave at once
    high_water_micro  the capital that is agreed to be at risk; None where gains are risked too
    log               what moved: one entry for each midnight at which something did (see `_tell`)
    """

    def __init__(self, file: FundFile, capital_micro: int) -> None:
        books = len(file.mandates)
        self.books = tuple(mandate.name for mandate in file.mandates)
        self._asked = _Asked(allocator_of(file))
        self.gate: Graduated | None = graduated_of(file, self._asked)
        self._treasury: Treasury = self._asked if self.gate is None else self.gate
        self._own = self.weights = np.full(books, 1.0 / books)  # before and after the mark
        self.high_water_micro = None if compounds(file.allocator) else capital_micro
        self.suspended = np.zeros(books, np.bool_)
        self._stages: tuple[str, ...] = (file.graduation.start,) * books
        self._days = np.empty((0, books))
        self.log: list[dict[str, Any]] = []

    def share(self, at_ns: int, daily_return: Panel, nav_micro: int) -> Panel:
        """(B,) fractions of NAV from now on; called once at each midnight.

        daily_return  (D, B) of the shadows, oldest first; the days since the call before stand at its end
        nav_micro     after the funding of this instant
        """
        before = self.weights
        self._days = daily_return[-EVIDENCE_DAYS:]
        self._own = self._treasury(daily_return, self._own)
        mark = self.high_water_micro
        self.weights = self._own if mark is None else uncompounded(self._own, nav_micro, mark)
        stages = self.stages or self._stages
        self.suspended = np.array([a != b == SUSPENDED for a, b in zip(self._stages, stages, strict=True)])
        self._tell(at_ns, nav_micro, before)
        return self.weights

    def paid(self, moved_micro: int, nav_micro: int, *, asked: bool = False) -> None:
        """Money came in (> 0) or went out, or a person asked to risk the gains: the mark follows.

        nav_micro  after that
        """
        if self.high_water_micro is not None:
            self.high_water_micro = high_water(self.high_water_micro, nav_micro, moved_micro, asked=asked)

    def sign(self, book: str, stage: str) -> None:
        """A person puts a book into a stage; what it gets changes at the next midnight. Nothing without the gate."""
        if self.gate is not None:
            self.gate.sign(self.books.index(book), stage)

    @property
    def stages(self) -> tuple[str, ...]:
        """Of each book; empty where the gate is off."""
        if self.gate is None:
            return ()
        return self._stages if self.gate.standing is None else self.gate.standing.stages

    def summary(self, policy: str) -> dict[str, Any]:
        """What `result.json` says of the treasury."""
        steps = [
            {"at": line["at"], "book": book["book"], "from": book["stage_before"], "to": book["stage"]}
            | {"why": book["stage_why"]}
            for line in self.log
            for book in line["books"]
            if book["stage"] != book["stage_before"]
        ]
        return {
            "policy": policy,
            "high_water_mark": None if self.high_water_micro is None else self.high_water_micro / 1e6,
            "stages": dict(zip(self.books, self.stages, strict=True)) if self.gate else None,
            "steps": steps,
        }

    def _tell(self, at_ns: int, nav_micro: int, before: Panel) -> None:
        """Keep a line where a weight or a stage is not what it was, and of every book at the first call.

        books: of each that changed its weight before and now; `asked`, the allocator's; stages; `why`, in words
        """
        stages = self.stages or ("",) * len(self.books)
        earlier = self._stages if self.gate else stages
        steps = self.gate.why if self.gate and self.gate.why else ("",) * len(self.books)
        rows = [
            {
                "book": name,
                "before": float(before[b]),
                "weight": float(self.weights[b]),
                "asked": float(self._asked.weights[b]),
                "stage_before": earlier[b],
                "stage": stages[b],
                "stage_why": steps[b] if stages[b] != earlier[b] else "",
                "why": self._why(b, earlier[b], stages[b], steps[b], nav_micro),
            }
            for b, name in enumerate(self.books)
            if abs(self.weights[b] - before[b]) > SAME or stages[b] != earlier[b] or not self.log
        ]
        self._stages = stages if self.gate else self._stages
        if rows or not self.log:
            self.log.append(
                {
                    "at": utc_text(at_ns),
                    "at_ns": at_ns,
                    "nav_micro": nav_micro,
                    "high_water_micro": self.high_water_micro,
                    "books": rows,
                }
            )

    def _why(self, b: int, earlier: str, stage: str, step: str, nav_micro: int) -> list[str]:
        """What made a weight what it is, one reason each."""
        said = []
        if stage != earlier:
            said.append(f"{earlier} to {stage}: {step or 'a person signed'}")
        elif stage and stage != "full":
            said.append(f"its stage is {stage}")
        found = self._asked.found
        if found is not None:
            said.append(f"believed Sharpe {found.posterior[b]:.2f}, {100 * found.wanted[b]:.2f} % wanted")
            if found.bound[b]:
                said.append(f"bound by {', '.join(found.bound[b])}")
        if self._asked.agent.kind in ("hrp", "inverse_vol") and len(self._days) == EVIDENCE_DAYS:
            said.append(f"a day of its shadow deviates by {100 * float(self._days[:, b].std(ddof=1)):.3f} %")
        mark = self.high_water_micro
        if mark is not None and nav_micro > mark:
            said.append(f"{100 * (1 - mark / nav_micro):.2f} % of NAV is above the high-water mark and stays cash")
        return said


class _Asked:
    """The allocator, and what it last answered: the gate hides the weights that it was given."""

    def __init__(self, agent: Allocator) -> None:
        self.agent = agent
        self.weights: Panel = np.zeros(0)
        self.found: Allocation | None = None

    def __call__(self, daily_return: Panel, previous: Panel | None = None, /) -> Panel:
        if self.agent.kind == "shrunk":
            self.found = self.agent.explain(daily_return, previous)
            self.weights = self.found.weights
        else:
            self.weights = self.agent(daily_return, previous)
        return self.weights
