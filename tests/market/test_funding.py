"""Funding: one source a day, every uncovered hour charged once, nothing that looks ahead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.market import Records, funding, funding_per_hour, settlements
from podshop.nouns import ASSUMED, DAY_NS, HOUR_NS, MINUTE_NS, Funding, Market

START_NS = 19_000 * DAY_NS
HOURLY_BP = 0.125e-4


def market(hours: int, listed: list[bool] | None = None, names: tuple[str, ...] = ("BTC",)) -> Market:
    """Hourly bars from START_NS on; `listed` says which of them are there."""
    flags = np.ones(hours, bool) if listed is None else np.array(listed)
    panel = np.where(flags, 1.0, np.nan)[None, :].repeat(len(names), axis=0).T
    time = START_NS + np.arange(1, hours + 1) * HOUR_NS
    return Market(names, HOUR_NS, time, dict.fromkeys(("open", "high", "low", "close", "volume"), panel))


def records(source: str, hours: list[float], interval: float, rate: float = 1e-4, name: str = "BTC") -> Records:
    """Settlements at these hours after START_NS."""
    at = START_NS + (np.array(hours, dtype=float) * HOUR_NS).astype(np.int64)
    return Records(name, source, at, np.full(len(at), rate), np.full(len(at), round(interval * HOUR_NS)))


def rows(found: Funding) -> list[tuple[float, str, float]]:
    """Each settlement as (hours after START_NS, source, rate)."""
    return [
        ((int(at) - START_NS) / HOUR_NS, found.sources[s], float(rate))
        for at, s, rate in zip(found.at_ns, found.source, found.rate, strict=True)
    ]


def test_real_settlements_keep_their_time_and_rate_and_leave_nothing_to_assume():
    found = settlements(market(48), [records("a", [8, 16, 24, 32, 40, 48], 8)], ("a",), 1.0)
    assert rows(found) == [(h, "a", 1e-4) for h in (8, 16, 24, 32, 40, 48)]
    assert found.assumed_share == {"BTC": 0.0}


def test_an_hour_without_a_record_is_charged_once_eight_hours_later():
    found = settlements(market(48), [records("a", [8, 16, 32, 40, 48], 8)], ("a",), 1.0)
    assumed = [r for r in rows(found) if r[1] == "ASSUMED"]
    assert assumed == [(h + 8, "ASSUMED", HOURLY_BP) for h in range(17, 25)]  # 17..24 h lie in no span
    assert found.assumed_share["BTC"] == pytest.approx(
        8 / 40
    )  # hours 1..40 have a known fate, bars close from hour 1 on


def test_without_any_record_every_hour_is_charged():
    found = settlements(market(30), [], ("a",), 1.0)
    assert rows(found) == [(h + 8, "ASSUMED", HOURLY_BP) for h in range(1, 23)]
    assert found.assumed_share == {"BTC": 1.0}


def test_a_record_covers_at_most_eight_hours():
    found = settlements(market(48), [records("a", [40], 40)], ("a",), 1.0)
    assert {h - 8 for h, source, _ in rows(found) if source == "ASSUMED"} == set(range(1, 33))


def test_a_settlement_minutes_off_the_hour_keeps_its_minute_and_covers_its_hours():
    found = settlements(market(24), [records("a", [8, 16.4], 8.4)], ("a",), 1.0)
    assert rows(found)[1] == (pytest.approx(16.4), "a", 1e-4)
    assert found.assumed_share["BTC"] == 0.0


def test_the_first_source_that_settled_the_day_before_is_the_days_only_one():
    hourly = records("b", list(range(1, 73)), 1)
    eight = records("a", [32, 40, 48, 56, 64, 72], 8)  # begins on the second day
    found = settlements(market(72), [hourly, eight], ("a", "b"), 1.0)
    by_day = {day: {s for h, s, _ in rows(found) if day * 24 < h <= day * 24 + 24} for day in range(3)}
    assert by_day == {0: {"b"}, 1: {"b"}, 2: {"a"}}
    assert found.assumed_share["BTC"] == 0.0


def test_a_source_that_stops_leaves_its_last_day_to_the_assumption():
    eight = records("a", [8, 16, 24], 8)
    hourly = records("b", list(range(1, 73)), 1)
    found = settlements(market(72), [eight, hourly], ("a", "b"), 1.0)
    assert {h - 8 for h, source, _ in rows(found) if source == "ASSUMED"} == set(range(25, 49))
    assert {source for h, source, _ in rows(found) if h > 56} == {"b"}


def test_nothing_is_charged_before_listing_or_a_day_after_the_last_bar():
    listed = [False] * 10 + [True] * 20 + [False] * 42
    found = settlements(market(72, listed), [records("a", list(range(1, 73)), 1)], ("a",), 1.0)
    assert [h for h, _, _ in rows(found)] == list(range(11, 30 + 24 + 1))
    bare = settlements(market(72, listed), [], ("a",), 1.0)
    assert [h - 8 for h, _, _ in rows(bare)] == list(range(11, 30 + 24 + 1))


def test_nothing_outside_what_was_read_is_settled():
    found = settlements(market(10), [records("a", list(range(-20, 40)), 1)], ("a",), 1.0)
    assert [h for h, _, _ in rows(found)] == list(range(1, 11))


def test_rows_are_in_the_order_of_time_then_market():
    two = market(48, names=("BTC", "ETH"))
    known = [records("a", [8, 16, 24], 8), records("a", list(range(20, 49)), 1, name="ETH")]
    found = settlements(two, known, ("a",), 1.0)
    keys = list(zip(found.at_ns.tolist(), found.market.tolist(), (found.source == ASSUMED).tolist(), strict=True))
    assert keys == sorted(keys)


# What a market could have recorded: two sources that come, go, skip and drift.
_FLAGS = st.lists(st.booleans(), min_size=96, max_size=96)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Market, list[Records]]:
    bars = draw(st.one_of(st.just([True] * 96), _FLAGS))
    known = []
    for source, step in (("a", 8), ("b", 1)):
        first, last = draw(st.integers(-24, 96)), draw(st.integers(0, 120))
        skipped = draw(st.sets(st.integers(-24, 120), max_size=12))
        drift = draw(st.sampled_from([0.0, 0.0, 4 * MINUTE_NS / HOUR_NS]))
        hours = [h for h in range(-24, 121, 1) if h % step == 0 and first <= h <= last and h not in skipped]
        stamped = [h + (drift if h % 5 == 0 else 0.0) for h in hours]
        made = records(source, stamped, step)
        gaps = np.diff(made.at_ns, prepend=made.at_ns[:1] - step * HOUR_NS)
        known.append(Records("BTC", source, made.at_ns, 1e-4 * np.arange(1, len(hours) + 1), gaps))
    return market(96, bars), known


def cut(whole: Market, known: list[Records], at_ns: int) -> tuple[Market, list[Records]]:
    """The same history as it looked when nothing from `at_ns` on was there."""
    columns = {name: np.where((whole.time <= at_ns)[:, None], panel, np.nan) for name, panel in whole.columns.items()}
    kept = [
        Records(r.market, r.source, r.at_ns[r.at_ns < at_ns], r.rate[r.at_ns < at_ns], r.interval_ns[r.at_ns < at_ns])
        for r in known
    ]
    return Market(whole.names, whole.interval_ns, whole.time, columns), kept


def differs_before(history: tuple[Market, list[Records]], hour: int, order: tuple[str, ...]) -> bool:
    """Whether any settlement or observation before an hour changes when all later data are taken away."""
    at_ns = START_NS + hour * HOUR_NS
    whole, less = (settlements(*case, order, 1.0) for case in (history, cut(*history, at_ns)))
    past = [[row for row in rows(found) if row[0] < hour] for found in (whole, less)]
    seen, seen_less = (funding_per_hour(*case, order) for case in (history, cut(*history, at_ns)))
    before = history[0].time < at_ns
    return past[0] != past[1] or not np.array_equal(seen[before], seen_less[before], equal_nan=True)


@given(history=histories(), hour=st.integers(1, 96), order=st.sampled_from([("a", "b"), ("b", "a")]))
def test_no_settlement_follows_from_what_is_stamped_after_it(history, hour, order):
    assert not differs_before(history, hour, order)


def test_posting_an_assumed_hour_at_once_would_look_ahead(monkeypatch):
    """The mutant of the test above: without the delay, a missing later record changes the past."""
    history = (market(24), [records("a", [8, 16, 24], 8)])
    assert not differs_before(history, 24, ("a",))
    monkeypatch.setattr(funding, "POSTED_AFTER_NS", 0)
    assert differs_before(history, 24, ("a",))


def test_choosing_by_the_whole_day_would_look_ahead(monkeypatch):
    """The second mutant: a day's source chosen by any record of that day."""

    def any_record_of_the_day(day, at_ns, rank, sources):
        return np.array([min(rank[day == d]) for d in day], dtype=np.int64)

    history = (market(48), [records("a", [32, 40, 48], 8), records("b", list(range(1, 49)), 1)])
    assert not differs_before(history, 30, ("a", "b"))
    monkeypatch.setattr(funding, "_chosen", any_record_of_the_day)
    assert differs_before(history, 30, ("a", "b"))


