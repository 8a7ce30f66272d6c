"""Signatures and evidence together say the stage: neither is enough for capital, and either can take it away."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from podshop.cli import main
from podshop.journal.verify import verify
from podshop.nouns import DAY_NS, HOUR_NS, ConfigError, DataError, LedgerError
from podshop.run import gate as at_gate
from podshop.run.config import Fund, load, starter
from tests.journal.test_store import tampered

SINCE_NS = 19_000 * DAY_NS
NAMES = ("trend_follower", "mean_reverter", "funding_harvester")
DAYS = 120


def record_of(tmp_path: Path, daily: np.ndarray, text: str = "") -> tuple[Path, Path]:
    """A record whose shadows earned this, and its fund file."""
    path, folder = tmp_path / "fund.toml", tmp_path / "record"
    path.write_text(text or starter(), encoding="utf-8")
    fund = load(path)
    names = [mandate.name for mandate in fund.mandates]
    folder.mkdir(exist_ok=True)
    (folder / "result.json").write_text(json.dumps({"config_sha256": fund.sha256}), encoding="utf-8")
    worth = np.rint(1e11 * (1 + np.concatenate([np.zeros((1, len(names))), np.cumsum(daily, axis=0)]))).astype(np.int64)
    times = [SINCE_NS - HOUR_NS, *(SINCE_NS + day * DAY_NS for day in range(len(worth)))]  # begins an hour early
    rows = [
        (time, name, int(value))
        for time, equity in zip(times, [worth[0], *worth], strict=True)
        for name, value in zip([*names, "house"], [*equity, 0], strict=True)
    ]
    table = pl.DataFrame(
        rows, schema={"time": pl.Int64, "book": pl.String, "shadow_equity_micro": pl.Int64}, orient="row"
    )
    table.with_columns(
        pl.col("time").cast(pl.Datetime("ns", "UTC")), pl.col("book").cast(pl.Enum([*names, "house"]))
    ).write_parquet(folder / "books.parquet")
    return folder, path


def made(count: int = DAYS, *sharpes: float) -> np.ndarray:
    """(count, B) days of these annual Sharpe ratios, 20 % a year, in every ten days."""
    block = np.random.default_rng(0).normal(size=(10, len(sharpes)))
    block = (block - block.mean(axis=0)) / block.std(axis=0)
    noise = np.tile(block, (count // 10 + 1, 1))[:count]
    return 0.2 / np.sqrt(365) * (noise + np.array(sharpes) / np.sqrt(365))


@pytest.fixture
def typed(tmp_path):
    record, fund = record_of(tmp_path, made(DAYS, 8.0, -1.0, 0.5))
    return [str(record)], ["--fund", str(fund), "--gate", str(tmp_path / "signed"), "--json"]


def found(record: list[str], more: list[str]) -> at_gate.Signatures:
    return at_gate.signatures(Path(record[0]), load(Path(more[1])), Path(more[3]))


def stages(record: list[str], more: list[str]) -> list[str]:
    return [line.stage for line in found(record, more).lines()]


def test_what_is_shown_is_the_evidence(typed, capsys):
    record, more = typed
    assert main(["gate", "list", *record, *more]) == 0
    shown = capsys.readouterr()
    books = {book["book"]: book for book in json.loads(shown.out)["books"]}
    good, bad, slow = (books[name] for name in found(record, more).books)
    assert (good["stage"], good["evidence_days"], good["next"], good["ready"]) == ("paper", 120, "seed", True)
    assert good["sharpe"] == pytest.approx(8.0, rel=0.01)
    assert good["psr"] > 0.99
    assert good["missing_days"] == 0
    assert (bad["needed_days"], bad["ready"]) == (None, False)
    assert "earned nothing" in bad["promotes"]
    assert slow["needed_days"] - 120 == slow["missing_days"] > 1000
    assert f"{slow['missing_days']} more days like those so far" in shown.err
    assert "ready for seed: a person may sign" in shown.err


def test_nobody_gets_capital_without_a_signature_or_without_evidence(typed, capsys):
    record, more = typed
    good, bad, _ = found(record, more).books
    assert stages(record, more) == ["paper"] * 3  # ready for a month, and not signed
    assert main(["gate", "promote", *record, bad, *more, "--reason", "a hunch"]) == 2
    assert f"{bad} is at paper and may not be promoted: it has earned nothing" in capsys.readouterr().err
    assert not Path(more[3]).exists()
    assert main(["gate", "promote", *record, good, *more, "--reason", "it earns", "--by", "Ann"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["stage"], told["by"], told["reason"]) == ("seed", "Ann", "it earns")
    assert "120 days, Sharpe" in told["evidence"]
    assert stages(record, more) == ["seed", "paper", "paper"]
    assert main(["gate", "promote", *record, good, *more, "--reason", "more"]) == 2  # ninety days at seed first
    assert verify(Path(more[3])).first_bad is None


def test_the_floor_holds_whoever_signs(tmp_path, capsys):
    record, fund = record_of(tmp_path, made(89, 20.0, 0.0, 0.0))
    more = ["--fund", str(fund), "--gate", str(tmp_path / "signed")]
    good = found([str(record)], more).books[0]
    assert main(["gate", "promote", str(record), good, *more, "--reason", "look at it"]) == 2
    assert "1 more days like those so far" in capsys.readouterr().err


def test_down_needs_no_evidence_but_a_reason_and_begins_anew(typed, capsys):
    record, more = typed
    good = found(record, more).books[0]
    assert main(["gate", "promote", *record, good, *more, "--reason", "it earns"]) == 0
    assert main(["gate", "demote", *record, good, *more, "--reason", " "]) == 2
    assert "a signature needs a reason" in capsys.readouterr().err
    assert main(["gate", "demote", *record, good, *more, "--reason", "no", "--to", "full"]) == 2
    assert main(["gate", "demote", *record, good, *more, "--reason", "its author left"]) == 0
    line = found(record, more).line(good)
    assert (line.stage, line.evidence_days, line.ready) == ("paper", 0, False)
    assert main(["gate", "demote", *record, good, *more, "--reason", "and stays out", "--to", "suspended"]) == 0
    capsys.readouterr()
    assert main(["gate", "list", *record, *more]) == 0
    signed = json.loads(capsys.readouterr().out)["signed"]
    assert [one["stage"] for one in signed] == ["seed", "paper", "suspended"]


def at_day(folder: Path, fund: Fund, file: Path, day: int, book: str, up: bool = True) -> None:
    """Sign in the evening of a day that is long over, on what was known then."""
    seen = at_gate.signatures(folder, fund, file)
    then = replace(seen, ends_ns=seen.ends_ns[:day], daily=seen.daily[:day])
    at_gate.sign(file, fund, then, SINCE_NS + day * DAY_NS, book, None, "Ann", "as it was", up=up)


def test_signed_steps_and_rules_follow_one_another(tmp_path):
    """Seed on day 120, full on day 210, and a crash suspends it the day it is due, signature or not."""
    daily = made(300, 8.0, 0.0, 0.0)
    daily[250:, 0] = -0.02  # the deepest drawdown comes after days that look like none: first seed, then out
    folder, path = record_of(tmp_path, daily)
    fund, file = load(path), tmp_path / "signed"
    book = fund.mandates[0].name
    at_day(folder, fund, file, 120, book)
    with pytest.raises(ConfigError, match="may not be promoted"):
        at_day(folder, fund, file, 200, book)
    at_day(folder, fund, file, 210, book)
    seen = at_gate.signatures(folder, fund, file)
    assert [seen.until(row)[0].stages[0] for row in (120, 121, 210, 211, 250)] == [
        "paper",
        "seed",
        "seed",
        "full",
        "full",
    ]
    line = seen.line(book)
    assert (line.stage, line.why) == ("suspended", "its drawdown is too deep")
    assert 250 < len(daily) - line.days < 285


def test_a_changed_mandate_is_another_agent(tmp_path, capsys):
    """Its capital is gone until somebody sees it; then its evidence begins anew. The same text is the same agent."""
    daily = made(DAYS, 8.0, 0.0, 0.0)
    record, path = record_of(tmp_path, daily)
    more = ["--fund", str(path), "--gate", str(tmp_path / "signed")]
    book = found([str(record)], more).books[0]
    assert main(["gate", "promote", str(record), book, *more, "--reason", "it earns"]) == 0
    assert stages([str(record)], more)[0] == "seed"
    text = re.sub(r"stop( *)= [0-9.]+", r"stop\1= 4.25", starter(), count=1)
    assert text != starter()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="made with another fund file"):
        found([str(record)], more)
    record_of(tmp_path, daily, text)
    line = found([str(record)], more).line(book)
    assert (line.stage, line.changed, line.ready, line.evidence_days) == ("paper", True, False, 0)
    capsys.readouterr()
    assert main(["gate", "promote", str(record), book, *more, "--reason", "again"]) == 2
    assert "it is not what was signed for" in capsys.readouterr().err
    assert main(["gate", "demote", str(record), book, *more, "--reason", "new stop", "--to", "full"]) == 2
    assert main(["gate", "demote", str(record), book, *more, "--reason", "new stop", "--to", "paper"]) == 0
    line = found([str(record)], more).line(book)
    assert (line.stage, line.changed) == ("paper", False)


def test_a_signature_cannot_be_edited(typed):
    record, more = typed
    good = found(record, more).books[0]
    assert main(["gate", "promote", *record, good, *more, "--reason", "it earns"]) == 0
    tampered(Path(more[3]), "UPDATE journal SET at_ns = 1 WHERE seq = 2")
    bad = verify(Path(more[3]))
    assert bad.first_bad == 2
    with pytest.raises((ConfigError, LedgerError)):
        at_gate.sign(Path(more[3]), load(Path(more[1])), found(record, more), 5, good, "paper", "Bob", "r", up=False)


def test_no_record_no_book_and_no_books_are_one_line(typed, tmp_path, capsys):
    record, more = typed
    assert main(["gate", "list", str(tmp_path), *more]) == 2
    assert "this is no record" in capsys.readouterr().err
    assert main(["gate", "promote", *record, "nobody", *more, "--reason", "r"]) == 2
    assert "there is no book 'nobody'" in capsys.readouterr().err
    pl.DataFrame(
        schema={"time": pl.Datetime("ns", "UTC"), "book": pl.String, "shadow_equity_micro": pl.Int64}
    ).write_parquet(Path(record[0]) / "books.parquet")
    assert main(["gate", "list", *record, *more]) == 2
    assert "knows nothing of" in capsys.readouterr().err
