"""Who may hold capital, in a fund whose promotions are signed: evidence from its record, signatures from a file.

The evidence is the shadows' equity in the record's books table. The signatures are facts of a small journal of their
own (`journal.store`: append-only, hash-chained). The stage of a book follows from both and from nothing else: days and
signatures in their order, demotions by rule on the day they are due, promotions when a person signs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from podshop.journal.facts import read
from podshop.journal.record import RESULT
from podshop.journal.store import Journal, reading, rows
from podshop.ledger.facts import HOUSE, Staged, Start
from podshop.nouns import DAY_NS, ConfigError, DataError, Panel, Times, duration_ns, utc_text
from podshop.run.config.sections import Fund
from podshop.treasury.graduated import fingerprint
from podshop.treasury.graduation import Gate, Standing, graduate, moved, newcomers
from podshop.treasury.proof import days_needed, hurdle, proof, weighed

NEXT = {"paper": "seed", "seed": "full"}
STEPS = {"research": 0, "suspended": 0, "paper": 1, "seed": 2, "full": 3}


class Line(NamedTuple):
    """One book at the gate.

    days        in its stage; evidence_days  that count
    sharpe, error  annual, net; psr, dsr  probabilities; None where there is too little to say
    next        the stage that evidence may lead to; needed_days  of evidence for it if the record goes on as it is,
                None where it never would; missing_days  what of these and of the floor is still to come
    ready       whether it passed at its last review, so that a person may sign
    changed     it is no longer what was signed for: no capital until somebody demotes it to paper
    why         its stage last changed, where a rule did it
    """

    book: str
    stage: str
    days: int
    evidence_days: int
    sharpe: float | None
    error: float | None
    psr: float | None
    dsr: float | None
    next: str | None
    needed_days: int | None
    missing_days: int | None
    ready: bool
    changed: bool
    why: str


@dataclass(frozen=True)
class Signatures:
    """A fund's books between their evidence and the signatures.

    ends_ns  (D,) midnights that end the days; daily  (D, B) returns of the shadows, net, of reference capital
    signed   (at_ns, fact) in the order written
    prints   book -> fingerprint of today's mandate
    """

    books: tuple[str, ...]
    ends_ns: Times
    daily: Panel
    volatility: Panel
    signed: tuple[tuple[int, Staged], ...]
    prints: Mapping[str, str]
    trials: float
    gate: Gate = Gate()  # noqa: RUF009  it is frozen

    def until(self, row: int) -> tuple[Standing, dict[str, str]]:
        """Where everybody stood after so many days and what was signed by then; why rules moved them last."""
        now, why = newcomers(len(self.books)), dict.fromkeys(self.books, "")
        whole = row == len(self.daily)
        for at_ns, fact in self.signed:
            end = int(np.searchsorted(self.ends_ns, at_ns, side="right"))
            if end > row or (end == row and not whole):
                break
            now = self._seen(now, end, why)
            now = moved(now, self.books.index(fact.book), fact.stage)
            why[fact.book] = ""
        return self._seen(now, row, why), why

    @cached_property
    def now(self) -> tuple[Standing, dict[str, str]]:
        """Where everybody stands."""
        return self.until(len(self.daily))

    def lines(self) -> list[Line]:
        """One for each book."""
        return [self.line(book) for book in self.books]

    def line(self, book: str) -> Line:
        """What is known of a book. Raises ConfigError where there is none of this name."""
        if book not in self.books:
            raise ConfigError(f"there is no book {book!r}, expected one of {', '.join(self.books)}")
        standing, why = self.now
        b = self.books.index(book)
        changed = self._changed(book)
        stage = "paper" if changed else standing.stages[b]
        clock = len(self.daily) if changed else int(standing.clock[b])
        days = self.daily[clock:, b]
        found, aim = proof(days, self.trials), NEXT.get(stage)
        held = len(self.daily) - int(standing.since[b])
        needed = missing = None
        if aim and found.z is not None:
            asked = self.gate.seed_dsr if aim == "seed" else self.gate.full_dsr
            needed = days_needed(weighed(days), hurdle(self.trials, self.gate.psr, asked))
            floor = self.gate.floor_days - (len(days) if aim == "seed" else held)
            missing = None if needed is None else max(0, floor, needed - len(days))
        return Line(
            book, stage, held, len(days), found.sharpe, found.error, found.psr, found.dsr, aim, needed, missing,
            not changed and self._ready(b), changed, why[book],
        )  # fmt: skip

    def _ready(self, b: int) -> bool:
        """Whether the rules alone would have raised it at its last review."""
        standing = self.now[0]
        days = len(self.daily) - int(standing.clock[b])
        row = int(standing.clock[b]) + days // self.gate.review_days * self.gate.review_days
        if row == standing.clock[b] or standing.stages[b] not in NEXT:
            return False
        then, _ = graduate(self.daily[:row], self.trials, self.until(row - 1)[0], self.gate, self.volatility)
        return then.stages[b] == NEXT[standing.stages[b]]

    def _changed(self, book: str) -> bool:
        """Whether the last signature was for another mandate."""
        prints = [fact.fingerprint for _, fact in self.signed if fact.book == book]
        return bool(prints) and bool(prints[-1]) and prints[-1] != self.prints[book]

    def _seen(self, now: Standing, row: int, why: dict[str, str]) -> Standing:
        if row <= now.rows:
            return now
        now, said = graduate(self.daily[:row], self.trials, now, self.gate, self.volatility, signed=True)
        why.update({book: reason for book, reason in zip(self.books, said, strict=True) if reason})
        return now


def signatures(record: Path, fund: Fund, file: Path, trials: float | None = None) -> Signatures:
    """Read a record, the fund file it was made with, and what was signed (nothing where there is no file yet).

    Raises DataError where the record is unfinished or of another fund file, LedgerError where the file is no journal.
    """
    path = record / RESULT
    if not path.is_file():
        raise DataError(f"{record}: no {RESULT}, so this is no record or an unfinished one")
    if json.loads(path.read_text(encoding="utf-8")).get("config_sha256") != fund.sha256:
        raise DataError(f"{record}: made with another fund file than {fund.name}: what it proves is of other mandates")
    books = tuple(mandate.name for mandate in fund.mandates)
    ends_ns, daily = shadow_returns(record, books)
    return Signatures(
        books,
        ends_ns,
        daily,
        np.array([mandate.volatility_target for mandate in fund.mandates]),
        tuple(_signed(file, books)),
        fingerprints(fund),
        len(books) if trials is None else trials,
    )


def shadow_returns(record: Path, books: tuple[str, ...]) -> tuple[Times, Panel]:
    """(D,) midnights and (D, B) what each shadow made of the day before, fraction of its reference capital."""
    table = (
        pl.scan_parquet(record / "books.parquet")
        .select(pl.col("time").cast(pl.Int64), pl.col("book").cast(pl.String), "shadow_equity_micro")
        .filter(pl.col("book") != HOUSE)
        .collect()
        .pivot("book", index="time", values="shadow_equity_micro", aggregate_function="last")
        .sort("time")
    )
    missing = [book for book in books if book not in table.columns]
    if missing or not len(table):
        raise DataError(f"{record}: books.parquet knows nothing of {', '.join(missing or books)}")
    equity = table.select(books).to_numpy().astype(np.float64)
    reference, time = equity[0].copy(), table["time"].to_numpy()  # a shadow begins with its reference capital
    midnight = time % DAY_NS == 0
    worth = equity[midnight]
    return time[midnight][1:], np.asarray((worth[1:] - worth[:-1]) / reference)


def fingerprints(fund: Fund) -> dict[str, str]:
    """Book -> what its agent decides by."""
    heard = {seat.name: {"agent": seat.agent, "markets": seat.markets} for seat in fund.signals}
    return {mandate.name: fingerprint(mandate, heard) for mandate in fund.mandates}


def sign(file: Path, fund: Fund, found: Signatures, at_ns: int, book: str, stage: str | None, by: str, reason: str,
         *, up: bool) -> Staged:  # fmt: skip
    """Put a book into a stage, and write who did it and why; the file is made where there is none.

    stage  None = one step
    up     a promotion, which needs the evidence; down needs only the reason

    Raises ConfigError where the evidence does not allow it, where it is not the next step, or where no reason is given.
    """
    line = found.line(book)
    if not reason.strip():
        raise ConfigError(f"{book}: a signature needs a reason")
    if up and (line.changed or not line.ready or stage not in (None, line.next)):
        raise ConfigError(f"{book} is at {line.stage} and may not be promoted: {what_lacks(line)}")
    to = stage or (line.next if up else {"full": "seed", "seed": "paper"}.get(line.stage, "suspended"))
    if to not in STEPS or to == "research":
        raise ConfigError(f"{book}: there is no stage {to!r} to sign for, expected paper, seed, full or suspended")
    begins_anew = to == "suspended" or (line.changed and to == "paper")
    if not up and not begins_anew and STEPS[to] >= STEPS[line.stage]:
        raise ConfigError(f"{book} is at {line.stage}: {to} is no demotion")
    told = Staged(book, to, found.prints[book], by, reason.strip(), evidence(line))
    fresh = not file.exists()
    with Journal(file, create=fresh) as journal:
        start = Start(fund.name, duration_ns(fund.market.interval), (), (), found.books, "the gate's signatures")
        journal.append([*([(at_ns, start)] if fresh else []), (at_ns, told)])
    return told


def what_lacks(line: Line) -> str:
    """What would promote it, in words."""
    if line.changed:
        return "it is not what was signed for; demote it to paper, and its evidence begins anew"
    if line.next is None:
        return {"full": "it has all it can get", "research": "its shadow has not traded yet"}.get(
            line.stage, "it is suspended, and goes to paper when it has cooled off"
        )
    if line.ready:
        return f"ready for {line.next}: a person may sign"
    if line.sharpe is None:
        return f"{line.evidence_days} days of evidence, too few to say anything"
    if line.needed_days is None:
        return "it has earned nothing: no length of such a record would do"
    if line.missing_days:
        return f"{line.missing_days} more days like those so far, for {line.next}"
    return f"nothing but its next review, for {line.next}"


def evidence(line: Line) -> str:
    """What a signer was shown."""
    if line.sharpe is None:
        return f"{line.evidence_days} days"
    return (
        f"{line.evidence_days} days, Sharpe {line.sharpe:.2f} +- {line.error:.2f}, PSR {line.psr:.3f}, "
        f"DSR {line.dsr:.3f}, {line.needed_days} days needed"
    )


def told(found: Signatures) -> dict[str, Any]:
    """What `podshop gate list --json` prints."""
    return {
        "at": utc_text(int(found.ends_ns[-1])) if len(found.ends_ns) else None,
        "trials": found.trials,
        "books": [line._asdict() | {"promotes": what_lacks(line)} for line in found.lines()],
        "signed": [{"at": utc_text(at_ns)} | fact._asdict() for at_ns, fact in found.signed],
    }


def _signed(file: Path, books: tuple[str, ...]) -> list[tuple[int, Staged]]:
    if not file.exists():
        return []
    with reading(file) as db:
        facts = [(row.at_ns, read(row.kind, row.v, row.body)) for row in rows(db)]
    return [(at, fact) for at, fact in facts if isinstance(fact, Staged) and fact.book in books]
