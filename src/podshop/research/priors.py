"""What forecasts of each family were worth before the test period: the `prior_slope` of a fund file.

    python -m podshop.research.priors DATA FILE

puts its tables into docs/cost-gate.md. Only bars before 2022-01-01 are read: what later years say is what the gate is
tested on. The rule that makes a prior of a slope is `prior`; it was written before any slope was seen.

Every shipped agent speaks as it does in a fund, with hysteresis; its forecasts are judged by the very record that the
cost gate keeps (`podshop.execution.evidence`), which here forgets nothing, so that its places are the periods. Markets
move together and opinions last, so intervals resample blocks of a month, all markets and agents of it at once.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from podshop.execution.evidence import new_record, slopes
from podshop.execution.voices import blended, new_mix
from podshop.feeds.parquet import read_market
from podshop.maths import log_return, rolling
from podshop.nouns import DAY_NS, Market, Panel, Whole, duration_ns, utc_ns
from podshop.research.cost_gate import put
from podshop.research.evidence import Estimate, mean_ratio
from podshop.run.config.sections import Confidence, MarketSection, SignalSeat
from podshop.run.opinions import seats
from podshop.signals import AGENTS
from podshop.signals.roster import ROSTER

UNTIL = datetime(2022, 1, 1, tzinfo=UTC)
OUTLOOKS = ("1h", "4h", "1d", "7d")
DECIDING = ("1d", "7d")  # of these the smaller
USUAL_SLOPE = 0.05  # standard deviation of true slopes that is believed; a slope that just pays its costs over a day
MONTH = 30 * DAY_NS
MICRO = 1e9  # price in whole numbers; only ratios of it are used


@dataclass(frozen=True, slots=True)
class Universe:
    """On what history some families are judged."""

    section: MarketSection
    since: datetime
    families: tuple[str, ...]


SPOT = Universe(
    MarketSection(
        venue="binance_spot",
        interval="1h",
        markets=("BTC", "ETH", "LTC", "ADA", "XRP", "XLM", "TRX", "LINK", "DOGE", "SOL", "DOT", "AVAX"),
    ),
    datetime(2018, 1, 1, tzinfo=UTC),
    ("momentum", "reversal", "onchain", "sentiment"),
)
PERP = Universe(
    MarketSection(
        venue="binance_perp",
        interval="1h",
        markets=("BTC", "ETH", "XRP", "LTC", "ADA"),
        funding=("binance_perp",),
    ),
    datetime(2019, 9, 9, tzinfo=UTC),
    ("funding",),
)


@dataclass(frozen=True, slots=True)
class Slope:
    """What forecasts were worth, over one outlook. `said` are the forecasts judged, each a market at an instant."""

    family: str
    speaker: str  # an agent's name; 'each agent' pooled; 'blend' of all with equal weights
    outlook: str
    found: Estimate
    said: int


def measure(root: Path, universes: Sequence[Universe] = (SPOT, PERP), until: datetime = UNTIL) -> list[Slope]:
    """Every agent, every family pooled, and every family's blend, over every outlook."""
    found = []
    for universe in universes:
        names = [name for name, agent in ROSTER.items() if agent.family in universe.families]
        columns = {column for name in names for column in ROSTER[name].reads}
        market, _, _ = read_market(root, universe.section, utc_ns(universe.since), utc_ns(until), columns)
        for family in universe.families:
            found += list(_family(market, family, [name for name in names if ROSTER[name].family == family]))
    return found


def prior(family: str, measured: Sequence[Slope]) -> float:
    """The slope to believe of a family before its forecasts were judged.

    Each pooled slope is shrunk toward 0 as if true slopes had a standard deviation of USUAL_SLOPE; of the deciding
    outlooks the one nearest to 0 is taken, cut to hundredths, and 0 where they differ in sign.
    """
    shrunk = []
    for one in measured:
        if (one.family, one.speaker) == (family, "each agent") and one.outlook in DECIDING:
            error = (one.found.high - one.found.low) / (2 * 1.645)
            shrunk.append(one.found.value * USUAL_SLOPE**2 / (USUAL_SLOPE**2 + error**2))
    if not shrunk or not np.isfinite(shrunk).all() or min(shrunk) * max(shrunk) <= 0:
        return 0.0
    return float(np.trunc(100 * min(shrunk, key=abs)) / 100) + 0.0  # no -0.0


