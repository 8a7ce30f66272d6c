"""The treasury of a run: what it keeps of its reasons, and what the record, the page and the statement say of them."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podshop.nouns import DAY_NS, HOUR_NS, utc_ns
from podshop.run import accountant
from podshop.run.backtest import backtest
from podshop.run.config import Fund, GraduationSection, starter_fund
from podshop.run.treasurer import Treasurer

CAPITAL = 1_000_000_000
EASY = GraduationSection(kind="on", floor_days=1, review_days=1, psr=0.01, seed_dsr=0.01, full_dsr=0.01, trials=1)


def fund(**allocator: Any) -> Fund:
    usual = starter_fund()
    return replace(usual, allocator=replace(usual.allocator, **allocator))


def days(count: int, mean: float, seed: int = 1) -> np.ndarray:
    """Three books that earn about this much a day."""
    return mean + np.random.default_rng(seed).normal(0.0, 0.01, (count, 3))


def test_gains_beyond_the_mark_are_kept_back_and_said_so() -> None:
    treasurer = Treasurer(fund(kind="equal", compound="never"), CAPITAL)
    assert treasurer.share(0, days(0, 0.0), CAPITAL).tolist() == [1 / 3] * 3
    given = treasurer.share(DAY_NS, days(1, 0.0), 2 * CAPITAL)
    assert given.tolist() == [1 / 3 * 0.5] * 3
    assert treasurer.log[-1]["books"][0]["why"] == ["50.00 % of NAV is above the high-water mark and stays cash"]
    treasurer.paid(0, 2 * CAPITAL, asked=True)
    assert treasurer.share(2 * DAY_NS, days(2, 0.0), 2 * CAPITAL).tolist() == [1 / 3] * 3


@pytest.mark.parametrize(
    ("kind", "compound", "kept_back"),
    [("shrunk", "by_kind", True), ("equal", "by_kind", False), ("shrunk", "always", False), ("equal", "never", True)],
)
def test_who_compounds(kind: str, compound: str, kept_back: bool) -> None:
    treasurer = Treasurer(fund(kind=kind, compound=compound), CAPITAL)
    assert treasurer.share(0, days(0, 0.0), 2 * CAPITAL).sum() == pytest.approx(0.5 if kept_back else 1.0)


def test_a_person_signs_where_the_rule_does_not() -> None:
    gate = replace(EASY, signer="person", start="paper")
    treasurer = Treasurer(replace(fund(kind="equal"), graduation=gate), CAPITAL)
    good = days(60, 0.01)
    for day in range(61):
        assert treasurer.share(day * DAY_NS, good[:day], CAPITAL).sum() == 0.0
    treasurer.sign("trend_follower", "seed")
    assert treasurer.share(61 * DAY_NS, good, CAPITAL).tolist() == [0.25 / 3, 0.0, 0.0]
    assert treasurer.log[-1]["books"][0]["why"][0] == "paper to seed: a person signed"
    ruled = Treasurer(replace(fund(kind="equal"), graduation=replace(gate, signer="rule")), CAPITAL)
    for day in range(61):
        ruled.share(day * DAY_NS, good[:day], CAPITAL)
    assert ruled.stages == ("full",) * 3


def test_the_policy_goes_on_from_its_own_weights() -> None:
    """What stages and the mark leave of them is no evidence: on paper a book is not dismissed."""
    rules: dict[str, Any] = {"kind": "shrunk", "turnover": 0.02}
    free = Treasurer(fund(**rules, compound="always"), CAPITAL)
    bound = Treasurer(replace(fund(**rules), graduation=replace(EASY, start="full", signer="person")), CAPITAL)
    good = days(80, 0.003)
    for day in range(81):
        asked = free.share(day * DAY_NS, good[:day], CAPITAL)
        given = bound.share(day * DAY_NS, good[:day], 2 * CAPITAL)
        if bound.stages == ("full",) * 3:
            assert given.tolist() == pytest.approx((asked / 2).tolist())


def test_a_treasurer_that_was_kept_goes_on_as_it_would_have() -> None:
    """A brain that is started again takes it up: weights, stages and mark of the days before are in it."""
    gated = replace(fund(kind="shrunk"), graduation=replace(EASY, start="paper"))
    whole, good = Treasurer(gated, CAPITAL), days(80, 0.004)
    for day in range(50):
        whole.share(day * DAY_NS, good[:day], CAPITAL)
    kept = copy.deepcopy(whole)  # as a pickle makes it again
    for day in range(50, 81):
        given = [one.share(day * DAY_NS, good[:day], 2 * CAPITAL).tolist() for one in (whole, kept)]
        assert given[0] == given[1]
        assert whole.stages == kept.stages
    assert whole.log == kept.log
    assert sum(given[0]) > 0


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty days of the simulated exchange, with easy stages and no compounding."""
    out = tmp_path_factory.mktemp("staged")
    usual = replace(fund(kind="shrunk"), graduation=replace(EASY, start="seed", out_from=0.02, cool_off_days=2))
    until = utc_ns(datetime(2024, 3, 1, tzinfo=UTC))
    backtest(usual, None, until - 60 * DAY_NS, until, out, lambda *_: None)
    return out


