"""What `why` says of a real run is what its rows say, counted here by plain loops over the files of the record."""

import json
import math
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from podshop.nouns import ConfigError, DataError, utc_ns
from podshop.run import why_not
from podshop.run.config import fifty_fund, fund_from, load, starter_fund
from podshop.run.hindsight import look_back
from podshop.run.kept import again, document, newest
from podshop.run.why import why
from podshop.signals.momentum.time_series import momentum
from tests.run import asked

HOUR_NS = 3_600_000_000_000
BEFORE = ("maker", "settlement")


class Rows:
    """A record read by hand: every table as a list of plain rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables = {
            name: pl.read_parquet(folder / f"{name}.parquet").with_columns(pl.col("time").to_physical()).to_dicts()
            for name in ("fills", "wishes", "verdicts", "books", "nav", "marks")
        }
        self.limits = [json.loads(line) for line in (folder / "limits.jsonl").read_text().splitlines()]

    def held(self, book: str, market: str, at: int) -> int:
        return sum(
            row["lots"]
            for row in self.tables["fills"]
            if (row["book"], row["market"]) == (book, market)
            and (row["time"] < at or (row["time"] == at and row["kind"] in BEFORE))
        )

    def last(self, table: str, at: int, **same: str) -> dict[str, Any]:
        rows = [
            row for row in self.tables[table] if row["time"] <= at and all(row[key] == of for key, of in same.items())
        ]
        return rows[-1]

    def verdict(self, market: str, at: int, book: str = "NET") -> dict[str, Any] | None:
        found = [
            row for row in self.tables["verdicts"] if (row["market"], row["book"], row["time"]) == (market, book, at)
        ]
        return found[0] if found else None

    def fills(self, market: str, at: int) -> list[dict[str, Any]]:
        return [
            row
            for row in self.tables["fills"]
            if row["market"] == market
            and ((row["time"] == at and row["kind"] != "maker") or (row["time"] == at + HOUR_NS - 1000))
        ]


def ns(text: str) -> int:
    return utc_ns(datetime.fromisoformat(text))


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Rows:
    return Rows(asked.tight(tmp_path_factory.mktemp("tight"), shared_data))


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Rows:
    return Rows(asked.calm(tmp_path_factory.mktemp("calm"), shared_data))


def absence(record: Rows, market: str, at: str, book: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole answer, and the reason of one book, or of the fund."""
    found = why(record.folder, market, ns(at), absence=True)
    assert found["differs"] == []
    told = found["not"]
    assert told["traded"] == bool(record.fills(market, ns(at)))
    if book is None:
        assert not told["traded"]
    return found, told["reason"] if book is None else told["books"][book]


def of(found: dict[str, Any], book: str) -> dict[str, Any]:
    return next(each for each in found["books"] if each["name"] == book)


# ---------------------------------------------------------------- what happened


@pytest.mark.parametrize("at", ["2022-06-02T16:00", "2022-06-13T04:00", "2022-06-30T12:00"])
@pytest.mark.parametrize("market", ["BTC", "ETH"])
def test_every_figure_is_the_records(tight: Rows, market: str, at: str) -> None:
    found, now = why(tight.folder, market, ns(at)), ns(at)
    assert found["time"] == f"{at}:00Z"
    assert found["differs"] == []
    assert found["price"]["usd_per_lot"] == tight.last("marks", now, market=market)["mark_micro"] / 1e6
    for book in found["books"]:
        name = book["name"]
        rows = [row for row in tight.tables["wishes"] if (row["market"], row["book"]) == (market, name)]
        wished = [row["wished_lots"] for row in rows if row["time"] <= now]
        assert book["held_lots"] == tight.held(name, market, now)
        assert book["wished_lots"] == (wished[-1] if wished else 0)
        assert book["wants_lots"] == book["wished_lots"] - book["held_lots"]
        assert book["capital_usd"] == tight.last("books", now, book=name)["capital_micro"] / 1e6
    net, verdict = found["net"], tight.verdict(market, now)
    assert net["held_lots"] == sum(tight.held(row["name"], market, now) for row in found["books"])
    assert net["nav_usd"] == tight.last("nav", now)["nav_micro"] / 1e6
    if verdict is None:
        assert net["verdict"] is None
    else:
        for key in ("verdict", "code", "wanted_lots", "allowed_lots", "filled_lots", "resting_lots", "limits_version"):
            assert net[key] == verdict[key]
        ruling = next(each for each in tight.limits if each["version"] == verdict["limits_version"])
        assert (net["limits_since"], net["reason"]) == (ruling["at"], ruling["reason"])
    fills = tight.fills(market, now)
    assert [(row["book"], row["kind"], row["lots"], row["price"]) for row in found["fills"]] == [
        (row["book"], row["kind"], row["lots"], row["price"]) for row in fills
    ]
    assert sum(row["fee_usd"] for row in found["fills"]) == pytest.approx(sum(row["fee_micro"] for row in fills) / 1e6)


