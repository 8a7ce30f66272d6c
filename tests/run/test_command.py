"""The two commands from end to end, as a person types them: each in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from podshop.run.config import starter

KEYS = {
    "fund": None,
    "period": {"since", "until", "interval", "cycles"},
    "speed": {"seconds", "compile_seconds", "cycles_per_second", "peak_rss_mb"},
    "nav": {"start", "end"},
    "stats": {"return", "volatility", "sharpe", "sharpe_low", "sharpe_high", "max_drawdown", "gross_return"},
    "costs": {"fees", "slippage", "funding", "crossing_saved"},
    "orders": {"wanted", "approved", "shrunk", "vetoed", "by_code"},
    "books": {"count", "residual_lots", "residual_micro"},
    "var": {"limit", "worst", "days", "breaches"},
    "decisions_sha256": None,
    "config_sha256": None,
    "data_sha256": None,
    "package": None,
    "seed": None,
    "first_tradable": None,
    "assumed_funding_share": {"BTC", "ETH", "XRP", "LTC", "ADA"},
    "trials": None,
}
TABLES = {  # table -> columns that the issue names
    "markets": "market lot_size min_notional lot_micro_scale",
    "nav": "time nav_micro cash_micro gross net drawdown var cycle seq",
    "fills": "time market book lots price price_micro fee_micro cash_micro kind cycle seq",
    "funding": "time market book lots mark_micro rate source cash_micro cycle seq",
    "transfers": "time book cash_micro reason cycle seq",
    "verdicts": "time market book verdict code wanted_lots allowed_lots measured bound cycle seq",
    "books": "time book capital_micro equity_micro weight throttle shadow_equity_micro cycle seq",
}


def podshop(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import sys; from podshop.cli import main; sys.exit(main())", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fund")
    (folder / "fund.toml").write_text(starter(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ran(folder: Path, shared_data: Path) -> subprocess.CompletedProcess[str]:
    period = ("--since", "2022-05-01", "--until", "2022-06-15")
    return podshop("backtest", "fund.toml", "--data", str(shared_data), *period, "--out", "out", "--json", cwd=folder)


def test_backtest_answers_one_json_object_with_every_key(ran: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout)
    for key, inside in KEYS.items():
        assert key in result
        assert inside is None or inside <= set(result[key]), key
    assert result["period"]["cycles"] == 45 * 24
    assert result["orders"]["wanted"] == sum(result["orders"][each] for each in ("approved", "shrunk", "vetoed"))
    assert (result["books"]["residual_lots"], result["books"]["residual_micro"]) == (0, 0)
    assert set(result["books"]["identity_residual_micro"].values()) == {0}
    assert result["trials"] >= 1
    assert result["trials_note"].startswith(f"{result['trials']} of ")
    assert 0 <= result["deflated"]["dsr"] <= result["deflated"]["psr"] <= 1
    kept = json.loads((folder / "out" / "result.json").read_text(encoding="utf-8"))
    assert kept["decisions_sha256"] == result["decisions_sha256"]
    assert result["costs"]["fees"] > 0 < result["orders"]["approved"]


def test_the_record_has_every_table_and_column(ran: subprocess.CompletedProcess[str], folder: Path) -> None:
    for table, columns in TABLES.items():
        frame = pl.read_parquet(folder / "out" / f"{table}.parquet")
        assert set(columns.split()) <= set(frame.columns), table
        assert len(frame) > 0, table
        for name, kind in frame.schema.items():
            if name.endswith(("_micro", "lots", "_lots")):
                assert kind == pl.Int64, f"{table}.{name}"
            if name == "time":
                assert kind == pl.Datetime("ns", "UTC"), f"{table}.{name}"
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_nav_follows_from_fills_funding_and_transfers_alone(
    ran: subprocess.CompletedProcess[str], folder: Path
) -> None:
    """The last NAV row, from the files, by nobody's code but this."""
    read = {
        name: pl.read_parquet(folder / "out" / f"{name}.parquet") for name in ("fills", "funding", "transfers", "nav")
    }
    marks = pl.read_parquet(folder / "out" / "marks.parquet")
    end = read["nav"]["time"].max()
    before = {name: read[name].filter(pl.col("time") < end) for name in ("fills", "funding", "transfers")}
    cash = sum(int(frame["cash_micro"].sum()) for frame in before.values())
    lots = before["fills"].group_by("market").agg(pl.col("lots").sum())
    last = marks.filter(pl.col("time") == end).select(pl.col("market"), pl.col("mark_micro"))
    held = lots.join(last, on="market", how="left").select((pl.col("lots") * pl.col("mark_micro")).sum()).item()
    assert cash + held == read["nav"].sort("seq")["nav_micro"][-1]


