"""A record holds what was handed over, whole or visibly unfinished."""

import hashlib
import itertools
import json
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from podshop.journal.record import Recorder, combined
from podshop.journal.tables import HASHED, TABLES
from podshop.nouns import LedgerError

NAMES = {
    "market": ("BTC", "ETH"),
    "book": ("trend", "carry", "house", "NET"),
    "kind": ("venue", "cross", "settlement", "house"),
    "source": ("ASSUMED", "okx_perp"),
    "reason": ("deposit", "allocation"),
    "verdict": ("approve", "shrink", "veto"),
    "code": ("OK", "POSITION_CAP"),
}


def rows(table: str, count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Rows of the right types, of no meaning."""
    rng = np.random.default_rng(seed)
    return {
        column.name: rng.integers(0, len(NAMES[column.name]), count).astype(np.int8)
        if column.kind == "name"
        else rng.normal(size=count)
        if column.kind == "real"
        else rng.integers(-(2**62), 2**62, count)
        for column in TABLES[table]
    }


def cut(columns: dict[str, np.ndarray], *at: int) -> list[dict[str, np.ndarray]]:
    """The same rows in several chunks."""
    edges = [0, *at, len(columns["market"])]
    return [{k: v[a:b] for k, v in columns.items()} for a, b in itertools.pairwise(edges)]


def test_a_table_reads_back_as_it_was_written(tmp_path: Path) -> None:
    given = {table: rows(table, 300_000 if table == "fills" else 1000, seed) for seed, table in enumerate(TABLES)}
    with Recorder(tmp_path, NAMES) as recorder:
        for table, columns in given.items():
            recorder.write(table, columns)
    for table, columns in given.items():
        frame = pl.read_parquet(tmp_path / f"{table}.parquet")
        assert frame.columns == [column.name for column in TABLES[table]]
        for column in TABLES[table]:
            found = frame[column.name]
            if column.kind == "name":
                text = np.array(NAMES[column.name])[columns[column.name]]
                assert found.cast(pl.String).to_list() == text.tolist()
            else:
                assert found.dtype == (pl.Datetime("ns", "UTC") if column.kind == "time" else found.dtype)
                assert np.array_equal(found.to_physical().to_numpy(), columns[column.name])
    assert recorder.rows["fills"] == 300_000


def test_digests_are_of_the_little_endian_columns_however_they_were_cut(tmp_path: Path) -> None:
    fills, verdicts = rows("fills", 1000), rows("verdicts", 500)
    answers = []
    for out, at in ((None, ()), (tmp_path / "a", (1,)), (tmp_path / "b", (300, 300, 999))):
        with Recorder(out, NAMES) as recorder:
            for chunk in cut(fills, *at):
                recorder.write("fills", chunk)
            recorder.write("verdicts", verdicts)
            answers.append(recorder.close())
    assert answers[0] == answers[1] == answers[2]
    expected = {}
    for table, given in (("fills", fills), ("verdicts", verdicts)):
        for column in TABLES[table]:
            start = "\n".join(NAMES[column.name]).encode() if column.kind == "name" else b""
            raw = given[column.name].astype("<u2" if column.kind == "name" else given[column.name].dtype).tobytes()
            expected[f"{table}.{column.name}"] = hashlib.sha256(start + raw).hexdigest()
    assert answers[0] == expected | {"decisions_sha256": combined(expected)}


@pytest.mark.parametrize("table", HASHED)
def test_one_changed_value_changes_the_decisions_hash(table: str) -> None:
    def digest(columns: dict[str, np.ndarray]) -> str:
        with Recorder(None, NAMES) as recorder:
            recorder.write(table, columns)
            return recorder.close()["decisions_sha256"]

    whole = rows(table, 50)
    seen = {digest(whole)}
    for column in TABLES[table]:
        changed = {k: v.copy() for k, v in whole.items()}
        changed[column.name][17] = 1 - changed[column.name][17] % 2
        seen.add(digest(changed))
    assert len(seen) == 1 + len(TABLES[table])


def test_a_function_of_the_given_columns_is_a_column(tmp_path: Path) -> None:
    given = rows("nav", 10)
    with Recorder(tmp_path, NAMES) as recorder:
        recorder.write("nav", given | {"time": lambda columns: columns["cycle"] * 3})
    assert np.array_equal(pl.read_parquet(tmp_path / "nav.parquet")["time"].to_physical(), given["cycle"] * 3)


def test_watchers_see_the_same_rows_in_the_order_of_writing_off_the_callers_thread() -> None:
    seen: list[tuple[str, int, int]] = []

    def watch(table: str, columns: dict[str, np.ndarray]) -> None:
        seen.append((table, len(columns["seq"]), threading.get_ident()))

    with Recorder(None, NAMES, watchers=(watch,)) as recorder:
        for table, count in (("nav", 3), ("fills", 5), ("nav", 2)):
            recorder.write(table, rows(table, count))
    assert [(table, count) for table, count, _ in seen] == [("nav", 3), ("fills", 5), ("nav", 2)]
    assert threading.get_ident() not in {thread for _, _, thread in seen}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lots": None}, "fills lacks its column 'lots'"),
        ({"lotz": np.zeros(5)}, "fills has no column 'lotz'"),
        ({"lots": np.zeros(5)}, "fills.lots is 1-dimensional float64, expected a row of int64"),
        ({"lots": np.zeros(4, np.int64)}, "fills.lots has 4 rows, other columns have 5"),
        ({"book": np.full(5, 4)}, "fills.book points outside its 4 names"),
        ({"book": np.full(5, -1)}, "fills.book points outside its 4 names"),
    ],
)
def test_wrong_rows_reach_the_caller_as_an_error(tmp_path: Path, change: dict, message: str) -> None:
    given = {k: v for k, v in (rows("fills", 5) | change).items() if v is not None}
    with pytest.raises(LedgerError, match=message), Recorder(tmp_path, NAMES) as recorder:
        recorder.write("fills", given)
    assert not list(tmp_path.glob("*.parquet"))


def test_a_failing_disk_reaches_the_caller_and_never_hangs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", broken)

    def run() -> None:
        with Recorder(tmp_path, NAMES) as recorder:
            for _ in range(20):
                recorder.write("fills", rows("fills", 200_000))

    with pytest.raises(LedgerError, match="no space left"):
        run()


def test_a_run_that_fails_leaves_no_table_and_its_own_error(tmp_path: Path) -> None:
    def run() -> None:
        with Recorder(tmp_path, NAMES) as recorder:
            recorder.write("fills", rows("fills", 10))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert not list(tmp_path.glob("*.parquet"))


def test_a_new_record_takes_away_the_old_one_and_is_whole_only_with_its_result(tmp_path: Path) -> None:
    with Recorder(tmp_path, NAMES) as recorder:
        recorder.write("fills", rows("fills", 10))
    recorder.finish({"fund": "starter"}, "<html></html>")
    assert json.loads((tmp_path / "result.json").read_text()) == {"fund": "starter"}
    assert len(list(tmp_path.iterdir())) == len(TABLES) + 2
    (tmp_path / "notes.txt").write_text("a stranger's")
    with Recorder(tmp_path, NAMES) as recorder:
        assert not (tmp_path / "result.json").exists()
        assert not list(tmp_path.glob("*.parquet"))
        assert not (tmp_path / "report.html").exists()
        recorder.close()
    assert not (tmp_path / "result.json").exists()
    assert pl.read_parquet(tmp_path / "fills.parquet").height == 0
    assert (tmp_path / "notes.txt").exists()
    with pytest.raises(ValueError, match="not JSON compliant"):
        recorder.finish({"sharpe": float("nan")}, "")
    assert not (tmp_path / "result.json").exists()


def test_writing_waits_instead_of_filling_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a slow watcher, no more than one chunk above the bound waits."""
    monkeypatch.setattr("podshop.journal.record.WAITING_BYTES", 1)
    gate, begun = threading.Semaphore(0), []

    def slow(table: str, columns: dict[str, np.ndarray]) -> None:
        begun.append(table)
        gate.acquire()

    recorder = Recorder(None, NAMES, watchers=(slow,))
    recorder.write("nav", rows("nav", 5))
    while not begun:
        pass
    recorder.write("nav", rows("nav", 5))  # waits, but does not make the caller wait
    third = threading.Thread(target=recorder.write, args=("nav", rows("nav", 5)))
    third.start()
    third.join(0.2)
    assert third.is_alive()
    for _ in range(3):
        gate.release()
    third.join(10)
    assert not third.is_alive()
    recorder.close()
    assert recorder.rows["nav"] == 15
