"""The walk-forward: nobody looks ahead, what is stitched is what was run, and luck is told from choice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.nouns import DAY_NS, ConfigError
from podshop.report.stats import sharpe_interval
from podshop.research import realistic as asked
from podshop.research.allocation import blocks
from podshop.research.alone import Ran, Seen, alone, run_alone, run_fund
from podshop.research.realistic import EVIDENCE_DAYS, Fold, choose, compared, figures, folds, judged, luck, stitched
from podshop.research.realistic_page import page, tables
from podshop.run.backtest import backtest, facts_and_seats
from podshop.run.config import starter_fund
from podshop.run.world import read_world

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["b", "a", "c", "d"]
JANUARY, JULY = 19_723, 19_905  # 2024
SINCE, UNTIL = (JULY - 92) * DAY_NS, (JULY + 62) * DAY_NS


def quiet(done: int, total: int, text: str) -> None:
    """Progress that nobody watches."""


def small() -> Any:
    """A fund of two mandates that stands for the fifty."""
    fund = starter_fund()
    return replace(fund, name="fifty", mandates=fund.mandates[:2])


@pytest.fixture(scope="module")
def found() -> Any:
    """A hundred and fifty days of the simulated exchange, half of them the test."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asked, "fifty_fund", small)
        return asked.realistic(None, SINCE, UNTIL, quiet)


def made_up(seed: int, days: int = 400, candidates: int = 4) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(0.0002, 0.01, (days, candidates))


# ---------------------------------------------------------------- nobody looks ahead


def looks_ahead(chooser: Any, seed: int, first: int) -> bool:
    """Whether a choice at `first` changes when only later days change."""
    seen = made_up(seed)
    later = seen.copy()
    later[first:] = made_up(seed + 1)[first:] + 0.01 * np.arange(4)
    return bool(chooser(seen, NAMES, first) != chooser(later, NAMES, first))


@given(seed=st.integers(0, 10_000), first=st.integers(0, 399))
def test_what_comes_later_changes_no_choice(seed: int, first: int) -> None:
    assert not looks_ahead(choose, seed, first)


def test_a_chooser_that_peeks_is_caught() -> None:
    def peeks(seen: Any, names: Any, first: int) -> int:
        return choose(seen, names, first + 60)

    assert any(looks_ahead(peeks, seed, 200) for seed in range(20))


def ran(daily: Any, shadow: Any, midnights: Any) -> Ran:
    flat = np.zeros(len(daily))
    return Ran(
        day=midnights[:-1], daily=daily, gross=flat + 0.1, traded=flat + 1e-5, funding=flat, shadow=shadow,
        stopped=False, decisions_sha256="0" * 64,
    )  # fmt: skip


def judge(daily: Any, seen: Any, funds: Any) -> Any:
    """The judgement on made-up runs of four mandates and two funds, from January 2024 on."""
    midnights = (JANUARY + np.arange(len(daily) + 1)) * DAY_NS
    single = {name: ran(daily[:, c], seen[:, [c]], midnights) for c, name in enumerate(NAMES)}
    whole = {name: ran(funds[:, i], seen, midnights) for i, name in enumerate(("starter", "fifty"))}
    files = {"starter": starter_fund(), "fifty": small()}
    world = read_world(starter_fund(), None, SINCE, SINCE + DAY_NS)
    return judged(files, world, whole, single, seen, folds(midnights))


def test_the_whole_judgement_of_a_half_year_is_settled_when_it_ends() -> None:
    """Two cuts; everything after the second is changed: choice, evidence and returns of the first stay."""
    daily, seen, funds = made_up(1), made_up(2), made_up(3, candidates=2)
    before = judge(daily, seen, funds)
    cut = 366  # 2025-01-01
    changed = [panel.copy() for panel in (daily, seen, funds)]
    for panel in changed:
        panel[cut:] += np.linspace(-0.02, 0.02, panel.shape[1])
    after = judge(*changed)
    assert [fold["since"][:10] for fold in before.answer["folds"]] == ["2024-07-01", "2025-01-01"]
    assert before.answer["folds"][0] == after.answer["folds"][0]
    assert [f["chosen"] for f in before.answer["folds"]] == [f["chosen"] for f in after.answer["folds"]]
    held = cut - 182
    assert (before.daily["one"][:held] == after.daily["one"][:held]).all()
    assert not np.allclose(before.daily["one"][held:], after.daily["one"][held:])
    changed[1][100:140, 0] += 0.05  # what came before the first cut does decide
    assert judge(*changed).answer["folds"][0]["chosen"] == "b"


def test_before_any_evidence_the_first_by_name() -> None:
    seen = made_up(5)
    assert NAMES[choose(seen, NAMES, 0)] == NAMES[choose(seen, NAMES, 1)] == "a"
    assert NAMES[choose(np.zeros((50, 4)), NAMES, 50)] == "a"
    seen[:50, 2] = 0.0  # who never traded has no Sharpe ratio, and is no better than who lost
    seen[:50, [0, 1, 3]] -= 0.01
    assert NAMES[choose(seen, NAMES, 50)] != "c"


