"""Who may hold capital: an execution agent's stage, by what its shadow book has proved.

    research   nothing traded yet
    paper      its shadow book alone; no capital
    seed       a part of what the allocator would give
    full       all of it
    suspended  out after a deep drawdown; no capital

Shadows trade at a fixed capital in every stage, so an agent without capital goes on proving itself, and its evidence is
the same in whatever stage it is. Ninety days are a floor and no proof: half of all worthless agents have earned
something after them. Up leads only a record that beats luck, and the best luck of as many trials (`treasury.proof`),
looked at every 30 days. Down leads, on any day, one of two sequential rules:

    drawdown   1.25 annual volatilities under the peak: suspended for 30 days, then paper; the peak counts anew
    decay      W = max(0, W + a (a / 2 - x)) >= 2 since the stage began, x the day's return over its long-run
               deviation, a = 1 / sqrt(365): the days look more like a Sharpe ratio of 0 than of 1, by e^2 to 1;
               one stage down

Both are Page's test: the first, in units of volatility, is that of -1 against 1. A test that finds decay fast gives
false alarms often: how often, by true Sharpe ratio, is measured in docs/graduation.md. Whoever is demoted, or changed
in what it trades on, begins again: days before that prove nothing any more.

Sources: Page (1954), "Continuous inspection schemes", Biometrika 41(1/2), 100-115; Grossman & Zhou (1993), "Optimal
investment strategies for controlling drawdowns", Mathematical Finance 3(3), 241-276, for the ladder.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from podshop.maths.compiled import compiled, lean
from podshop.nouns import Panel, Whole
from podshop.treasury.proof import DAYS_A_YEAR, FEWEST_DAYS, hurdle, score, weigh

STAGES = ("research", "paper", "seed", "full", "suspended")
RESEARCH, PAPER, SEED, FULL, SUSPENDED = range(5)
REASONS = (
    "",
    "its shadow has traded",
    "its record is more than the best luck of as many trials",
    "its record is proved",
    "its days look more like a Sharpe ratio of 0 than of 1",
    "its drawdown is too deep",
    "it has cooled off",
)
STAYS, TRADED, SEEDED, FILLED, DECAYED, SUNK, COOLED = range(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What each step takes.

    floor_days     of evidence before seed, and again at seed before full
    review_days    a promotion is looked at as often, counted from the first day of evidence
    psr            least probabilistic Sharpe ratio of any capital
    seed_dsr       least deflated one of seed: 0.5 = as good as the best luck to be expected
    full_dsr       least deflated one of full
    seed_share     of what the allocator would give
    out_from       drawdown that suspends, in annual volatilities
    cool_off_days  least time suspended
    alive          annual Sharpe ratio of an agent that does what is hoped, for `decay`
    alarm          logarithm of the odds against it from which it is demoted
    """

    floor_days: int = 90
    review_days: int = 30
    psr: float = 0.95
    seed_dsr: float = 0.5
    full_dsr: float = 0.95
    seed_share: float = 0.25
    out_from: float = 1.25
    cool_off_days: int = 30
    alive: float = 1.0
    alarm: float = 2.0


AS_USUAL = Gate()


class Standing(NamedTuple):
    """Where each of K books stands, and all that the next day needs to know. Rows count days from the first on.

    rows    days looked at
    stage   (K,) index into STAGES
    since   (K,) row at which the stage began
    clock   (K,) first row that is evidence
    equity  (K,) 1 + what the shadow earned since it was last suspended, or put down by a person, and its peak
    odds    (K,) W of `decay`
    noise   (K,) deviation of a day in the long run, at the last review; 0 = not known yet
    """

    rows: int
    stage: Whole
    since: Whole
    clock: Whole
    equity: Panel
    peak: Panel
    odds: Panel
    noise: Panel

    @property
    def stages(self) -> tuple[str, ...]:
        """In words."""
        return tuple(STAGES[code] for code in self.stage.tolist())


class Hurdles(NamedTuple):
    """`Gate`, as compiled code reads it; what depends on the trials worked out."""

    floor_days: int
    review_days: int
    seed_z: float
    full_z: float
    out_from: float
    cool_off_days: int
    alive: float
    alarm: float


def graduate(
    daily_return: Panel,
    trials: float,
    before: Standing,
    gate: Gate = AS_USUAL,
    volatility: Panel | None = None,
    *,
    signed: bool = False,
) -> tuple[Standing, tuple[str, ...]]:
    """Look at the days that `before` has not seen, one by one.

    daily_return  (D, B) of the shadows net of all costs, fraction of their reference capital, from the first day on
    trials        how many agents, or versions of them, were tried for these places
    volatility    (B,) annual, that drawdowns are measured in; None or 0 = as measured
    signed        True: promotions to seed and full wait for a person's signature (`moved`); demotions never wait
    ->            standing, and for each book why its stage changed last among these days ("" where it did not)
    """
    count = daily_return.shape[1]
    now = copied(before)._replace(rows=len(daily_return))
    unit = np.zeros(count) if volatility is None else np.asarray(volatility, np.float64)
    why = np.zeros(count, np.int64)
    walk(np.asarray(daily_return), before.rows, now, hurdles(gate, trials), unit, not signed, why, NOWHERE)
    return now, tuple(REASONS[code] for code in why.tolist())


