"""Truth about time: what comes after a day changes nothing before it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from podshop.nouns import DAY_NS, HOUR_NS, Panel, utc_ns
from podshop.nouns.symbols import locate
from podshop.run.backtest import market_facts
from podshop.run.config import Fund, starter_fund
from podshop.run.facts import MarketFacts
from podshop.run.loop import Run
from podshop.run.opinions import Seat, seats
from podshop.run.world import read_world
from tests.run.given import quietly
from tests.run.parity import Kept

SINCE_NS, UNTIL_NS = (utc_ns(datetime(2022, month, 1, tzinfo=UTC)) for month in (5, 7))
DAYS = (  # the middle of a crash at an odd hour, a midnight, a boundary of the run's 28-day chunks
    utc_ns(datetime(2022, 5, 12, 7, tzinfo=UTC)),
    utc_ns(datetime(2022, 6, 13, tzinfo=UTC)),
    19_152 * DAY_NS,
)
TABLES = ("nav", "fills", "funding", "verdicts", "transfers", "books", "marks")

Rows = dict[str, dict[str, "np.ndarray[Any, Any]"]]


def rows_before(kept: Kept, day_ns: int) -> Rows:
    """Every row stamped before the day, and the NAV rows up to it, of every column; funding by its own time."""
    found = {}
    for name in TABLES:
        table = kept.table(name)
        before = table["time"] < day_ns if name != "nav" else table["time"] <= day_ns
        found[name] = {column: values[before] for column, values in table.items()}
    return found


def rows_until(kept: Kept, day_ns: int) -> Rows:
    """Every row stamped at the day or before it."""
    return rows_before(kept, day_ns + 1)


def run(fund: Fund, data: Path, until_ns: int, since_ns: int = SINCE_NS) -> Kept:
    world = read_world(fund, data, since_ns, until_ns)
    kept = Kept()
    facts = market_facts(fund, world.market, world.funding)
    Run(fund, facts, seats(world.market, fund.signals, fund.confidence), kept).run(world.decision_times(), quietly)
    return kept


def assert_same(some: Rows, other: Rows) -> None:
    for name, columns in some.items():
        for column, values in columns.items():
            assert values.tobytes() == other[name][column].tobytes(), f"{name}.{column}"


def files(fund: Fund, data: Path) -> list[tuple[Path, int]]:
    """The fund's files, and how much later than its stamp a row is known: bars are stamped at their open."""
    found = [
        (f"bars/{fund.market.venue}/1h/{locate(base, fund.market.venue)[0]}.parquet", HOUR_NS)
        for base in fund.market.markets
    ]
    for source in fund.market.funding:
        found += [(f"funding/{source}/{locate(base, source)[0]}.parquet", 0) for base in fund.market.markets]
    return [(Path(name), late) for name, late in found if (data / name).is_file()]


def copied(fund: Fund, data: Path, to: Path, change: Callable[[pl.DataFrame, int], pl.DataFrame]) -> Path:
    """The fund's files, each changed: change(frame, ns that a row is known after its stamp)."""
    for name, late in files(fund, data):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        change(pl.read_parquet(data / name), late).write_parquet(to / name)
    return to


def known(frame: pl.DataFrame, late_ns: int, day_ns: int) -> pl.Series:
    """Rows that are known before the day, or at it."""
    return frame["timestamp"].dt.timestamp("ns") + late_ns <= day_ns


def noise(frame: pl.DataFrame, late_ns: int, day_ns: int, seed: int) -> pl.DataFrame:
    """The same stamps; what is known only after the day is another history, but for the open of the bar begun there."""
    later = ~known(frame, late_ns, day_ns)
    chance = np.random.default_rng(seed)
    if "funding_rate" in frame.columns:
        rate = pl.Series(chance.normal(0.0, 1e-3, len(frame)))
        return frame.with_columns(pl.when(later).then(rate).otherwise(frame["funding_rate"]).alias("funding_rate"))
    factor = np.exp(chance.choice([-0.3, 0.3]) + np.cumsum(chance.normal(0.0, 0.02, len(frame))))
    price = {name: frame[name].to_numpy() * np.where(later, factor, 1.0) for name in ("open", "high", "low", "close")}
    begun = known(frame, 0, day_ns).to_numpy()
    price["open"] = np.where(begun, frame["open"].to_numpy(), price["open"])
    price["high"] = np.maximum.reduce([price["open"], price["high"], price["close"]])
    price["low"] = np.minimum.reduce([price["open"], price["low"], price["close"]])
    volume = frame["volume"].to_numpy() * np.where(later, 1.0 / factor, 1.0)
    return frame.with_columns(*(pl.Series(name, values) for name, values in price.items()), pl.Series("volume", volume))