@given(history=histories(), order=st.sampled_from([("a", "b"), ("b", "a")]))
def test_every_listed_hour_is_covered_or_charged_never_both(history, order):
    """Told again hour by hour, in plain Python."""
    whole, known = history
    found = settlements(whole, known, order, 1.0)
    used = {(h, s) for h, s, _ in rows(found) if s != "ASSUMED"}
    charged = {h - 8 for h, s, _ in rows(found) if s == "ASSUMED"}
    spans = [
        ((int(at) - START_NS) / HOUR_NS - min(gap / HOUR_NS, 8), (int(at) - START_NS) / HOUR_NS, r.source)
        for r in known
        for at, gap in zip(r.at_ns, r.interval_ns.tolist(), strict=True)
    ]
    closes = [(int(t) - START_NS) / HOUR_NS for t in whole.time[~np.isnan(whole.columns["volume"][:, 0])]]

    def listed(hour: float) -> bool:
        return any(close <= hour <= close + 24 for close in closes)

    for hour in range(1, 97 - 8):
        covering = [(end, s) for begin, end, s in spans if begin < hour - 0.5 <= end]
        paid = [c for c in covering if c in used]
        if hour in charged:
            assert listed(hour)
            assert not paid
        elif listed(hour) and all(listed(end) and 0 < end <= 96 for end, _ in covering):
            assert paid
    days = {}
    for begin, end, s in spans:
        if (end, s) in used:
            days.setdefault((begin + end) / 2 // 24, set()).add(s)
    assert all(len(sources) == 1 for sources in days.values())


def test_the_observation_is_the_rate_per_hour_of_the_latest_settlement_and_grows_stale():
    seen = funding_per_hour(market(40), [records("a", [8], 8, rate=8e-4)], ("a",))[:, 0]
    assert np.isnan(seen[:7]).all()  # bars that close before 8 h
    np.testing.assert_allclose(seen[7:24], 1e-4)  # until 16 hours later
    assert np.isnan(seen[24:]).all()


def test_an_assumed_rate_is_never_observed():
    assert np.isnan(funding_per_hour(market(40), [], ("a",))).all()


def test_an_unlisted_market_is_not_observed():
    seen = funding_per_hour(market(40, [False] * 20 + [True] * 20), [records("a", list(range(1, 41)), 1)], ("a",))
    assert np.isnan(seen[:20]).all()
    assert not np.isnan(seen[20:]).any()
