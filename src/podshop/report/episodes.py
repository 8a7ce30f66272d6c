"""Episodes: the same verdict on the same market, cycle after cycle, told once."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import Whole
from podshop.nouns.verdict import APPROVE, VERDICTS

KEPT = 12  # of the longest that were not approvals


@dataclass(frozen=True, slots=True, order=True)
class Episode:
    """`cycles` consecutive verdicts alike; market, verdict and code are indices, the times are UTC ns."""

    cycles: int
    market: int
    verdict: int
    code: int
    since_ns: int
    until_ns: int


class Episodes:
    """Groups verdicts as they come; the rows of a market in the order of cycles."""

    def __init__(self, codes: int, markets: int) -> None:
        self._closed = np.zeros((len(VERDICTS), codes, markets), np.int64)
        self._open = np.zeros((6, markets), np.int64)  # cycles (0 = none), verdict, code, last cycle, first, last time
        self._longest: list[Episode] = []

    def add(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take rows in: split where verdict or code change, or a cycle is missing; the first may go on from before."""
        if not len(columns["cycle"]):
            return
        order = np.argsort(columns["market"], kind="stable")
        market, verdict, code, cycle, time = (
            columns[name][order].astype(np.int64) for name in ("market", "verdict", "code", "cycle", "time")
        )
        begins = np.ones(len(order), np.bool_)
        begins[1:] = (
            (np.diff(market) != 0) | (np.diff(verdict) != 0) | (np.diff(code) != 0) | (np.diff(cycle) != 1)
        )  # fmt: skip
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(order)) - 1
        runs = np.stack((last - first + 1, verdict[first], code[first], cycle[last], time[first], time[last]))
        of = market[first]
        self._continue(runs, of, cycle[first])
        ends = np.append(np.flatnonzero(np.diff(of)), len(of) - 1)  # each market's last run stays open
        closed = np.ones(len(of), np.bool_)
        closed[ends] = False
        self._close(runs[:, closed], of[closed])
        self._open[:, of[ends]] = runs[:, ends]

    def count(self) -> Whole:
        """(verdicts, codes, markets) episodes, those still open included."""
        total = self._closed.copy()
        live = np.flatnonzero(self._open[0])
        np.add.at(total, (self._open[1, live], self._open[2, live], live), 1)
        return total

    def longest(self) -> tuple[Episode, ...]:
        """The longest refusals and cuts, longest first."""
        live = np.flatnonzero(self._open[0])
        return tuple(sorted([*self._longest, *_candidates(self._open[:, live], live)], reverse=True)[:KEPT])

    def _continue(self, runs: Whole, market: Whole, first_cycle: Whole) -> None:
        """Join each market's first run to the open one where it goes on; close the open one where it does not."""
        heads = np.concatenate(([0], np.flatnonzero(np.diff(market)) + 1))
        of, head = market[heads], runs[:, heads]
        old = self._open[:, of]
        alike = (old[0] > 0) & (old[1] == head[1]) & (old[2] == head[2]) & (old[3] + 1 == first_cycle[heads])
        runs[0, heads[alike]] += old[0, alike]
        runs[4, heads[alike]] = old[4, alike]
        ended = (old[0] > 0) & ~alike
        self._close(old[:, ended], of[ended])

    def _close(self, runs: Whole, market: Whole) -> None:
        np.add.at(self._closed, (runs[1], runs[2], market), 1)
        self._longest = heapq.nlargest(KEPT, [*self._longest, *_candidates(runs, market)])


def _candidates(runs: Whole, market: Whole) -> list[Episode]:
    """The few longest of many, approvals left out."""
    at = np.flatnonzero(runs[1] != APPROVE)
    rank = np.lexsort((runs[4, at], runs[2, at], runs[1, at], market[at], runs[0, at]))  # as episodes compare
    at = at[rank[::-1][:KEPT]]
    return [
        Episode(int(runs[0, i]), int(market[i]), int(runs[1, i]), int(runs[2, i]), int(runs[4, i]), int(runs[5, i]))
        for i in at
    ]
