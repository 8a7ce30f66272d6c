"""How well graduation tells skill from luck: agents whose true Sharpe ratio is known, walked through the gate.

    python -m podshop.research.graduation FILE

puts its tables into FILE, docs/graduation.md. Days are net returns with fat tails (Student's t of 4 degrees) that hang
together a little (autocorrelation 0.1), at 20 % volatility a year; what is called the true Sharpe ratio counts the
deviation in the long run, so 1 is 1 over many years. Beside the gate stands the plain rule: whoever earned something
in the last 90 days gets its capital, asked every 30 days.
"""

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from podshop.nouns import Panel
from podshop.research.cost_gate import put
from podshop.treasury.graduation import FULL, SEED, STAGES, Gate, hurdles, newcomers, share, walk

SKILLS = (-1.0, 0.0, 0.5, 1.0, 2.0)  # annual Sharpe ratios
FUND = {-1.0: 4, 0.0: 8, 0.5: 4, 1.0: 3, 2.0: 1}  # how many of twenty agents have which
DAYS, YEAR = 1095, 365
LOOKS = (90, 180, 365, 730, 1095)
VOLATILITY, TAIL, HANGS, COMMON = 0.2, 4.0, 0.1, 0.2
TRIALS = 20.0

Stages = NDArray[np.int8]


class Rates(NamedTuple):
    """Shares of K agents of one skill, by day; standard error of each: `error`.

    passed   had ever got capital by then
    holds    holds any on that day
    full     had ever got all of it
    """

    passed: list[float]
    holds: list[float]
    full: list[float]


def days_of(sharpe: Panel | float, days: int, agents: int, seed: int, common: float = 0.0) -> Panel:
    """(days, agents) daily returns of this true annual Sharpe ratio, time contiguous.

    common  correlation with one another
    """
    chance = np.random.default_rng(seed)
    warm = 20
    luck = chance.standard_t(TAIL, (agents, warm + days)) / math.sqrt(TAIL / (TAIL - 2))
    if common > 0.0:
        shared = chance.standard_t(TAIL, (1, warm + days)) / math.sqrt(TAIL / (TAIL - 2))
        luck = math.sqrt(common) * shared + math.sqrt(1 - common) * luck
    for day in range(1, warm + days):
        luck[:, day] += HANGS * luck[:, day - 1]
    luck *= 1 - HANGS  # deviation 1 in the long run
    skill = np.broadcast_to(np.asarray(sharpe, np.float64), (agents,))[:, None]
    made: Panel = (VOLATILITY * (skill / YEAR + luck[:, warm:] / math.sqrt(YEAR))).T
    return made


def stages_of(daily: Panel, gate: Gate, trials: float, start: str = "paper") -> Stages:
    """(D, K) stage of every agent after each day."""
    count = daily.shape[1]
    kept, why = np.zeros(daily.shape, np.int8), np.zeros(count, np.int64)
    unit = np.full(count, VOLATILITY)
    walk(daily, 0, newcomers(count, (start,) * count), hurdles(gate, trials), unit, True, why, kept)
    return kept


def plain(daily: Panel, window: int = 90, every: int = 30) -> NDArray[np.bool_]:
    """(D, K) who holds capital under the plain rule."""
    total = np.cumsum(daily, axis=0)
    holds = np.zeros(daily.shape, np.bool_)
    for day in range(window - 1, len(daily)):
        if (day + 1) % every == 0 or day == window - 1:
            earned = total[day] - (total[day - window] if day >= window else 0.0)
            now = earned > 0.0
        holds[day] = now
    return holds


def rates(stages: Stages, looks: tuple[int, ...] = LOOKS) -> Rates:
    """How many had passed by each of these days."""
    capital = (stages == SEED) | (stages == FULL)
    passed, full = np.logical_or.accumulate(capital), np.logical_or.accumulate(stages == FULL)
    at = [look - 1 for look in looks]
    return Rates(*([float(one[row].mean()) for row in at] for one in (passed, capital, full)))


def plain_rates(daily: Panel, looks: tuple[int, ...] = LOOKS) -> Rates:
    """The same of the plain rule, which gives all or nothing."""
    holds = plain(daily)
    passed = np.logical_or.accumulate(holds)
    at = [look - 1 for look in looks]
    return Rates(*([float(one[row].mean()) for row in at] for one in (passed, holds, passed)))


def error(part: float, count: int) -> float:
    """Standard error of a share of so many."""
    return math.sqrt(part * (1 - part) / count)


def passing(agents: int, seed: int = 1) -> list[str]:
    """Share of agents that had ever got capital, by days on paper: the gate's, then the plain rule's."""
    lines = [
        "| true Sharpe | rule | " + " | ".join(f"{look} days" for look in LOOKS) + " | holds it then | ever full |",
        "|---|---|" + "---|" * (len(LOOKS) + 2),
    ]
    for k, skill in enumerate(SKILLS):
        daily = days_of(skill, DAYS, agents, seed + k)
        for name, found in (("graduation", rates(stages_of(daily, Gate(), TRIALS))), ("plain", plain_rates(daily))):
            cells = " | ".join(percent(cell, agents) for cell in (*found.passed, found.holds[-1], found.full[-1]))
            lines.append(f"| {skill:g} | {name} | {cells} |")
    return lines


