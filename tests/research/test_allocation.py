"""Whether capital moved by evidence pays: the bootstrap, the comparison, and what docs/allocation.md says of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podshop.nouns import DAY_NS, ConfigError
from podshop.research import allocate as shares
from podshop.research.allocation import POLICIES, blocks, compare, difference, mean_return, sharpe
from podshop.run.config import load, starter_fund
from podshop.run.world import SIMULATED_SINCE_NS, World, read_world
from podshop.treasury import KINDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world() -> World:
    """A hundred days of the simulated exchange."""
    return read_world(starter_fund(), None, SIMULATED_SINCE_NS, SIMULATED_SINCE_NS + 100 * DAY_NS)


@pytest.fixture(scope="module")
def compared(world: World) -> dict[str, Any]:
    return compare(starter_fund(), world, lambda *_: None)


def quiet(done: int, total: int, text: str) -> None:
    """Progress that nobody watches."""


def test_blocks_are_runs_of_days_in_a_circle_of_the_length_asked_for() -> None:
    drawn = blocks(1000, 8, resamples=400)
    goes_on = np.diff(drawn, axis=1) % 1000 == 1
    assert drawn.min() == 0
    assert drawn.max() == 999
    assert 1 / (1 - goes_on.mean()) == pytest.approx(8, rel=0.03)
    assert np.bincount(drawn.ravel(), minlength=1000).std() < 0.2 * 400  # no day is special, least of all the ends
    assert (blocks(1000, 8, 2) == blocks(1000, 8, 2)).all()


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of 200 pairs with a true difference of half a volatility, 90 % intervals hold it about 180 times."""
    chance, drawn = np.random.default_rng(1), blocks(250, 2, resamples=500)
    held = 0
    for _ in range(200):
        common = chance.normal(size=250)
        first, second = common + chance.normal(0.5, 1, 250), common + chance.normal(0, 1, 250)
        found = difference(first, second, lambda daily: daily.mean(axis=-1), drawn)
        held += found["low"] <= 0.5 <= found["high"]  # type: ignore[operator]
    assert 165 <= held <= 195


def test_pairing_takes_away_what_both_suffered() -> None:
    """Two runs that differ little are told apart though both are wild; were days not paired they would not be."""
    chance = np.random.default_rng(2)
    wild = chance.normal(0, 0.02, 500)
    better = wild + 0.0005 + chance.normal(0, 0.001, 500)
    drawn = blocks(500, 8)
    found = difference(better, wild, mean_return, drawn)
    assert 0 < found["low"] < found["value"] == pytest.approx(0.0005 * 365, rel=0.3)  # type: ignore[operator]
    assert found["detectable"] < found["value"]  # type: ignore[operator]
    apart = mean_return(better[drawn]) - mean_return(wild[drawn[::-1]])
    assert np.quantile(apart, 0.05) < 0


def test_not_worse_is_said_of_what_includes_zero_and_not_of_what_is_below() -> None:
    chance = np.random.default_rng(3)
    base, drawn = chance.normal(0, 0.01, 300), blocks(300, 7)
    same = difference(base + chance.normal(0, 0.001, 300), base, sharpe, drawn)
    worse = difference(base - 0.002, base, sharpe, drawn)
    assert same["low"] < 0 < same["high"]  # type: ignore[operator]
    assert (same["not_worse"], worse["not_worse"]) == (True, False)
    flat = difference(np.zeros(300), base, sharpe, drawn)
    assert flat["value"] is flat["not_worse"] is None


def test_every_policy_is_run_with_its_own_trading(compared: dict[str, Any]) -> None:
    assert set(compared["policies"]) == set(POLICIES)
    assert set(compared["against_equal"]) == set(POLICIES) - {"equal"}
    assert compared["trials"] == len(POLICIES) == 6
    assert " of starter on simulated prices" in compared["trials_note"]
    assert compared["simulated"] is True
    runs = compared["policies"]
    assert runs["equal"]["moved_per_day"] == 0 < runs["shrunk"]["moved_per_day"] < runs["article"]["moved_per_day"]
    assert len({run["costs_usd"] for run in runs.values()}) >= 5  # the mark may not have been passed
    for kind, found in compared["against_equal"].items():
        assert found["sharpe"]["value"] == pytest.approx(runs[kind]["sharpe"] - runs["equal"]["sharpe"])
        assert found["sharpe"]["low"] <= found["sharpe"]["value"] <= found["sharpe"]["high"]


