"""Scorecards: what a foreseer, a fool and a silent agent look like, and figures worked out by hand."""

import re
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from podshop.nouns import DAY_NS, HOUR_NS, Funding, Market, Panel
from podshop.report.scorecard import interval, scorecard_page, scorecard_text
from podshop.research.score import score
from podshop.run.calibrate import horizon_bars
from podshop.run.config import Fund, SignalSeat, fifty, fifty_fund, starter_fund
from podshop.run.heard import correlations
from podshop.run.world import read_world
from podshop.signals.roster import ROSTER

DAYS = 120
NAMES = ("BTC", "ETH", "XRP")
SINCE_NS = 19_358 * DAY_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """Says what a column says."""

    bar: str = "1h"
    recent_bars: int = 4
    column: str = "told"
    reads: ClassVar[tuple[str, ...]] = ("told",)
    family: ClassVar[str] = "sentiment"
    cross_sectional: ClassVar[bool] = False

    @property
    def lookback_bars(self) -> int:
        return 1

    def __call__(self, told: Panel) -> Panel:
        return told


def world(told: Panel, close: Panel) -> Market:
    time = SINCE_NS + np.arange(1, len(close) + 1) * HOUR_NS
    ones = np.ones(close.shape)
    bars = {"open": close, "high": close, "low": close, "close": close, "volume": ones, "told": told}
    return Market(NAMES[: close.shape[1]], HOUR_NS, time, {k: np.ascontiguousarray(v.T).T for k, v in bars.items()})


NO_FUNDING = Funding(*(np.zeros(0, np.int64),) * 2, np.zeros(0), np.zeros(0, np.int64), ("assumed",), {})


def card(
    told: Panel, close: Panel, funding: Funding = NO_FUNDING, *, calibrated: bool = False, horizon_bars: int = 4
) -> dict:
    base = starter_fund()
    names = NAMES[: close.shape[1]]
    agent = Says(recent_bars=horizon_bars)
    fund = replace(
        base,
        market=replace(base.market, markets=names),
        signals=(SignalSeat(name="says", kind="x:Says", agent=agent, markets=names, calibrated=calibrated),),
    )
    market = world(told, close)
    return score(fund, market, funding, SINCE_NS + 40 * DAY_NS, int(market.time[-1]), lambda *_: None)


def walk(markets: int = 3, seed: int = 5) -> Panel:
    return np.exp(np.random.default_rng(seed).standard_normal((DAYS * 24, markets)).cumsum(axis=0) * 0.005)


def foresight(close: Panel, bars: int) -> Panel:
    """What comes, as a conviction: the sign of the return of the next `bars` rows."""
    ahead = np.full(close.shape, np.nan)
    ahead[:-bars] = np.sign(close[bars:] / close[:-bars] - 1) * 0.8
    return ahead


def test_a_foreseer_is_always_right_and_its_opposite_never():
    close = walk()
    (right,) = card(foresight(close, 4), close)["agents"]
    (wrong,) = card(-foresight(close, 4), close)["agents"]
    assert (right["hit_rate"]["value"], wrong["hit_rate"]["value"]) == (1.0, 0.0)
    assert right["ic"]["value"] > 0.7
    assert right["ic"]["value"] == pytest.approx(-wrong["ic"]["value"])
    assert (right["pays"], wrong["pays"]) == ("yes", "no")
    assert right["horizon_bars"] == 4
    lags = {row["lag_bars"]: row["ic"] for row in right["decay"]}
    assert lags[0] > lags[1] > lags[2] > 0.2
    assert abs(lags[4]) < 0.1
    assert abs(lags[16]) < 0.1


def test_a_fool_is_neither():
    told = np.random.default_rng(1).uniform(-1, 1, (DAYS * 24, 3))
    (found,) = card(told, walk())["agents"]
    assert found["ic"]["low"] < 0 < found["ic"]["high"]
    assert found["hit_rate"]["low"] < 0.5 < found["hit_rate"]["high"]
    assert found["sharper"]["answer"] == "cannot tell"
    table = found["calibration"]
    assert sum(row["count"] for row in table) == found["hit_rate"]["count"]
    assert [row["from"] for row in table][1:] == [row["to"] for row in table][:-1]