def test_a_conviction_is_what_the_agent_says_of_the_bars_in_the_files(tight: Rows, shared_data: Path) -> None:
    at = ns("2022-06-13T04:00")
    bars = pl.read_parquet(shared_data / "bars/okx_perp/1h/BTCUSDT.parquet").filter(
        pl.col("timestamp").dt.timestamp("ns") < at  # the bar that opens at `at` is not known
    )
    close = bars["close"].to_numpy()[-400:, None]
    by_hand = round(float(momentum(np.ascontiguousarray(close), 168)[-1, 0]) * 2**20) / 2**20
    trend = next(row for row in why(tight.folder, "BTC", at)["signals"] if row["name"] == "trend")
    assert trend["conviction"] == by_hand
    assert abs(by_hand) >= 0.35
    assert (trend["voice"], trend["state"]) == (by_hand, "open")


def test_since_when_a_voice_says_so(tight: Rows) -> None:
    """Asked an hour before that it says otherwise, and from then on the same."""
    now = why(tight.folder, "BTC", ns("2022-06-13T04:00"))
    for row in now["signals"]:
        assert not row["since_before_the_run"]
        first = ns(row["since"])
        sides = [
            np.sign(
                next(each["voice"] for each in why(tight.folder, "BTC", at)["signals"] if each["name"] == row["name"])
            )
            for at in (first - HOUR_NS, first, first + HOUR_NS)
        ]
        assert sides[0] != sides[1] == sides[2] == np.sign(row["voice"])


def test_what_was_heard_makes_the_blend(tight: Rows) -> None:
    waiter = of(why(tight.folder, "BTC", ns("2022-06-13T04:00")), "waiter")
    voices = [row["voice"] for row in waiter["heard"]]
    base = (1.0 * voices[0] + 0.5 * voices[1]) / 1.5
    assert sum(row["adds"] for row in waiter["heard"]) == pytest.approx(base)
    assert 1 < waiter["multiplier"] <= 1.5
    assert waiter["blend"] == pytest.approx(min(max(waiter["multiplier"] * base, -1), 1))


def test_without_a_time_it_is_the_last_order(tight: Rows) -> None:
    rows = [row for row in tight.tables["verdicts"] if (row["market"], row["book"]) == ("ETH", "NET")]
    assert ns(why(tight.folder, "ETH", None)["time"]) == rows[-1]["time"]
    last = max(row["time"] for row in tight.tables["nav"]) - HOUR_NS
    assert ns(why(tight.folder, "ETH", None, absence=True)["time"]) == last


def test_between_two_decisions_it_is_the_one_before(tight: Rows) -> None:
    assert why(tight.folder, "btc", ns("2022-06-13T04:59:59"))["time"] == "2022-06-13T04:00:00Z"


def test_a_trade_is_no_absence(tight: Rows) -> None:
    at = next(row["time"] for row in tight.tables["fills"] if (row["market"], row["kind"]) == ("BTC", "venue"))
    told = why(tight.folder, "BTC", at, absence=True)["not"]
    assert (told["traded"], told["reason"]) == (True, None)


# ---------------------------------------------------------------- what did not: one for every kind


def test_no_data_since_it_never_traded(tight: Rows) -> None:
    found, reason = absence(tight, "SUI", "2022-06-01T00:00")
    assert (reason["code"], found["price"]["mark"]) == ("no_data", None)
    assert not [row for row in tight.tables["marks"] if row["market"] == "SUI"]


