"""What every book wishes to hold: what its shadow holds, at its own capital, and how much of it in this cycle."""

import math

import numpy as np

from podshop.execution.pace import next_lots
from podshop.maths.compiled import lean, stage
from podshop.nouns import Int, Whole
from podshop.nouns.verdict import BOOK_GROSS, TWAP
from podshop.run import rows
from podshop.run.state import OPPORTUNITY, Facts, Fund, Rows, Shadows, Terms, Work


@stage
def wish(fund: Fund, work: Work, terms: Terms, facts: Facts, shadows: Shadows, out: Rows, k: Int) -> None:
    """Each book wishes what its shadow wishes, at its own capital; anew at its cadence, on a stop or a ladder step."""
    for b in range(shadows.target.shape[0]):
        if shadows.fires[k, b] or fund.refresh[b]:
            factor = fund.capital[b] * fund.throttle[b] * fund.fund_throttle[0] / terms.reference_micro
            if shadows.notes.until[k + 1] > shadows.notes.until[k]:
                _note(fund, terms, facts, shadows, out, k, b, factor)
            gross = 0.0
            for m in range(fund.lots.shape[0]):
                lots = np.int64(shadows.target[b, m, k] * factor)
                work.fresh[m] = lots
                gross += np.float64(abs(lots) * facts.mark[k, m])
            if gross > terms.book_gross * fund.capital[b]:
                _limit_book(fund, work.fresh, terms, facts, out, k, b, gross)
            at_once = fund.refresh[b]
            for m in range(fund.lots.shape[0]):
                if work.fresh[m] != fund.wished[m, b]:
                    _change(
                        fund.wished, fund.raw, fund.lots, fund.decision, fund.costs, work.fresh[m], facts.mark[k, m],
                        out.wishes, out.used, fund.seq, k, m, b,
                    )  # fmt: skip
                if at_once:
                    hurry(fund.wished, fund.lots, fund.side, fund.age, terms.urgency[b], m, b)
            fund.refresh[b] = False
        if shadows.urgent[k, b]:
            for m in range(fund.lots.shape[0]):
                if shadows.target[b, m, k] == 0:
                    if fund.wished[m, b] != 0:
                        _change(
                            fund.wished, fund.raw, fund.lots, fund.decision, fund.costs, np.int64(0),
                            facts.mark[k, m], out.wishes, out.used, fund.seq, k, m, b,
                        )  # fmt: skip
                    hurry(fund.wished, fund.lots, fund.side, fund.age, terms.urgency[b], m, b)
    for i in range(terms.patient.shape[0]):
        b = terms.patient[i]
        _pace(
            fund.wished, fund.raw, fund.lots, fund.side, fund.age, terms.urgency[b], terms.style[b] == TWAP, b
        )  # fmt: skip


@stage
def _limit_book(fund: Fund, fresh: Whole, terms: Terms, facts: Facts, out: Rows, k: Int, b: Int, gross: float) -> None:
    """Cut a book's wishes into its own gross limit, in place."""
    most = terms.book_gross * fund.capital[b]
    measured = gross / fund.capital[b] if fund.capital[b] > 0 else math.inf
    for m in range(fresh.shape[0]):
        lots = fresh[m]
        cut = np.int64(lots * (most / gross))
        if cut != lots:
            fresh[m] = cut
            rows.verdict(
                out.verdicts, out.verdicts_real, out.used, fund.seq, facts.time[k] // terms.interval_ns, m, b,
                np.int64(BOOK_GROSS), lots, cut, np.int64(0), np.int64(0), fund.limits.version[0], measured,
                terms.book_gross,
            )  # fmt: skip


@stage
def _note(fund: Fund, terms: Terms, facts: Facts, shadows: Shadows, out: Rows, k: Int, b: Int, factor: float) -> None:
    """Say in a row what the book's shadow held back, scaled as its wishes are."""
    for i in range(shadows.notes.until[k], shadows.notes.until[k + 1]):
        note = shadows.notes.whole[i]
        if note[0] == b:
            rows.verdict(
                out.verdicts, out.verdicts_real, out.used, fund.seq, facts.time[k] // terms.interval_ns, note[1], b,
                note[2], np.int64(note[3] * factor), np.int64(note[4] * factor), np.int64(0), np.int64(0),
                fund.limits.version[0], shadows.notes.real[i, 0], shadows.notes.real[i, 1],
            )  # fmt: skip


@lean
def _change(
    wished: Whole, raw: Whole, lots: Whole, decision: Whole, costs: Whole, new: np.int64, mark: np.int64,
    to: Whole, count: Whole, seq: Whole, k: Int, m: Int, b: Int,
) -> None:  # fmt: skip
    """Replace a wish: what the old one left open has cost its opportunity, and the new one is decided at this mark."""
    missed = wished[m, b] - lots[m, b]
    if missed != 0:
        costs[m, b, OPPORTUNITY] += missed * (mark - decision[m, b])
    decision[m, b] = mark
    wished[m, b] = new
    raw[m, b] = new
    rows.wish(to, count, seq, k, m, b, new)


@lean
def hurry(wished: Whole, lots: Whole, side: Whole, age: Whole, urgency: Int, m: Int, b: Int) -> None:
    """What is compelled is taken at once: its want counts as having stood open for all of its time."""
    want = wished[m, b] - lots[m, b]
    side[m, b] = np.int64(want > 0) - np.int64(want < 0)
    age[m, b] = urgency


@lean
def _pace(
    wished: Whole, raw: Whole, lots: Whole, side: Whole, age: Whole, urgency: np.int64, sliced: bool, b: Int
) -> None:
    """How long a patient book's wants have stood open, and how much of them is for this cycle."""
    for m in range(wished.shape[0]):
        want = wished[m, b] - lots[m, b]
        now = np.int64(want > 0) - np.int64(want < 0)
        age[m, b] = age[m, b] + 1 if now == side[m, b] and now != 0 else np.int64(0)
        side[m, b] = now
        raw[m, b] = next_lots(lots[m, b], wished[m, b], age[m, b], urgency) if sliced else wished[m, b]


@lean
def close_wishes(wished: Whole, lots: Whole, decision: Whole, costs: Whole, mark: Whole) -> None:
    """At the end every wish is over: what it left open has cost its opportunity."""
    for m in range(wished.shape[0]):
        for b in range(wished.shape[1]):
            missed = wished[m, b] - lots[m, b]
            if missed != 0:
                costs[m, b, OPPORTUNITY] += missed * (mark[m] - decision[m, b])
                decision[m, b] = mark[m]
