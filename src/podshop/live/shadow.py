"""A live day through the backtest: where did the fund decide otherwise than it should have, and why?

The backtest runs from the fund's first decision to the end of the day, over the very bars that the brain was fed. Its
verdicts are held against those of the journal, cycle by cycle; of the first that differs the cause is looked for in
the order in which a decision is made: was anybody asked, were the books the same, did an agent have no vote, and if
all of that is so, what the gate said.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from podshop.journal.facts import read
from podshop.journal.store import reading, rows
from podshop.ledger.facts import Verdict
from podshop.ledger.live import Asked, Opening
from podshop.live.brain.again import Nobody
from podshop.live.brain.feed import Feed, joined
from podshop.live.brain.process import Told, history
from podshop.live.brain.snapshots import Decided, Fed, Snapshots, unfed
from podshop.live.frames import decoded
from podshop.live.messages import Opened
from podshop.nouns import DAY_NS, DataError, duration_ns, utc_text
from podshop.nouns.verdict import CODE_NAMES, NET, VERDICTS
from podshop.run.backtest import facts_and_seats
from podshop.run.config.sections import Fund as FundFile
from podshop.run.loop import Run

Said = Mapping[str, tuple[str, str, int, int]]  # market -> verdict, code, wanted, allowed


class Shadowed(NamedTuple):
    """What came of it.

    cycles  decisions of the day that were compared; differ how many of them were not the same
    first   the first of those: cycle, time, market, what live and the backtest ruled, and the cause in words
    """

    cycles: int
    differ: int
    first: Mapping[str, Any] | None


def shadow(file: FundFile, told: Told, bars: Path, journal: Path, day_ns: int) -> Shadowed:
    """Hold a day's decisions against the backtest's.

    day_ns  00:00 of the day
    Raises DataError where nothing of the day was kept.
    """
    kept = list(Snapshots(bars).read(0, day_ns + 2 * DAY_NS))
    decided = {row.at_ns: row for row in kept if isinstance(row, Decided)}
    if not any(day_ns <= at_ns < day_ns + DAY_NS for at_ns in decided):
        raise DataError(f"nothing was decided on {utc_text(day_ns)[:10]}")
    interval_ns = duration_ns(file.market.interval)
    first_ns = min(decided)
    ideal = _backtest(file, told, [row for row in kept if isinstance(row, Fed)], first_ns, day_ns + DAY_NS)
    live, refused = _journalled(journal)
    differ, first, cycles = 0, None, 0
    for at_ns in range(max(day_ns, first_ns), day_ns + DAY_NS, interval_ns):
        cycle = at_ns // interval_ns
        if cycle > ideal.last:
            break
        cycles += 1
        if live.get(cycle, {}) == ideal.verdicts.get(cycle, {}):
            continue
        differ += 1
        if first is None:
            first = _difference(file, cycle, at_ns, live.get(cycle, {}), ideal, decided, refused)
    return Shadowed(cycles, differ, first)


class _Ideal(NamedTuple):
    """A backtest: verdicts by cycle, and lots of (market, book) before each cycle at which they change."""

    verdicts: Mapping[int, Said]
    fills: Mapping[int, list[tuple[int, int, int]]]
    last: int


class _Ears:
    """A sink that keeps verdicts on net orders, and fills."""

    def __init__(self, file: FundFile) -> None:
        self._markets, self._net = file.market.markets, len(file.mandates) + 1
        self.verdicts: dict[int, dict[str, tuple[str, str, int, int]]] = defaultdict(dict)
        self.fills: dict[int, list[tuple[int, int, int]]] = defaultdict(list)

    def write(self, table: str, columns: Any, /) -> None:
        """Keep what is compared."""
        if table == "verdicts":
            names = ("cycle", "market", "book", "verdict", "code", "wanted_lots", "allowed_lots")
            for cycle, m, book, verdict, code, wanted, allowed in zip(
                *(columns[n].tolist() for n in names), strict=True
            ):
                if book == self._net:
                    said = VERDICTS[verdict], CODE_NAMES[code], wanted, allowed
                    self.verdicts[cycle][self._markets[m]] = said
        elif table == "fills":
            four = ("cycle", "market", "book", "lots")
            for cycle, m, book, lots in zip(*(columns[n].tolist() for n in four), strict=True):
                self.fills[cycle].append((m, book, lots))


def _backtest(file: FundFile, told: Told, fed: list[Fed], first_ns: int, until_ns: int) -> _Ideal:
    """The same fund over the bars that were fed; in live a maker's want is taken at once, so here too."""
    interval_ns = duration_ns(file.market.interval)
    mandates = tuple(replace(m, style="taker") if m.style == "maker" else m for m in file.mandates)
    taking = replace(file, mandates=mandates)
    by_time = {row.at_ns: row for row in fed}
    market, paid = asyncio.run(history(file, told, Feed(file, Nobody(), interval_ns, None), by_time, first_ns))
    more: list[Fed] = []
    while (row := by_time.get(first_ns + interval_ns * (len(more) + 1))) is not None:
        more.append(row)
    if more:
        market, paid = joined((market, paid), unfed(more))
    times = market.time[(market.time >= first_ns) & (market.time <= until_ns)]
    if len(times) < 2:
        raise DataError(f"no bar was kept after {utc_text(first_ns)}")
    facts, seats = facts_and_seats(taking, market, paid)
    ears = _Ears(taking)
    Run(taking, facts, seats, ears).run(times, lambda *_: None)
    return _Ideal(ears.verdicts, ears.fills, int(times[-2]) // interval_ns)


def _journalled(journal: Path) -> tuple[dict[int, dict[str, tuple[str, str, int, int]]], dict[int, str]]:
    """Verdicts of every cycle, and of those whose message was refused, why; "" = nobody was asked."""
    verdicts: dict[int, dict[str, tuple[str, str, int, int]]] = defaultdict(dict)
    refused: dict[int, str] = {}
    cycle = -1
    with reading(journal) as db:
        for row in rows(db):
            fact = read(row.kind, row.v, row.body)
            if isinstance(fact, Opening):
                cycle = fact.cycle
                refused[cycle] = "the brain did not answer"
            elif isinstance(fact, Asked):
                refused[fact.cycle] = fact.refused
            elif isinstance(fact, Verdict) and fact.book == NET:
                verdicts[cycle][fact.market] = fact.verdict, fact.code, fact.wanted_lots, fact.allowed_lots
    return verdicts, refused


def _difference(
    file: FundFile, cycle: int, at_ns: int, live: Said, ideal: _Ideal, decided: Mapping[int, Decided],
    refused: Mapping[int, str],
) -> dict[str, Any]:  # fmt: skip
    """The first market that differs, and why."""
    want = ideal.verdicts.get(cycle, {})
    market = next(name for name in file.market.markets if live.get(name) != want.get(name))
    return {
        "cycle": cycle,
        "time": utc_text(at_ns),
        "market": market,
        "live": live.get(market),
        "backtest": want.get(market),
        "cause": _cause(file, cycle, at_ns, live.get(market), want.get(market), ideal, decided, refused),
    }


def _cause(
    file: FundFile, cycle: int, at_ns: int, live: Any, want: Any, ideal: _Ideal, decided: Mapping[int, Decided],
    refused: Mapping[int, str],
) -> str:  # fmt: skip
    """In words."""
    row = decided.get(at_ns)
    if cycle not in refused:
        return "the cycle was skipped: no gateway opened it"
    if row is None:
        return f"the brain decided nothing: {refused[cycle] or 'its answer was not kept'}"
    if refused[cycle]:
        return f"its message was refused: {refused[cycle]}"
    if row.silent:
        return f"no vote of {', '.join(row.silent)}"
    interval_ns = duration_ns(file.market.interval)
    for each in sorted(at for at in decided if at <= at_ns):
        books = _books_differ(file, decoded(decided[each].opened, Opened), each // interval_ns, ideal)
        if books:
            return f"the books were others from cycle {each // interval_ns} on: {books}; fills before that differ"
    if live is None or want is None:
        return "another order was wished: its voices or its capital were others"
    if live[2] != want[2]:
        return f"another order was wished, {live[2]:+,} lots instead of {want[2]:+,}: its voices or capital were others"
    return f"the gate: live {live[1]}, allowed {live[3]:+,}; backtest {want[1]}, allowed {want[3]:+,}"


def _books_differ(file: FundFile, opened: Opened, cycle: int, ideal: _Ideal) -> str:
    """The first book and market whose lots are not the backtest's; empty = none."""
    lots = np.zeros((len(file.market.markets), len(file.mandates) + 1), np.int64)
    for of_cycle, fills in ideal.fills.items():
        if of_cycle < cycle:
            for m, book, change in fills:
                lots[m, book] += change
    for m, b in np.argwhere(lots != np.array(opened.lots))[:1]:
        name = file.mandates[b].name if b < len(file.mandates) else "the house"
        return f"{name} held {opened.lots[m][b]:+,} lots of {file.market.markets[m]}, the backtest {lots[m, b]:+,}"
    return ""
