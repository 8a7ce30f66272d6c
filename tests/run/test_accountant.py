"""A statement is made of the record alone, signed with what it was made of, and a change of either is found."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from podshop.journal.tables import TABLES
from podshop.nouns import DAY_NS, DataError
from podshop.report.statement import statement
from podshop.run import accountant
from tests.report.accounted import SINCE_NS, Columns, folder_of, made, record_of

HOURS = 24 * 40 + 5
DAY = SINCE_NS + 35 * DAY_NS  # 2024-02-05


@pytest.fixture(scope="module")
def tables() -> dict[str, Columns]:
    return made(HOURS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, Columns]) -> Path:
    return folder_of(tmp_path_factory.mktemp("record"), tables)


@pytest.fixture
def folder(tmp_path: Path, whole: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(whole, tmp_path / "record"))


def signed(folder: Path, day: int = DAY) -> dict:
    return accountant.account(accountant.read(folder), day, day + DAY_NS)


def spoil(folder: Path, table: str, column: str, day: int, by: int = 1) -> None:
    """One more in the first row of a day."""
    path = folder / f"{table}.parquet"
    frame = pl.read_parquet(path)
    first = int(np.flatnonzero(frame["time"].to_physical().to_numpy() >= day)[0])
    changed = frame[column].to_numpy().copy()
    changed[first] += by
    frame.with_columns(pl.Series(column, changed)).write_parquet(path)


def test_the_folder_says_what_the_rows_say(whole: Path, tables: dict[str, Columns]) -> None:
    found = signed(whole)
    del found["signature"]
    right = statement(record_of(tables), DAY, DAY + DAY_NS)
    for row in (*found["pnl"]["by_agent"], *right["pnl"]["by_agent"]):
        row["family"] = row["horizon"] = None
    for told in (found, right):
        del told["pnl"]["by_family"]
    assert found == right


def test_families_come_from_the_fund_that_was_kept(folder: Path) -> None:
    mandates = {
        "trend": {"horizon": "swing", "listens": {"up": 1.0, "paid": -2.0}},
        "carry": {"horizon": "intraday", "listens": {"paid": 1.0, "up": 1.0}},
    }
    fund = {"fund": {"execution": mandates, "treasury": {"allocator": {"kind": "article"}}}}
    before = signed(folder)
    assert [row["name"] for row in before["pnl"]["by_family"]] == ["not recorded", "house"]
    (folder / "fund.json").write_text(json.dumps(fund), encoding="utf-8")
    found = signed(folder)
    agents = {row["name"]: (row["family"], row["horizon"]) for row in found["pnl"]["by_agent"]}
    assert agents == {"trend": ("funding", "swing"), "carry": ("funding", "intraday"), "house": (None, None)}
    assert [(row["name"], row["agents"]) for row in found["pnl"]["by_family"]] == [("funding", 2), ("house", 0)]
    assert found["signature"]["inputs_sha256"] != before["signature"]["inputs_sha256"]


def test_the_signature_again_from_the_files_alone(whole: Path) -> None:
    """With polars and hashlib, as docs/statements.md says it."""
    lines = []
    for table, columns in TABLES.items():
        frame = pl.read_parquet(whole / f"{table}.parquet")
        if "time" in frame.columns:
            since = DAY - 31 * DAY_NS if table == "books" else DAY
            frame = frame.filter(pl.col("time").to_physical().is_between(since, DAY + DAY_NS))
        for column in columns:
            values = frame[column.name]
            text = "\n".join(values.cast(pl.String).to_list()).encode() if column.kind == "name" else b""
            data = text if column.kind == "name" else values.to_physical().to_numpy().tobytes()
            lines.append(f"{table}.{column.name}:{hashlib.sha256(data).hexdigest()}")

    def sha(value: dict) -> str:
        return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    cash, lots = {}, {}
    for name in ("trend", "carry", "house"):
        earlier = pl.col("time").to_physical() < DAY
        cash[name] = sum(
            pl.read_parquet(whole / f"{table}.parquet").filter(earlier & (pl.col("book") == name))["cash_micro"].sum()
            for table in ("fills", "funding", "transfers")
        )
        held = pl.read_parquet(whole / "fills.parquet").filter(earlier & (pl.col("book") == name))
        sums = dict(held.group_by(pl.col("market").cast(pl.String)).agg(pl.col("lots").sum()).rows())
        lots[name] = {market: n for market, n in sums.items() if n}
    nav = pl.read_parquet(whole / "nav.parquet").filter(pl.col("time").to_physical() < DAY)["nav_micro"].max()
    lines.append(f"opening:{sha({'cash_micro': cash, 'lots': lots, 'high_water_mark_micro': nav})}")
    result = json.loads((whole / "result.json").read_text())
    keys = (
        "fund", "simulated", "period", "limits", "decisions_sha256", "config_sha256", "data_sha256", "package_sha256",
    )  # fmt: skip
    lines.append(f"terms:{sha({key: result.get(key) for key in keys} | {'family': {}, 'horizon': {}, 'policy': ''})}")
    found = signed(whole)
    signature = found.pop("signature")
    assert signature["inputs_sha256"] == hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
    assert signature["figures_sha256"] == sha(found)
    assert signature["record_package_sha256"] == "0" * 64


@pytest.mark.parametrize(
    ("table", "column", "day"),
    [("fills", "lots", DAY), ("fills", "cash_micro", DAY - 9 * DAY_NS), ("funding", "cash_micro", DAY),
     ("verdicts", "wanted_lots", DAY), ("nav", "nav_micro", DAY), ("costs", "saved_micro", DAY),
     ("transfers", "cash_micro", SINCE_NS), ("books", "shadow_equity_micro", DAY - 20 * DAY_NS)],
)  # fmt: skip
def test_any_row_it_rests_on_changes_the_signature(folder: Path, table: str, column: str, day: int) -> None:
    """Of the day, or before it."""
    before = signed(folder)["signature"]["inputs_sha256"]
    spoil(folder, table, column, day)
    assert signed(folder)["signature"]["inputs_sha256"] != before


def test_a_later_day_leaves_it_alone(folder: Path) -> None:
    before = signed(folder)
    spoil(folder, "fills", "fee_micro", DAY + 2 * DAY_NS)
    assert signed(folder) == before


@pytest.mark.parametrize("suffix", [".html", ".json", ".csv"])
def test_a_statement_is_held_against_the_record(folder: Path, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"day{suffix}"
    found = signed(folder)
    file.write_text(accountant.written(found, suffix), encoding="utf-8")
    assert accountant.check(folder, file).findings == ()
    text = file.read_text(encoding="utf-8")
    shown = f"{found['nav']['close_micro'] / 1e6:,.2f}" if suffix == ".html" else str(found["nav"]["close_micro"])
    assert shown in text
    file.write_text(text.replace(shown, shown[:-1] + str((int(shown[-1]) + 1) % 10)), encoding="utf-8")
    (finding,) = accountant.check(folder, file).findings
    assert "was changed after it was made" in finding
    file.write_text(text, encoding="utf-8")
    spoil(folder, "fills", "fee_micro", DAY)
    (finding,) = accountant.check(folder, file).findings
    assert "the record's rows are not those" in finding


def test_other_code_is_said_when_something_differs(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "day.html"
    file.write_text(accountant.written(signed(folder), ".html"), encoding="utf-8")
    monkeypatch.setattr(accountant, "package_sha256", lambda: "f" * 64)
    findings = accountant.check(folder, file).findings
    assert "another version of podshop made it" in findings[-1]


def test_what_is_no_statement_is_said(whole: Path, tmp_path: Path) -> None:
    for name, text in {"a.html": "<html></html>", "a.json": "[1]", "b.json": "no", "a.csv": "section,name\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match="this is no statement"):
            accountant.check(whole, tmp_path / name)


def test_days_outside_the_run_are_refused(whole: Path) -> None:
    record = accountant.read(whole)
    for day in (SINCE_NS - DAY_NS, SINCE_NS + 41 * DAY_NS):
        with pytest.raises(DataError, match="is not in it"):
            accountant.account(record, day, day + DAY_NS)
    assert accountant.account(record, SINCE_NS + 40 * DAY_NS, SINCE_NS + 41 * DAY_NS)["period"]["whole"] is False


def test_months_and_the_whole_run(whole: Path) -> None:
    record = accountant.read(whole)
    january, february = (accountant.tear_sheet(record, month) for month in ("2024-01", "2024-02"))
    everything = accountant.tear_sheet(record, None)
    assert everything["title"] == "since inception"
    assert january["nav"]["close_micro"] == february["nav"]["open_micro"]
    for name in ("price", "funding", "fees", "slippage", "net"):
        parts = [found["pnl"]["total"][f"{name}_micro"] for found in (january, february, everything)]
        assert parts[0] + parts[1] == parts[2]
    for month in ("2024-13", "January", "2024-1"):
        with pytest.raises(DataError, match="is not a month"):
            accountant.tear_sheet(record, month)
    with pytest.raises(DataError, match="is not in it"):
        accountant.tear_sheet(record, "2024-03")
    assert json.loads(accountant.written(january, ".json"))["title"] == "2024-01"


def test_what_is_no_record_is_said(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match=r"no result\.json"):
        accountant.read(tmp_path)
    pl.read_parquet(folder / "fills.parquet").drop("lots").write_parquet(folder / "fills.parquet")
    with pytest.raises(DataError, match="no column 'lots'"):
        accountant.read(folder)
    (folder / "fills.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read"):
        accountant.read(folder)