def test_no_data_since_the_volatility_is_unknown(tight: Rows) -> None:
    """OP's first bar closed at 04:00 on the first of June: a week of bars gives an opinion, not a volatility."""
    _, reason = absence(tight, "OP", "2022-06-09T04:00", "follower")
    assert reason["code"] == "no_data"
    assert "after 8.0 days" in reason["text"]
    first = min(row["time"] for row in tight.tables["marks"] if row["market"] == "OP")
    assert (ns("2022-06-09T04:00") - first) / (24 * HOUR_NS) == 8.0


def test_no_voice_is_open(tight: Rows) -> None:
    found, reason = absence(tight, "BTC", "2022-05-20T00:00", "follower")
    trend = next(row for row in found["signals"] if row["name"] == "trend")
    assert reason["code"] == "no_voice"
    assert trend["state"] == "shut"
    assert 0 < abs(trend["conviction"]) < 0.65
    assert f"lacks {0.65 - abs(trend['conviction']):.3f}" in reason["change"]


def test_stopped(tight: Rows) -> None:
    """The shadow held the other way an hour at least before, and its blend has not turned since."""
    found, reason = absence(tight, "BTC", "2022-05-30T13:00", "waiter")
    waiter = of(found, "waiter")
    assert reason["code"] == "stopped"
    assert waiter["blocked"] * waiter["blend"] > 0
    assert (waiter["shadow_target_lots"], waiter["wished_lots"]) == (0, 0)
    since = ns(waiter["wished_since"])
    before = [row for row in tight.tables["wishes"] if (row["book"], row["market"]) == ("waiter", "BTC")]
    held = [row["wished_lots"] for row in before if row["time"] < since][-1]
    assert held * waiter["blocked"] > 0


def test_throttled(tight: Rows) -> None:
    at = "2022-07-07T14:00"
    found, reason = absence(tight, "BTC", at, "waiter")
    assert reason["code"] == "throttled"
    ruling = [each for each in tight.limits if each["at_ns"] <= ns(at)][-1]
    assert ruling["throttle"][3] == of(found, "waiter")["throttle"] == 0
    assert of(found, "waiter")["shadow_target_lots"] != 0


def test_inside_the_buffer(tight: Rows) -> None:
    found, reason = absence(tight, "BTC", "2022-07-03T22:00", "waiter")
    waiter = of(found, "waiter")
    assert reason["code"] == "buffer"
    assert waiter["band_lots"] == pytest.approx(0.05 * waiter["full_lots"])
    assert abs(waiter["blend_now"] * waiter["full_lots"] - waiter["shadow_lots"]) <= waiter["band_lots"]
    assert waiter["shadow_target_lots"] == waiter["shadow_lots"] != 0
    above = (waiter["shadow_lots"] + waiter["band_lots"]) / waiter["full_lots"]
    assert f"above {above:+.3f}" in reason["change"]


def test_the_cost_gate(tight: Rows) -> None:
    """The record has a row where this began; now it is asked again, with the figures of now."""
    at = "2022-06-13T22:00"
    found, reason = absence(tight, "OP", at, "careful")
    held = of(found, "careful")["held_back"]
    assert (reason["code"], held["code"]) == ("cost_gate", "COST_GATE")
    assert held["measured"] < held["bound"]
    began = tight.last("verdicts", ns(at), book="careful", market="OP")
    assert began["code"] == "COST_GATE"
    there = of(why(tight.folder, "OP", began["time"]), "careful")["held_back"]
    assert (there["measured"], there["bound"]) == (began["measured"], began["bound"])


def test_the_cost_budget(tight: Rows) -> None:
    """0.05 % of the capital a year, shared by two markets, and a month of it in advance."""
    at = "2022-05-20T11:00"
    found, reason = absence(tight, "BTC", at, "spender")
    held = of(found, "spender")["held_back"]
    assert (reason["code"], held["code"]) == ("cost_gate", "COST_BUDGET")
    days = (ns(at) - ns("2022-05-20T00:00")) / (24 * HOUR_NS) + 30
    assert held["bound"] == pytest.approx(0.0005 * 100_000 / 2 * days / 365)
    assert held["measured"] > held["bound"]


def test_not_due(tight: Rows) -> None:
    found, reason = absence(tight, "BTC", "2022-06-12T09:00", "follower")
    follower = of(found, "follower")
    assert reason["code"] == "not_due"
    assert (follower["decided"], follower["due"]) == ("2022-06-12T08:00:00Z", "2022-06-12T12:00:00Z")
    trend = next(row for row in found["signals"] if row["name"] == "trend")
    assert follower["blend_now"] == trend["voice"] != follower["blend"]