# ---------------------------------------------------------------- what is stitched is what was run


CUTS = [Fold(100, 200, 0), Fold(200, 300, 0), Fold(300, 400, 0)]


def test_stitched_returns_are_the_runs_own() -> None:
    daily, gross = made_up(7), np.full((400, 4), 0.2)
    held = stitched(daily, gross, np.array([[1, 1, 1], [2, 0, 0]]), CUTS, 0.001)
    assert (held[0] == daily[100:, 1]).all()
    assert (held[1, :100] == daily[100:200, 2]).all()
    assert (held[1, 101:] == daily[201:, 0]).all()


def test_a_change_of_strategy_is_paid_for() -> None:
    """Sold: all of the old, 0.3 of NAV; bought: all of the new, 0.1; at ten basis points."""
    daily, gross = made_up(8), np.tile([0.3, 0.1, 0.0, 0.0], (400, 1))
    (paid,) = stitched(daily, gross, np.array([[0, 1, 1]]), CUTS, 0.001)
    (free,) = stitched(daily, gross, np.array([[0, 1, 1]]), CUTS, 0.0)
    assert np.flatnonzero(paid != free).tolist() == [100]
    assert (1 + paid[100]) / (1 + free[100]) == pytest.approx(1 - 0.4 * 0.001, abs=1e-15)


def test_half_years_of_the_calendar_with_evidence_before_them() -> None:
    midnights = (JANUARY - 200 + np.arange(500)) * DAY_NS
    cuts = folds(midnights)
    assert [(cut.first, cut.last) for cut in cuts] == [(200, 382), (382, 499)]
    assert cuts[0].at_ns == JANUARY * DAY_NS
    assert folds(midnights[200 - EVIDENCE_DAYS :])[0].first == EVIDENCE_DAYS
    assert folds(midnights[201 - EVIDENCE_DAYS :])[0].at_ns == JULY * DAY_NS
    with pytest.raises(ConfigError, match="240 days hold no half-year to test on: expected 90 days before"):
        folds(midnights[: 200 + 41])
    with pytest.raises(ConfigError, match="0 days hold no half-year"):
        folds(midnights[:1])


def test_a_mandate_alone_says_what_it_said_in_the_fund(found: Any) -> None:
    """Its shadow neither knows the fund nor its neighbours, so the evidence may be read off the whole fund's run."""
    fund = starter_fund()
    world = read_world(fund, None, SINCE, UNTIL)
    facts, seats = facts_and_seats(fund, world.market, world.funding)
    times = world.decision_times()
    whole = run_fund(fund, world, facts, seats, times, quiet)
    for b in range(3):
        one = run_alone(fund, b, world, facts, times, quiet)
        assert (one.shadow[:-1, 0] == whole.shadow[:-1, b]).all()
        assert one.shadow[:-1].any()
        own = next(row for row in found.answer["mandates"] if row["name"] == f"starter/{fund.mandates[b].name}")
        assert own == {"name": own["name"]} | figures(one.daily[-len(found.day) :])
    assert whole.decisions_sha256 == found.answer["decisions_sha256"]["starter"]
    assert (whole.daily[-len(found.day) :] == found.daily["starter"]).all()


def test_a_shadow_that_was_seen_need_not_be_run_again() -> None:
    """Decisions, notes of what the cost gate held back among them, are those of a run that asks its signals itself."""
    usual = starter_fund()
    fund = replace(usual, mandates=tuple(replace(m, cost_factor=2.0, cost_budget=0.01) for m in usual.mandates))
    world = read_world(fund, None, SINCE, SINCE + 60 * DAY_NS)
    facts, seats = facts_and_seats(fund, world.market, world.funding)
    times, seen = world.decision_times(), Seen()
    run_fund(fund, world, facts, seats, times, quiet, seen)
    for b in range(3):
        follows, itself = (run_alone(fund, b, world, facts, times, quiet, one) for one in (seen, None))
        assert follows.decisions_sha256 == itself.decisions_sha256
        assert (follows.daily == itself.daily).all()
        assert (follows.shadow[:-1] == itself.shadow[:-1]).all()
    other = run_alone(fund, 0, world, facts, times, quiet, seen).decisions_sha256
    assert run_alone(fund, 1, world, facts, times, quiet, seen).decisions_sha256 != other


def test_the_funds_are_those_of_a_backtest(found: Any) -> None:
    run = backtest(starter_fund(), None, SINCE, UNTIL, None, quiet)
    assert run["decisions_sha256"] == found.answer["decisions_sha256"]["starter"]


