"""What a run heard is what was said, kept while it was said: nobody is asked twice."""

from datetime import UTC, datetime

import numpy as np
import pytest

from podshop.execution.voices import voices
from podshop.nouns import DAY_NS, HOUR_NS, utc_ns
from podshop.run import heard as module
from podshop.run.backtest import backtest
from podshop.run.config import starter_fund
from podshop.run.heard import correlations, listen_in, signals
from podshop.run.opinions import Seat, seats
from podshop.run.world import read_world

SINCE_NS = utc_ns(datetime(2023, 6, 1, tzinfo=UTC))
DAYS = 70


@pytest.fixture(scope="module")
def past(shared_data):
    return read_world(starter_fund(), shared_data, SINCE_NS, SINCE_NS + DAYS * DAY_NS)


def test_figures_are_those_of_what_was_said(past):
    fund = starter_fund()
    roster = seats(past.market, fund.signals, fund.confidence)
    heard = listen_in(fund.signals, roster)
    times = past.market.time[past.market.time >= SINCE_NS][:-1]
    for part in np.array_split(times, 7):
        for seat in roster.values():
            seat.voice(part)
    result = signals(heard, past.market.names, int(times[0]), int(times[-1]))
    fresh = seats(past.market, fund.signals, fund.confidence)
    grid, samples = np.isin(times, np.arange(0, times[-1] + 1, 3 * HOUR_NS)), []
    for seat, card in zip(fund.signals, result["agents"], strict=True):
        first = int(np.searchsorted(fresh[seat.name].market.time, times[0]))
        said = fresh[seat.name].convictions(first, first + len(times))
        voice = voices(np.ascontiguousarray(said), np.zeros(said.shape[1], np.int64), 0.65, 0.35)
        assert card["coverage"] == pytest.approx(np.isfinite(said).mean())
        assert card["mean_conviction"] == pytest.approx(np.nanmean(np.abs(said)))
        assert card["open_share"] == pytest.approx((np.nan_to_num(voice) != 0).sum() / np.isfinite(voice).sum())
        samples.append(said[grid].ravel())
    assert (result["samples"], result["step_hours"]) == (DAYS * 8, 3)
    np.testing.assert_allclose(result["correlations"], correlations(samples), atol=1e-4)


def test_a_long_run_keeps_few_samples(past, monkeypatch):
    monkeypatch.setattr(module, "SAMPLES", 100)
    fund = starter_fund()
    roster = seats(past.market, fund.signals, fund.confidence)
    heard = listen_in(fund.signals, roster)
    times = past.market.time[past.market.time >= SINCE_NS][:-1]
    for part in np.array_split(times, 7):
        for seat in roster.values():
            seat.voice(part)
    result = signals(heard, past.market.names, int(times[0]), int(times[-1]))
    assert (result["samples"], result["step_hours"]) == (70, 24)
    assert np.isfinite(result["correlations"]).all()


def test_a_backtest_asks_no_agent_twice(shared_data, tmp_path, monkeypatch):
    asked = []
    honest = Seat._convictions

    def counted(self, from_ns, until_ns):
        asked.append((self.name, len(self.market), from_ns))
        return honest(self, from_ns, until_ns)

    monkeypatch.setattr(Seat, "_convictions", counted)
    fund = starter_fund()
    result = backtest(fund, shared_data, SINCE_NS, SINCE_NS + DAYS * DAY_NS, tmp_path, lambda *_: None)
    assert len(asked) == len(set(asked)) > 0
    page = (tmp_path / "report.html").read_text()
    assert "Who agrees with whom" in page
    for card in result["signals"]["agents"]:
        assert f"<tr><th>{card['name']}</th>" in page
    assert page.count('<rect class="agree"') + page.count('<rect class="differ"') == len(fund.signals) ** 2