def test_an_agent_that_is_right_when_sure_is_told_apart():
    close = walk()
    told = foresight(close, 4)
    guess = np.random.default_rng(2).random(told.shape) < 0.5
    told = np.where(guess, np.random.default_rng(3).choice([-0.5, 0.5], told.shape), told)  # 0.5: a coin is tossed
    (found,) = card(told, close)["agents"]
    assert found["sharper"]["answer"] == "yes"
    assert found["sharper"]["difference"] == pytest.approx(0.5, abs=0.06)


def test_an_agent_that_spoke_once_is_not_said_to_pay():
    """One day of foresight in eighty: a fine break-even, of one observation."""
    close = walk()
    told = np.full(close.shape, np.nan)
    told[70 * 24 : 70 * 24 + 10] = foresight(close, 4)[70 * 24 : 70 * 24 + 10]
    (found,) = card(told, close)["agents"]
    assert found["break_even_bps"]["value"] > 5.5
    assert np.isnan(found["break_even_bps"]["low"])
    assert found["pays"] == "unknown"


def test_what_pays_is_resampled_in_blocks_of_the_horizon():
    """Eighty days of a forecast over ten days are eight observations, however often its voice trades."""
    close = walk()
    told = foresight(close, 4)
    assert np.isfinite(card(told, close)["agents"][0]["break_even_bps"]["low"])
    (slow,) = card(told, close, horizon_bars=240)["agents"]
    assert slow["ic"]["rows"] < 20
    assert (slow["pays"], np.isnan(slow["break_even_bps"]["low"])) == ("unknown", True)