def test_the_books_own_gross(tight: Rows) -> None:
    at = "2022-06-07T08:00"
    _, reason = absence(tight, "ETH", at, "follower")
    row = tight.verdict("ETH", ns(at), "follower")
    assert row is not None
    assert (reason["code"], row["code"], row["bound"]) == ("book_limit", "BOOK_GROSS", 0.12)
    assert f"wished {row['wanted_lots']:,} lots, cut to {row['allowed_lots']:,}" in reason["text"]


def test_less_than_a_lot_at_its_capital(tight: Rows) -> None:
    at = "2022-06-24T07:00"
    found, reason = absence(tight, "ETH", at, "waiter")
    waiter = of(found, "waiter")
    share = tight.last("books", ns(at), book="waiter")["capital_micro"] / 100_000e6
    assert reason["code"] == "scaled_away"
    assert 0 < abs(waiter["shadow_target_lots"]) * share * waiter["throttle"] < 1


def test_content(tight: Rows) -> None:
    """The fund was filled before its shadow: what the shadow still wishes, the book holds."""
    at = "2022-05-27T19:00"
    found, reason = absence(tight, "BTC", at, "waiter")
    waiter = of(found, "waiter")
    share = tight.last("books", ns(at), book="waiter")["capital_micro"] / 100_000e6
    assert reason["code"] == "content"
    assert waiter["shadow_target_lots"] != waiter["shadow_lots"]
    assert waiter["held_lots"] == int(waiter["shadow_target_lots"] * share) != 0


@pytest.mark.parametrize(
    ("market", "at", "code", "kind"),
    [
        ("BTC", "2022-06-03T16:00", "MIN_ORDER", "too_small"),
        ("BTC", "2022-05-26T10:00", "VENUE_MIN", "too_small"),
        ("OP", "2022-06-14T16:00", "NO_HISTORY", "gate"),
    ],
)
def test_the_gate_let_nothing_pass(tight: Rows, market: str, at: str, code: str, kind: str) -> None:
    found, reason = absence(tight, market, at)
    row = tight.verdict(market, ns(at))
    assert row is not None
    assert (reason["code"], row["code"], row["allowed_lots"]) == (kind, code, 0)
    assert f"{row['wanted_lots']:+,} lots were wanted" in reason["text"]
    short = row["bound"] - row["measured"]
    assert short > 0
    assert f"{short:,.{1 if kind == 'gate' else 2}f}" in reason["change"]
    assert found["net"]["set_by"] == (
        "fund file, limits.min_order_usd" if code == "MIN_ORDER" else found["net"]["set_by"]
    )


def test_the_cap_of_the_market(calm: Rows) -> None:
    at = "2022-12-13T11:00"
    found, reason = absence(calm, "ADA", at)
    row = calm.verdict("ADA", ns(at))
    assert row is not None
    assert (reason["code"], row["code"], row["bound"]) == ("cap", "POSITION_CAP", 0.05)
    assert f"{100 * row['measured']:.2f} % of NAV" in reason["text"]
    assert found["net"]["set_by"] == "fund file, limits.max_weight"


def test_no_trading_in_the_next_bar(calm: Rows, shared_data: Path) -> None:
    at = "2022-12-18T09:00"
    found, reason = absence(calm, "XRP", at)
    bar = pl.read_parquet(shared_data / "bars/okx_perp/1h/XRPUSDT.parquet").filter(
        pl.col("timestamp").dt.timestamp("ns") == ns(at)
    )
    assert bar["volume"].to_list() == [0.0]
    assert (reason["code"], found["price"]["next_open"]) == ("no_trading", None)
    row = calm.verdict("XRP", ns(at))
    assert row is not None
    assert row["allowed_lots"] != 0 == row["filled_lots"]


def test_a_stale_price_is_the_gates_reason_or_the_markets(calm: Rows) -> None:
    """While the venue stands still nothing is traded, and every hour of it says why."""
    for hour in range(9, 18):
        _, reason = absence(calm, "BTC", f"2022-12-18T{hour:02}:00")
        assert reason["code"] in ("no_trading", "gate", "too_small", "no_data")