def test_alone_means_the_same_capital_and_limits_and_nobody_else() -> None:
    fund = starter_fund()
    one = alone(fund, 1)
    assert [mandate.name for mandate in one.mandates] == ["mean_reverter"]
    assert [seat.name for seat in one.signals] == ["stretch"]
    assert one.allocator.kind == "equal"
    assert (one.capital_usd, one.limits, one.market, one.venue) == (
        fund.capital_usd, fund.limits, fund.market, fund.venue,
    )  # fmt: skip


# ---------------------------------------------------------------- figures, luck and what may be said


def test_figures_by_hand() -> None:
    daily = np.tile([0.1, -0.5, 0.25], 20)[:33]
    found = figures(daily)
    assert found["return"] == pytest.approx((1.1 * 0.5 * 1.25) ** 11 - 1)
    assert found["volatility"] == pytest.approx(daily.std(ddof=1) * 365**0.5)
    assert (found["sharpe_low"], found["sharpe_high"]) == sharpe_interval(daily)
    assert found["sharpe"] == pytest.approx((found["sharpe_low"] + found["sharpe_high"]) / 2)
    assert figures(np.array([0.1, -0.5, 0.25]))["drawdown"] == pytest.approx(0.5)
    assert figures(np.array([-0.1, 0.0]))["drawdown"] == pytest.approx(0.1)  # against the start, too
    assert figures(np.zeros(40))["sharpe"] is None


def test_better_is_said_only_of_what_the_interval_shows() -> None:
    base, drawn = made_up(9)[:, 0], blocks(400, 7)
    noise = made_up(10)[:, 0] - made_up(10)[:, 0].mean()
    assert compared(base + 0.003, base, drawn, claim=True)["better"] == "yes"
    assert compared(base - 0.003, base, drawn, claim=True)["better"] == "no"
    assert compared(base + 0.1 * noise, base, drawn, claim=True)["better"] == "not shown"
    assert compared(base + 0.003, base, drawn, claim=False)["better"] is None
    assert compared(np.zeros(400), base, drawn, claim=True)["better"] is None


def test_luck_is_a_lot_among_all_mandates() -> None:
    """Of two mandates, one of which gains every day what the other loses, half of the draws of one cut are each."""
    base = made_up(11)[:, 0] - made_up(11)[:, 0].mean()
    daily = np.stack([base + 0.001, base - 0.001], axis=1)
    paths = {"one": daily[100:200, 0], "starter": daily[100:200, 1] - 1e-4, "fifty": np.zeros(100)}
    drawn = luck(daily, np.zeros((400, 2)), CUTS[:1], 0.0, paths)
    assert drawn["below"]["one"] == pytest.approx(0.5, abs=0.03)
    assert drawn["below"]["starter"] == 0.0
    assert drawn["below"]["fifty"] is None
    assert drawn["low"] < drawn["high"]
    assert luck(np.zeros((400, 2)), np.zeros((400, 2)), CUTS, 0.0, paths)["middle"] is None


def test_a_simulated_run_says_so_and_claims_nothing(found: Any) -> None:
    answer = found.answer
    assert answer["simulated"] is True
    assert {pair["better"] for pair in answer["against"].values()} == {None}
    assert answer["trials"] == {"mandates": 5, "funds": 2, "comparisons": 6}
    assert (answer["period"]["since"][:10], answer["period"]["days"]) == ("2024-07-01", 62)
    assert answer["evidence"]["days"] == 92
    assert set(answer["evidence"]["with_it"]) == {"starter", "fifty"}
    for name in ("one", "starter", "fifty"):
        row = answer["paths"][name]
        assert row["return"] == pytest.approx(np.prod(1 + found.daily[name]) - 1)
    scaled = answer["paths"]["one_scaled"]
    assert scaled["volatility"] == pytest.approx(answer["paths"]["fifty"]["volatility"])
    assert scaled["sharpe"] == pytest.approx(answer["paths"]["one"]["sharpe"])
    assert answer["hindsight"]["sharpe"] >= max(
        row["sharpe"] for row in answer["mandates"] if row["sharpe"] is not None
    )


def test_the_page_stands_alone_and_says_what_it_is(found: Any) -> None:
    simulated = page(found)
    assert "SIMULATED, NOT PERFORMANCE" in simulated
    assert "No claim is made" in simulated
    real = page(replace(found, answer=found.answer | {"simulated": False}))
    assert "SIMULATED" not in real
    for text in (simulated, real):
        assert "<script" not in text
        assert "http" not in text
        assert "width=device-width" in text
        assert "HINDSIGHT" in text
        assert text.count("<figure>") == 2
    assert "| fifty agents | " in tables(found.answer)


@pytest.mark.soak
def test_the_page_of_the_docs_says_what_was_measured(shared_data: Path) -> None:
    """Real history: every row of docs/realistic.md."""
    measured = asked.realistic(shared_data, 18_993 * DAY_NS, 19_905 * DAY_NS, quiet)
    text = (ROOT / "docs" / "realistic.md").read_text(encoding="utf-8")
    for line in tables(measured.answer).splitlines():
        if line.startswith(("| ", "Luck", "The funds")):
            assert line in text
