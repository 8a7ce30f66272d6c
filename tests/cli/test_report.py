"""podshop report, as a person types it."""

import csv
import io
import json
from pathlib import Path

import pytest

from podshop.cli import main
from podshop.nouns import DAY_NS
from podshop.run import accountant
from tests.report.accounted import SINCE_NS, folder_of, made

HOURS = 24 * 100


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("record"), made(HOURS))


def test_a_day_for_people_and_as_a_page(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(record), "--date", "2024-02-10"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "SIMULATED EXCHANGE: not performance" in printed.err
    found = accountant.account(accountant.read(record), SINCE_NS + 40 * DAY_NS, SINCE_NS + 41 * DAY_NS)
    assert f"-> {found['nav']['close_micro'] / 1e6:,.2f} USD" in printed.err
    assert "books       close to the micro-dollar" in printed.err
    assert found["signature"]["inputs_sha256"] in printed.err
    (page,) = (tmp_path / "out").iterdir()
    assert page.name.endswith("2024-02-10.html")
    assert page.read_text(encoding="utf-8") == accountant.written(found, ".html")


def test_json_and_csv_on_stdout_write_no_file(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(record), "--date", "2024-02-10", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["nav"]["close_micro"] - told["nav"]["open_micro"] == told["pnl"]["total"]["net_micro"]
    assert main(["report", str(record), "--date", "2024-02-10", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    net = [row["value"] for row in rows if row["section"] == "pnl by fund" and row["measure"] == "net"]
    assert net == [str(told["pnl"]["total"]["net_micro"])]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["html", "json", "csv"])
def test_what_was_written_is_checked(
    record: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "deep" / f"day.{suffix}"
    assert main(["report", str(record), "--date", "2024-02-10", "--out", str(file)]) == 0
    capsys.readouterr()
    assert main(["report", str(record), "--check", str(file), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["findings"] == []
    assert "is what the record says, to the byte" in printed.err
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("carry", "curry"), encoding="utf-8")
    assert main(["report", str(record), "--check", str(file)]) == 1
    assert "changed after it was made" in capsys.readouterr().err


def test_what_stdout_gave_can_be_checked_too(record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("json", "csv"):
        assert main(["report", str(record), "--date", "2024-02-10", f"--{option}"]) == 0
        file = tmp_path / f"day.{option}"
        file.write_text(capsys.readouterr().out, encoding="utf-8")
        assert main(["report", str(record), "--check", str(file)]) == 0


@pytest.mark.parametrize("words", [["--month", "2024-02"], ["--since-inception"]])
def test_tear_sheets(record: Path, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(record), *words, "--out", str(tmp_path / "t.html"), "--json"]) == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert told["tear"]["stats"]["days"] == (29 if "--month" in words else 100)
    assert "SIMULATED" in printed.err
    capital = told["tear"]["capacity"]["capital"]
    assert ("capacity    about $" if capital else "capacity    none: no gross edge") in printed.err
    assert main(["report", str(record), "--check", str(tmp_path / "t.html")]) == 0
    assert f"the statement of {told['title']} is what the record says" in capsys.readouterr().err
    (tmp_path / "t.json").write_text(printed.out, encoding="utf-8")
    assert main(["report", str(record), "--check", str(tmp_path / "t.json")]) == 0
    assert (tmp_path / "t.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    if "--month" in words:
        assert "Sharpe      unknown: under 30 days" in printed.err
    else:
        assert f"Sharpe      {told['tear']['stats']['sharpe']:.2f} net; 90 % interval" in printed.err
    told["tear"]["stats"]["sharpe"] = 3.0
    (tmp_path / "t.json").write_text(json.dumps(told), encoding="utf-8")
    assert main(["report", str(record), "--check", str(tmp_path / "t.json")]) == 1


def test_books_that_do_not_close_are_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = made(48)
    tables["nav"]["nav_micro"][24] += 1
    folder = folder_of(tmp_path / "record", tables)
    assert main(["report", str(folder), "--date", "2024-01-01", "--json"]) == 1
    printed = capsys.readouterr()
    assert "DO NOT CLOSE" in printed.err
    assert json.loads(printed.out)["residuals"]["nav_micro"] == 1


def test_what_cannot_be_is_one_line(record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = ["--date", "2024-02-10"]
    for wrong, said in {
        (): "wants one of",
        ("--date", "2024-02-10", "--month", "2024-02"): "wants one of",
        ("--month", "2024-02", "--csv"): "--csv",
        (*day, "--csv", "--json"): "--csv",
        (*day, "--out", str(tmp_path / "x.pdf")): "ends in .html",
        ("--month", "2024-02", "--out", str(tmp_path / "x.csv")): "ends in .html or .json",
        ("--date", "2025-02-10"): "is not in it",
        ("--month", "2024-2"): "is not a month",
        ("--check", str(tmp_path / "none.html")): "none.html",
    }.items():
        assert main(["report", str(record), *wrong]) == 2, wrong
        assert said in capsys.readouterr().err