def test_rested_and_not_traded_beyond(tight: Rows, shared_data: Path) -> None:
    at = "2022-05-24T08:00"
    found, reason = absence(tight, "BTC", at)
    assert reason["code"] == "rested"
    assert found["net"]["resting_lots"] < 0
    bar = pl.read_parquet(shared_data / "bars/okx_perp/1h/BTCUSDT.parquet").filter(
        pl.col("timestamp").dt.timestamp("ns") == ns(at)
    )
    limit = math.ceil(round(bar["open"][0] * 10) * (1 + 1e-4)) / 10  # a lot is 1e-5 BTC: 10 micro-dollars per dollar
    assert bar["high"][0] <= limit
    assert f"{bar['high'][0]:,.6g}" in reason["text"]


def test_nothing_offered(tight: Rows) -> None:
    """Not met in the files: the volatility is known only after days of volume."""
    kept = again(tight.folder)
    past = look_back(kept.fund, kept.world, "BTC", ns("2022-06-01T00:00"))
    net = {"verdict": "approve", "allowed_lots": 5, "resting_lots": 0}
    book = {"name": "follower", "wants_lots": 5}
    found = {"market": "BTC", "time": "", "fills": [], "books": [book], "net": net}
    assert why_not.why_not(found, past)["reason"]["code"] == "no_liquidity"


# ---------------------------------------------------------------- the record and what follows agree


def test_what_is_recomputed_agrees_with_the_record_everywhere(tight: Rows, calm: Rows) -> None:
    for record, since, cycles in ((tight, "2022-05-20T00:00", 51 * 24), (calm, "2022-12-13T00:00", 7 * 24)):
        markets = load(record.folder.parent / "fund.toml").market.markets
        for i, k in enumerate(range(0, cycles, 97)):
            found = why(record.folder, markets[i % len(markets)], ns(since) + k * HOUR_NS, absence=True)
            assert found["differs"] == []
            assert found["not"]["traded"] == bool(found["fills"])


def test_a_wish_that_does_not_follow_is_said(tight: Rows, tmp_path: Path) -> None:
    """The mutant of the check: one lot more in one row of the record."""
    folder = tmp_path / "forged"
    shutil.copytree(tight.folder, folder)
    wishes = pl.read_parquet(folder / "wishes.parquet")
    mine = (pl.col("book").cast(pl.String) == "follower") & (pl.col("market").cast(pl.String) == "BTC")
    last = wishes.filter(mine & (pl.col("time").dt.timestamp("ns") <= ns("2022-06-13T04:00")))["seq"][-1]
    more = pl.col("wished_lots") + (pl.col("seq") == last).cast(pl.Int64)
    wishes.with_columns(more).write_parquet(folder / "wishes.parquet")
    told = why(folder, "BTC", ns("2022-06-13T04:00"))["differs"]
    assert len(told) == 1
    assert told[0].startswith("follower wished")


# ---------------------------------------------------------------- what cannot be asked


def test_a_market_or_a_time_that_is_not_there(tight: Rows) -> None:
    with pytest.raises(ConfigError, match="'BTX' is not a market of this fund, did you mean 'BTC'"):
        why(tight.folder, "BTX", None)
    with pytest.raises(
        ConfigError, match=r"outside of the record .* from 2022-05-20T00:00:00Z to 2022-07-09T23:00:00Z"
    ):
        why(tight.folder, "BTC", ns("2022-05-19T23:00"))
    with pytest.raises(ConfigError, match="outside of the record"):
        why(tight.folder, "BTC", ns("2022-07-10T01:00"))
    with pytest.raises(ConfigError, match=r"nobody ever wanted to trade SUI .* why --not SUI"):
        why(tight.folder, "SUI", None)


def edited(tight: Rows, to: Path, **changes: Any) -> Path:
    """A copy of the record whose result says otherwise."""
    shutil.copytree(tight.folder, to)
    result = json.loads((to / "result.json").read_text())
    (to / "result.json").write_text(json.dumps(result | changes))
    return to


def test_other_data_are_refused(tight: Rows, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="are no longer those of this record"):
        why(edited(tight, tmp_path / "a", data_sha256="0" * 64), "BTC", None)
    place = {"path": str(tmp_path / "gone"), "since": "2022-05-20T00:00:00Z", "until": "2022-07-10T00:00:00Z"}
    with pytest.raises(DataError, match="are no longer in"):
        why(edited(tight, tmp_path / "b", data=place), "BTC", None)