def test_audit_passes_what_was_written_and_finds_what_was_changed(
    ran: subprocess.CompletedProcess[str], folder: Path
) -> None:
    passed = podshop("audit", "out", cwd=folder)
    assert (passed.returncode, passed.stdout) == (0, ""), passed.stderr
    assert "agree" in passed.stderr
    shutil.copytree(folder / "out", folder / "forged")
    fills = pl.read_parquet(folder / "forged" / "fills.parquet")
    fee = pl.when(pl.int_range(pl.len()) == 100).then(pl.col("fee_micro") + 1).otherwise(pl.col("fee_micro"))
    fills.with_columns(fee.alias("fee_micro")).write_parquet(folder / "forged" / "fills.parquet")
    forged = podshop("audit", "forged", cwd=folder)
    assert forged.returncode == 1
    assert "fills" in forged.stderr
    assert "100" in forged.stderr
    assert "Traceback" not in forged.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_weight = 0.05", "max_wieght = 0.05", "max_weight"),
        ("max_weight = 0.05", "max_weight = 1.5", "max_weight"),
        ("max_weight = 0.05", 'max_weight = "much"', "max_weight"),
        ('"BTC", "ETH"', '"BTC", "ETHH"', "ETH"),
        ('venue = "okx_perp"', 'venue = "okx_prep"', "okx_perp"),
        ("listens = { trend = 1.0 }", "listens = { trent = 1.0 }", "trend"),
    ],
)
def test_a_bad_fund_file_is_one_line(folder: Path, shared_data: Path, old: str, new: str, said: str) -> None:
    text = starter()
    assert old in text
    (folder / "bad.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    one_line(podshop("backtest", "bad.toml", "--data", str(shared_data), cwd=folder), said)


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("2022-05-01", "2022-05-01", "empty"),
        ("2031-01-01", "2031-02-01", "2024"),
    ],
)
def test_an_empty_period_is_one_line(folder: Path, shared_data: Path, since: str, until: str, said: str) -> None:
    period = ("--since", since, "--until", until)
    one_line(podshop("backtest", "fund.toml", "--data", str(shared_data), *period, cwd=folder), said)


def one_line(done: subprocess.CompletedProcess[str], said: str) -> None:
    complaint = [line for line in done.stderr.splitlines() if not line.startswith("compiling the loop")]
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(complaint) == 1
    assert complaint[0].startswith("podshop: ")
    assert said in complaint[0]


def test_the_demo_runs_offline_and_says_that_it_is_simulated(folder: Path) -> None:
    demo = podshop("demo", "--out", "demo", "--json", cwd=folder)
    assert demo.returncode == 0, demo.stderr
    result = json.loads(demo.stdout)
    assert result["simulated"] is True
    assert isinstance(result["seed"], int)
    assert {result["books"]["residual_micro"], *result["books"]["identity_residual_micro"].values()} == {0}
    assert "simulated" in demo.stderr.lower()
    assert "simulated" in (folder / "demo" / "report.html").read_text(encoding="utf-8").lower()
    assert podshop("audit", "demo", cwd=folder).returncode == 0


WARM = """
import sys
from pathlib import Path
from podshop.run import cycle, shadow
from podshop.run.warm import warm
warm(lambda *a: None)
def compiled():
    return {name: len(function.signatures) for module in (cycle, shadow) for name, function in vars(module).items()
            if hasattr(function, "signatures")}
before = compiled()
from podshop.nouns import DAY_NS
from podshop.run.backtest import backtest
from podshop.run.config import starter_fund
for data in (Path(sys.argv[1]), None):
    backtest(starter_fund(), data, 19400 * DAY_NS, 19403 * DAY_NS, None, lambda *a: None)
print(len(cycle.span.signatures), len(shadow.run_shadow.signatures), before == compiled())
"""


def test_a_warm_run_compiles_nothing(shared_data: Path, folder: Path) -> None:
    """What was compiled before the clock started is what runs, on history and on the simulated exchange."""
    done = subprocess.run(
        [sys.executable, "-c", WARM, str(shared_data)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["1", "1", "True"], done.stderr


def test_only_the_first_run_says_that_it_compiles(ran: subprocess.CompletedProcess[str], folder: Path) -> None:
    again = podshop("demo", "--out", "demo", cwd=folder)
    assert again.returncode == 0
    assert "compiling the loop" not in again.stderr