def test_the_record_keeps_why_capital_moved(record: Path) -> None:
    lines = [json.loads(line) for line in (record / "capital.jsonl").read_text().splitlines()]
    result = json.loads((record / "result.json").read_text())
    stages = {}
    for line in lines:
        for row in line["books"]:
            assert row["stage_before"] == stages.get(row["book"], "seed")
            stages[row["book"]] = row["stage"]
    assert stages == result["treasury"]["stages"]
    assert len(result["treasury"]["steps"]) >= 1
    assert result["treasury"]["high_water_mark"] == 100_000.0
    page = (record / "report.html").read_text()
    assert "<h3>Stages</h3>" in page
    assert result["treasury"]["steps"][0]["why"] in page


def test_the_statement_shows_stages_reasons_and_the_limits_in_force(record: Path) -> None:
    read = accountant.read(record)
    step = next(line for line in read.allocations if any(row["stage"] != row["stage_before"] for row in line["books"]))
    row = next(row for row in step["books"] if row["stage"] != row["stage_before"])
    found = accountant.account(read, step["at_ns"], step["at_ns"] + DAY_NS)
    assert {one["book"]: one["stage"] for one in found["stages"]}[row["book"]] == row["stage"]
    moved = [one for one in found["moves"] if one["book"] == row["book"]]
    assert moved
    assert all(row["why"][0] in one["reason"] for one in moved)
    assert found["capital"]["agreed_micro"] == 100_000_000_000
    ruling = [one for one in read.rulings if one["at_ns"] < step["at_ns"] + DAY_NS][-1]
    assert found["office"]["version"] == ruling["version"]
    bound = {one["name"]: one["bound"] for one in found["limits"] if one["name"] != "max_cluster"}
    assert bound["max_var"] == ruling["max_var"]
    page = accountant.written(found, ".html")
    assert row["why"][0] in page
    assert "Set by" in page
    csv = accountant.written(found, ".csv")
    assert f"stage,{row['book']},,stage,{row['stage']},text" in csv


def test_a_changed_reason_is_found(record: Path, tmp_path: Path) -> None:
    read = accountant.read(record)
    day = read.allocations[-1]["at_ns"]
    before = accountant.account(read, day, day + DAY_NS)["signature"]["inputs_sha256"]
    last = {**read.allocations[-1], "nav_micro": 1}
    spoilt = replace(read, allocations=(*read.allocations[:-1], last))
    assert accountant.account(spoilt, day, day + DAY_NS)["signature"]["inputs_sha256"] != before


def test_limits_are_those_in_force_at_each_mark(record: Path) -> None:
    """A tighter ruling in the middle of a day: before it the old bound holds, after it the new."""
    read = accountant.read(record)
    noon = int(read.tables["nav"]["time"][0]) // DAY_NS * DAY_NS + 40 * DAY_NS + 12 * HOUR_NS
    first = {**read.rulings[0], "at_ns": 0, "max_gross": 0.5}
    tight = {**first, "at_ns": noon, "max_gross": 0.2, "by": {"max_gross": "somebody"}}
    told = accountant.account(replace(read, rulings=(first, tight)), noon - 12 * HOUR_NS, noon + 12 * HOUR_NS)
    gross = next(row for row in told["limits"] if row["name"] == "max_gross")
    nav = read.tables["nav"]
    day = (nav["time"] >= noon - 12 * HOUR_NS) & (nav["time"] <= noon + 12 * HOUR_NS)
    shares = nav["gross"][day] / np.where(nav["time"][day] > noon, 0.2, 0.5)
    assert (gross["bound"], gross["tightest"], gross["by"]) == (0.2, 0.2, "somebody")
    assert gross["share"] == pytest.approx(float(shares.max()))


def test_off_is_off() -> None:
    """No stages, and no mark but that of the policy."""
    treasurer = Treasurer(fund(kind="article", compound="by_kind"), CAPITAL)
    assert (treasurer.stages, treasurer.high_water_micro, treasurer.gate) == ((), None, None)