def _family(market: Market, family: str, names: Sequence[str]) -> Iterator[Slope]:
    """What the agents of a family said, each and together."""
    roster = [SignalSeat(name=name, kind=_kind(name), agent=ROSTER[name], markets=market.names) for name in names]
    heard = np.full((len(names), len(market), len(market.names)), np.nan)
    for i, seat in enumerate(seats(market, roster, Confidence()).values()):
        rows, index = seat.voice(market.time)
        heard[i] = rows[index]
    together = blended(heard, np.ones(len(names)), market.time // DAY_NS, new_mix(len(names)), 2.5)
    for outlook in OUTLOOKS:
        judged = [worth(market, voice, outlook) for voice in heard]
        for name, periods in zip(names, judged, strict=True):
            yield _slope(family, name, outlook, periods)
        yield _slope(family, "each agent", outlook, np.sum(judged, axis=0))
        yield _slope(family, "blend", outlook, worth(market, together, outlook))


def worth(market: Market, said: Panel, outlook: str) -> Panel:
    """What the record holds of forecasts at every close.

    said  (T, M) at each close of the market's own bars; NaN = none
    ->    (P, 3) of each period of the outlook: sums of f y and f f, and count
    """
    outlook_ns = duration_ns(outlook)
    period = market.time // outlook_ns
    price, sigma = _references(market), _sigma(market)
    record = new_record(len(market.names), outlook_ns)
    record = record._replace(ring=np.zeros((int(period[-1] - period[0]) + 2, 3)))  # nothing is forgotten
    slopes(record, np.ascontiguousarray(said), period, price, sigma, outlook_ns / DAY_NS, 0.0, 1.0)
    return np.asarray(np.roll(record.ring, -int(period[0] % len(record.ring)), axis=0))


def _slope(family: str, speaker: str, outlook: str, periods: Panel) -> Slope:
    block = max(1, -(-MONTH // duration_ns(outlook)))
    return Slope(family, speaker, outlook, mean_ratio(periods[:, 0], periods[:, 1], block), int(periods[:, 2].sum()))


def _references(market: Market) -> Whole:
    """(T, M) what a decision at each close could have traded at: the open after it; 0 where there is none."""
    after = np.full(market.columns["open"].shape, np.nan)
    after[:-1] = market.columns["open"][1:]
    return np.asarray(np.rint(np.nan_to_num(after) * MICRO), dtype=np.int64)


def _sigma(market: Market) -> Panel:
    """(T, M) standard deviation of a day's return, half-life 10 days; unknown for the first 10 days."""
    hours = DAY_NS // market.interval_ns
    square = rolling.ewm(log_return(market.columns["close"]) ** 2, 10 * hours, 50 * hours, at_least=10 * hours)
    return np.ascontiguousarray(np.sqrt(np.where(square > 0, square, np.nan) * hours))


def _kind(name: str) -> str:
    return next(kind for kind, cls in AGENTS.items() if type(ROSTER[name]) is cls)


def tables(measured: Sequence[Slope]) -> str:
    """Markdown: the families with their priors, then every agent at the deciding outlooks."""
    lines = [
        f"| family | speaks | {' | '.join(OUTLOOKS)} | prior |",
        "|---|---|" + "---|" * (len(OUTLOOKS) + 1),
    ]
    at = {(one.speaker, one.family, one.outlook): one for one in measured}
    for family in dict.fromkeys(one.family for one in measured):
        for speaker in ("each agent", "blend"):
            cells = [_cell(at[speaker, family, outlook].found) for outlook in OUTLOOKS]
            last = f"{prior(family, measured):.2f}" if speaker == "each agent" else ""
            lines.append(f"| {family} | {speaker} | {' | '.join(cells)} | {last} |")
    lines += ["", f"| agent | family | {' | '.join(DECIDING)} | judged at 1d |", "|---|---|" + "---|" * 3]
    for name, agent in ROSTER.items():
        if (name, agent.family, DECIDING[0]) in at:
            one = [at[name, agent.family, outlook] for outlook in DECIDING]
            lines.append(f"| {name} | {agent.family} | {' | '.join(_cell(s.found) for s in one)} | {one[0].said:,} |")
    return "\n".join(lines) + "\n"


def _cell(found: Estimate) -> str:
    if not np.isfinite(found.value):
        return "nothing said"
    if not np.isfinite(found.low):
        return f"{found.value:.3f} (too few)"
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def main(root: Path, file: Path) -> None:
    """Measure and write."""
    put(file, "priors", tables(measure(root)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