@pytest.fixture(scope="module")
def fund() -> Fund:
    return starter_fund()


@pytest.fixture(scope="module")
def whole(fund: Fund, shared_data: Path) -> Kept:
    return run(fund, shared_data, UNTIL_NS)


@pytest.mark.parametrize("day_ns", DAYS)
def test_nothing_before_a_day_changes_when_the_run_ends_there(
    fund: Fund, shared_data: Path, whole: Kept, day_ns: int
) -> None:
    before = rows_before(whole, day_ns)
    assert min(len(before[name]["time"]) for name in TABLES if name not in ("transfers", "books")) > 100
    assert_same(before, rows_before(run(fund, shared_data, day_ns), day_ns))


@pytest.mark.parametrize("day_ns", DAYS)
def test_nothing_before_a_day_changes_when_the_files_end_there(
    fund: Fund, shared_data: Path, whole: Kept, tmp_path: Path, day_ns: int
) -> None:
    data = copied(fund, shared_data, tmp_path, lambda frame, late: frame.filter(known(frame, late, day_ns)))
    assert_same(rows_before(whole, day_ns), rows_before(run(fund, data, day_ns), day_ns))


@pytest.mark.parametrize("day_ns", DAYS)
def test_nothing_up_to_a_day_changes_when_all_that_follows_is_noise(
    fund: Fund, shared_data: Path, whole: Kept, tmp_path: Path, day_ns: int
) -> None:
    """The fills of the day itself included: of later facts they know the open of the next bar, and that it trades."""
    changed = run(fund, another_history(fund, shared_data, tmp_path, day_ns), UNTIL_NS)
    assert_same(rows_until(whole, day_ns), rows_until(changed, day_ns))
    assert whole.table("nav")["nav_micro"].tobytes() != changed.table("nav")["nav_micro"].tobytes()


@pytest.mark.parametrize("peek", ["mark", "covariance", "conviction", "funding", "reference"])
def test_a_peek_of_one_bar_is_caught(
    fund: Fund, shared_data: Path, tmp_path: Path, peek: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same comparison on one of the days fails, once a single thing is known a bar too early."""
    _peek(peek, monkeypatch)
    caught = 0
    for day_ns in DAYS:
        data = another_history(fund, shared_data, tmp_path / str(day_ns), day_ns)
        try:
            assert_same(*(rows_until(run(fund, each, day_ns + DAY_NS), day_ns) for each in (shared_data, data)))
        except AssertionError:
            caught += 1
    assert caught


def another_history(fund: Fund, data: Path, to: Path, day_ns: int) -> Path:
    return copied(fund, data, to, lambda frame, late: noise(frame, late, day_ns, seed=day_ns % 1000))


def _peek(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if what == "conviction":
        convictions = Seat._convictions

        def early(seat: Seat, from_ns: int, until_ns: int) -> Panel:
            rows = convictions(seat, from_ns, until_ns)
            return np.concatenate([rows[1:], rows[-1:]])

        monkeypatch.setattr(Seat, "_convictions", early)
        return
    stretch = MarketFacts.stretch

    def spoilt(facts: MarketFacts, first: int, last: int) -> Any:
        told = stretch(facts, first, last)
        if what in ("mark", "reference"):
            rows = getattr(told, what)
            return told._replace(**{what: np.concatenate([rows[1:], rows[-1:]])})
        if what == "covariance":
            return told._replace(risk_row=np.minimum(told.risk_row + 1, len(told.covariance) - 1))
        return told._replace(funding_rate=np.append(told.funding_rate[1:], 0.0))

    monkeypatch.setattr(MarketFacts, "stretch", spoilt)


def test_every_row_has_its_own_number_and_numbers_follow_time(whole: Kept) -> None:
    seq = np.concatenate([whole.table(name)["seq"] for name in TABLES])
    cycle = np.concatenate([whole.table(name)["cycle"] for name in TABLES])
    assert len(np.unique(seq)) == len(seq)
    assert (np.diff(cycle[np.argsort(seq)]) >= 0).all()
    for name in TABLES:
        assert (np.diff(whole.table(name)["seq"]) > 0).all(), name