def share(stage: str, gate: Gate = AS_USUAL) -> float:
    """Of what the allocator would give to an agent, what its stage lets it have.

    >>> share("paper"), share("seed"), share("full"), share("suspended")
    (0.0, 0.25, 1.0, 0.0)
    """
    return {"seed": gate.seed_share, "full": 1.0}.get(stage, 0.0)


def newcomers(books: int, stages: tuple[str, ...] = (), row: int = 0) -> Standing:
    """Everybody on the first day: in research unless it is said otherwise."""
    codes = [STAGES.index(stage) for stage in stages] or [RESEARCH] * books
    rows = np.full(books, row, np.int64)
    return Standing(
        row, np.array(codes, np.int64), rows, rows.copy(), np.ones(books), np.ones(books),
        np.zeros(books), np.zeros(books),
    )  # fmt: skip


def moved(standing: Standing, book: int, stage: str) -> Standing:
    """A person put a book into a stage. Up keeps its evidence; down, or the same, begins it again."""
    now = copied(standing)
    code = STAGES.index(stage)
    if code == SUSPENDED or code <= (PAPER if now.stage[book] == SUSPENDED else now.stage[book]):
        _put(now, book, code, standing.rows)
    else:
        now.stage[book], now.since[book], now.odds[book] = code, standing.rows, 0.0
    return now


def copied(standing: Standing) -> Standing:
    """The same, in arrays of its own."""
    rows, stage, since, clock, equity, peak, odds, noise = standing
    return Standing(
        rows, stage.copy(), since.copy(), clock.copy(), equity.copy(), peak.copy(), odds.copy(), noise.copy()
    )


def hurdles(gate: Gate, trials: float) -> Hurdles:
    """What z has to reach, with so many trials."""
    return Hurdles(
        gate.floor_days,
        gate.review_days,
        hurdle(trials, gate.psr, gate.seed_dsr),
        hurdle(trials, gate.psr, gate.full_dsr),
        gate.out_from,
        gate.cool_off_days,
        gate.alive / math.sqrt(DAYS_A_YEAR),
        gate.alarm,
    )


NOWHERE = np.empty((0, 0), np.int8)


@compiled
def walk(
    daily_return: Panel,
    first: int,
    now: Standing,
    gate: Hurdles,
    volatility: Panel,
    promotes: bool,
    why: Whole,
    stages: NDArray[np.int8],
) -> None:
    """Look at every day from row `first` on, and keep each day's stages where there is room for them (D, K)."""
    for row in range(first, daily_return.shape[0]):
        for b in range(daily_return.shape[1]):
            reason = look(daily_return[: row + 1, b], row, b, now, gate, volatility[b], promotes)
            if reason != STAYS:
                why[b] = reason
            if len(stages):
                stages[row, b] = now.stage[b]


@lean
def look(daily_return: Panel, row: int, b: int, now: Standing, gate: Hurdles, volatility: float, promotes: bool) -> int:
    """One book's day: what it earned, whether that moves it, and why.

    daily_return  (row + 1,) of this book
    """
    earned, reason = daily_return[row], STAYS
    if now.stage[b] == RESEARCH:
        if earned == 0.0:
            now.clock[b] = now.since[b] = row + 1
            return STAYS
        _put(now, b, PAPER, row)
        reason = TRADED
    now.equity[b] += earned
    now.peak[b] = max(now.peak[b], now.equity[b])
    days, held = row + 1 - now.clock[b], row + 1 - now.since[b]
    due = days % gate.review_days == 0
    sharpe, spread, noise = 0.0, 0.0, 0.0
    if days >= FEWEST_DAYS and (due or now.noise[b] == 0.0):
        sharpe, spread, noise = weigh(daily_return[now.clock[b] :])
        now.noise[b] = noise
    unit = volatility if volatility > 0.0 else now.noise[b] * math.sqrt(DAYS_A_YEAR)
    sunk = 1.0 - now.equity[b] / now.peak[b] >= gate.out_from * unit and unit > 0.0
    if now.stage[b] == SUSPENDED:
        if held >= gate.cool_off_days and not sunk:
            now.stage[b], now.since[b] = PAPER, row + 1
            return COOLED
        return STAYS
    if now.stage[b] >= SEED:
        if sunk:
            _put(now, b, SUSPENDED, row + 1)
            return SUNK
        if now.noise[b] > 0.0:
            now.odds[b] = max(0.0, now.odds[b] + gate.alive * (gate.alive / 2.0 - earned / now.noise[b]))
        if now.odds[b] >= gate.alarm:
            now.stage[b], now.since[b], now.clock[b], now.odds[b] = now.stage[b] - 1, row + 1, row + 1, 0.0
            return DECAYED  # its drawdown goes on
    if not (promotes and due and spread > 0.0 and not sunk):
        return reason
    z = score(sharpe, spread, days)
    if now.stage[b] == PAPER and days >= gate.floor_days and z >= gate.seed_z:
        now.stage[b], now.since[b], now.odds[b] = SEED, row + 1, 0.0
        return SEEDED
    if now.stage[b] == SEED and held >= gate.floor_days and days >= gate.floor_days and z >= gate.full_z:
        now.stage[b], now.since[b], now.odds[b] = FULL, row + 1, 0.0
        return FILLED
    return reason


@lean
def _put(now: Standing, b: int, stage: int, row: int) -> None:
    """A stage whose evidence begins at this row."""
    now.stage[b], now.since[b], now.clock[b] = stage, row, row
    now.equity[b], now.peak[b], now.odds[b] = 1.0, 1.0, 0.0
