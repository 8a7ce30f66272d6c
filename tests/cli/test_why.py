"""podshop why: words that fit a terminal, and JSON."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from podshop.cli import main
from tests.run import asked

WIDTH = 120


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    return asked.calm(tmp_path_factory.mktemp("calm"), shared_data)


def test_the_whole_story_in_words(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fills = pl.read_parquet(record / "fills.parquet").filter(pl.col("market").cast(pl.String) == "XRP")
    row = fills.row(-1, named=True)
    assert main(["why", "XRP", "--at", row["time"].isoformat()[:19], "--record", str(record)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    text = printed.err
    assert max(map(len, text.splitlines())) <= WIDTH
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(line.startswith("stretch 1h ") for line in lines)
    assert any(line.startswith("heard at ") and "-> blend" in line for line in lines)
    assert any(f"mixed {row['kind']} {row['lots']:+,} {row['price']:,.8g}" in line for line in lines)
    assert any("limits" in line and "set by: fund file, limits.max_weight" in line for line in lines)
    assert lines[-1].startswith("checked: what 1 books last wished")


def test_an_absence_says_what_it_would_take(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "--not", "XRP", "--at", "2022-12-18T09:00:00Z", "--record", str(record)]) == 0
    text = capsys.readouterr().err
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "Not traded: market: XRP did not trade in the bar after 2022-12-18T09:00:00Z" in text
    assert "It would take: a bar with volume" in text


def test_json_holds_everything(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "ada", "--not", "--record", str(record), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["market"], found["time"], found["differs"]) == ("ADA", "2022-12-19T23:00:00Z", [])
    assert set(found) >= {"price", "signals", "books", "net", "fills", "not", "warnings"}


def test_the_newest_under_out_is_taken(record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["why", "XRP"]) == 2
    shutil.copytree(record, tmp_path / "out" / "run")
    assert main(["why", "XRP"]) == 0


def test_what_cannot_be_asked_is_one_line(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["XPR"], "did you mean 'XRP'?"),
        (["XRP", "--at", "2021-01-01"], "outside of the record"),
        (["XRP", "--record", str(record.parent)], "no result.json"),
    ):
        given = words if "--record" in words else [*words, "--record", str(record)]
        assert main(["why", *given]) == 2
        printed = capsys.readouterr().err
        assert printed.count("\n") == 1
        assert said in printed


def test_risk_shows_every_limit_in_force(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The distances are of the last ruling, and each use follows from the rows."""
    assert main(["risk", str(record), "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    ruling = json.loads((record / "limits.jsonl").read_text().splitlines()[-1])
    names = ["BTC", "XRP", "ADA"]
    weight = {row["name"]: row["weight"] for row in found["markets"]}
    limits = found["limits"]
    assert {row["name"] for row in limits} == {
        "max_var", "max_gross", "max_net", "max_order", "max_weight", *(["max_cluster"] if ruling["clusters"] else []),
    }  # fmt: skip
    by_name = {row["name"]: row for row in limits if row["name"] != "max_weight"}
    for key in ("max_gross", "max_net", "max_order"):
        assert (by_name[key]["bound"], by_name[key]["by"]) == (ruling[key], ruling["by"][key])
    assert by_name["max_net"]["used"] == pytest.approx(abs(sum(weight.values())))
    clusters = [row for row in limits if row["name"] == "max_cluster"]
    assert len(clusters) == len(ruling["clusters"])
    for row, members, cap in zip(clusters, ruling["clusters"], ruling["max_cluster"], strict=True):
        assert row["bound"] == cap
        assert row["used"] == pytest.approx(abs(sum(weight.get(names[m], 0.0) for m in members)))
    gate = next(row for row in limits if row["of"] == "gate")
    nav = pl.read_parquet(record / "nav.parquet")
    assert (gate["used"], gate["bound"]) == (nav["var"][-1], ruling["max_var"])
    fills = pl.read_parquet(record / "fills.parquet").filter(pl.col("kind").cast(pl.String) == "venue")
    sizes: dict[tuple[int, str], int] = {}
    for time, market, lots, price in fills.with_columns(pl.col("time").to_physical()).select(
        "time", "market", "lots", "price_micro"
    ).iter_rows():  # fmt: skip
        if time >= nav["time"].dt.timestamp("ns")[-1] - 86_400 * 10**9:
            sizes[time, market] = sizes.get((time, market), 0) + lots * price
    assert by_name["max_order"]["used"] == pytest.approx(
        max(map(abs, sizes.values()), default=0) / nav["nav_micro"][-1]
    )
    assert found["office"]["throttle"] == dict(zip(("mixed", "large"), ruling["throttle"], strict=True))
    assert (found["office"]["tail"], found["office"]["state"]) == (ruling["tail"], ruling["state"])
    assert f"VaR is {ruling['tail']:.3f} sigma" in printed.err
    assert all(row["left"] == pytest.approx(row["bound"] - row["used"]) for row in limits if row["used"] is not None)