def test_another_fund_is_refused(tight: Rows, tmp_path: Path) -> None:
    folder = edited(tight, tmp_path / "a")
    text = (folder / "fund.json").read_text()
    assert '"window_bars": 168' in text
    (folder / "fund.json").write_text(text.replace('"window_bars": 168', '"window_bars": 169'))
    with pytest.raises(DataError, match="no longer makes the fund of this record"):
        why(folder, "BTC", None)


def test_other_code_is_a_warning(tight: Rows, tmp_path: Path) -> None:
    assert why(tight.folder, "BTC", None)["warnings"] == []
    warned = why(edited(tight, tmp_path / "a", package_sha256="0" * 64), "BTC", None)["warnings"]
    assert [text for text in warned if "is not the one that made the record" in text]


def test_an_older_or_unfinished_record_is_refused(tight: Rows, tmp_path: Path) -> None:
    folder = edited(tight, tmp_path / "a")
    (folder / "limits.jsonl").unlink()
    with pytest.raises(DataError, match=r"keeps no limits\.jsonl: an older podshop"):
        why(folder, "BTC", None)
    (folder / "result.json").unlink()
    with pytest.raises(DataError, match="unfinished"):
        why(folder, "BTC", None)


def test_the_newest_record_is_the_one_finished_last(tight: Rows, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no finished record"):
        newest(tmp_path / "nowhere")
    for name in ("one", "two"):
        edited(tight, tmp_path / name)
    (tmp_path / "two" / "result.json").touch()
    assert newest(tmp_path) == tmp_path / "two"


# ---------------------------------------------------------------- what is kept

OWN = '''
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from podshop.nouns import Limits

@dataclass(frozen=True)
class Up:
    """Always the same."""
    bar: str = "1h"
    size: float = 0.8
    family: ClassVar[str] = "own"
    cross_sectional: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ("close",)
    lookback_bars: ClassVar[int] = 1

    def __call__(self, close):
        return np.where(np.isnan(close), np.nan, self.size)

@dataclass(frozen=True)
class Loudest:
    """Whoever is loudest is heard."""
    at_least: float = 0.1

    def __call__(self, voice, weights):
        said = voice[0]
        return np.where(np.abs(said) >= self.at_least, said, 0.0)

@dataclass(frozen=True)
class Narrow:
    """A narrower fund."""
    widest: float = 0.5

    def __call__(self, view):
        return Limits(reason="narrow", version=view.version, max_gross=self.widest)
'''


def test_a_fund_kept_is_the_fund(shared_data: Path) -> None:
    for fund in (starter_fund(), fifty_fund()):
        kept = json.loads(json.dumps(document(fund)))
        assert fund_from(kept, file="fund.json", folder=Path()) == fund


def test_classes_of_ones_own_are_found_again(tmp_path: Path, shared_data: Path) -> None:
    (tmp_path / "kept_own_agents.py").write_text(OWN)
    text = asked.CALM.replace('kind = "reversal"\nwindow_bars = 72', 'kind = "kept_own_agents:Up"\nsize = 0.75')
    text = text.replace('horizon = "swing"', 'horizon = "swing"\nkind = "kept_own_agents:Loudest"\nat_least = 0.2')
    text += '\n[risk.narrow]\nkind = "kept_own_agents:Narrow"\nwidest = 0.25\n[risk.correlation_tracker]\noff = true\n'
    folder = asked.record(tmp_path, text, shared_data, "2022-12-13", "2022-12-15")
    kept = again(folder)
    assert kept.fund == load(tmp_path / "fund.toml")
    assert kept.warnings == ()
    found = why(folder, "XRP", None)
    assert found["differs"] == []
    assert next(row for row in found["signals"] if row["name"] == "stretch")["conviction"] == 0.75
    assert "narrow" in found["net"]["reason"]
    (tmp_path / "kept_own_agents.py").write_text(OWN + "\n# changed\n")
    warned = again(folder).warnings
    assert [text.split(" ")[0] for text in warned] == [
        f"kept_own_agents:{name}" for name in ("Up", "Narrow", "Loudest")
    ]
    assert all("has been changed since the run" in text for text in warned)