def test_a_month_cannot_tell_policies_apart(world: World) -> None:
    short = replace(world, until_ns=world.since_ns + 40 * DAY_NS)
    with pytest.raises(ConfigError, match="40 days cannot tell policies apart, expected 60 of each"):
        compare(starter_fund(), short, quiet, kinds=("article",))


def test_allocate_ends_where_the_loop_does(world: World, compared: dict[str, Any]) -> None:
    """The shares of every policy, replayed on the shadows alone, move as much a day as those of the whole fund did."""
    found = shares.allocate(starter_fund(), world, quiet)
    for kind in KINDS:
        run = compared["policies"]["shrunk, compounding" if kind == "shrunk" else kind]
        assert found["moved_per_day"][kind] == pytest.approx(run["moved_per_day"], abs=1e-15)
        weights = [book["weights"][kind] for book in found["books"]]
        assert sum(weights) + found["cash"][kind] == pytest.approx(1.0)
    trend = found["books"][0]
    assert trend["sharpe_low"] < trend["sharpe"] < trend["sharpe_high"]
    assert min(trend["sharpe"], 0.5) <= trend["posterior"] <= max(trend["sharpe"], 0.5)
    assert found["period"]["days"] == compared["period"]["days"] - 1 == 99


def test_before_thirty_days_allocate_says_so(world: World) -> None:
    found = shares.allocate(starter_fund(), replace(world, until_ns=world.since_ns + 20 * DAY_NS), quiet)
    for book in found["books"]:
        assert (book["sharpe"], book["sharpe_low"]) == (None, None)
        assert book["posterior"] == book["prior"]
        assert set(book["weights"].values()) == {1 / 3}
        assert book["bound"]["shrunk"] == book["bound"]["article"] == ["too few days"]


@pytest.mark.soak
@pytest.mark.parametrize("name", ["starter", "fifty"])
def test_the_page_says_what_was_measured(name: str, shared_data: Path) -> None:
    """Real history: every figure of docs/allocation.md, and that shrunk is not worse than equal."""
    fund = load(ROOT / "funds" / f"{name}.toml")
    since_ns, until_ns = 18_993 * DAY_NS, 19_905 * DAY_NS  # 2022-01-01, 2024-07-01
    found = compare(fund, read_world(fund, shared_data, since_ns, until_ns), quiet)
    assert found["against_equal"]["shrunk"]["sharpe"]["not_worse"]
    assert found["against_equal"]["shrunk"]["mean_return"]["not_worse"]
    page = (ROOT / "docs" / "allocation.md").read_text(encoding="utf-8")
    for line in rows(found):
        assert line in page


def rows(found: dict[str, Any]) -> list[str]:
    """The tables of the page."""
    lines = [
        f"| {kind} | {100 * run['return']:+.2f} % | {run['sharpe']:.2f} ({run['sharpe_low']:.2f} to "
        f"{run['sharpe_high']:.2f}) | {100 * run['max_drawdown']:.2f} % | {run['costs_usd']:,.0f} | "
        f"{100 * run['moved_per_day']:.2f} % | {100 * abs(run['cash']):.0f} % |"
        for kind, run in found["policies"].items()
    ]
    for kind, both in found["against_equal"].items():
        s, r = both["sharpe"], both["mean_return"]
        lines.append(
            f"| {kind} | {s['value']:+.2f} ({s['low']:.2f} to {s['high']:.2f}) | {s['detectable']:.2f} | "
            f"{100 * r['value']:+.2f} % ({100 * r['low']:.2f} to {100 * r['high']:.2f}) | "
            f"{100 * r['detectable']:.2f} % |"
        )
    return lines