def test_break_even_by_hand():
    """Long half of the time at 0.8: 8 trades of 0.8, each way; the price rises 1 % in every bar held, else stands."""
    rows = DAYS * 24
    told = np.where((np.arange(rows) // 12) % 2 == 0, 0.8, 0.0)[:, None]
    growth = np.concatenate([[0.0], np.where(told[:-1, 0] > 0, 0.01, 0.0)])
    (found,) = card(told, np.exp(growth.cumsum())[:, None])["agents"]
    assert found["break_even_bps"]["value"] == pytest.approx(12 * 0.8 * 100 / (2 * 0.8), rel=0.01)
    assert found["turnover_per_day"] == pytest.approx(2 / 12 * 24, rel=0.01)
    assert found["open_share"] == pytest.approx(0.5, abs=0.01)


def test_funding_is_part_of_what_followed_only_where_it_was_recorded():
    close, told = np.ones((DAYS * 24, 1)), np.full((DAYS * 24, 1), 0.9)
    close = close * np.exp(1e-6 * np.random.default_rng(0).standard_normal(close.shape))
    at = SINCE_NS + np.arange(1, DAYS * 3) * 8 * HOUR_NS
    zeros = np.zeros(len(at), np.int64)
    recorded = Funding(at, zeros, np.full(len(at), 1e-4), zeros + 1, ("assumed", "venue"), {})
    assumed = replace(recorded, source=zeros)
    (paid,), (free,) = card(told, close, recorded)["agents"], card(told, close, assumed)["agents"]
    assert paid["gross_bps_per_day"] == pytest.approx(-3.0, abs=0.05)
    assert free["gross_bps_per_day"] == pytest.approx(0.0, abs=0.05)


def test_who_was_silent_when_and_why_is_said():
    close, told = walk(), np.full((DAYS * 24, 3), 0.5)
    told[:, 1] = np.nan
    told[60 * 24 :, 2] = np.nan
    close[:, 0] = np.where(np.arange(DAYS * 24) < 80 * 24, np.nan, close[:, 0])
    (found,) = card(told, close)["agents"]
    silent = {row["market"]: row for row in found["silent"]}
    assert set(silent) == {"ETH", "XRP"}, "BTC was not listed at first, which is not silence"
    assert (silent["ETH"]["first"], silent["ETH"]["why"]) == (None, "told is not known")
    assert silent["XRP"]["last"][:10] == "2023-03-02"
    assert silent["XRP"]["why"].startswith("told is known for")
    assert found["coverage"] == pytest.approx((40 + 20) / (40 + 80 + 80), abs=0.01)


def test_hit_probability_is_shown_where_it_was_asked_for():
    close = walk()
    told = foresight(close, 4)
    told[-4:] = 0.8
    (plain,) = card(told, close)["agents"]
    assert plain["calibrated"] is None
    (asked,) = card(told, close, calibrated=True)["agents"]
    assert [row["market"] for row in asked["calibrated"]] == list(NAMES)
    for row in asked["calibrated"]:
        assert row["hit_probability"] > 0.99
        assert row["low"] < row["hit_probability"]
        assert row["count"] == pytest.approx(80 * 6 * 3, abs=6)
    assert {k: v for k, v in asked.items() if k != "calibrated"}.keys() == plain.keys() - {"calibrated"}
    assert asked["ic"] == plain["ic"]


def test_nothing_after_the_period_is_looked_at():
    close = walk()
    told = foresight(close, 4)
    until = SINCE_NS + 100 * DAY_NS
    base = card(told, close)
    fund = replace(
        starter_fund(),
        market=replace(starter_fund().market, markets=NAMES),
        signals=(SignalSeat(name="says0", kind="x:Says", agent=Says(), markets=NAMES),),
    )

    def on(cut: Market) -> dict:
        return score(fund, cut, NO_FUNDING, SINCE_NS + 40 * DAY_NS, until, lambda *_: None)

    whole = world(told, close)
    assert on(whole)["agents"][0]["hit_rate"]["count"] < base["agents"][0]["hit_rate"]["count"]
    assert on(whole[: 100 * 24])["agents"][0]["opinions"] == on(whole)["agents"][0]["opinions"]
    assert on(whole[: 100 * 24])["agents"][0]["ic"] == on(whole)["agents"][0]["ic"]


def test_correlations_are_numpys_over_what_both_know():
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((2, 200))
    b += a
    gaps = np.where(rng.random(200) < 0.3, np.nan, b)
    found = correlations([a, gaps, np.full(200, np.nan)])
    both = ~np.isnan(gaps)
    assert found[0, 1] == pytest.approx(np.corrcoef(a[both], b[both])[0, 1])
    assert found[0, 0] == pytest.approx(1.0)
    assert np.isnan(found[2]).all()


def test_horizons_follow_from_the_agents_own_windows():
    days = {name: horizon_bars(agent) * {"1h": 1, "4h": 4, "1d": 24}[agent.bar] / 24 for name, agent in ROSTER.items()}
    assert (days["trend_day"], days["trend_week"], days["basis"], days["valuation"]) == (0.5, 3.5, 8 / 24, 30)
    assert all(1 / 24 <= length <= 30 for length in days.values())


def test_the_shipped_fund_is_the_one_in_the_repository(request):
    assert (request.config.rootpath / "funds" / "fifty.toml").read_text(encoding="utf-8") == fifty()
    assert len(fifty_fund().signals) == 25


@pytest.fixture(scope="module")
def result(shared_data) -> dict:
    """Two months of real history for the three signals of the starter fund."""
    fund: Fund = starter_fund()
    past = read_world(fund, shared_data, SINCE_NS, SINCE_NS + 60 * DAY_NS)
    judged = score(fund, past.market, past.funding, past.since_ns, past.until_ns, lambda *_: None)
    return judged | {"simulated": past.simulated}


def test_the_page_needs_nothing_else_and_names_every_agent(result):
    page = scorecard_page(result)
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#)|@import|url\(|<script", page)
    for agent in result["agents"]:
        assert page.count(f'id="{agent["name"]}"') == 1
    assert page.count("<rect") >= len(result["agents"]) ** 2
    assert "gross of costs" in page
    assert "2023-01-01 to 2023-03-02" in page
    assert "SIMULATED" not in page
    assert "SIMULATED DATA" in scorecard_page(result | {"simulated": True})


def test_the_words_have_a_line_for_every_agent(result):
    text = scorecard_text(result)
    assert all(any(line.startswith(agent["name"]) for line in text.splitlines()) for agent in result["agents"])
    assert "gross, 3 trials" in text
    assert interval({"value": 0.5, "low": float("nan"), "high": float("nan")}) == "0.500 (too few)"


def test_the_simulated_exchange_knows_only_bars_and_funding():
    past = read_world(fifty_fund(), None, SINCE_NS, SINCE_NS + 3 * DAY_NS)
    assert past.simulated
    assert np.isnan(past.market.columns["onchain_TxCnt"]).all()
    assert np.isfinite(past.market.columns["funding_per_hour"]).any()
