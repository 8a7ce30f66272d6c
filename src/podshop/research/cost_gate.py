"""How often the cost gate lets pure noise trade, and how often it shuts out a true edge: agents of known truth.

    python -m podshop.research.cost_gate FILE

puts the table of rates into docs/cost-gate.md, the same each time. A forecast is a voice of ten markets that are alike,
as those of one mandate are; what follows it is its true slope times the forecast, and fat-tailed noise that the markets
share as coins do. The gate reads the record as `podshop.execution.evidence` keeps it, sample for sample (a test holds
one against the other), for three years that begin knowing nothing. Costs are those of a fund file's defaults; funding,
which one side pays and the other gets, is left out.

Beside it the rule that is not built: a record of own trades only. It may trade for 90 days whatever it knows, since it
would never start otherwise, and from then on learns only while its gate is open.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator, default_rng

from podshop.execution.voices import voices
from podshop.maths import confidence
from podshop.maths.compiled import compiled
from podshop.nouns import DataError, Flags, Panel
from podshop.run.config.sections import Confidence, EvidenceSection, VenueSection

YEARS = 3
RUNS = 1000
SEED = 20
MARKETS = 10
ALIKE = 0.5  # correlation of markets, of what is said of them and of what they do
LASTS = 0.8  # correlation of an opinion with the one an outlook before
TAILS = 4.0  # degrees of freedom of what follows
SIGMA_DAY = 0.04
USUAL = 0.8  # abs conviction of a forecast at which the gate is asked
ORDER_SHARE = 1e-5  # of a market's daily volume
FACTOR = 2.0  # opens at this many times the cost, as in funds/fifty.toml; closes below the cost
TRUTHS = (0.0, 1.0, 2.0, 4.0)  # true slope, in those that just pay the cost
PRIORS = (0.0, 0.05)  # nothing known; momentum's
TRIED_DAYS = 90  # how long the rule of own trades may trade on nothing
CHUNK = 100  # runs made at a time


class Horizon(NamedTuple):
    """How far ahead a mandate looks."""

    name: str
    outlook_days: float

    @property
    def a_year(self) -> int:
        """Samples in a year, which is what the record remembers."""
        return int(365 // self.outlook_days)


HORIZONS = (Horizon("scalping, 4h", 1 / 6), Horizon("intraday, 1d", 1.0), Horizon("swing, 7d", 7.0))


class Past(NamedTuple):
    """What the markets of each sample add up to, (R, T) each.

    noise   sum of f e: what was said, times the noise that followed
    square  sum of f f
    said    count of forecasts that were not 0
    """

    noise: Panel
    square: Panel
    said: Panel


@dataclass(frozen=True, slots=True)
class Rate:
    """One row of the table. Shares are of time (`open`, by year) or of runs (`shut`, `shut_own`).

    needed    slope that just pays the cost at the usual conviction
    open      by prior, by year: share of samples at which the gate is open
    shut      by prior: share of runs in which it is shut for more than a year on end
    open_own  by year; shut_own: the same under the rule of own trades
    """

    horizon: str
    style: str
    truth: float
    needed: float
    open: tuple[tuple[float, ...], ...]
    shut: tuple[float, ...]
    open_own: tuple[float, ...]
    shut_own: float


def rates(runs: int = RUNS, horizons: Sequence[Horizon] = HORIZONS, seed: int = SEED) -> Iterator[Rate]:
    """Every horizon, way of trading and truth."""
    observations = EvidenceSection().prior_observations
    for horizon in horizons:
        past = simulate(horizon, runs, default_rng(seed))
        tried = int(TRIED_DAYS / horizon.outlook_days)
        for style in ("taker", "maker"):
            needed = slope_needed(horizon, style)
            for truth in TRUTHS:
                asked = (past, truth * needed, needed, horizon.a_year)
                every = [opened(*asked, prior, observations, -1) for prior in PRIORS]
                own = opened(*asked, 0.0, observations, tried)
                yield Rate(
                    horizon.name,
                    style,
                    truth,
                    needed,
                    tuple(by_year(one) for one in every),
                    tuple(long_shut(one, horizon.a_year) for one in every),
                    by_year(own),
                    long_shut(own, horizon.a_year),
                )


def slope_needed(horizon: Horizon, style: str) -> float:
    """What a full conviction must be worth, in deviations of the outlook, for the usual one to pay a round trip."""
    venue = VenueSection()
    impact_bps = 1e4 * venue.impact * SIGMA_DAY * math.sqrt(ORDER_SHARE)
    fee_bps, impact_bps = (venue.taker_fee_bps, impact_bps) if style == "taker" else (venue.maker_fee_bps, 0.0)
    cost = 2e-4 * (venue.half_spread_bps + fee_bps + impact_bps)
    return cost / (USUAL * SIGMA_DAY * math.sqrt(horizon.outlook_days))


def simulate(horizon: Horizon, runs: int, chance: Generator) -> Past:
    """Forecasts and the noise that follows them, which know nothing of one another."""
    samples = YEARS * horizon.a_year
    parts = [_some(samples, min(CHUNK, runs - at), chance) for at in range(0, runs, CHUNK)]
    return Past(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _some(samples: int, runs: int, chance: Generator) -> tuple[Panel, Panel, Panel]:
    score = _alike(samples, runs, chance)
    for t in range(1, samples):
        score[t] = LASTS * score[t - 1] + math.sqrt(1 - LASTS**2) * score[t]
    conviction = np.ascontiguousarray(confidence(score.reshape(samples, runs * MARKETS)))
    rule = Confidence()
    said = voices(conviction, np.zeros(runs * MARKETS, np.int64), rule.open, rule.close).reshape(score.shape)
    wild = np.sqrt((TAILS - 2) / chance.chisquare(TAILS, (samples, runs, 1)))  # one for all markets, variance 1
    followed = _alike(samples, runs, chance) * wild
    parts = (said * followed, said * said, said != 0)
    noise, square, spoke = (np.ascontiguousarray(part.sum(axis=2, dtype=np.float64).T) for part in parts)
    return noise, square, spoke


def _alike(samples: int, runs: int, chance: Generator) -> Panel:
    """(T, R, M) standard normal, markets correlated."""
    common = chance.standard_normal((samples, runs, 1))
    own = chance.standard_normal((samples, runs, MARKETS))
    return np.asarray(math.sqrt(ALIKE) * common + math.sqrt(1 - ALIKE) * own)


def opened(
    past: Past, truth: float, needed: float, remembered: int, prior: float, observations: float, tried: int
) -> Flags:
    """(R, T) whether the gate is open at each sample, for a forecast of the usual conviction.

    remembered  samples that the record holds
    tried       -1: the record is of all forecasts; else of own trades, the first so many samples of which are free
    """
    return _opened(*past, truth, needed, FACTOR * needed, remembered, prior, observations, tried)


@compiled
def _opened(
    noise: Panel,
    square: Panel,
    said: Panel,
    truth: float,
    stays: float,
    opens: float,
    remembered: int,
    prior: float,
    observations: float,
    tried: int,
) -> Flags:
    runs, samples = noise.shape
    out = np.zeros((runs, samples), np.bool_)
    for r in range(runs):
        fy, ff, n = 0.0, 0.0, 0.0
        for t in range(samples):
            for sign, at in ((1.0, t - 2), (-1.0, t - remembered - 1)):  # judged now, and forgotten now
                if at >= 0 and (tried < 0 or out[r, at]):
                    fy += sign * (truth * square[r, at] + noise[r, at])
                    ff += sign * square[r, at]
                    n += sign * said[r, at]
            weight = observations * (ff / n if n > 0.0 else 1.0)
            slope = (fy + weight * prior) / (ff + weight)
            out[r, t] = slope >= (stays if t > 0 and out[r, t - 1] else opens) or t < tried
    return out


def by_year(is_open: Flags) -> tuple[float, ...]:
    """Share of time the gate is open, in each year."""
    return tuple(float(year.mean()) for year in np.array_split(is_open, YEARS, axis=1))


def long_shut(is_open: Flags, a_year: int) -> float:
    """Share of runs in which the gate is shut for more than a year on end."""
    samples = np.arange(is_open.shape[1])
    last_open = np.maximum.accumulate(np.where(is_open, samples, -1), axis=1)
    return float(((samples - last_open).max(axis=1) > a_year).mean())


def table(found: Sequence[Rate]) -> str:
    """Markdown."""
    priors = " | ".join(f"open, prior {prior:g}" for prior in PRIORS)
    shut = " | ".join(f"shut > 1 year, prior {prior:g}" for prior in PRIORS)
    lines = [
        f"| mandate | slope that pays | true / that | {priors} | {shut} | own trades: open | own: shut > 1 year |",
        "|---|---|" + "---|" * (1 + 2 * len(PRIORS) + 2),
    ]
    for one in found:
        cells = [
            f"{one.horizon}, {one.style}",
            f"{one.needed:.3f}",
            f"{one.truth:g}",
            *(_years(years) for years in one.open),
            *(f"{100 * share:.0f} %" for share in one.shut),
            _years(one.open_own),
            f"{100 * one.shut_own:.0f} %",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _years(shares: Sequence[float]) -> str:
    return ", ".join(f"{100 * share:.0f}" for share in shares) + " %"


def put(file: Path, name: str, tables: str) -> None:
    """Replace what stands in a page between `<!-- name -->` and `<!-- end of name -->`."""
    before, found, rest = file.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    _, ended, after = rest.partition(f"<!-- end of {name} -->")
    if not (found and ended):
        raise DataError(f"{file} has no place for {name}: a line `<!-- {name} -->` and a line `<!-- end of {name} -->`")
    file.write_text(f"{before}{found}{tables}{ended}{after}", encoding="utf-8")


def main(file: Path) -> None:
    """Simulate and write."""
    put(file, "rates", table(list(rates())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