def waiting(agents: int, seed: int = 1) -> list[str]:
    """When those who passed did, and how many never did in three years."""
    head = "| true Sharpe | a quarter has capital after | half | three quarters | never in 3 years |"
    lines = [head, "|---|" + "---|" * 4]
    for k, skill in enumerate(SKILLS):
        kept = stages_of(days_of(skill, DAYS, agents, seed + k), Gate(), TRIALS)
        capital = (kept == SEED) | (kept == FULL)
        first = np.sort(np.where(capital.any(axis=0), capital.argmax(axis=0) + 1, DAYS + 1))
        times = " | ".join(in_days(int(first[int(part * agents)])) for part in (0.25, 0.5, 0.75))
        lines.append(f"| {skill:g} | {times} | {percent(1 - float(capital.any(axis=0).mean()), agents)} |")
    return lines


def settings(agents: int, seed: int = 1) -> list[str]:
    """What the gate would be without its parts: noise and true 1 that ever got capital in three years."""
    usual = Gate()
    cases = [
        ("as it is, 20 trials", usual, TRIALS),
        ("100 trials", usual, 100.0),
        ("trials ignored", usual, 1.0),
        ("no floor", replace(usual, floor_days=0), TRIALS),
        ("seed at a deflated ratio of 0.8", replace(usual, seed_dsr=0.8), TRIALS),
    ]
    lines = ["| gate | noise: 90 days | 3 years | true 1: 90 days | 3 years | ever full |", "|---|" + "---|" * 5]
    noise, skilled = (days_of(skill, DAYS, agents, seed + k) for skill, k in ((0.0, 1), (1.0, 3)))
    for name, gate, trials in cases:
        lucky, good = (rates(stages_of(daily, gate, trials)) for daily in (noise, skilled))
        cells = [lucky.passed[0], lucky.passed[-1], good.passed[0], good.passed[-1], good.full[-1]]
        lines.append(f"| {name} | " + " | ".join(percent(cell, agents) for cell in cells) + " |")
    return lines


def alarms(agents: int, seed: int = 50) -> list[str]:
    """Agents at seed, of whom nothing else is known: how many each rule demotes within a year and within three."""
    rules = "drawdown: 1 year | 3 years | decay: 1 year | 3 years | either: 1 year | 3 years"
    lines = [f"| true Sharpe | {rules} | half are out after |", "|---|" + "---|" * 7]
    held = replace(Gate(), full_dsr=1 - 1e-12)  # nobody leaves upwards
    cases = (replace(held, alarm=math.inf), replace(held, out_from=math.inf), held)
    for k, skill in enumerate(SKILLS):
        daily = days_of(skill, DAYS, agents, seed + k)
        cells = []
        for gate in cases:
            kept = stages_of(daily, gate, TRIALS, start="seed")
            out = np.logical_or.accumulate(kept != SEED)
            cells += [float(out[YEAR - 1].mean()), float(out[-1].mean())]
        half = in_days(int(np.sort(np.where(out[-1], out.argmax(axis=0) + 1, DAYS + 1))[agents // 2]))
        lines.append(f"| {skill:g} | " + " | ".join(percent(cell, agents) for cell in cells) + f" | {half} |")
    return lines


def funds(count: int, seed: int = 90) -> list[str]:
    """Funds of twenty agents of mixed skill, equal weights, over three years: what each rule makes of them."""
    skill = np.repeat(list(FUND), list(FUND.values()))
    agents = len(skill)
    made: dict[str, list[tuple[float, ...]]] = {"all get capital": [], "plain rule": [], "graduation": []}
    shares = np.array([share(stage) for stage in STAGES])
    for k in range(count):
        daily = days_of(skill, DAYS, agents, seed + k, COMMON)
        on = {
            "all get capital": np.ones(daily.shape),
            "plain rule": plain(daily).astype(np.float64),
            "graduation": shares[stages_of(daily, Gate(), float(agents))],
        }
        for name, part in on.items():
            held = np.vstack([np.zeros((1, agents)), part[:-1]]) if name != "all get capital" else part
            earned = (held * daily).sum(axis=1) / agents
            invested = held.mean()
            bad = held[:, skill <= 0.0].sum() / held.sum() if invested > 0 else 0.0
            ratio = earned.mean() / earned.std() * math.sqrt(YEAR) if invested > 0 else 0.0
            made[name].append((ratio, 100 * earned.mean() * YEAR, 100 * invested, 100 * bad))
    head = "| who gets capital | Sharpe | return a year | invested | of it with agents of 0 or less |"
    lines = [head, "|---|" + "---|" * 4]
    for name, rows in made.items():
        mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / math.sqrt(count)
        units = ("", " %", " %", " %")
        cells = [f"{m:.2f} ± {s:.2f}{u}" for m, s, u in zip(mean, spread, units, strict=True)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def percent(part: float, count: int) -> str:
    """A share and its standard error."""
    return f"{100 * part:.1f} ± {100 * error(part, count):.1f} %"


def in_days(day: int) -> str:
    """When, if it was seen at all."""
    return f"{day} days" if day <= DAYS else "more than 3 years"


def main(file: Path, agents: int = 1_000, count: int = 100) -> None:
    """Measure, and put the tables into the page."""
    for name, lines in {
        "passing": passing(agents),
        "waiting": waiting(agents),
        "settings": settings(agents),
        "alarms": alarms(agents),
        "funds": funds(count),
    }.items():
        put(file, name, "\n".join([*lines, ""]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
